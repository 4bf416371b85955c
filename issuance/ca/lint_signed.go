package ca

import (
	"encoding/hex"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/verify/pki"
)

// LintCRL judges a list by Doc 9303-12 §7.1.4; root is the CSCA that issues it. Reason
// codes are the operator's choice, what is wrong with an entry is a rule here.
func LintCRL(c *cert.CRL, root *cert.Certificate) []Finding {
	var l lint
	for _, b := range pki.LintCRL(c, root) {
		l.findings = append(l.findings, Finding{b.Rule, b.Rule != "entry-extension.forbidden", b.Spec})
	}
	return l.findings
}

// LintSOD judges a security object by Doc 9303-10 §4.6.2, and its log proof, if it has one,
// by whether it is of this object.
func LintSOD(s *lds.SOD) []Finding {
	l := lint{spec: "9303-10 §4.6.2"}
	for _, b := range pki.LintSOD(s) {
		l.findings = append(l.findings, Finding{b.Rule, b.Severity == pki.Error, b.Spec})
	}
	if p, present, ok := s.LogProof(); present {
		l.must(ok, "log-proof-malformed")
		l.must(!ok || prepares(p.Leaf, s.CardID()), "log-proof-of-another")
	}
	return l.findings
}

// prepares reports whether a leaf is of the act that prepared the card of the name.
func prepares(leaf []byte, card [32]byte) bool {
	e, _, err := issuance.ParseLeaf(leaf)
	return err == nil && e.Stream.Kind == issuance.KindCard && e.Act == issuance.Prepare &&
		e.Fields["cardid"] == hex.EncodeToString(card[:])
}
