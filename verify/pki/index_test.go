package pki

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify/durable"
)

// imported makes a folder of files that an index names.
func imported(x Index, files map[string][]byte) fstest.MapFS {
	fsys := fstest.MapFS{}
	for n := range x.Imports {
		i := &x.Imports[n]
		if i.SHA256 == [32]byte{} {
			i.SHA256 = sha256.Sum256(files[i.File])
		}
	}
	for name, b := range files {
		fsys[name] = &fstest.MapFile{Data: b}
	}
	fsys[IndexFile] = &fstest.MapFile{Data: x.Format()}
	return fsys
}

func packOf(t testing.TB, certs []*cert.Certificate, crls ...*cert.CRL) []byte {
	t.Helper()
	var ders, lists [][]byte
	for _, c := range certs {
		ders = append(ders, c.Raw)
	}
	for _, l := range crls {
		lists = append(lists, l.Raw)
	}
	b, err := pack(ders, lists)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func fullImport() Import {
	return Import{
		File: "lists/a \"b\".ml", SHA256: [32]byte{1}, Kind: ImportAnchors, Countries: []string{"VN", "UT"}, Documents: []string{"I"},
		List: "Liste für alle\n", Country: "DE", Signer: [32]byte{2}, CSCA: [32]byte{3}, Sequence: 1<<64 - 1,
		Signed: now, Imported: now.Add(time.Hour), Operator: "an",
	}
}

func TestIndexRoundTrip(t *testing.T) {
	full := reflect.ValueOf(fullImport())
	for n := range full.NumField() {
		if full.Field(n).IsZero() {
			t.Errorf("%s is not tried", full.Type().Field(n).Name)
		}
	}
	for _, x := range []Index{{}, {Generation: 7, Imports: []Import{fullImport(), {File: "x", SHA256: [32]byte{4}, Kind: ImportBlocked}}}} {
		back, err := ParseIndex(x.Format())
		if err != nil || !reflect.DeepEqual(back, x) {
			t.Errorf("%+v became %+v, %v", x, back, err)
		}
	}
	for what, x := range map[string]Index{
		"a file above":   {Imports: []Import{{File: "../x", SHA256: [32]byte{1}, Kind: ImportAnchors}}},
		"a file twice":   {Imports: []Import{{File: "x", SHA256: [32]byte{1}, Kind: ImportAnchors}, {File: "x", SHA256: [32]byte{2}, Kind: ImportMaterial}}},
		"no digest":      {Imports: []Import{{File: "x", Kind: ImportAnchors}}},
		"another kind":   {Imports: []Import{{File: "x", SHA256: [32]byte{1}, Kind: "roots"}}},
		"the issuers":    {Imports: []Import{{File: IssuersFile, SHA256: [32]byte{1}, Kind: ImportAnchors}}},
		"a long name":    {Imports: []Import{{File: "x", SHA256: [32]byte{1}, Kind: ImportAnchors, List: strings.Repeat("x", maxWord+1)}}},
		"no name at all": {Imports: []Import{{SHA256: [32]byte{1}, Kind: ImportAnchors}}},
	} {
		if _, err := ParseIndex(x.Format()); !errors.Is(err, ErrEdited) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Whatever octet of an index is changed, added or lost, the folder is refused.
func TestEditedIndexIsRefused(t *testing.T) {
	one, two := newCSCA(t, "CSCA", nil), newCSCA(t, "CSCA 2", nil)
	x := Index{Generation: 1, Imports: []Import{
		{File: "a.p7b", Kind: ImportMaterial, List: "pkd"}, {File: "b.p7b", Kind: ImportAnchors, List: "list", Countries: []string{"UT"}},
	}}
	files := map[string][]byte{"a.p7b": packOf(t, []*cert.Certificate{one.cert}), "b.p7b": packOf(t, []*cert.Certificate{two.cert})}
	fsys := imported(x, files)
	good := fsys[IndexFile].Data
	refused := func(what string, b []byte) {
		t.Helper()
		fsys[IndexFile] = &fstest.MapFile{Data: b}
		if s, err := LoadStore(fsys, LoadOptions{}); !errors.Is(err, ErrEdited) || s != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range good {
		for _, d := range []byte{0x01, 0x20, 0x80} {
			bad := bytes.Clone(good)
			bad[i] ^= d
			refused("an octet changed", bad)
		}
		refused("cut", good[:i])
		refused("an octet lost", append(bytes.Clone(good[:i]), good[i+1:]...))
		refused("a line end added", append(append(bytes.Clone(good[:i]), '\n'), good[i:]...))
	}
	// Who knows how the last line is made can say what he wants of files that are there;
	// he could put a certificate into the folder as well. What he can't is to have the
	// folder hold what it doesn't.
	x.Imports[1].SHA256 = x.Imports[0].SHA256
	refused("another file's digest", x.Format())
	fsys[IndexFile] = &fstest.MapFile{Data: good}
	if s, err := LoadStore(fsys, LoadOptions{}); err != nil || len(s.Anchors()) != 1 {
		t.Fatal(err)
	}
}

// Whatever octet of an imported file is changed, or the file lost, the folder is refused.
func TestEditedImportIsRefused(t *testing.T) {
	one := newCSCA(t, "CSCA", nil)
	good := packOf(t, []*cert.Certificate{one.cert}, newCRL(t, one, nil))
	fsys := imported(Index{Imports: []Import{{File: "a.p7b", Kind: ImportAnchors}}}, map[string][]byte{"a.p7b": good})
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x01
		for _, b := range [][]byte{bad, good[:i]} {
			fsys["a.p7b"] = &fstest.MapFile{Data: b}
			if _, err := LoadStore(fsys, LoadOptions{}); !errors.Is(err, ErrEdited) {
				t.Fatalf("octet %d: %v", i, err)
			}
		}
	}
	delete(fsys, "a.p7b")
	if _, err := LoadStore(fsys, LoadOptions{}); !errors.Is(err, ErrEdited) {
		t.Errorf("lost: %v", err)
	}
}

// An import is what the index says that it is, not what lies in the file.
func TestImports(t *testing.T) {
	pinned, listed, foreign, material := newCSCA(t, "pinned", nil), newCSCA(t, "listed", nil), newCSCA(t, "foreign", func(tpl *cert.Template) {
		tpl.Issuer = name(t, "XX", "foreign")
		tpl.Subject = tpl.Issuer
	}), newCSCA(t, "material", nil)
	ds := newSigner(t, listed, nil)
	fsys := imported(Index{Imports: []Import{
		{File: "list.p7b", Kind: ImportAnchors, List: "list", Countries: []string{"UT"}},
		{File: "pin.cer", Kind: ImportAnchors, Documents: []string{"I"}},
		{File: "pkd.p7b", Kind: ImportMaterial, List: "pkd"},
		{File: "specimen/test.cer", Kind: ImportAnchors},
	}}, map[string][]byte{
		"list.p7b":          packOf(t, []*cert.Certificate{listed.cert, foreign.cert, pinned.cert}),
		"pin.cer":           pinned.cert.Raw,
		"pkd.p7b":           packOf(t, []*cert.Certificate{material.cert, ds.cert}, newCRL(t, listed, nil)),
		"specimen/test.cer": newCSCA(t, "test", nil).cert.Raw,
		"stray.p7b":         packOf(t, []*cert.Certificate{newCSCA(t, "stray", nil).cert}),
	})
	s, err := LoadStore(fsys, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]*Import{}
	for _, a := range s.Anchors() {
		got[a.Cert.Subject.CommonName()] = a.Import
		if a.Specimen != (a.Cert.Subject.CommonName() == "test") {
			t.Errorf("%v: specimen %v", a.Cert.Subject, a.Specimen)
		}
	}
	if len(got) != 3 || got["pinned"] == nil || got["pinned"].File != "pin.cer" || got["listed"] == nil || got["listed"].List != "list" || got["test"] == nil {
		t.Errorf("anchors %v", got)
	}
	if len(s.Certificates()) != 5 || len(s.CRLs()) != 1 || len(s.Skipped()) != 1 {
		t.Errorf("%d certificates, %d lists, skipped %v", len(s.Certificates()), len(s.CRLs()), s.Skipped())
	}
	if r := s.Chain(newSigner(t, material, nil).cert).Judge(usual()); r.Anchor != nil {
		t.Error("material vouches for a signer")
	}
	// A pin of the operator makes an anchor of what else is material.
	fsys["mine.cer"] = &fstest.MapFile{Data: material.cert.Raw}
	if s, err = LoadStore(fsys, LoadOptions{}); err != nil || len(s.Anchors()) != 4 {
		t.Error(err)
	}
}

// A real list is read where it lies.
func TestImportedMasterList(t *testing.T) {
	raw := testdata.Vectors(t, "pki/master-lists/DE_ML_2026-05-28-08-28-45.ml")
	s, err := LoadStore(imported(Index{Imports: []Import{{File: "de.ml", Kind: ImportAnchors, List: "DE"}}}, map[string][]byte{"de.ml": raw}), LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(s.Certificates()); n != 588 { // of pki/master-lists/index.json
		t.Errorf("%d certificates", n)
	}
	if len(s.Skipped()) != 0 {
		t.Error(s.Skipped())
	}
	t.Logf("%d anchors", len(s.Anchors()))
	s, err = LoadStore(imported(Index{Imports: []Import{{File: "de.ml", Kind: ImportAnchors, List: "DE", Countries: []string{"VN"}}}}, map[string][]byte{"de.ml": raw}), LoadOptions{})
	if err != nil || len(s.Certificates()) != 1 || len(s.Anchors()) != 1 {
		t.Error(err, len(s.Certificates()))
	}
}

// OpenSSL reads what we pack.
func TestPackIsForeignReadable(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		testdata.Missing(t, "openssl", "not installed")
	}
	ca := newCSCA(t, "CSCA", nil)
	path := filepath.Join(t.TempDir(), "x.p7b")
	if err := os.WriteFile(path, packOf(t, []*cert.Certificate{ca.cert, newSigner(t, ca, nil).cert}, newCRL(t, ca, nil)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(openssl, "pkcs7", "-inform", "DER", "-in", path, "-print_certs", "-noout").CombinedOutput()
	if err != nil || strings.Count(string(out), "subject=") != 2 || !strings.Contains(string(out), "X509 CRL") && !strings.Contains(string(out), "CRL") {
		t.Errorf("%v: %s", err, out)
	}
}

func FuzzParseIndex(f *testing.F) {
	f.Add(Index{Generation: 1, Imports: []Import{fullImport()}}.Format())
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := ParseIndex(b)
		if err != nil {
			if !errors.Is(err, ErrEdited) || !reflect.DeepEqual(x, Index{}) {
				t.Error(x, err)
			}
			// What stands above the last line is read too, as if whoever edited it knew how to end it.
			if end := len(b) - len(indexSum) - 66; end > 0 {
				_, _ = ParseIndex(append(bytes.Clone(b[:end]), []byte("\n"+indexSum+hexSum(b[:end])+"\n")...))
			}
			return
		}
		if !bytes.Equal(x.Format(), b) {
			t.Error("read as something else")
		}
	})
}

func hexSum(b []byte) string {
	s := sha256.Sum256(b)
	return Anchor{Fingerprint: s}.String()
}

func FuzzUnpack(f *testing.F) {
	ca := newCSCA(f, "CSCA", nil)
	f.Add(packOf(f, []*cert.Certificate{ca.cert}, newCRL(f, ca, nil)))
	f.Add(packOf(f, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		certs, crls, err := unpack(b)
		if err != nil {
			if certs != nil || crls != nil {
				t.Error("a part with an error")
			}
			return
		}
		n := 0
		for _, der := range append(certs, crls...) {
			n += len(der)
		}
		if n > len(b) {
			t.Error("more than there is")
		}
		fsys := imported(Index{Imports: []Import{{File: "x", Kind: ImportMaterial, List: "x"}}}, map[string][]byte{"x": b})
		if s, err := LoadStore(fsys, LoadOptions{}); err != nil || len(s.Anchors()) != 0 {
			t.Error(err)
		}
	})
}

// Two processes use one folder: who reads sees one import or the other, whole.
func TestImportByAnotherProcess(t *testing.T) {
	if dir := os.Getenv("TAMTHE_TEST_IMPORTER"); dir != "" {
		importForEver(dir)
	}
	dir := t.TempDir()
	var packs [2][]byte
	var digests [2][32]byte
	for i := range packs {
		ca := newCSCA(t, "CSCA", func(tpl *cert.Template) { tpl.Serial = big.NewInt(int64(i + 1)) })
		packs[i] = packOf(t, []*cert.Certificate{ca.cert})
		if err := os.WriteFile(filepath.Join(dir, string(rune('a'+i))+".src"), packs[i], 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := LoadStore(imported(Index{Imports: []Import{{File: "x", Kind: ImportAnchors}}}, map[string][]byte{"x": packs[i]}), LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		digests[i] = s.Digest()
	}
	trust := filepath.Join(dir, "trust")
	if err := os.Mkdir(trust, 0o700); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0], "-test.run", "^TestImportByAnotherProcess$")
	child.Env = append(os.Environ(), "TAMTHE_TEST_IMPORTER="+dir)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	}()
	var seen [2]int
	for deadline := time.Now().Add(20 * time.Second); (seen[0] < 20 || seen[1] < 20) && time.Now().Before(deadline); {
		s, err := LoadStore(os.DirFS(trust), LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		switch s.Digest() {
		case digests[0]:
			seen[0]++
		case digests[1]:
			seen[1]++
		default:
			if len(s.Certificates()) != 0 {
				t.Fatal("a mixture")
			}
		}
	}
	if seen[0] == 0 || seen[1] == 0 {
		t.Errorf("seen %v", seen)
	}
}

// importForEver replaces the one import of a folder by another in turn.
func importForEver(dir string) {
	trust := filepath.Join(dir, "trust")
	for n := 0; ; n++ {
		b, err := os.ReadFile(filepath.Join(dir, string(rune('a'+n%2))+".src"))
		if err != nil {
			os.Exit(0)
		}
		file := string(rune('a'+n%2)) + ".p7b"
		x := Index{Generation: uint64(n), Imports: []Import{{File: file, SHA256: sha256.Sum256(b), Kind: ImportAnchors}}}
		if durable.Replace(filepath.Join(trust, file), b, 0o600) != nil || durable.Replace(filepath.Join(trust, IndexFile), x.Format(), 0o600) != nil {
			os.Exit(0)
		}
		_ = os.Remove(filepath.Join(trust, string(rune('a'+(n+1)%2))+".p7b"))
	}
}
