package ledgertest

import (
	"context"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify/status"
)

// teller is a store that tells how the cards of a list stand.
type teller interface {
	Places(ctx context.Context, list string, f func(ledger.Place) error) error
}

// stands is how the store says that the cards of the list stand, in its order.
func stands(t *testing.T, b *bench, list string) (places []uint32, states map[uint32]status.State) {
	t.Helper()
	states = map[uint32]status.State{}
	err := b.store.(teller).Places(t.Context(), list, func(p ledger.Place) error {
		places, states[p.Index] = append(places, p.Index), p.State
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return places, states
}

// testStatus: how each card stands is told in the order of the list, after every act.
func testStatus(t *testing.T, b *bench) {
	o := b.office
	o.Found(t)
	want := map[uint32]status.State{}
	is := func(when, card string, s status.State) {
		t.Helper()
		want[Place(card)] = s
		places, got := stands(t, b, StatusList)
		if !slices.IsSorted(places) || len(places) != len(want) {
			t.Errorf("%s: %v, not in the order of their places, or not %d", when, places, len(want))
		}
		for p, s := range want {
			if got[p] != s {
				t.Errorf("%s: place %d is %s, want %s", when, p, got[p], s)
			}
		}
	}
	act := func(card string, act issuance.Act, reason string) Step {
		return Step{Stream: issuance.Card(card), Act: act, By: o.Revoker, Fields: map[string]string{"reason": reason}}
	}
	o.MakeCard(t, "A-1", "C-1", "ann", "")
	is("made", "C-1", status.Undelivered)
	o.Must(t, o.Deliver("A-1", "C-1", "ann", "")...)
	is("delivered", "C-1", status.Active)
	o.Must(t, act("C-1", issuance.Suspend, "reported"))
	is("suspended", "C-1", status.Suspended)
	o.Must(t, act("C-1", issuance.Resume, "found"))
	is("resumed", "C-1", status.Active)
	o.MakeCard(t, "A-2", "C-2", "ann", "C-1")
	want[Place("C-2")] = status.Active
	o.Must(t, o.Deliver("A-2", "C-2", "ann", "C-1")...)
	is("replaced", "C-1", status.Superseded)
	o.Must(t, Step{Stream: issuance.Card("C-1"), Act: issuance.Return, By: o.Clerk})
	is("taken back", "C-1", status.Superseded)
	o.Must(t, o.Revoke("C-2", "ann"))
	is("revoked", "C-2", status.Revoked)
	o.MakeCard(t, "A-3", "C-3", "bob", "")
	spoil := act("C-3", issuance.Spoil, "torn")
	spoil.By = o.Personaliser
	o.Must(t, spoil)
	is("spoiled", "C-3", status.Revoked)
	o.Must(t, Step{
		Stream: issuance.Card("C-9"), Act: issuance.Recall, By: o.Revoker,
		Fields: map[string]string{"cardid": Digest("id C-9"), "origin": "desk.test", "reason": "lost"},
		Claims: []issuance.Claim{{Kind: issuance.ClaimCardID, Value: Digest("id C-9")}, {Kind: issuance.ClaimStatus, Value: StatusList + ":9"}},
	})
	want[9] = status.Revoked
	is("recalled from a desk", "C-2", status.Revoked)
	if places, _ := stands(t, b, StatusList+"0"); len(places) > 0 {
		t.Errorf("a list of no card: %v", places)
	}
}
