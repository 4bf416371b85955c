package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/intake"
	"github.com/tamthe/tamthe/issuance/vault"
)

// Counter is where what portals sent meets the office: it seals and opens it, tells the
// portals' service what the ledger says, and lets officers take cases over or refuse them. It
// may be used by several goroutines at once; nothing else may use its Office meanwhile.
type Counter struct {
	Office *Office
	Store  intake.Store

	mu sync.Mutex // the office and its vault are for one goroutine at a time
}

// filed is where a message's octets are stored.
func filed(code, request string) vault.Place {
	return vault.Place{Table: "message", Row: code + " " + request, Column: "sealed"}
}

// Seal seals a message under its case's key.
func (c *Counter) Seal(ctx context.Context, code, request string, plain []byte) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Office.Vault == nil {
		return nil, ErrNoVault
	}
	return c.Office.Vault.Seal(ctx, code, vault.Personal, filed(code, request), plain)
}

// Shred destroys a case's key.
func (c *Counter) Shred(ctx context.Context, code string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Office.Vault == nil {
		return ErrNoVault
	}
	return c.Office.Vault.Shred(ctx, code, vault.Personal)
}

// Person names a person as the ledger does.
func (c *Counter) Person(n vn.Number) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Office.Vault == nil {
		return "", ErrNoVault
	}
	return c.Office.Vault.Person(string(n))
}

// step is how many entries Touched looks at.
const step = 2000

var errStep = errors.New("enough for one step")

// Touched names the applications about which entries of the ledger say something.
func (c *Counter) Touched(ctx context.Context, from int64) (apps []string, to int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var cards []string
	to = from
	err = c.Office.Store.Entries(ctx, from, func(index int64, leaf, payload []byte) error {
		if index >= from+step {
			return errStep
		}
		e, err := issuance.ParseEntry(leaf, payload)
		if err != nil {
			return err
		}
		switch e.Stream.Kind {
		case issuance.KindApplication:
			apps = append(apps, e.Stream.ID)
		case issuance.KindCard:
			cards = append(cards, e.Stream.ID)
		}
		to = index + 1
		return nil
	})
	if err != nil && !errors.Is(err, errStep) {
		return nil, 0, err
	}
	slices.Sort(cards)
	for _, card := range slices.Compact(cards) {
		entries, err := c.Office.Store.Stream(ctx, issuance.Card(card))
		if err != nil {
			return nil, 0, err
		}
		if len(entries) > 0 {
			apps = append(apps, entries[0].Fields["application"])
		}
	}
	slices.Sort(apps)
	return slices.Compact(apps), to, nil
}

// Standing tells how an application stands, as its portal learns it.
func (c *Counter) Standing(ctx context.Context, app string) (intake.State, string, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := c.Office.Application(ctx, app)
	if errors.Is(err, ErrUnknown) {
		return "", "", false, nil
	}
	if err != nil {
		return "", "", false, err
	}
	s, err := c.standing(ctx, a)
	return s, a.Ended, err == nil, err
}

func (c *Counter) standing(ctx context.Context, a *Application) (intake.State, error) {
	switch a.Phase {
	case issuance.Enrolled, issuance.Differing:
		return intake.AtDesk, nil
	case issuance.Approved:
		return intake.Approved, nil
	case issuance.Rejected:
		return intake.Refused, nil
	case issuance.Cancelled:
		return intake.Cancelled, nil
	case issuance.Personalising:
		card, err := c.Office.Card(ctx, a.Card)
		if err != nil {
			return "", err
		}
		if card.Phase == issuance.Checked || card.Phase == issuance.Arrived {
			return intake.Ready, nil
		}
		return intake.Approved, nil
	case issuance.Shredded:
		for _, h := range a.History {
			switch h.Act {
			case issuance.Reject:
				return intake.Refused, nil
			case issuance.Cancel:
				return intake.Cancelled, nil
			}
		}
	}
	return intake.Delivered, nil
}

// Follow brings the cases up to what the ledger says, and destroys what is sealed of those
// that the ledger has by now.
func (c *Counter) Follow(ctx context.Context) error {
	if err := intake.Follow(ctx, c.Store, c, c.Office.Now()); err != nil {
		return err
	}
	return intake.Sweep(ctx, c.Store, c, c)
}

// Filing is a case with what its newest message says. It holds personal data.
type Filing struct {
	Case    intake.Case
	Message *intake.Message // nil where the content was destroyed, or has not come
	Person  vn.Person
	Same    []string // codes of other open cases of the same person
}

// Format prints none of it.
func (*Filing) Format(f fmt.State, _ rune) { fmt.Fprint(f, "(what a portal filed)") }

// Filing opens a case; intake.ErrUnknown.
func (c *Counter) Filing(ctx context.Context, code string) (*Filing, error) {
	k, err := c.Store.Case(ctx, code)
	if err != nil {
		return nil, err
	}
	f := &Filing{Case: k}
	if f.Message, f.Person, err = c.content(ctx, k); err != nil {
		return nil, err
	}
	others, err := c.Store.Cases(ctx, intake.Waiting, intake.Received)
	if err != nil {
		return nil, err
	}
	for _, o := range others {
		if o.Person == k.Person && o.Person != "" && o.Code != code {
			f.Same = append(f.Same, o.Code)
		}
	}
	return f, nil
}

// content opens the newest content of a case, which must be what its portal sent.
func (c *Counter) content(ctx context.Context, k intake.Case) (*intake.Message, vn.Person, error) {
	if k.Revision == 0 {
		return nil, vn.Person{}, nil
	}
	m, err := c.Store.Content(ctx, k.Code, k.Revision)
	if err != nil || m.Sealed == nil {
		return nil, vn.Person{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Office.Vault == nil {
		return nil, vn.Person{}, ErrNoVault
	}
	secret, err := c.Office.Vault.Open(ctx, k.Code, filed(k.Code, m.Request), m.Sealed)
	if errors.Is(err, vault.ErrShredded) {
		return nil, vn.Person{}, nil
	}
	if err != nil {
		return nil, vn.Person{}, err
	}
	defer secret.Destroy()
	return m.Open(secret.Bytes())
}

// may refuses an operator who has none of the roles.
func (c *Counter) may(ctx context.Context, roles ...issuance.Role) (issuance.Operator, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.Office.begin(ctx)
	if err != nil {
		return issuance.Operator{}, err
	}
	me, ok := s.state.Operator(s.me)
	switch {
	case !ok || !me.Active:
		return me, issuance.ErrOperator
	case !slices.ContainsFunc(roles, me.May):
		return me, fmt.Errorf("%s: %w", me.Name, issuance.ErrRole)
	}
	return me, nil
}

// Import takes a case over and enrols its person, who is present, with what the officer adds:
// portrait, fingers, profile. It returns the application's name. Where n says no other the
// reason is the citizen's, and what is replaced is the card that the person has in force.
//
// The name of the application is stored before it is enrolled: an Import that was cut short is
// done again, by whomever, and there is one application. Errors: intake.ErrUnknown,
// intake.ErrClosed, and those of Enrol.
func (c *Counter) Import(ctx context.Context, code string, n Enrolment) (string, error) {
	k, err := c.Store.Case(ctx, code)
	if err != nil {
		return "", err
	}
	switch {
	case k.App != "":
		if _, _, there, err := c.Standing(ctx, k.App); there || err != nil {
			return k.App, err
		}
		if k.State != intake.AtDesk {
			return "", fmt.Errorf("%s is %s: %w", code, k.State, intake.ErrClosed)
		}
	case k.State != intake.Received:
		return "", fmt.Errorf("%s is %s: %w", code, k.State, intake.ErrClosed)
	}
	m, person, err := c.content(ctx, k)
	if err != nil {
		return "", err
	}
	if m == nil {
		return "", fmt.Errorf("%s: %w", code, vault.ErrShredded)
	}
	n.Person = person
	if n.Reason == "" {
		n.Reason = m.Reason
	}
	if err := c.enrol(ctx, &k, n); err != nil {
		return "", err
	}
	return k.App, c.Follow(ctx)
}

// enrol writes down which application the case becomes, and makes that.
func (c *Counter) enrol(ctx context.Context, k *intake.Case, n Enrolment) error {
	me, err := c.may(ctx, issuance.Registrar)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n.Replaces == "" && n.Reason != "first" {
		if n.Replaces, err = c.Office.inForce(ctx, n.Person.Number); err != nil {
			return err
		}
	}
	if err := c.Office.could(ctx, n); err != nil { // nothing is taken over that can't be enrolled
		return err
	}
	if k.App == "" {
		k.App = newName("A-")
	}
	k.State, k.Officer, k.Since = intake.AtDesk, me.Name, c.Office.Now().UTC().Truncate(time.Microsecond)
	if err := c.Store.Keep(ctx, *k, nil); err != nil {
		return err
	}
	n.name = k.App
	_, err = c.Office.Enrol(ctx, n)
	if err != nil {
		if _, e := c.Office.Application(ctx, k.App); e == nil { // another officer was faster, with the same case
			return nil
		}
	}
	return err
}

// Refuse refuses a case that no application came of, for one of intake.RefuseReasons. One
// that another officer took over is intake.ErrTaken.
func (c *Counter) Refuse(ctx context.Context, code, reason string) error {
	me, err := c.may(ctx, issuance.Registrar, issuance.Approver)
	if err != nil {
		return err
	}
	if !slices.Contains(RefuseReasons(), reason) {
		return fmt.Errorf("%w: %q is no reason for which a case is refused", issuance.ErrWord, reason)
	}
	k, err := c.Store.Case(ctx, code)
	if err != nil {
		return err
	}
	if k.App != "" {
		_, _, there, err := c.Standing(ctx, k.App)
		switch {
		case err != nil:
			return err
		case there:
			return fmt.Errorf("%s is application %s: %w", code, k.App, intake.ErrClosed)
		case k.State == intake.AtDesk && k.Officer != me.Name:
			return fmt.Errorf("%s: %s: %w", code, k.Officer, intake.ErrTaken)
		}
	}
	if !k.State.Open() && k.State != intake.AtDesk {
		return fmt.Errorf("%s is %s: %w", code, k.State, intake.ErrClosed)
	}
	k.State, k.Why, k.Officer, k.Since = intake.Refused, reason, me.Name, c.Office.Now().UTC().Truncate(time.Microsecond)
	if err := c.Store.Keep(ctx, k, nil); err != nil {
		return err
	}
	return c.Follow(ctx)
}

// RefuseReasons lists the reasons for which a case that no application came of is refused.
func RefuseReasons() []string { return append(issuance.RejectReasons(), "no-show") }

// inForce is the card that a person has in force here; empty without one.
func (o *Office) inForce(ctx context.Context, n vn.Number) (string, error) {
	if o.Vault == nil {
		return "", ErrNoVault
	}
	number, err := o.numberClaim(n)
	if err != nil {
		return "", err
	}
	person, err := o.Store.Claimed(ctx, number)
	if err != nil || person.IsZero() {
		return "", err
	}
	s, err := issuance.Load(ctx, o.Store, person)
	if err != nil {
		return "", err
	}
	for _, claim := range issuance.HoldsOf(s.Subject(person), DocumentType, issuance.HoldCard) {
		holder, err := o.Store.Claimed(ctx, claim)
		if err != nil || !holder.IsZero() {
			return holder.ID, err
		}
	}
	return "", nil
}
