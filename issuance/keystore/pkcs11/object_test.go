//go:build cgo && !nopkcs11

package pkcs11

import (
	"bytes"
	"crypto/ed25519"
	"encoding/asn1"
	"errors"
	"testing"

	p11 "github.com/miekg/pkcs11"

	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/issuance/keystore"
)

// TestParsePoint: what modules give for a point, and what is none.
func TestParsePoint(t *testing.T) {
	key := must(dh.BrainpoolP256r1().Generate())(t)
	params := must(asn1.Marshal(dh.BrainpoolP256r1().OID()))(t)
	point := key.Point().Bytes()
	wrapped := append([]byte{4, byte(len(point))}, point...)
	for _, encoded := range [][]byte{wrapped, point} {
		if pub, err := parsePoint(p11.CKK_EC, params, encoded); err != nil || !key.Point().Equal(pub) {
			t.Errorf("%x: %v", encoded, err)
		}
	}
	ed := make([]byte, 32)
	for _, p := range edwardsParams() {
		if pub, err := parsePoint(keyEdwards, p, append([]byte{4, 32}, ed...)); err != nil || !bytes.Equal(pub.(ed25519.PublicKey), ed) {
			t.Error(err)
		}
	}
	off := bytes.Clone(point)
	off[len(off)-1] ^= 1
	for what, c := range map[string]struct {
		kind            uint
		params, encoded []byte
	}{
		"off the curve":        {p11.CKK_EC, params, off},
		"cut":                  {p11.CKK_EC, params, wrapped[:60]},
		"compressed":           {p11.CKK_EC, params, append([]byte{2}, point[1:33]...)},
		"nothing":              {p11.CKK_EC, params, nil},
		"no curve":             {p11.CKK_EC, nil, wrapped},
		"explicit parameters":  {p11.CKK_EC, []byte{0x30, 0}, wrapped},
		"an unknown curve":     {p11.CKK_EC, []byte{6, 3, 0x2B, 0x65, 0x70}, wrapped},
		"a kind without curve": {p11.CKK_RSA, params, wrapped},
		"Ed448":                {keyEdwards, []byte{6, 3, 0x2B, 0x65, 0x71}, ed},
		"31 octets":            {keyEdwards, edwardsParams()[0], ed[1:]},
	} {
		if pub, err := parsePoint(c.kind, c.params, c.encoded); !errors.Is(err, keystore.ErrFormat) || pub != nil {
			t.Errorf("%s: %v, %v", what, pub, err)
		}
	}
}

func FuzzParsePoint(f *testing.F) {
	params, err := asn1.Marshal(dh.P256().OID())
	if err != nil {
		f.Fatal(err)
	}
	key, err := dh.P256().Generate()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint(p11.CKK_EC), params, key.Point().Bytes())
	f.Add(uint(keyEdwards), edwardsParams()[1], make([]byte, 32))
	f.Fuzz(func(t *testing.T, kind uint, params, encoded []byte) {
		if pub, err := parsePoint(kind, params, encoded); (err == nil) == (pub == nil) {
			t.Errorf("%v, %v", pub, err)
		}
	})
}
