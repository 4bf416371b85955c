package desk

import (
	"context"
	"errors"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// Card is what the ledger says of a card, without personal data.
type Card struct {
	ID          string
	Phase       issuance.Phase
	Application string
	CardID      string // SHA-256 of what was signed, in hexadecimal; empty before
	Signer      string // the document signer's stream
	Replaces    string
	Successor   string
	Lease       *ledger.Lease // of who works on it or its application just now; nil if nobody does
	History     []Act
}

// Act is one line of a card's history.
type Act struct {
	Time     time.Time
	Act      issuance.Act
	Operator string // name
	Reason   string
}

// Card tells the life of a card, also of one that is known from another desk's log only;
// ErrUnknown if there is none of that name.
func (o *Office) Card(ctx context.Context, id string) (*Card, error) {
	stream := issuance.Card(id)
	store, _, err := o.cardApart(ctx, id)
	if err != nil {
		return nil, err
	}
	if store == nil {
		store = o.Store
	}
	s, err := issuance.Load(ctx, store, stream)
	if err != nil {
		return nil, err
	}
	sub := s.Subject(stream)
	if err := known(sub); err != nil {
		return nil, err
	}
	entries, err := store.Stream(ctx, stream)
	if err != nil {
		return nil, err
	}
	c := &Card{
		ID: id, Phase: sub.Phase, Application: sub.Fields["application"], CardID: sub.Fields["cardid"],
		Signer: sub.Fields["ds"], Successor: sub.Fields["successor"],
		Replaces: s.Subject(issuance.Application(sub.Fields["application"])).Fields["replaces"],
	}
	if c.Lease, err = heldBy(ctx, store, subjectsOf(c.Application, sub)...); err != nil {
		return nil, err
	}
	for _, e := range entries {
		op, _ := s.Operator(e.Operator)
		c.History = append(c.History, Act{e.Time, e.Act, op.Name, e.Fields["reason"]})
	}
	return c, nil
}

// Cards lists the cards, oldest first; with phases only those in one of them.
func (o *Office) Cards(ctx context.Context, phases ...issuance.Phase) ([]issuance.Summary, error) {
	return o.Store.List(ctx, issuance.KindCard, phases...)
}

// Revoke ends the life of a card that was delivered. The reason, such as lost, stolen or
// wrong-data, is one word of small letters, digits and hyphens: it stands in the ledger in
// clear, so that it must say nothing about the holder.
//
// A card that another desk issued in a log of its own is put out of force here.
func (o *Office) Revoke(ctx context.Context, id, reason string) error {
	apart, card, err := o.cardApart(ctx, id)
	if err != nil {
		return err
	}
	if apart != nil {
		return o.recall(ctx, apart, card, reason)
	}
	return o.end(ctx, issuance.Card(id), issuance.Revoke, reason, issuance.HoldCard, nil)
}

// Spoil gives up a card that was not delivered: its chip is broken or lost, or no signer
// can sign it any more. Its application stays as approved, and the next Personalise
// begins another card for it on a new chip. The reason is a word as for Revoke.
func (o *Office) Spoil(ctx context.Context, id, reason string) error {
	return o.alone(ctx, issuance.Card(id), issuance.Spoil, func() error {
		return o.end(ctx, issuance.Card(id), issuance.Spoil, reason, "", nil)
	})
}

// Handover says how a card comes into somebody's hand. The zero value: its holder took it,
// and gave back the card that it replaces.
type Handover struct {
	Proxy   bool // somebody takes it for its holder, such as a parent: two clerks sign
	OldLost bool // the card that it replaces cannot be taken back
}

func (h Handover) holder() string {
	if h.Proxy {
		return "proxy"
	}
	return "match"
}

func (h Handover) withdrawn() string {
	if h.OldLost {
		return "lost"
	}
	return "yes"
}

// Deliver records that the card is in its holder's hand: it is in force from then on. The
// card that it replaces, if any, is superseded by the same append. A holder who has
// another card in force is *issuance.DuplicateError.
func (o *Office) Deliver(ctx context.Context, id string, h Handover) error {
	stream := issuance.Card(id)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return err
	}
	card := s.state.Subject(stream)
	if err := known(card); err != nil {
		return err
	}
	app := s.state.Subject(issuance.Application(card.Fields["application"]))
	if err := o.ofAge(ctx, app.Stream.ID, h); err != nil {
		return err
	}
	if old := app.Fields["replaces"]; old != "" {
		h.OldLost = h.OldLost || app.Fields["reason"] == "lost"
		if err := s.supersede(old, id, h.withdrawn()); err != nil {
			return err
		}
	}
	err = s.add(stream, issuance.Deliver, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"application": app.Stream.ID, "holder": h.holder()}
		for _, c := range held(app, issuance.HoldApplication) {
			e.Hold = append(e.Hold, issuance.Claim{Kind: issuance.HoldCard, Value: c.Value})
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = s.add(app.Stream, issuance.Issue, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"card": id}
		e.Release = held(app, issuance.HoldApplication)
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.commit(ctx); err != nil {
		return err
	}
	return o.wipe(ctx, app.Stream.ID, issuance.Issued)
}

// ErrChild means that a card would be handed to a child; a parent takes it.
var ErrChild = errors.New("the holder is under 14: a parent or guardian takes the card")

// proxyAge is from when on people take their card themselves (Law 26/2023 Art. 19, 23).
const proxyAge = 14

// ofAge refuses to hand a card to a child. An office without the vault cannot know.
func (o *Office) ofAge(ctx context.Context, app string, h Handover) error {
	if h.Proxy || o.Vault == nil {
		return nil
	}
	var d Draft
	if _, err := o.openLast(ctx, issuance.Application(app), draftName, &d); err != nil {
		if errors.Is(err, ErrUnknown) {
			return nil // the rules say what is wrong
		}
		return err
	}
	if d.age(o.Now()) < proxyAge {
		return ErrChild
	}
	return nil
}

// supersede ends the card that is replaced, unless it was revoked before.
func (s *session) supersede(old, by, withdrawn string) error {
	sub := s.state.Subject(issuance.Card(old))
	if sub.Phase != issuance.Active && sub.Phase != issuance.Suspended {
		return nil
	}
	return s.add(sub.Stream, issuance.Supersede, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"successor": by, "withdrawn": withdrawn}
		e.Release = held(sub, issuance.HoldCard)
		return nil
	})
}
