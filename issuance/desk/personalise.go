package desk

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
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
	Transport []gp.Keys   // what the supplier put onto the chip
	Master    []byte      // the issuer's card master key
	BACOnly   bool        // leave PACE out, for readers that know only BAC
	NoAA      bool        // leave Active Authentication out: the chip proves itself by Chip Authentication
	Status    string      // URI of the status list
	Verify    verify.Options
	Progress  func(perso.Progress)
}

// ErrRefused means that our own checkpoint does not accept a card that we made.
type ErrRefused struct{ Report *verify.Report }

// Error names the verdict and its first reason.
func (e *ErrRefused) Error() string {
	for _, r := range e.Report.Reasons() {
		return fmt.Sprintf("the card is not accepted (%s): %s", e.Report.Verdict, r)
	}
	return fmt.Sprintf("the card is not accepted (%s)", e.Report.Verdict)
}

// keySet is the version of the issuer's keys on every chip.
const keySet = 0x30

// Personalise makes the card that an approved application asks for on the chip, or goes
// on with the one that was begun: it needs no telling which. It returns the card's name,
// C-… . A different chip than the one that was begun is *perso.WrongChipError.
func (o *Office) Personalise(ctx context.Context, app string, chip Chip, p Personalisation) (string, error) {
	stream := issuance.Application(app)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return "", err
	}
	subject := s.state.Subject(stream)
	if err := known(subject); err != nil {
		return "", err
	}
	draft, err := o.Draft(ctx, app)
	if err != nil {
		return "", err
	}
	m := &making{variant: variant{p.BACOnly, p.NoAA}, o: o, p: p, app: app, draft: draft, chip: chip}
	if m.content, err = draft.commitment(); err != nil {
		return "", err
	}
	if subject.Phase != issuance.Approved && subject.Phase != issuance.Personalising {
		_, err := o.apply(ctx, stream, issuance.Personalise)
		return "", err // the rules say what is wrong
	}
	state, err := m.resume(ctx, s.state, subject.Fields["card"])
	if err != nil {
		return "", err
	}
	link := apdu.Over(chip, p.Limits)
	if err := perso.Run(ctx, link, m.order(), m, state); err != nil {
		return m.card, err
	}
	return m.card, nil
}

// apply asks the rules about an act that carries nothing, for their answer.
func (o *Office) apply(ctx context.Context, stream issuance.StreamID, act issuance.Act) (issuance.State, error) {
	s, err := o.begin(ctx, stream)
	if err != nil {
		return issuance.State{}, err
	}
	return s.state, s.add(stream, act, nil)
}

// making is one personalisation; it is the journal that perso keeps.
type making struct {
	variant
	o       *Office
	p       Personalisation
	app     string
	card    string
	draft   *Draft
	content [32]byte
	chip    Chip
}

// variant is how a card departs from its profile. It is settled when the chip is bound to
// the application, and a later run keeps to it.
type variant struct{ BACOnly, NoAA bool }

// variantName is the attachment of the allocation that keeps the variant.
const variantName = "variant"

// resume finds out what was done for a card that was begun. A spoiled card begins anew.
func (m *making) resume(ctx context.Context, s issuance.State, card string) (perso.State, error) {
	c := s.Subject(issuance.Card(card))
	if card == "" || c.Phase == issuance.Spoiled {
		m.card = newName("C-")
		return perso.State{}, nil
	}
	m.card = card
	if !slices.Contains([]issuance.Phase{
		issuance.Allocated, issuance.Rotating, issuance.Keyed, issuance.Prepared, issuance.Signed, issuance.Writing,
		issuance.Written, issuance.Locking, issuance.Locked,
	}, c.Phase) {
		return perso.State{}, &issuance.TransitionError{
			Stream: c.Stream, Phase: c.Phase, Act: issuance.Personalise, Possible: issuance.Possible(issuance.KindCard, c.Phase),
		}
	}
	if _, err := m.o.openLast(ctx, c.Stream, variantName, &m.variant); err != nil {
		return perso.State{}, err
	}
	state := perso.State{Phase: c.Phase}
	var notes chipNotes
	if _, err := m.o.openLast(ctx, c.Stream, chipName, &notes); err != nil && !errors.Is(err, ErrUnknown) {
		return perso.State{}, err
	}
	if err := notes.into(&state, c); err != nil {
		return perso.State{}, err
	}
	if slices.Contains([]issuance.Phase{issuance.Signed, issuance.Writing, issuance.Written, issuance.Locking, issuance.Locked}, c.Phase) {
		content, err := m.signed(ctx)
		if err != nil {
			return perso.State{}, err
		}
		state.Signed = content
	}
	return state, nil
}

// chipName is the attachment that keeps what the chip said of itself.
const chipName = "chip"

// chipNotes are the public keys of a chip, sealed because they name a card for good.
type chipNotes struct{ AA, CA []byte }

// into restores chip and keys as the journal has them.
func (n chipNotes) into(state *perso.State, card issuance.Subject) error {
	for _, c := range card.Claimed {
		if c.Kind == issuance.ClaimChip {
			b, err := hex.DecodeString(c.Value)
			if err != nil || len(b) != len(state.Chip) {
				return fmt.Errorf("%s: chip %q: %w", card.Stream, c.Value, issuance.ErrEntry)
			}
			state.Chip = gp.KDD(b)
		}
	}
	var err error
	if n.AA != nil {
		if state.AA, err = curveAA().ParsePoint(n.AA); err != nil {
			return err
		}
	}
	if n.CA != nil {
		state.CA, err = curveCA().ParsePoint(n.CA)
	}
	return err
}

// curveAA and curveCA are those that the profile's chips make their keys on.
func curveAA() *dh.Curve { return dh.P256() }
func curveCA() *dh.Curve { return dh.BrainpoolP256r1() }

// order is what perso is asked to do.
func (m *making) order() perso.Order {
	order := perso.Order{
		Transport: m.p.Transport,
		Issuer:    func(k gp.KDD) (gp.Keys, error) { return gp.Diversify(m.p.Master, k, keySet) },
		AA:        curveAA(), CA: curveCA(),
		Build: m.build, Verify: m.verify, Progress: m.p.Progress,
	}
	if m.NoAA {
		order.AA = nil
	}
	return order
}

// Record keeps an act of the card's stream.
func (m *making) Record(ctx context.Context, r perso.Record) error {
	stream := issuance.Card(m.card)
	if r.Act == issuance.Allocate {
		return m.allocate(ctx, r)
	}
	s, err := m.o.begin(ctx, stream)
	if err != nil {
		return err
	}
	sub := s.state.Subject(stream)
	err = s.add(stream, r.Act, func(e *issuance.Entry) error {
		e.Fields = map[string]string{}
		switch r.Act {
		case issuance.Rotate:
			e.Fields["keyset"] = fmt.Sprint(r.KeyVersion)
		case issuance.Generate:
			notes := chipNotes{}
			for _, key := range []struct {
				point *dh.Point
				note  *[]byte
			}{{r.AA, &notes.AA}, {r.CA, &notes.CA}} {
				if key.point == nil {
					continue
				}
				*key.note = key.point.Bytes()
				sum := sha256.Sum256(key.point.Bytes())
				e.Claims = append(e.Claims, issuance.Claim{Kind: issuance.ClaimChipKey, Value: hex.EncodeToString(sum[:])})
			}
			return m.o.seal(e, chipName, notes)
		case issuance.Write:
			e.Fields["sod"] = sub.Fields["sod"]
		case issuance.WriteDone:
			e.Fields["sod"] = sub.Fields["sod"]
			content, err := m.signed(ctx)
			if err != nil {
				return err
			}
			e.Fields["readback"] = digestOf(content.Files)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.commit(ctx)
}

// allocate binds the chip to the application, in one append with the act that begins
// personalising.
func (m *making) allocate(ctx context.Context, r perso.Record) error {
	app, card := issuance.Application(m.app), issuance.Card(m.card)
	s, err := m.o.begin(ctx, app, card)
	if err != nil {
		return err
	}
	err = s.add(app, issuance.Personalise, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"card": m.card}
		e.Commitments = map[string][32]byte{issuance.Content: m.content}
		return nil
	})
	if err != nil {
		return err
	}
	err = s.add(card, issuance.Allocate, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"application": m.app, "plan": m.plan(), "profile": m.draft.Profile}
		e.Commitments = map[string][32]byte{issuance.Content: m.content}
		e.Claims = []issuance.Claim{
			{Kind: issuance.ClaimChip, Value: hex.EncodeToString(r.Chip[:])},
			{Kind: issuance.ClaimCardSerial, Value: m.draft.Serial},
		}
		return m.o.seal(e, variantName, m.variant)
	})
	if err != nil {
		return err
	}
	return s.commit(ctx)
}

// plan is the digest of how the card is made, with a random value.
func (m *making) plan() string {
	var salt [32]byte
	rand.Read(salt[:])
	sum := issuance.Commit(salt, fmt.Appendf(nil, "%s bac-only=%v no-aa=%v keyset=%d", m.draft.Profile, m.BACOnly, m.NoAA, keySet))
	return hex.EncodeToString(sum[:])
}

// passwords are what opens the finished card.
func (m *making) passwords() ([]auth.Password, error) {
	zone, err := m.draft.zone()
	if err != nil {
		return nil, err
	}
	key := auth.MRZ(zone.KeyInfo())
	if m.BACOnly {
		return []auth.Password{key}, nil
	}
	return []auth.Password{auth.CAN(m.draft.Person.Number.CAN()), key}, nil
}
