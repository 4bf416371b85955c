package postgres_test

import (
	"testing"

	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

// TestMonthsOfOthers: whoever may append begins the month that it is, behind the months that
// are there and with the next entry. Months never go back, so that any other would be where
// the log goes on until then.
func TestMonthsOfOthers(t *testing.T) {
	dir := t.TempDir()
	l := at(t, dir)
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	l.Close()
	const this, old = "date_trunc('month', now())::date", "date_trunc('month', now() - interval '3 months')::date"
	tamper(t, dir, "SELECT open_month("+old+")", "UPDATE month SET month = "+old, "UPDATE entry SET month = "+old)
	owner, sequencer := raw(t, dir), login(t, dir, "tamthe_sequencer")
	refuses := func(statements ...string) {
		t.Helper()
		for _, s := range statements {
			if state := stateOf(t, sequencer, s); state != integrity {
				t.Errorf("%s: %q", s, state)
			}
		}
	}
	refuses("SELECT open_month('9999-01-01')", "SELECT open_month('2000-01-01')", "SELECT open_month((now() + interval '2 months')::date)",
		"SELECT open_month((now() - interval '1 month')::date)", "INSERT INTO month SELECT date_trunc('month', now() - interval '1 month')::date, size FROM log",
		"INSERT INTO month VALUES ('9999-01-01', (SELECT size FROM log))", "INSERT INTO month VALUES ('2000-01-01', (SELECT size FROM log))",
		"INSERT INTO month SELECT date_trunc('month', now() + interval '2 months')::date, size FROM log",
		"INSERT INTO month SELECT "+this+", size + 1 FROM log", "INSERT INTO month SELECT "+this+", size - 1 FROM log")

	l, err := postgres.Open(t.Context(), pgtest.Server(t).DSN(owner.Config().Database, sequencer.Config().User), options(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o.Ledger = l
	o.Must(t, o.Enrol("A-1", "ann", ""))
	var months int
	if err := owner.QueryRow(t.Context(), "SELECT count(*) FROM month WHERE month = "+this).Scan(&months); err != nil || months != 1 {
		t.Errorf("%d months that begin now: %v", months, err)
	}
	if state := stateOf(t, owner, "INSERT INTO month SELECT min(month) + interval '1 month', (SELECT size FROM log) FROM month"); state != integrity {
		t.Errorf("one between those that are there: %q", state)
	}
}
