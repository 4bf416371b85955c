package lds

import (
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu/tlv"
)

func TestDG1Refuses(t *testing.T) {
	zone := "I<UTOD231458907<<<<<<<<<<<<<<<7408122F1204159UTO<<<<<<<<<<<6ERIKSSON<<ANNA<MARIA<<<<<<<<<<"
	wrap := func(parts ...[]byte) []byte { return tlv.Encode(DG1.Tag(), parts...) }
	object := func(s string) []byte { return tlv.Encode(tagMRZ, []byte(s)) }
	if m, err := ParseDG1(wrap(object(zone))); err != nil || len(m.Findings) > 0 {
		t.Error(err)
	}
	for name, raw := range map[string][]byte{
		"nothing": nil, "no zone": wrap(), "two zones": wrap(object(zone), object(zone)), "short": wrap(object(zone[1:])),
		"line ends": wrap(object(zone[:30] + "\n" + zone[30:])), "another tag": tlv.Encode(DG2.Tag(), object(zone)),
		"something behind": append(wrap(object(zone)), 0x61), "cut": wrap(object(zone))[:50],
	} {
		var e *Error
		if _, err := ParseDG1(raw); !errors.As(err, &e) || e.File != DG1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
