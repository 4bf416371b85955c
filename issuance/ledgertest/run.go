package ledgertest

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/tamthe/tamthe/issuance"
)

// Run tests a store. The test that calls it must do nothing else: for the test of sudden
// death Run starts the test binary again with only that test.
func Run(t *testing.T, open Open) {
	if dir := os.Getenv(victim); dir != "" {
		work(t, open, dir)
		return
	}
	for _, test := range []struct {
		name string
		run  func(*testing.T, *bench)
	}{
		{"first entry", testFirst},
		{"all or none", testAtomic},
		{"one bad act of a thousand", testLarge},
		{"repeating", testRepeat},
		{"conflict", testConflict},
		{"rules", testRules},
		{"unique", testUnique},
		{"released", testReleased},
		{"one winner", testOneWinner},
		{"one person", testOnePerson},
		{"attachments", testAttachments},
		{"card status", testStatus},
		{"reopen", testReopen},
		{"checkpoints", testCheckpoints},
		{"cancel", testCancel},
		{"kill", testKill},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := &bench{open: open, dir: t.TempDir()}
			b.store = open(t, b.dir)
			t.Cleanup(func() { b.store.Close() })
			b.office = NewOffice(t, b.store)
			test.run(t, b)
			b.sound(t)
		})
	}
}

// bench is a store under test with an office at work on it.
type bench struct {
	open   Open
	dir    string
	store  Store
	office *Office
}

// sound holds the store against its own audit.
func (b *bench) sound(t *testing.T) {
	t.Helper()
	r, err := b.store.Verify(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		t.Error(f)
	}
}

// size is how many entries the store has.
func (b *bench) size(t *testing.T) int64 {
	t.Helper()
	c, err := b.store.Checkpoint(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return c.Size
}

// refused appends steps without asking the rules first, and wants the store to refuse
// them and to keep nothing.
func (b *bench) refused(t *testing.T, what string, is func(error) bool, steps ...Step) {
	t.Helper()
	before := b.size(t)
	at, entries, err := b.office.Build(t.Context(), true, steps...)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.store.Append(t.Context(), at, entries...); !is(err) {
		t.Errorf("%s: %v", what, err)
	}
	if after := b.size(t); after != before {
		t.Errorf("%s: %d entries were kept", what, after-before)
	}
}

func isError(want error) func(error) bool {
	return func(err error) bool { return errors.Is(err, want) }
}

func isTransition(err error) bool {
	_, ok := errors.AsType[*issuance.TransitionError](err)
	return ok
}

func isDuplicate(kind issuance.ClaimKind, holder issuance.StreamID) func(error) bool {
	return func(err error) bool {
		d, ok := errors.AsType[*issuance.DuplicateError](err)
		return ok && d.Claim.Kind == kind && d.Holder == holder
	}
}
