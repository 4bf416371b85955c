package desk

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/verify"
)

// statusOf asks the office about a card by the name that its SOD gives it.
func (r *rig) statusOf(t *testing.T, card string) (verify.State, error) {
	t.Helper()
	c := must(r.an.Card(t.Context(), card))(t)
	id := must(hex.DecodeString(c.CardID))(t)
	a, err := r.an.Status(t.Context(), verify.CardRef{ID: verify.CardID(id)})
	return a.State, err
}

// TestStatusByAnotherCardsStream: the table that leads from a card's name to its stream
// is no proof; one that leads to another card's says nothing.
func TestStatusByAnotherCardsStream(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	var cards []string
	for i := range 2 {
		app, c := r.approved(t, enrolment(i+1)), blank()
		card := r.personalised(t, app, c, r.plan())
		r.checked(t, card, c)
		check(t, r.binh.Deliver(ctx, card, Handover{}))
		cards = append(cards, card)
	}
	check(t, r.binh.Revoke(ctx, cards[0], "stolen"))
	if state := must(r.statusOf(t, cards[0]))(t); state != verify.StateRevoked {
		t.Fatal(state)
	}
	r.tamper(t, "UPDATE claim SET stream = ? WHERE kind = 'card-id' AND stream = ?", cards[1], cards[0])
	if state, err := r.statusOf(t, cards[0]); err == nil {
		t.Errorf("the revoked card has state %d", state)
	}
}

// TestApplicationUnderAnotherPersonsName: a registrar with a program of their own enrols
// one person under the pseudonym of another, to have two cards or to take the other's.
func TestApplicationUnderAnotherPersonsName(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	d := must(newDraft(enrolment(1), r.now))(t)
	stream := issuance.Application("A-FORGED")
	sum := sha256.Sum256([]byte("somebody else"))
	number := issuance.Claim{Kind: issuance.ClaimNumber, Value: hex.EncodeToString(sum[:])}
	who := issuance.Person("P-FORGED")
	s := must(r.an.begin(ctx, stream, who))(t)
	check(t, s.add(who, issuance.Register, func(e *issuance.Entry) error {
		e.Fields, e.Claims = map[string]string{"application": stream.ID}, []issuance.Claim{number}
		return nil
	}))
	check(t, s.add(stream, issuance.Enrol, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"doctype": DocumentType, "profile": d.Profile, "reason": "first", "subject": who.ID, "ordinal": "1"}
		e.Commitments = map[string][32]byte{issuance.Content: must(d.commitment())(t)}
		e.Hold = issuance.HoldsOf(s.state.Subject(who), DocumentType, issuance.HoldApplication)
		return r.an.sealDraft(t.Context(), e, d)
	}))
	check(t, s.commit(ctx))
	wantError(t, "approve", r.binh.Approve(ctx, stream.ID), issuance.ErrChanged)
	wantError(t, "draft", second(r.binh.Draft(ctx, stream.ID)), issuance.ErrChanged)

	// … or changes the person after an honest enrolment.
	app := must(r.an.Enrol(ctx, enrolment(2)))(t)
	other := must(newDraft(enrolment(3), r.now))(t)
	r.change(t, app, other)
	wantError(t, "approve", r.binh.Approve(ctx, app), issuance.ErrChanged)
}

// TestDraftWithoutBounds: what a registrar sealed past the desk's own intake is held to
// the same bounds before anybody works with it.
func TestDraftWithoutBounds(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	app := must(r.an.Enrol(ctx, enrolment(1)))(t)
	d := must(r.an.Draft(ctx, app))(t)
	d.Portrait = append(d.Portrait, make([]byte, MaxPortrait)...)
	r.change(t, app, d)
	wantError(t, "approve", r.binh.Approve(ctx, app), ErrPortrait)
}
