package pki

import (
	"bytes"
	"crypto"
	"slices"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
)

// LintList says which rules of Doc 9303-12 §9 a master list, or of §10 a deviation list,
// breaks; of another content it says that alone. Like Lint it verifies nothing.
func LintList(s *cms.SignedData) []Breach {
	l := linter{spec: listRules}
	list := new(SignedList)
	purpose := list.readKind(s)
	if purpose == nil {
		l.add(Error, "content-type", s.ContentType.String())
		return l.list
	}
	if list.Kind != KindMasterList {
		l.spec = "9303-12 §10.2"
	}
	l.must(!s.BER, "encoding-ber", "")
	l.must(s.Version == 3, "version", "")
	l.should(len(s.CRLs) == 0, "crls", "revocation lists are packed in")
	l.must(len(s.Signers) == 1, "one-signer", "")
	for _, info := range s.Signers {
		l.listSigner(s, info)
		l.signerCertificate(s, info, list.Kind)
	}
	l.listContent(s.Content, list)
	return l.list
}

// listSigner judges the SignerInfo.
func (l *linter) listSigner(s *cms.SignedData, info *cms.SignerInfo) {
	named := 1
	if info.KeyID != nil {
		named = 3
	}
	l.must(info.Version == named, "signer-version", "")
	l.should(info.KeyID != nil, "signer-by-key-identifier", "named by issuer and serial number")
	listed := slices.ContainsFunc(s.DigestAlgorithms, func(a cert.AlgorithmIdentifier) bool { return a.OID.Equal(info.DigestAlgorithm.OID) })
	l.must(listed, "digest-algorithms", "the signer's digest is not among them")
	l.must(len(info.Attributes) > 0, "signed-attributes.missing", "")
	if len(info.Attributes) > 0 {
		_, timed := info.SigningTime()
		l.must(timed, "signing-time", "")
	}
	l.should(len(info.Unsigned) == 0, "unsigned-attributes", "")
	hash, err := info.DigestAlgorithm.Hash()
	l.must(err == nil && hash != crypto.SHA1, "digest-hash", info.DigestAlgorithm.OID.String())
	_, err = info.Algorithm()
	l.must(err == nil, "signature-algorithm", info.SignatureAlgorithm.OID.String())
}

// signerCertificate judges what is packed in: the signer's certificate, which is for such
// lists and no CSCA's, and the CSCA that issued it.
func (l *linter) signerCertificate(s *cms.SignedData, info *cms.SignerInfo, kind string) {
	certs := s.SignerCertificates(info)
	l.must(len(certs) > 0, "signer-certificate.missing", "")
	if len(certs) == 0 {
		return
	}
	c := certs[0]
	l.must(!c.IsCA(), "signed-by-csca", c.Subject.String())
	want := ProfileMasterList
	if kind != KindMasterList {
		want = ProfileDeviationList
	}
	l.must(c.IsCA() || ProfileOf(c) == want, "signer-purpose", ProfileOf(c).String())
	issued := slices.ContainsFunc(s.Certificates, func(x cms.Certificate) bool {
		return x.Parsed != nil && x.Parsed.IsCA() && x.Parsed.KeyErr == nil && c.CheckSignature(x.Parsed.PublicKey) == nil
	})
	l.must(c.IsCA() || issued, "signer-csca.missing", "")
}

// listContent judges what is signed.
func (l *linter) listContent(content []byte, list *SignedList) {
	if list.Kind != KindMasterList {
		err := list.readContent(content)
		l.must(err == nil, "content", errorText(err))
		return
	}
	l.spec = "9303-12 §9.1"
	certs, err := parseMasterList(content)
	l.must(err == nil, "content", errorText(err))
	for i, der := range certs {
		c, err := cert.Parse(der)
		l.must(err == nil && c.IsCA(), "entry", errorText(err))
		l.must(!slices.ContainsFunc(certs[:i], func(b []byte) bool { return bytes.Equal(b, der) }), "entry-twice", "")
	}
	l.must(slices.IsSortedFunc(certs, bytes.Compare), "encoding-set-order", "the certificates are not in DER order")
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
