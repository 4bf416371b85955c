package sqlite_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
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
	if s, err := issuance.Load(t.Context(), l, issuance.Card("C-1")); !errors.Is(err, ledger.ErrRolledBack) {
		t.Errorf("%v, the card is %s", err, s.Subject(issuance.Card("C-1")).Phase)
	}
	if _, err := l.Claimed(t.Context(), issuance.Claim{Kind: issuance.ClaimChip, Value: "chip-of-C-1"}); !errors.Is(err, ledger.ErrRolledBack) {
		t.Error(err)
	}
	if _, err := l.List(t.Context(), issuance.KindCard); !errors.Is(err, ledger.ErrRolledBack) {
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
		if s, err := issuance.Load(t.Context(), l, issuance.Card("C-1")); !errors.Is(err, ledger.ErrDamaged) {
			t.Errorf("%s: %v, the card is %s", name, err, s.Subject(issuance.Card("C-1")).Phase)
		}
	}
}

// TestAnotherLogInItsPlace: somebody with rights to the files and with no key puts another log
// there, of their own foundation under a key of their own, or an empty one. The checkpoints that
// are kept outside the file are of another log's: it is not opened for appending, tells nothing
// when it is opened for reading, and the checkpoints stay what they were.
func TestAnotherLogInItsPlace(t *testing.T) {
	for name, found := range map[string]bool{"of their own foundation": true, "empty": false} {
		dir, theirs := t.TempDir(), t.TempDir()
		path := filepath.Join(dir, "ledger.db")
		l := open(t, dir)
		o := ledgertest.NewOffice(t, l)
		o.Found(t)
		o.IssueCard(t, "A-1", "C-1", "ann", "")
		l.Close()
		copied := filepath.Join(dir, "checkpoints", ledger.CheckpointFile)
		before, err := os.ReadFile(copied)
		if err != nil {
			t.Fatal(err)
		}

		skey, vkey, err := note.GenerateKey(rand.Reader, ledgertest.Origin)
		if err != nil {
			t.Fatal(err)
		}
		thief, err := note.NewSigner(skey)
		if err != nil {
			t.Fatal(err)
		}
		forged, err := sqlite.Create(t.Context(), filepath.Join(theirs, "ledger.db"), ledgertest.Origin, sqlite.Options{Signer: thief})
		if err != nil {
			t.Fatal(err)
		}
		if found {
			office := ledgertest.NewOffice(t, forged)
			first := office.Init()
			first[0].Fields["logkey"] = vkey
			office.Must(t, first...)
		}
		forged.Close()
		for _, suffix := range []string{"-wal", "-shm"} {
			os.Remove(path + suffix)
		}
		if err := os.Rename(filepath.Join(theirs, "ledger.db"), path); err != nil {
			t.Fatal(err)
		}
		as := options(t, dir)
		as.Verifier = nil // the command line has none: the first entry names the key
		if l, err := sqlite.Open(t.Context(), path, as); !errors.Is(err, ledger.ErrRolledBack) {
			t.Errorf("%s: opened for appending: %v", name, err)
			if err == nil {
				l.Close()
			}
		}
		if after, err := os.ReadFile(copied); err != nil || !bytes.Equal(after, before) {
			t.Errorf("%s: the checkpoint that was kept is gone: %q, %v", name, after, err)
		}
		as.ReadOnly, as.Signer = true, nil
		reader, err := sqlite.Open(t.Context(), path, as)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := reader.List(t.Context(), issuance.KindCard); !errors.Is(err, ledger.ErrRolledBack) {
			t.Errorf("%s: it tells of its cards: %v", name, err)
		}
		reader.Close()
	}
}

// TestLogOfAnotherKey: with no checkpoint kept, the log key tells its own log from another.
func TestLogOfAnotherKey(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	ledgertest.NewOffice(t, l).Found(t)
	l.Close()
	skey, _, err := note.GenerateKey(rand.Reader, ledgertest.Origin)
	if err != nil {
		t.Fatal(err)
	}
	other, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	if l, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), sqlite.Options{Signer: other}); err == nil {
		l.Close()
		t.Error("opened for appending under another key than its first entry names")
	}
}
