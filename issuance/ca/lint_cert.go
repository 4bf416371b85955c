package ca

import (
	"slices"
	"strings"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/verify/pki"
)

// Lint judges a certificate by Doc 9303-12 §7.1.1 as any verifier would, and by what we
// ask of ourselves beyond: recommended key sizes and periods within the issuer's are
// rules here. Root is the CSCA that issues it, nil for a root.
func Lint(c *cert.Certificate, p pki.Profile, root *cert.Certificate) []Finding {
	if root == nil {
		root = c
	}
	var l lint
	l.profile(pki.Lint(c, p, root))
	l.spec = "tamthe"
	for _, n := range []cert.Name{c.Issuer, c.Subject} {
		l.must(len([]rune(n.CommonName())) <= 64, "common-name") // RFC 5280 appendix A.1
	}
	l.must(specimen(c.Issuer) == specimen(c.Subject), "specimen-mark")
	return l.findings
}

// stricter are recommendations that are rules here.
var stricter = []string{"key-size", "validity-beyond-issuer", "private-key-usage-period.value", "issuer-name", "subject-alternative-name.contact", "issuer-alternative-name.contact"}

// chosen are rules that an operator may set aside: verifiers read named curves better.
var chosen = []string{"explicit-parameters"}

func (l *lint) profile(list []pki.Breach) {
	for _, b := range list {
		refuse := b.Severity == pki.Error && !slices.Contains(chosen, b.Rule) || slices.Contains(stricter, b.Rule)
		l.findings = append(l.findings, Finding{b.Rule, refuse, b.Spec})
	}
}

func specimen(n cert.Name) bool {
	return slices.ContainsFunc(n.Attributes, func(a cert.Attribute) bool {
		return strings.Contains(strings.ToUpper(a.Value), Specimen)
	})
}
