package ca

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/verify/pki"
)

// A Deviation recalls documents of ours that have a fault (Doc 9303-12 §10): those to which
// all that it says of documents applies. One that says nothing of them speaks of all, which
// is refused.
type Deviation struct {
	DocumentType string            // as in the MRZ, "ID"; may be empty
	Signer       *cert.Certificate // their document signer; may be nil
	First, Last  time.Time         // their days of issue, both or neither
	Numbers      []string          // their numbers as in the MRZ

	Fault pki.Fault
	Group int    // the data group that FaultGroup or FaultGroupHash is in, else 0
	Text  string // PrintableString for people; may be empty
}

// DeviationList asks for a deviation list.
type DeviationList struct {
	Deviations []Deviation
	CSCA       *cert.Certificate // of the list's signer
	At         time.Time
}

// PrepareDeviationList lays out a deviation list under the list signer i; as
// PrepareMasterList.
func (i *Issuer) PrepareDeviationList(r DeviationList) (*Draft, error) {
	content, err := r.content()
	if err == nil {
		var d *Draft
		if d, err = i.prepareList(pki.OIDDeviationList, content, r.CSCA, r.At); err == nil {
			return d, nil
		}
	}
	return nil, fmt.Errorf("prepare deviation list: %w", err)
}

func (r DeviationList) content() ([]byte, error) {
	if len(r.Deviations) == 0 {
		return nil, fmt.Errorf("%w: no deviation", ErrRequest)
	}
	var list [][]byte
	for _, d := range r.Deviations {
		der, err := d.encode()
		if err != nil {
			return nil, err
		}
		list = append(list, der)
	}
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		addSetOf(b, tags.SET, list)
	})
	return b.Bytes()
}

func (d Deviation) encode() ([]byte, error) {
	oid := pki.DeviationType(d.Fault)
	group := d.Fault == pki.FaultGroup || d.Fault == pki.FaultGroupHash
	switch {
	case oid == nil:
		return nil, fmt.Errorf("%w: fault %q", ErrRequest, d.Fault)
	case group != (d.Group != 0) || d.Group < 0 || d.Group > 16:
		return nil, fmt.Errorf("%w: fault %q of group %d", ErrRequest, d.Fault, d.Group)
	case d.First.IsZero() != d.Last.IsZero() || d.Last.Before(d.First):
		return nil, fmt.Errorf("%w: a deviation has both days of issue or neither, in their order", ErrRequest)
	case d.DocumentType == "" && d.Signer == nil && d.First.IsZero() && len(d.Numbers) == 0:
		return nil, fmt.Errorf("%w: a deviation of every document there is", ErrRequest)
	case len(d.DocumentType) > 2 || !printable(d.Text) || slices.ContainsFunc(d.Numbers, func(n string) bool { return n == "" || !printable(n) }):
		return nil, fmt.Errorf("%w: document type, number or text of a deviation", ErrRequest)
	}
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tags.SEQUENCE, d.addDocuments)
		b.AddASN1(tags.SET, func(b *cryptobyte.Builder) {
			b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) { d.addDescription(b, oid) })
		})
	})
	return b.Bytes()
}

func (d Deviation) addDescription(b *cryptobyte.Builder, oid asn1.ObjectIdentifier) {
	if d.Text != "" {
		b.AddASN1(tags.PrintableString, func(b *cryptobyte.Builder) { b.AddBytes([]byte(d.Text)) })
	}
	b.AddASN1ObjectIdentifier(oid)
	if d.Group != 0 {
		b.AddASN1(constructed(0), func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(d.Group)) })
	}
}

// addDocuments writes DeviationDocuments.
func (d Deviation) addDocuments(b *cryptobyte.Builder) {
	if d.DocumentType != "" {
		b.AddASN1(tags.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(d.DocumentType)) })
	}
	if d.Signer != nil {
		b.AddASN1(constructed(1), func(b *cryptobyte.Builder) {
			b.AddBytes(d.Signer.Issuer.Raw)
			b.AddASN1BigInt(new(big.Int).Set(d.Signer.Serial))
		})
	}
	if !d.First.IsZero() {
		b.AddASN1(constructed(4), func(b *cryptobyte.Builder) {
			b.AddASN1GeneralizedTime(d.First.UTC())
			b.AddASN1GeneralizedTime(d.Last.UTC())
		})
	}
	if len(d.Numbers) > 0 {
		var list [][]byte
		for _, n := range d.Numbers {
			list = append(list, append([]byte{byte(tags.PrintableString), byte(len(n))}, n...)) // printable holds them short
		}
		addSetOf(b, constructed(5), list)
	}
}

func constructed(n uint8) tags.Tag { return tags.Tag(n).ContextSpecific().Constructed() }

// addSetOf writes a SET OF in DER order.
func addSetOf(b *cryptobyte.Builder, tag tags.Tag, list [][]byte) {
	list = slices.Clone(list)
	slices.SortFunc(list, bytes.Compare)
	b.AddASN1(tag, func(b *cryptobyte.Builder) {
		for _, e := range list {
			b.AddBytes(e)
		}
	})
}

// printable says whether a short text has only characters of PrintableString.
func printable(s string) bool {
	if len(s) > 100 {
		return false
	}
	for _, c := range s {
		letter := c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !letter && !bytes.ContainsRune([]byte(" '()+,-./:=?"), c) {
			return false
		}
	}
	return true
}
