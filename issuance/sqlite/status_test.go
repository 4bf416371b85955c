package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
)

// places dumps what the tables say of how cards stand.
func places(t *testing.T, db *sql.DB) []string {
	t.Helper()
	rows, err := db.Query("SELECT uri, place, state, since FROM status JOIN status_list ON number = list ORDER BY 1, 2")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var p ledger.Place
		if err := rows.Scan(&p.List, &p.Index, &p.State, &p.Since); err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprint(p))
	}
	return list
}

// TestStatusMigration: of a ledger that knew no table of card status the migration makes the
// one that it would have had.
func TestStatusMigration(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	script, err := os.ReadFile("migration/003_status.sql")
	if err != nil {
		t.Fatal(err)
	}
	db := raw(t, dir)
	defer db.Close()
	want := places(t, db)
	// claims that are no places in a list
	for _, value := range []string{"7", ":7", "urn:x:007", "urn:x:4294967296", "urn:x:99999999999999999999999", "urn:x:", "urn:x:7a"} {
		if _, err := db.Exec("INSERT INTO claim VALUES ('status', ?, 'card', 'C-1', 20)", value); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []string{"DROP TABLE status", "DROP TABLE status_list", string(script)} {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	if got := places(t, db); len(want) != 3 || !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestStatusTableGone: a ledger whose table of card status was taken away is not sound.
func TestStatusTableGone(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	db := raw(t, dir)
	if _, err := db.Exec("DROP TABLE status"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if found := find(t, dir, nil); !slices.ContainsFunc(found, func(f ledger.Finding) bool { return f.Code == ledger.StoreDamaged }) {
		t.Errorf("%v", found)
	}
}

// TestPlacesStop: whoever reads may stop, and hears nothing more.
func TestPlacesStop(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	l := open(t, dir)
	defer l.Close()
	enough, n := errors.New("enough"), 0
	err := l.Places(t.Context(), ledgertest.StatusList, func(ledger.Place) error { n++; return enough })
	if !errors.Is(err, enough) || n != 1 {
		t.Errorf("%d rows, %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Places(ctx, ledgertest.StatusList, func(ledger.Place) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
