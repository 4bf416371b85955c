package signing

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// TestSaysItOfTheWhole: what the rules hold of each act in the log is asked once more of the
// streams as they stand, so that no gap in a rule book of long ago lets a card be signed.
func TestSaysItOfTheWhole(t *testing.T) {
	r := newRig(t)
	c := r.keyed()
	s := r.service()
	check(t, s.Follow(t.Context()))
	for name, change := range map[string]func(a *approved){
		"the application makes another card": func(a *approved) { a.app.Fields["card"] = "C-404" },
		"the application is another's":       func(a *approved) { a.card.Fields["application"] = "A-404" },
		"the application waits for nothing":  func(a *approved) { a.app.Phase = issuance.Approved },
		"the card has no keys":               func(a *approved) { a.card.Phase = issuance.Allocated },
		"nobody approved":                    func(a *approved) { delete(a.app.Actors, issuance.Approve) },
		"the registrar approved":             func(a *approved) { a.app.Actors[issuance.Approve] = a.app.Actors[issuance.Enrol] },
		"the personaliser approved":          func(a *approved) { a.app.Actors[issuance.Approve] = []issuance.KeyID{a.r.Operator} },
		"who changed it approved":            func(a *approved) { a.app.Actors[issuance.Change] = a.app.Actors[issuance.Approve] },
	} {
		a := must(s.approve(t.Context(), c.request))(t)
		a.app.Fields, a.card.Fields, a.app.Actors = maps.Clone(a.app.Fields), maps.Clone(a.card.Fields), maps.Clone(a.app.Actors)
		ask := func() error { return errors.Join(a.isInTheMaking(), a.byThreePersons(s.view)) }
		check(t, ask())
		change(a)
		if err := ask(); !errors.Is(err, ErrNotApproved) && !errors.Is(err, issuance.ErrFourEyes) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// older is a log that has grown since it made its checkpoint.
type older struct {
	Log
	at *ledger.Checkpoint
}

func (o older) Checkpoint(context.Context) (*ledger.Checkpoint, error) { return o.at, nil }

// TestLogGrowsMeanwhile: entries that were appended after the checkpoint was made are left for
// the next one.
func TestLogGrowsMeanwhile(t *testing.T) {
	r := newRig(t)
	r.o.Log = older{r.store, must(r.store.Checkpoint(t.Context()))(t)}
	s := r.service()
	c := r.keyed()
	check(t, s.Follow(t.Context()))
	s.o.Log = r.store
	must(s.Sign(t.Context(), c.request))(t)
}

// TestAnnouncedAsAnother: a personaliser who had a card announced cannot have another object
// signed in its place, though its content is what was approved.
func TestAnnouncedAsAnother(t *testing.T) {
	r := newRig(t)
	c := r.keyed()
	key := r.keys["ds-001"]
	key.fault = func(bool) error { return errCut }
	if _, err := r.service().Sign(t.Context(), c.request); !errors.Is(err, errCut) {
		t.Fatal(err)
	}
	key.fault = nil
	other := *c.request
	other.DG15, other.AA = nil, nil
	check(t, other.Sign(r.office.Personaliser.Key))
	if sod, err := r.service().Sign(t.Context(), &other); sod != nil || err == nil || r.signatures() != 0 {
		t.Errorf("without the group that was announced: %d octets, %v, %d signatures", len(sod), err, r.signatures())
	}
	folder := journal{r.path("signer")}
	kept := must(folder.get(c.card, c.request.Salt, intentSuffix))(t)
	put := func(i intent) {
		check(t, os.Remove(folder.path(c.card, intentSuffix)))
		check(t, folder.put(c.card, c.request.Salt, intentSuffix, i))
	}
	changed := *kept
	changed.CardID[0]++
	put(changed)
	r.refuses("the folder intends another object than was announced", c.request, issuance.ErrChanged)
	check(t, os.WriteFile(folder.path(c.card, intentSuffix), []byte("what is left of it"), 0o600))
	r.refuses("the folder lost what it intends", c.request, ErrLost)
	put(*kept)
	first := must(r.service().Sign(t.Context(), c.request))(t)
	if again := must(r.service().Sign(t.Context(), &other))(t); !bytes.Equal(again, first) || r.signatures() != 1 {
		t.Errorf("without a group of what was signed: %d octets, %d signatures", len(again), r.signatures())
	}
}

// TestCountsUsesOnly: another claim that reads like a use of a document signer is none.
func TestCountsUsesOnly(t *testing.T) {
	v := must(newView(newRig(t).pin(), maxHeld))(t)
	v.note(&issuance.Entry{Stream: issuance.Card("C-1"), Act: issuance.Prepare, Claims: []issuance.Claim{
		{Kind: issuance.ClaimStatus, Value: "ds-001:7"}, {Kind: issuance.ClaimUse, Value: "ds-001:2"}, {Kind: issuance.ClaimUse, Value: "ds-001:1"},
	}}, logged{})
	if n := v.used["ds-001"]; n != 2 {
		t.Errorf("%d uses", n)
	}
}
