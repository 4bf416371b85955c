package ca

import (
	"fmt"
	"strings"
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

// lint collects findings.
type lint struct {
	findings []Finding
	spec     string
}

func (l *lint) add(refuse bool, rule string) {
	l.findings = append(l.findings, Finding{rule, refuse, l.spec})
}

func (l *lint) must(ok bool, rule string) {
	if !ok {
		l.add(true, rule)
	}
}
