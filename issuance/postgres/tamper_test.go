package postgres_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres"
)

// freshLeaf makes another reason of that for which A-1 was enrolled.
const freshLeaf = "UPDATE entry SET leaf = overlay(leaf placing 'fresh'::bytea from position('first'::bytea in leaf)) WHERE idx = 20"

// texts are the findings of a report in one order, but for those that follow from others:
// where rows were taken from a stream, or came late, what is read again of it says another
// thing.
func texts(r *ledger.Report) []string {
	var list []string
	broken := map[issuance.StreamID]bool{}
	for _, f := range r.Findings {
		broken[f.Stream] = broken[f.Stream] || f.Code == ledger.RuleBroken || f.Code == ledger.SequenceBroken
	}
	for _, f := range r.Findings {
		if f.Code != ledger.RuleBroken && f.Code != ledger.SequenceBroken && !(f.Code == ledger.StreamsChanged && broken[f.Stream]) {
			list = append(list, f.String())
		}
	}
	slices.Sort(list)
	return list
}

func verify(t testing.TB, l *postgres.Ledger, against *ledger.Checkpoint) []ledger.Finding {
	t.Helper()
	return verifyIn(t, l, func() (*ledger.Report, error) { return l.Verify(t.Context(), against) })
}

// verifyIn audits twice: a ledger too long for the memory is found out alike.
func verifyIn(t testing.TB, l *postgres.Ledger, audit func() (*ledger.Report, error)) []ledger.Finding {
	t.Helper()
	r, err := audit()
	if err != nil {
		t.Fatal(err)
	}
	l.Frugal(true)
	defer l.Frugal(false)
	again, err := audit()
	if err != nil {
		t.Fatal(err)
	}
	if r.OK() != again.OK() || !slices.Equal(texts(r), texts(again)) {
		t.Errorf("at length: %v, not %v", texts(again), texts(r))
	}
	return r.Findings
}

// find reads a ledger that someone was at.
func find(t testing.TB, dir string, against *ledger.Checkpoint) []ledger.Finding {
	t.Helper()
	l := reading(t, dir)
	defer l.Close()
	return verify(t, l, against)
}

func TestTamper(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	l, conn := reading(t, dir), raw(t, dir)
	const zero16, zero32 = `decode(repeat('00', 16), 'hex')`, `decode(repeat('00', 32), 'hex')`
	for name, test := range map[string]struct {
		statement string
		code      ledger.Code
		index     int64
		stream    string
	}{
		"changed leaf":         {freshLeaf, ledger.LeafChanged, 20, "application/A-1"},
		"leaf of another":      {"UPDATE entry SET leaf = (SELECT leaf FROM entry WHERE idx = 23) WHERE idx = 24", ledger.LeafChanged, 24, ""},
		"octet in a leaf":      {"UPDATE entry SET leaf = set_byte(leaf, 61, 127) WHERE idx = 24", ledger.LeafChanged, 24, ""},
		"unreadable leaf":      {`UPDATE entry SET leaf = '\x00' WHERE idx = 24`, ledger.LeafUnreadable, 24, "card/C-1"},
		"deleted row":          {"DELETE FROM entry WHERE idx = 24", ledger.LeafMissing, 24, ""},
		"deleted rows":         {"DELETE FROM entry WHERE idx BETWEEN 21 AND 26", ledger.LeafMissing, 21, ""},
		"deleted first row":    {"DELETE FROM entry WHERE idx = 0", ledger.LeafMissing, 0, ""},
		"changed act":          {"UPDATE entry SET act = 'reject' WHERE idx = 21", ledger.ColumnChanged, 21, "application/A-1"},
		"changed time":         {"UPDATE entry SET time = time + 1 WHERE idx = 21", ledger.ColumnChanged, 21, "application/A-1"},
		"changed stream":       {"UPDATE entry SET stream = 'A-9' WHERE idx = 20", ledger.ColumnChanged, 20, "application/A-1"},
		"changed identity":     {"UPDATE entry SET id = " + zero16 + " WHERE idx = 20", ledger.ColumnChanged, 20, "application/A-1"},
		"changed payload":      {"UPDATE entry SET payload = (SELECT payload FROM entry WHERE idx = 21) WHERE idx = 20", ledger.PayloadChanged, 20, "application/A-1"},
		"changed node":         {"UPDATE entry SET nodes = substr(nodes, 1, 32) || " + zero32 + " WHERE idx = 21", ledger.TreeChanged, 21, ""},
		"lost node":            {"UPDATE entry SET nodes = substr(nodes, 1, 32) WHERE idx = 21", ledger.TreeChanged, 21, ""},
		"changed attachment":   {`UPDATE attachment SET sealed = '\x00' WHERE place = 20 * 32`, ledger.AttachmentOther, 20, "application/A-1"},
		"renamed attachment":   {"UPDATE attachment SET name = 'other' WHERE place = 20 * 32", ledger.AttachmentLost, 20, "application/A-1"},
		"deleted attachment":   {"DELETE FROM attachment WHERE place = 20 * 32", ledger.AttachmentLost, 20, "application/A-1"},
		"added attachment":     {`INSERT INTO attachment SELECT min(month), 21 * 32, 'x', '\x00' FROM month`, ledger.AttachmentAdded, 21, "application/A-1"},
		"attachment to no one": {`INSERT INTO attachment SELECT max(month), 999 * 32, 'x', '\x00' FROM month`, ledger.AttachmentAdded, 999, ""},
		"changed claim":        {"UPDATE claim SET value = 'free' WHERE kind = 'chip' AND value = 'chip-of-C-1'", ledger.ClaimsChanged, 23, "card/C-1"},
		"claim given away":     {"UPDATE claim SET stream = 'C-2' WHERE kind = 'chip' AND value = 'chip-of-C-1'", ledger.ClaimsChanged, 23, "card/C-1"},
		"deleted claim":        {"DELETE FROM claim WHERE kind = 'card-id' AND stream = 'C-1'", ledger.ClaimsChanged, 26, "card/C-1"},
		"added claim":          {"INSERT INTO claim VALUES ('chip', 'free', 'card', 'C-1', 23)", ledger.ClaimsChanged, 23, "card/C-1"},
		"deleted hold":         {"DELETE FROM hold WHERE kind = 'active-card'", ledger.ClaimsChanged, 49, "card/C-2"},
		"hold given away":      {"UPDATE hold SET stream = 'C-1' WHERE kind = 'active-card'", ledger.ClaimsChanged, 49, "card/C-2"},
		"added hold":           {"INSERT INTO hold VALUES ('active-card', 'x', 'card', 'C-1', 23)", ledger.ClaimsChanged, 23, "card/C-1"},
		"revived card":         {"UPDATE stream SET phase = 'active' WHERE id = 'C-1'", ledger.StreamsChanged, -1, "card/C-1"},
		"shortened stream":     {"UPDATE stream SET seq = seq - 1 WHERE id = 'C-1'", ledger.StreamsChanged, -1, "card/C-1"},
		"hidden card":          {"DELETE FROM stream WHERE id = 'C-1'", ledger.StreamsChanged, -1, "card/C-1"},
		"invented card":        {"INSERT INTO stream VALUES ('card', 'C-X', 1, " + zero32 + ", 'active', 0, 0, 0)", ledger.StreamsChanged, -1, "card/C-X"},
		"log made longer":      {"UPDATE log SET size = size + 1", ledger.CheckpointBad, -1, ""},
		"log renamed":          {"UPDATE log SET origin = 'other.test'", ledger.CheckpointBad, -1, ""},
		"no checkpoint":        {"UPDATE log SET checkpoint = ''", ledger.CheckpointBad, -1, ""},

		"card in force again": {"UPDATE status SET state = 2 WHERE since = 48", ledger.StatusChanged, 48, "card/C-1"},
		"list without a name": {"DELETE FROM status_list", ledger.StatusChanged, 48, "card/C-1"},
		"card of no list":     {"DELETE FROM status WHERE since = 48", ledger.StatusChanged, 48, "card/C-1"},

		// what other engines' stores have not
		"in another month":      {"UPDATE entry SET month = (SELECT max(month) FROM month) WHERE idx = 20", ledger.StoreDamaged, 20, "application/A-1"},
		"in no month":           {"SELECT open_month('2020-02-01'); UPDATE entry SET month = '2020-02-01' WHERE idx = 20", ledger.LeafMissing, 20, ""},
		"in a month apart":      {"SELECT open_month('2020-02-01'); INSERT INTO entry SELECT '2020-02-01', 999, kind, stream, 999, " + zero16 + ", act, time, leaf, payload, nodes FROM entry WHERE idx = 20", ledger.StoreDamaged, -1, ""},
		"month made longer":     {"UPDATE month SET first = first + 2 WHERE first > 0", ledger.StoreDamaged, 35, ""},
		"month made shorter":    {"UPDATE month SET first = first - 2 WHERE first > 0", ledger.StoreDamaged, 33, ""},
		"month forgotten":       {"DELETE FROM month WHERE first = 0", ledger.LeafMissing, 0, ""},
		"attachment elsewhere":  {"UPDATE attachment SET month = (SELECT max(month) FROM month) WHERE place = 20 * 32", ledger.AttachmentLost, 20, "application/A-1"},
		"identity lost":         {"DELETE FROM identity WHERE idx = 20", ledger.StoreDamaged, 20, "application/A-1"},
		"identity of another":   {"UPDATE identity SET idx = 21 WHERE idx = 20", ledger.StoreDamaged, 20, "application/A-1"},
		"identity of nothing":   {"INSERT INTO identity VALUES (" + zero16 + ", 20)", ledger.StoreDamaged, -1, ""},
		"stream begun later":    {"UPDATE stream SET opened = opened + 1 WHERE id = 'C-1'", ledger.StoreDamaged, 24, "card/C-1"},
		"stream gone on later":  {"UPDATE stream SET latest = latest + 1 WHERE id = 'C-2'", ledger.StoreDamaged, 50, "card/C-2"},
		"stream at another day": {"UPDATE stream SET since = since + 1 WHERE id = 'C-2'", ledger.StoreDamaged, 49, "card/C-2"},
	} {
		t.Run(name, func(t *testing.T) {
			var found []ledger.Finding
			undone(t, conn, func(tx pgx.Tx) {
				for _, s := range append([]string{"SET LOCAL session_replication_role = replica"}, strings.Split(test.statement, "; ")...) {
					if _, err := tx.Exec(t.Context(), s); err != nil {
						t.Fatalf("%s: %v", s, err)
					}
				}
				found = verifyIn(t, l, func() (*ledger.Report, error) { return l.VerifyIn(t.Context(), tx) })
			})
			if !slices.ContainsFunc(found, func(f ledger.Finding) bool {
				return f.Code == test.code && f.Index == test.index && (test.stream == "" || f.Stream.String() == test.stream)
			}) {
				t.Errorf("want %s at %d of %s, found:", test.code, test.index, test.stream)
				for _, f := range found {
					t.Error("  ", f)
				}
			}
			if len(found) > 16 && name != "deleted first row" && name != "month forgotten" { // every entry rests on the first; half of them are not there
				t.Errorf("%d findings for one change", len(found))
			}
		})
	}
}

// TestUntouched: the audit has nothing to say of an honest ledger, however it is read.
func TestUntouched(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	for _, f := range find(t, dir, nil) {
		t.Error(f)
	}
	r, err := reading(t, dir).Rehash(t.Context())
	if err != nil || !r.OK() || r.Size < 50 {
		t.Errorf("%+v %v", r, err)
	}
}

// TestRehash: whoever changes a leaf and makes the whole tree fit again, but lacks the
// log key, is found by the operator's signature, by the next entry of the stream, which
// names the leaf that was, and by the checkpoint.
func TestRehash(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	tamper(t, dir, freshLeaf)
	rehash(t, dir)
	codes(t, find(t, dir, nil), ledger.SignatureBad, ledger.SequenceBroken, ledger.RootDiffers, ledger.Rewritten)
}

// TestResign: whoever has the log key too is found by the operator's signature, and by
// any checkpoint that is out of their hands.
func TestResign(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	l := at(t, dir)
	before, err := l.Checkpoint(t.Context())
	l.Close()
	if err != nil {
		t.Fatal(err)
	}
	tamper(t, dir, freshLeaf)
	signer, _ := ledgertest.LogKey(t)
	resign(t, dir, rehash(t, dir), signer)
	os.RemoveAll(filepath.Join(dir, "checkpoints"))
	codes(t, find(t, dir, nil), ledger.SignatureBad, ledger.SequenceBroken)
	codes(t, find(t, dir, before), ledger.SignatureBad, ledger.SequenceBroken, ledger.Rewritten)
}

// TestTruncate: the last entries are gone without trace, the last checkpoint is older.
func TestTruncate(t *testing.T) {
	dir := t.TempDir()
	l := at(t, dir)
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	older, err := l.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o.Must(t, o.Enrol("A-1", "ann", ""))
	newer, err := l.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	tamper(t, dir, "DELETE FROM entry WHERE idx >= 19", "DELETE FROM attachment WHERE place >= 19 * 32", "DELETE FROM identity WHERE idx >= 19",
		"DELETE FROM stream WHERE id IN ('A-1', 'P-ann')", "DELETE FROM claim WHERE kind = 'number'", "DELETE FROM hold WHERE kind = 'open-application'")
	codes(t, find(t, dir, nil), ledger.Truncated, ledger.RolledBack)
	tamper(t, dir, `UPDATE log SET size = 19, checkpoint = '\x`+hex.EncodeToString(older.Note)+"'")
	codes(t, find(t, dir, nil), ledger.RolledBack) // by the copy
	os.RemoveAll(filepath.Join(dir, "checkpoints"))
	codes(t, find(t, dir, nil)) // consistent: an honest older state, for who has no newer checkpoint
	codes(t, find(t, dir, newer), ledger.RolledBack)
}

// TestVerifyNewer: what a newer program made meanwhile is not called damaged.
func TestVerifyNewer(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	l := reading(t, dir)
	tamper(t, dir, "INSERT INTO migration VALUES (99, 'x')", "ALTER TABLE claim ADD COLUMN more text")
	if r, err := l.Verify(t.Context(), nil); !errors.Is(err, ledger.ErrNewer) {
		t.Errorf("%+v %v", r, err)
	}
}

// TestSwappedRows: two rows that changed places are found where they stand.
func TestSwappedRows(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	tamper(t, dir, "UPDATE entry SET idx = 9999 WHERE idx = 22", "UPDATE entry SET idx = 22 WHERE idx = 24", "UPDATE entry SET idx = 24 WHERE idx = 9999")
	found := find(t, dir, nil)
	for index, code := range map[int64]ledger.Code{22: ledger.SequenceBroken, 23: ledger.TreeChanged, 25: ledger.TreeChanged} {
		if !slices.ContainsFunc(found, func(f ledger.Finding) bool { return f.Index == index && f.Code == code }) {
			t.Errorf("no %s at %d: %v", code, index, found)
		}
	}
}

func codes(t *testing.T, found []ledger.Finding, want ...ledger.Code) {
	t.Helper()
	var got []ledger.Code
	for _, f := range found {
		if !slices.Contains(got, f.Code) {
			got = append(got, f.Code)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("found %v, want %v:", got, want)
		for _, f := range found {
			t.Error("  ", f)
		}
	}
}

// rehash makes the nodes fit the leaves as they are, and returns the tree.
func rehash(t *testing.T, dir string) *ledger.Tree {
	t.Helper()
	conn := raw(t, dir)
	defer conn.Close(context.Background())
	rows, err := conn.Query(t.Context(), "SELECT leaf FROM entry ORDER BY idx")
	if err != nil {
		t.Fatal(err)
	}
	leaves, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		t.Fatal(err)
	}
	tree := &ledger.Tree{}
	var statements []string
	for i, leaf := range leaves {
		var nodes strings.Builder
		for _, n := range tree.Append(tlog.Hash(issuance.LeafHash(leaf))) {
			nodes.WriteString(hex.EncodeToString(n[:]))
		}
		statements = append(statements, fmt.Sprintf(`UPDATE entry SET nodes = '\x%s' WHERE idx = %d`, &nodes, i))
	}
	tamper(t, dir, statements...)
	return tree
}

func resign(t *testing.T, dir string, tree *ledger.Tree, s note.Signer) {
	t.Helper()
	c, err := ledger.SignCheckpoint(ledgertest.Origin, tree.Size(), tree.Root(), s)
	if err != nil {
		t.Fatal(err)
	}
	tamper(t, dir, `UPDATE log SET checkpoint = '\x`+hex.EncodeToString(c.Note)+"'")
}
