package pki

import (
	"testing"

	"github.com/tamthe/tamthe/card/cert"
)

// Everything that a judgement rests on changes the digest, and nothing else does.
func TestDigest(t *testing.T) {
	one, two := newCSCA(t, "CSCA", nil), newCSCA(t, "CSCA 2", nil)
	crl := newCRL(t, one, nil)
	plain := func(c ...*cert.Certificate) []Material {
		var list []Material
		for _, c := range c {
			list = append(list, Material{Cert: c, Source: "a"})
		}
		return list
	}
	both := NewStore(plain(one.cert, two.cert), []*cert.CRL{crl}, []Issuer{{Country: "UT"}})
	same := NewStore([]Material{{Cert: two.cert, Source: "b"}, {Cert: one.cert, Source: "c"}, {Cert: two.cert}}, []*cert.CRL{crl, crl}, []Issuer{{Country: "UT"}})
	if both.Digest() != same.Digest() {
		t.Error("order, repetition or source counts")
	}
	for what, s := range map[string]*Store{
		"nothing":          NewStore(nil, nil, nil),
		"a certificate":    NewStore(plain(one.cert), []*cert.CRL{crl}, []Issuer{{Country: "UT"}}),
		"a list":           NewStore(plain(one.cert, two.cert), nil, []Issuer{{Country: "UT"}}),
		"another list":     NewStore(plain(one.cert, two.cert), []*cert.CRL{newCRL(t, one, nil)}, []Issuer{{Country: "UT"}}),
		"no issuer":        NewStore(plain(one.cert, two.cert), []*cert.CRL{crl}, nil),
		"a milder issuer":  NewStore(plain(one.cert, two.cert), []*cert.CRL{crl}, []Issuer{{Country: "UT", CRL: None}}),
		"a pinned issuer":  NewStore(plain(one.cert, two.cert), []*cert.CRL{crl}, []Issuer{{Country: "UT", Anchors: [][32]byte{{1}}}}),
		"a mark of a test": NewStore([]Material{{Cert: one.cert, Specimen: true}, {Cert: two.cert}}, []*cert.CRL{crl}, []Issuer{{Country: "UT"}}),
	} {
		if s.Digest() == both.Digest() {
			t.Errorf("%s: the digest is that of the whole", what)
		}
	}
}
