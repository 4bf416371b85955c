package main

import (
	"database/sql"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/issuance/capacity"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/testdata"
)

// TestCoefficientsOfALife: what the capacity model says of a card's life is what the cards of
// a desk took, in the ledger that one left behind.
func TestCoefficientsOfALife(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := os.WriteFile(path, testdata.Read(t, "history/d/ledger.db"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := sqlite.Open(t.Context(), path, sqlite.Options{ReadOnly: true}) // it is a ledger of ours
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ask := func(text string) (n float64) {
		if err := db.QueryRow(text).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	const ofCards = " WHERE kind IN ('person', 'application', 'card')"
	cards := ask("SELECT count(*) FROM stream WHERE kind = 'card'")
	for name, got := range map[capacity.Name]float64{
		capacity.Entries:     ask("SELECT count(*) FROM entry" + ofCards),
		capacity.Streams:     ask("SELECT count(*) FROM stream" + ofCards),
		capacity.Claims:      ask("SELECT count(*) FROM claim WHERE stream_kind IN ('person', 'application', 'card')"),
		capacity.Attachments: ask("SELECT count(*) FROM attachment"),
		capacity.Sealed: ask("SELECT sum(length(sealed)) FROM attachment") -
			capacity.Value(capacity.Portraits)*ask("SELECT sum(length(sealed)) FROM attachment WHERE name = 'portrait'"),
	} {
		if got, want := got/cards, capacity.Value(name); math.Abs(got-want) > want/5 {
			t.Errorf("%s: %.1f, the model says %.1f", name, got, want)
		}
	}
}
