package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/intake"
	"github.com/tamthe/tamthe/issuance/osia/abis"
	"github.com/tamthe/tamthe/issuance/vault"
)

// ErrOtherPerson means that what an officer corrected is about another person than the case.
var ErrOtherPerson = errors.New("the file is about another person")

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

// SealAnswer is Office.SealAnswer, for a service of several goroutines.
func (c *Counter) SealAnswer(ctx context.Context, q abis.Question, answer []byte) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Office.SealAnswer(ctx, q, answer)
}

// round is how many entries Steps looks at.
const round = 2000

var errRound = errors.New("enough for one round")

// stepOf is what an act makes of the state of its application, as a portal learns it. Acts
// that are not there make none.
var stepOf = map[issuance.Kind]map[issuance.Act]intake.State{
	issuance.KindApplication: {
		issuance.Enrol: intake.AtDesk, issuance.Change: intake.AtDesk, issuance.Confirm: intake.AtDesk, issuance.Differ: intake.AtDesk, issuance.Accept: intake.AtDesk,
		issuance.Suspect: intake.AtDesk, issuance.Clear: intake.AtDesk,
		issuance.Approve: intake.Approved, issuance.Personalise: intake.Approved, issuance.Reject: intake.Refused, issuance.Cancel: intake.Cancelled,
		issuance.Issue: intake.Delivered,
	},
	issuance.KindCard: {
		issuance.Check: intake.Ready, issuance.Fail: intake.Approved, issuance.Send: intake.Approved, issuance.Receive: intake.Ready, issuance.Spoil: intake.Approved,
	},
}

// Steps tells what entries of the ledger say of applications. The store held each act
// against the rules when it took it in.
func (c *Counter) Steps(ctx context.Context, from int64) (steps []intake.Step, to int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var entries []issuance.Entry
	to = from
	err = c.Office.Store.Entries(ctx, from, func(index int64, leaf, payload []byte) error {
		if index >= from+round {
			return errRound
		}
		e, err := issuance.ParseEntry(leaf, payload)
		if err != nil {
			return err
		}
		if _, ok := stepOf[e.Stream.Kind][e.Act]; ok {
			entries = append(entries, e)
		}
		to = index + 1
		return nil
	})
	if err != nil && !errors.Is(err, errRound) {
		return nil, 0, err
	}
	for _, e := range entries {
		s := intake.Step{App: e.Stream.ID, State: stepOf[e.Stream.Kind][e.Act], At: e.Time}
		if s.State.Over() {
			s.Why = e.Fields["reason"]
		}
		if e.Stream.Kind == issuance.KindCard {
			life, err := c.Office.Store.Stream(ctx, e.Stream)
			if err != nil {
				return nil, 0, err
			}
			s.App = life[0].Fields["application"] // the allocation's
		}
		steps = append(steps, s)
	}
	return steps, to, nil
}

// Has reports whether there is an application of that name.
func (c *Counter) Has(ctx context.Context, app string) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entries, err := c.Office.Store.Stream(ctx, issuance.Application(app))
	return len(entries) > 0, err
}

// Follow brings the cases up to what the ledger says, and destroys what is sealed of those
// that the ledger has by now.
func (c *Counter) Follow(ctx context.Context) error {
	if err := intake.Follow(ctx, c.Store, c); err != nil {
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
// portrait, fingers, profile. It returns the application's name. Where n says no other, person
// and reason are those of the case, and what is replaced is the card that the person has in
// force; a person of n's is one whom the officer corrected, of the same number: ErrOtherPerson.
//
// The name of the application is stored before it is enrolled: an Import that was cut short is
// done again, by whomever, and there is one application. Errors: intake.ErrUnknown,
// intake.ErrClosed, and those of Enrol.
func (c *Counter) Import(ctx context.Context, code string, n Enrolment) (string, error) {
	return c.ImportSeen(ctx, code, 0, n)
}

// ImportSeen is Import of the revision of a case that the officer saw; 0 is whichever is newest.
// A portal may amend a case, whom it is about included, as long as it is not taken over: where
// it did meanwhile the error is intake.ErrConflict.
func (c *Counter) ImportSeen(ctx context.Context, code string, seen int, n Enrolment) (string, error) {
	k, err := c.Store.Case(ctx, code)
	if err != nil {
		return "", err
	}
	if app, err := c.imported(ctx, code); app != "" || err != nil {
		return app, err
	}
	switch {
	case k.App != "" && k.State == intake.AtDesk: // an import that was cut short
	case k.State == intake.Waiting:
		return "", fmt.Errorf("%s: %w", code, intake.ErrWaiting)
	case k.State != intake.Received:
		return "", fmt.Errorf("%s is %s: %w", code, k.State, intake.ErrClosed)
	case seen != 0 && k.Revision != seen:
		return "", fmt.Errorf("%s: %w", code, intake.ErrConflict)
	}
	m, person, err := c.content(ctx, k)
	if err != nil {
		return "", err
	}
	if m == nil {
		return "", fmt.Errorf("%s: %w", code, vault.ErrShredded)
	}
	switch n.Person.Number {
	case "":
		n.Person = person
	case person.Number:
	default:
		return "", fmt.Errorf("%s: %w", code, ErrOtherPerson)
	}
	if n.Reason == "" {
		n.Reason = m.Reason
	}
	if err := c.enrol(ctx, &k, n); err != nil {
		app, e := c.imported(ctx, code)
		if e != nil || app == "" {
			return "", err
		}
		k.App = app // another officer was faster
	}
	return k.App, c.Follow(ctx)
}

// imported is the application that a case became; empty if it has not yet.
func (c *Counter) imported(ctx context.Context, code string) (string, error) {
	k, err := c.Store.Case(ctx, code)
	if err != nil || k.App == "" {
		return "", err
	}
	there, err := c.Has(ctx, k.App)
	if !there {
		k.App = ""
	}
	return k.App, err
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
		k.App = NewApplication()
	}
	k.State, k.Officer, k.Since = intake.AtDesk, me.Name, c.Office.Now().UTC().Truncate(time.Microsecond)
	if err := c.Store.Keep(ctx, *k, nil); err != nil {
		return err
	}
	n.Application = k.App
	_, err = c.Office.Enrol(ctx, n)
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
		return fmt.Errorf("%w: %q is no reason for which a case is refused: %s", issuance.ErrWord, reason, strings.Join(RefuseReasons(), ", "))
	}
	k, err := c.Store.Case(ctx, code)
	if err != nil {
		return err
	}
	if k.App != "" {
		there, err := c.Has(ctx, k.App)
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
