package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/vault"
)

// Count is how many applications came to something, of one sort. A sort that nobody asked
// for is empty.
type Count struct {
	Office                                          string // where it was done
	Reason                                          string // for which the card was asked for
	Age                                             string // of the applicant when they applied, see ageBands; unknown once it was shredded
	Day                                             string // on which it was done
	Enrolled, Approved, Rejected, Cancelled, Issued int
}

// Sorts are what applications can be told apart by.
type Sorts struct{ Office, Reason, Age, Day bool }

// ageBands are the ages at which the law treats people otherwise (Law 26/2023 Art. 19, 21).
var ageBands = []struct {
	below int
	name  string
}{{6, "0-5"}, {14, "6-13"}, {25, "14-24"}, {40, "25-39"}, {60, "40-59"}, {1 << 10, "60+"}}

// Statistics counts what became of applications between two days, both counted in, told
// apart as asked. Ages are computed from sealed data; nothing that leaves it is about one
// person but through small numbers.
func (o *Office) Statistics(ctx context.Context, from, to time.Time, by Sorts) ([]Count, error) {
	counts := map[Count]*Count{}
	reasons, ages := map[string]string{}, map[string]string{}
	err := o.Store.Entries(ctx, 0, func(index int64, leaf, _ []byte) error {
		e, _, err := issuance.ParseLeaf(leaf)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		if e.Stream.Kind != issuance.KindApplication {
			return nil
		}
		app := e.Stream.ID
		if r := e.Fields["reason"]; r != "" && (e.Act == issuance.Enrol || e.Act == issuance.Change) {
			reasons[app] = r
		}
		day := dayOf(e.Time.In(o.Now().Location()))
		if day.Before(dayOf(from)) || day.After(dayOf(to)) {
			return nil
		}
		sort := Count{}
		if by.Office {
			sort.Office = cmp.Or(e.Fields["desk"], "-")
		}
		if by.Reason {
			sort.Reason = reasons[app]
		}
		if by.Day {
			sort.Day = day.Format(time.DateOnly)
		}
		if by.Age {
			ages[app], sort.Age = "", app // opened when the log is read
		}
		c := counts[sort]
		if c == nil {
			c = &Count{Office: sort.Office, Reason: sort.Reason, Age: sort.Age, Day: sort.Day}
			counts[sort] = c
		}
		c.add(e.Act)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for app := range ages {
		if ages[app], err = o.ageBand(ctx, app); err != nil {
			return nil, err
		}
	}
	return fold(counts, ages), nil
}

func (c *Count) add(act issuance.Act) {
	switch act {
	case issuance.Enrol:
		c.Enrolled++
	case issuance.Approve:
		c.Approved++
	case issuance.Reject:
		c.Rejected++
	case issuance.Cancel:
		c.Cancelled++
	case issuance.Issue:
		c.Issued++
	}
}

// fold puts the ages in place of the applications' names, adds up what is now of one sort,
// and leaves out what counts nothing.
func fold(counts map[Count]*Count, ages map[string]string) []Count {
	sums := map[Count]*Count{}
	for _, c := range counts {
		sort := Count{Office: c.Office, Reason: c.Reason, Age: ages[c.Age], Day: c.Day}
		s := sums[sort]
		if s == nil {
			whole := sort
			s = &whole
			sums[sort] = s
		}
		s.Enrolled += c.Enrolled
		s.Approved += c.Approved
		s.Rejected += c.Rejected
		s.Cancelled += c.Cancelled
		s.Issued += c.Issued
	}
	list := []Count{}
	for _, s := range sums {
		if s.Enrolled+s.Approved+s.Rejected+s.Cancelled+s.Issued > 0 {
			list = append(list, *s)
		}
	}
	slices.SortFunc(list, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Office, b.Office), cmp.Compare(a.Reason, b.Reason), cmp.Compare(band(a.Age), band(b.Age)))
	})
	return list
}

// band is the place of a band of ages in their order.
func band(name string) int {
	for i, b := range ageBands {
		if b.name == name {
			return i
		}
	}
	return len(ageBands)
}

// unknownAge stands for the age of somebody whose data nobody can read any more.
const unknownAge = "unknown"

// ageBand is the applicant's age on the day that is signed as the day of issue.
func (o *Office) ageBand(ctx context.Context, app string) (string, error) {
	stream := issuance.Application(app)
	entries, err := o.Store.Stream(ctx, stream)
	if err != nil {
		return "", err
	}
	return o.ageBandOf(ctx, stream, entries)
}

// ageBandOf is ageBand by what some of the application's entries say.
func (o *Office) ageBandOf(ctx context.Context, app issuance.StreamID, entries []issuance.Entry) (string, error) {
	var d Draft
	_, err := o.openLastOf(ctx, app, entries, draftName, &d)
	switch {
	case errors.Is(err, vault.ErrShredded):
		return unknownAge, nil
	case err != nil:
		return "", err
	}
	age := d.age(d.Issued)
	for _, b := range ageBands {
		if age < b.below {
			return b.name, nil
		}
	}
	return unknownAge, nil
}

// age is how old the person is on a day. Whoever was born in a year or month that is all
// that is known counts from its end on.
func (d *Draft) age(on time.Time) int {
	b := d.Person.Birth
	year, month, day := on.Date()
	age := year - b.Year
	if int(month) < b.Month || int(month) == b.Month && day < b.Day || b.Month == 0 {
		age--
	}
	return age
}
