package lds

import (
	"encoding/asn1"
	"net/url"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cms"
)

// StatusReference says where a card's status is published: a list and an index in it.
// It is a signed attribute of the SODs that tamthe issues, which other readers hash and
// pass over:
//
//	StatusReference ::= SEQUENCE { list IA5String, index INTEGER (0..4294967295) }
type StatusReference struct {
	List  string // URI of the status list, at most MaxStatusURI octets of ASCII
	Index uint32 // drawn at random, so that it tells nothing about the order of issue
}

// MaxStatusURI bounds the URI of a status list, in octets.
const MaxStatusURI = 256

// OIDStatusReference is made of the UUID 9e1a7d69-c1de-47fe-bd1d-d48f5e5fab36 in the
// arc that Microsoft keeps for identifiers made of UUIDs: its numbers stay below 2^24,
// whereas many readers (encoding/asn1 among them) refuse a SOD with the one 128-bit
// number that 2.25 would want.
var OIDStatusReference = asn1.ObjectIdentifier{
	1, 2, 840, 113556, 1, 8000, 2554, 40474, 32105, 49630, 18430, 48413, 13930334, 6269750,
}

func (r StatusReference) valid() bool {
	for _, c := range []byte(r.List) {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	u, err := url.Parse(r.List)
	return err == nil && u.IsAbs() && len(r.List) <= MaxStatusURI
}

// Attribute encodes r. Errors wrap ErrSecurityObject.
func (r StatusReference) Attribute() (cms.Attribute, error) {
	if !r.valid() {
		return cms.Attribute{}, badObject("status list %q is no short absolute URI", r.List)
	}
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tags.IA5String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(r.List)) })
		b.AddASN1Uint64(uint64(r.Index))
	})
	value, err := b.Bytes()
	if err != nil {
		return cms.Attribute{}, badObject("%v", err)
	}
	return cms.Attribute{Type: OIDStatusReference, Values: [][]byte{value}}, nil
}

// StatusReference returns the signed attribute; ok is false if there is none or it is
// malformed. It proves nothing before the signature verifies.
func (s *SOD) StatusReference() (r StatusReference, ok bool) {
	signer, err := s.Signer()
	if err != nil {
		return StatusReference{}, false
	}
	value, ok := signer.Attribute(OIDStatusReference)
	if !ok {
		return StatusReference{}, false
	}
	return parseStatusReference(value)
}

// StatusReference is the method of that name of the SOD that the outline is of.
func (o *Outline) StatusReference() (r StatusReference, ok bool) {
	if o.status == nil {
		return StatusReference{}, false
	}
	return parseStatusReference(o.status)
}

func parseStatusReference(value []byte) (r StatusReference, ok bool) {
	v := cryptobyte.String(value)
	var content, list cryptobyte.String
	var index uint64
	if !v.ReadASN1(&content, tags.SEQUENCE) || !v.Empty() || !content.ReadASN1(&list, tags.IA5String) ||
		!content.ReadASN1Integer(&index) || !content.Empty() || index > 1<<32-1 {
		return StatusReference{}, false
	}
	r = StatusReference{string(list), uint32(index)}
	if !r.valid() {
		return StatusReference{}, false
	}
	return r, true
}
