package desk

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/verify"
)

// branch is a desk with a log of its own, in which test cards are made.
type branch struct {
	name, logKey string
	path         string // of its file
	log          *sqlite.Ledger
	o            *ledgertest.Office
	days         [][]byte // what it carried to the office at the end of each day
	sent         int64
}

func newBranch(t testing.TB, name string) *branch {
	t.Helper()
	origin := name + ".test/log"
	s, _, logKey := ledgertest.LogKeyOf(t, origin)
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := must(sqlite.Create(t.Context(), path, origin, sqlite.Options{Signer: s}))(t)
	t.Cleanup(func() { l.Close() })
	b := &branch{name: name, logKey: logKey, path: path, log: l, o: ledgertest.NewBranch(t, l, origin)}
	b.o.Found(t)
	return b
}

// issue makes and delivers a card to a person.
func (b *branch) issue(t testing.TB, n int, person string) {
	t.Helper()
	id := fmt.Sprintf("%s-%d", b.name, n)
	b.o.IssueCard(t, "A-"+id, "C-"+id, person, "")
}

// close ends a day: what was done in it is put into an excerpt.
func (b *branch) close(t testing.TB) []byte {
	t.Helper()
	var x bytes.Buffer
	check(t, b.log.Excerpt(t.Context(), &x, b.sent))
	b.sent = must(b.log.Checkpoint(t.Context()))(t).Size
	b.days = append(b.days, x.Bytes())
	return x.Bytes()
}

// headOffice is an office that takes branches' logs over.
type headOffice struct {
	*rig
	mirrors map[string]*sqlite.Ledger
}

// newHeadOffice enrols the officers of the branches and the branches, each with a grant of
// all that its cards use.
func newHeadOffice(t testing.TB, branches ...*branch) *headOffice {
	t.Helper()
	h := &headOffice{newOffice(t), map[string]*sqlite.Ledger{}}
	ctx := t.Context()
	for _, f := range branches[0].o.All() {
		check(t, h.an.AddOperator(ctx, f.Key.Public(), f.Name, f.Person, f.Roles...))
	}
	for _, b := range branches {
		check(t, h.an.EnrolBranch(ctx, b.name, b.logKey, "hanoi"))
		check(t, h.an.GrantBranch(ctx, b.name, Grant{Signer: "ds-001", Cap: 1 << 40}))
		_, v, _ := ledgertest.LogKeyOf(t, b.name+".test/log")
		h.mirrors[b.name] = must(sqlite.CreateMirror(ctx, filepath.Join(t.TempDir(), b.name+".db"), v, sqlite.Options{}))(t)
		t.Cleanup(func() { h.mirrors[b.name].Close() })
	}
	return h
}

func (h *headOffice) sync(t testing.TB, name string, octets []byte) (*Synced, error) {
	t.Helper()
	x, err := ledger.OpenExcerpt(bytes.NewReader(octets))
	check(t, err)
	others := []Log{{origin, h.store}}
	for other, m := range h.mirrors {
		if other != name {
			others = append(others, Log{m.Origin(), m})
		}
	}
	return h.an.SyncBranch(t.Context(), name, h.mirrors[name], x, others...)
}

// conflicts are the open ones, by name.
func (h *headOffice) conflicts(t testing.TB) []string {
	t.Helper()
	var ids []string
	for _, c := range must(h.an.OpenConflicts(t.Context()))(t) {
		ids = append(ids, c.ID+" "+c.Object+" "+c.Left+" "+c.Right)
	}
	slices.Sort(ids)
	return ids
}

// Desks that worked apart for days are taken over in any order: the same entries in the
// same order within each desk, and the same conflicts, all of them.
func TestSyncInAnyOrder(t *testing.T) {
	desks, days, orders := 4, 2, 2
	if os.Getenv("TAMTHE_SOAK") != "" {
		desks, days, orders = 50, 3, 4
	}
	var branches []*branch
	for i := range desks {
		branches = append(branches, newBranch(t, fmt.Sprintf("d-%02d", i)))
	}
	for day := range days {
		for i, b := range branches {
			b.issue(t, day, fmt.Sprintf("own-%d-%d", i, day))
			if day == 1 && i%2 == 0 { // a person goes to two desks
				b.issue(t, 10+day, fmt.Sprintf("twice-%d", i/4))
			}
			b.close(t)
		}
	}
	var want []string
	for order := range orders {
		h := newHeadOffice(t, branches...)
		next := make([]int, desks)
		rng := mathrand.New(mathrand.NewPCG(uint64(order), 5))
		for range desks * days {
			i := rng.IntN(desks)
			for next[i] == days {
				i = (i + 1) % desks
			}
			done := must(h.sync(t, branches[i].name, branches[i].days[next[i]]))(t)
			next[i]++
			if got := must(h.mirrors[branches[i].name].Checkpoint(t.Context()))(t).Size; got != done.Size {
				t.Fatalf("%s: %d entries are here, %d were confirmed", branches[i].name, got, done.Size)
			}
		}
		for _, b := range branches {
			var here, there bytes.Buffer
			check(t, h.mirrors[b.name].Excerpt(t.Context(), &here, 0))
			check(t, b.log.Excerpt(t.Context(), &there, 0))
			if !bytes.Equal(here.Bytes(), there.Bytes()) {
				t.Fatalf("%s: the entries here are not the desk's", b.name)
			}
		}
		got := h.conflicts(t)
		if order == 0 {
			want = got
			pairs := desks / 4 // of desks to which one person went
			if len(got) != pairs {
				t.Fatalf("%d conflicts, want the cards of %d persons: %q", len(got), pairs, got)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("in order %d the conflicts are\n%q, not\n%q", order, got, want)
		}
		if report := must(h.store.Verify(t.Context(), nil))(t); !report.OK() {
			t.Fatalf("the office's ledger does not agree: %v", report.Findings)
		}
	}
}

// What a desk did beyond its grant, or by somebody whom the office does not know so, waits
// for a person; so does what two desks have. It stays open until two administrators settle
// it, and does not come up again after that.
func TestSyncConflicts(t *testing.T) {
	b := newBranch(t, "d-01")
	h := newHeadOffice(t, b)
	ctx := t.Context()
	check(t, h.an.GrantBranch(ctx, "d-01", Grant{Signer: "ds-001", Cap: 1}))
	thief := ledgertest.NewOfficer("thief", "p-66", issuance.Clerk)
	b.o.Must(t, b.o.Hire(thief))
	b.issue(t, 1, "an")
	done := must(h.sync(t, "d-01", b.close(t)))(t)
	var objects []string
	for _, c := range done.Conflicts {
		objects = append(objects, c.Object)
	}
	if want := []string{Stranger, BeyondGrant}; !slices.Equal(objects, want) {
		t.Fatalf("conflicts about %q, want %q", objects, want)
	}
	id := done.Conflicts[0].ID()
	h.an.Second = nil
	if err := h.an.SettleConflict(ctx, id, "mistake"); !errors.Is(err, issuance.ErrFourEyes) {
		t.Errorf("settled by one person: %v", err)
	}
	h.an.Second = h.binh.Signer
	check(t, h.an.SettleConflict(ctx, id, "mistake"))
	done = must(h.sync(t, "d-01", b.close(t)))(t)
	if len(done.Conflicts) != 2 || len(h.conflicts(t)) != 1 {
		t.Errorf("%d conflicts found again, %d open; want 2 and 1", len(done.Conflicts), len(h.conflicts(t)))
	}
	if err := h.an.SettleConflict(ctx, "X-NONE", "mistake"); !errors.Is(err, ErrUnknown) {
		t.Errorf("settled what is not there: %v", err)
	}
}

// Blanks of another batch than the desk was given, and more than it was given, are conflicts.
func TestBlanksBeyondGrant(t *testing.T) {
	for _, c := range []struct {
		grant Grant
		want  int // of two cards
	}{
		{Grant{Batch: "B-1", Count: 2}, 0},
		{Grant{Batch: "B-1", Count: 1}, 1},
		{Grant{Batch: "B-2", Count: 2}, 2},
	} {
		b := newBranch(t, "d-01")
		h := newHeadOffice(t, b)
		check(t, h.an.GrantBranch(t.Context(), "d-01", c.grant))
		b.issue(t, 1, "an")
		b.issue(t, 2, "binh")
		done := must(h.sync(t, "d-01", b.close(t)))(t)
		if len(done.Conflicts) != c.want {
			t.Errorf("%s, %d blanks: %d conflicts, want %d: %v", c.grant.Batch, c.grant.Count, len(done.Conflicts), c.want, done.Conflicts)
		}
	}
}

// From a stolen desk nothing is taken over any more, and what it did since the theft is
// listed.
func TestStolenDesk(t *testing.T) {
	b := newBranch(t, "d-01")
	h := newHeadOffice(t, b)
	ctx := t.Context()
	b.issue(t, 1, "an")
	h.now = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) // the desk's clock is ahead
	must(h.sync(t, "d-01", b.close(t)))(t)
	acts := must(h.an.BranchActs(ctx, "d-01", h.mirrors["d-01"], time.Time{}))(t)
	theft := acts[len(acts)-3].Time
	h.now = theft.Add(time.Minute)
	if got := must(h.an.BranchActs(ctx, "d-01", h.mirrors["d-01"], theft))(t); len(got) != 3 || got[0].ID != acts[len(acts)-3].ID {
		t.Errorf("%d acts since the theft, want 3", len(got))
	}
	if err := h.an.RevokeBranch(ctx, "d-01", "stolen", h.now.Add(time.Hour)); !errors.Is(err, issuance.ErrEntry) {
		t.Errorf("stolen in the future: %v", err)
	}
	check(t, h.an.RevokeBranch(ctx, "d-01", "stolen", theft))
	size := must(h.mirrors["d-01"].Checkpoint(ctx))(t).Size
	b.issue(t, 2, "binh")
	_, err := h.sync(t, "d-01", b.close(t))
	if _, ok := errors.AsType[*issuance.TransitionError](err); !ok {
		t.Errorf("synced after it was revoked: %v", err)
	}
	if got := must(h.mirrors["d-01"].Checkpoint(ctx))(t).Size; got != size {
		t.Errorf("%d entries are here, %d were", got, size)
	}
	if err := h.an.EnrolBranch(ctx, "d-02", b.logKey, "hue"); err == nil {
		t.Error("the log of a revoked desk was enrolled under another name")
	}
}

// A card that a desk apart issued has a status here, stands in the way of a second one for
// its holder, and can be put out of force here, which stays so whatever its desk says later.
func TestCardsApart(t *testing.T) {
	b := newBranch(t, "d-01")
	h := newHeadOffice(t, b)
	ctx := t.Context()
	b.issue(t, 1, "an")
	must(h.sync(t, "d-01", b.close(t)))(t)
	const id = "C-d-01-1"
	stands := func() verify.State {
		card := must(h.binh.Card(ctx, id))(t)
		var name verify.CardID
		must(hex.Decode(name[:], []byte(card.CardID)))(t)
		return must(h.binh.state(ctx, name))(t)
	}
	if _, err := h.binh.Card(ctx, id); !errors.Is(err, ErrUnknown) {
		t.Errorf("known without the desk's log: %v", err)
	}
	h.binh.Apart = []Store{h.mirrors["d-01"]}
	if got := stands(); got != verify.StateActive {
		t.Errorf("the card is %s, not active", got)
	}
	held := ledgertest.Holder(issuance.HoldCard, "an")[0]
	if got := must(h.binh.heldApart(ctx, held))(t); got != issuance.Card(id) {
		t.Errorf("%v is held by %q", held, got)
	}
	if err := h.binh.Revoke(ctx, "C-NONE", "lost"); !errors.Is(err, ErrUnknown) {
		t.Errorf("revoked what nobody has: %v", err)
	}
	check(t, h.binh.Revoke(ctx, id, "lost"))
	if got := stands(); got != verify.StateRevoked {
		t.Errorf("the card is %s, not revoked", got)
	}
	if got := must(h.binh.heldApart(ctx, held))(t); !got.IsZero() {
		t.Errorf("%v is still held by %q", held, got)
	}
	b.o.Must(t, ledgertest.Step{
		Stream: issuance.Card(id), Act: issuance.Suspend, By: b.o.Revoker, Fields: map[string]string{"reason": "reported"},
	})
	must(h.sync(t, "d-01", b.close(t)))(t)
	if got := stands(); got != verify.StateRevoked {
		t.Errorf("the card is %s after its desk spoke again, not revoked", got)
	}
	if _, ok := errors.AsType[*issuance.TransitionError](h.binh.Revoke(ctx, id, "lost")); !ok {
		t.Error("revoked twice")
	}
}
