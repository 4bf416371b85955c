package verify

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify/pki"
)

// readSOD reads the signed list and judges its form.
func (a *assessment) readSOD() {
	raw, ok := a.ev.files[lds.SODFile]
	if !ok {
		if err, asked := a.ev.denied[lds.SODFile]; asked {
			a.fail(CheckSODStructure, ReasonSODMissing, err)
		} else {
			a.set(CheckSODStructure, Undetermined, ReasonSODMissing, "")
		}
		return
	}
	sod, err := lds.ParseSOD(raw)
	switch {
	case errors.Is(err, cert.ErrAlgorithm):
		a.fail(CheckSODAlgorithm, ReasonAlgorithmBroken, err)
		return
	case err != nil:
		a.fail(CheckSODStructure, ReasonSODMalformed, err)
		return
	}
	a.sod = sod
	a.document.Card = sod.CardID()
	if ref, ok := sod.StatusReference(); ok {
		a.document.Status = &ref
	}
	a.document.Groups = a.groups()
	a.document.Hash = sod.Object.Hash.String()
	a.set(CheckSODStructure, Passed, "", "")
	a.departures()
}

// Tolerated are departures from the standard that genuine documents are known for; they are
// said and do no harm. Some findings of the two packages have one text.
var (
	toleratedObject = []lds.SODFinding{lds.SODContentType}
	tolerated       = []cms.Finding{cms.FindingAttributesOrder, cms.FindingUnsigned, cms.FindingCRLs}
)

// Silent are findings that other checks judge, and what is no fault at all.
var (
	silentObject = []lds.SODFinding{lds.SODSingleHash, lds.SODGroupOrder, lds.SODHashDigestDiffs}
	silent       = []cms.Finding{
		cms.FindingNoCertificate, cms.FindingSigners, cms.FindingAttributeTwice, cms.FindingAttributesAbsent,
		cms.FindingContentType, cms.FindingDetached,
	}
)

// departures judges how the SOD departs from its profile.
func (a *assessment) departures() {
	var all, bad []string
	add := func(f string, silent, tolerated bool) {
		if !silent {
			all = append(all, f)
		}
		if !silent && !tolerated {
			bad = append(bad, f)
		}
	}
	for _, f := range a.sod.Object.Findings {
		add(string(f), slices.Contains(silentObject, f), slices.Contains(toleratedObject, f))
	}
	for _, f := range a.sod.Signed.Findings {
		add(string(f), slices.Contains(silent, f), slices.Contains(tolerated, f))
	}
	switch {
	case len(bad) > 0:
		a.set(CheckSODProfile, Failed, ReasonSODProfile, strings.Join(bad, ", "))
	case len(all) > 0:
		a.set(CheckSODProfile, Passed, ReasonSODProfile, strings.Join(all, ", "))
	default:
		a.set(CheckSODProfile, Passed, "", "")
	}
}

// signature verifies the SOD with the certificate of its signer.
func (a *assessment) signature() {
	if a.sod == nil {
		return
	}
	signers := a.sod.Signed.Signers
	if len(signers) != 1 {
		a.severalSigners(signers)
		return
	}
	s := signers[0]
	if slices.Contains(a.sod.Signed.Findings, cms.FindingAttributesAbsent) {
		a.set(CheckSODSignature, Failed, ReasonSODAttributes, "no signed attributes")
		return
	}
	candidates := a.candidates(s)
	if len(candidates) == 0 {
		return
	}
	a.signer = candidates[0]
	err := a.verify(s, a.signer)
	for _, c := range candidates[1:] {
		if err == nil {
			break
		}
		if other := a.verify(s, c); other == nil {
			a.signer, err = c, nil
		}
	}
	a.strength(s)
	if err != nil {
		a.fail(CheckSODSignature, signatureReason(err), err)
		return
	}
	a.signed = true
	a.set(CheckSODSignature, Passed, "", "")
}

// severalSigners refuses a SOD that has not exactly one signer, and says if one of
// them speaks of other data.
func (a *assessment) severalSigners(signers []*cms.SignerInfo) {
	reason := ReasonSODAttributes
	for _, s := range signers[:min(len(signers), maxTrials)] {
		certs := a.sod.Signed.SignerCertificates(s)
		if len(certs) > 0 && errors.Is(a.verify(s, certs[0]), cms.ErrMessageDigest) { // one is enough to say why
			reason = ReasonSODDigest
		}
	}
	a.set(CheckSODSignature, Failed, reason, fmt.Sprintf("%d signers", len(signers)))
}

// maxTrials is how many certificates are tried for one signer. A genuine document packs
// one; many with large keys would hold up a checkpoint.
const maxTrials = 8

// candidates returns the certificates that may be the signer's: from the document,
// then from the store. Without any it says so.
func (a *assessment) candidates(s *cms.SignerInfo) []*cert.Certificate {
	list := append(a.sod.Signed.SignerCertificates(s), a.o.Trust.Signers(s)...)
	for _, c := range a.o.Signers {
		if s.Matches(c) {
			list = append(list, c)
		}
	}
	list = list[:min(len(list), maxTrials)]
	packed := a.sod.Signed.Certificates
	who := fmt.Sprintf("issuer %v, serial %v, key %x", s.Issuer, s.Serial, s.KeyID)
	switch {
	case len(list) > 0:
	case len(packed) == 0:
		a.set(CheckSODSignature, Undetermined, ReasonSignerMissing, who)
	case packed[0].Err != nil:
		a.fail(CheckCertStructure, ReasonCertMalformed, packed[0].Err)
	default:
		a.set(CheckSODSignature, Failed, ReasonSignerMismatch, who)
	}
	return list
}

// verify checks one signer with one certificate.
func (a *assessment) verify(s *cms.SignerInfo, c *cert.Certificate) error {
	if c.KeyErr != nil {
		return c.KeyErr
	}
	if v := a.o.Recurring.of(c); v != nil {
		return a.sod.Signed.VerifyBy(s, v.Verify)
	}
	return a.sod.Signed.Verify(s, c.PublicKey)
}

func signatureReason(err error) Reason {
	switch {
	case errors.Is(err, cms.ErrMessageDigest):
		return ReasonSODDigest
	case errors.Is(err, cms.ErrStructure):
		return ReasonSODAttributes
	case errors.Is(err, cert.ErrKey), errors.Is(err, cert.ErrMalformed):
		return ReasonSignerKey
	}
	return ReasonSODSignature
}

// strength judges the algorithms of the SOD: of its signature, of the message digest
// and of the group hashes.
func (a *assessment) strength(s *cms.SignerInfo) {
	a.set(CheckSODAlgorithm, Passed, "", "")
	alg, err := s.Algorithm()
	if err != nil {
		a.fail(CheckSODAlgorithm, ReasonAlgorithmBroken, err)
		return
	}
	digest, err := s.DigestAlgorithm.Hash()
	if err != nil {
		a.fail(CheckSODAlgorithm, ReasonAlgorithmBroken, err)
		return
	}
	for _, h := range []struct {
		what string
		kind pki.Kind
	}{
		{alg.String(), pki.KeyStrength(a.signer.PublicKey, alg.Hash)},
		{"message digest " + digest.String(), pki.KeyStrength(cert.PublicKey{}, digest)},
		{"group hashes " + a.sod.Object.Hash.String(), pki.KeyStrength(cert.PublicKey{}, a.sod.Object.Hash)},
	} {
		if h.kind != "" {
			a.set(CheckSODAlgorithm, Failed, reasonOf[h.kind], h.what)
		}
	}
}

// judgeChain judges the signer and its chain, now that what the document says of
// itself is known.
func (a *assessment) judgeChain() {
	if a.signer == nil {
		return
	}
	fp := a.signer.Fingerprint()
	a.document.Signer = hex.EncodeToString(fp[:])
	a.chain = a.route().Judge(a.query())
	for _, f := range a.chain.Findings {
		a.record(Check{ID: aspectChecks[f.Aspect], Outcome: levels[f.Level], Reason: reasonOf[f.Kind], Detail: f.Detail})
	}
	if a.chain.Anchor != nil {
		a.document.CSCA = a.chain.Anchor.String()
	}
	a.trusted = a.signed && a.passed(CheckChain)
}

// route looks for the signer's chain; what the document brings besides its signer is
// material only.
func (a *assessment) route() *pki.Chain {
	var extra []*cert.Certificate
	for _, c := range a.sod.Signed.Certificates {
		if c.Parsed != nil && !bytes.Equal(c.Parsed.Raw, a.signer.Raw) {
			extra = append(extra, c.Parsed)
		}
	}
	return a.o.Trust.Chain(a.signer, extra...)
}
