package lds

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/testdata"
)

func fromHex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFiles(t *testing.T) {
	for _, f := range Files() {
		if got, ok := ByName(strings.ToLower(f.FileName())); !ok || got != f {
			t.Errorf("%s is found as %v", f.FileName(), got)
		}
	}
	if Group(13) != DG13 || Group(0) != 0 || Group(17) != 0 || DG13.FID() != 0x010D || SODFile.SFI() != 0x1D {
		t.Error("a file has the wrong number")
	}
	if File(0).FID() != 0 || File(200).Name() == "" {
		t.Error("no file is a file")
	}
}

func TestSecurityInfosVectors(t *testing.T) {
	var f struct {
		Cases []struct {
			ID, File string
			Infos    []struct{ OID, Raw string }
		}
	}
	if err := json.Unmarshal(testdata.Vectors(t, "lds/security-infos.json"), &f); err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Cases {
		raw := fromHex(t, c.File)
		infos, err := ParseCardAccess(raw)
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
			continue
		}
		n := len(infos.PACE) + len(infos.Chip) + len(infos.ChipKeys) + len(infos.Active) + len(infos.Terminal) + len(infos.Unknown)
		if len(c.Infos) > 0 && n != len(c.Infos) {
			t.Errorf("%s: %d entries, want %d", c.ID, n, len(c.Infos))
		}
		if trailing := strings.Contains(c.ID, "trailing"); trailing != (infos.Trailing > 0) {
			t.Errorf("%s: %d octets behind it", c.ID, infos.Trailing)
		}
		if _, err := ParseCardAccess(raw[:len(raw)-infos.Trailing-1]); err == nil {
			t.Errorf("%s cut short is taken", c.ID)
		}
	}
}

// The EF.CardAccess of Vietnamese cards, byte for byte.
func TestCardAccessVietnam(t *testing.T) {
	want := fromHex(t, "3134300D060804007F0007020202020101300F060A04007F000702020302020201013012060A04007F0007020204020202010202010D")
	arcs := func(more ...int) asn1.ObjectIdentifier {
		return append(asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2}, more...)
	}
	infos := SecurityInfos{
		Terminal: []TerminalAuthInfo{{arcs(2), 1}},
		Chip:     []ChipAuthInfo{{OID: arcs(3, 2, 2), Version: 1}},
		PACE:     []PACEInfo{{arcs(4, 2, 2), 2, 13}},
	}
	got, err := EncodeSecurityInfos(infos)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%X, %v", got, err)
	}
	back, err := ParseCardAccess(got)
	if err != nil || len(back.PACE) != 1 || back.PACE[0].ParameterID != 13 || len(back.Unknown) != 0 {
		t.Errorf("%+v, %v", back, err)
	}
}

func TestDG14RoundTrip(t *testing.T) {
	k, _ := dh.BrainpoolP256r1().Generate()
	key, err := cert.NewPublicKey(k.Point())
	if err != nil {
		t.Fatal(err)
	}
	in := SecurityInfos{
		Chip:     []ChipAuthInfo{{arc(arc(oidChip, 2), 2), 1, big.NewInt(7)}, {arc(arc(oidChip, 2), 4), 1, nil}},
		ChipKeys: []ChipAuthPublicKey{{OID: arc(oidPublic, 2), Key: key, KeyID: big.NewInt(7)}},
		Active:   []ActiveAuthInfo{{1, asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 3}}},
		PACE:     []PACEInfo{{arc(arc(oidPACE, 2), 2), 2, NoParameter}},
	}
	raw, err := EncodeDG14(in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := ParseDG14(raw)
	if err != nil {
		t.Fatal(err)
	}
	keys := out.ChipAuthKeys()
	if len(keys) != 1 || !keys[0].Public.Equal(k.Point()) || keys[0].KeyID.Int64() != 7 {
		t.Errorf("keys: %v", keys)
	}
	again, err := EncodeDG14(*out)
	if err != nil || !bytes.Equal(raw, again) {
		t.Error("encoding what was read gives other octets")
	}
}

func TestSpecimens(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join(testdata.Dir(t), "lds", "*", "DG*.bin"))
	if err != nil || len(dirs) == 0 {
		t.Fatal("no specimens")
	}
	for _, path := range dirs {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(filepath.Base(filepath.Dir(path)), filepath.Base(path))
		f, ok := ByName(filepath.Base(path))
		if !ok {
			continue
		}
		switch f {
		case DG1:
			m, err := ParseDG1(raw)
			if err != nil || !bytes.Equal(EncodeDG1(m), raw) {
				t.Errorf("%s comes back otherwise: %v", name, err)
			} else if odd := len(m.Findings) > 0; odd != bytes.Contains(raw, []byte("null")) { // a nationality in small letters
				t.Errorf("%s: %v", name, m.Findings)
			}
		case DG2:
			faces, err := ParseDG2(raw)
			if err != nil || len(faces) != 1 {
				t.Errorf("%s: %d faces, %v", name, len(faces), err)
				continue
			}
			if c, w, h := Picture(faces[0].Image); c != faces[0].Coding && w*h != 0 {
				t.Errorf("%s: %v of %d by %d, declared %v", name, c, w, h, faces[0].Coding)
			}
		case DG14:
			if _, err := ParseDG14(raw); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case DG15:
			if _, err := ParseDG15(raw); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestSingleFiles(t *testing.T) {
	var f struct {
		Cases []struct{ ID, File, LDS, Unicode string }
	}
	if err := json.Unmarshal(testdata.Vectors(t, "lds/single-files.json"), &f); err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Cases {
		raw := fromHex(t, c.File)
		switch {
		case strings.HasPrefix(c.ID, "com"):
			com, err := ParseCOM(raw)
			if err != nil || com.Version != c.LDS || com.Unicode != c.Unicode || !bytes.Equal(EncodeCOM(*com), raw) {
				t.Errorf("%s: %+v, %v", c.ID, com, err)
			}
		case c.ID == "dg12":
			details, err := ParseDG12(raw)
			if err != nil || len(details) != 2 || !bytes.Equal(EncodeDG12(details), raw) {
				t.Errorf("%s: %v, %v", c.ID, details, err)
			}
		case c.ID == "dg1-td2":
			if m, err := ParseDG1(raw); err != nil || m.Format != mrz.TD2 {
				t.Errorf("%s: %v", c.ID, err)
			}
		}
	}
}

func TestDG2(t *testing.T) {
	img := bytes.Repeat([]byte{0xFF, 0xD8, 0xFF, 0xE0}, 5000)
	raw, err := EncodeDG2(Face{Image: img, Coding: JPEG, Width: 480, Height: 640})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(raw) - len(img); n != 84 { // vietnam-style: 84 octets stand before the image
		t.Errorf("%d octets stand before the image", n)
	}
	faces, err := ParseDG2(raw)
	if err != nil || len(faces) != 1 || !bytes.Equal(faces[0].Image, img) || faces[0].Width != 480 {
		t.Fatal(err)
	}
	for i := range 84 { // lying lengths and counts end in an error or in a part of the file
		for _, v := range []byte{0x00, 0x7F, 0x80, 0xFF} {
			bad := bytes.Clone(raw)
			bad[i] = v
			if faces, err := ParseDG2(bad); err == nil && len(faces[0].Image) > len(img) {
				t.Errorf("octet %d = %02X: an image of %d octets", i, v, len(faces[0].Image))
			}
		}
	}
	var e *Error
	if _, err := ParseDG2(raw[:100]); !errors.As(err, &e) || e.File != DG2 {
		t.Error(err)
	}
}

// A picture that declares more pixels than are decoded costs nothing.
func TestPortraitBomb(t *testing.T) {
	bomb := fromHex(t, "FFD8FFC0000B08FFFFFFFF01011100FFDA")
	if _, err := DecodePicture(bomb); !errors.Is(err, ErrPicture) {
		t.Error(err)
	}
}

func TestIssueDate(t *testing.T) {
	for _, v := range [][]byte{[]byte("20261125"), {0x20, 0x26, 0x11, 0x25}} {
		if s, ok := IssueDate([]Detail{{TagIssued, v}}); !ok || s != "20261125" {
			t.Errorf("%X gives %q", v, s)
		}
	}
	if _, ok := IssueDate([]Detail{{TagIssued, []byte{0x2A, 0, 0, 0}}}); ok {
		t.Error("2A is BCD")
	}
}

func FuzzParsers(f *testing.F) {
	raw, _ := EncodeDG2(Face{Image: []byte{0xFF, 0xD8, 0xFF}, Width: 1, Height: 1})
	f.Add(raw)
	f.Add(EncodeCOM(Common{"0107", "040000", []File{DG1, DG2}, nil}))
	f.Add(EncodeDG12([]Detail{{TagIssued, []byte("20261125")}}))
	f.Add([]byte("\x31\x0f0\r\x06\x08\x04\x00\x7f\x00\x07\x02\x02\x02\x02\x01\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = ParseCOM(b)
		_, _ = ParseDG1(b)
		if faces, err := ParseDG2(b); err == nil {
			for _, face := range faces {
				if len(face.Image) > len(b) {
					t.Fatal("an image larger than the file")
				}
				Picture(face.Image)
			}
		}
		_, _ = ParseDG12(b)
		_, _ = ParseDG14(b)
		_, _ = ParseDG15(b)
		if infos, err := ParseSecurityInfos(b); err == nil {
			infos.ChipAuthKeys()
		}
		Picture(b)
	})
}
