package pki

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/testdata"
)

// certificateFile reads a certificate of the vectors.
func certificateFile(t testing.TB, path string) *cert.Certificate {
	t.Helper()
	c, err := cert.Parse(testdata.Vectors(t, path))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// unitedNations returns the CSCA of the United Nations that the list of a state holds: in
// the vectors it lies nowhere else.
func unitedNations(t testing.TB, list string) []*cert.Certificate {
	t.Helper()
	d, err := cms.Parse(testdata.Vectors(t, list))
	if err != nil {
		t.Fatal(err)
	}
	certs, err := parseMasterList(d.Content)
	if err != nil {
		t.Fatal(err)
	}
	var out []*cert.Certificate
	for _, raw := range certs {
		if c, err := cert.Parse(raw); err == nil && c.Subject.Country() == "UN" && c.SelfSigned() {
			out = append(out, c)
		}
	}
	return out
}

// realList is a list of the vectors with whom an operator pins for it.
type realList struct {
	file, country string
	certificates  int
	pins          func(t testing.TB) []*cert.Certificate
	at            time.Time
}

func realLists() []realList {
	one := func(path string) func(testing.TB) []*cert.Certificate {
		return func(t testing.TB) []*cert.Certificate { return []*cert.Certificate{certificateFile(t, path)} }
	}
	return []realList{
		{"pki/master-lists/DE_ML_2026-05-28-08-28-45.ml", "DE", 588, one("pki/roots/DE_ROOT_CA_CSCA07.cer"), time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)},
		{"pki/master-lists/NL_ML_2026-07-22.ml", "NL", 411, one("pki/roots/NL_ROOT_CA.cer"), time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)},
		{"pki/master-lists/DE_ML_2024-08-07-07-38-24.ml", "DE", 541, one("pki/csca-for-sods/66b09a816ff5c76d.cer"), time.Date(2024, 9, 1, 0, 0, 0, 0, time.UTC)},
		{"pki/master-lists/ICAO_ml_September2023.ml", "UN", 394, func(t testing.TB) []*cert.Certificate {
			return unitedNations(t, "pki/master-lists/DE_ML_2024-08-07-07-38-24.ml")
		}, time.Date(2023, 10, 1, 0, 0, 0, 0, time.UTC)},
	}
}

// Every real list verifies under the CSCA that an operator pinned for it, and under
// nothing else.
func TestRealMasterLists(t *testing.T) {
	var index struct {
		Cases []struct {
			File         string
			Certificates int
		}
	}
	if err := json.Unmarshal(testdata.Vectors(t, "pki/master-lists/index.json"), &index); err != nil {
		t.Fatal(err)
	}
	if len(index.Cases) != len(realLists()) {
		t.Errorf("%d lists in the vectors, %d tried", len(index.Cases), len(realLists()))
	}
	var foreign []*cert.Certificate // 60 CSCAs of other states
	for _, file := range glob(t, "pki/odd-csca/*.cer") {
		c := certificateFile(t, file)
		if country := canonical(c.Subject.Country()); country != "DE" && country != "NL" && country != "UN" {
			foreign = append(foreign, c)
		}
	}
	for _, r := range realLists() {
		t.Run(filepath.Base(r.file), func(t *testing.T) {
			raw := testdata.Vectors(t, r.file)
			l, err := store(r.pins(t), nil).OpenList(raw, r.at)
			if err != nil {
				t.Fatal(err)
			}
			if l.Kind != KindMasterList || l.Country != r.country || len(l.Certificates) != r.certificates || l.Specimen || l.Anchor == nil || l.Signed.After(r.at) {
				t.Errorf("%s of %s, %d certificates, signed %v", l.Kind, l.Country, len(l.Certificates), l.Signed)
			}
			if i := slices.IndexFunc(index.Cases, func(c struct {
				File         string
				Certificates int
			},
			) bool {
				return c.File == r.file
			}); i < 0 || index.Cases[i].Certificates != r.certificates {
				t.Error("not as in the index of the vectors")
			}
			for name, s := range map[string]*Store{"nobody": store(nil, nil), "other states": store(foreign, nil)} {
				if _, err := s.OpenList(raw, r.at); !errors.Is(err, errListUnknown) {
					t.Errorf("%s pinned: %v", name, err)
				}
			}
			if _, err := store(r.pins(t), nil).OpenList(raw, l.Signed.Add(-clockSkew-time.Second)); !errors.Is(err, ErrList) {
				t.Error("a list of the future:", err)
			}
			if _, err := store(r.pins(t), nil).OpenList(raw, l.Signer.NotAfter.Add(time.Second)); !errors.Is(err, ErrList) {
				t.Error("a signer that has ended:", err)
			}
		})
	}
}

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	dir := testdata.Dir(t)
	files, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", pattern, err)
	}
	for i := range files {
		if files[i], err = filepath.Rel(dir, files[i]); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// A real list that is cut, or changed in any of many places, is refused whole. The only
// octets that carry no meaning are those of further certificates that its signer packed
// in: nobody signed that they are there, and no chain needs them.
func TestDamagedMasterListsAreRefusedWhole(t *testing.T) {
	for _, r := range realLists()[:2] {
		s := store(r.pins(t), nil)
		raw := testdata.Vectors(t, r.file)
		good, err := s.OpenList(raw, r.at)
		if err != nil {
			t.Fatal(err)
		}
		idle := packedBesides(t, raw, good.Signer)
		try := func(what string, at int, b []byte) {
			l, err := s.OpenList(b, r.at)
			if err == nil && idle(at) && len(l.Certificates) == len(good.Certificates) {
				return
			}
			if !errors.Is(err, ErrList) || l != nil {
				t.Errorf("%s: %s at %d: %v", r.file, what, at, err)
			}
		}
		step := len(raw)/60 + 1
		var places []int
		for i := 0; i < len(raw); i += step {
			places = append(places, i)
		}
		for i := 1; i < 400; i += 13 { // the signer's info lies at the end
			places = append(places, len(raw)-i)
		}
		for _, i := range places {
			flipped := slices.Clone(raw)
			flipped[i] ^= 1
			try("changed", i, flipped)
			try("cut", -1, raw[:i])
		}
		try("an octet more", -1, append(slices.Clone(raw), 0))
	}
}

// packedBesides says which octets of a list lie in certificates that are packed in, the
// signer's excepted.
func packedBesides(t testing.TB, raw []byte, signer *cert.Certificate) func(at int) bool {
	d, err := cms.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return func(at int) bool {
		for _, c := range d.Certificates {
			if begin := bytes.LastIndex(raw, c.Raw); !bytes.Equal(c.Raw, signer.Raw) && begin <= at && at < begin+len(c.Raw) {
				return true
			}
		}
		return false
	}
}

// listSigner is the template of a signer of lists.
func listSigner(t testing.TB, ca authority, change func(*cert.Template)) authority {
	return newSigner(t, ca, func(x *cert.Template) {
		x.Subject, x.DocumentTypes, x.PrivateKeyUsage = name(t, "UT", "List Signer"), nil, nil
		x.ExtKeyUsage = []asn1.ObjectIdentifier{cert.OIDMasterListSigner}
		if change != nil {
			change(x)
		}
	})
}

// masterList encodes a CscaMasterList (ICAO 9303-12 §9.2).
func masterList(t testing.TB, certs ...*cert.Certificate) []byte {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		b.AddASN1(tags.SET, func(b *cryptobyte.Builder) {
			for _, c := range certs {
				b.AddBytes(c.Raw)
			}
		})
	})
	der, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// signList signs a list; change may be nil.
func signList(t testing.TB, by authority, content []byte, change func(*cms.Message), extra ...*cert.Certificate) []byte {
	t.Helper()
	m := cms.Message{
		ContentType: cms.OIDMasterList, Content: content, Certificate: by.cert, ByKeyID: true, SigningTime: now.AddDate(0, 0, -1),
		Algorithm: cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA256},
	}
	for _, c := range extra {
		m.Certificates = append(m.Certificates, c.Raw)
	}
	if change != nil {
		change(&m)
	}
	raw, err := cms.Sign(m, by.key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestOpenList(t *testing.T) {
	pinned, other, rogue := newCSCA(t, "CSCA", nil), newCSCA(t, "CSCA of another", nil), newCSCA(t, "Rogue", nil)
	signer := listSigner(t, pinned, nil)
	next := newCSCA(t, "CSCA 2", nil)
	link := linkTo(t, pinned, next, nil)
	nextSigner := listSigner(t, next, nil)
	content := masterList(t, pinned.cert, other.cert)
	revoked := newCRL(t, pinned, nil, signer.cert)

	good := []struct {
		name string
		raw  []byte
	}{
		{"a list under the pinned CSCA", signList(t, signer, content, nil)},
		{"by issuer and serial number", signList(t, signer, content, func(m *cms.Message) { m.ByKeyID = false })},
		{"with its CSCA packed in", signList(t, signer, content, nil, pinned.cert)},
		{"after a rollover, the link in the list", signList(t, nextSigner, masterList(t, next.cert, link), nil)},
		{"after a rollover, the link packed in", signList(t, nextSigner, content, nil, linkTo(t, pinned, next, func(x *cert.Template) { x.NameChange = true }))},
	}
	s := store([]*cert.Certificate{pinned.cert}, nil)
	for _, g := range good {
		if l, err := s.OpenList(g.raw, now); err != nil || l.Anchor.Fingerprint != pinned.cert.Fingerprint() || l.Country != "UT" {
			t.Errorf("%s: %v", g.name, err)
		}
	}

	usage := func(change func(*cert.Template)) []byte {
		return signList(t, listSigner(t, pinned, change), content, nil)
	}
	bad := []struct {
		name    string
		raw     []byte
		unknown bool
	}{
		{"self-contained: its CSCA only in the list itself", signList(t, listSigner(t, rogue, nil), masterList(t, rogue.cert), nil), true},
		{"self-contained: its CSCA packed in", signList(t, listSigner(t, rogue, nil), content, nil, rogue.cert), true},
		{"a forged link from the pinned CSCA", signList(t, listSigner(t, rogue, nil), masterList(t, rogue.cert, forgedLink(t, pinned, rogue)), nil), true},
		{"copies the pinned CSCA's name and key identifier", signList(t, listSigner(t, authority{rogue.key, pinned.cert}, nil), content, nil), true},
		{"signed by the CSCA itself", signList(t, pinned, content, nil), false},
		{"signed by a document signer", signList(t, newSigner(t, pinned, nil), content, nil), false},
		{"signer for deviation lists", usage(func(x *cert.Template) { x.ExtKeyUsage = []asn1.ObjectIdentifier{OIDDeviationListSigner} }), false},
		{"signer for more than lists", usage(func(x *cert.Template) {
			x.ExtKeyUsage = append(x.ExtKeyUsage, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1})
		}), false},
		{"signer may sign certificates", usage(func(x *cert.Template) { x.KeyUsage |= cert.KeyCertSign }), false},
		{"signer without digitalSignature", usage(func(x *cert.Template) { x.KeyUsage = cert.KeyUsage(1 << 1) }), false},
		{"signer that has ended", usage(func(x *cert.Template) { x.NotAfter = now.AddDate(0, 0, -2) }), false},
		{"signer not valid yet", usage(func(x *cert.Template) { x.NotBefore = now.Add(-time.Hour) }), false},
		{"signer of another state", usage(func(x *cert.Template) { x.Subject = name(t, "VN", "List Signer") }), false},
		{"signer with an unknown critical extension", usage(func(x *cert.Template) {
			x.Extra = []cert.Extension{{OID: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}}
		}), false},
		{"no signing time", signList(t, signer, content, func(m *cms.Message) { m.SigningTime = time.Time{} }), false},
		{"signed in the future", signList(t, signer, content, func(m *cms.Message) { m.SigningTime = now.AddDate(0, 0, 1) }), false},
		{"another content type", signList(t, signer, content, func(m *cms.Message) { m.ContentType = cms.OIDLDSSecurityObject }), false},
		{"content that is none", signList(t, signer, []byte{0x30, 0}, nil), false},
		{"an empty list", signList(t, signer, masterList(t), nil), false},
		{"bytes behind the list", signList(t, signer, append(slices.Clone(content), 0), nil), false},
		{"another version", signList(t, signer, bytes.Replace(content, []byte{2, 1, 0}, []byte{2, 1, 1}, 1), nil), false},
		{"signed with SHA-1", signList(t, signer, content, func(m *cms.Message) { m.Algorithm.Hash = crypto.SHA1 }), false},
		{"no list at all", []byte("hello"), false},
	}
	for _, b := range bad {
		l, err := s.OpenList(b.raw, now)
		if !errors.Is(err, ErrList) || errors.Is(err, errListUnknown) != b.unknown || l != nil {
			t.Errorf("%s: %v", b.name, err)
		}
	}
	if _, err := store([]*cert.Certificate{pinned.cert}, []*cert.CRL{revoked}).OpenList(good[0].raw, now); !errors.Is(err, ErrList) {
		t.Error("a revoked signer:", err)
	}
	if _, err := store([]*cert.Certificate{pinned.cert}, []*cert.CRL{newCRL(t, pinned, nil, link)}).OpenList(good[3].raw, now); !errors.Is(err, ErrList) {
		t.Error("a revoked link above the signer:", err)
	}
	if _, err := store([]*cert.Certificate{other.cert}, nil).OpenList(good[0].raw, now); !errors.Is(err, errListUnknown) {
		t.Error("another CSCA pinned:", err)
	}
}

// forgedLink claims that the first authority handed its trust on to the second.
func forgedLink(t testing.TB, from, to authority) *cert.Certificate {
	tpl := csca(t, "CSCA", to.key)
	tpl.Issuer, tpl.Subject, tpl.AuthorityKeyID = from.cert.Subject, to.cert.Subject, from.cert.SubjectKeyID
	return issue(t, tpl, to.key)
}

func TestSpecimenLists(t *testing.T) {
	test := newCSCA(t, "SPECIMEN CSCA", nil)
	l, err := store([]*cert.Certificate{test.cert}, nil).OpenList(signList(t, listSigner(t, test, nil), masterList(t, test.cert), nil), now)
	if err != nil || !l.Specimen {
		t.Error(err)
	}
}

func FuzzOpenList(f *testing.F) {
	ca := newCSCA(f, "CSCA", nil)
	s := store([]*cert.Certificate{ca.cert}, nil)
	good := signList(f, listSigner(f, ca, nil), masterList(f, ca.cert), nil)
	f.Add(good)
	f.Add(signList(f, listSigner(f, ca, deviationSigner), deviationList(f), signsDeviations))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := s.OpenList(b, now)
		if err != nil && (l != nil || !errors.Is(err, ErrList)) {
			t.Error(l, err)
		}
		if l, err := readDeviations(b); err != nil && l != nil {
			t.Error(l, err)
		}
	})
}
