package tlv_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/testdata"
)

type vector struct {
	ID, Hex, Rule string
	Valid         bool
	Tree          [][2]string
}

func vectors(t testing.TB) []vector {
	t.Helper()
	var v struct{ Cases []vector }
	if err := json.Unmarshal(testdata.Read(t, "tlv/tlv.json"), &v); err != nil {
		t.Fatal(err)
	}
	return v.Cases
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// whole says whether b is a sequence of objects with filler.
func whole(b []byte) bool {
	s := tlv.String(b)
	var tag tlv.Tag
	var value tlv.String
	for s.SkipFiller(); !s.Empty(); s.SkipFiller() {
		if !s.Read(&tag, &value) {
			return false
		}
	}
	return true
}

func TestVectors(t *testing.T) {
	for _, c := range vectors(t) {
		if c.Rule != "ber-tlv" {
			continue
		}
		// Doc 9303-10 gives DG12 the tag 5F1E, which ISO/IEC 7816-4 would not allow.
		if c.ID == "tag-low-as-high" {
			c.Valid = true
		}
		if got := whole(unhex(t, c.Hex)); got != c.Valid {
			t.Errorf("%s: %v", c.ID, got)
		}
		s := tlv.String(unhex(t, c.Hex))
		for _, node := range c.Tree {
			var tag tlv.Tag
			var value tlv.String
			if !s.Read(&tag, &value) || tag.String() != node[0] || hex.EncodeToString(value) != node[1] {
				t.Errorf("%s: %v %x", c.ID, tag, value)
			}
		}
	}
}

func TestHeader(t *testing.T) {
	for _, c := range []struct {
		in            string
		tag           tlv.Tag
		header, value int
		err           error
	}{
		{"7582015A", 0x75, 4, 0x15A, nil}, // a DG2's first octets
		{"6F00", 0x6F, 2, 0, nil},
		{"5F0104", 0x5F01, 3, 4, nil}, // LDS version, Doc 9303-10
		{"5F0E05", 0x5F0E, 3, 5, nil}, // name, DG11
		{"7F6182FFFF", 0x7F61, 5, 0xFFFF, nil},
		{"7F818205", 0, 0, 0, tlv.ErrMalformed},
		{"7F810105", 0x7F8101, 4, 5, nil},
		{"0484000000FF", 0x04, 6, 255, nil},
		{"0484" + "00FFFFFF", 0x04, 6, tlv.MaxLength, nil},
		{"0484" + "01000000", 0, 0, 0, tlv.ErrMalformed},
		{"0484" + "FFFFFFFF", 0, 0, 0, tlv.ErrMalformed},
		{"0485" + "0000000001", 0, 0, 0, tlv.ErrMalformed},
		{"0480", 0, 0, 0, tlv.ErrMalformed},
		{"04FF", 0, 0, 0, tlv.ErrMalformed},
		{"0001", 0, 0, 0, tlv.ErrMalformed},
		{"FF01", 0, 0, 0, tlv.ErrMalformed},
		{"5F8001", 0, 0, 0, tlv.ErrMalformed},
		{"", 0, 0, 0, tlv.ErrShort},
		{"5F", 0, 0, 0, tlv.ErrShort},
		{"7F81", 0, 0, 0, tlv.ErrShort},
		{"04", 0, 0, 0, tlv.ErrShort},
		{"0482", 0, 0, 0, tlv.ErrShort},
		{"048201", 0, 0, 0, tlv.ErrShort},
	} {
		tag, header, value, err := tlv.Header(unhex(t, c.in))
		if tag != c.tag || header != c.header || value != c.value || !errors.Is(err, c.err) {
			t.Errorf("%s: %v %d %d %v", c.in, tag, header, value, err)
		}
	}
}

func TestString(t *testing.T) {
	in := unhex(t, "8001AA"+"5F1F021122"+"00"+"7F490104")
	s := tlv.String(in)
	var tag tlv.Tag
	var v tlv.String
	if s.ReadTag(0x81, &v) || len(s) != len(in) {
		t.Error("the wrong tag was taken")
	}
	if got, ok := s.Peek(); !ok || got != 0x80 {
		t.Error("peek:", got, ok)
	}
	if !s.ReadTag(0x80, &v) || !bytes.Equal(v, []byte{0xAA}) {
		t.Errorf("%X", v)
	}
	if !s.ReadObject(&tag, &v) || tag != 0x5F1F || !bytes.Equal(v, in[3:8]) {
		t.Errorf("%v %X", tag, v)
	}
	if s.Read(&tag, &v) || tag != 0x5F1F {
		t.Error("filler was read as an object")
	}
	s.SkipFiller()
	if !s.Read(&tag, &v) || tag != 0x7F49 || !s.Empty() || s.Read(&tag, &v) {
		t.Error(tag, s)
	}
	if _, ok := s.Peek(); ok {
		t.Error("peek at the end")
	}
	// Appending to a value must not write into what follows it.
	s = tlv.String(in)
	s.Read(&tag, &v)
	if _ = append(v, 0xEE); in[3] != 0x5F {
		t.Error("a value has room behind it")
	}
}

func TestFind(t *testing.T) {
	b := unhex(t, "8001AA"+"300381017F"+"8101BB"+"8101CC"+"04")
	if v, ok := tlv.Find(b, 0x81); !ok || !bytes.Equal(v, []byte{0xBB}) {
		t.Errorf("%X %v", v, ok)
	}
	if _, ok := tlv.Find(b, 0x04); ok {
		t.Error("found a cut object")
	}
	if _, ok := tlv.Find(unhex(t, "04018101"), 0x81); ok {
		t.Error("found inside a value")
	}
}

func TestAppend(t *testing.T) {
	for _, c := range []struct {
		tag    tlv.Tag
		n      int
		header string
	}{
		{0x80, 0, "8000"},
		{0x30, 127, "307F"},
		{0x30, 128, "308180"},
		{0x5F1F, 255, "5F1F81FF"},
		{0x7F61, 256, "7F61820100"},
		{0x7F8101, 65535, "7F810182FFFF"},
		{0x75, 65536, "7583010000"},
	} {
		value := bytes.Repeat([]byte{0x5A}, c.n)
		want := append(unhex(t, c.header), value...)
		if got := tlv.Append([]byte{1}, c.tag, value); !bytes.Equal(got[1:], want) || got[0] != 1 {
			t.Errorf("%v with %d octets: %.8X", c.tag, c.n, got)
		}
		if got := tlv.Encode(c.tag, value[:c.n/2], nil, value[c.n/2:]); !bytes.Equal(got, want) {
			t.Errorf("%v with %d octets: %.8X", c.tag, c.n, got)
		}
	}
}

func TestTag(t *testing.T) {
	for tag, want := range map[tlv.Tag]string{0x02: "02", 0x30: "30", 0x5F01: "5F01", 0x7F8101: "7F8101"} {
		if tag.String() != want {
			t.Error(tag)
		}
	}
	for tag, want := range map[tlv.Tag]bool{0x04: false, 0x30: true, 0x5F2E: false, 0x7F61: true, 0x7F8101: true, 0x5F2020: false} {
		if tag.Constructed() != want {
			t.Error(tag)
		}
	}
}

// FuzzRead: what is read is inside the input and, written again, reads the same.
func FuzzRead(f *testing.F) {
	for _, c := range vectors(f) {
		f.Add(unhex(f, c.Hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := tlv.String(b)
		var tag, again tlv.Tag
		var value, back tlv.String
		for !s.Empty() {
			before := len(s)
			object := s
			if !s.Read(&tag, &value) {
				if len(s) != before {
					t.Fatal("a failed read took something")
				}
				break
			}
			if len(s) >= before {
				t.Fatal("no progress")
			}
			encoded := tlv.String(tlv.Encode(tag, value))
			if len(encoded) > before-len(s) || !encoded.Read(&again, &back) || again != tag || !bytes.Equal(back, value) || !encoded.Empty() {
				t.Fatalf("%v %X became %v %X", tag, value, again, back)
			}
			if found, ok := tlv.Find(object, tag); !ok || !bytes.Equal(found, value) {
				t.Fatal("not found")
			}
		}
	})
}

// FuzzHeader: a header needs no more octets than it has, and more never change it.
func FuzzHeader(f *testing.F) {
	for _, c := range vectors(f) {
		f.Add(unhex(f, c.Hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tag, header, length, err := tlv.Header(b)
		if err != nil {
			if !errors.Is(err, tlv.ErrShort) && !errors.Is(err, tlv.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if header > 8 || header > len(b) || length > tlv.MaxLength {
			t.Fatal(header, length)
		}
		tag2, header2, length2, err := tlv.Header(b[:header])
		if err != nil || tag2 != tag || header2 != header || length2 != length {
			t.Fatal(tag2, header2, length2, err)
		}
		if _, _, _, err := tlv.Header(b[:header-1]); !errors.Is(err, tlv.ErrShort) {
			t.Fatal("less is enough:", err)
		}
	})
}
