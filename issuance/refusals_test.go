package issuance_test

import (
	"errors"
	"maps"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
)

// refused expects that a step is refused for a reason, and that nothing was written.
func refused(t *testing.T, o *ledgertest.Office, what string, want error, steps ...ledgertest.Step) {
	t.Helper()
	if err := o.Do(t.Context(), steps...); !errors.Is(err, want) {
		t.Errorf("%s: %v, not %v", what, err, want)
	}
}

// with is the step with some fields set to other values; an empty value takes the field away.
func with(s ledgertest.Step, change map[string]string) ledgertest.Step {
	s.Fields = maps.Clone(s.Fields)
	for name, value := range change {
		s.Fields[name] = value
		if value == "" {
			delete(s.Fields, name)
		}
	}
	return s
}

// TestApplicationNamesItsCard: a first card replaces none.
func TestApplicationNamesItsCard(t *testing.T) {
	o, _ := newOffice(t)
	o.IssueCard(t, "A-1", "C-1", "ann", "")
	refused(t, o, "a first card in place of another", issuance.ErrEntry, with(o.Enrol("A-2", "ann", "C-1"), map[string]string{"reason": "first"}))
	o.Must(t, o.Enrol("A-2", "ann", "C-1"))
}

// TestNumberOfAnApplication: whoever got another number meanwhile applies anew.
func TestNumberOfAnApplication(t *testing.T) {
	o, _ := newOffice(t)
	o.Must(t, o.Enrol("A-1", "ann", ""))
	renumber := ledgertest.Step{
		Stream: issuance.Person("P-ann"), Act: issuance.Renumber, By: o.Registrar, Second: &o.Approver,
		Fields: map[string]string{"reason": "birth"},
		Claims: []issuance.Claim{{Kind: issuance.ClaimNumber, Value: ledgertest.Digest("ann's second number")}},
	}
	o.Must(t, renumber)
	refused(t, o, "approve under a number of before", issuance.ErrLink, o.Approve("A-1"))
	o.Must(t, o.Cancel("A-1", "ann"))
	refused(t, o, "enrol under a number of before", issuance.ErrLink, o.Enrol("A-2", "ann", ""))
}

// TestSignerInUse: only a document signer that is certified and not revoked is prepared
// for, and signs what was prepared.
func TestSignerInUse(t *testing.T) {
	o, _ := newOffice(t)
	o.Must(t, o.Certify("ds-002", "5")[:2]...)
	link := o.Certify("crl-001", "5")
	link[0].Fields["usage"] = "crl"
	delete(link[1].Fields, "cap")
	o.Must(t, link...)
	o.Must(t, o.Enrol("A-1", "ann", ""))
	o.Must(t, o.Approve("A-1"))
	o.Must(t, o.Begin("A-1", "C-1")...)
	journal := o.Journal("A-1", "C-1")
	refused(t, o, "keys without evidence", issuance.ErrEntry, journal[0], with(journal[1], map[string]string{"evidence": ""}))
	o.Must(t, journal[:2]...)
	for what, key := range map[string]string{"a signer not yet certified": "ds-002", "a signer of lists": "crl-001", "a key that is not there": "ds-404"} {
		prepare := with(journal[2], map[string]string{"ds": key})
		prepare.Claims = []issuance.Claim{prepare.Claims[0], {Kind: issuance.ClaimUse, Value: key + ":1"}}
		refused(t, o, what, issuance.ErrLink, prepare)
	}
	o.Must(t, journal[2])
	o.Must(t, ledgertest.Step{
		Stream: issuance.Key("ds-001"), Act: issuance.Revoke, By: o.Custodian, Second: &o.CustodianMate,
		Fields: map[string]string{"reason": "compromised"},
	})
	refused(t, o, "a signer that was revoked meanwhile", issuance.ErrLink, journal[3])
}

// TestSuccessorIsReady: a card goes out of force only for one that can be handed over.
func TestSuccessorIsReady(t *testing.T) {
	o, _ := newOffice(t)
	o.IssueCard(t, "A-1", "C-1", "ann", "")
	o.Must(t, o.Enrol("A-2", "ann", "C-1"))
	o.Must(t, o.Approve("A-2"))
	o.Must(t, o.Begin("A-2", "C-2")...)
	refused(t, o, "superseded by a card in the making", issuance.ErrLink, o.Deliver("A-2", "C-2", "ann", "C-1")...)
}

// TestOriginOfADesk: the log that a desk stands for is the one that it claims.
func TestOriginOfADesk(t *testing.T) {
	o, _ := newOffice(t)
	enrol := ledgertest.Step{
		Stream: issuance.Desk("hill"), Act: issuance.Enrol, By: o.Root, Second: &o.Mate,
		Fields: map[string]string{"origin": "hill.test", "logkey": "hill.test+00000000+key", "at": "hill"},
		Claims: []issuance.Claim{{Kind: issuance.ClaimOrigin, Value: "vale.test"}},
	}
	refused(t, o, "another origin", issuance.ErrEntry, enrol)
}

// TestCardIsTheApplicants: a card is handed to who applied for it, under all that they are
// known by.
func TestCardIsTheApplicants(t *testing.T) {
	o, _ := newOffice(t)
	o.Know(t, "bob")
	o.MakeCard(t, "A-1", "C-1", "ann", "")
	steps := o.Deliver("A-1", "C-1", "ann", "")
	for what, hold := range map[string][]issuance.Claim{
		"another person":        ledgertest.Holder(issuance.HoldCard, "bob"),
		"half of what is known": steps[0].Hold[:1],
	} {
		wrong := steps[0]
		wrong.Hold = hold
		refused(t, o, what, issuance.ErrLink, wrong, steps[1])
	}
	o.Must(t, steps...)
}

// TestCapIsNamed: no document signer is certified without a cap.
func TestCapIsNamed(t *testing.T) {
	o, _ := newOffice(t)
	certify := o.Certify("ds-002", "5")
	o.Must(t, certify[0])
	refused(t, o, "no cap", issuance.ErrEntry, with(certify[1], map[string]string{"cap": ""}))
	o.Must(t, certify[1:]...)
}
