package desk

import (
	"context"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/perso"
	"github.com/tamthe/tamthe/verify"
)

// Chip is a card in a reader that can be powered down and up again.
type Chip interface {
	apdu.Wire
	Reset(ctx context.Context) error
}

// Personalisation says how a card is made.
type Personalisation struct {
	Limits    apdu.Limits // of card and reader
	Transport Transport   // what the supplier put onto the chip
	Master    gp.Master   // the issuer's card master key, perhaps in an HSM
	Driver    string      // of the card's operating system, "" for perso.Default
	Import    bool        // allow key pairs that the chip has not made; the ledger says so for good
	TestCard  bool        // allow a driver that sends keys in the clear
	BACOnly   bool        // leave PACE out, for readers that know only BAC
	NoAA      bool        // leave Active Authentication out: the chip proves itself by Chip Authentication
	Blank     Blank       // which blank card it is; the zero value takes the next one in stock
	Progress  func(perso.Progress)

	// Verify says whom the desk trusts when it looks at its own card. Policy, time,
	// passwords and source of status are the desk's own, whatever is set.
	Verify verify.Options

	// Centre, if not nil, makes the card: Transport and Master are not used.
	Centre *Distant
}

// Transport gives the keys of blanks that came with the transport key of that name, which
// is empty for a batch that names none. Personalise destroys them.
type Transport func(ctx context.Context, name string) ([]gp.Keys, error)

// RefusedError means that our own checkpoint does not accept a card that we made.
type RefusedError struct{ Report *verify.Report }

// Error names the verdict and its first reason.
func (e *RefusedError) Error() string {
	text := fmt.Sprintf("the card is not accepted (%s)", e.Report.Verdict)
	for _, r := range e.Report.Reasons() {
		return fmt.Sprintf("%s: %s", text, r)
	}
	return text
}

// keySet is the version of the issuer's keys on every chip.
const keySet = 0x30

// keySize is how many octets each of them has: AES-256.
const keySize = 32

// Personalise makes the card that an approved application asks for on the chip, or goes
// on with the one that was begun: it needs no telling which. The chip must be just powered
// up. It returns the card's name, C-… ; beside an error only if the card was begun, which
// the next Personalise with the same chip then goes on with.
//
// Nothing is sent to the chip unless the rules let this operator make the card, a document
// signer is there that can sign it (ErrNoSigner), the revocation list is in force
// (ErrStaleList), a blank card is in stock (ErrNoStock), and the ledger takes what is appended
// (ledger.ErrAway). A card that was begun more than
// a day ago, or taken up in vain twice, is perso.ErrGiveUp, a different chip than the one
// that was begun *perso.WrongChipError; the other errors of perso, those of apdu about
// a card that went away, and *RefusedError, before the lock where the files alone show it.
//
// The office holds the lease of the application, and of the chip, while it works. What another
// desk works on is *ledger.LeaseError; so is, before anything more is sent to the chip, what
// another desk took over because this one was silent for too long.
func (o *Office) Personalise(ctx context.Context, app string, chip Chip, p Personalisation) (string, error) {
	s, _, card, err := o.makeable(ctx, app)
	if err != nil {
		return "", err
	}
	if o.Signing == nil {
		return "", ErrNoService
	}
	if o.Witnesses != nil {
		if err := o.Witnesses.Fresh(ctx); err != nil {
			return "", err
		}
	}
	if err := o.present(ctx); err != nil {
		return "", err
	}
	t, err := s.lease(ctx, subjectsOf(app, card)...)
	if err != nil {
		return "", err
	}
	defer t.end(ctx)
	_, subject, card, err := o.makeable(ctx, app) // as whoever had it before has left it
	if err != nil {
		return "", err
	}
	m := &making{o: o, p: p, app: app, chip: tenant{chip, t}, tenure: t}
	m.variant = variant{BACOnly: p.BACOnly, NoAA: p.NoAA, Driver: p.Driver, Import: p.Import}
	defer m.wipe()
	if m.draft, err = o.Draft(ctx, app); err != nil {
		return "", err
	}
	if m.content, err = m.draft.commitment(); err != nil {
		return "", err
	}
	state, err := m.resume(ctx, subject, card)
	if err == nil {
		err = m.setDriver(ctx)
	}
	if err == nil && p.Centre == nil {
		err = m.openTransport(ctx, card)
	}
	if err != nil {
		return "", err
	}
	if p.Centre != nil {
		err = m.afar(ctx, p.Centre, state)
	} else {
		err = perso.Run(ctx, apdu.Over(m.chip, p.Limits), m.order(ctx), m, state)
	}
	if err != nil && !m.begun {
		return "", err
	}
	return m.card, err
}

// MayPersonalise asks the rules, as Personalise does first, whether the operator may make
// the application's card or go on with it. It needs no chip, so that nobody is sent to look
// for a reader on behalf of an application that is not approved.
func (o *Office) MayPersonalise(ctx context.Context, app string) error {
	_, _, _, err := o.makeable(ctx, app)
	return err
}

// makeable is an application and its card, whose making the rules allow.
func (o *Office) makeable(ctx context.Context, app string) (s *session, subject, card issuance.Subject, err error) {
	stream := issuance.Application(app)
	if s, err = o.begin(ctx, stream); err != nil {
		return nil, subject, card, err
	}
	subject = s.state.Subject(stream)
	if err := known(subject); err != nil {
		return nil, subject, card, err
	}
	card = s.state.Subject(issuance.Card(subject.Fields["card"]))
	return s, subject, card, s.mayMake(subject, card)
}

// steps says which act takes a card in the making on from each phase. From Locked nothing
// is left but to look at the card.
var steps = map[issuance.Phase]issuance.Act{
	issuance.Allocated: issuance.Rotate, issuance.Rotating: issuance.Rotate, issuance.Keyed: issuance.Generate,
	issuance.Signed: issuance.Write, issuance.Writing: issuance.Write,
	issuance.Written: issuance.Lock, issuance.Locking: issuance.Lock,
}

// mayMake asks the rules whether the operator may begin a card of the application, or go
// on with the one that was begun. To go on may touch the chip before anything has to be
// recorded, for the intent stands in the ledger already.
func (s *session) mayMake(app, card issuance.Subject) error {
	switch step, ok := steps[card.Phase]; {
	case app.Phase != issuance.Personalising || card.Phase == issuance.Spoiled:
		return s.may(app.Stream, issuance.Personalise, nil)
	case ok:
		return s.may(card.Stream, step, nil)
	case card.Phase == issuance.Prepared:
		return s.mayAsk(app)
	case card.Phase == issuance.Locked:
		return nil
	}
	return &issuance.TransitionError{
		Stream: card.Stream, Phase: card.Phase, Act: issuance.Personalise,
		Possible: issuance.Possible(issuance.KindCard, card.Phase),
	}
}

// mayAsk asks whether the operator may have the application's card signed, which the
// signing service will ask again: the act itself is the service's.
func (s *session) mayAsk(app issuance.Subject) error {
	err := s.may(app.Stream, issuance.Personalise, nil)
	if errors.Is(err, issuance.ErrLink) { // another card can't be begun, but that is not asked
		return nil
	}
	return err
}

// making is one personalisation; it is the journal that perso keeps.
type making struct {
	variant
	driver  *perso.Driver
	o       *Office
	p       Personalisation
	app     string
	card    string
	begun   bool // the ledger has the card
	renewed bool // it takes the place of a spoiled one
	blank   Blank
	draft   *Draft
	content [32]byte
	chip    Chip
	tenure  *tenure        // of the application and, once it is known, the chip
	supply  []gp.Keys      // what the supplier put onto blanks of this batch
	notes   chipNotes      // from Keyed on, of the runs before
	made    *perso.Content // from Signed on
}

// openTransport takes the transport keys of the batch that the blank is of, or was when the
// card was begun.
func (m *making) openTransport(ctx context.Context, card issuance.Subject) error {
	batch := m.blank.Batch
	if batch == "" {
		batch = card.Fields["batch"]
	}
	name, err := m.o.transportOf(ctx, batch)
	if err == nil {
		m.supply, err = m.p.Transport(ctx, name)
	}
	return err
}

// wipe overwrites the secrets that the chip was given, and those that it came with.
func (m *making) wipe() {
	for i := range m.supply {
		m.supply[i].Destroy()
	}
	if m.made == nil {
		return
	}
	for _, secret := range [][]byte{m.made.BACSeed, m.made.PACEMRZ, m.made.PACECAN} {
		clear(secret)
	}
}

// variant is how a card departs from its profile. It is settled when the chip is bound to
// the application, and a later run keeps to it.
type variant struct {
	BACOnly, NoAA bool
	Driver        string
	Import        bool
	Trust         []byte `json:",omitempty"` // the CVCA certificate that the chip believes terminals by
}

// setDriver finds the driver, and refuses a variant that its chips can't be. A card that was
// not begun gets the newest CVCA's certificate, if there is one and the chip takes it.
func (m *making) setDriver(ctx context.Context) (err error) {
	if m.driver, err = perso.DriverByName(m.Driver); err != nil {
		return err
	}
	switch {
	case m.driver.BAC && !m.BACOnly:
		return fmt.Errorf("driver %s makes cards for BAC only: %w", m.driver.Name, perso.ErrOrder)
	case m.draft.Fingers != nil && (m.BACOnly || !m.driver.EAC):
		return fmt.Errorf("driver %s keeps no fingers from those who may not read them: %w", m.driver.Name, perso.ErrOrder)
	case m.driver.AA == perso.NoKey && !m.NoAA:
		return fmt.Errorf("driver %s makes cards without Active Authentication only: %w", m.driver.Name, perso.ErrOrder)
	}
	if m.begun || !m.driver.EAC || m.BACOnly {
		return nil
	}
	point, err := m.o.TrustPoint(ctx)
	switch {
	case err == nil:
		m.Trust = point.Raw
	case m.draft.Fingers != nil || !errors.Is(err, ErrNoCVCA):
		return err
	}
	return nil
}

// curveAA and curveCA are those that the chip has its keys on: the profile's, unless the
// driver's chips have others.
func (v variant) curveAA() *dh.Curve { return v.curve(dh.P256()) }
func (v variant) curveCA() *dh.Curve { return v.curve(dh.BrainpoolP256r1()) }

func (v variant) curve(usual *dh.Curve) *dh.Curve {
	d, err := perso.DriverByName(v.Driver)
	if err != nil || len(d.Curves) == 0 {
		return usual
	}
	c, err := dh.ByID(d.Curves[0])
	if err != nil {
		return usual
	}
	return c
}

// order is what perso is asked to do.
func (m *making) order(ctx context.Context) perso.Order {
	order := perso.Order{
		Transport: m.supply,
		Issuer:    func(k gp.KDD) (gp.Keys, error) { return gp.KDF3.Keys(ctx, m.p.Master, k, keySet, keySize) },
		AA:        m.curveAA(), CA: m.curveCA(), Driver: m.driver, Import: m.Import, TestCard: m.p.TestCard,
		Now: m.o.Now, Build: m.build, Verify: m.verify, Progress: m.p.Progress,
	}
	if m.NoAA {
		order.AA = nil
	}
	return order
}
