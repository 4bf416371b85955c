package pki

import (
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/testdata"
)

// checkpoint is a device with a trust folder.
type checkpoint struct {
	t testing.TB
	TrustFolder
}

func newCheckpoint(t testing.TB) checkpoint {
	dir := t.TempDir()
	return checkpoint{t, TrustFolder{Path: filepath.Join(dir, "trust"), Seen: openMemory(t, filepath.Join(dir, "seen"))}}
}

func (c checkpoint) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// lay puts a file into the folder by hand.
func (c checkpoint) lay(name string, b []byte) {
	c.t.Helper()
	c.must(os.MkdirAll(c.Path, 0o700))
	c.must(os.WriteFile(filepath.Join(c.Path, name), b, 0o600))
}

func (c checkpoint) load() *Store {
	c.t.Helper()
	s, err := c.Load()
	c.must(err)
	return s
}

// offer imports one file with the usual options.
func (c checkpoint) offer(b []byte, change func(*ImportOptions)) (Receipt, error) {
	o := ImportOptions{At: now, Operator: "an"}
	if change != nil {
		change(&o)
	}
	r, err := c.Import([]Offer{{"offer", b}}, o)
	if len(r) != 1 {
		return Receipt{}, err
	}
	return r[0], err
}

// content is every file of the folder with its octets.
func (c checkpoint) content() map[string]string {
	c.t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(c.Path), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(c.Path, name))
		files[name] = string(b)
		return err
	})
	c.must(err)
	return files
}

func equalContent(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

func anchors(s *Store) []string {
	var list []string
	for _, a := range s.Anchors() {
		list = append(list, a.Cert.Subject.CommonName())
	}
	slices.Sort(list)
	return list
}

func TestImportMasterList(t *testing.T) {
	c := newCheckpoint(t)
	pinned, other, third := newCSCA(t, "CSCA", nil), newCSCA(t, "CSCA B", nil), newCSCA(t, "CSCA C", nil)
	c.lay("csca.cer", pinned.cert.Raw)
	by := listSigner(t, pinned, nil)
	signed := func(days int) func(*cms.Message) {
		return func(m *cms.Message) { m.SigningTime = now.AddDate(0, 0, -days) }
	}
	older := signList(t, by, masterList(t, pinned.cert, third.cert), signed(9))
	newer := signList(t, by, masterList(t, pinned.cert, other.cert), signed(1))
	twin := signList(t, by, masterList(t, pinned.cert, third.cert), signed(1))

	r, err := c.offer(older, nil)
	if c.must(err); len(r.Lists) != 1 || r.Lists[0].Country != "UT" || r.Lists[0].CSCA != pinned.cert.Fingerprint() || r.Lists[0].Operator != "an" {
		t.Errorf("%+v", r)
	}
	if got := anchors(c.load()); !slices.Equal(got, []string{"CSCA", "CSCA C"}) {
		t.Error(got)
	}
	r, err = c.offer(newer, nil)
	if c.must(err); len(r.Lists) != 1 {
		t.Errorf("%+v", r)
	}
	s := c.load()
	if got := anchors(s); !slices.Equal(got, []string{"CSCA", "CSCA B"}) {
		t.Error("a CSCA that the newer list no longer has is still trusted:", got)
	}
	before := c.content()
	if r, err = c.offer(newer, nil); err != nil || r.Known != 1 || len(r.Lists) != 0 {
		t.Errorf("again: %+v, %v", r, err)
	}
	for name, b := range map[string][]byte{"older": older, "another of that time": twin} {
		if _, err := c.offer(b, nil); !errors.Is(err, ErrRollback) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A device that has forgotten does not go back either.
	forgetful := c
	forgetful.Seen = openMemory(t, filepath.Join(t.TempDir(), "seen"))
	if _, err := forgetful.offer(older, nil); !errors.Is(err, ErrRollback) {
		t.Error(err)
	}
	// Nor does one whose folder was lost.
	lost := newCheckpoint(t)
	lost.Seen = c.Seen
	lost.lay("csca.cer", pinned.cert.Raw)
	if _, err := lost.offer(older, nil); !errors.Is(err, ErrRollback) {
		t.Error(err)
	}
	if !equalContent(before, c.content()) {
		t.Error("what was refused left something behind")
	}

	// A CSCA that came with a list vouches for documents, not for another list; and for
	// passports only, unless it was imported for more.
	rogue := signList(t, listSigner(t, other, nil), masterList(t, other.cert), signed(0))
	if _, err := c.offer(rogue, nil); !errors.Is(err, errListUnknown) {
		t.Error(err)
	}
	ds := newSigner(t, other, nil).cert
	q := usual()
	expect(t, s.Chain(ds).Judge(q), DocumentType, Failed, AnchorType)
	q.DocumentType = "P"
	expect(t, s.Chain(ds).Judge(q), DocumentType, Passed, "")
	digest := s.Digest()
	if _, err = c.offer(newer, func(o *ImportOptions) { o.Documents = []string{"P", "I"} }); err != nil {
		t.Fatal(err)
	}
	if s = c.load(); s.Digest() == digest {
		t.Error("the digest does not tell for what documents anchors were imported")
	}
	expect(t, s.Chain(ds).Judge(usual()), DocumentType, Passed, "")
}

func TestImportPins(t *testing.T) {
	c := newCheckpoint(t)
	ca := newCSCA(t, "CSCA", nil)
	if _, err := c.offer(ca.cert.Raw, nil); !errors.Is(err, ErrUnpinned) {
		t.Fatal(err)
	}
	if got := len(c.load().Anchors()); got != 0 {
		t.Error("trusted all the same:", got)
	}
	pin := func(o *ImportOptions) { o.Pins, o.Documents = [][32]byte{ca.cert.Fingerprint()}, []string{"I"} }
	if r, err := c.offer(newSigner(t, ca, nil).cert.Raw, func(o *ImportOptions) {
		o.Pins = [][32]byte{{1}}
	}); !errors.Is(err, ErrList) {
		t.Errorf("pinned what was not there: %+v, %v", r, err)
	}
	if _, err := c.offer(ca.cert.Raw, func(o *ImportOptions) { o.Pins = [][32]byte{{1}} }); !errors.Is(err, ErrUnpinned) || !strings.Contains(err.Error(), "no fingerprint that was given") {
		t.Error(err)
	}
	ds := newSigner(t, ca, nil)
	if _, err := c.offer(ds.cert.Raw, func(o *ImportOptions) { o.Pins = [][32]byte{ds.cert.Fingerprint()} }); !errors.Is(err, ErrList) {
		t.Error("a document signer was pinned:", err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw})
	if r, err := c.offer(block, pin); err != nil || len(r.Pinned) != 1 {
		t.Fatal(r, err)
	}
	s := c.load()
	if a := s.Anchors(); len(a) != 1 || a[0].Import == nil || a[0].Import.Operator != "an" || !slices.Equal(a[0].Import.Documents, []string{"I"}) {
		t.Errorf("%+v", a)
	}
	expect(t, s.Chain(ds.cert).Judge(usual()), DocumentType, Passed, "")
	passport := usual()
	passport.DocumentType = "P"
	expect(t, s.Chain(ds.cert).Judge(passport), DocumentType, Failed, AnchorType)
	if r, err := c.offer(ca.cert.Raw, pin); err != nil || r.Known != 1 {
		t.Error(r, err)
	}
	// Pinned again for other documents, it vouches for those; one that was copied there cannot be.
	narrow := func(o *ImportOptions) { pin(o); o.Documents = []string{"P"} }
	if r, err := c.offer(ca.cert.Raw, narrow); err != nil || len(r.Pinned) != 1 {
		t.Error(r, err)
	}
	expect(t, c.load().Chain(ds.cert).Judge(usual()), DocumentType, Failed, AnchorType)
	expect(t, c.load().Chain(ds.cert).Judge(passport), DocumentType, Passed, "")
	if r, err := c.offer(ca.cert.Raw, pin); err != nil || len(r.Pinned) != 1 {
		t.Error(r, err)
	}
	copied := newCSCA(t, "CSCA 2", nil)
	c.lay("copied.cer", copied.cert.Raw)
	if r, err := c.offer(copied.cert.Raw, func(o *ImportOptions) { pin(o); o.Pins = [][32]byte{copied.cert.Fingerprint()} }); !errors.Is(err, ErrList) || !strings.Contains(err.Error(), "copied.cer") {
		t.Error(r, err)
	}
	// What the operator pinned by hand or by fingerprint may name others.
	list := signList(t, listSigner(t, ca, nil), masterList(t, ca.cert), nil)
	if r, err := c.offer(list, nil); err != nil || len(r.Lists) != 1 {
		t.Error(r, err)
	}
}

// A link certificate hands trust on. It comes with a signed list or by the operator's
// word, never with a directory or a file of somebody's.
func TestImportLinks(t *testing.T) {
	c := newCheckpoint(t)
	old, next := newCSCA(t, "CSCA", nil), newCSCA(t, "CSCA 2", nil)
	c.lay("csca.cer", old.cert.Raw)
	link := linkTo(t, old, next, func(x *cert.Template) { x.NameChange = true })
	ds := newSigner(t, next, nil).cert
	trusted := func() bool { return c.load().Chain(ds).Judge(usual()).Finding(Signature).Level == Passed }
	if _, err := c.offer(link.Raw, nil); !errors.Is(err, ErrUnpinned) {
		t.Error(err)
	}
	packed, err := pack([][]byte{link.Raw, next.cert.Raw}, nil)
	c.must(err)
	for _, b := range [][]byte{packed, []byte("dn: x\n" + folded("cACertificate;binary", link.Raw, 76, "\n"))} {
		if r, err := c.offer(b, func(o *ImportOptions) { o.Each = true }); err != nil || len(r.Passed) == 0 || r.Certificates != 0 {
			t.Errorf("%+v, %v", r, err)
		}
	}
	if trusted() {
		t.Error("a link from a directory is trusted")
	}
	if r, err := c.offer(link.Raw, func(o *ImportOptions) { o.Pins = [][32]byte{link.Fingerprint()} }); err != nil || r.Certificates != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if !trusted() {
		t.Error("the operator's own link is not followed")
	}
	other := newCheckpoint(t)
	other.lay("csca.cer", old.cert.Raw)
	if _, err := other.offer(signList(t, listSigner(t, old, nil), masterList(t, old.cert, link), nil), func(o *ImportOptions) { o.Documents = []string{"I"} }); err != nil {
		t.Error(err)
	}
	if c = other; !trusted() {
		t.Error("a link of a signed list is not followed")
	}
}

// Two desks that import into one folder at once lose nothing.
func TestImportAtOnce(t *testing.T) {
	c := newCheckpoint(t)
	ca := newCSCA(t, "CSCA", nil)
	c.lay("csca.cer", ca.cert.Raw)
	const desks = 8
	certs := make([]*cert.Certificate, desks)
	for n := range certs {
		certs[n] = newSigner(t, ca, nil).cert
	}
	var group sync.WaitGroup
	for n := range desks {
		group.Go(func() {
			f := c.TrustFolder
			f.Seen = openMemory(t, f.Seen.path)
			if _, err := f.Import([]Offer{{"ds", certs[n].Raw}}, ImportOptions{At: now}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	c.Seen = openMemory(t, c.Seen.path)
	s := c.load()
	for _, d := range certs {
		if s.find(d) == nil {
			t.Errorf("%v was lost", d.Serial)
		}
	}
	if x, err := c.Index(); err != nil || x.Generation != desks || len(x.Imports) != 1 {
		t.Errorf("%+v, %v", x, err)
	}
}

func TestImportDirectory(t *testing.T) {
	c := newCheckpoint(t)
	ca, rogue := newCSCA(t, "CSCA", nil), newCSCA(t, "Rogue", nil)
	c.lay("csca.cer", ca.cert.Raw)
	ds, late := newSigner(t, ca, nil), newSigner(t, ca, nil)
	list := signList(t, listSigner(t, ca, nil), masterList(t, ca.cert), nil)
	entry := func(name string, der []byte) string { return "dn: x\n" + folded(name+";binary", der, 76, "\n") + "\n" }
	text := entry("userCertificate", ds.cert.Raw) + entry("userCertificate", ds.cert.Raw) + entry("cACertificate", rogue.cert.Raw) +
		entry("certificateRevocationList", newCRL(t, ca, numbered(4, 2), late.cert).Raw) + entry("certificateRevocationList", newCRL(t, rogue, nil).Raw) +
		entry("pkdMasterListContent", list) + entry("pkdMasterListContent", signList(t, listSigner(t, rogue, nil), masterList(t, rogue.cert), nil)) +
		entry("userCertificate", []byte{0x30, 0})
	r, err := c.offer([]byte(text), nil)
	if c.must(err); r.Certificates != 1 || r.CRLs != 1 || len(r.Lists) != 1 || len(r.Passed) != 4 {
		t.Errorf("%+v", r)
	}
	s := c.load()
	if got := anchors(s); !slices.Equal(got, []string{"CSCA"}) {
		t.Error(got)
	}
	expect(t, s.Chain(late.cert).Judge(usual()), Revocation, Failed, CertificateRevoked)
	if found := s.find(ds.cert); found == nil || found.anchor() {
		t.Error("the document signer is not there")
	}
	// A delta adds; an older revocation list of it is passed over, the newest stays.
	older := newCRL(t, ca, numbered(3, 3))
	r, err = c.offer([]byte(entry("userCertificate", late.cert.Raw)+entry("certificateRevocationList", older.Raw)), nil)
	if c.must(err); r.Certificates != 1 || r.CRLs != 0 || len(r.Passed) != 1 || !errors.Is(r.Passed[0], ErrRollback) {
		t.Errorf("%+v", r)
	}
	if s = c.load(); s.find(ds.cert) == nil || s.find(late.cert) == nil || len(s.CRLs()) != 1 {
		t.Error("not all there")
	}
	// For itself it is refused.
	if _, err = c.offer(older.Raw, nil); !errors.Is(err, ErrRollback) {
		t.Error(err)
	}
	if _, err = c.offer(newCRL(t, rogue, nil).Raw, nil); !errors.Is(err, ErrList) {
		t.Error(err)
	}
	if _, err = c.offer(newCRL(t, ca, numbered(5, -3)).Raw, nil); !errors.Is(err, ErrList) {
		t.Error("a list of the future:", err)
	}
	if r, err = c.offer(newCRL(t, ca, numbered(5, 0)).Raw, nil); err != nil || r.CRLs != 1 {
		t.Error(r, err)
	}
	if got := c.load().CRLs(); len(got) != 1 || got[0].Number.Int64() != 5 {
		t.Error(got)
	}
}

func TestImportAllOrNone(t *testing.T) {
	c := newCheckpoint(t)
	ca := newCSCA(t, "CSCA", nil)
	c.lay("csca.cer", ca.cert.Raw)
	good := signList(t, listSigner(t, ca, nil), masterList(t, ca.cert), nil)
	before := c.content()
	offers := []Offer{{"good", good}, {"ds", newSigner(t, ca, nil).cert.Raw}, {"cut", good[:len(good)-1]}, {"note", []byte("hello")}}
	if r, err := c.Import(offers, ImportOptions{At: now}); !errors.Is(err, ErrList) || r != nil || !strings.Contains(err.Error(), "note") && !strings.Contains(err.Error(), "cut") {
		t.Error(r, err)
	}
	if !equalContent(before, c.content()) || len(c.Seen.marks()) != 0 {
		t.Error("something was taken")
	}
	r, err := c.Import(offers, ImportOptions{At: now, Each: true})
	if err != nil || len(r) != 4 || len(r[0].Lists) != 0 || !errors.Is(r[0].Err, ErrList) || r[1].Certificates != 1 || len(c.load().Anchors()) != 1 {
		t.Errorf("a first list of anchors is not for couriers: %+v, %v", r, err)
	}
	if marks := c.Seen.marks(); slices.ContainsFunc(marks, func(m Mark) bool { return strings.Contains(m.Kind, "masterlist") }) {
		t.Errorf("what was refused is remembered: %v", marks)
	}
	earlier := signList(t, listSigner(t, ca, nil), masterList(t, ca.cert), func(m *cms.Message) { m.SigningTime = now.AddDate(0, 0, -9) })
	if _, err := c.offer(earlier, nil); err != nil {
		t.Fatal(err)
	}
	offers[1].Octets = newSigner(t, ca, nil).cert.Raw
	r, err = c.Import(offers, ImportOptions{At: now, Each: true})
	if err != nil || len(r) != 4 || len(r[0].Lists) != 1 || r[1].Certificates != 1 || !errors.Is(r[2].Err, ErrList) || !errors.Is(r[3].Err, ErrList) {
		t.Errorf("%+v, %v", r, err)
	}
}

// A folder that comes by copies is remembered by the judgements that rest on it.
func TestFolderThatIsCopiedDoesNotGoBack(t *testing.T) {
	desk, post := newCheckpoint(t), newCheckpoint(t)
	ca := newCSCA(t, "CSCA", nil)
	desk.lay("csca.cer", ca.cert.Raw)
	by := listSigner(t, ca, nil)
	editions := []map[string]string{}
	for _, days := range []int{9, 1} {
		if _, err := desk.offer(signList(t, by, masterList(t, ca.cert), func(m *cms.Message) { m.SigningTime = now.AddDate(0, 0, -days) }), nil); err != nil {
			t.Fatal(err)
		}
		editions = append(editions, desk.content())
	}
	put := func(files map[string]string) {
		post.must(os.RemoveAll(post.Path))
		for name, b := range files {
			post.lay(name, []byte(b))
		}
	}
	for _, e := range editions {
		put(e)
		post.must(post.Seen.Note(post.load().Relied(now)...))
	}
	put(editions[0])
	if s, err := post.Load(); s != nil || !errors.Is(err, ErrRollback) {
		t.Error(s, err)
	}
}

// The four roll-backs of a folder: an old one put in its place, the index taken away, the
// index edited and made to fit, a file edited.
func TestFolderDoesNotGoBack(t *testing.T) {
	ca := newCSCA(t, "CSCA", nil)
	by := listSigner(t, ca, nil)
	type step struct {
		name string
		do   func(c checkpoint, old, now map[string]string)
		want error
	}
	put := func(c checkpoint, files map[string]string) {
		c.must(os.RemoveAll(c.Path))
		for name, b := range files {
			c.lay(name, []byte(b))
		}
	}
	for _, s := range []step{
		{"an older folder", func(c checkpoint, old, _ map[string]string) { put(c, old) }, ErrRollback},
		{"no index", func(c checkpoint, _, _ map[string]string) { c.must(os.Remove(filepath.Join(c.Path, IndexFile))) }, ErrRollback},
		{"an edited index", func(c checkpoint, _, now map[string]string) {
			c.lay(IndexFile, []byte(strings.Replace(now[IndexFile], "\"P\"", "\"I\"", 1)))
		}, ErrEdited},
		{"an edited index, its digest made to fit", func(c checkpoint, _, now map[string]string) {
			x, err := ParseIndex([]byte(now[IndexFile]))
			c.must(err)
			x.Imports[0].Documents = nil
			c.lay(IndexFile, x.Format())
		}, ErrRollback},
		{"an edited file", func(c checkpoint, _, now map[string]string) {
			for name, b := range now {
				if strings.HasSuffix(name, ".ml") {
					c.lay(name, []byte(b+"\x00"))
				}
			}
		}, ErrEdited},
		{"a file of the index taken away", func(c checkpoint, _, now map[string]string) {
			for name := range now {
				if strings.HasSuffix(name, ".ml") {
					c.must(os.Remove(filepath.Join(c.Path, name)))
				}
			}
		}, ErrEdited},
		{"the folder as it was", func(c checkpoint, _, now map[string]string) { put(c, now) }, nil},
	} {
		t.Run(s.name, func(t *testing.T) {
			c := newCheckpoint(t)
			c.lay("csca.cer", ca.cert.Raw)
			list := func(days int) []byte {
				return signList(t, by, masterList(t, ca.cert), func(m *cms.Message) { m.SigningTime = now.AddDate(0, 0, -days) })
			}
			_, err := c.offer(list(9), nil)
			c.must(err)
			old := c.content()
			_, err = c.offer(list(1), nil)
			c.must(err)
			s.do(c, old, c.content())
			before := c.content()
			if _, err := c.Load(); !errors.Is(err, s.want) {
				t.Errorf("load: %v", err)
			}
			if _, err := c.offer(list(0), nil); !errors.Is(err, s.want) {
				t.Errorf("import: %v", err)
			}
			if s.want != nil && !equalContent(before, c.content()) {
				t.Error("an import changed it")
			}
		})
	}
}

// Wherever an import is torn, the folder is the old one or the new one.
func TestTornImport(t *testing.T) {
	c := newCheckpoint(t)
	ca := newCSCA(t, "CSCA", nil)
	c.lay("csca.cer", ca.cert.Raw)
	by := listSigner(t, ca, nil)
	list := func(days int) []byte {
		return signList(t, by, masterList(t, ca.cert), func(m *cms.Message) { m.SigningTime = now.AddDate(0, 0, -days) })
	}
	_, err := c.offer(list(9), nil)
	c.must(err)
	old := c.content()
	_, err = c.offer(list(1), nil)
	c.must(err)
	after := c.content()
	// All files of both, the index of either: as it is before and after the index is replaced.
	for name, b := range old {
		if _, ok := after[name]; !ok {
			c.lay(name, []byte(b))
		}
	}
	if x, err := c.Index(); err != nil || x.Generation != 2 {
		t.Error(x, err)
	}
	if got := anchors(c.load()); !slices.Equal(got, []string{"CSCA"}) {
		t.Error(got)
	}
	before := c
	before.Seen = openMemory(t, filepath.Join(t.TempDir(), "seen")) // which is written last
	before.lay(IndexFile, []byte(old[IndexFile]))
	if x, err := before.Index(); err != nil || x.Generation != 1 {
		t.Error(x, err)
	}
	if got := anchors(before.load()); !slices.Equal(got, []string{"CSCA"}) {
		t.Error(got)
	}
	if _, err := before.offer(list(1), nil); err != nil {
		t.Error("an import after a torn one:", err)
	}
}

func TestImportBlocked(t *testing.T) {
	c := newCheckpoint(t)
	ca := newCSCA(t, "CSCA", nil)
	ds := newSigner(t, ca, nil)
	c.lay("csca.cer", ca.cert.Raw)
	text := "[[signer]]\ncountry = \"UT\"\nserial = \"" + ds.cert.Serial.Text(16) + "\"\n"
	offer := func(b string) error {
		_, err := c.Import([]Offer{{"/media/usb/" + blockedFile, []byte(b)}}, ImportOptions{At: now})
		return err
	}
	c.must(offer(text))
	expect(t, c.load().Chain(ds.cert).Judge(usual()), Revocation, Failed, SignerBlocked)
	if err := offer("[[signer]]\n"); !errors.Is(err, ErrList) {
		t.Error(err)
	}
	r, err := c.Import([]Offer{{blockedFile, nil}}, ImportOptions{At: now, Each: true})
	if c.must(err); !errors.Is(r[0].Err, ErrList) {
		t.Error("a courier unblocked a signer:", r[0].Err)
	}
	expect(t, c.load().Chain(ds.cert).Judge(usual()), Revocation, Failed, SignerBlocked)
	c.must(offer("")) // nobody any more
	if f := c.load().Chain(ds.cert).Judge(usual()).Finding(Revocation); f.Kind == SignerBlocked {
		t.Error("still blocked")
	}
}

func TestImportSpecimenList(t *testing.T) {
	c := newCheckpoint(t)
	state := newCSCA(t, "CSCA of the state", nil)
	c.lay("state.cer", state.cert.Raw)
	_, err := c.offer(signList(t, listSigner(t, state, nil), masterList(t, state.cert), func(m *cms.Message) { m.SigningTime = now.AddDate(0, 0, -2) }), nil)
	c.must(err)
	test, other := newCSCA(t, "SPECIMEN CSCA", nil), newCSCA(t, "CSCA", nil)
	c.lay("csca.cer", test.cert.Raw)
	list := signList(t, listSigner(t, test, nil), masterList(t, other.cert), nil)
	_, err = c.offer(list, nil)
	c.must(err)
	for _, a := range c.load().Anchors() {
		if a.Specimen == (a.Cert.Subject.CommonName() == "CSCA of the state") {
			t.Errorf("%v: specimen %v", a.Cert.Subject, a.Specimen)
		}
	}
	// The list of the test key stands beside the state's own, not in its place.
	if x, err := c.Index(); err != nil || len(x.Imports) != 2 {
		t.Errorf("%+v, %v", x, err)
	}
}

// The lists of the world, one after the other, as a checkpoint gets them.
func TestImportRealLists(t *testing.T) {
	c := newCheckpoint(t)
	lists := realLists()
	for _, r := range lists[:3] {
		for _, p := range r.pins(t) {
			c.lay("pin-"+r.country+".cer", p.Raw) // the newer pin of Germany last
		}
	}
	for n, r := range []realList{lists[2], lists[0], lists[1]} {
		if n == 0 {
			c.lay("de-2024.cer", lists[2].pins(t)[0].Raw)
			c.lay("pin-DE.cer", lists[0].pins(t)[0].Raw)
		}
		o := ImportOptions{At: r.at}
		got, err := c.Import([]Offer{{r.file, testdata.Vectors(t, r.file)}}, o)
		if err != nil || len(got[0].Lists) != 1 || got[0].Lists[0].Country != r.country {
			t.Fatalf("%s: %+v, %v", r.file, got, err)
		}
	}
	s := c.load()
	t.Logf("%d certificates, %d anchors", len(s.Certificates()), len(s.Anchors()))
	if n := len(s.Anchors()); n < 300 {
		t.Errorf("%d anchors", n)
	}
	if x, err := c.Index(); err != nil || len(x.Imports) != 2 {
		t.Errorf("%+v, %v", x, err)
	}
	if _, err := c.Import([]Offer{{"older", testdata.Vectors(t, lists[2].file)}}, ImportOptions{At: lists[0].at}); !errors.Is(err, ErrRollback) {
		t.Error(err)
	}
}
