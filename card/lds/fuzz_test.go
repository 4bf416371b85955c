package lds

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
)

// checkError ends the test if a parser fails otherwise than by an *Error of its file.
func checkError(t *testing.T, f File, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.File != f {
		t.Fatalf("%v: %v", f, err)
	}
}

func FuzzParseCOM(f *testing.F) {
	f.Add(EncodeCOM(Common{"0107", "040000", []File{DG1, DG2, DG14}, nil}))
	f.Add([]byte("\x60\x18\x5F\x01\x040107\x5F\x36\x06040000\x5C\x06\x61\x75\x61\x77\x6E\x42"))
	f.Fuzz(func(t *testing.T, b []byte) {
		com, err := ParseCOM(b)
		if err != nil {
			checkError(t, COM, err)
			return
		}
		again, err := ParseCOM(EncodeCOM(*com))
		if err != nil || !slices.Equal(again.Groups, com.Groups) || again.Version != com.Version || again.Unicode != com.Unicode {
			t.Fatalf("%+v comes back as %+v, %v", com, again, err)
		}
	})
}

func FuzzParseDG1(f *testing.F) {
	f.Add([]byte("\x61\x5D\x5F\x1F\x5AI<UTOD231458907<<<<<<<<<<<<<<<7408122F1204159UTO<<<<<<<<<<<6ERIKSSON<<ANNA<MARIA<<<<<<<<<<"))
	f.Add([]byte("\x61\x4B\x5F\x1F\x48I<UTOSTEVENSON<<PETER<<JOHN<<<<<<<<<D23145890<UTO3407127M95071227349<<<8"))
	f.Fuzz(func(t *testing.T, b []byte) {
		checkQuickDG1(t, b)
		m, err := ParseDG1(b)
		if err != nil {
			checkError(t, DG1, err)
			return
		}
		if again, err := ParseDG1(EncodeDG1(m)); err != nil || !reflect.DeepEqual(again, m) || !bytes.Contains(b, []byte(m.Text())) {
			t.Fatalf("%+v comes back as %+v, %v", m, again, err)
		}
	})
}

func FuzzParseDG2(f *testing.F) {
	face := Face{Image: []byte{0xFF, 0xD8, 0xFF}, Width: 1, Height: 1, Record: &FaceRecord{Points: make([]FeaturePoint, 2)}}
	for _, faces := range [][]Face{{face}, {face, {Image: []byte{1}, Coding: JPEG2000, Width: 2, Height: 3}}} {
		raw, err := EncodeDG2(faces...)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte("\x75\x21\x7F\x61\x1E\x02\x01\x01\x7F\x60\x18\xA1\x00\x7F\x2E\x13\xA1\x11\x65\x0F\xA1\x0D0\x0B\xA1\x09\xA0\x07\xA0\x05\x80\x03\xFF\xD8\xFF"))
	f.Fuzz(func(t *testing.T, b []byte) {
		checkQuickDG2(t, b)
		faces, err := ParseDG2(b)
		if err != nil {
			checkError(t, DG2, err)
			return
		}
		for _, face := range faces {
			if !bytes.Contains(b, face.Image) {
				t.Fatal("an image that is not in the file")
			}
			raw, err := EncodeDG2(face)
			if err != nil {
				continue // of no size, or in a coding that is not known
			}
			if face.Record == nil { // of ISO/IEC 39794-5
				face.Record = &fullFrontal
			}
			if back, err := ParseDG2(raw); err != nil || !reflect.DeepEqual(back[0], face) {
				t.Fatal("a face comes back otherwise")
			}
		}
	})
}

func FuzzParseDG12(f *testing.F) {
	f.Add(EncodeDG12([]Detail{{TagIssued, []byte("20261125")}, {0xA0, []byte{2, 1, 1}}}))
	f.Add([]byte("\x6C\x0A\x5C\x02\x5F\x26\x5F\x26\x04\x20\x26\x11\x25"))
	f.Fuzz(func(t *testing.T, b []byte) {
		details, err := ParseDG12(b)
		if err != nil {
			checkError(t, DG12, err)
			return
		}
		if s, ok := IssueDate(details); ok && len(s) != 8 {
			t.Fatalf("issued on %q", s)
		}
		if again, err := ParseDG12(EncodeDG12(details)); err != nil || !slices.EqualFunc(again, details, func(a, b Detail) bool { return a.Tag == b.Tag && bytes.Equal(a.Value, b.Value) }) {
			t.Fatalf("%v comes back as %v, %v", details, again, err)
		}
	})
}

// seedKey is a fixed key, so that seeds are the same every time.
func seedKey(f *testing.F, c *dh.Curve) cert.PublicKey {
	f.Helper()
	scalar := make([]byte, c.OrderSize())
	scalar[len(scalar)-1] = 7
	k, err := c.NewPrivateKey(scalar)
	if err != nil {
		f.Fatal(err)
	}
	key, err := cert.NewPublicKey(k.Point())
	if err != nil {
		f.Fatal(err)
	}
	return key
}

func FuzzParseSecurityInfos(f *testing.F) {
	key := seedKey(f, dh.BrainpoolP256r1())
	set, err := EncodeSecurityInfos(SecurityInfos{
		PACE:     []PACEInfo{{arc(arc(oidPACE, 2), 2), 2, 13}},
		Chip:     []ChipAuthInfo{{OID: arc(arc(oidChip, 2), 2), Version: 1}},
		ChipKeys: []ChipAuthPublicKey{{OID: arc(oidPublic, 2), Key: key}, {OID: arc(oidPublic, 2), Key: key, Standardised: true}},
		Terminal: []TerminalAuthInfo{{OID: oidTerminal, Version: 1, CVCA: []byte{0x30, 0x04, 0x04, 0x02, 0x01, 0x1C}}},
		Active:   []ActiveAuthInfo{{1, oidActive}},
		Unknown:  [][]byte{{0x05, 0x00}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(set)
	f.Add([]byte("\x31\x0f0\r\x06\x08\x04\x00\x7f\x00\x07\x02\x02\x02\x02\x01\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		checkQuickDG14(t, b)
		checkQuickDG14(t, tlv.Encode(DG14.Tag(), b))
		infos, err := ParseCardAccess(b)
		if err != nil {
			checkError(t, CardAccess, err)
			return
		}
		if !bytes.HasPrefix(b, infos.Raw) || len(infos.Raw)+infos.Trailing != len(b) {
			t.Fatal("Raw is not the SET")
		}
		for _, k := range infos.ChipAuthKeys() {
			if k.Public == nil {
				t.Fatal("a key that can't be used")
			}
		}
		set, err := EncodeSecurityInfos(*infos)
		if err != nil {
			return // a key that can't be used
		}
		again, err := ParseCardAccess(set)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := EncodeSecurityInfos(*again); err != nil || !bytes.Equal(set, twice) {
			t.Fatalf("%X comes back as %X, %v", set, twice, err)
		}
	})
}

func FuzzParseDG15(f *testing.F) {
	raw, err := EncodeDG15(seedKey(f, dh.P256()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, b []byte) {
		key, err := ParseDG15(b)
		if err != nil {
			checkError(t, DG15, err)
		} else if key.EC == nil && key.RSA == nil {
			t.Fatal("no key and no error")
		}
	})
}
