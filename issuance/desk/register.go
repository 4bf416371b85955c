package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/population"
)

// registerName is the attachment of a Comparison, the register's record in it.
const registerName = "register"

// ErrUnconfirmed means that the register of the population was not asked about what an
// application says now, or said otherwise and nobody decided.
var ErrUnconfirmed = errors.New("the register of the population has not confirmed it")

// Comparison is what came of asking the register about an application. It holds personal
// data: whoever decides sees what the register says beside what the application says.
type Comparison struct {
	Request  string               `json:"request"`
	At       time.Time            `json:"at"`
	Unknown  bool                 `json:"unknown"` // the register confirms no such person
	Record   population.Record    `json:"record"`
	Findings []population.Finding `json:"findings"`
}

// Class is that of the whole.
func (c *Comparison) Class() population.Class {
	if c.Unknown {
		return population.Mismatch
	}
	return population.Worst(c.Findings)
}

// Format prints none of it.
func (*Comparison) Format(f fmt.State, _ rune) { fmt.Fprint(f, "(a comparison with the register)") }

// AskRegister holds an application against the register of the population and records what
// came of it: confirmed, or differing, which somebody must decide on before it can be
// approved. While the register does not answer (population.ErrUnavailable) or refuses to
// (*population.RefusedError), nothing is recorded: the application waits in Unconfirmed.
func (o *Office) AskRegister(ctx context.Context, app string) (*Comparison, error) {
	if o.Register == nil {
		return nil, ErrNoRegister
	}
	stream := issuance.Application(app)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return nil, err
	}
	sub := s.state.Subject(stream)
	if err := known(sub); err != nil {
		return nil, err
	}
	if err := s.may(stream, issuance.Confirm, nil); err != nil {
		return nil, err
	}
	t, err := s.lease(ctx, stream.String())
	if err != nil {
		return nil, err
	}
	defer t.end(ctx)
	d, err := o.Draft(ctx, app)
	if err != nil {
		return nil, err
	}
	me, _ := s.state.Operator(s.me)
	c, err := o.compare(ctx, d, me.Name)
	if err != nil {
		return nil, err
	}
	content, err := d.commitment()
	if err != nil {
		return nil, err
	}
	act, outcome := issuance.Confirm, c.Class().String()
	switch {
	case c.Unknown:
		act, outcome = issuance.Differ, "unknown"
	case c.Class() == population.Mismatch:
		act = issuance.Differ
	}
	err = s.add(stream, act, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"outcome": outcome, "request": c.Request}
		e.Commitments = map[string][32]byte{issuance.Content: content}
		return o.seal(ctx, e, app, registerName, c)
	})
	if err != nil {
		return nil, err
	}
	return c, s.commit(ctx)
}

// ErrNoRegister means that the office has no register of the population to ask.
var ErrNoRegister = errors.New("no register of the population is known here")

// compare asks, and compares what the register answers.
func (o *Office) compare(ctx context.Context, d *Draft, officer string) (*Comparison, error) {
	purpose := "issue"
	switch {
	case d.Reason == "first":
	case slices.Contains(issuance.ReissueReasons(), d.Reason):
		purpose = "reissue"
	default:
		purpose = "replace"
	}
	now := o.Now()
	c := &Comparison{Request: newName("R-"), At: now}
	r, err := o.Register.Confirm(ctx, population.Query{
		Number: d.Person.Number, Name: d.Person.FullName(), Birth: d.Person.Birth,
		Officer: officer, Unit: o.Place, Purpose: purpose, Request: c.Request,
	})
	switch {
	case errors.Is(err, population.ErrNoSuchPerson):
		c.Unknown = true
	case err != nil:
		return nil, err
	default:
		c.Record, c.Findings = r, population.Reconcile(d.Person, r, now)
	}
	return c, nil
}

// Comparison opens what the register said last about an application; ErrUnknown if it was
// not asked, issuance.ErrChanged if the application was changed since.
func (o *Office) Comparison(ctx context.Context, app string) (*Comparison, error) {
	var c Comparison
	stream := issuance.Application(app)
	entry, err := o.openLast(ctx, stream, registerName, &c)
	if err != nil {
		return nil, err
	}
	d, err := o.Draft(ctx, app)
	if err != nil {
		return nil, err
	}
	content, err := d.commitment()
	if err != nil {
		return nil, err
	}
	if content != entry.Commitments[issuance.Content] {
		return nil, fmt.Errorf("%s: %w", stream, issuance.ErrChanged)
	}
	return &c, nil
}

// AcceptDifference says, for one of issuance.AcceptReasons, that an application is right
// though the register says otherwise. Who enrolled it, changed it or asked the register
// is issuance.ErrFourEyes.
func (o *Office) AcceptDifference(ctx context.Context, app, reason string) error {
	return o.agree(ctx, app, issuance.Accept, nil, map[string]string{"reason": reason}, nil)
}

// Unconfirmed lists the applications that the register has yet to be asked about, oldest
// first: new ones, changed ones, and those of days on which it was out of order.
func (o *Office) Unconfirmed(ctx context.Context) ([]string, error) {
	list, err := o.Store.List(ctx, issuance.KindApplication, issuance.Enrolled)
	if err != nil {
		return nil, err
	}
	var waiting []string
	for _, s := range list {
		err := o.confirmed(ctx, s.Stream)
		switch {
		case errors.Is(err, ErrUnconfirmed):
			waiting = append(waiting, s.Stream.ID)
		case err != nil:
			return nil, err
		}
	}
	return waiting, nil
}

// confirmed refuses an application whose present content the register did not confirm, and
// nobody accepted against it.
func (o *Office) confirmed(ctx context.Context, stream issuance.StreamID) error {
	entries, err := o.Store.Stream(ctx, stream)
	if err != nil {
		return err
	}
	for _, e := range slices.Backward(entries) {
		switch e.Act {
		case issuance.Confirm, issuance.Accept:
			return nil
		case issuance.Enrol, issuance.Change, issuance.Differ:
			return fmt.Errorf("%s: %w", stream, ErrUnconfirmed)
		}
	}
	return fmt.Errorf("%s: %w", stream, ErrUnknown)
}
