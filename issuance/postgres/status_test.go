package postgres_test

import (
	"os"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
	"github.com/tamthe/tamthe/verify/status"
)

// TestStatusMigration: what appending left in the tables of card status is what the migration
// makes of a ledger that had none.
func TestStatusMigration(t *testing.T) {
	dsn := pgtest.Database(t)
	l := open(t, dsn, t.TempDir())
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	o.IssueCard(t, "A-1", "C-1", "ann", "")
	o.IssueCard(t, "A-2", "C-2", "ann", "C-1")
	o.MakeCard(t, "A-3", "C-3", "bob", "")
	places := func() (list []ledger.Place) {
		err := l.Places(t.Context(), ledgertest.StatusList, func(p ledger.Place) error { list = append(list, p); return nil })
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	want := places()
	for card, s := range map[string]status.State{"C-1": status.Superseded, "C-2": status.Active, "C-3": status.Undelivered} {
		if !slices.ContainsFunc(want, func(p ledger.Place) bool { return p.Index == ledgertest.Place(card) && p.State == s }) {
			t.Errorf("%s is not %s in %v", card, s, want)
		}
	}
	if len(want) != 3 || !slices.IsSortedFunc(want, func(a, b ledger.Place) int { return int(int64(a.Index) - int64(b.Index)) }) {
		t.Errorf("%v", want)
	}

	script, err := os.ReadFile("migration/004_status.sql")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, value := range []string{"7", ":7", "urn:x:007", "urn:x:4294967296", "urn:x:99999999999999999999999", "urn:x:", "urn:x:7a"} {
		if _, err := conn.Exec(t.Context(), "INSERT INTO tamthe.claim VALUES ('status', $1, 'card', 'C-1', 20)", value); err != nil {
			t.Fatal(err)
		}
	}
	again := "BEGIN; SET LOCAL search_path = tamthe; DROP TABLE status, status_list; DROP FUNCTION status_forward;" + string(script) + "COMMIT"
	if _, err := conn.PgConn().Exec(t.Context(), again).ReadAll(); err != nil {
		t.Fatal(err)
	}
	if got := places(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	var lists int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM tamthe.status_list").Scan(&lists); err != nil || lists != 1 {
		t.Errorf("%d lists, %v", lists, err)
	}
}
