package sqlite_test

import (
	"database/sql"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// raw opens the file as someone with all rights to it and no keys.
func raw(t testing.TB, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

// tamper takes the triggers away, runs statements, and puts the triggers back.
func tamper(t testing.TB, dir string, statements ...string) {
	t.Helper()
	db := raw(t, dir)
	defer db.Close()
	rows, err := db.Query("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
	if err != nil {
		t.Fatal(err)
	}
	var drop, create []string
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			t.Fatal(err)
		}
		drop, create = append(drop, "DROP TRIGGER "+name), append(create, text)
	}
	rows.Close()
	for _, s := range slices.Concat(drop, statements, create) {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// texts are the findings of a report in one order, but for those that follow from others:
// where rows were taken from a stream, what is read again of it says less.
func texts(r *ledger.Report) []string {
	var list []string
	for _, f := range r.Findings {
		if f.Code != ledger.RuleBroken && f.Code != ledger.SequenceBroken {
			list = append(list, f.String())
		}
	}
	slices.Sort(list)
	return list
}

// freshLeaf makes another reason of that for which A-1 was enrolled.
const freshLeaf = "UPDATE entry SET leaf = CAST(replace(leaf, 'first', 'fresh') AS BLOB) WHERE idx = 20"

// busy is a ledger with a card replaced, one revoked and one in the making: 14
// operators, a document signer and blanks at entries 0 to 18, a person at 19, then A-1 and C-1 from
// entry 20 on.
func busy(t testing.TB, dir string) {
	t.Helper()
	l := open(t, dir)
	defer l.Close()
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	o.IssueCard(t, "A-1", "C-1", "ann", "")
	o.IssueCard(t, "A-2", "C-2", "ann", "C-1")
	o.MakeCard(t, "A-3", "C-3", "bob", "")
}

func verify(t testing.TB, l *sqlite.Ledger, against *ledger.Checkpoint) []ledger.Finding {
	t.Helper()
	r, err := l.Verify(t.Context(), against)
	if err != nil {
		t.Fatal(err)
	}
	l.Frugal() // a ledger too long for the memory is found out alike
	again, err := l.Verify(t.Context(), against)
	if err != nil || r.OK() != again.OK() || !slices.Equal(texts(r), texts(again)) {
		t.Errorf("at length: %v, not %v", texts(again), texts(r))
	}
	if err != nil {
		t.Fatal(err)
	}
	return r.Findings
}

// find reads a ledger that someone was at.
func find(t testing.TB, dir string, against *ledger.Checkpoint) []ledger.Finding {
	t.Helper()
	o := options(t, dir)
	o.ReadOnly = true
	l, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return verify(t, l, against)
}

func TestTamper(t *testing.T) {
	template := t.TempDir()
	busy(t, template)
	const replaceLeaf = "UPDATE entry SET leaf = CAST(substr(leaf, 1, 60) || char(127) || substr(leaf, 62) AS BLOB) WHERE idx = 24"
	for name, test := range map[string]struct {
		statements []string
		code       ledger.Code
		index      int64
		stream     string
	}{
		"changed leaf":         {[]string{freshLeaf}, ledger.LeafChanged, 20, "application/A-1"},
		"leaf of another":      {[]string{"UPDATE entry SET leaf = (SELECT leaf FROM entry WHERE idx = 23) WHERE idx = 24"}, ledger.LeafChanged, 24, ""},
		"unreadable leaf":      {[]string{"UPDATE entry SET leaf = x'00' WHERE idx = 24"}, ledger.LeafUnreadable, 24, "card/C-1"},
		"deleted row":          {[]string{"DELETE FROM entry WHERE idx = 24"}, ledger.LeafMissing, 24, ""},
		"deleted rows":         {[]string{"DELETE FROM entry WHERE idx BETWEEN 21 AND 26"}, ledger.LeafMissing, 21, ""},
		"deleted first row":    {[]string{"DELETE FROM entry WHERE idx = 0"}, ledger.LeafMissing, 0, ""},
		"changed act":          {[]string{"UPDATE entry SET act = 'reject' WHERE idx = 21"}, ledger.ColumnChanged, 21, "application/A-1"},
		"changed time":         {[]string{"UPDATE entry SET time = time + 1 WHERE idx = 21"}, ledger.ColumnChanged, 21, "application/A-1"},
		"changed stream":       {[]string{"UPDATE entry SET stream = 'A-9' WHERE idx = 20"}, ledger.ColumnChanged, 20, "application/A-1"},
		"changed identity":     {[]string{"UPDATE entry SET id = zeroblob(16) WHERE idx = 20"}, ledger.ColumnChanged, 20, "application/A-1"},
		"changed payload":      {[]string{"UPDATE entry SET payload = (SELECT payload FROM entry WHERE idx = 21) WHERE idx = 20"}, ledger.PayloadChanged, 20, "application/A-1"},
		"changed node":         {[]string{"UPDATE entry SET nodes = CAST(substr(nodes, 1, 32) || zeroblob(32) AS BLOB) WHERE idx = 21"}, ledger.TreeChanged, 21, ""},
		"lost node":            {[]string{"UPDATE entry SET nodes = substr(nodes, 1, 32) WHERE idx = 21"}, ledger.TreeChanged, 21, ""},
		"changed attachment":   {[]string{"UPDATE attachment SET sealed = x'00' WHERE place = 20 * 32"}, ledger.AttachmentOther, 20, "application/A-1"},
		"renamed attachment":   {[]string{"UPDATE attachment SET name = 'other' WHERE place = 20 * 32"}, ledger.AttachmentLost, 20, "application/A-1"},
		"deleted attachment":   {[]string{"DELETE FROM attachment WHERE place = 20 * 32"}, ledger.AttachmentLost, 20, "application/A-1"},
		"added attachment":     {[]string{"INSERT INTO attachment VALUES (21 * 32, 'x', x'00')"}, ledger.AttachmentAdded, 21, "application/A-1"},
		"attachment to no one": {[]string{"INSERT INTO attachment VALUES (999 * 32, 'x', x'00')"}, ledger.AttachmentAdded, 999, ""},
		"changed claim":        {[]string{"UPDATE claim SET value = 'free' WHERE kind = 'chip' AND value = 'chip-of-C-1'"}, ledger.ClaimsChanged, 23, "card/C-1"},
		"claim given away":     {[]string{"UPDATE claim SET stream = 'C-2' WHERE kind = 'chip' AND value = 'chip-of-C-1'"}, ledger.ClaimsChanged, 23, "card/C-1"},
		"deleted claim":        {[]string{"DELETE FROM claim WHERE kind = 'card-id' AND stream = 'C-1'"}, ledger.ClaimsChanged, 26, "card/C-1"},
		"added claim":          {[]string{"INSERT INTO claim VALUES ('chip', 'free', 'card', 'C-1', 23)"}, ledger.ClaimsChanged, 23, "card/C-1"},
		"deleted hold":         {[]string{"DELETE FROM hold WHERE kind = 'active-card'"}, ledger.ClaimsChanged, 49, "card/C-2"},
		"hold given away":      {[]string{"UPDATE hold SET stream = 'C-1' WHERE kind = 'active-card'"}, ledger.ClaimsChanged, 49, "card/C-2"},
		"added hold":           {[]string{"INSERT INTO hold VALUES ('active-card', 'x', 'card', 'C-1', 23)"}, ledger.ClaimsChanged, 23, "card/C-1"},
		"revived card":         {[]string{"UPDATE stream SET phase = 'active' WHERE id = 'C-1'"}, ledger.StreamsChanged, -1, "card/C-1"},
		"shortened stream":     {[]string{"UPDATE stream SET seq = seq - 1 WHERE id = 'C-1'"}, ledger.StreamsChanged, -1, "card/C-1"},
		"hidden card":          {[]string{"DELETE FROM stream WHERE id = 'C-1'"}, ledger.StreamsChanged, -1, "card/C-1"},
		"invented card":        {[]string{"INSERT INTO stream VALUES ('card', 'C-X', 1, zeroblob(32), 'active', 0, 0)"}, ledger.StreamsChanged, -1, "card/C-X"},
		"unrevoked place":      {[]string{"UPDATE status SET state = 2 WHERE state = 4"}, ledger.StatusChanged, 48, "card/C-1"},
		"later place":          {[]string{"UPDATE status SET since = 49 WHERE since = 48"}, ledger.StatusChanged, 49, ""},
		"hidden place":         {[]string{"DELETE FROM status WHERE state = 4"}, ledger.StatusChanged, 48, "card/C-1"},
		"invented place":       {[]string{"INSERT INTO status VALUES (1, 7, 2, 20)"}, ledger.StatusChanged, 20, ""},
		"list of another name": {[]string{"UPDATE status_list SET uri = 'urn:other'"}, ledger.StatusChanged, 48, "card/C-1"},
		"list without a name":  {[]string{"DELETE FROM status_list"}, ledger.StatusChanged, 48, "card/C-1"},
		"log made longer":      {[]string{"UPDATE log SET size = size + 1"}, ledger.CheckpointBad, -1, ""},
		"log renamed":          {[]string{"UPDATE log SET origin = 'other.test'"}, ledger.CheckpointBad, -1, ""},
		"no checkpoint":        {[]string{"UPDATE log SET checkpoint = x''"}, ledger.CheckpointBad, -1, ""},
		"lost trigger":         {[]string{"CREATE TRIGGER spy AFTER INSERT ON entry BEGIN SELECT 1; END"}, ledger.StoreDamaged, -1, ""},
		"lost index":           {[]string{"DROP INDEX stream_by_phase"}, ledger.StoreDamaged, -1, ""},
		"octet in a leaf":      {[]string{replaceLeaf}, ledger.LeafChanged, 24, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(template)); err != nil {
				t.Fatal(err)
			}
			tamper(t, dir, test.statements...)
			found := find(t, dir, nil)
			if !slices.ContainsFunc(found, func(f ledger.Finding) bool {
				return f.Code == test.code && f.Index == test.index && (test.stream == "" || f.Stream.String() == test.stream)
			}) {
				t.Errorf("want %s at %d of %s, found:", test.code, test.index, test.stream)
				for _, f := range found {
					t.Error("  ", f)
				}
			}
			if len(found) > 16 && name != "log renamed" { // every entry is of the log
				t.Errorf("%d findings for one change", len(found))
			}
		})
	}
}

// TestUntouched: the audit has nothing to say of an honest ledger.
func TestUntouched(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	tamper(t, dir)
	for _, f := range find(t, dir, nil) {
		t.Error(f)
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
	l := open(t, dir)
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
	l := open(t, dir)
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
	cut := []string{
		"DELETE FROM entry WHERE idx >= 19", "DELETE FROM attachment WHERE place >= 19 * 32",
		"DELETE FROM stream WHERE id IN ('A-1', 'P-ann')", "DELETE FROM claim WHERE kind = 'number'", "DELETE FROM hold WHERE kind = 'open-application'",
	}
	tamper(t, dir, cut...)
	codes(t, find(t, dir, nil), ledger.Truncated, ledger.RolledBack)
	tamper(t, dir, "UPDATE log SET size = 19, checkpoint = x'"+hex.EncodeToString(older.Note)+"'")
	codes(t, find(t, dir, nil), ledger.RolledBack) // by the copy
	os.RemoveAll(filepath.Join(dir, "checkpoints"))
	codes(t, find(t, dir, nil)) // consistent: an honest older state, for who has no newer checkpoint
	codes(t, find(t, dir, newer), ledger.RolledBack)
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

// TestPageDamage: whatever page is overwritten, the audit ends, and says something.
func TestPageDamage(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	tamper(t, dir, "VACUUM")
	path := filepath.Join(dir, "ledger.db")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for page := 4096; page < len(whole); page += 4096 {
		damaged := slices.Clone(whole)
		for i := range 64 {
			damaged[page+1000+i] ^= 0x5a
		}
		clear(damaged[page : page+8])
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		o := options(t, dir)
		o.ReadOnly = true
		l, err := sqlite.Open(t.Context(), path, o)
		if err != nil {
			continue
		}
		if r, err := l.Verify(t.Context(), nil); err == nil && r.OK() {
			t.Errorf("page %d is damaged and nothing is found", page/4096)
		}
		l.Close()
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

// rehash makes nodes and streams fit the leaves as they are, and returns the tree.
func rehash(t *testing.T, dir string) *ledger.Tree {
	t.Helper()
	db := raw(t, dir)
	rows, err := db.Query("SELECT leaf FROM entry ORDER BY idx")
	if err != nil {
		t.Fatal(err)
	}
	tree := &ledger.Tree{}
	var statements []string
	for rows.Next() {
		var leaf []byte
		if err := rows.Scan(&leaf); err != nil {
			t.Fatal(err)
		}
		var nodes strings.Builder
		for _, n := range tree.Append(tlog.Hash(issuance.LeafHash(leaf))) {
			nodes.WriteString(hex.EncodeToString(n[:]))
		}
		statements = append(statements, "UPDATE entry SET nodes = x'"+nodes.String()+"' WHERE idx = "+strconv.FormatInt(tree.Size()-1, 10))
	}
	rows.Close()
	db.Close()
	tamper(t, dir, statements...)
	return tree
}

func resign(t *testing.T, dir string, tree *ledger.Tree, s note.Signer) {
	t.Helper()
	c, err := ledger.SignCheckpoint(ledgertest.Origin, tree.Size(), tree.Root(), s)
	if err != nil {
		t.Fatal(err)
	}
	tamper(t, dir, "UPDATE log SET checkpoint = x'"+hex.EncodeToString(c.Note)+"'")
}
