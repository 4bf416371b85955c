package pki

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
)

// workshop makes objects that keep every rule, with throwaway keys, and such that break one.
type workshop struct {
	t    *testing.T
	ca   authority
	seen map[string]map[bool]bool // of + code → broken or kept → there is a fixture
	said map[string]bool          // of + code that lint ever said
}

func newWorkshop(t *testing.T) *workshop {
	key := newKey(t)
	root := conforming(t, ProfileCSCA, nil)
	root.PublicKey, root.SubjectKeyID, root.AuthorityKeyID = &key.PublicKey, keyIDOf(t, &key.PublicKey), keyIDOf(t, &key.PublicKey)
	return &workshop{t: t, ca: authority{key, issue(t, root, key)}, seen: map[string]map[bool]bool{}, said: map[string]bool{}}
}

// note records what lint found in an object that breaks the rule, or keeps it.
func (w *workshop) note(of, rule string, broken bool, got []Breach) {
	w.t.Helper()
	if there := slices.ContainsFunc(got, func(b Breach) bool { return b.Rule == rule }); there != broken {
		w.t.Errorf("%s: %s: broken is %v, lint says %v", of, rule, broken, rulesOf(got))
	}
	for _, b := range got {
		w.said[of+" "+b.Rule] = true
	}
	if w.seen[of+" "+rule] == nil {
		w.seen[of+" "+rule] = map[bool]bool{}
	}
	w.seen[of+" "+rule][broken] = true
}

// certificate makes a certificate of a profile; either change may be nil.
func (w *workshop) certificate(p Profile, change func(*cert.Template), mutate func(*node)) *cert.Certificate {
	w.t.Helper()
	tpl := conforming(w.t, p, &w.ca)
	key := w.ca.key
	if p == ProfileCSCA {
		tpl = conforming(w.t, p, nil)
		tpl.PublicKey, tpl.SubjectKeyID, tpl.AuthorityKeyID = &key.PublicKey, keyIDOf(w.t, &key.PublicKey), keyIDOf(w.t, &key.PublicKey)
	}
	if change != nil {
		change(&tpl)
	}
	c := issue(w.t, tpl, key)
	if mutate == nil {
		return c
	}
	n := readNodes(w.t, c.Raw)[0]
	mutate(n)
	c, err := cert.Parse(n.write())
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// lint lints a certificate under the workshop's CSCA.
func (w *workshop) lint(p Profile, change func(*cert.Template), mutate func(*node)) []Breach {
	w.t.Helper()
	issuer := w.ca.cert
	if p == ProfileCSCA {
		issuer = nil
	}
	return Lint(w.certificate(p, change, mutate), p, issuer)
}

func (w *workshop) crl(change func(*cert.CRLTemplate), mutate func(*node)) *cert.CRL {
	w.t.Helper()
	l := newCRL(w.t, w.ca, func(x *cert.CRLTemplate) {
		x.Entries = []cert.Revocation{{Serial: big.NewInt(5), Time: now.AddDate(0, 0, -2)}}
		if change != nil {
			change(x)
		}
	})
	if mutate == nil {
		return l
	}
	n := readNodes(w.t, l.Raw)[0]
	mutate(n)
	l, err := cert.ParseCRL(n.write())
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

// all the extensions of a certificate, as a list of elements.
func extensionsOf(n *node) *node {
	tbs := n.at(0)
	return tbs.at(len(tbs.kids)-1, 0)
}

// setCritical writes or drops the BOOLEAN of an extension.
func setCritical(e *node, critical bool) {
	if e.kids[1].tag == 1 {
		e.drop(1)
	}
	if critical {
		e.insert(1, leaf(1, 0xff))
	}
}

var allProfiles = []Profile{ProfileCSCA, ProfileLink, ProfileSigner, ProfileMasterList, ProfileDeviationList, ProfileCommunication}

// TestEveryRuleHasFixtures: for each rule that lint knows there is an object that breaks it
// and one that keeps it, and lint says nothing that is not in the list of rules.
func TestEveryRuleHasFixtures(t *testing.T) {
	w := newWorkshop(t)
	w.extensionTable()
	w.certificateFixtures()
	w.encodingFixtures()
	w.crlFixtures()
	w.listFixtures()
	w.sodFixtures()
	w.uploadFixtures()
	known := map[string]bool{}
	for _, r := range Rules() {
		id := r.Of + " " + r.Code
		if known[id] {
			t.Errorf("%s is listed twice", id)
		}
		known[id] = true
		if r.Spec == "" || !w.seen[id][true] || !w.seen[id][false] {
			t.Errorf("%s (%s): a fixture that breaks it: %v, one that keeps it: %v", id, r.Spec, w.seen[id][true], w.seen[id][false])
		}
	}
	for id := range w.said {
		if !known[id] {
			t.Errorf("%s is in no list of rules", id)
		}
	}
	t.Logf("%d rules", len(known))
}

// extensionTable plays table 6 through: for each profile and extension, what is missing,
// what is forbidden and what is critical or not.
func (w *workshop) extensionTable() {
	for _, p := range allProfiles {
		for _, e := range extensionProfile {
			asked, there := e.presence[p], false
			good := w.certificate(p, nil, nil)
			_, there = good.Extension(e.oid)
			if got := w.lint(p, nil, nil); len(got) > 0 {
				w.t.Fatalf("%v: %v", p, got)
			}
			add := func(critical bool) func(*node) {
				return func(n *node) {
					x := seq(oidNode(e.oid), leaf(4, 0x30, 0))
					setCritical(x, critical)
					list := extensionsOf(n)
					if i, old := extensionOf(list, e.oid); i >= 0 {
						setCritical(old, critical)
						return
					}
					list.insert(len(list.kids), x)
				}
			}
			if asked == 'm' && there {
				w.note("certificate", e.rule+".missing", true, w.lint(p, nil, func(n *node) {
					list := extensionsOf(n)
					i, _ := extensionOf(list, e.oid)
					list.drop(i)
				}))
				w.note("certificate", e.rule+".missing", false, w.lint(p, nil, nil))
			}
			if asked == 'x' {
				w.note("certificate", e.rule+".forbidden", true, w.lint(p, nil, add(false)))
				w.note("certificate", e.rule+".forbidden", false, w.lint(p, nil, nil))
				continue
			}
			w.note("certificate", e.rule+".criticality", true, w.lint(p, nil, add(!e.critical)))
			w.note("certificate", e.rule+".criticality", false, w.lint(p, nil, add(e.critical)))
		}
	}
}

func (w *workshop) certificateFixtures() {
	small, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		w.t.Fatal(err)
	}
	named := func(attributes ...cert.Attribute) cert.Name {
		n, err := cert.NewName(attributes...)
		if err != nil {
			w.t.Fatal(err)
		}
		return n
	}
	country := cert.Attribute{Type: cert.OIDCountry, Value: "UT"}
	common := cert.Attribute{Type: cert.OIDCommonName, Value: "DS"}
	uri := []cert.GeneralName{cert.URIName("https://example.org")}
	same := func(*cert.Template) {}
	for _, f := range []struct {
		rule   string
		p      Profile
		broken func(*cert.Template)
		mutate func(*node)
		kept   func(*cert.Template) // nil: what keeps all
	}{
		{"version", ProfileSigner, same, func(n *node) { n.at(0, 0, 0).content = []byte{1} }, nil},
		{"serial-number", ProfileSigner, same, func(n *node) { n.at(0, 1).content = []byte{0x80} }, func(x *cert.Template) {
			x.Serial = new(big.Int).Lsh(big.NewInt(1), 158)
		}},
		{"serial-number", ProfileSigner, same, func(n *node) { n.at(0, 1).content = []byte{0} }, nil},
		{"serial-number", ProfileSigner, same, func(n *node) { n.at(0, 1).content = append([]byte{1}, make([]byte, 20)...) }, nil},
		{"serial-number", ProfileSigner, same, func(n *node) { n.at(0, 1).content = []byte{0, 5} }, nil},
		{"signature-algorithm", ProfileSigner, same, func(n *node) { n.at(1, 0).content = []byte{0x2a, 3} }, nil},
		{"signature-hash", ProfileSigner, func(x *cert.Template) { x.Algorithm.Hash = crypto.SHA1 }, nil, nil},
		{"rsa-pss-recommended", ProfileSigner, same, func(n *node) {
			n.kids[1] = seq(oidNode(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}), leaf(5))
		}, nil},
		{"country", ProfileSigner, func(x *cert.Template) { x.Subject = named(common) }, nil, nil},
		{"country", ProfileSigner, func(x *cert.Template) { x.Subject = name(w.t, "ut", "DS") }, nil, nil},
		{"country", ProfileSigner, func(x *cert.Template) {
			x.Subject = named(cert.Attribute{Type: cert.OIDCountry, Value: "UT", Tag: 12}, common)
		}, nil, nil},
		{"common-name", ProfileSigner, func(x *cert.Template) { x.Subject = named(country) }, nil, nil},
		{"name-serial-number", ProfileSigner, func(x *cert.Template) {
			x.Subject = named(country, common, cert.Attribute{Type: cert.OIDSerialNumber, Value: "1", Tag: 12})
		}, nil, func(x *cert.Template) {
			x.Subject = named(country, common, cert.Attribute{Type: cert.OIDSerialNumber, Value: "1"})
		}},
		{"name-string-type", ProfileSigner, same, func(n *node) { n.at(0, 5, 1, 0, 1).tag = 0x14 }, func(x *cert.Template) {
			x.Subject = named(country, common, cert.Attribute{Type: cert.OIDOrganization, Value: "Bộ", Tag: 12})
		}},
		{"country-differs", ProfileSigner, func(x *cert.Template) { x.Subject = name(w.t, "XX", "DS") }, nil, nil},
		{"issuer-name", ProfileSigner, func(x *cert.Template) { x.Issuer = name(w.t, "UT", "CSCA 9") }, nil, nil},
		{"issuer-name", ProfileCSCA, func(x *cert.Template) { x.Issuer = name(w.t, "UT", "CSCA 9") }, nil, nil},
		{"public-key", ProfileSigner, same, func(n *node) {
			point := n.at(0, 6, 1).content
			point[len(point)-1] ^= 1
		}, nil},
		{"key-size", ProfileSigner, func(x *cert.Template) { x.PublicKey = ecPoint(w.t, dh.P192()) }, nil, func(x *cert.Template) {
			x.PublicKey = &small.PublicKey
		}},
		{"key-size", ProfileLink, func(x *cert.Template) { x.PublicKey = &small.PublicKey }, nil, func(x *cert.Template) {
			x.PublicKey = ecPoint(w.t, dh.BrainpoolP256r1())
		}},
		{"explicit-parameters", ProfileSigner, func(x *cert.Template) { x.Named = true }, nil, nil},
		{"validity", ProfileSigner, same, func(n *node) {
			v := n.at(0, 4)
			v.kids[0], v.kids[1] = v.kids[1], v.kids[0]
		}, nil},
		{"validity-beyond-issuer", ProfileSigner, func(x *cert.Template) { x.NotAfter = now.AddDate(30, 0, 0) }, nil, nil},
		{"private-key-usage-period.value", ProfileSigner, func(x *cert.Template) {
			x.PrivateKeyUsage = &cert.Period{NotAfter: now.AddDate(20, 0, 0)}
		}, nil, func(x *cert.Template) { x.PrivateKeyUsage = &cert.Period{NotAfter: now} }},
		{"signer-key-over-3-months", ProfileSigner, func(x *cert.Template) { x.PrivateKeyUsage.NotAfter = now }, nil, nil},
		{"csca-key-over-5-years", ProfileCSCA, func(x *cert.Template) { x.PrivateKeyUsage.NotAfter = now.AddDate(5, 0, 0) }, nil, nil},
		{"document-type-list.identifier", ProfileSigner, func(x *cert.Template) {
			x.Extra = []cert.Extension{{OID: oidDocumentTypeMistaken, Value: []byte{0x30, 0}}}
		}, nil, nil},
		{"unknown-critical-extension", ProfileSigner, func(x *cert.Template) {
			x.Extra = []cert.Extension{{OID: asn1.ObjectIdentifier{1, 2, 3}, Critical: true}}
		}, nil, func(x *cert.Template) { x.Extra = []cert.Extension{{OID: asn1.ObjectIdentifier{1, 2, 3}}} }},
		{"authority-key-identifier.value", ProfileSigner, func(x *cert.Template) { x.AuthorityKeyID = []byte{1} }, nil, nil},
		{"key-usage.value", ProfileSigner, func(x *cert.Template) { x.KeyUsage |= 2 }, nil, nil},
		{"key-usage.value", ProfileLink, func(x *cert.Template) { x.KeyUsage = cert.KeyCertSign }, nil, nil},
		{"basic-constraints.value", ProfileLink, func(x *cert.Template) { x.BasicConstraints.CA = false }, nil, nil},
		{"basic-constraints.path-length", ProfileLink, func(x *cert.Template) { x.BasicConstraints.PathLen = -1 }, nil, nil},
		{"extended-key-usage.value", ProfileMasterList, func(x *cert.Template) {
			x.ExtKeyUsage = []asn1.ObjectIdentifier{OIDDeviationListSigner}
		}, nil, nil},
		{"extended-key-usage.value", ProfileDeviationList, func(x *cert.Template) {
			x.ExtKeyUsage = []asn1.ObjectIdentifier{cert.OIDMasterListSigner}
		}, nil, nil},
		{"subject-alternative-name.value", ProfileSigner, func(x *cert.Template) { x.SubjectAltName = uri }, nil, nil},
		{"subject-alternative-name.contact", ProfileSigner, func(x *cert.Template) { x.SubjectAltName = x.SubjectAltName[1:] }, nil, nil},
		{"issuer-alternative-name.value", ProfileSigner, func(x *cert.Template) { x.IssuerAltName = uri }, nil, nil},
		{"issuer-alternative-name.contact", ProfileSigner, func(x *cert.Template) { x.IssuerAltName = x.IssuerAltName[1:] }, nil, nil},
		{"alternative-names-differ", ProfileCSCA, func(x *cert.Template) { x.IssuerAltName = x.IssuerAltName[1:] }, nil, nil},
		{"crl-distribution-points.value", ProfileSigner, func(x *cert.Template) {
			x.CRLDistributionPoints = []string{"ftp://example.org/crl"}
		}, nil, func(x *cert.Template) { x.CRLDistributionPoints = []string{"ldap://example.org/crl"} }},
		{"name-change.missing", ProfileLink, func(x *cert.Template) { x.Subject = name(w.t, "UT", "CSCA 2") }, nil, func(x *cert.Template) {
			x.Subject, x.NameChange = name(w.t, "UT", "CSCA 2"), true
		}},
		{"document-type-list.value", ProfileSigner, func(x *cert.Template) { x.DocumentTypes = []string{"IDX"} }, nil, nil},
	} {
		w.note("certificate", f.rule, true, w.lint(f.p, f.broken, f.mutate))
		w.note("certificate", f.rule, false, w.lint(f.p, f.kept, nil))
	}
}

func ecPoint(t *testing.T, c *dh.Curve) crypto.PublicKey {
	t.Helper()
	k, err := c.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return k.Public()
}

// encodingFixtures are the defects of the encoding, each made in octets.
func (w *workshop) encodingFixtures() {
	extension := func(oid asn1.ObjectIdentifier, change func(x *node)) func(*node) {
		return func(n *node) {
			_, e := extensionOf(extensionsOf(n), oid)
			change(e)
		}
	}
	value := func(e *node) *node { return e.kids[len(e.kids)-1] }
	for kind, mutate := range map[cert.DefectKind]func(*node){
		cert.DefectMissingNull: func(n *node) {
			n.kids[1] = seq(oidNode(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}))
			n.at(0).kids[2] = n.kids[1]
		},
		cert.DefectParameters:         func(n *node) { n.at(1).insert(1, leaf(5)); n.at(0, 2).insert(1, leaf(5)) },
		cert.DefectAlgorithmMismatch:  func(n *node) { n.at(1, 0).content = oidNode(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}).content },
		cert.DefectBoolean:            extension(cert.OIDKeyUsage, func(e *node) { e.kids[1].content = []byte{1} }),
		cert.DefectDefaultEncoded:     extension(cert.OIDSubjectAltName, func(e *node) { e.insert(1, leaf(1, 0)) }),
		cert.DefectTime:               func(n *node) { n.at(0, 4).kids[0] = leaf(0x18, []byte("20250701120000Z")...) },
		cert.DefectString:             func(n *node) { n.at(0, 5, 2, 0, 1).tag, n.at(0, 5, 2, 0, 1).content = 0x13, []byte("D*") },
		cert.DefectCofactor:           func(n *node) { n.at(0, 6, 0, 1).drop(5) },
		cert.DefectExtensionDuplicate: func(n *node) { l := extensionsOf(n); l.insert(0, l.kids[0]) },
		cert.DefectExtensionMalformed: extension(cert.OIDSubjectAltName, func(e *node) { value(e).content = []byte{2, 1, 1} }),
		cert.DefectKeyIDBare:          extension(cert.OIDSubjectKeyID, func(e *node) { value(e).content = value(e).content[2:] }),
		cert.DefectUniqueID:           func(n *node) { n.at(0).insert(7, leaf(0x81, 0, 1)) },
		cert.DefectSignatureUnusedBits: func(n *node) {
			s := n.at(2)
			s.content[0], s.content[len(s.content)-1] = 1, s.content[len(s.content)-1]&0xfe
		},
	} {
		rule := "encoding-" + string(kind)
		w.note("certificate", rule, true, w.lint(ProfileSigner, nil, mutate))
		w.note("certificate", rule, false, w.lint(ProfileSigner, nil, nil))
		if kind == cert.DefectCofactor || kind == cert.DefectKeyIDBare || kind == cert.DefectUniqueID {
			continue
		}
		w.note("crl", rule, true, LintCRL(w.crl(nil, crlDefect(kind)), w.ca.cert))
		w.note("crl", rule, false, LintCRL(w.crl(nil, nil), w.ca.cert))
	}
}

// crlDefect is the same for a list: version, algorithm, issuer, two times, entries,
// extensions.
func crlDefect(kind cert.DefectKind) func(*node) {
	return func(n *node) {
		tbs := n.at(0)
		list := tbs.at(len(tbs.kids)-1, 0)
		switch kind {
		case cert.DefectMissingNull:
			n.kids[1] = seq(oidNode(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}))
			tbs.kids[1] = n.kids[1]
		case cert.DefectParameters:
			n.at(1).insert(1, leaf(5))
			tbs.at(1).insert(1, leaf(5))
		case cert.DefectAlgorithmMismatch:
			n.at(1, 0).content = oidNode(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}).content
		case cert.DefectBoolean:
			list.kids[0].insert(1, leaf(1, 1))
		case cert.DefectDefaultEncoded:
			list.kids[0].insert(1, leaf(1, 0))
		case cert.DefectTime:
			tbs.kids[3] = leaf(0x18, []byte("20260630120000Z")...)
		case cert.DefectString:
			tbs.at(2, 2, 0, 1).tag, tbs.at(2, 2, 0, 1).content = 0x13, []byte("D*")
		case cert.DefectExtensionDuplicate:
			list.insert(0, list.kids[0])
		case cert.DefectExtensionMalformed:
			list.kids[0].kids[1].content = []byte{2, 1, 1}
		case cert.DefectSignatureUnusedBits:
			s := n.at(2)
			s.content[0], s.content[len(s.content)-1] = 1, s.content[len(s.content)-1]&0xfe
		}
	}
}

func (w *workshop) crlFixtures() {
	plain := func(*cert.CRLTemplate) {}
	add := func(oid asn1.ObjectIdentifier, critical bool) func(*node) {
		return func(n *node) {
			list := n.at(0, len(n.at(0).kids)-1, 0)
			e := seq(oidNode(oid), leaf(4, 0x30, 0))
			setCritical(e, critical)
			list.insert(0, e)
		}
	}
	entry := big.NewInt(5)
	for _, f := range []struct {
		rule   string
		broken func(*cert.CRLTemplate)
		mutate func(*node)
	}{
		{"version", plain, func(n *node) { n.at(0).drop(0) }},
		{"country", func(x *cert.CRLTemplate) { x.Issuer = name(w.t, "ut", "CSCA") }, nil},
		{"common-name", plain, func(n *node) { n.at(0, 2).drop(2) }},
		{"name-serial-number", plain, func(n *node) {
			n.at(0, 2).insert(3, &node{tag: 0x31, kids: []*node{seq(oidNode(cert.OIDSerialNumber), leaf(0x0c, '1'))}})
		}},
		{"name-string-type", plain, func(n *node) { n.at(0, 2, 1, 0, 1).tag = 0x14 }},
		{"next-update.missing", plain, func(n *node) { n.at(0).drop(4) }},
		{"revoked-certificates.empty", plain, func(n *node) { n.at(0, 5).kids = nil }},
		{"signature-algorithm", plain, func(n *node) { n.at(1, 0).content = []byte{0x2a, 3} }},
		{"signature-hash", func(x *cert.CRLTemplate) { x.Algorithm.Hash = crypto.SHA1 }, nil},
		{"issuer-name", func(x *cert.CRLTemplate) { x.Issuer = name(w.t, "UT", "CSCA 9") }, nil},
		{"authority-key-identifier.missing", plain, func(n *node) { n.at(0, 6, 0).drop(0) }},
		{"authority-key-identifier.value", func(x *cert.CRLTemplate) { x.AuthorityKeyID = []byte{1} }, nil},
		{"crl-number.missing", plain, func(n *node) { n.at(0, 6, 0).drop(1) }},
		{"crl-number.value", plain, func(n *node) { n.at(0, 6, 0, 1, 1).content = []byte{2, 1, 0x80} }},
		{"list-extension.forbidden", plain, add(cert.OIDDeltaCRL, false)},
		{"list-extension.forbidden", plain, add(cert.OIDIssuingDistribution, false)},
		{"list-extension.forbidden", plain, add(oidFreshest, false)},
		{"list-extension.criticality", plain, func(n *node) { setCritical(n.at(0, 6, 0, 0), true) }},
		{"crl-period", func(x *cert.CRLTemplate) { x.NextUpdate = x.ThisUpdate.AddDate(0, 0, 91) }, nil},
		{"crl-period", plain, func(n *node) { k := n.at(0).kids; k[3], k[4] = k[4], k[3] }},
		{"entry-extension.forbidden", func(x *cert.CRLTemplate) { x.Reasons, x.Entries[0].Reason = true, cert.KeyCompromise }, nil},
		{"entry-twice", func(x *cert.CRLTemplate) { x.Entries = slices.Repeat(x.Entries, 2) }, nil},
		{"entry-in-future", func(x *cert.CRLTemplate) { x.Entries = []cert.Revocation{{Serial: entry, Time: x.NextUpdate}} }, nil},
		{"entry-serial", plain, func(n *node) { n.at(0, 5, 0, 0).content = []byte{0x80} }},
	} {
		w.note("crl", f.rule, true, LintCRL(w.crl(f.broken, f.mutate), w.ca.cert))
		w.note("crl", f.rule, false, LintCRL(w.crl(nil, nil), w.ca.cert))
	}
	signer := w.certificate(ProfileSigner, func(x *cert.Template) { x.Subject = w.ca.cert.Subject }, nil)
	w.note("crl", "issuer-key-usage", true, LintCRL(w.crl(nil, nil), signer))
	w.note("crl", "issuer-key-usage", false, LintCRL(w.crl(nil, nil), w.ca.cert))
	for _, days := range []int{1, 90} { // the bounds keep the rule
		w.note("crl", "crl-period", false, LintCRL(w.crl(func(x *cert.CRLTemplate) { x.NextUpdate = x.ThisUpdate.AddDate(0, 0, days) }, nil), w.ca.cert))
	}
}

// list makes a master list and lints it.
func (w *workshop) list(by authority, entries []*cert.Certificate, change func(*cms.Message), mutate func(*node), extra ...*cert.Certificate) []Breach {
	w.t.Helper()
	slices.SortFunc(entries, func(a, b *cert.Certificate) int { return bytes.Compare(a.Raw, b.Raw) })
	raw := signList(w.t, by, masterList(w.t, entries...), change, extra...)
	if mutate != nil {
		n := readNodes(w.t, raw)[0]
		mutate(n)
		raw = n.write()
	}
	s, err := cms.Parse(raw)
	if err != nil {
		w.t.Fatal(err)
	}
	return LintList(s)
}

func (w *workshop) listSigner(p Profile) authority {
	key := newKey(w.t)
	return authority{key, w.certificate(p, func(x *cert.Template) {
		x.PublicKey, x.SubjectKeyID = &key.PublicKey, keyIDOf(w.t, &key.PublicKey)
	}, nil)}
}

func (w *workshop) listFixtures() {
	mls, ds := w.listSigner(ProfileMasterList), w.listSigner(ProfileSigner)
	root := w.ca.cert
	other := newCSCA(w.t, "CSCA", nil).cert
	content := func(n *node) *node { return n.at(1, 0, 2, 1, 0) }
	info := func(n *node) *node { sd := n.at(1, 0); return sd.at(len(sd.kids)-1, 0) }
	sha1OID := oidNode(cert.HashOID(crypto.SHA1)).content
	for _, f := range []struct {
		rule   string
		by     authority
		of     []*cert.Certificate
		change func(*cms.Message)
		mutate func(*node)
		extra  []*cert.Certificate
	}{
		{rule: "content-type", mutate: func(n *node) { n.at(1, 0, 2, 0).content[len(n.at(1, 0, 2, 0).content)-1] = 9 }},
		{rule: "version", mutate: func(n *node) { n.at(1, 0, 0).content = []byte{1} }},
		{rule: "crls", mutate: func(n *node) {
			crl := readNodes(w.t, w.crl(nil, nil).Raw)[0]
			n.at(1, 0).insert(4, &node{tag: 0xa1, kids: []*node{crl}})
		}},
		{rule: "one-signer", mutate: func(n *node) { set := n.at(1, 0, 4); set.insert(0, set.kids[0]) }},
		{rule: "signer-version", mutate: func(n *node) { info(n).kids[0].content = []byte{1} }},
		{rule: "signer-by-key-identifier", change: func(m *cms.Message) { m.ByKeyID = false }},
		{rule: "digest-algorithms", mutate: func(n *node) { n.at(1, 0, 1, 0, 0).content = sha1OID }},
		{rule: "signed-attributes.missing", mutate: func(n *node) { info(n).drop(3) }},
		{rule: "signing-time", change: func(m *cms.Message) { m.SigningTime = time.Time{} }},
		{rule: "unsigned-attributes", mutate: func(n *node) {
			x := info(n)
			x.insert(6, &node{tag: 0xa1, kids: []*node{seq(oidNode(asn1.ObjectIdentifier{1, 2, 3}), &node{tag: 0x31, kids: []*node{leaf(5)}})}})
		}},
		{rule: "digest-hash", change: func(m *cms.Message) { m.Algorithm.Hash = crypto.SHA1 }},
		{rule: "signature-algorithm", mutate: func(n *node) { info(n).at(4, 0).content = []byte{0x2a, 3} }},
		{rule: "signer-certificate.missing", mutate: func(n *node) { n.at(1, 0, 3).drop(indexOf(n.at(1, 0, 3), mls.cert.Raw)) }},
		{rule: "signed-by-csca", by: w.ca},
		{rule: "signer-purpose", by: ds},
		{rule: "signer-csca.missing", extra: []*cert.Certificate{other}},
		{rule: "content", mutate: func(n *node) { content(n).content = []byte{0x30, 3, 2, 1, 1} }},
		{rule: "entry", of: []*cert.Certificate{root, ds.cert}},
		{rule: "entry-twice", of: []*cert.Certificate{root, root}},
		{rule: "encoding-set-order", of: []*cert.Certificate{root, other}, mutate: func(n *node) {
			c := readNodes(w.t, content(n).content)[0]
			set := c.at(1)
			set.kids[0], set.kids[1] = set.kids[1], set.kids[0]
			content(n).content = c.write()
		}},
	} {
		by, of, extra := mls, []*cert.Certificate{root}, []*cert.Certificate{root}
		if f.by.cert != nil {
			by = f.by
		}
		if f.of != nil {
			of = f.of
		}
		if f.extra != nil {
			extra = f.extra
		}
		w.note("list", f.rule, true, w.list(by, of, f.change, f.mutate, extra...))
		good := w.list(mls, []*cert.Certificate{root, other}, nil, nil, root)
		if w.note("list", f.rule, false, good); good != nil {
			w.t.Errorf("a good list: %v", good)
		}
	}
	raw := signList(w.t, mls, masterList(w.t, root), nil, root)
	s, err := cms.Parse(indefinite(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	w.note("list", "encoding-ber", true, LintList(s))
	w.note("list", "encoding-ber", false, w.list(mls, []*cert.Certificate{root}, nil, nil, root))
}

// indexOf finds the kid of those octets.
func indexOf(n *node, raw []byte) int {
	return slices.IndexFunc(n.kids, func(k *node) bool { return bytes.Equal(k.write(), raw) })
}

// indefinite writes the outermost element with an indefinite length.
func indefinite(der []byte) []byte {
	head := 2
	if der[1]&0x80 != 0 {
		head += int(der[1] & 0x7f)
	}
	return slices.Concat([]byte{der[0], 0x80}, der[head:], []byte{0, 0})
}

// sod makes a security object and lints it.
func (w *workshop) sod(by authority, object []byte, change func(*cms.Message), mutate func(*node), wrap func([]byte) []byte) []Breach {
	w.t.Helper()
	m := cms.Message{ContentType: cms.OIDLDSSecurityObject, Content: object, Certificate: by.cert, Algorithm: cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA256}}
	if change != nil {
		change(&m)
	}
	raw, err := cms.Sign(m, by.key)
	if err != nil {
		w.t.Fatal(err)
	}
	if mutate != nil {
		n := readNodes(w.t, raw)[0]
		mutate(n)
		raw = n.write()
	}
	if wrap != nil {
		raw = wrap(raw)
	}
	s, err := lds.ParseSOD(lds.WrapSOD(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	return LintSOD(s)
}

// securityObject encodes an object of groups, and changes it.
func (w *workshop) securityObject(version int, hash crypto.Hash, change func(*node), groups ...int) []byte {
	w.t.Helper()
	o := lds.SecurityObject{Version: version, Hash: hash}
	if version == 1 {
		o.LDSVersion, o.UnicodeVersion = "0108", "040000"
	}
	for _, g := range groups {
		digest := sha256.Sum256([]byte{byte(g)})
		o.Hashes = append(o.Hashes, lds.GroupHash{Number: g, Hash: digest[:]})
		if hash == crypto.SHA1 {
			short := sha1.Sum([]byte{byte(g)})
			o.Hashes[len(o.Hashes)-1].Hash = short[:]
		}
	}
	der, err := lds.EncodeSecurityObject(o)
	if err != nil {
		w.t.Fatal(err)
	}
	if change != nil {
		n := readNodes(w.t, der)[0]
		change(n)
		der = n.write()
	}
	return der
}

func (w *workshop) sodFixtures() {
	ds := w.listSigner(ProfileSigner)
	good := w.securityObject(1, crypto.SHA256, nil, 1, 2)
	info := func(n *node) *node { sd := n.at(1, 0); return sd.at(len(sd.kids)-1, 0) }
	attributes := func(n *node) *node { return info(n).kids[3] }
	for _, f := range []struct {
		rule   string
		object []byte
		change func(*cms.Message)
		mutate func(*node)
		wrap   func([]byte) []byte
	}{
		{rule: "encoding-ber", wrap: indefinite},
		{rule: "security-object-version-0", object: w.securityObject(0, crypto.SHA256, nil, 1, 2)},
		{rule: "security-object-hash", object: w.securityObject(1, crypto.SHA1, nil, 1, 2)},
		{rule: "mandatory-group", object: w.securityObject(1, crypto.SHA256, nil, 1, 3)},
		{rule: "one-signer", mutate: func(n *node) { set := n.at(1, 0, 4); set.insert(0, set.kids[0]) }},
		{rule: "signer-by-issuer-and-serial", change: func(m *cms.Message) { m.ByKeyID = true }},
		{rule: "signer-certificate", change: func(m *cms.Message) { m.Certificates = [][]byte{w.ca.cert.Raw} }},
		{rule: "signed-data-version", mutate: func(n *node) { n.at(1, 0, 0).content = []byte{1} }},
		{rule: "signed-data-signer-version", mutate: func(n *node) { info(n).kids[0].content = []byte{3} }},
		{rule: "signed-data-signers", mutate: func(n *node) { set := n.at(1, 0, 4); set.insert(0, set.kids[0]) }},
		{rule: "signed-data-digest-unlisted", mutate: func(n *node) { n.at(1, 0, 1, 0, 0).content = oidNode(cert.HashOID(crypto.SHA512)).content }},
		{rule: "signed-data-no-certificate", mutate: func(n *node) { n.at(1, 0).drop(3) }},
		{rule: "signed-data-crls", mutate: func(n *node) {
			n.at(1, 0).insert(4, &node{tag: 0xa1, kids: readNodes(w.t, w.crl(nil, nil).Raw)})
		}},
		{rule: "signed-data-unsigned", mutate: func(n *node) {
			info(n).insert(6, &node{tag: 0xa1, kids: []*node{seq(oidNode(asn1.ObjectIdentifier{1, 2, 3}), &node{tag: 0x31, kids: []*node{leaf(5)}})}})
		}},
		{rule: "signed-data-attribute-twice", mutate: func(n *node) { a := attributes(n); a.insert(0, a.kids[0]) }},
		{rule: "signed-data-attributes-order", mutate: func(n *node) { a := attributes(n); a.kids[0], a.kids[1] = a.kids[1], a.kids[0] }},
		{rule: "signed-data-attributes-absent", mutate: func(n *node) { info(n).drop(3) }},
		{rule: "signed-data-content-type", mutate: func(n *node) {
			for _, a := range attributes(n).kids {
				if bytes.Equal(a.kids[0].content, oidNode(cms.OIDContentType).content) {
					a.at(1, 0).content = oidNode(cms.OIDMasterList).content
				}
			}
		}},
		{rule: "security-object-version-info", object: w.securityObject(1, crypto.SHA256, func(n *node) { n.kids[0].content = []byte{0} }, 1, 2)},
		{rule: "security-object-no-version-info", object: w.securityObject(1, crypto.SHA256, func(n *node) { n.drop(3) }, 1, 2)},
		{rule: "security-object-single-hash", object: w.securityObject(1, crypto.SHA256, func(n *node) { n.at(2).drop(1) }, 1, 2)},
		{rule: "security-object-content-type", change: func(m *cms.Message) { m.ContentType = cms.OIDData }},
		{rule: "security-object-group-order", object: w.securityObject(1, crypto.SHA256, func(n *node) { k := n.at(2).kids; k[0], k[1] = k[1], k[0] }, 1, 2)},
		{rule: "security-object-hash-digest-diffs", change: func(m *cms.Message) { m.Algorithm.Hash = crypto.SHA384 }},
	} {
		object := good
		if f.object != nil {
			object = f.object
		}
		w.note("sod", f.rule, true, w.sod(ds, object, f.change, f.mutate, f.wrap))
		kept := w.sod(ds, good, nil, nil, nil)
		if w.note("sod", f.rule, false, kept); kept != nil {
			w.t.Errorf("a good object: %v", kept)
		}
	}
}

// uploadFixtures are the checks of the ICAO PKD.
func (w *workshop) uploadFixtures() {
	oids := map[string]asn1.ObjectIdentifier{
		"upload-authority-key-identifier.critical": cert.OIDAuthorityKeyID, "upload-subject-key-identifier.critical": cert.OIDSubjectKeyID,
		"upload-private-key-usage-period.critical": cert.OIDPrivateKeyUsagePeriod, "upload-certificate-policies.critical": oidPolicies,
		"upload-policy-mappings.critical": oidPolicyMappings, "upload-subject-alternative-name.critical": cert.OIDSubjectAltName,
		"upload-issuer-alternative-name.critical": cert.OIDIssuerAltName, "upload-subject-directory-attributes.critical": oidDirectory,
		"upload-crl-distribution-points.critical": cert.OIDCRLDistribution, "upload-policy-mappings": oidPolicyMappings,
		"upload-subject-directory-attributes": oidDirectory, "upload-name-constraints": oidNameConstraints,
		"upload-policy-constraints": oidPolicyConstraint, "upload-inhibit-any-policy": oidInhibitAny, "upload-freshest-crl": oidFreshest,
		"upload-internet-extension":          append(slices.Clone(oidInternet), 1),
		"upload-netscape":                    append(slices.Clone(oidNetscape), 1),
		"upload-private-extension.critical":  {1, 2, 3},
		"upload-extended-key-usage":          cert.OIDExtKeyUsage,
		"upload-key-usage":                   cert.OIDKeyUsage,
		"upload-basic-constraints":           cert.OIDBasicConstraints,
		"upload-authority-key-identifier":    cert.OIDAuthorityKeyID,
		"upload-subject-key-identifier":      cert.OIDSubjectKeyID,
		"upload-key-usage of a signer":       cert.OIDKeyUsage,
		"upload-extended-key-usage of a DLS": cert.OIDExtKeyUsage,
	}
	for rule, oid := range oids {
		p, critical := ProfileCSCA, strings.HasSuffix(rule, ".critical")
		rule, _, subordinate := strings.Cut(rule, " of ")
		if subordinate {
			p = ProfileSigner
		}
		w.note("upload", rule, true, LintUpload(w.certificate(p, nil, func(n *node) {
			list := extensionsOf(n)
			i, e := extensionOf(list, oid)
			switch {
			case e == nil:
				x := seq(oidNode(oid), leaf(4, 0x30, 0))
				setCritical(x, critical)
				list.insert(len(list.kids), x)
			case critical:
				setCritical(e, true)
			case rule == "upload-key-usage" || rule == "upload-basic-constraints":
				setCritical(e, false)
			case rule == "upload-authority-key-identifier":
				e.kids[len(e.kids)-1].content = []byte{0x30, 0}
			default:
				list.drop(i)
			}
		})))
	}
	plain := func(n *node) {}
	for _, f := range []struct {
		rule   string
		change func(*cert.Template)
		mutate func(*node)
	}{
		{"upload-version", nil, func(n *node) { n.at(0, 0, 0).content = []byte{1} }},
		{"upload-serial-number", nil, func(n *node) { n.at(0, 1).content = []byte{0x80} }},
		{"upload-algorithms", nil, func(n *node) { n.at(1, 0).content = oidNode(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}).content }},
		{"upload-country", nil, func(n *node) { n.at(0, 5).drop(0) }},
		{"upload-country-differs", func(x *cert.Template) { x.Subject = name(w.t, "XX", "DS") }, plain},
		{"upload-time", nil, func(n *node) { n.at(0, 4).kids[0] = leaf(0x18, []byte("20250701120000Z")...) }},
		{"upload-unique-id", nil, func(n *node) { n.at(0).insert(7, leaf(0x81, 0, 1)) }},
	} {
		w.note("upload", f.rule, true, LintUpload(w.certificate(ProfileSigner, f.change, f.mutate)))
	}
	for _, p := range []Profile{ProfileCSCA, ProfileLink, ProfileSigner, ProfileMasterList} {
		for _, r := range Rules() {
			if r.Of == "upload" {
				w.note("upload", r.Code, false, LintUpload(w.certificate(p, nil, nil)))
			}
		}
	}
	w.uploadListFixtures()
}

func (w *workshop) uploadListFixtures() {
	entry := func(oid asn1.ObjectIdentifier, critical bool) func(*node) {
		return func(n *node) {
			e := seq(oidNode(oid), leaf(4, 0x0a, 1, 1))
			setCritical(e, critical)
			first := n.at(0, 5, 0)
			first.insert(2, seq(e))
		}
	}
	for rule, mutate := range map[string]func(*node){
		"upload-version":                  func(n *node) { n.at(0).drop(0) },
		"upload-algorithms":               crlDefect(cert.DefectAlgorithmMismatch),
		"upload-country":                  func(n *node) { n.at(0, 2, 0, 0, 1).content = []byte("ut") },
		"upload-time":                     crlDefect(cert.DefectTime),
		"upload-next-update":              func(n *node) { n.at(0).drop(4) },
		"upload-empty-list":               func(n *node) { n.at(0, 5).kids = nil },
		"upload-authority-key-identifier": func(n *node) { n.at(0, 6, 0).drop(0) },
		"upload-crl-number":               func(n *node) { n.at(0, 6, 0).drop(1) },
		"upload-partial-list":             func(n *node) { n.at(0, 6, 0).insert(0, seq(oidNode(oidFreshest), leaf(4, 0x30, 0))) },
		"upload-issuer-alternative-name.critical": func(n *node) {
			n.at(0, 6, 0).insert(0, seq(oidNode(cert.OIDIssuerAltName), leaf(1, 0xff), leaf(4, 0x30, 0)))
		},
		"upload-entry-issuer":             entry(oidEntryIssuer, false),
		"upload-entry-extension.critical": entry(cert.OIDReasonCode, true),
	} {
		w.note("upload-crl", rule, true, LintUploadCRL(w.crl(nil, mutate)))
		w.note("upload-crl", rule, false, LintUploadCRL(w.crl(nil, entry(cert.OIDReasonCode, false))))
	}
	w.note("upload-crl", "upload-version", false, LintUploadCRL(w.crl(nil, nil)))
	mls, ds, root := w.listSigner(ProfileMasterList), w.listSigner(ProfileSigner), w.ca.cert
	info := func(n *node) *node { sd := n.at(1, 0); return sd.at(len(sd.kids)-1, 0) }
	for _, f := range []struct {
		rule   string
		by     authority
		of     *cert.Certificate
		change func(*cms.Message)
		mutate func(*node)
	}{
		{"upload-version", mls, root, nil, func(n *node) { n.at(1, 0, 0).content = []byte{1} }},
		{"upload-digest-algorithms", mls, root, nil, func(n *node) { n.at(1, 0, 1).kids = nil }},
		{"upload-content-type", mls, root, func(m *cms.Message) { m.ContentType = OIDDeviationList }, nil},
		{"upload-crls", mls, root, nil, func(n *node) { n.at(1, 0).insert(4, &node{tag: 0xa1, kids: readNodes(w.t, w.crl(nil, nil).Raw)}) }},
		{"upload-signer", mls, root, nil, func(n *node) { n.at(1, 0, 4).kids = nil }},
		{"upload-signer-certificate", mls, root, nil, func(n *node) { n.at(1, 0, 3).drop(indexOf(n.at(1, 0, 3), mls.cert.Raw)) }},
		{"upload-signer-csca", mls, newCSCA(w.t, "CSCA", nil).cert, nil, nil},
		{"upload-signer-purpose", ds, root, nil, nil},
		{"upload-signer-version", mls, root, nil, func(n *node) { info(n).kids[0].content = []byte{1} }},
		{"upload-digest-listed", mls, root, nil, func(n *node) { n.at(1, 0, 1, 0, 0).content = oidNode(cert.HashOID(crypto.SHA512)).content }},
		{"upload-signing-time", mls, root, func(m *cms.Message) { m.SigningTime = time.Time{} }, nil},
	} {
		for _, broken := range []bool{true, false} {
			by, of, change, mutate := f.by, f.of, f.change, f.mutate
			if !broken {
				by, of, change, mutate = mls, root, nil, nil
			}
			raw := signList(w.t, by, masterList(w.t, of), change, root)
			if mutate != nil {
				n := readNodes(w.t, raw)[0]
				mutate(n)
				raw = n.write()
			}
			s, err := cms.Parse(raw)
			if err != nil {
				w.t.Fatalf("%s: %v", f.rule, err)
			}
			w.note("upload-list", f.rule, broken, LintUploadList(s))
		}
	}
}
