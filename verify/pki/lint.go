package pki

import (
	"encoding/asn1"
	"slices"
	"time"

	"github.com/tamthe/tamthe/card/cert"
)

// Severity is how much a breach weighs with the standard. It says nothing about trust:
// real authorities break rules, and their documents are genuine.
type Severity uint8

// The severities. A warning is what Doc 9303-12 recommends, or what its sixth edition
// (appendix C) allowed when the certificate was made; an error is what it demands.
const (
	Warning Severity = iota
	Error
)

// String is "warning" or "error".
func (s Severity) String() string {
	if s == Error {
		return "error"
	}
	return "warning"
}

// A Breach is a rule of Doc 9303-12 that a certificate or revocation list does not keep.
// Rule is a stable code, such as "key-usage.value"; Detail is for people who mend it, may
// quote the certificate and is not escaped.
type Breach struct {
	Rule     string
	Severity Severity
	Spec     string
	Detail   string
}

// Profile is a column of table 6 of Doc 9303-12 §7.1.1.
type Profile uint8

// The profiles.
const (
	ProfileCSCA          Profile = iota // self-signed root
	ProfileLink                         // CSCA key certified by an earlier one
	ProfileSigner                       // document signer
	ProfileMasterList                   // signer of master lists
	ProfileDeviationList                // signer of deviation lists
	ProfileCommunication                // any other purpose
)

// String is a stable word: csca, link, signer, master-list, deviation-list, communication.
func (p Profile) String() string {
	return [...]string{"csca", "link", "signer", "master-list", "deviation-list", "communication"}[min(p, ProfileCommunication)]
}

// OIDDeviationListSigner is the purpose of Doc 9303-12 §7.1.1.3 beside
// cert.OIDMasterListSigner.
var OIDDeviationListSigner = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 8}

// ProfileOf tells from its own words which profile a certificate means to keep: a CSCA
// says so by cA or keyCertSign, a signer of lists by its purpose.
func ProfileOf(c *cert.Certificate) Profile {
	has := func(oid asn1.ObjectIdentifier) bool { return slices.ContainsFunc(c.ExtKeyUsage, oid.Equal) }
	switch {
	case (c.IsCA() || c.KeyUsage&cert.KeyCertSign != 0) && c.SelfSigned():
		return ProfileCSCA
	case c.IsCA() || c.KeyUsage&cert.KeyCertSign != 0:
		return ProfileLink
	case has(cert.OIDMasterListSigner):
		return ProfileMasterList
	case has(OIDDeviationListSigner):
		return ProfileDeviationList
	case len(c.ExtKeyUsage) > 0:
		return ProfileCommunication
	}
	return ProfileSigner
}

// seventhEdition is the year from which certificates have to keep today's profile;
// before, appendix C of Doc 9303-12 tells what was asked.
var seventhEdition = time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC)

// linter gathers breaches of one certificate or list.
type linter struct {
	list  []Breach
	spec  string
	early bool // made under the sixth edition
}

func (l *linter) add(s Severity, rule, detail string) {
	l.list = append(l.list, Breach{rule, s, l.spec, detail})
}

func (l *linter) must(ok bool, rule, detail string) {
	if !ok {
		l.add(Error, rule, detail)
	}
}

func (l *linter) should(ok bool, rule, detail string) {
	if !ok {
		l.add(Warning, rule, detail)
	}
}

// newer is a demand that the sixth edition did not make.
func (l *linter) newer(ok bool, rule, detail string) {
	if l.early {
		l.should(ok, rule, detail)
		return
	}
	l.must(ok, rule, detail)
}

// Lint says which rules of Doc 9303-12 §7.1.1 a certificate breaks, in the order of the
// standard; nil is none. Issuer is the certificate of the key that signed it, nil if that
// is not at hand (rules that need it are left out then). It verifies no signature and
// decides no trust.
func Lint(c *cert.Certificate, p Profile, issuer *cert.Certificate) []Breach {
	if issuer == nil && p == ProfileCSCA {
		issuer = c
	}
	l := linter{early: c.NotBefore.Before(seventhEdition)}
	l.body(c)
	l.names(c, issuer)
	l.key(c, p)
	l.periods(c, p, issuer)
	l.extensions(c, p, issuer)
	return l.list
}
