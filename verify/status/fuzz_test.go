package status

import (
	"bytes"
	"crypto/sha256"
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
		if h, err := ParseHead(b, pinned); err == nil && h.Base == 0 {
			t.Error("a head of no snapshot")
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

// FuzzPatch: a patch is refused, or makes of a list one that says the same by the walk as by
// look-up.
func FuzzPatch(f *testing.F) {
	an := newAuthority(f)
	before, after := Indexes{Active: {1, 2, 3}, Revoked: {9}}, Indexes{Active: {1, 3, 7}, Revoked: {2, 9}}
	base, octets := an.parse(f, an.index(f, 1, before)), an.index(f, 2, after)
	patch, err := MakePatch(base, an.parse(f, octets), octets)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(patch)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParsePatch(b)
		if err != nil {
			return
		}
		n := 0
		for w := p.changed.cards(); n < 1000; n++ {
			v, s := w.next()
			if v == none {
				break
			}
			if p.changed.state(uint32(v)) != s {
				t.Errorf("%d is %s", v, s)
			}
		}
		p.Base = base.Digest
		if list, err := Apply(base, p); err == nil && sha256.Sum256(list) != p.Target {
			t.Error("it made another list")
		}
	})
}
