package lds

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/testdata"
)

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
