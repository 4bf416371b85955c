package console

import (
	"errors"
	"time"

	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence/record"
)

// batch is what the ledger says of the blanks of a batch at a place.
type batch struct {
	desk.Holding
	All   uint64
	Wrong []string // where the ledger contradicts itself, at this office's place
}

// auditStock shows where the blanks of every batch are, whether the ledger agrees with itself
// about them, and what was spoiled on a day, by whom and why.
func (q *request) auditStock() error {
	day := q.FormValue("day")
	if day == "" {
		day = q.c.config.Now().Format(time.DateOnly)
	} else if _, err := time.Parse(time.DateOnly, day); err != nil {
		return errQuery
	}
	held, err := q.office.Holdings(q.Context())
	if err != nil {
		return err
	}
	data := struct {
		Batches []batch
		Day     string
		Spoiled []desk.Spoilage
		Wrong   int
	}{Day: day}
	for _, h := range held {
		b := batch{Holding: h, All: h.InStock + h.Used + h.Spoiled + h.Destroyed}
		if h.At == q.office.Place {
			r, err := q.office.Reconcile(q.Context(), h.Batch, nil)
			if err != nil && !errors.Is(err, desk.ErrUnknown) {
				return err
			}
			if r != nil {
				b.Wrong = r.Wrong
			}
			data.Wrong += len(b.Wrong)
		}
		data.Batches = append(data.Batches, b)
	}
	if data.Spoiled, err = q.office.Spoilage(q.Context(), day); err != nil {
		return err
	}
	return q.render("audit_stock.html", data)
}

// tally counts one day's inspections.
type tally struct {
	Day                     string
	Accept, Refer, Refuse   int
	Match, Mismatch, Unsure int
}

// auditCounts counts the inspections of this machine by day and verdict, and how often the
// bearer was compared. Nobody is named.
func (q *request) auditCounts() error {
	data := struct {
		Days    []tally
		Entries uint64
		Wrong   *Failure
	}{}
	if q.c.config.Inspections == nil {
		return q.render("audit_counts.html", data)
	}
	for line, err := range q.c.config.Inspections.Entries() {
		if errors.Is(err, record.ErrMissing) {
			break
		}
		if err != nil {
			return err
		}
		e, err := record.ParseEntry(line)
		if err != nil {
			return err
		}
		day := e.Time.In(q.c.config.Now().Location()).Format(time.DateOnly)
		if n := len(data.Days); n == 0 || data.Days[n-1].Day != day {
			data.Days = append(data.Days, tally{Day: day})
		}
		data.Days[len(data.Days)-1].count(e)
		data.Entries++
	}
	if _, err := q.c.config.Inspections.Verify(); err != nil && !errors.Is(err, record.ErrMissing) {
		f := q.c.config.Explain(err, q.lang)
		data.Wrong = &f
	}
	data.Days = data.Days[max(0, len(data.Days)-366):]
	return q.render("audit_counts.html", data)
}

// count adds an inspection; an answer that came afterwards is no inspection of its own.
func (t *tally) count(e record.Entry) {
	if e.Verb != record.Compare {
		switch e.Verdict {
		case verify.Accept:
			t.Accept++
		case verify.Refuse:
			t.Refuse++
		default:
			t.Refer++
		}
	}
	for _, c := range e.Checks {
		switch {
		case c.ID != verify.CheckHolder:
		case c.Outcome == verify.Passed:
			t.Match++
		case c.Reason == verify.ReasonHolderMismatch:
			t.Mismatch++
		case c.Reason == verify.ReasonHolderUnsure:
			t.Unsure++
		}
	}
}
