package ca

import (
	"bytes"
	"crypto"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
)

// LintCRL judges a list by Doc 9303-12 §7.1.4; root is the CSCA that issues it.
func LintCRL(c *cert.CRL, root *cert.Certificate) []Finding {
	l := lint{spec: "9303-12 §7.1.4"}
	l.must(c.Version == 2, "crl-version")
	l.must(bytes.Equal(c.Issuer.Raw, root.Subject.Raw), "issuer-name")
	l.must(len(c.AuthorityKeyID) > 0 && bytes.Equal(c.AuthorityKeyID, root.SubjectKeyID), "authority-key-identifier")
	l.must(c.Number != nil && c.Number.Sign() >= 0, "crl-number")
	l.must(root.KeyUsage&cert.CRLSign != 0, "issuer-key-usage")
	l.must(len(c.UnknownCritical) == 0, "unknown-critical-extension")
	for _, d := range c.Defects {
		l.must(false, "encoding-"+string(d.Kind))
	}
	l.must(c.ThisUpdate.Before(c.NextUpdate) && !c.NextUpdate.After(c.ThisUpdate.AddDate(0, 0, 90)), "crl-period")
	seen := make(map[string]bool)
	for _, e := range c.Entries {
		l.must(!seen[e.Serial.String()], "crl-entry-twice")
		seen[e.Serial.String()] = true
		l.must(!e.Time.After(c.ThisUpdate), "crl-entry-in-future")
		l.must(e.Serial.Sign() > 0, "crl-entry-serial")
		l.should(e.Reason == cert.Unspecified, "crl-entry-reason")
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
	signer, err := s.Signer()
	l.must(err == nil, "one-signer")
	if err != nil {
		return l.findings
	}
	l.should(signer.KeyID == nil, "signer-by-issuer-and-serial")
	l.must(len(s.Signed.Certificates) == 1 && len(s.Signed.SignerCertificates(signer)) == 1, "signer-certificate")
	return l.findings
}
