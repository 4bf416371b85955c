package desk

import (
	"fmt"
	"slices"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/population"
)

// outcomes are the columns of what became of applications, by the act that is counted there.
var outcomes = []struct {
	act  issuance.Act
	name string
}{
	{issuance.Enrol, "enrolled"}, {issuance.Approve, "approved"}, {issuance.Reject, "rejected"}, {issuance.Cancel, "cancelled"}, {issuance.Issue, "issued"},
}

// allCards is the table of a month's cards in all, whose only row is always there.
const allCards = "cards"

// counts counts by month.
type counts struct {
	first  time.Time
	months []*monthCounts
}

// monthCounts is a month before it is rounded.
type monthCounts struct {
	tables []exact
	days   []int // working days that each card took which was handed over
}

func newCounts(months []time.Time, more []Source) *counts {
	t := &counts{first: months[0]}
	var names []string
	for _, o := range outcomes {
		names = append(names, o.name)
	}
	for range months {
		m := &monthCounts{}
		for _, by := range []string{"office", "reason", "age", "kind", "day"} {
			m.tables = append(m.tables, exact{by, names, map[string][]int{}})
		}
		for _, by := range [][2]string{{"refusal", "rejected"}, {"ended", "revoked"}, {"register", "compared"}, {"difference", "differences"}} {
			m.tables = append(m.tables, exact{by[0], []string{by[1]}, map[string][]int{}})
		}
		for _, s := range more {
			for _, of := range s.Tables {
				m.tables = append(m.tables, exact{of.By, of.Names, map[string][]int{}})
			}
		}
		m.tables = append(m.tables, exact{allCards, []string{"issued", "within"}, map[string][]int{"all": {0, 0}}})
		t.months = append(t.months, m)
	}
	return t
}

// month is that of a day; nil for one that is not counted.
func (t *counts) month(day time.Time) *monthCounts {
	n := (day.Year()-t.first.Year())*12 + int(day.Month()) - int(t.first.Month())
	if n < 0 || n >= len(t.months) {
		return nil
	}
	return t.months[n]
}

// count adds one to a column of a table; a table that is not there is a slip of the program.
func (m *monthCounts) count(by, name, sort string) error {
	for _, t := range m.tables {
		if c := slices.Index(t.names, name); t.by == by && c >= 0 {
			if t.cells[sort] == nil {
				t.cells[sort] = make([]int, len(t.names))
			}
			t.cells[sort][c]++
			return nil
		}
	}
	return fmt.Errorf("no table %s has a column %s", by, name)
}

// event counts an act.
func (t *counts) event(e Event) error {
	m := t.month(e.Day)
	if m == nil {
		return nil
	}
	var list [][3]string
	for _, o := range outcomes {
		if e.Act != string(o.act) {
			continue
		}
		for _, by := range [][2]string{{"office", e.Office}, {"reason", e.Cause}, {"age", e.Age}, {"kind", e.Document}, {"day", e.Day.Format(time.DateOnly)}} {
			list = append(list, [3]string{by[0], o.name, by[1]})
		}
	}
	switch issuance.Act(e.Act) {
	case issuance.Reject:
		list = append(list, [3]string{"refusal", "rejected", e.Why})
	case issuance.Revoke:
		list = append(list, [3]string{"ended", "revoked", e.Why})
	case issuance.Confirm, issuance.Differ:
		list = append(list, [3]string{"register", "compared", e.Why})
		for _, f := range e.Differences {
			if f.Class != population.Match {
				list = append(list, [3]string{"difference", "differences", f.Field + " " + string(f.Cause)})
			}
		}
	case issuance.Issue:
		m.days = append(m.days, e.Days)
		list = append(list, [3]string{allCards, "issued", "all"})
		if e.InTerm == "yes" {
			list = append(list, [3]string{allCards, "within", "all"})
		}
	}
	for _, c := range list {
		if err := m.count(c[0], c[1], c[2]); err != nil {
			return err
		}
	}
	return nil
}

// outside counts what was counted elsewhere, on a day.
func (t *counts) outside(day time.Time, c Outside) error {
	if m := t.month(day); m != nil {
		return m.count(c.Table, c.Count, c.Sort)
	}
	return nil
}

// publish rounds a month.
func (m *monthCounts) publish() Month {
	tables := publish(m.tables)
	last := tables[len(tables)-1].Rows[0].Cells
	out := Month{Tables: tables[:len(tables)-1], Cards: last[0], Within: last[1]}
	if n := len(m.days); n >= 2*Step {
		slices.Sort(m.days)
		out.Median, out.P90 = &m.days[(n-1)/2], &m.days[(n-1)*9/10]
	}
	return out
}
