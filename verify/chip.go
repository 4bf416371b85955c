package verify

import (
	"crypto/rsa"
	"errors"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/verify/pki"
)

// judgeChip judges the chip's proofs. They count only if a trusted SOD covers the
// group that holds the key.
func (a *assessment) judgeChip() {
	if a.sod == nil {
		return
	}
	asked := a.ev.chip != nil && a.o.Policy.Chip
	infos, err := lds.ParseDG14(a.ev.files[lds.DG14])
	offersCA := a.listed(14) && (err != nil || len(infos.ChipKeys) > 0)
	if a.listed(14) && err != nil && a.ev.files[lds.DG14] != nil {
		a.fail(CheckCA1, ReasonChipKeyMalformed, err)
	}
	switch {
	case !a.listed(15):
		a.set(CheckAA, Absent, "", "")
	case !asked || a.ev.chip.active == nil:
		a.set(CheckAA, NotRun, ReasonChipNotAsked, "")
	default:
		a.proven(CheckAA, 15, a.ev.chip.active.err)
		if key, err := lds.ParseDG15(a.ev.files[lds.DG15]); err == nil && a.passed(CheckAA) && pki.KeyStrength(key, 0) == pki.KeyFactorable {
			a.checks[CheckAA] = Check{ID: CheckAA, Outcome: Undetermined, Reason: ReasonKeyFactorable, Detail: "a copy may have computed the chip's key"}
		}
		if p := a.ev.chip.active.result; p != nil && a.passed(CheckAA) && (p.DER || err != nil || len(infos.Active) == 0) {
			a.checks[CheckAA] = Check{ID: CheckAA, Outcome: Passed, Reason: ReasonChipDeviates, Detail: "signature in DER, or DG14 doesn't name its hash"}
		}
	}
	switch {
	case !offersCA:
		a.set(CheckCA1, Absent, "", "")
	case !asked || a.ev.chip.agreement == nil:
		a.set(CheckCA1, NotRun, ReasonChipNotAsked, "")
	default:
		a.proven(CheckCA1, 14, a.ev.chip.agreement.err)
	}
	a.judgeMapping()
	a.judgeTerminal()
	if a.listed(15) || offersCA || !a.o.Policy.Chip || a.passed(CheckCAM) {
		return
	}
	if a.chain.Issuer.Chip == pki.None {
		a.set(CheckChipNone, Absent, ReasonChipNotOffered, "")
	} else {
		a.set(CheckChipNone, Undetermined, ReasonChipProofMissing, "")
	}
}

// judgeMapping judges the proof that came with PACE. It counts only if EF.CardSecurity,
// which holds its key, is signed under the same trust as the SOD.
func (a *assessment) judgeMapping() {
	if a.ev.chip == nil || a.ev.chip.mapping == nil {
		return
	}
	err := a.ev.chip.mapping.err
	_, asked := a.ev.files[lds.CardSecurity]
	if err != nil && !asked {
		a.fail(CheckCAM, ReasonChipRefused, err)
		return
	}
	if err != nil {
		a.provenBy(CheckCAM, false, err)
		return
	}
	signed, err := lds.ParseCardSecurity(a.ev.files[lds.CardSecurity])
	if err != nil {
		a.fail(CheckCAM, ReasonChipKeyMalformed, err)
		return
	}
	trusted, err := a.trusts(signed)
	if err != nil {
		a.fail(CheckCAM, ReasonCardSecurity, err)
		return
	}
	infos, _ := lds.ParseDG14(a.ev.files[lds.DG14])
	switch listedKeys(a.ev.files, infos, a.ev.chip.mapping.result) {
	case listsOthers:
		a.set(CheckCAM, NotRun, ReasonChipKeyUncovered, "the document lists other keys of its chip")
		return
	case listsNone: // only the common signer ties EF.CardSecurity to the SOD
		if trusted && (a.signer == nil || signed.Verify(a.signer.PublicKey) != nil) {
			a.set(CheckCAM, Undetermined, ReasonChipKeyUncovered, "EF.CardSecurity has another signer than the document")
			return
		}
	}
	a.provenBy(CheckCAM, trusted, nil)
}

// trusts says whether EF.CardSecurity's signer leads to an anchor as the SOD's must. An
// error is a signature that is wrong.
func (a *assessment) trusts(s *lds.SignedInfos) (bool, error) {
	signer, err := s.Signer()
	if err != nil {
		return false, err
	}
	list := append(s.Signed.SignerCertificates(signer), a.o.Trust.Signers(signer)...)
	err = errNoSigner
	for _, c := range list[:min(len(list), maxTrials)] {
		if err = s.Verify(c.PublicKey); err != nil {
			continue
		}
		for _, f := range a.o.Trust.Chain(c).Judge(a.query()).Findings {
			if f.Level == pki.Failed || f.Level == pki.Undetermined && f.Aspect != pki.Lists && f.Aspect != pki.Revocation && f.Aspect != pki.Known {
				return false, nil
			}
		}
		return true, nil
	}
	return false, err
}

var errNoSigner = errors.New("the signer's certificate is not there")

// judgeTerminal says whether the chip has given us rights. No is no fault of the card.
func (a *assessment) judgeTerminal() {
	if a.ev.chip == nil || a.ev.chip.terminal == nil {
		return
	}
	if err := a.ev.chip.terminal.err; err != nil {
		a.record(Check{ID: CheckTA, Outcome: NotRun, Reason: ReasonTerminalRefused, Detail: err.Error(), Err: err})
		return
	}
	a.set(CheckTA, Passed, "", "")
}

// proven records how a proof of the chip ended whose key lies in the group.
func (a *assessment) proven(id string, group int, err error) {
	a.provenBy(id, a.intact[group], err)
}

// provenBy is proven for a key that is covered by a trusted signature or not.
func (a *assessment) provenBy(id string, covered bool, err error) {
	_, refused := errors.AsType[*apdu.StatusError](err)
	switch {
	case err == nil && covered:
		a.set(id, Passed, "", "")
	case err == nil:
		a.set(id, Undetermined, ReasonChipKeyUncovered, "")
	case errors.Is(err, auth.ErrUnsupported):
		a.record(Check{ID: id, Outcome: NotRun, Reason: ReasonChipUnsupported, Detail: err.Error(), Err: err})
	case errors.Is(err, auth.ErrSignature), errors.Is(err, auth.ErrProtocol), errors.Is(err, sm.ErrProtection), errors.Is(err, rsa.ErrVerification):
		a.fail(id, ReasonChipKeyMismatch, err)
	case refused:
		a.fail(id, ReasonChipRefused, err)
	default:
		a.fail(id, ReasonChipKeyMalformed, err)
	}
}
