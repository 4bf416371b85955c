package desk

import (
	"fmt"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
)

// TestCardUnderAnotherCardsName: a desk apart gives a card that it makes for a person the name
// of the card that the person has from another desk. The card is a second one all the same: it
// is a conflict, and what the office said of the other card does not hide it.
func TestCardUnderAnotherCardsName(t *testing.T) {
	honest, thief := newBranch(t, "d-01"), newBranch(t, "d-02")
	h := newHeadOffice(t, honest, thief)
	ctx := t.Context()
	honest.o.IssueCard(t, "A-1", "C-same", "an", "")
	thief.o.IssueCard(t, "A-2", "C-same", "an", "")
	must(h.sync(t, "d-01", honest.close(t)))(t)
	done := must(h.sync(t, "d-02", thief.close(t)))(t)
	objects := map[string]bool{}
	for _, c := range done.Conflicts {
		objects[c.Object] = true
	}
	if !objects[string(issuance.HoldCard)] || !objects[SameName] {
		t.Errorf("the second card of a person under the first one's name is in conflict about %v", objects)
	}

	h.binh.Apart = []Store{h.mirrors["d-01"]}
	check(t, h.binh.Revoke(ctx, "C-same", "lost"))
	h.binh.Apart = []Store{h.mirrors["d-02"]}
	held := ledgertest.Holder(issuance.HoldCard, "an")[0]
	if got := must(h.binh.heldApart(ctx, held))(t); got != issuance.Card("C-same") {
		t.Errorf("the card of d-02 counts as revoked with that of d-01: %v is held by %q", held, got)
	}
}

// TestConflictsOfOneName: whoever makes up the names of streams can look for two conflicts whose
// short names meet. That one of them was settled does not settle the other.
func TestConflictsOfOneName(t *testing.T) {
	conflict := func(object string, n int) Conflict {
		return Conflict{Object: object, Sides: []Side{{"hn-01.test/log", issuance.Card(fmt.Sprintf("C-%08d", n))}}}
	}
	harmless, grave := conflict(BeyondGrant, 1784725), conflict(string(issuance.ClaimChipKey), 2005660)
	if harmless.ID() == grave.ID() {
		t.Errorf("both are called %s", harmless.ID())
	}
}

// TestStolenDeskDatesBack: whoever has a stolen desk has its clock. What came here only after
// the theft is listed, whatever its date.
func TestStolenDeskDatesBack(t *testing.T) {
	b := newBranch(t, "d-01")
	h := newHeadOffice(t, b)
	ctx := t.Context()
	b.issue(t, 1, "an")
	must(h.sync(t, "d-01", b.close(t)))(t)
	known := must(h.mirrors["d-01"].Checkpoint(ctx))(t).Size
	h.now = h.now.Add(time.Hour)
	theft := h.now
	b.issue(t, 2, "binh") // its clock stands where the thief put it
	h.now = h.now.Add(time.Hour)
	must(h.sync(t, "d-01", b.close(t)))(t)
	all := must(h.an.BranchActs(ctx, "d-01", h.mirrors["d-01"], time.Time{}))(t)
	if last := all[len(all)-1].Time; !last.Before(theft) {
		t.Fatalf("the acts are dated %s, not back behind %s", last, theft)
	}
	check(t, h.an.RevokeBranch(ctx, "d-01", "stolen", theft))
	got := must(h.an.BranchActs(ctx, "d-01", h.mirrors["d-01"], theft))(t)
	if len(got) != len(all)-int(known) {
		t.Errorf("%d acts since the theft, want the %d that came after it", len(got), len(all)-int(known))
	}
}
