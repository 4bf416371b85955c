package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tamthe/tamthe/issuance"
)

// Step is what published counts are rounded to the nearest multiple of: a count of one or
// two people is told as none, and any other may be two more or two less. An exact count,
// or an exact total, would tell small ones by what is left.
const Step = 5

// Indicators are what an office publishes of a period: counts of what became of
// applications, told apart by one thing at a time, and how long cards took. They are the
// same whenever they are computed, once the period is over. All counts are rounded to Step,
// and none can be had exactly, from all tables together either.
type Indicators struct {
	From    string  `json:"from"`
	To      string  `json:"to"`      // counted in
	Entries int64   `json:"entries"` // of the ledger, up to the end of the period
	Tables  []Table `json:"tables"`

	Cards  *int `json:"cards"`       // handed over in the period
	Within *int `json:"within_term"` // of these, within Term
	Median *int `json:"median_days"` // working days that they took; nil for few cards
	P90    *int `json:"p90_days"`
}

// Table is a set of counts told apart by one thing: office, reason, age, day or refusal.
type Table struct {
	By    string   `json:"by"`
	Names []string `json:"names"`
	Rows  []Row    `json:"rows"`
}

// Row is the counts of one sort, in the order of Table.Names; nil where tables together
// would tell too much.
type Row struct {
	Sort  string `json:"sort"`
	Cells []*int `json:"cells"`
}

// Indicators computes what may be published of a period.
func (o *Office) Indicators(ctx context.Context, from, to time.Time) (*Indicators, error) {
	end := dayOf(to).AddDate(0, 0, 1)
	if o.Now().Before(end) {
		return nil, fmt.Errorf("%w: it ends %s", ErrPeriod, dayOf(to).Format(time.DateOnly))
	}
	var tables []exact
	for _, by := range []struct {
		name string
		by   Sorts
		of   func(Count) string
	}{
		{"office", Sorts{Office: true}, func(c Count) string { return c.Office }},
		{"reason", Sorts{Reason: true}, func(c Count) string { return c.Reason }},
		{"age", Sorts{Age: true}, func(c Count) string { return c.Age }},
		{"day", Sorts{Day: true}, func(c Count) string { return c.Day }},
	} {
		counts, err := o.Statistics(ctx, from, to, by.by)
		if err != nil {
			return nil, err
		}
		t := exact{by.name, []string{"enrolled", "approved", "rejected", "cancelled", "issued"}, map[string][]int{}}
		for _, c := range counts {
			t.cells[by.of(c)] = []int{c.Enrolled, c.Approved, c.Rejected, c.Cancelled, c.Issued}
		}
		tables = append(tables, t)
	}
	l, err := o.lives(ctx, dayOf(from), end)
	if err != nil {
		return nil, err
	}
	tables = append(tables, exact{"refusal", []string{"rejected"}, l.refused},
		exact{"cards", []string{"issued", "within"}, map[string][]int{"all": {len(l.days), l.within}}})
	published := publish(tables)
	last := published[len(published)-1].Rows[0].Cells
	i := &Indicators{
		From: dayOf(from).Format(time.DateOnly), To: dayOf(to).Format(time.DateOnly), Entries: l.entries,
		Tables: published[:len(published)-1], Cards: last[0], Within: last[1],
	}
	if n := len(l.days); n >= 2*Step {
		slices.Sort(l.days)
		i.Median, i.P90 = &l.days[(n-1)/2], &l.days[(n-1)*9/10]
	}
	return i, nil
}

// ErrPeriod means that a period is not over: what is published of it would change.
var ErrPeriod = errors.New("the period is not over")

// lives are what the ledger says of single applications.
type lives struct {
	entries int64
	refused map[string][]int // why they were refused
	days    []int            // working days that each card took which was handed over
	within  int              // how many of these within Term
}

func (o *Office) lives(ctx context.Context, from, end time.Time) (*lives, error) {
	l, enrolled := &lives{refused: map[string][]int{}}, map[string]time.Time{}
	err := o.Store.Entries(ctx, 0, func(index int64, leaf, _ []byte) error {
		e, _, err := issuance.ParseLeaf(leaf)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		at := e.Time.In(o.Now().Location())
		day := dayOf(at)
		if !day.Before(end) {
			return nil
		}
		l.entries = index + 1
		switch {
		case e.Stream.Kind != issuance.KindApplication:
		case e.Act == issuance.Enrol:
			enrolled[e.Stream.ID] = at
		case day.Before(from):
		case e.Act == issuance.Reject:
			r := e.Fields["reason"]
			l.refused[r] = []int{1 + sum(l.refused[r])}
		case e.Act == issuance.Issue:
			begun := enrolled[e.Stream.ID]
			l.days = append(l.days, o.Calendar.Days(begun, at))
			if at.Before(o.Calendar.Due(begun, Term).AddDate(0, 0, 1)) {
				l.within++
			}
		}
		return nil
	})
	return l, err
}

func sum(list []int) (n int) {
	for _, v := range list {
		n += v
	}
	return n
}

// exact is a table before it is rounded.
type exact struct {
	by    string
	names []string
	cells map[string][]int
}

// bounds are the counts that are told as n: n itself and two to either side.
func bounds(n int) (least, most int) {
	r := rounded(n)
	return max(0, r-Step/2), r + Step/2
}

func rounded(n int) int { return (n + Step/2) / Step * Step }

// publish rounds tables. Those that have a column of one name count the same things, so that
// each bounds their number: where all bounds together leave but one number, every row would
// be known, and the column is left out of all of them.
func publish(tables []exact) []Table {
	type span struct{ least, most int }
	spans := map[string]span{}
	for _, t := range tables {
		for c, name := range t.names {
			var s span
			for _, row := range t.cells {
				least, most := bounds(row[c])
				s.least, s.most = s.least+least, s.most+most
			}
			if before, ok := spans[name]; ok {
				s = span{max(s.least, before.least), min(s.most, before.most)}
			}
			spans[name] = s
		}
	}
	var list []Table
	for _, t := range tables {
		out := Table{By: t.by, Names: t.names, Rows: []Row{}}
		for sort, cells := range t.cells {
			row := Row{sort, make([]*int, len(cells))}
			for c, n := range cells {
				if s := spans[t.names[c]]; s.most-s.least > 0 {
					r := rounded(n)
					row.Cells[c] = &r
				}
			}
			out.Rows = append(out.Rows, row)
		}
		slices.SortFunc(out.Rows, func(a, b Row) int {
			return cmp.Or(cmp.Compare(band(a.Sort), band(b.Sort)), cmp.Compare(a.Sort, b.Sort))
		})
		list = append(list, out)
	}
	return list
}
