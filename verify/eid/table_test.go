package eid

import (
	"testing"
	"time"
)

// The table has no more logins under way than it may, and remembers a bounded number of
// those that ended; each is gone when its time is over.
func TestTableIsBounded(t *testing.T) {
	now := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	table, all := newTable(10), []*login(nil)
	add := func(expires time.Time) bool {
		l := &login{id: random(16), expires: expires}
		if !table.add(l, now) {
			return false
		}
		all = append(all, l)
		return true
	}
	for i := range 11 {
		if got := add(now.Add(time.Minute)); got != (i < 10) {
			t.Fatalf("login %d: %v", i, got)
		}
	}
	for range 100 {
		l := all[len(all)-1]
		table.end(l)
		table.end(l) // again makes no more room
		if l.finish != "" || l.claims != nil || table.session(l.id) != l || table.code(l.code) != l {
			t.Fatal("an ended login is forgotten at once, or not at all")
		}
		if !add(now.Add(time.Minute)) || add(now.Add(time.Minute)) {
			t.Fatal("one ended login is not room for one more")
		}
	}
	if n := len(table.sessions); n != 10+perOpen*10 || len(table.codes) != n || table.under.Len() != 10 || table.ended.Len() != perOpen*10 {
		t.Errorf("%d sessions, %d codes, %d and %d in order", n, len(table.codes), table.under.Len(), table.ended.Len())
	}
	now = now.Add(2 * time.Minute)
	if !add(now.Add(time.Minute)) || len(table.sessions) != 1 || len(table.codes) != 1 {
		t.Errorf("%d logins outlive their time", len(table.sessions)-1)
	}
	table.end(all[0]) // which is gone
	if table.under.Len() != 1 || table.ended.Len() != 0 {
		t.Error("the end of a login that is gone changes the table")
	}
}
