package desk

import (
	"context"
	"time"
)

// Turnaround is how many working days each card took, from application to hand, that was
// handed over between two days, both counted in, and how many of them came within Term.
// These are exact counts, for the office itself: what may leave it are Indicators.
func (o *Office) Turnaround(ctx context.Context, from, to time.Time) (days []int, within int, err error) {
	err = o.Events(ctx, dayOf(to).AddDate(0, 0, 1), Facts{}, func(e Event) error {
		if e.InTerm == "" || e.Day.Before(dayOf(from)) {
			return nil
		}
		days = append(days, e.Days)
		if e.InTerm == "yes" {
			within++
		}
		return nil
	})
	return days, within, err
}
