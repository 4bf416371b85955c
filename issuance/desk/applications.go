package desk

import (
	"context"
	"slices"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// Application is what the ledger says of an application, without personal data.
type Application struct {
	ID       string
	Phase    issuance.Phase
	Person   string // the applicant's random name; empty under rule book 1
	Reason   string // why a card is asked for
	Ended    string // why it was refused or withdrawn
	Replaces string
	Card     string
	Enrolled time.Time
	Due      time.Time     // the last day of the term
	Late     bool          // the term is over and the card is not in its holder's hand
	Lease    *ledger.Lease // of who works on it just now; nil if nobody does
	History  []Act
}

// open are the phases of an application on which somebody waits.
var open = []issuance.Phase{issuance.Enrolled, issuance.Differing, issuance.Suspected, issuance.Approved, issuance.Personalising}

// Application tells how an application stands; ErrUnknown if there is none of that name.
func (o *Office) Application(ctx context.Context, id string) (*Application, error) {
	stream := issuance.Application(id)
	s, err := issuance.Load(ctx, o.Store, stream)
	if err != nil {
		return nil, err
	}
	sub := s.Subject(stream)
	if err := known(sub); err != nil {
		return nil, err
	}
	entries, err := o.Store.Stream(ctx, stream)
	if err != nil {
		return nil, err
	}
	a := &Application{
		ID: id, Phase: sub.Phase, Person: sub.Fields["subject"], Reason: entries[0].Fields["reason"],
		Replaces: sub.Fields["replaces"], Card: sub.Fields["card"], Enrolled: entries[0].Time.In(o.Now().Location()),
	}
	if a.Lease, err = heldBy(ctx, o.Store, stream.String()); err != nil {
		return nil, err
	}
	a.Due = o.Calendar.Due(a.Enrolled, Term)
	a.Late = slices.Contains(open, a.Phase) && !o.Now().Before(a.Due.AddDate(0, 0, 1))
	for _, e := range entries {
		op, _ := s.Operator(e.Operator)
		a.History = append(a.History, Act{e.Time, e.Act, op.Name, e.Fields["reason"]})
		switch e.Act {
		case issuance.Change:
			if r := e.Fields["reason"]; r != "" {
				a.Reason = r
			}
		case issuance.Reject, issuance.Cancel:
			a.Ended = e.Fields["reason"]
		}
	}
	return a, nil
}

// Applications lists the applications, oldest first; with phases only those in one of them.
func (o *Office) Applications(ctx context.Context, phases ...issuance.Phase) ([]*Application, error) {
	list, err := o.Store.List(ctx, issuance.KindApplication, phases...)
	if err != nil {
		return nil, err
	}
	all := make([]*Application, len(list))
	for i, s := range list {
		if all[i], err = o.Application(ctx, s.Stream.ID); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Reject refuses an application for one of issuance.RejectReasons. The person may apply
// again.
func (o *Office) Reject(ctx context.Context, app, reason string) error {
	stream := issuance.Application(app)
	err := o.alone(ctx, stream, issuance.Reject, func() error {
		return o.end(ctx, stream, issuance.Reject, reason, issuance.HoldApplication, nil)
	})
	if err != nil {
		return err
	}
	return o.wipe(ctx, app, issuance.Rejected)
}

// Complain records that the holder of the card of an application finds fault with it.
func (o *Office) Complain(ctx context.Context, app, reason string) error {
	return o.end(ctx, issuance.Application(app), issuance.Complain, reason, "", nil)
}

// Settle answers a complaint: upheld, so that the card is to be replaced at no cost, or
// dismissed. Who took it in is issuance.ErrFourEyes.
func (o *Office) Settle(ctx context.Context, app string, upheld bool) error {
	outcome := map[bool]string{true: "upheld", false: "dismissed"}[upheld]
	return o.say(ctx, issuance.Application(app), issuance.Settle, map[string]string{"outcome": outcome})
}

// say is a decision of one act on a stream that must be there, which says some fields.
func (o *Office) say(ctx context.Context, stream issuance.StreamID, act issuance.Act, fields map[string]string) error {
	s, err := o.begin(ctx, stream)
	if err != nil {
		return err
	}
	if err := known(s.state.Subject(stream)); err != nil {
		return err
	}
	err = s.add(stream, act, func(e *issuance.Entry) error {
		e.Fields = fields
		return nil
	})
	if err != nil {
		return err
	}
	return s.commit(ctx)
}
