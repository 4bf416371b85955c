package pki

import (
	"crypto"
	"encoding/asn1"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/testdata"
)

// conforming is a template that breaks no rule of the profile, under the authority (nil for
// a CSCA).
func conforming(t testing.TB, p Profile, ca *authority) cert.Template {
	t.Helper()
	key := newKey(t)
	locality, err := cert.NewName(cert.Attribute{Type: cert.OIDLocality, Value: "UTO", Tag: 19})
	if err != nil {
		t.Fatal(err)
	}
	names := []cert.GeneralName{cert.MailName("csca@example.org"), cert.DirectoryName(locality)}
	id := keyIDOf(t, &key.PublicKey)
	tpl := cert.Template{
		Serial: big.NewInt(77), Algorithm: cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA256},
		Issuer: name(t, "UT", "CSCA"), Subject: name(t, "UT", "CSCA"), NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(9, 0, 0),
		PublicKey: &key.PublicKey, AuthorityKeyID: id, SubjectKeyID: id,
		SubjectAltName: names, IssuerAltName: names, CRLDistributionPoints: []string{"https://pkddownload1.icao.int/CRLs/UTO.crl"},
		PrivateKeyUsage: &cert.Period{NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(-1, 3, 0)},
	}
	if ca != nil {
		tpl.AuthorityKeyID = ca.cert.SubjectKeyID
	}
	switch p {
	case ProfileCSCA, ProfileLink:
		tpl.KeyUsage, tpl.BasicConstraints = cert.KeyCertSign|cert.CRLSign, &cert.BasicConstraints{CA: true}
	case ProfileSigner:
		tpl.Subject, tpl.KeyUsage, tpl.DocumentTypes = name(t, "UT", "DS"), cert.DigitalSignature, []string{"P", "ID"}
	case ProfileMasterList:
		tpl.Subject, tpl.KeyUsage, tpl.ExtKeyUsage = name(t, "UT", "MLS"), cert.DigitalSignature, []asn1.ObjectIdentifier{cert.OIDMasterListSigner}
	case ProfileCommunication:
		tpl.Subject, tpl.KeyUsage, tpl.ExtKeyUsage = name(t, "UT", "Communication"), cert.DigitalSignature, []asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 1}}
	case ProfileDeviationList:
		tpl.Subject, tpl.KeyUsage, tpl.ExtKeyUsage = name(t, "UT", "DLS"), cert.DigitalSignature, []asn1.ObjectIdentifier{OIDDeviationListSigner}
	}
	return tpl
}

// rulesOf lists the broken rules, errors with a mark.
func rulesOf(list []Breach) []string {
	var out []string
	for _, b := range list {
		out = append(out, map[Severity]string{Warning: "", Error: "!"}[b.Severity]+b.Rule)
	}
	return out
}

// Every rule of table 6 has a certificate that keeps it and one that does not.
func TestLint(t *testing.T) {
	root := conforming(t, ProfileCSCA, nil)
	rootKey := newKey(t)
	root.PublicKey, root.SubjectKeyID, root.AuthorityKeyID = &rootKey.PublicKey, keyIDOf(t, &rootKey.PublicKey), keyIDOf(t, &rootKey.PublicKey)
	ca := &authority{rootKey, issue(t, root, rootKey)}
	for _, p := range []Profile{ProfileCSCA, ProfileLink, ProfileSigner, ProfileMasterList, ProfileDeviationList} {
		above := ca
		tpl := conforming(t, p, ca)
		if p == ProfileCSCA {
			tpl, above = root, nil
		}
		c := issue(t, tpl, rootKey)
		if got := ProfileOf(c); got != p {
			t.Errorf("%v is taken for %v", p, got)
		}
		if got := Lint(c, p, above.certificate()); got != nil {
			t.Errorf("%v: %v", p, got)
		}
	}
	other := []cert.GeneralName{cert.URIName("https://example.org")}
	for _, c := range []struct {
		p      Profile
		rule   string // "!" marks an error
		change func(*cert.Template)
	}{
		{ProfileLink, "!authority-key-identifier.missing", func(x *cert.Template) { x.AuthorityKeyID = nil }},
		{ProfileSigner, "!authority-key-identifier.value", func(x *cert.Template) { x.AuthorityKeyID = []byte{1} }},
		{ProfileLink, "!subject-key-identifier.missing", func(x *cert.Template) { x.SubjectKeyID = nil }},
		{ProfileSigner, "!key-usage.missing", func(x *cert.Template) { x.KeyUsage = 0 }},
		{ProfileSigner, "!key-usage.value", func(x *cert.Template) { x.KeyUsage |= 2 }},
		{ProfileLink, "!key-usage.value", func(x *cert.Template) { x.KeyUsage = cert.KeyCertSign }},
		{ProfileSigner, "!private-key-usage-period.missing", func(x *cert.Template) { x.PrivateKeyUsage = nil }},
		{ProfileSigner, "private-key-usage-period.value", func(x *cert.Template) { x.PrivateKeyUsage = &cert.Period{NotAfter: now.AddDate(20, 0, 0)} }},
		{ProfileSigner, "signer-key-over-3-months", func(x *cert.Template) { x.PrivateKeyUsage.NotAfter = now }},
		{ProfileLink, "csca-key-over-5-years", func(x *cert.Template) { x.PrivateKeyUsage.NotAfter = now.AddDate(5, 0, 0) }},
		{ProfileSigner, "!subject-alternative-name.missing", func(x *cert.Template) { x.SubjectAltName = nil }},
		{ProfileSigner, "!issuer-alternative-name.value", func(x *cert.Template) { x.IssuerAltName = other }},
		{ProfileSigner, "subject-alternative-name.contact", func(x *cert.Template) { x.SubjectAltName = x.SubjectAltName[1:] }},
		{ProfileCSCA, "!alternative-names-differ", func(x *cert.Template) { x.IssuerAltName = x.IssuerAltName[1:] }},
		{ProfileLink, "!basic-constraints.missing", func(x *cert.Template) { x.BasicConstraints = nil }},
		{ProfileLink, "!basic-constraints.path-length", func(x *cert.Template) { x.BasicConstraints.PathLen = -1 }},
		{ProfileLink, "!basic-constraints.path-length", func(x *cert.Template) { x.BasicConstraints.PathLen = 1 }},
		{ProfileLink, "basic-constraints.path-length", func(x *cert.Template) {
			x.BasicConstraints.PathLen, x.NotBefore = 1, time.Date(2012, 1, 1, 0, 0, 0, 0, time.UTC)
		}},
		{ProfileLink, "!basic-constraints.value", func(x *cert.Template) { x.BasicConstraints.CA = false }},
		{ProfileSigner, "!basic-constraints.forbidden", func(x *cert.Template) { x.BasicConstraints = &cert.BasicConstraints{PathLen: -1} }},
		{ProfileSigner, "!extended-key-usage.forbidden", func(x *cert.Template) { x.ExtKeyUsage = []asn1.ObjectIdentifier{{1, 3, 6}} }},
		{ProfileMasterList, "!extended-key-usage.value", func(x *cert.Template) { x.ExtKeyUsage = []asn1.ObjectIdentifier{OIDDeviationListSigner} }},
		{ProfileSigner, "!crl-distribution-points.missing", func(x *cert.Template) { x.CRLDistributionPoints = nil }},
		{ProfileSigner, "crl-distribution-points.missing", func(x *cert.Template) {
			x.CRLDistributionPoints, x.NotBefore = nil, time.Date(2012, 1, 1, 0, 0, 0, 0, time.UTC)
		}},
		{ProfileSigner, "!crl-distribution-points.value", func(x *cert.Template) { x.CRLDistributionPoints = []string{"ftp://example.org/crl"} }},
		{ProfileSigner, "!document-type-list.missing", func(x *cert.Template) { x.DocumentTypes = nil }},
		{ProfileSigner, "!document-type-list.value", func(x *cert.Template) { x.DocumentTypes = []string{"IDX"} }},
		{ProfileMasterList, "!document-type-list.forbidden", func(x *cert.Template) { x.DocumentTypes = []string{"P"} }},
		{ProfileSigner, "!name-change.forbidden", func(x *cert.Template) { x.NameChange = true }},
		{ProfileLink, "!name-change.missing", func(x *cert.Template) { x.Subject = name(t, "UT", "CSCA 2") }},
		{ProfileSigner, "!policy-mappings.forbidden", func(x *cert.Template) {
			x.Extra = []cert.Extension{{OID: asn1.ObjectIdentifier{2, 5, 29, 33}, Value: []byte{0x30, 0}}}
		}},
		{ProfileSigner, "!certificate-policies.criticality", func(x *cert.Template) {
			x.Extra = []cert.Extension{{OID: asn1.ObjectIdentifier{2, 5, 29, 32}, Critical: true, Value: []byte{0x30, 0}}}
		}},
		{ProfileSigner, "!unknown-critical-extension", func(x *cert.Template) {
			x.Extra = []cert.Extension{{OID: asn1.ObjectIdentifier{1, 2, 3}, Critical: true}}
		}},
		{ProfileSigner, "!issuer-name", func(x *cert.Template) { x.Issuer = name(t, "UT", "CSCA 9") }},
		{ProfileSigner, "!country-differs", func(x *cert.Template) { x.Subject = name(t, "XX", "DS") }},
		{ProfileSigner, "!country", func(x *cert.Template) { x.Subject = name(t, "ut", "DS") }},
		{ProfileSigner, "validity-beyond-issuer", func(x *cert.Template) { x.NotAfter = now.AddDate(30, 0, 0) }},
		{ProfileSigner, "!signature-hash", func(x *cert.Template) { x.Algorithm.Hash = crypto.SHA1 }},
		{ProfileSigner, "!explicit-parameters", func(x *cert.Template) { x.Named = true }},
	} {
		tpl := conforming(t, c.p, ca)
		if c.p == ProfileCSCA {
			tpl = root
		}
		c.change(&tpl)
		got := rulesOf(Lint(issue(t, tpl, rootKey), c.p, ca.cert))
		if !slices.Contains(got, c.rule) {
			t.Errorf("%v: %v, want %s", c.p, got, c.rule)
		}
	}
}

// certificate is the authority's, nil of none.
func (a *authority) certificate() *cert.Certificate {
	if a == nil {
		return nil
	}
	return a.cert
}

func TestLintCRL(t *testing.T) {
	ca := newCSCA(t, "CSCA", nil)
	if got := LintCRL(newCRL(t, ca, nil), ca.cert); got != nil {
		t.Error(got)
	}
	for rule, change := range map[string]func(*cert.CRLTemplate){
		"!crl-period":                     func(x *cert.CRLTemplate) { x.NextUpdate = x.ThisUpdate.AddDate(0, 0, 91) },
		"!authority-key-identifier.value": func(x *cert.CRLTemplate) { x.AuthorityKeyID = []byte{1} },
		"!issuer-name":                    func(x *cert.CRLTemplate) { x.Issuer = name(t, "UT", "CSCA 9") },
		"!entry-extension.forbidden": func(x *cert.CRLTemplate) {
			x.Reasons, x.Entries = true, []cert.Revocation{{Serial: big.NewInt(5), Time: x.ThisUpdate, Reason: cert.KeyCompromise}}
		},
		"entry-twice": func(x *cert.CRLTemplate) {
			x.Entries = slices.Repeat([]cert.Revocation{{Serial: big.NewInt(5), Time: x.ThisUpdate}}, 2)
		},
		"entry-in-future": func(x *cert.CRLTemplate) { x.Entries = []cert.Revocation{{Serial: big.NewInt(5), Time: x.NextUpdate}} },
	} {
		if got := rulesOf(LintCRL(newCRL(t, ca, change), ca.cert)); !slices.Contains(got, rule) {
			t.Errorf("%v, want %s", got, rule)
		}
	}
}

// What states publish is linted without a panic, and the verdict on real signers never
// hangs on it: few keep every rule.
func TestLintRealCertificates(t *testing.T) {
	clean, count := 0, map[string]int{}
	known := map[string]bool{}
	for _, r := range Rules() {
		known[r.Code] = known[r.Code] || r.Of == "certificate"
	}
	all := masterListCertificates(t)
	for _, c := range all {
		p := ProfileOf(c)
		errors := 0
		for _, b := range Lint(c, p, nil) {
			if b.Severity == Error {
				errors++
				count[b.Rule]++
			}
			if !known[b.Rule] || !strings.HasPrefix(b.Spec, "9303-12 ") {
				t.Errorf("%+v", b)
			}
		}
		if errors == 0 {
			clean++
		}
	}
	t.Logf("%d of %d without an error: %v", clean, len(all), count)
	if clean < len(all)/10 || clean > len(all)*9/10 {
		t.Errorf("%d of %d without an error", clean, len(all))
	}
}

// masterListCertificates are the certificates of all lists, each once.
func masterListCertificates(t testing.TB) []*cert.Certificate {
	t.Helper()
	seen := map[[32]byte]bool{}
	var all []*cert.Certificate
	names, err := filepath.Glob(filepath.Join(testdata.Dir(t), "pki/master-lists/*.ml"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		s, err := cms.Parse(b)
		if err != nil {
			t.Fatal(n, err)
		}
		content, set := cryptobyte.String(s.Content), cryptobyte.String(nil)
		if !content.ReadASN1(&content, tags.SEQUENCE) || !content.SkipASN1(tags.INTEGER) || !content.ReadASN1(&set, tags.SET) {
			t.Fatal(n)
		}
		for !set.Empty() {
			var der cryptobyte.String
			if !set.ReadASN1Element(&der, tags.SEQUENCE) {
				t.Fatal(n)
			}
			c, err := cert.Parse(der)
			if err != nil {
				t.Errorf("%s: %v", n, err)
				continue
			}
			if !seen[c.Fingerprint()] {
				seen[c.Fingerprint()] = true
				all = append(all, c)
			}
		}
	}
	return all
}

// FuzzLint lints whatever can be read, by every profile.
func FuzzLint(f *testing.F) {
	ca := newCSCA(f, "CSCA", nil)
	f.Add(ca.cert.Raw)
	f.Add(newSigner(f, ca, nil).cert.Raw)
	f.Add(newCRL(f, ca, nil, ca.cert).Raw)
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := cert.Parse(b); err == nil {
			ProfileOf(c)
			for p := ProfileCSCA; p <= ProfileCommunication; p++ {
				Lint(c, p, ca.cert)
				Lint(c, p, nil)
			}
		}
		if l, err := cert.ParseCRL(b); err == nil {
			LintCRL(l, ca.cert)
			LintCRL(l, nil)
		}
	})
}
