package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"testing"

	"github.com/tamthe/tamthe/card/cert"
)

// expect checks the level and kind of one aspect.
func expect(t *testing.T, r Result, a Aspect, l Level, k Kind) {
	t.Helper()
	if f := r.Finding(a); f.Level != l || f.Kind != k {
		t.Errorf("%s: level %d, kind %q (%s); want %d, %q", a, f.Level, f.Kind, f.Detail, l, k)
	}
}

func TestChainPasses(t *testing.T) {
	ca := newCSCA(t, "CSCA", nil)
	ds := newSigner(t, ca, nil)
	s := store([]*cert.Certificate{ca.cert}, []*cert.CRL{newCRL(t, ca, nil)}, Issuer{Country: "UT"})
	r := s.Chain(ds.cert).Judge(usual())
	for _, f := range r.Findings {
		want := Passed
		if f.Aspect == Outlived {
			want = Absent
		}
		if f.Level != want || f.Kind != "" && f.Aspect != Profiles {
			t.Errorf("%+v", f)
		}
	}
	if len(r.Findings) != len(Aspects) || len(r.Path) != 2 || r.Anchor == nil || r.Anchor.Fingerprint != ca.cert.Fingerprint() {
		t.Errorf("%+v", r)
	}
}

func TestChainOutcomes(t *testing.T) {
	ca, other := newCSCA(t, "CSCA", nil), newCSCA(t, "CSCA", nil)
	s := store([]*cert.Certificate{ca.cert}, nil)
	tests := []struct {
		name   string
		change func(*cert.Template)
		by     authority
		level  Level
		kind   Kind
	}{
		{"issued by an unknown key of the same name", nil, other, Undetermined, CSCAUnknown},
		{"copies name and key identifier", func(x *cert.Template) { x.AuthorityKeyID = ca.cert.SubjectKeyID }, other, Failed, ChainForged},
		{"copies the name, names no key", func(x *cert.Template) { x.AuthorityKeyID = nil }, other, Failed, ChainForged},
		{"copies the key identifier under another name", func(x *cert.Template) {
			x.AuthorityKeyID, x.Issuer = ca.cert.SubjectKeyID, name(t, "UT", "Nobody")
		}, other, Failed, ChainForged},
		{"another name, no key identifier", func(x *cert.Template) { x.AuthorityKeyID, x.Issuer = nil, name(t, "UT", "Nobody") }, other, Undetermined, CSCAUnknown},
		{"names its issuer wrongly, but the signature is right", func(x *cert.Template) {
			x.AuthorityKeyID, x.Issuer = []byte("wrong key id"), name(t, "UT", "Nobody")
		}, ca, Passed, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ds := newSigner(t, tt.by, tt.change)
			expect(t, s.Chain(ds.cert).Judge(usual()), Signature, tt.level, tt.kind)
		})
	}
}

func TestChainTriesEveryKeyOfOneNameAndIdentifier(t *testing.T) {
	ca := newCSCA(t, "CSCA", nil)
	var certs []*cert.Certificate
	for range 4 {
		twin := newCSCA(t, "CSCA", func(x *cert.Template) { x.SubjectKeyID, x.AuthorityKeyID = ca.cert.SubjectKeyID, ca.cert.SubjectKeyID })
		certs = append(certs, twin.cert)
	}
	s := store(append(certs, ca.cert), nil)
	r := s.Chain(newSigner(t, ca, nil).cert).Judge(usual())
	expect(t, r, Signature, Passed, "")
	if r.Anchor == nil || r.Anchor.Fingerprint != ca.cert.Fingerprint() {
		t.Error("the wrong twin")
	}
}

// linkTo makes a link certificate: next's key, signed by the old key.
func linkTo(t *testing.T, old, next authority, change func(*cert.Template)) *cert.Certificate {
	tpl := csca(t, "CSCA", next.key)
	tpl.Subject, tpl.Issuer, tpl.AuthorityKeyID = next.cert.Subject, old.cert.Subject, old.cert.SubjectKeyID
	if change != nil {
		change(&tpl)
	}
	return issue(t, tpl, old.key)
}

func TestChainFollowsLinksBySignature(t *testing.T) {
	first, second, third := newCSCA(t, "CSCA", nil), newCSCA(t, "CSCA 2", nil), newCSCA(t, "CSCA 3", nil)
	renamed := func(x *cert.Template) { x.NameChange = true }
	one := linkTo(t, first, second, renamed)
	two := linkTo(t, second, third, func(x *cert.Template) { x.NameChange, x.AuthorityKeyID = true, []byte("odd") })
	ds := newSigner(t, third, nil)
	s := store([]*cert.Certificate{first.cert, two, one}, nil)
	r := s.Chain(ds.cert).Judge(usual())
	expect(t, r, Signature, Passed, "")
	expect(t, r, Authority, Passed, "")
	if len(r.Path) != 4 {
		t.Errorf("path of %d", len(r.Path))
	}

	t.Run("no anchor for the first link", func(t *testing.T) {
		r := store([]*cert.Certificate{two, one}, nil).Chain(ds.cert).Judge(usual())
		expect(t, r, Signature, Undetermined, CSCAUnknown)
	})
	t.Run("forged link", func(t *testing.T) {
		thief := newCSCA(t, "CSCA", nil)
		fake := linkTo(t, authority{thief.key, first.cert}, second, nil)
		r := store([]*cert.Certificate{first.cert, fake}, nil).Chain(newSigner(t, second, nil).cert).Judge(usual())
		expect(t, r, Signature, Failed, ChainForged)
	})
	t.Run("genuine link, brought by the document", func(t *testing.T) {
		r := store([]*cert.Certificate{first.cert}, nil).Chain(newSigner(t, second, nil).cert, one).Judge(usual())
		expect(t, r, Signature, Undetermined, CSCAUnknown)
	})
}

func TestChainNeverTrustsWhatTheDocumentBrings(t *testing.T) {
	ca, thief := newCSCA(t, "CSCA", nil), newCSCA(t, "CSCA", nil)
	s := store([]*cert.Certificate{ca.cert}, nil)
	r := s.Chain(newSigner(t, thief, nil).cert, thief.cert).Judge(usual())
	expect(t, r, Signature, Undetermined, CSCAUnknown)
	if r.Anchor != nil && r.Finding(Signature).Level == Passed {
		t.Error("trusted")
	}

	self := newKey(t)
	tpl := signer(t, ca, self)
	tpl.Issuer, tpl.AuthorityKeyID = tpl.Subject, nil
	expect(t, s.Chain(issue(t, tpl, self)).Judge(usual()), Signature, Failed, ChainForged)
}

func TestUsageAndAuthority(t *testing.T) {
	ca := newCSCA(t, "CSCA", nil)
	s := store([]*cert.Certificate{ca.cert}, nil)
	judge := func(change func(*cert.Template)) Result { return s.Chain(newSigner(t, ca, change).cert).Judge(usual()) }

	expect(t, judge(func(x *cert.Template) { x.KeyUsage = cert.KeyUsage(1 << 2) }), Usage, Failed, SignerUsage)
	expect(t, judge(func(x *cert.Template) { x.KeyUsage |= cert.KeyCertSign }), Usage, Failed, SignerUsage)
	expect(t, judge(func(x *cert.Template) { x.BasicConstraints = &cert.BasicConstraints{CA: true, PathLen: -1} }), Usage, Failed, SignerUsage)
	expect(t, judge(func(x *cert.Template) { x.ExtKeyUsage = append(x.ExtKeyUsage, cert.OIDMasterListSigner) }), Usage, Failed, SignerUsage)
	expect(t, s.Chain(ca.cert).Judge(usual()), Usage, Failed, SignerUsage)
	expect(t, judge(func(x *cert.Template) { x.DocumentTypes = []string{"P"} }), DocumentType, Failed, SignerType)
	expect(t, judge(func(x *cert.Template) { x.DocumentTypes = []string{"IA"} }), DocumentType, Failed, SignerType)
	expect(t, judge(func(x *cert.Template) { x.DocumentTypes = []string{"P", "ID"} }), DocumentType, Passed, "")
	expect(t, judge(func(x *cert.Template) {
		x.Extra = append(x.Extra, cert.Extension{OID: []int{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}})
	}), Structure, Failed, CertCritical)

	t.Run("trusted, but no CA", func(t *testing.T) {
		bad := newCSCA(t, "CSCA", func(x *cert.Template) { x.BasicConstraints = nil })
		r := store([]*cert.Certificate{bad.cert}, nil).Chain(newSigner(t, bad, nil).cert).Judge(usual())
		expect(t, r, Signature, Passed, "")
		expect(t, r, Authority, Failed, CSCAUsage)
	})
	t.Run("trusted, but must not sign certificates", func(t *testing.T) {
		bad := newCSCA(t, "CSCA", func(x *cert.Template) { x.KeyUsage = cert.CRLSign })
		r := store([]*cert.Certificate{bad.cert}, nil).Chain(newSigner(t, bad, nil).cert).Judge(usual())
		expect(t, r, Authority, Failed, CSCAUsage)
	})
	t.Run("a signer as issuer", func(t *testing.T) {
		ds := newSigner(t, ca, nil)
		below := newSigner(t, ds, nil)
		expect(t, store([]*cert.Certificate{ca.cert, ds.cert}, nil).Chain(below.cert).Judge(usual()), Authority, Failed, CSCAUsage)
		expect(t, s.Chain(below.cert, ds.cert).Judge(usual()), Authority, Failed, CSCAUsage)
		expect(t, s.Chain(below.cert).Judge(usual()), Signature, Undetermined, CSCAUnknown)
	})
	t.Run("path length", func(t *testing.T) {
		sub := newSigner(t, ca, func(x *cert.Template) {
			x.KeyUsage, x.BasicConstraints = cert.KeyCertSign, &cert.BasicConstraints{CA: true, PathLen: 0}
		})
		ds := newSigner(t, sub, nil)
		expect(t, store([]*cert.Certificate{ca.cert, sub.cert}, nil).Chain(ds.cert).Judge(usual()), Authority, Failed, PathLength)
		expect(t, s.Chain(ds.cert, sub.cert).Judge(usual()), Authority, Failed, PathLength)
	})
}

func TestCountry(t *testing.T) {
	ca := newCSCA(t, "CSCA", nil)
	foreign := newCSCA(t, "CSCA", func(x *cert.Template) {
		x.Issuer = name(t, "XX", "CSCA")
		x.Subject = x.Issuer
	})
	s := store([]*cert.Certificate{ca.cert, foreign.cert}, nil)
	lower := newSigner(t, ca, func(x *cert.Template) { x.Subject = name(t, "ut", "DS") })
	expect(t, s.Chain(lower.cert).Judge(usual()), Country, Passed, "")
	expect(t, s.Chain(newSigner(t, foreign, nil).cert).Judge(usual()), Country, Failed, CountryMismatch)
	q := usual()
	q.Country = "VNM"
	expect(t, s.Chain(newSigner(t, ca, nil).cert).Judge(q), Country, Failed, CountryMismatch)
	q.Country = ""
	expect(t, s.Chain(newSigner(t, ca, nil).cert).Judge(q), Country, Passed, "")

	for state, want := range map[string]string{"VNM": "VN", "D<<": "DE", "D": "DE", "UTO": "UT", "GBD": "GB", "EUE": "EU", "USA": "US", "RKS": "KS", "???": "", "": "", "V": "", "001": ""} {
		if got := CountryOf(state); got != want {
			t.Errorf("%q is %q, want %q", state, got, want)
		}
	}
}

func TestSpecimen(t *testing.T) {
	ca := newCSCA(t, "Specimen CSCA", nil)
	ds := newSigner(t, ca, nil)
	s := store([]*cert.Certificate{ca.cert}, nil)
	expect(t, s.Chain(ds.cert).Judge(usual()), Specimen, Undetermined, TestKeys)
	q := usual()
	q.Specimen = true
	expect(t, s.Chain(ds.cert).Judge(q), Specimen, Passed, TestKeys)
	if a := s.Anchors(); len(a) != 1 || !a[0].Specimen {
		t.Errorf("%+v", a)
	}
}

func TestPinnedAnchors(t *testing.T) {
	cards, passports := newCSCA(t, "CSCA", nil), newCSCA(t, "CSCA ePassport", nil)
	s := store([]*cert.Certificate{cards.cert, passports.cert}, nil,
		Issuer{Country: "UT", Documents: []string{"I"}, Anchors: [][32]byte{cards.cert.Fingerprint()}},
		Issuer{Country: "UT", Documents: []string{"P"}, Anchors: [][32]byte{passports.cert.Fingerprint()}})
	expect(t, s.Chain(newSigner(t, cards, nil).cert).Judge(usual()), DocumentType, Passed, "")
	expect(t, s.Chain(newSigner(t, passports, nil).cert).Judge(usual()), DocumentType, Failed, AnchorType)
}

func TestStrength(t *testing.T) {
	ca := newCSCA(t, "CSCA", nil)
	s := store([]*cert.Certificate{ca.cert}, nil)
	weak := newSigner(t, ca, func(x *cert.Template) { x.Algorithm.Hash = crypto.SHA1 })
	expect(t, s.Chain(weak.cert).Judge(usual()), Strength, Failed, AlgorithmWeak)
	expect(t, s.Chain(newSigner(t, ca, nil).cert).Judge(usual()), Strength, Passed, "")

	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	small := newSigner(t, ca, func(x *cert.Template) { x.PublicKey = &short.PublicKey })
	expect(t, s.Chain(small.cert).Judge(usual()), Strength, Failed, KeyShort)
}
