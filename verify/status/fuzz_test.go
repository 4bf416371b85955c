package status

import (
	"bytes"
	"testing"

	"golang.org/x/crypto/cryptobyte"
)

var goldenNames = []string{"index", "index-delta", "filter", "exact", "exact-delta"}

// FuzzParse: whatever the octets, a list is refused or is one that was signed.
func FuzzParse(f *testing.F) {
	for _, name := range goldenNames {
		f.Add(golden(f, name))
	}
	pinned := specimenPins(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := open(b)
		if err == nil { // the header is written as it was read
			var w cryptobyte.Builder
			e.header.marshal(&w)
			if !bytes.HasPrefix(b, w.BytesOrPanic()) {
				t.Error("the header is another one")
			}
		}
		l, err := Parse(b, pinned)
		if err == nil && l.payload == nil || err != nil && l != nil {
			t.Errorf("%v and %v", l, err)
		}
	})
}

// FuzzPayload: a payload is refused or means what it says.
func FuzzPayload(f *testing.F) {
	for _, name := range goldenNames {
		e, err := open(golden(f, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(e.header.Sort), []byte(e.payload))
	}
	f.Fuzz(func(t *testing.T, sort uint8, b []byte) {
		s := Sort(sort)
		if !s.valid() {
			return
		}
		p, err := decode(s, b)
		if err != nil {
			return
		}
		if !bytes.Equal(encode(p), b) {
			t.Error("written otherwise than it was read")
		}
		if x, ok := p.(*indexes); ok && !x.inverse {
			for _, list := range x.all() {
				for _, v := range list {
					if x.state(v) == Unknown {
						t.Errorf("%d is a member and unknown", v)
					}
				}
			}
		}
	})
}
