package postgres_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

// older puts a copy of a folder's database in its place, as it is now; the folder's
// checkpoints stay. It returns what puts the copy there.
func older(t *testing.T, dir string) (restore func()) {
	t.Helper()
	dsn := pgtest.Copy(t, address(t, dir))
	return func() {
		if err := os.WriteFile(filepath.Join(dir, "dsn"), []byte(dsn), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRevocationRolledBack: a database of before a revocation tells nobody that the card is
// active, and nobody goes on from it.
func TestRevocationRolledBack(t *testing.T) {
	dir := t.TempDir()
	l := at(t, dir)
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	o.IssueCard(t, "A-1", "C-1", "ann", "")
	l.Close()
	restore := older(t, dir)
	l = at(t, dir)
	o.Ledger = l
	o.Must(t, o.Revoke("C-1", "ann"))
	l.Close()
	restore()
	l = reading(t, dir)
	if s, err := issuance.Load(t.Context(), l, issuance.Card("C-1")); !errors.Is(err, ledger.ErrRolledBack) {
		t.Errorf("%v, the card is %s", err, s.Subject(issuance.Card("C-1")).Phase)
	}
	ctx, card := t.Context(), issuance.KindCard
	for name, ask := range map[string]func() error{
		"claimed": func() error {
			_, err := l.Claimed(ctx, issuance.Claim{Kind: issuance.ClaimChip, Value: "x"})
			return err
		},
		"claims":     func() error { return l.Claims(ctx, issuance.ClaimChip, "", "x", nil) },
		"last claim": func() error { _, err := l.LastClaim(ctx, issuance.ClaimChip, "", "x"); return err },
		"taken":      func() error { _, err := l.Taken(ctx, issuance.ClaimChip, "", 1); return err },
		"list":       func() error { _, err := l.List(ctx, card); return err },
		"streams":    func() error { return l.Streams(ctx, card, nil) },
		"entries":    func() error { return l.Entries(ctx, 0, nil) },
		"prove":      func() error { _, err := l.Prove(ctx, 0); return err },
	} {
		if err := ask(); !errors.Is(err, ledger.ErrRolledBack) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if l.Behind() == nil {
		t.Error("it is not behind")
	}
	if _, err := postgres.Open(t.Context(), address(t, dir), options(t, dir)); !errors.Is(err, ledger.ErrRolledBack) {
		t.Errorf("opened for appending: %v", err)
	}
}

// TestHiddenRevocation: a stream whose last rows were taken away, or given to another
// stream, or put into a month where they are not looked for, is not read as if they had
// never been.
func TestHiddenRevocation(t *testing.T) {
	template := t.TempDir()
	l := at(t, template)
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	o.IssueCard(t, "A-1", "C-1", "ann", "")
	o.Must(t, o.Revoke("C-1", "ann"))
	o.Must(t, o.Enrol("A-2", "bob", ""))
	l.Close()
	const revocation = " WHERE kind = 'card' AND stream = 'C-1' AND act = 'revoke'"
	for name, statement := range map[string]string{
		"deleted":       "DELETE FROM entry" + revocation,
		"given away":    "UPDATE entry SET stream = 'C-9'" + revocation,
		"the table too": "UPDATE stream SET seq = seq - 1, latest = latest - 1 WHERE kind = 'card' AND id = 'C-1'; DELETE FROM entry" + revocation,
		"only the table": "UPDATE stream s SET (seq, last, latest, phase) = (SELECT e.seq, substr(e.nodes, 1, 32), e.idx, 'active' FROM entry e\n" +
			"WHERE e.kind = s.kind AND e.stream = s.id AND e.seq = s.seq - 1) WHERE kind = 'card' AND id = 'C-1'",
		"from the table":  "DELETE FROM stream WHERE kind = 'card' AND id = 'C-1'",
		"in another year": "SELECT open_month('2040-01-01'); UPDATE entry SET month = '2040-01-01'" + revocation,
		"in no month":     "DELETE FROM month",
	} {
		dir := duplicate(t, template)
		tamper(t, dir, strings.Split(statement, "; ")...)
		l = reading(t, dir)
		if s, err := issuance.Load(t.Context(), l, issuance.Card("C-1")); !errors.Is(err, ledger.ErrDamaged) {
			t.Errorf("%s: %v, the card is %s", name, err, s.Subject(issuance.Card("C-1")).Phase)
		}
		l.Close()
	}
}

// TestAnotherLogInItsPlace: somebody with rights to the server and with no key puts another
// log there, of their own foundation under a key of their own, or an empty one. The
// checkpoints that are kept outside the database are of another log's: it is not opened for
// appending, tells nothing when it is opened for reading, and the checkpoints stay what they
// were.
func TestAnotherLogInItsPlace(t *testing.T) {
	for name, found := range map[string]bool{"of their own foundation": true, "empty": false} {
		dir := t.TempDir()
		l := at(t, dir)
		o := ledgertest.NewOffice(t, l)
		o.Found(t)
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
		theirs := pgtest.Database(t)
		forged, err := postgres.Create(t.Context(), theirs, ledgertest.Origin, postgres.Options{Signer: thief})
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
		as := options(t, dir)
		as.Verifier = nil // the command line has none: the first entry names the key
		if l, err := postgres.Open(t.Context(), theirs, as); !errors.Is(err, ledger.ErrRolledBack) {
			t.Errorf("%s: opened for appending: %v", name, err)
			if err == nil {
				l.Close()
			}
		}
		if after, err := os.ReadFile(copied); err != nil || !bytes.Equal(after, before) {
			t.Errorf("%s: the checkpoint that was kept is gone: %q, %v", name, after, err)
		}
		as.ReadOnly, as.Signer = true, nil
		reader, err := postgres.Open(t.Context(), theirs, as)
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
	l := at(t, dir)
	ledgertest.NewOffice(t, l).Found(t)
	l.Close()
	for _, origin := range []string{ledgertest.Origin, "other.test"} {
		skey, _, err := note.GenerateKey(rand.Reader, origin)
		if err != nil {
			t.Fatal(err)
		}
		other, err := note.NewSigner(skey)
		if err != nil {
			t.Fatal(err)
		}
		if l, err := postgres.Open(t.Context(), address(t, dir), postgres.Options{Signer: other}); err == nil {
			l.Close()
			t.Errorf("opened for appending with a key of %s that is not the one of its first entry", origin)
		}
	}
}

// TestSecondMedium: the newest checkpoint also goes to a second medium; a database that was
// put back is found by it alone, and without the medium nothing is appended.
func TestSecondMedium(t *testing.T) {
	dir, second := t.TempDir(), t.TempDir()
	applied(t, dir, 3).Close()
	restore := older(t, dir)
	o := options(t, dir)
	o.Second = second
	l, err := postgres.Open(t.Context(), address(t, dir), o)
	if err != nil {
		t.Fatal(err)
	}
	office := ledgertest.NewOffice(t, l)
	office.Must(t, office.Enrol("A-last", "last", ""))
	l.Close()
	restore()
	if err := os.RemoveAll(filepath.Join(dir, "checkpoints")); err != nil {
		t.Fatal(err)
	}
	_, err = postgres.Open(t.Context(), address(t, dir), o)
	if !errors.Is(err, ledger.ErrRolledBack) || !strings.Contains(err.Error(), second) {
		t.Errorf("an older database beside a newer second medium: %v", err)
	}
	o.Second = filepath.Join(second, "not-plugged-in")
	if _, err := postgres.Open(t.Context(), address(t, dir), o); !errors.Is(err, ledger.ErrCopy) {
		t.Errorf("without the second medium: %v", err)
	}
}
