package virtual

import (
	"crypto"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/testdata"
)

// TestDocumentsOfUtopia loads every document of the cases as a chip and reads it by BAC.
func TestDocumentsOfUtopia(t *testing.T) {
	var f struct {
		Cases []struct {
			ID    string
			Files map[string]string
		}
	}
	if err := json.Unmarshal(testdata.Read(t, "passive-auth/cases.json"), &f); err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Cases {
		dir := fstest.MapFS{"README.txt": {Data: []byte("not a file of the chip")}}
		files := map[lds.File][]byte{}
		for name, h := range c.Files {
			b, err := hex.DecodeString(h)
			if err != nil {
				t.Fatal(err)
			}
			f, _ := lds.ByName(name)
			files[f] = b
			dir[strings.ToLower(name)+".BIN"] = &fstest.MapFile{Data: b}
		}
		chip, err := FromFolder(dir, FolderOptions{})
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
			continue
		}
		zone, err := lds.ParseDG1(files[lds.DG1])
		if err != nil {
			t.Fatal(err)
		}
		s := openBy(t, chip, apdu.Limits{}, auth.MRZ(zone.KeyInfo()))
		for f := range files {
			cut := c.ID == "bad-truncated" && f == lds.SODFile // its header promises more
			if _, err := s.ReadFile(t.Context(), f, nil); (err != nil) != cut {
				t.Errorf("%s: %v", c.ID, err)
			}
		}
		s.Close()
	}
	t.Logf("%d documents", len(f.Cases))
}

func TestCounterfeitHasOtherKeys(t *testing.T) {
	_, files := issuedOnceFor(t)
	infos, err := lds.ParseDG14(files[lds.DG14])
	if err != nil {
		t.Fatal(err)
	}
	pub, err := lds.ParseDG15(files[lds.DG15])
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		o      FolderOptions
		aa, ca error
	}{
		{"without keys", FolderOptions{CAN: canDigits}, apdu.INSNotSupported, apdu.ReferenceNotFound},
		{"counterfeit", FolderOptions{CAN: canDigits, Counterfeit: true}, auth.ErrSignature, sm.ErrProtection},
	} {
		chip, err := FromFolder(folder(files), c.o)
		if err != nil {
			t.Fatal(err)
		}
		s := openBy(t, chip, apdu.Limits{}, auth.CAN(canDigits))
		readAll(t, s, files)
		if _, err := s.Active(t.Context(), pub, crypto.SHA256); !errors.Is(err, c.aa) {
			t.Errorf("%s: Active Authentication: %v", c.name, err)
		}
		if _, err := s.Chip1(t.Context(), infos.ChipAuthKeys()[0], lds.DG1); !errors.Is(err, c.ca) {
			t.Errorf("%s: Chip Authentication: %v", c.name, err)
		}
		s.Close()
	}
}

func TestGivenKeys(t *testing.T) {
	aa, err := dh.P384().Generate()
	if err != nil {
		t.Fatal(err)
	}
	ca, err := dh.BrainpoolP384r1().Generate()
	if err != nil {
		t.Fatal(err)
	}
	files := documentFiles(t, aa.Point(), ca.Point())
	path := filepath.Join(t.TempDir(), "chip")
	chip, err := FromFolder(folder(files), FolderOptions{Path: path, AA: aa, CA: ca, CAN: canDigits, Counterfeit: true})
	if err != nil {
		t.Fatal(err)
	}
	chip.Close()
	aa.Destroy()
	ca.Destroy()
	if chip, err = Load(path); err != nil {
		t.Fatal(err)
	}
	defer chip.Close()
	s := openBy(t, chip, apdu.Limits{}, auth.CAN(canDigits))
	defer s.Close()
	pub, _ := cert.NewPublicKey(aa.Point())
	if _, err := s.Active(t.Context(), pub, crypto.SHA256); err != nil {
		t.Error(err)
	}
	infos, err := lds.ParseDG14(files[lds.DG14])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Chip1(t.Context(), infos.ChipAuthKeys()[0], lds.DG1); err != nil {
		t.Error(err)
	}
}

func TestTamper(t *testing.T) {
	c, files := issued(t)
	if err := c.Tamper(lds.DG2, 1000, 0x01); err != nil {
		t.Fatal(err)
	}
	s := openBy(t, c, apdu.Limits{}, auth.CAN(canDigits))
	defer s.Close()
	got, err := s.ReadFile(t.Context(), lds.DG2, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range files[lds.DG2] {
		if i == 1000 {
			want ^= 1
		}
		if got[i] != want {
			t.Fatalf("octet %d", i)
		}
	}
	pub, err := lds.ParseDG15(files[lds.DG15])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Active(t.Context(), pub, crypto.SHA256); err != nil {
		t.Errorf("the chip's key: %v", err)
	}
	for f, want := range map[lds.File]error{lds.DG11: fs.ErrNotExist, lds.CardSecurity: fs.ErrNotExist} {
		if err := c.Tamper(f, 0, 1); !errors.Is(err, want) {
			t.Errorf("%s: %v", f, err)
		}
	}
	for _, offset := range []int{-1, len(files[lds.DG2])} {
		if err := c.Tamper(lds.DG2, offset, 1); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("offset %d: %v", offset, err)
		}
	}
	c.Close()
	if err := c.Tamper(lds.DG2, 0, 1); !errors.Is(err, apdu.ErrRemoved) {
		t.Errorf("after Close: %v", err)
	}
}

func TestFoldersThatMakeNoChip(t *testing.T) {
	good := documentFiles(t, nil, nil)
	for name, c := range map[string]struct {
		fs fs.FS
		o  FolderOptions
	}{
		"empty":            {fstest.MapFS{}, FolderOptions{}},
		"other files":      {fstest.MapFS{"DG1": {Data: []byte{1}}, "photo.jpg": {Data: []byte{1}}}, FolderOptions{}},
		"empty DG1":        {fstest.MapFS{"DG1.bin": {}}, FolderOptions{}},
		"file too large":   {fstest.MapFS{"DG1.bin": {Data: good[lds.DG1]}, "DG2.bin": {Data: make([]byte, maxFile+1)}}, FolderOptions{}},
		"no DG1":           {fstest.MapFS{"DG2.bin": {Data: good[lds.DG2]}}, FolderOptions{}},
		"DG1 unreadable":   {fstest.MapFS{"DG1.bin": {Data: []byte{0x61, 0}}}, FolderOptions{}},
		"long history":     {folder(good), FolderOptions{Historical: make([]byte, 16)}},
		"path that exists": {folder(good), FolderOptions{Path: t.TempDir()}},
	} {
		if chip, err := FromFolder(c.fs, c.o); err == nil {
			chip.Close()
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := FromFolder(fstest.MapFS{"DG2.bin": {Data: good[lds.DG2]}}, FolderOptions{MRZ: mrzInformation}); err != nil {
		t.Errorf("a given MRZ needs no DG1: %v", err)
	}
}

func TestPACEOnlyFolder(t *testing.T) {
	files := documentFiles(t, nil, nil)
	c, err := FromFolder(folder(files), FolderOptions{Rules: &gp.Rules{}})
	if err != nil {
		t.Fatal(err)
	}
	s := openBy(t, c, apdu.Limits{}, auth.MRZ(mrzInformation))
	if s.Access().Protocol != "PACE" {
		t.Errorf("%+v", s.Access())
	}
	s.Close()
	c.Reset()
	send(t, c, "00A4040C07A0000002471001")
	if _, err := auth.BAC(t.Context(), apdu.Over(c, apdu.Limits{}), auth.MRZ(mrzInformation)); !errors.Is(err, apdu.ConditionsNotSatisfied) {
		t.Errorf("BAC: %v", err)
	}
}
