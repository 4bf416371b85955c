package ca

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"slices"
	"strings"

	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
)

// Lint judges a certificate by Doc 9303-12 §7.1; root is the CSCA that issues it, nil
// for a root.
func Lint(c *cert.Certificate, role Role, root *cert.Certificate) []Finding {
	if root == nil {
		root = c
	}
	var l lint
	l.body(c)
	l.names(c, root)
	l.key(c, role)
	l.validity(c, role, root)
	l.extensions(c, role, root)
	return l.findings
}

// body is Doc 9303-12 table 4: certificate fields.
func (l *lint) body(c *cert.Certificate) {
	l.spec = "9303-12 §7.1 table 4"
	l.must(c.Version == 3, "version")
	l.must(c.Serial.Sign() > 0 && c.Serial.BitLen() <= 159, "serial-number")
	for _, d := range c.Defects {
		l.must(false, "encoding-"+string(d.Kind))
	}
	alg, err := c.Algorithm.Signature()
	l.must(err == nil && alg.Hash != crypto.SHA1, "signature-hash") // §4.1.6.4: SHA-224 to SHA-512
	l.should(alg.Scheme != cert.RSAPKCS1, "rsa-pss-recommended")
}

// names is Doc 9303-12 §7.1.1: issuer and subject.
func (l *lint) names(c, root *cert.Certificate) {
	l.spec = "9303-12 §7.1 table 4"
	for _, n := range []cert.Name{c.Issuer, c.Subject} {
		l.must(n.CommonName() != "" && len([]rune(n.CommonName())) <= 64, "common-name")
		for _, a := range n.Attributes {
			printable := a.Tag == byte(tags.PrintableString)
			switch {
			case a.Type.Equal(cert.OIDCountry):
				l.must(printable && len(a.Value) == 2 && a.Value == strings.ToUpper(a.Value), "country")
			case a.Type.Equal(cert.OIDSerialNumber):
				l.must(printable, "name-serial-number")
			default:
				l.must(printable || a.Tag == byte(tags.UTF8String), "name-string-type")
			}
		}
		l.must(n.Country() != "", "country")
	}
	l.must(c.Issuer.Country() == c.Subject.Country(), "country-differs")
	l.must(bytes.Equal(c.Issuer.Raw, root.Subject.Raw), "issuer-name")
	l.must(specimen(c.Issuer) == specimen(c.Subject), "specimen-mark")
}

func specimen(n cert.Name) bool {
	return slices.ContainsFunc(n.Attributes, func(a cert.Attribute) bool {
		return strings.Contains(strings.ToUpper(a.Value), Specimen)
	})
}

// key is Doc 9303-12 §4.1.6.
func (l *lint) key(c *cert.Certificate, role Role) {
	l.spec = "9303-12 §4.1.6"
	l.must(c.KeyErr == nil, "public-key")
	if c.KeyErr != nil {
		return
	}
	least := map[bool]int{true: 2048, false: 224}[c.PublicKey.RSA != nil]
	if role == RoleCSCA {
		least = map[bool]int{true: 3072, false: 256}[c.PublicKey.RSA != nil]
	}
	l.must(c.PublicKey.Bits() >= least, "key-size")
	l.should(c.PublicKey.EC == nil || c.PublicKey.Explicit, "explicit-parameters")
}

// validity is Doc 9303-12 §4.1.5 and §7.1.1.5.
func (l *lint) validity(c *cert.Certificate, role Role, root *cert.Certificate) {
	l.spec = "9303-12 §7.1.1"
	l.must(c.NotBefore.Before(c.NotAfter), "validity")
	l.must(!c.NotAfter.After(root.NotAfter) && !c.NotBefore.Before(root.NotBefore), "validity-beyond-issuer")
	p := c.PrivateKeyUsage
	l.must(p != nil, "private-key-usage-period")
	if p == nil {
		return
	}
	l.must(!p.NotBefore.IsZero() || !p.NotAfter.IsZero(), "private-key-usage-period")
	l.must(!p.NotBefore.Before(c.NotBefore) || p.NotBefore.IsZero(), "private-key-usage-period")
	l.must(!p.NotAfter.After(c.NotAfter), "private-key-usage-period")
	if !p.NotBefore.IsZero() && !p.NotAfter.IsZero() {
		l.must(p.NotBefore.Before(p.NotAfter), "private-key-usage-period")
		l.spec = "9303-12 §4.1.5"
		if role == RoleSigner {
			l.should(!p.NotAfter.After(p.NotBefore.AddDate(0, 3, 0)), "signer-key-over-3-months")
		} else {
			l.should(!p.NotAfter.After(p.NotBefore.AddDate(5, 0, 0)), "csca-key-over-5-years")
		}
	}
}

// Extensions of RFC 5280 that Doc 9303-12 table 5 forbids in every profile.
var forbidden = []asn1.ObjectIdentifier{
	{2, 5, 29, 33}, // policyMappings
	{2, 5, 29, 30}, // nameConstraints
	{2, 5, 29, 36}, // policyConstraints
	{2, 5, 29, 54}, // inhibitAnyPolicy
	{2, 5, 29, 46}, // freshestCRL
	{2, 5, 29, 9},  // subjectDirectoryAttributes
	{2, 16, 840, 1, 113730, 1, 1},
}

// extensions is Doc 9303-12 table 5.
func (l *lint) extensions(c *cert.Certificate, role Role, root *cert.Certificate) {
	l.spec = "9303-12 §7.1 table 5"
	for _, oid := range forbidden {
		_, there := c.Extension(oid)
		l.must(!there, "forbidden-extension")
	}
	l.must(len(c.UnknownCritical) == 0, "unknown-critical-extension")
	l.must(bytes.Equal(c.AuthorityKeyID, root.SubjectKeyID) || role == RoleCSCA && c.AuthorityKeyID == nil, "authority-key-identifier")
	l.must(len(c.SubjectAltName) > 0 && alternative(c.SubjectAltName), "subject-alternative-name")
	l.must(len(c.IssuerAltName) > 0 && alternative(c.IssuerAltName), "issuer-alternative-name")
	l.must(len(c.ExtKeyUsage) == 0, "extended-key-usage")
	l.must(len(c.CRLDistributionPoints) > 0 && !slices.ContainsFunc(c.CRLDistributionPoints, badScheme), "crl-distribution-points")
	usage, _ := c.Extension(cert.OIDKeyUsage)
	basic, hasBasic := c.Extension(cert.OIDBasicConstraints)
	if role == RoleSigner {
		l.must(usage.Critical && c.KeyUsage == cert.DigitalSignature, "key-usage")
		l.must(!hasBasic, "basic-constraints")
		list, _ := c.Extension(cert.OIDDocumentTypeList)
		l.must(len(c.DocumentTypes) > 0 && !list.Critical, "document-type-list")
		l.must(!slices.ContainsFunc(c.DocumentTypes, badType), "document-type-list")
		return
	}
	l.must(len(c.SubjectKeyID) > 0, "subject-key-identifier")
	l.must(usage.Critical && c.KeyUsage == cert.KeyCertSign|cert.CRLSign, "key-usage")
	l.must(basic.Critical && c.IsCA() && c.BasicConstraints.PathLen == 0, "basic-constraints")
	l.must(c.DocumentTypes == nil, "document-type-list")
}

// alternative says whether the names hold a contact and the state as in the MRZ, and
// nothing else in the directory name (ST only for states that share a code).
func alternative(names []cert.GeneralName) bool {
	contact, state := false, false
	for _, n := range names {
		switch n.Tag {
		case 1, 2, 6:
			contact = true
		case 4:
			code := n.Directory.Value(cert.OIDLocality)
			state = len(code) >= 1 && len(code) <= 3 && code == strings.ToUpper(code)
			for _, a := range n.Directory.Attributes {
				state = state && (a.Type.Equal(cert.OIDLocality) || a.Type.Equal(cert.OIDState))
			}
		}
	}
	return contact && state
}

func badScheme(uri string) bool {
	for _, scheme := range []string{"http://", "https://", "ldap://"} {
		if strings.HasPrefix(uri, scheme) {
			return false
		}
	}
	return true
}

func badType(t string) bool {
	return len(t) < 1 || len(t) > 2 || strings.Trim(t, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != ""
}
