package postgres_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/verify/receipt"
)

// applied is a ledger of at least n entries, in three months.
func applied(t testing.TB, dir string, n int) *postgres.Ledger {
	t.Helper()
	l := at(t, dir)
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	var steps []ledgertest.Step
	for i := range n {
		app := fmt.Sprintf("A-%d", i)
		steps = append(steps, o.Enrol(app, app, ""))
		if len(steps) >= 1+n/3 || i == n-1 {
			o.Must(t, steps...)
			steps = nil
			if i < n-1 {
				nextMonth(t, dir)
			}
		}
	}
	return l
}

// Proofs straight from the stored nodes are those of x/mod's own checks, for every leaf
// and many an earlier size of trees that lie in several months.
func TestProofsOfEverySize(t *testing.T) {
	const most = int64(64)
	l := applied(t, t.TempDir(), int(most)/2)
	roots := make([]tlog.Hash, most+1)
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(list []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, i := range list {
			out = append(out, stored[i])
		}
		return out, nil
	})
	leaves := make([]tlog.Hash, most)
	for i := range most {
		leaf, err := l.Leaf(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		more, err := tlog.StoredHashes(i, leaf, reader)
		if err != nil {
			t.Fatal(err)
		}
		stored, leaves[i] = append(stored, more...), tlog.RecordHash(leaf)
		if roots[i+1], err = tlog.TreeHash(i+1, reader); err != nil {
			t.Fatal(err)
		}
	}
	for size := int64(1); size <= most; size += 3 {
		for index := range size {
			p, err := l.Inclusion(t.Context(), index, size)
			if err == nil {
				err = tlog.CheckRecord(p, size, roots[size], index, leaves[index])
			}
			if err != nil {
				t.Fatalf("leaf %d of %d: %v", index, size, err)
			}
		}
		for older := int64(1); older <= size; older++ {
			p, err := l.Consistency(t.Context(), older, size)
			if err == nil {
				err = tlog.CheckTree(p, size, roots[size], older, roots[older])
			}
			if err != nil {
				t.Fatalf("%d after %d: %v", size, older, err)
			}
		}
	}
	if _, err := l.Inclusion(t.Context(), 5, 5); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a leaf beyond the tree: %v", err)
	}
	if _, err := l.Consistency(t.Context(), 6, 5); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a tree that shrinks: %v", err)
	}
	if _, err := l.Nodes(t.Context(), []ledger.Node{{Level: 0, Index: 3}, {Level: 9, Index: 0}}); !errors.Is(err, ledger.ErrDamaged) {
		t.Errorf("a node that there is not: %v", err)
	}
}

func TestProve(t *testing.T) {
	l := applied(t, t.TempDir(), 20)
	_, v := ledgertest.LogKey(t)
	policy := receipt.Policy{Logs: []note.Verifier{v}}
	at, err := l.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for index := range at.Size {
		p, err := l.Prove(t.Context(), index)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := l.Leaf(t.Context(), index)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := receipt.Verify(p, leaf, policy); err != nil {
			t.Errorf("leaf %d: %v", index, err)
		}
		e, _, err := issuance.ParseLeaf(leaf)
		if err != nil {
			t.Fatal(err)
		}
		if found, err := l.IndexOf(t.Context(), e.ID); err != nil || found != index {
			t.Errorf("entry %d is said to be %d, %v", index, found, err)
		}
	}
	for what, err := range map[string]error{
		"proof": second(l.Prove(t.Context(), 1000)), "leaf": second(l.Leaf(t.Context(), at.Size)), "leaf before": second(l.Leaf(t.Context(), -1)),
		"identity": second(l.IndexOf(t.Context(), [16]byte{1})), "attachment": second(l.Attachment(t.Context(), [16]byte{1}, "person")),
	} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s of nothing: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestOneMonthAfterAnother: a handle that looked before a month began finds what the month
// brought, and a stream of several months is one.
func TestOneMonthAfterAnother(t *testing.T) {
	dir := t.TempDir()
	l := at(t, dir)
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	o.Must(t, o.Enrol("A-1", "ann", ""))
	looks := reading(t, dir)
	if _, err := looks.Stream(t.Context(), issuance.Application("A-1")); err != nil {
		t.Fatal(err)
	}
	nextMonth(t, dir)
	o.Must(t, o.Enrol("A-2", "bob", ""))
	nextMonth(t, dir)
	o.Must(t, o.Approve("A-1"))
	s, err := looks.Stream(t.Context(), issuance.Application("A-1"))
	if err != nil || len(s) != 2 {
		t.Errorf("%d entries, %v", len(s), err)
	}
	c, err := looks.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := looks.Leaf(t.Context(), c.Size-1); err != nil {
		t.Error(err)
	}
	if _, err := looks.Prove(t.Context(), c.Size-1); err != nil {
		t.Error(err)
	}
	next := int64(0)
	if err := looks.Entries(t.Context(), 0, func(index int64, leaf, _ []byte) error {
		if index != next || len(leaf) == 0 {
			t.Errorf("entry %d after %d", index, next-1)
		}
		next++
		return nil
	}); err != nil || next != c.Size {
		t.Errorf("%d of %d entries: %v", next, c.Size, err)
	}
	for _, f := range verify(t, looks, nil) {
		t.Error(f)
	}
}
