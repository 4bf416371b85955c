package signing

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/issuance"
)

// ErrRequest means that octets are not a request in its one form.
var ErrRequest = errors.New("not a well-formed request")

// Request asks for the security object of one card. It holds no personal data but digests
// of them, and nothing that the service would sign as it stands.
type Request struct {
	Application string
	Card        string
	Salt        [32]byte        // of the content commitment
	Parts       []issuance.Part // what was approved, in ascending order of names
	Issued      time.Time       // the day of issue, midnight in UTC; the part "issued" is its text
	DG14, DG15  []byte          // the complete files; DG15 is nil for a chip without Active Authentication
	AA, CA      *gp.Evidence    // that the chip has made the keys of DG15 and DG14; nil for keys that were imported
	Operator    issuance.KeyID  // the personaliser who asks
	Signature   []byte          // theirs, see Sign
}

// Bounds of a request in octets.
const (
	MaxRequest = 32 << 10
	maxFile    = 8 << 10
)

const (
	requestVersion = 1
	signedContext  = "signing request"
)

// body is the request without its signature. Integers are unsigned and big-endian; a short
// text is one octet of length and that many octets, a long one two of length.
//
//	1       version, 1
//	short   application, 1 to 96
//	short   card, 1 to 96
//	32      salt
//	1       number of parts, 1 to 32; for each, in ascending order of names:
//	  short name
//	  32    SHA-256
//	short   day of issue, YYYY-MM-DD
//	long    DG14
//	long    DG15, or nothing
//	long    evidence of the key in DG15, or nothing
//	long    evidence of the key in DG14, or nothing
//	32      the personaliser's key
//	long    their signature, 1 to 512
func (r *Request) body() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	b := []byte{requestVersion}
	b = appendShort(b, r.Application)
	b = appendShort(b, r.Card)
	b = append(b, r.Salt[:]...)
	b = append(b, byte(len(r.Parts)))
	for _, p := range r.Parts {
		b = appendShort(b, p.Name)
		b = append(b, p.Digest[:]...)
	}
	b = appendShort(b, r.Issued.Format(time.DateOnly))
	b = appendLong(b, r.DG14)
	b = appendLong(b, r.DG15)
	for _, e := range []*gp.Evidence{r.AA, r.CA} {
		if e == nil {
			b = appendLong(b, nil)
			continue
		}
		octets, err := e.MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRequest, err)
		}
		b = appendLong(b, octets)
	}
	return append(b, r.Operator[:]...), nil
}

// check holds the bounds that are not those of the encoding itself.
func (r *Request) check() error {
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrRequest, what) }
	for _, id := range []issuance.StreamID{issuance.Application(r.Application), issuance.Card(r.Card)} {
		if _, err := issuance.ParseStreamID(id.String()); err != nil {
			return bad("the name of application or card")
		}
	}
	switch {
	case len(r.Parts) == 0 || len(r.Parts) > issuance.MaxParts:
		return bad("the number of parts")
	case !slices.IsSortedFunc(r.Parts, func(a, b issuance.Part) int { return strings.Compare(a.Name, b.Name) }):
		return bad("the order of parts")
	case !r.Issued.Equal(time.Date(r.Issued.Year(), r.Issued.Month(), r.Issued.Day(), 0, 0, 0, 0, time.UTC)):
		return bad("the day of issue")
	case r.Issued.Year() < 1970 || r.Issued.Year() > 9999:
		return bad("the year of issue")
	case len(r.DG14) == 0 || len(r.DG14) > maxFile || len(r.DG15) > maxFile:
		return bad("the size of DG14 or DG15")
	case r.AA != nil && len(r.DG15) == 0:
		return bad("evidence of no key")
	case r.Operator.IsZero():
		return bad("nobody asks")
	}
	for i, p := range r.Parts {
		if len(p.Name) == 0 || len(p.Name) > 32 || i > 0 && r.Parts[i-1].Name == p.Name {
			return bad("the name of a part")
		}
	}
	return nil
}

// Sign sets Operator and Signature. All else must be set before.
func (r *Request) Sign(key crypto.Signer) error {
	id, err := issuance.KeyIDOf(key.Public())
	if err != nil {
		return err
	}
	r.Operator = id
	body, err := r.body()
	if err != nil {
		return err
	}
	r.Signature, err = issuance.SignMessage(key, signedContext, body)
	return err
}

// signedBy verifies the signature under the field "key" of an operator's stream.
func (r *Request) signedBy(keyField string) error {
	body, err := r.body()
	if err != nil {
		return err
	}
	return issuance.CheckMessage(keyField, signedContext, body, r.Signature)
}

// MarshalBinary encodes the request in its one form; errors wrap ErrRequest.
func (r *Request) MarshalBinary() ([]byte, error) {
	b, err := r.body()
	if err != nil {
		return nil, err
	}
	if len(r.Signature) == 0 || len(r.Signature) > 512 {
		return nil, fmt.Errorf("%w: it is not signed", ErrRequest)
	}
	if b = appendLong(b, r.Signature); len(b) > MaxRequest {
		return nil, fmt.Errorf("%w: %d octets", ErrRequest, len(b))
	}
	return b, nil
}

// ParseRequest reads what MarshalBinary wrote, and nothing else: any other octets are
// ErrRequest. It verifies nothing.
func ParseRequest(b []byte) (*Request, error) {
	in := &octets{rest: b}
	in.number(1) // the version: that, the bounds and the order are held by the one form, below
	r := &Request{Application: string(in.short()), Card: string(in.short()), Salt: in.digest()}
	for range in.number(1) {
		r.Parts = append(r.Parts, issuance.Part{Name: string(in.short()), Digest: in.digest()})
		if in.bad {
			break
		}
	}
	day, err := time.Parse(time.DateOnly, string(in.short()))
	in.bad = in.bad || err != nil
	r.Issued, r.DG14, r.DG15 = day, in.long(), in.long()
	r.AA, r.CA = in.evidence(), in.evidence()
	r.Operator, r.Signature = in.digest(), in.long()
	if in.bad || len(in.rest) > 0 {
		return nil, fmt.Errorf("%w: it ends too early or too late", ErrRequest)
	}
	if again, err := r.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
		return nil, fmt.Errorf("%w: not in its one form", ErrRequest)
	}
	return r, nil
}

func appendShort(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }

func appendLong(b, s []byte) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// octets takes from the front; after the first octet that is missing it gives zeros.
type octets struct {
	rest []byte
	bad  bool
}

func (o *octets) take(n int) []byte {
	if o.bad || len(o.rest) < n {
		o.bad = true
		return make([]byte, min(n, 32))
	}
	b := o.rest[:n:n]
	o.rest = o.rest[n:]
	return b
}

func (o *octets) number(n int) (v int) {
	for _, b := range o.take(n) {
		v = v<<8 | int(b)
	}
	return v
}

func (o *octets) short() []byte    { return o.take(o.number(1)) }
func (o *octets) digest() [32]byte { return [32]byte(o.take(32)) }

// long is a copy; nil for nothing.
func (o *octets) long() []byte { return append([]byte(nil), o.take(o.number(2))...) }

func (o *octets) evidence() *gp.Evidence {
	b := o.long()
	if len(b) == 0 {
		return nil
	}
	e, err := gp.ParseEvidence(b)
	if err != nil {
		o.bad = true
		return nil
	}
	return e
}
