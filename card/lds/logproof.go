package lds

import (
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cms"
)

// LogProof says that a security object stands in a public log: it was logged before it was
// signed, and whoever signs with a stolen key cannot make one up. It is a signed attribute
// of the SODs that tamthe issues, which other readers hash and pass over:
//
//	LogProof ::= SEQUENCE {
//	  leaf  OCTET STRING (SIZE (1..4096)),
//	  proof OCTET STRING (SIZE (1..8192)) }
//
// The leaf is that of the act which prepared the card, and names the SHA-256 of the
// LDSSecurityObject. The proof leads from the leaf to a checkpoint of the log and holds
// the signatures under it. This package looks into neither.
type LogProof struct{ Leaf, Proof []byte }

// The largest leaf and proof in octets. A proof has 63 hashes and a dozen signatures at
// the most.
const (
	MaxLogLeaf  = 4096
	MaxLogProof = 8192
)

// OIDLogProof is made of the UUID a3127571-a290-4a6f-ba0b-d9d2714a2493 in the same way as
// [OIDStatusReference].
var OIDLogProof = asn1.ObjectIdentifier{
	1, 2, 840, 113556, 1, 8000, 2554, 41746, 30065, 41616, 19055, 47627, 14275185, 4859027,
}

func (p LogProof) valid() bool {
	return len(p.Leaf) > 0 && len(p.Leaf) <= MaxLogLeaf && len(p.Proof) > 0 && len(p.Proof) <= MaxLogProof
}

// Attribute encodes p. Errors wrap ErrSecurityObject.
func (p LogProof) Attribute() (cms.Attribute, error) {
	if !p.valid() {
		return cms.Attribute{}, badObject("a leaf of %d and a proof of %d octets", len(p.Leaf), len(p.Proof))
	}
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1OctetString(p.Leaf)
		b.AddASN1OctetString(p.Proof)
	})
	value, err := b.Bytes()
	if err != nil {
		return cms.Attribute{}, badObject("%v", err)
	}
	return cms.Attribute{Type: OIDLogProof, Values: [][]byte{value}}, nil
}

// LogProof returns the signed attribute. present tells whether there is any of its type,
// ok whether it is one and well formed: a malformed proof is not the same as none. It
// proves nothing before the signature verifies, and little before the proof does.
func (s *SOD) LogProof() (p LogProof, present, ok bool) {
	signer, err := s.Signer()
	if err != nil {
		return LogProof{}, false, false
	}
	for _, a := range signer.Attributes {
		present = present || a.Type.Equal(OIDLogProof)
	}
	value, one := signer.Attribute(OIDLogProof)
	if !one {
		return LogProof{}, present, false
	}
	p, ok = parseLogProof(value)
	return p, true, ok
}

func parseLogProof(value []byte) (LogProof, bool) {
	v := cryptobyte.String(value)
	var content, leaf, proof cryptobyte.String
	if !v.ReadASN1(&content, tags.SEQUENCE) || !v.Empty() || !content.ReadASN1(&leaf, tags.OCTET_STRING) ||
		!content.ReadASN1(&proof, tags.OCTET_STRING) || !content.Empty() {
		return LogProof{}, false
	}
	p := LogProof{leaf, proof}
	if !p.valid() {
		return LogProof{}, false
	}
	return p, true
}
