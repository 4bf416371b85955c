package ca

import (
	"crypto"
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

// LintSOD judges a security object by Doc 9303-10 §4.6.2.
func LintSOD(s *lds.SOD) []Finding {
	l := lint{spec: "9303-10 §4.6.2"}
	l.must(!s.Signed.BER, "encoding-ber")
	for _, f := range s.Signed.Findings {
		l.must(false, "signed-data-"+string(f))
	}
	for _, f := range s.Object.Findings {
		l.add(f != lds.SODHashDigestDiffs, "security-object-"+string(f)) // two hashes are allowed
	}
	l.should(s.Object.Version == 1, "security-object-version-0")
	l.must(s.Object.Hash != crypto.SHA1, "security-object-hash")
	for _, n := range []int{1, 2} {
		_, there := s.Object.GroupHash(n)
		l.must(there, "mandatory-group")
	}
	if p, present, ok := s.LogProof(); present {
		l.must(ok, "log-proof-malformed")
		l.must(!ok || prepares(p.Leaf, s.CardID()), "log-proof-of-another")
	}
	signer, err := s.Signer()
	l.must(err == nil, "one-signer")
	if err != nil {
		return l.findings
	}
	l.should(signer.KeyID == nil, "signer-by-issuer-and-serial")
	l.must(len(s.Signed.Certificates) == 1 && len(s.Signed.SignerCertificates(signer)) == 1, "signer-certificate")
	return l.findings
}

// prepares reports whether a leaf is of the act that prepared the card of the name.
func prepares(leaf []byte, card [32]byte) bool {
	e, _, err := issuance.ParseLeaf(leaf)
	return err == nil && e.Stream.Kind == issuance.KindCard && e.Act == issuance.Prepare &&
		e.Fields["cardid"] == hex.EncodeToString(card[:])
}
