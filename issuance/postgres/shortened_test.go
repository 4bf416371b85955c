package postgres_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
)

// TestShortened: a server has fewer entries than it acknowledged, as after a failover to one
// that lacked them, and says for the rest what the program left: the same epoch, the same
// holder. The program that was told of more builds nothing on it, neither where it counts on
// the log being as it left it nor where it looks.
func TestShortened(t *testing.T) {
	dir := t.TempDir()
	l := at(t, dir)
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	o.Must(t, o.Enrol("A-1", "ann", ""))
	var keep, back []string
	for _, table := range []string{"month", "entry", "attachment", "identity", "stream", "claim", "hold", "log"} {
		keep = append(keep, fmt.Sprintf("CREATE TABLE before.%s AS TABLE tamthe.%[1]s", table))
		back = append(back, fmt.Sprintf("DELETE FROM tamthe.%s", table), fmt.Sprintf("INSERT INTO tamthe.%s TABLE before.%[1]s", table))
	}
	tamper(t, dir, append([]string{"CREATE SCHEMA before"}, keep...)...)
	lost := o.Enrol("A-2", "bob", "")
	head, entries, err := o.Build(t.Context(), false, lost)
	if err != nil {
		t.Fatal(err)
	}
	must(t, l.Append(t.Context(), head, entries...))
	tamper(t, dir, back...)
	for range 2 {
		if err := o.Do(t.Context(), o.Enrol("A-3", "cid", "")); !errors.Is(err, ledger.ErrRolledBack) {
			t.Errorf("something else: %v", err)
		}
		if err := l.Append(t.Context(), head, entries...); !errors.Is(err, ledger.ErrRolledBack) {
			t.Errorf("what it took back, again: %v", err)
		}
	}
	for _, id := range []issuance.StreamID{lost.Stream, issuance.Application("A-3")} {
		if e, err := l.Stream(t.Context(), id); err != nil || len(e) > 0 {
			t.Errorf("%s: %d entries, %v", id, len(e), err)
		}
	}
}
