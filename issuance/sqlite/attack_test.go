package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// looking opens the file as a checkpoint does that only asks for the status of cards.
func looking(t *testing.T, dir string) *sqlite.Ledger {
	t.Helper()
	o := options(t, dir)
	o.ReadOnly, o.Signer = true, nil
	l, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// TestRevocationRolledBack: a file of before a revocation tells nobody that the card is
// active.
func TestRevocationRolledBack(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.db")
	l := open(t, dir)
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	o.IssueCard(t, "A-1", "C-1", "ann", "")
	l.Close()
	older, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	l = open(t, dir)
	o.Ledger = l
	o.Must(t, o.Revoke("C-1", "ann"))
	l.Close()
	if err := os.WriteFile(path, older, 0o600); err != nil {
		t.Fatal(err)
	}
	l = looking(t, dir)
	if s, err := issuance.Load(t.Context(), l, issuance.Card("C-1")); !errors.Is(err, sqlite.ErrRolledBack) {
		t.Errorf("%v, the card is %s", err, s.Subject(issuance.Card("C-1")).Phase)
	}
	if _, err := l.Claimed(t.Context(), issuance.Claim{Kind: issuance.ClaimChip, Value: "chip-of-C-1"}); !errors.Is(err, sqlite.ErrRolledBack) {
		t.Error(err)
	}
	if _, err := l.List(t.Context(), issuance.KindCard); !errors.Is(err, sqlite.ErrRolledBack) {
		t.Error(err)
	}
}

// TestHiddenRevocation: a stream whose last rows were taken away, or given to another
// stream, is not read as if they had never been.
func TestHiddenRevocation(t *testing.T) {
	for name, statement := range map[string]string{
		"deleted":       "DELETE FROM entry WHERE kind = 'card' AND stream = 'C-1' AND act = 'revoke'",
		"given away":    "UPDATE entry SET stream = 'C-9' WHERE kind = 'card' AND stream = 'C-1' AND act = 'revoke'",
		"the table too": "UPDATE stream SET seq = seq - 1 WHERE kind = 'card' AND id = 'C-1'; DELETE FROM entry WHERE kind = 'card' AND stream = 'C-1' AND act = 'revoke'",
	} {
		dir := t.TempDir()
		l := open(t, dir)
		o := ledgertest.NewOffice(t, l)
		o.Found(t)
		o.IssueCard(t, "A-1", "C-1", "ann", "")
		o.Must(t, o.Revoke("C-1", "ann"))
		o.Must(t, o.Enrol("A-2", "bob", ""))
		l.Close()
		tamper(t, dir, statement)
		l = looking(t, dir)
		if s, err := issuance.Load(t.Context(), l, issuance.Card("C-1")); !errors.Is(err, sqlite.ErrDamaged) {
			t.Errorf("%s: %v, the card is %s", name, err, s.Subject(issuance.Card("C-1")).Phase)
		}
	}
}
