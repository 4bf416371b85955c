package verify

import (
	"fmt"
	"time"

	"github.com/tamthe/tamthe/verify/pki"
)

// judgeStatus judges what the issuer says about this card.
func (a *assessment) judgeStatus() {
	none := a.chain.Issuer.Status == pki.None
	answer := a.ev.status
	switch {
	case a.sod == nil:
	case answer == nil && none:
		a.set(CheckStatus, Absent, ReasonStatusNotPublished, "")
	case answer == nil:
		a.set(CheckStatus, NotRun, ReasonStatusNotAsked, "")
	case answer.err != nil:
		a.record(Check{ID: CheckStatus, Outcome: Undetermined, Reason: ReasonStatusUnavailable, Detail: answer.err.Error(), Err: answer.err})
	case answer.state == StateUnknown && none:
		a.set(CheckStatus, Absent, ReasonStatusNotPublished, "")
	default:
		a.state(*answer)
	}
}

// state judges an answer. A card that was revoked is revoked however old the answer.
func (a *assessment) state(answer statusAnswer) {
	asOf := "as of " + answer.asOf.UTC().Format(time.RFC3339)
	switch answer.state {
	case StateRevoked:
		a.set(CheckStatus, Failed, ReasonCardRevoked, asOf)
	case StateSuspended:
		a.set(CheckStatus, Failed, ReasonCardSuspended, asOf)
	case StateSuperseded:
		a.set(CheckStatus, Failed, ReasonCardSuperseded, asOf)
	case StateUndelivered:
		a.set(CheckStatus, Failed, ReasonCardUndelivered, asOf)
	case StateActive:
		if old := a.o.At.Sub(answer.asOf); a.o.Policy.StatusAge > 0 && old > a.o.Policy.StatusAge {
			a.set(CheckStatus, Undetermined, ReasonStatusStale, fmt.Sprintf("%s, %d hours old", asOf, int(old.Hours())))
			return
		}
		a.set(CheckStatus, Passed, "", asOf)
	default:
		a.set(CheckStatus, Undetermined, ReasonStatusUnknown, asOf)
	}
}
