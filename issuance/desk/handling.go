package desk

import (
	"context"

	"github.com/tamthe/tamthe/issuance"
)

// Suspend holds a card back for a time (Law 26/2023 Art. 29.2): detention, prison,
// reformatory, treatment, or a loss that was reported and is not certain yet.
func (o *Office) Suspend(ctx context.Context, id, reason string) error {
	return o.end(ctx, issuance.Card(id), issuance.Suspend, reason, "", nil)
}

// Resume puts a card that was held back in force again: released, found or mistake.
func (o *Office) Resume(ctx context.Context, id, reason string) error {
	return o.end(ctx, issuance.Card(id), issuance.Resume, reason, "", nil)
}

// Return records that a card out of force was taken back.
func (o *Office) Return(ctx context.Context, id string) error {
	return o.say(ctx, issuance.Card(id), issuance.Return, nil)
}

// Destroy records that a card was cut up, which two stock keepers saw: one that was
// spoiled, or was in force once and is no more.
func (o *Office) Destroy(ctx context.Context, id string) error {
	return o.say(ctx, issuance.Card(id), issuance.Destroy, nil)
}

// Send puts finished cards on their way to a place, all or none, as one shipment; its name
// is returned. Place is a word of small letters, digits and hyphens.
func (o *Office) Send(ctx context.Context, place string, cards ...string) (string, error) {
	var streams []issuance.StreamID
	for _, id := range cards {
		streams = append(streams, issuance.Card(id))
	}
	s, err := o.begin(ctx, streams...)
	if err != nil {
		return "", err
	}
	shipment := newWord("s-")
	for _, card := range streams {
		if err := known(s.state.Subject(card)); err != nil {
			return "", err
		}
		err := s.add(card, issuance.Send, func(e *issuance.Entry) error {
			e.Fields = map[string]string{"to": place, "shipment": shipment}
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	return shipment, s.commit(ctx)
}

// Receive takes a shipment in: those cards of it that are there, all or none. Who sent them
// is issuance.ErrFourEyes. missing are those of the shipment that are still on their way.
func (o *Office) Receive(ctx context.Context, shipment string, cards ...string) (missing []string, err error) {
	var streams []issuance.StreamID
	for _, id := range cards {
		streams = append(streams, issuance.Card(id))
	}
	s, err := o.begin(ctx, streams...)
	if err != nil {
		return nil, err
	}
	for _, card := range streams {
		sub := s.state.Subject(card)
		if err := known(sub); err != nil {
			return nil, err
		}
		err := s.add(card, issuance.Receive, func(e *issuance.Entry) error {
			e.Fields = map[string]string{"to": sub.Fields["to"], "shipment": shipment}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if err := s.commit(ctx); err != nil {
		return nil, err
	}
	return o.underWay(ctx, shipment)
}

// underWay lists the cards of a shipment that did not arrive.
func (o *Office) underWay(ctx context.Context, shipment string) (missing []string, err error) {
	list, err := o.Cards(ctx, issuance.InTransit)
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		s, err := issuance.Load(ctx, o.Store, c.Stream)
		if err != nil {
			return nil, err
		}
		if s.Subject(c.Stream).Fields["shipment"] == shipment {
			missing = append(missing, c.Stream.ID)
		}
	}
	return missing, nil
}
