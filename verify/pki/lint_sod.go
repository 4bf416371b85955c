package pki

import (
	"crypto"

	"github.com/tamthe/tamthe/card/lds"
)

// LintSOD says which rules of Doc 9303-10 §4.6.2 a security object breaks. Like Lint it
// verifies nothing.
func LintSOD(s *lds.SOD) []Breach {
	l := linter{spec: sodClause}
	l.must(!s.Signed.BER, "encoding-ber", "")
	for _, f := range s.Signed.Findings {
		l.must(false, "signed-data-"+string(f), "")
	}
	for _, f := range s.Object.Findings {
		if f == lds.SODHashDigestDiffs { // two hashes are allowed
			l.should(false, "security-object-"+string(f), "")
			continue
		}
		l.must(false, "security-object-"+string(f), "")
	}
	l.should(s.Object.Version == 1, "security-object-version-0", "")
	l.must(s.Object.Hash != crypto.SHA1, "security-object-hash", "")
	for _, n := range []int{1, 2} {
		_, there := s.Object.GroupHash(n)
		l.must(there, "mandatory-group", "")
	}
	signer, err := s.Signer()
	l.must(err == nil, "one-signer", "")
	if err != nil {
		return l.list
	}
	l.should(signer.KeyID == nil, "signer-by-issuer-and-serial", "")
	l.must(len(s.Signed.Certificates) == 1 && len(s.Signed.SignerCertificates(signer)) == 1, "signer-certificate", "")
	return l.list
}
