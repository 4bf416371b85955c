package desk

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/population"
	"github.com/tamthe/tamthe/issuance/vault"
)

// Event is one act on an application or on a card that was made for it, without anything that
// says whose it was.
type Event struct {
	Day      time.Time // midnight in UTC of the day on which the office did it
	Document string    // kind of document
	Act      string
	Cause    string // why the card was applied for
	Why      string // reason, or else outcome; "" if the act has none
	Office   string
	Register string // what the register of the population had said last; none if it was not asked
	Days     int    // working days since the application; negative for acts that are not about that
	InTerm   string // yes or no: whether a card was handed over within Term; "" for other acts
	Age      string // see ageBands; "" if Facts does not ask for it
	Again    bool   // the case had such an act before in the same month

	// Differences are what the register said otherwise, if Facts asks for it.
	Differences []population.Finding
}

// Facts says what of sealed data Events computes.
type Facts struct{ Ages, Differences bool }

// eventActs are the acts that Events tells. What a card is made by is the office's own matter.
var eventActs = map[issuance.Kind][]issuance.Act{
	issuance.KindApplication: {
		issuance.Enrol, issuance.Confirm, issuance.Differ, issuance.Accept, issuance.Approve, issuance.Reject, issuance.Cancel, issuance.Issue,
		issuance.Complain, issuance.Settle,
	},
	issuance.KindCard: {
		issuance.Fail, issuance.Spoil, issuance.Suspend, issuance.Resume, issuance.Revoke, issuance.Supersede, issuance.Return,
	},
}

// timed are the acts of which it says something how long after the application they came.
var timed = []issuance.Act{issuance.Confirm, issuance.Differ, issuance.Accept, issuance.Approve, issuance.Reject, issuance.Cancel, issuance.Issue}

// Events calls each with what was done before the day of end, one application after the
// other in no order that says anything. It needs the vault for what Facts asks for, and no
// more memory for a long ledger than for a short one.
func (o *Office) Events(ctx context.Context, end time.Time, facts Facts, each func(Event) error) error {
	return o.Store.Streams(ctx, issuance.KindApplication, func(id issuance.StreamID) error {
		c := tale{o: o, facts: facts, done: map[string]bool{}}
		if err := c.read(ctx, id, dayOf(end)); err != nil {
			return err
		}
		for _, e := range c.entries {
			event, ok, err := c.next(ctx, e)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if err := each(event); err != nil {
				return err
			}
		}
		return nil
	})
}

// tale is one application and its cards, told act by act.
type tale struct {
	o       *Office
	facts   Facts
	entries []issuance.Entry // of all, in order of time

	app                       []issuance.Entry // those of the application so far
	begun                     time.Time
	document, cause, register string
	age                       string
	done                      map[string]bool // acts by month
}

// day is that on which the office did something.
func (o *Office) day(e issuance.Entry) time.Time { return dayOf(e.Time.In(o.Now().Location())) }

// read reads the application and every card that was begun for it.
func (c *tale) read(ctx context.Context, id issuance.StreamID, end time.Time) error {
	add := func(id issuance.StreamID) error {
		entries, err := c.o.Store.Stream(ctx, id)
		for _, e := range entries {
			if c.o.day(e).Before(end) {
				c.entries = append(c.entries, e)
			}
		}
		return err
	}
	if err := add(id); err != nil {
		return err
	}
	var cards []string
	for _, e := range c.entries {
		if card := e.Fields["card"]; e.Act == issuance.Personalise && !slices.Contains(cards, card) {
			cards = append(cards, card)
		}
	}
	for _, card := range cards {
		if err := add(issuance.Card(card)); err != nil {
			return err
		}
	}
	slices.SortStableFunc(c.entries, func(a, b issuance.Entry) int { return a.Time.Compare(b.Time) })
	return nil
}

// next tells an act; ok is false if it is none of eventActs.
func (c *tale) next(ctx context.Context, e issuance.Entry) (event Event, ok bool, err error) {
	if e.Stream.Kind == issuance.KindApplication {
		c.learn(e)
	}
	if !slices.Contains(eventActs[e.Stream.Kind], e.Act) {
		return event, false, nil
	}
	event = Event{
		Day: c.o.day(e), Document: c.document, Act: string(e.Act), Cause: c.cause, Office: e.Fields["desk"], Register: c.register, Days: -1,
	}
	if event.Office == "" {
		event.Office = "-"
	}
	if event.Register == "" {
		event.Register = "none"
	}
	if e.Act != issuance.Enrol {
		event.Why = e.Fields["reason"] + e.Fields["outcome"]
	}
	if e.Stream.Kind == issuance.KindApplication && slices.Contains(timed, e.Act) {
		event.Days = c.o.Calendar.Days(c.begun, e.Time.In(c.o.Now().Location()))
	}
	if e.Act == issuance.Issue {
		event.InTerm = "no"
		if due := c.o.Calendar.Due(c.begun, Term); !event.Day.After(dayOf(due)) {
			event.InTerm = "yes"
		}
	}
	month := event.Day.Format("2006-01 ") + event.Act
	event.Again, c.done[month] = c.done[month], true
	return event, true, c.open(ctx, e, &event)
}

// learn remembers what an act of the application says of it.
func (c *tale) learn(e issuance.Entry) {
	c.app = append(c.app, e)
	switch e.Act {
	case issuance.Enrol:
		c.begun, c.document = e.Time.In(c.o.Now().Location()), e.Fields["doctype"]
		c.cause, c.age = e.Fields["reason"], ""
	case issuance.Change:
		c.register, c.age = "", "" // what was said was about something else
		if r := e.Fields["reason"]; r != "" {
			c.cause = r
		}
	case issuance.Confirm, issuance.Differ:
		c.register = e.Fields["outcome"]
	}
}

// open adds what is computed from sealed data.
func (c *tale) open(ctx context.Context, e issuance.Entry, event *Event) (err error) {
	if c.facts.Ages {
		if c.age == "" {
			if c.age, err = c.o.ageBandOf(ctx, c.app[0].Stream, c.app); err != nil {
				return err
			}
		}
		event.Age = c.age
	}
	if c.facts.Differences && (e.Act == issuance.Confirm || e.Act == issuance.Differ) {
		var found Comparison
		switch _, err := c.o.openLastOf(ctx, e.Stream, c.app, registerName, &found); {
		case errors.Is(err, vault.ErrShredded):
		case err != nil:
			return err
		}
		event.Differences = found.Findings
	}
	return nil
}
