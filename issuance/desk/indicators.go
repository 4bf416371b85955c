package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Step is what published counts are rounded to the nearest multiple of: a count of one or
// two people is told as none, and any other may be two more or two less. An exact count,
// or an exact total, would tell small ones by what is left.
const Step = 5

// Indicators are what an office publishes of whole months: counts of what became of
// applications and of what was verified, told apart by one thing at a time, how long cards
// took, and how old the authority's lists were. They are the same whenever they are computed,
// once the months are over, but for the ages of people who were shredded since. All counts of
// people are rounded to Step, and none can be had exactly, from all tables together either.
//
// Each month is computed by itself, so that two periods that overlap say the same of a month
// that is in both: their difference tells nothing.
type Indicators struct {
	From    string   `json:"from"`
	To      string   `json:"to"`      // counted in
	Zone    string   `json:"zone"`    // of the office's clock, which says which day it is, as +07:00
	Off     []string `json:"off"`     // days besides Saturdays and Sundays on which it does not work
	Sources []string `json:"sources"` // what was counted: ledger, and what else was given
	Months  []Month  `json:"months"`
}

// Month is one month of Indicators.
type Month struct {
	Month   string  `json:"month"`   // as 2026-09
	Entries int64   `json:"entries"` // of the ledger, up to the end of the month
	Tables  []Table `json:"tables"`

	Cards  *int `json:"cards"`       // handed over in the month
	Within *int `json:"within_term"` // of these, within Term
	Median *int `json:"median_days"` // working days that they took; nil for few cards
	P90    *int `json:"p90_days"`

	Lists []ListAge `json:"lists"`
}

// Table is a set of counts told apart by one thing: office, reason, age, day or refusal.
type Table struct {
	By    string   `json:"by"`
	Names []string `json:"names"`
	Rows  []Row    `json:"rows"`
}

// Row is the counts of one sort, in the order of Table.Names; nil where tables together
// would tell too much. A sort of which there are too few to be told has no row, as one of which
// there are none.
type Row struct {
	Sort  string `json:"sort"`
	Cells []*int `json:"cells"`
}

// tells reports whether a row tells more than that its sort was there.
func (r Row) tells() bool {
	return slices.ContainsFunc(r.Cells, func(n *int) bool { return n != nil && *n > 0 })
}

// Outside is something that was counted elsewhere than in the ledger, such as at a checkpoint.
type Outside struct {
	At    time.Time
	Table string
	Count string // what is counted: a column
	Sort  string
}

// Source gives what was counted elsewhere.
type Source struct {
	Name   string
	Tables []Table // that it fills: By and Names
	Each   func(func(Outside) error) error
}

// ErrPeriod means that a period is not over: what is published of it would change.
var ErrPeriod = errors.New("the period is not over")

// ErrWhole means that a period does not begin and end with a month: two of that kind that
// overlap would tell by their difference what neither tells.
var ErrWhole = errors.New("what is published is of whole months")

// WholeMonths lists the first days of the months from one day to another: ErrPeriod if they
// are not over yet, ErrWhole if the days are not the first and the last of a month.
func (o *Office) WholeMonths(from, to time.Time) ([]time.Time, error) {
	from, end := dayOf(from), dayOf(to).AddDate(0, 0, 1)
	if dayOf(o.Now()).Before(end) {
		return nil, fmt.Errorf("%w: it ends %s", ErrPeriod, dayOf(to).Format(time.DateOnly))
	}
	if from.Day() != 1 || end.Day() != 1 || !from.Before(end) {
		return nil, fmt.Errorf("%w: not %s to %s", ErrWhole, from.Format(time.DateOnly), dayOf(to).Format(time.DateOnly))
	}
	var list []time.Time
	for m := from; m.Before(end); m = m.AddDate(0, 1, 0) {
		list = append(list, m)
	}
	return list, nil
}

// Indicators computes what may be published of the months between two days, both counted in.
func (o *Office) Indicators(ctx context.Context, from, to time.Time, more ...Source) (*Indicators, error) {
	months, err := o.WholeMonths(from, to)
	if err != nil {
		return nil, err
	}
	t := newCounts(months, more)
	end := months[len(months)-1].AddDate(0, 1, 0)
	if err := o.Events(ctx, end, Facts{Ages: true, Differences: true}, t.event); err != nil {
		return nil, err
	}
	for _, s := range more {
		if err := s.Each(func(c Outside) error { return t.outside(dayOf(c.At.In(o.Now().Location())), c) }); err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	sizes, err := o.sizes(ctx, months)
	if err != nil {
		return nil, err
	}
	lists, err := o.listTimes(ctx)
	if err != nil {
		return nil, err
	}
	i := &Indicators{
		From: dayOf(from).Format(time.DateOnly), To: dayOf(to).Format(time.DateOnly), Zone: o.zone(end), Off: append([]string{}, o.Calendar.Holidays...),
		Sources: []string{"ledger"},
	}
	for _, s := range more {
		i.Sources = append(i.Sources, s.Name)
	}
	for n, month := range months {
		m := t.months[n].publish()
		m.Month, m.Entries, m.Lists = month.Format("2006-01"), sizes[n], lists.ages(month, month.AddDate(0, 1, 0))
		i.Months = append(i.Months, m)
	}
	return i, nil
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
			if row.tells() || t.by == allCards { // else the row alone would say that there is somebody
				out.Rows = append(out.Rows, row)
			}
		}
		slices.SortFunc(out.Rows, func(a, b Row) int {
			return cmp.Or(cmp.Compare(band(a.Sort), band(b.Sort)), cmp.Compare(a.Sort, b.Sort))
		})
		list = append(list, out)
	}
	return list
}
