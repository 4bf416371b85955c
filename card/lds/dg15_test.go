package lds

import (
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
)

func TestDG15(t *testing.T) {
	for _, c := range []*dh.Curve{dh.P256(), dh.P384(), dh.BrainpoolP256r1()} {
		k, err := c.Generate()
		if err != nil {
			t.Fatal(err)
		}
		key, err := cert.NewPublicKey(k.Point())
		if err != nil {
			t.Fatal(err)
		}
		raw, err := EncodeDG15(key)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := ParseDG15(raw); err != nil || !back.Equal(key) {
			t.Errorf("%s: %v", c.Name(), err)
		}
		off := append([]byte(nil), raw...)
		off[len(off)-1] ^= 1
		var e *Error
		for name, bad := range map[string][]byte{
			"off the curve": off, "cut": raw[:len(raw)-1], "something behind": append(raw, 1), "nothing": nil,
			"another tag": append([]byte{0x6E}, raw[1:]...), "two keys": tlv.Encode(DG15.Tag(), raw[2:], raw[2:]),
		} {
			if back, err := ParseDG15(bad); !errors.As(err, &e) || e.File != DG15 || back.EC != nil {
				t.Errorf("%s: %s: %v", c.Name(), name, err)
			}
		}
		if _, err := ParseDG15(off); !errors.Is(err, cert.ErrKey) {
			t.Errorf("%s: a point off the curve: %v", c.Name(), err)
		}
	}
	if _, err := EncodeDG15(cert.PublicKey{}); err == nil {
		t.Error("no key is written")
	}
}
