package pki

import (
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/testdata"
)

func TestLoadStore(t *testing.T) {
	one, two, test := newCSCA(t, "CSCA", nil), newCSCA(t, "CSCA 2", nil), newCSCA(t, "CSCA 3", nil)
	ds := newSigner(t, one, nil)
	crl := newCRL(t, one, nil)
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: two.cert.Raw})
	bundle = append(bundle, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: crl.Raw})...)
	fsys := fstest.MapFS{
		"one.cer":               {Data: one.cert.Raw},
		"again.der":             {Data: one.cert.Raw},
		"more/bundle.pem":       {Data: bundle},
		"more/Specimen/ca.crt":  {Data: test.cert.Raw},
		"ds.cer":                {Data: ds.cert.Raw},
		"list.crl":              {Data: crl.Raw},
		"world.ml":              {Data: []byte{0x30, 0}},
		"pkd.LDIF":              {Data: []byte("dn: c=UT")},
		"broken.cer":            {Data: one.cert.Raw[:100]},
		"note.txt":              {Data: []byte("hello")},
		"key.pem":               {Data: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}})},
		"issuers.toml":          {Data: []byte("[[issuer]]\ncountry = \"ut\"\nstatus = \"none\"\ncrl = \"optional\"\ncrl_grace_days = 3\n")},
		"more/issuers.toml.bak": {Data: nil},
	}
	s, err := LoadStore(fsys, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(s.Anchors()); n != 3 {
		t.Errorf("%d anchors", n)
	}
	if n := len(s.Certificates()); n != 4 {
		t.Errorf("%d certificates", n)
	}
	if n := len(s.CRLs()); n != 2 {
		t.Errorf("%d lists", n)
	}
	if n := len(s.Skipped()); n != 6 {
		t.Errorf("%d skipped: %v", n, s.Skipped())
	}
	for _, a := range s.Anchors() {
		if want := strings.Contains(a.Source, "Specimen"); a.Specimen != want {
			t.Errorf("%s: specimen %v", a.Source, a.Specimen)
		}
	}
	i, ok := s.Issuer("UT", "ID")
	if !ok || i.CRL != Optional || i.Status != None || i.Chip != Required || i.CRLGrace != 3*24*time.Hour {
		t.Errorf("%+v", i)
	}
	if found := s.Signers(&cms.SignerInfo{Serial: ds.cert.Serial, Issuer: ds.cert.Issuer}); len(found) != 1 {
		t.Errorf("%d signers", len(found))
	}
	if s, err = LoadStore(fsys, LoadOptions{Specimen: true}); err != nil || !s.Anchors()[0].Specimen {
		t.Error("a folder of test keys", err)
	}
	if _, err = LoadStore(os.DirFS(filepath.Join(t.TempDir(), "missing")), LoadOptions{}); err == nil {
		t.Error("a missing folder is taken")
	}
}

func TestParseIssuers(t *testing.T) {
	pin := hex.EncodeToString(make([]byte, 32))
	list, err := ParseIssuers([]byte("[[issuer]]\ncountry=\"VN\"\ndocuments=[\"I\"]\nanchors=[\"" + pin + "\"]\n[[issuer]]\ncountry=\"VN\"\ncrl=\"none\"\nchip=\"none\"\n"))
	if err != nil || len(list) != 2 || len(list[0].Anchors) != 1 || list[0].Status != Required || list[1].CRL != None || list[1].Chip != None {
		t.Fatal(list, err)
	}
	s := NewStore(nil, nil, list)
	if i, _ := s.Issuer("VN", "ID"); len(i.Anchors) != 1 {
		t.Error("the entry for cards is not the best for a card")
	}
	if i, _ := s.Issuer("VN", "P"); i.CRL != None {
		t.Error("the entry for all documents is not taken for a passport")
	}
	if i, ok := s.Issuer("DE", "P"); ok || i.CRL != Required || i.Status != Required || i.Chip != Required {
		t.Error("an unknown issuer asks for less than everything")
	}
	for _, bad := range []string{
		"[[issuer]]\ncountry=\"VNM\"", "[[issuer]]\ncountry=\"VN\"\ncrl=\"maybe\"", "[[issuer]]\ncountry=\"VN\"\nstatus=\"optional\"",
		"[[issuer]]\ncountry=\"VN\"\nchips=\"none\"", "[[issuer]]\ncountry=\"VN\"\nanchors=[\"00\"]", "[[issuer]]\ncountry=\"VN\"\ncrl_grace_days=-1",
		"= nonsense",
	} {
		if _, err := ParseIssuers([]byte(bad)); err == nil {
			t.Errorf("taken: %q", bad)
		}
	}
}

// The 302 link certificates of real lists are odd in every way that a name or a key
// identifier can be.
func TestOddCSCAsLoad(t *testing.T) {
	dir := filepath.Join(testdata.Dir(t), "pki")
	var certs, skipped, anchors int
	for _, folder := range []string{"odd-csca", "roots", "csca-for-sods", "idn-2010-series", "crl"} {
		s, err := LoadStore(os.DirFS(filepath.Join(dir, folder)), LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		certs, anchors = certs+len(s.Certificates()), anchors+len(s.Anchors())
		for _, k := range s.Skipped() {
			if !strings.HasSuffix(k.Path, ".json") && !strings.HasSuffix(k.Path, ".md") {
				skipped++
				t.Errorf("%s/%s: %s", folder, k.Path, k.Why)
			}
		}
	}
	t.Logf("%d certificates, %d anchors, %d skipped", certs, anchors, skipped)
}

func FuzzParseIssuers(f *testing.F) {
	f.Add([]byte("[[issuer]]\ncountry=\"VN\"\ndocuments=[\"I\"]\ncrl=\"none\"\ncrl_grace_days=2\n"))
	f.Add([]byte("[[issuer]]\ncountry=\"VN\"\nanchors=[\"00\"]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := ParseIssuers(b)
		if err != nil && list != nil {
			t.Error("a list with an error")
		}
		for _, i := range list {
			if len(i.Country) != 2 || i.CRLGrace < 0 {
				t.Errorf("%+v", i)
			}
		}
	})
}

// TestReadFile takes regular files of a size that can be, and nothing that would hold it.
func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "good"), []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"link": "good", "endless": "/dev/zero", "folder": "."} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skip(err)
		}
	}
	for name, want := range map[string]error{"good": nil, "link": nil, "endless": ErrFile, "folder": ErrFile, "absent": fs.ErrNotExist} {
		for _, fsys := range []fs.FS{os.DirFS(dir), Folder(dir)} {
			b, err := ReadFile(fsys, name, 5)
			if !errors.Is(err, want) || want == nil && string(b) != "12345" {
				t.Errorf("%s: %q, %v", name, b, err)
			}
		}
	}
	for _, fsys := range []fs.FS{os.DirFS(dir), Folder(dir)} {
		if _, err := ReadFile(fsys, "good", 4); !errors.Is(err, ErrFile) {
			t.Error(err)
		}
		if _, err := ReadFile(fsys, "../"+filepath.Base(dir)+"/good", 5); err == nil {
			t.Error("a file outside the folder is read")
		}
	}
}

// A pipe that nobody writes to holds nobody who reads the folder.
func TestReadFileWaitsForNoPipe(t *testing.T) {
	dir := t.TempDir()
	if err := exec.Command("mkfifo", filepath.Join(dir, "pipe.cer")).Run(); err != nil {
		t.Skip(err)
	}
	for _, fsys := range []fs.FS{os.DirFS(dir), Folder(dir), overlay{Folder(dir), Index{}.Format()}} {
		s, err := LoadStore(fsys, LoadOptions{})
		if err != nil || len(s.Skipped()) != 1 {
			t.Error(err)
		}
	}
}
