package desk

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// Who knows how tables are made, and sees two of the same things, still knows no count: there
// are other tables, with another count in its place, that are published the same.
func TestPublishedTellsNothing(t *testing.T) {
	for _, size := range []struct{ offices, days, most int }{{2, 2, 13}, {1, 3, 13}, {3, 2, 12}} {
		seen := map[string][]map[int]bool{} // what each cell may be
		all := make([]int, size.offices+size.days)
		var each func(i int)
		each = func(i int) {
			if i < len(all) {
				for all[i] = 0; all[i] <= size.most; all[i]++ {
					each(i + 1)
				}
				return
			}
			if sum(all[:size.offices]) != sum(all[size.offices:]) { // they count the same things
				return
			}
			tables := []exact{{"office", []string{"n"}, map[string][]int{}}, {"day", []string{"n"}, map[string][]int{}}}
			for i, n := range all {
				if i < size.offices {
					tables[0].cells[fmt.Sprint(i)] = []int{n}
				} else {
					tables[1].cells[fmt.Sprint(i)] = []int{n}
				}
			}
			text := string(must(json.Marshal(publish(tables)))(t))
			if seen[text] == nil {
				seen[text] = make([]map[int]bool, len(all))
				for i := range all {
					seen[text][i] = map[int]bool{}
				}
			}
			for i, n := range all {
				seen[text][i][n] = true
			}
		}
		each(0)
		told := 0
		for text, cells := range seen {
			if slices.ContainsFunc(cells, func(v map[int]bool) bool { return v[size.most] || v[size.most-1] }) {
				continue // cut off by the trial, not by the table
			}
			for i, values := range cells {
				if len(values) < 2 {
					if told++; told < 5 {
						t.Errorf("%s: cell %d can only be %v", text, i, values)
					}
				}
			}
		}
		t.Logf("%d offices and %d days: %d ways to publish", size.offices, size.days, len(seen))
	}
	// Tables whose bounds meet are not published.
	meet := publish([]exact{{"a", []string{"n"}, map[string][]int{"1": {3}, "2": {3}}}, {"b", []string{"n"}, map[string][]int{"1": {2}, "2": {2}, "3": {2}}}})
	if len(meet[0].Rows) > 0 || len(meet[1].Rows) > 0 {
		t.Errorf("six people, three and three, two, two and two, are told: %+v", meet)
	}
	large := publish([]exact{{"office", []string{"n"}, map[string][]int{"a": {7}, "b": {108}, "c": {2}}}})
	if len(large[0].Rows) != 2 || *large[0].Rows[0].Cells[0] != 5 || *large[0].Rows[1].Cells[0] != 110 {
		t.Errorf("%+v", large)
	}
}

// The indicators of a period that is over are the same whenever they are computed, and add
// up to what the ledger says.
func TestIndicators(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	from := time.Date(2026, 9, 1, 0, 0, 0, 0, r.now.Location())
	for n := range 7 {
		app := must(r.an.Enrol(ctx, enrolment(n)))(t)
		switch {
		case n == 6:
			check(t, r.binh.Reject(ctx, app, "documents"))
		default:
			check(t, r.binh.Approve(ctx, app))
			c := blank()
			card := r.personalised(t, app, c, r.plan())
			r.checked(t, card, c)
			check(t, r.binh.Deliver(ctx, card, Handover{}))
		}
	}
	if _, err := r.an.Indicators(ctx, from, r.now); !errors.Is(err, ErrPeriod) {
		t.Errorf("of a day that is not over: %v", err)
	}
	to := time.Date(2026, 9, 30, 0, 0, 0, 0, r.now.Location())
	r.now = time.Date(2026, 10, 2, 9, 0, 0, 0, r.now.Location())
	if _, err := r.an.Indicators(ctx, from.AddDate(0, 0, 1), to); !errors.Is(err, ErrWhole) {
		t.Errorf("of a month without its first day: %v", err)
	}
	first := must(r.an.Indicators(ctx, from, to))(t)
	text := must(json.Marshal(first))(t)
	must(r.an.Enrol(ctx, enrolment(20)))(t)
	r.now = r.now.AddDate(0, 0, 30)
	if again := must(json.Marshal(must(r.an.Indicators(ctx, from, to))(t)))(t); string(again) != string(text) {
		t.Errorf("another time:\n%s\n%s", text, again)
	}
	month := first.Months[0]
	for _, table := range month.Tables {
		for c, name := range table.Names {
			want, got := map[string]int{"enrolled": 5, "approved": 5, "issued": 5}[name], 0
			for _, row := range table.Rows {
				if row.Cells[c] != nil {
					got += *row.Cells[c]
				}
			}
			if got != want {
				t.Errorf("by %s, %s: %d, want %d", table.By, name, got, want)
			}
		}
	}
	if *month.Cards != 5 || *month.Within != 5 || month.Median != nil || month.Entries == 0 || month.Lists[0].List != objectCRL {
		t.Errorf("%s", text)
	}
}

// Days counts what Due counts.
func TestCalendarDays(t *testing.T) {
	c := Calendar{Holidays: []string{"2026-09-02", "2026-09-03"}}
	zone := time.FixedZone("ICT", 7*3600)
	for day := range 20 {
		from := time.Date(2026, 8, 24+day, 16, 0, 0, 0, zone)
		for n := range 10 {
			if got := c.Days(from, c.Due(from, n)); got != n {
				t.Errorf("%d working days from %s are %d", n, from.Format(time.DateOnly), got)
			}
		}
	}
}

func sum(list []int) (n int) {
	for _, v := range list {
		n += v
	}
	return n
}

// Who is the only one of a sort in a month stands in no row: whoever has the public log, in
// which there is one application that month, would learn the age from a row of zeros.
func TestNoRowOfOne(t *testing.T) {
	for _, n := range []int{1, 2} {
		for _, table := range publish([]exact{
			{"age", []string{"enrolled", "issued"}, map[string][]int{"14-24": {n, 0}}},
			{"difference", []string{"differences"}, map[string][]int{"birth year-only": {n}}},
		}) {
			if len(table.Rows) > 0 {
				t.Errorf("%d: %s tells that there is somebody: %+v", n, table.By, table.Rows)
			}
		}
	}
}
