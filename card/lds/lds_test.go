package lds

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu/tlv"
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

func TestCOM(t *testing.T) {
	raw := fromHex(t, "60185F0104303130375F36063034303030305C06617561776E42")
	com, err := ParseCOM(raw)
	if err != nil || !slices.Equal(com.Groups, []File{DG1, DG2, DG14}) || !slices.Equal(com.Unknown, []tlv.Tag{0x77, 0x42}) {
		t.Errorf("%+v, %v", com, err)
	}
	for _, s := range []string{"", "6000", "60185F0104303130375F36063034303030305C0661756E", "60165F36063034303030305F0104303130375C046175766C", "60165F0104303130375F36063034303030305C046175766C01"} {
		if _, err := ParseCOM(fromHex(t, s)); err == nil {
			t.Errorf("%s is EF.COM", s)
		}
	}
}

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

func TestDG12(t *testing.T) {
	in := []Detail{{TagAuthority, []byte("UTOPIA")}, {TagIssued, []byte("20261125")}, {0xA0, []byte{2, 1, 1}}}
	raw := EncodeDG12(in)
	out, err := ParseDG12(raw)
	if err != nil || !reflect.DeepEqual(in, out) || !bytes.Contains(raw, fromHex(t, "5C055F195F26A0")) {
		t.Errorf("%X: %v, %v", raw, out, err)
	}
	wrong := bytes.Replace(raw, fromHex(t, "5C055F195F26A0"), fromHex(t, "5C055F555F26A0"), 1)
	if again, err := ParseDG12(wrong); err != nil || !reflect.DeepEqual(in, again) {
		t.Errorf("a wrong tag list hides what is there: %v, %v", again, err)
	}
	for _, bad := range [][]byte{nil, {0x6C, 0}, raw[:len(raw)-1], tlv.Encode(DG12.Tag(), fromHex(t, "5C0231"), fromHex(t, "5F26")), EncodeDG12(slices.Repeat(in[:1], maxDetails+1))} {
		if details, err := ParseDG12(bad); err == nil {
			t.Errorf("%X is DG12: %v", bad, details)
		}
	}
}

// Every document made to test Passive Authentication that is not broken in its groups.
func TestPassiveAuthFiles(t *testing.T) {
	var f struct {
		Cases []struct {
			ID    string
			Files map[string]string
		}
	}
	if err := json.Unmarshal(testdata.Read(t, "passive-auth/cases.json"), &f); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range f.Cases {
		if !strings.HasPrefix(c.ID, "ok-") {
			continue
		}
		n++
		m, err1 := ParseDG1(fromHex(t, c.Files["DG1"]))
		faces, err2 := ParseDG2(fromHex(t, c.Files["DG2"]))
		com, err3 := ParseCOM(fromHex(t, c.Files["EF.COM"]))
		if err := errors.Join(err1, err2, err3); err != nil || len(m.Findings) > 0 || len(faces) != 1 || len(com.Groups) < 2 {
			t.Errorf("%s: %v, %v", c.ID, m, err)
		}
	}
	if n == 0 {
		t.Error("no documents")
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
	raw, _ := EncodeDG2(Face{Image: []byte{0xFF, 0xD8, 0xFF}, Width: 1, Height: 1, Record: &FaceRecord{Points: make([]FeaturePoint, 2)}})
	f.Add(raw)
	f.Add(EncodeCOM(Common{"0107", "040000", []File{DG1, DG2}, nil}))
	f.Add(EncodeDG12([]Detail{{TagIssued, []byte("20261125")}}))
	f.Add([]byte("\x31\x0f0\r\x06\x08\x04\x00\x7f\x00\x07\x02\x02\x02\x02\x01\x01"))
	f.Add([]byte("\x00\x00\x00\x0CjP  \r\n\x87\n\x00\x00\x00\x16jp2h\x00\x00\x00\x16ihdr\x00\x00\x02\x13\x00\x00\x01\x9D"))
	f.Add([]byte("\x61\x5D\x5F\x1F\x5AI<UTOD231458907<<<<<<<<<<<<<<<7408122F1204159UTO<<<<<<<<<<<6ERIKSSON<<ANNA<MARIA<<<<<<<<<<"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := ParseDG1(b); err == nil && !bytes.Contains(b, []byte(m.Text())) {
			t.Fatal("a zone that is not in the file")
		}
		if faces, err := ParseDG2(b); err == nil {
			fuzzFaces(t, b, faces)
		}
		if com, err := ParseCOM(b); err == nil {
			if again, err := ParseCOM(EncodeCOM(*com)); err != nil || !slices.Equal(again.Groups, com.Groups) {
				t.Fatal("EF.COM comes back otherwise")
			}
		}
		if details, err := ParseDG12(b); err == nil {
			IssueDate(details)
			if again, err := ParseDG12(EncodeDG12(details)); err != nil || len(again) != len(details) {
				t.Fatal("DG12 comes back otherwise")
			}
		}
		_, _ = ParseDG14(b)
		_, _ = ParseDG15(b)
		if infos, err := ParseSecurityInfos(b); err == nil {
			infos.ChipAuthKeys()
			_, _ = EncodeSecurityInfos(*infos)
		}
		if _, w, h := Picture(b); w < 0 || h < 0 {
			t.Fatal("a picture of less than nothing")
		}
	})
}

func fuzzFaces(t *testing.T, b []byte, faces []Face) {
	for _, face := range faces {
		if !bytes.Contains(b, face.Image) {
			t.Fatal("an image that is not in the file")
		}
		if again, err := EncodeDG2(face); err == nil {
			if back, err := ParseDG2(again); err != nil || !reflect.DeepEqual(back[0], face) {
				t.Fatal("a face comes back otherwise")
			}
		}
	}
}
