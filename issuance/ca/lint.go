package ca

import (
	"fmt"
	"strings"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
)

// A Finding is a rule that something breaks. Rule is a stable code, Spec its clause.
type Finding struct {
	Rule  string
	Error bool // else a warning: allowed, or discouraged
	Spec  string
}

// LintError refuses what breaks rules; warnings are among its findings.
type LintError struct{ Findings []Finding }

// Error lists the rules that refuse.
func (e *LintError) Error() string {
	var rules []string
	for _, f := range e.Findings {
		if f.Error {
			rules = append(rules, fmt.Sprintf("%s (%s)", f.Rule, f.Spec))
		}
	}
	return "lint: " + strings.Join(rules, ", ")
}

// Role is what a certificate is for.
type Role uint8

// The roles that Lint has rules for.
const (
	RoleCSCA   Role = iota + 1 // self-signed root
	RoleSigner                 // document signer
)

// lint collects findings.
type lint struct {
	findings []Finding
	spec     string
}

func (l *lint) must(ok bool, rule string) {
	if !ok {
		l.findings = append(l.findings, Finding{rule, true, l.spec})
	}
}

func (l *lint) should(ok bool, rule string) {
	if !ok {
		l.findings = append(l.findings, Finding{rule, false, l.spec})
	}
}

// Lint judges a certificate by Doc 9303-12 §7.1; root is the CSCA that issues it, nil
// for a root.
func Lint(c *cert.Certificate, role Role, root *cert.Certificate) []Finding { panic("todo") }

// LintCRL judges a list by Doc 9303-12 §7.1.4; root is the CSCA that issues it.
func LintCRL(l *cert.CRL, root *cert.Certificate) []Finding { panic("todo") }

// LintSOD judges a security object by Doc 9303-10 §4.6.2.
func LintSOD(s *lds.SOD) []Finding { panic("todo") }
