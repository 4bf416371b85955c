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
	if a.listed(15) || offersCA || !a.o.Policy.Chip {
		return
	}
	if a.chain.Issuer.Chip == pki.None {
		a.set(CheckChipNone, Absent, ReasonChipNotOffered, "")
	} else {
		a.set(CheckChipNone, Undetermined, ReasonChipProofMissing, "")
	}
}

// proven records how a proof of the chip ended whose key lies in the group.
func (a *assessment) proven(id string, group int, err error) {
	_, refused := errors.AsType[*apdu.StatusError](err)
	switch {
	case err == nil && a.intact[group]:
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
