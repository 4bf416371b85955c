package sqlite_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/mattn/go-sqlite3"
)

// TestConstraints writes past the rules, as a faulty or foreign program would: it is the
// database that keeps a value from a second owner, for every sort of value that a busy office
// has, and that keeps an owner from being changed or taken away.
func TestConstraints(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	db := raw(t, dir)
	defer db.Close()
	var kinds []string
	for _, table := range []string{"claim", "hold"} {
		rows, err := db.Query("SELECT kind, min(value) FROM " + table + " GROUP BY kind")
		if err != nil {
			t.Fatal(err)
		}
		taken := map[string]string{}
		for rows.Next() {
			var kind, value string
			if err := rows.Scan(&kind, &value); err != nil {
				t.Fatal(err)
			}
			taken[kind] = value
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
		if table == "claim" { // what no card of this office has yet
			for _, kind := range []string{"card-serial", "cert-serial", "status"} {
				if _, err := db.Exec("INSERT INTO claim (kind, value, stream_kind, stream, idx) VALUES (?, '7', 'card', 'C-1', 0)", kind); err != nil {
					t.Fatal(err)
				}
				taken[kind] = "7"
			}
		}
		for kind, value := range taken {
			kinds = append(kinds, kind)
			insert := func(value string) error {
				_, err := db.Exec("INSERT INTO "+table+" (kind, value, stream_kind, stream, idx) VALUES (?, ?, 'card', 'C-other', 0)", kind, value)
				return err
			}
			var refused sqlite3.Error
			if err := insert(value); !errors.As(err, &refused) || refused.ExtendedCode != sqlite3.ErrConstraintPrimaryKey {
				t.Errorf("a second owner of a %s: %v", kind, err)
			}
			if err := insert(value + "0"); err != nil {
				t.Errorf("another %s: %v", kind, err)
			}
		}
	}
	for _, want := range []string{"chip", "chip-key", "card-id", "blank", "ds-use", "number", "open-application", "active-card"} {
		if !slices.Contains(kinds, want) {
			t.Errorf("no %s among %v", want, kinds)
		}
	}
	for _, s := range []string{"UPDATE claim SET stream = 'C-other'", "DELETE FROM claim"} {
		if _, err := db.Exec(s); err == nil {
			t.Errorf("%s went through", s)
		}
	}
}
