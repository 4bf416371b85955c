package lds

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/cert"
)

// EncodeDG14 writes DG14 around the SecurityInfos; see EncodeSecurityInfos.
func EncodeDG14(i SecurityInfos) ([]byte, error) {
	set, err := EncodeSecurityInfos(i)
	if err != nil {
		return nil, err
	}
	return tlv.Encode(DG14.Tag(), set), nil
}

// EncodeSecurityInfos writes the SET in DER, the entries of Unknown as they are and
// without Raw and Trailing. Keys are written with a named curve, or with the number of
// their domain parameters where Standardised asks for it; but for keys whose parameters
// stood there in full, a DER set that was read comes back octet for octet.
func EncodeSecurityInfos(i SecurityInfos) ([]byte, error) {
	var w infoWriter
	for _, info := range i.Terminal {
		w.add(info.OID, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(int64(info.Version))
			b.AddBytes(info.CVCA)
		})
	}
	for _, info := range i.Chip {
		w.add(info.OID, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(int64(info.Version))
			addKeyID(b, info.KeyID)
		})
	}
	for _, key := range i.ChipKeys {
		spki, err := encodeKey(key)
		if err != nil {
			return nil, &Error{DG14, err.Error(), err}
		}
		w.add(key.OID, func(b *cryptobyte.Builder) {
			b.AddBytes(spki)
			addKeyID(b, key.KeyID)
		})
	}
	for _, info := range i.PACE {
		w.add(info.OID, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(int64(info.Version))
			if info.ParameterID != NoParameter {
				b.AddASN1Int64(int64(info.ParameterID))
			}
		})
	}
	for _, info := range i.Active {
		w.add(oidActive, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(int64(info.Version))
			b.AddASN1ObjectIdentifier(info.Algorithm)
		})
	}
	i.writePseudonyms(&w)
	if w.err != nil {
		return nil, w.err
	}
	return derSet(append(w.entries, i.Unknown...)), nil
}

// infoWriter collects entries and remembers the first that can't be written.
type infoWriter struct {
	entries [][]byte
	err     error
}

func (w *infoWriter) add(oid asn1.ObjectIdentifier, fill func(*cryptobyte.Builder)) {
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		fill(b)
	})
	entry, err := b.Bytes()
	if err != nil && w.err == nil {
		w.err = DG14.malformed("entry %v can't be written: %v", oid, err)
	}
	w.entries = append(w.entries, entry)
}

// encodeKey writes a SubjectPublicKeyInfo.
func encodeKey(key ChipAuthPublicKey) ([]byte, error) {
	if !key.Standardised {
		return marshalKey(key.Key)
	}
	e := key.Key.Element()
	if e == nil {
		return nil, fmt.Errorf("%w: %v has no standardised domain parameters", cert.ErrKey, key.Key)
	}
	n, ok := e.Group().ID()
	if !ok {
		return nil, fmt.Errorf("%w: %s has no standardised domain parameters", cert.ErrKey, e.Group().Name())
	}
	octets := e.Bytes()
	if key.Key.DH != nil {
		var b cryptobyte.Builder
		b.AddASN1BigInt(new(big.Int).SetBytes(octets))
		octets = b.BytesOrPanic()
	}
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidStandard)
			b.AddASN1Int64(int64(n))
		})
		b.AddASN1BitString(octets)
	})
	return b.Bytes()
}

func addKeyID(b *cryptobyte.Builder, id *big.Int) {
	if id != nil {
		b.AddASN1BigInt(id)
	}
}

// derSet writes SET OF: the elements in rising order of their octets (X.690 §11.6).
func derSet(elements [][]byte) []byte {
	sorted := slices.Clone(elements)
	slices.SortFunc(sorted, bytes.Compare)
	return tlv.Encode(tagSet, sorted...)
}
