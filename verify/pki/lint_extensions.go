package pki

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/card/cert"
)

// extensionProfile is table 6 of Doc 9303-12 §7.1.1. Presence has a letter for each
// profile: m mandatory, o optional, x forbidden; where newer is set, the sixth edition did
// not demand it.
var extensionProfile = []struct {
	oid      asn1.ObjectIdentifier
	rule     string
	presence string // csca, link, signer, master-list, deviation-list, communication
	critical bool
	newer    bool
}{
	{cert.OIDAuthorityKeyID, "authority-key-identifier", "ommmmm", false, false},
	{cert.OIDSubjectKeyID, "subject-key-identifier", "mmoooo", false, false},
	{cert.OIDKeyUsage, "key-usage", "mmmmmm", true, false},
	{cert.OIDPrivateKeyUsagePeriod, "private-key-usage-period", "mmmooo", false, true},
	{asn1.ObjectIdentifier{2, 5, 29, 32}, "certificate-policies", "oooooo", false, false},
	{asn1.ObjectIdentifier{2, 5, 29, 33}, "policy-mappings", "xxxxxx", false, false},
	{cert.OIDSubjectAltName, "subject-alternative-name", "mmmmmm", false, true},
	{cert.OIDIssuerAltName, "issuer-alternative-name", "mmmmmm", false, true},
	{asn1.ObjectIdentifier{2, 5, 29, 9}, "subject-directory-attributes", "xxxxxx", false, false},
	{cert.OIDBasicConstraints, "basic-constraints", "mmxxxx", true, false},
	{asn1.ObjectIdentifier{2, 5, 29, 30}, "name-constraints", "xxxxxx", false, false},
	{asn1.ObjectIdentifier{2, 5, 29, 36}, "policy-constraints", "xxxxxx", false, false},
	{cert.OIDExtKeyUsage, "extended-key-usage", "xxxmmm", true, false},
	{cert.OIDCRLDistribution, "crl-distribution-points", "mmmmmo", false, true},
	{asn1.ObjectIdentifier{2, 5, 29, 54}, "inhibit-any-policy", "xxxxxx", false, false},
	{asn1.ObjectIdentifier{2, 5, 29, 46}, "freshest-crl", "xxxxxx", false, false},
	{cert.OIDNameChange, "name-change", "ooxxxx", false, false},
	{cert.OIDDocumentTypeList, "document-type-list", "xxmxxx", false, true},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 113730, 1, 1}, "netscape-certificate-type", "xxxxxx", false, false},
}

// oidDocumentTypeMistaken is what some authorities write in place of the identifier of the
// list of document types.
var oidDocumentTypeMistaken = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 4}

// extensions is table 6 and the sections behind it.
func (l *linter) extensions(c *cert.Certificate, p Profile, issuer *cert.Certificate) {
	l.spec = table6
	for _, e := range extensionProfile {
		x, there := c.Extension(e.oid)
		switch asked := e.presence[p]; {
		case there && asked == 'x':
			l.add(Error, e.rule+".forbidden", "")
		case !there && asked == 'm' && e.newer:
			l.newer(false, e.rule+".missing", "")
		case !there && asked == 'm':
			l.add(Error, e.rule+".missing", "")
		case there && x.Critical != e.critical:
			l.add(Error, e.rule+".criticality", map[bool]string{true: "has to be critical", false: "must not be critical"}[e.critical])
		}
	}
	l.must(!has(c, oidDocumentTypeMistaken), "document-type-list.identifier", oidDocumentTypeMistaken.String())
	for _, oid := range c.UnknownCritical {
		l.add(Error, "unknown-critical-extension", oid.String())
	}
	l.keyIdentifiers(c, issuer)
	l.usages(c, p)
	l.alternatives(c, p)
	if c.CRLDistributionPoints != nil || has(c, cert.OIDCRLDistribution) {
		l.spec = "9303-12 §7.1.1.4"
		l.must(len(c.CRLDistributionPoints) > 0, "crl-distribution-points.value", "no URI")
		l.must(!slices.ContainsFunc(c.CRLDistributionPoints, badScheme), "crl-distribution-points.value", strings.Join(c.CRLDistributionPoints, " "))
	}
	if p == ProfileLink && !c.Issuer.Equal(c.Subject) {
		l.spec = "9303-12 §7.1.1.5"
		l.newer(c.NameChange, "name-change.missing", "issuer and subject differ")
	}
	if c.DocumentTypes != nil {
		l.spec = "9303-12 §7.1.1.6"
		l.must(len(c.DocumentTypes) > 0 && !slices.ContainsFunc(c.DocumentTypes, badType), "document-type-list.value", strings.Join(c.DocumentTypes, " "))
	}
}

func has(c *cert.Certificate, oid asn1.ObjectIdentifier) bool {
	_, there := c.Extension(oid)
	return there
}

func (l *linter) keyIdentifiers(c *cert.Certificate, issuer *cert.Certificate) {
	if has(c, cert.OIDAuthorityKeyID) {
		l.must(len(c.AuthorityKeyID) > 0, "authority-key-identifier.value", "has no keyIdentifier")
		if issuer != nil && len(issuer.SubjectKeyID) > 0 && len(c.AuthorityKeyID) > 0 {
			l.must(bytes.Equal(c.AuthorityKeyID, issuer.SubjectKeyID), "authority-key-identifier.value",
				fmt.Sprintf("%x, the issuer's is %x", c.AuthorityKeyID, issuer.SubjectKeyID))
		}
	}
}

// usages are what the key is for.
func (l *linter) usages(c *cert.Certificate, p Profile) {
	authority := p == ProfileCSCA || p == ProfileLink
	if has(c, cert.OIDKeyUsage) && p != ProfileCommunication {
		want := cert.DigitalSignature
		if authority {
			want = cert.KeyCertSign | cert.CRLSign
		}
		l.must(c.KeyUsage == want, "key-usage.value", fmt.Sprintf("%09b", c.KeyUsage))
	}
	if b := c.BasicConstraints; authority && b != nil {
		l.must(b.CA, "basic-constraints.value", "cA is not set")
		switch {
		case b.PathLen == 0:
		case b.PathLen == 1 && p == ProfileLink && l.early: // appendix C
			l.add(Warning, "basic-constraints.path-length", "1")
		default:
			l.add(Error, "basic-constraints.path-length", map[bool]string{true: "none", false: fmt.Sprint(b.PathLen)}[b.PathLen < 0])
		}
	}
	l.spec = "9303-12 §7.1.1.3"
	switch p {
	case ProfileMasterList:
		l.must(slices.ContainsFunc(c.ExtKeyUsage, cert.OIDMasterListSigner.Equal), "extended-key-usage.value", "")
	case ProfileDeviationList:
		l.must(slices.ContainsFunc(c.ExtKeyUsage, OIDDeviationListSigner.Equal), "extended-key-usage.value", "")
	}
}

// alternatives is §7.1.1.2.
func (l *linter) alternatives(c *cert.Certificate, p Profile) {
	l.spec = "9303-12 §7.1.1.2"
	for _, e := range []struct {
		oid   asn1.ObjectIdentifier
		rule  string
		names []cert.GeneralName
	}{{cert.OIDSubjectAltName, "subject-alternative-name", c.SubjectAltName}, {cert.OIDIssuerAltName, "issuer-alternative-name", c.IssuerAltName}} {
		if !has(c, e.oid) {
			continue
		}
		contact, state := alternative(e.names)
		l.newer(state, e.rule+".value", "no directory name with the state's letters as L and nothing else")
		l.should(contact, e.rule+".contact", "no mail address, domain or URI")
	}
	subject, hasSubject := c.Extension(cert.OIDSubjectAltName)
	issuer, hasIssuer := c.Extension(cert.OIDIssuerAltName)
	if p == ProfileCSCA && hasSubject && hasIssuer {
		l.newer(bytes.Equal(subject.Value, issuer.Value), "alternative-names-differ", "")
	}
}

// alternative says whether the names hold a contact, and the state as in the MRZ with
// nothing else beside it (ST only for states that share a code).
func alternative(names []cert.GeneralName) (contact, state bool) {
	for _, n := range names {
		switch n.Tag {
		case 1, 2, 6:
			contact = true
		case 4:
			code := n.Directory.Value(cert.OIDLocality)
			state = letters(code, 1, 3)
			for _, a := range n.Directory.Attributes {
				state = state && (a.Type.Equal(cert.OIDLocality) || a.Type.Equal(cert.OIDState))
			}
		}
	}
	return contact, state
}

func badScheme(uri string) bool {
	scheme, _, ok := strings.Cut(strings.ToLower(uri), "://")
	return !ok || scheme != "http" && scheme != "https" && scheme != "ldap"
}

func badType(t string) bool { return !letters(t, 1, 2) }

// letters says whether s is so many capital letters.
func letters(s string, from, to int) bool {
	return len(s) >= from && len(s) <= to && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
