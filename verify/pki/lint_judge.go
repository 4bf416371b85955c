package pki

import (
	"slices"
	"strings"

	"github.com/tamthe/tamthe/card/cert"
)

// profile tells which rules of Doc 9303-12 the signer and those above it break. It never
// speaks against a document: of the certificates that states publish few keep every rule.
func (j *judgement) profile(c *Chain) {
	c.linted.Do(func() { c.breaches = lintRoute(j.route) })
	if c.breaches != "" {
		j.add(Profiles, Passed, CertProfile, c.breaches)
		return
	}
	j.add(Profiles, Passed, "", "")
}

// lintRoute names the rules with severity Error that each certificate of a route breaks.
func lintRoute(r route) string {
	var all []string
	for i, e := range r {
		p, issuer := ProfileLink, (*cert.Certificate)(nil)
		switch {
		case i == 0:
			p = ProfileOf(e.cert)
		case i == len(r)-1:
			p = ProfileCSCA
		}
		if i+1 < len(r) {
			issuer = r[i+1].cert
		}
		var rules []string
		for _, b := range Lint(e.cert, p, issuer) {
			if b.Severity == Error && !slices.Contains(rules, b.Rule) {
				rules = append(rules, b.Rule)
			}
		}
		if len(rules) > 0 {
			all = append(all, p.String()+": "+strings.Join(rules, ", "))
		}
	}
	return strings.Join(all, "; ")
}
