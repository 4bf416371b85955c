package postgres_test

import (
	"errors"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
)

// TestReleaseOfNothing: what an entry releases must be held, by its own stream. Where it is not
// the table is not what the log says, and nothing is added.
func TestReleaseOfNothing(t *testing.T) {
	for name, change := range map[string]string{
		"held by nobody":  "DELETE FROM hold WHERE stream = 'A-1'",
		"held by another": "UPDATE hold SET stream = 'A-9' WHERE stream = 'A-1'",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := at(t, dir)
			o := ledgertest.NewOffice(t, l)
			o.Found(t)
			o.Must(t, o.Enrol("A-1", "ann", ""))
			tamper(t, dir, "CREATE TABLE before AS TABLE hold", change)
			for range 2 { // counting on the log as it was left, and looking at it first
				if err := o.Do(t.Context(), o.Cancel("A-1", "ann")); !errors.Is(err, ledger.ErrDamaged) {
					t.Errorf("%v", err)
				}
			}
			if e, err := l.Stream(t.Context(), issuance.Application("A-1")); err != nil || len(e) != 1 {
				t.Errorf("%d entries: %v", len(e), err)
			}
			o.Must(t, o.Enrol("A-2", "bob", ""))
			tamper(t, dir, "DELETE FROM hold WHERE stream = 'A-9'", "INSERT INTO hold TABLE before ON CONFLICT DO NOTHING", "DROP TABLE before")
			o.Must(t, o.Cancel("A-1", "ann"))
			if found := verify(t, l, nil); len(found) > 0 {
				t.Errorf("afterwards: %v", found)
			}
		})
	}
}
