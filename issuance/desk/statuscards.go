package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/vault"
	"github.com/tamthe/tamthe/verify/status"
)

// cardsAtOnce is how many cards are read together.
const cardsAtOnce = 64

// each calls f with every card of the ledger, and of the desks that work apart, as its own
// signed entries tell it. What the office says of a card goes before what its desk says.
func (m *statusMaker) each(ctx context.Context, f func(status.State, issuance.Subject) error) error {
	if err := eachOf(ctx, m.o.Store, f); err != nil {
		return err
	}
	for _, store := range m.o.Apart {
		err := eachOf(ctx, store, func(state status.State, card issuance.Subject) error {
			out, err := m.o.recalled(ctx, store, card.Stream)
			if out {
				state = status.Revoked
			}
			if err != nil {
				return err
			}
			return f(state, card)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func eachOf(ctx context.Context, store Store, f func(status.State, issuance.Subject) error) error {
	list, err := store.List(ctx, issuance.KindCard)
	if err != nil {
		return err
	}
	for len(list) > 0 {
		some := list[:min(len(list), cardsAtOnce)]
		list = list[len(some):]
		var streams []issuance.StreamID
		for _, c := range some {
			streams = append(streams, c.Stream)
		}
		s, err := issuance.Load(ctx, store, streams...)
		if err != nil {
			return err
		}
		for _, c := range some {
			sub := s.Subject(c.Stream)
			if sub.Phase != c.Phase && sub.Seq == c.Seq {
				return fmt.Errorf("%s is %s, not %s: %w", c.Stream, sub.Phase, c.Phase, issuance.ErrChanged)
			}
			if err := f(stateOf(sub), sub); err != nil {
				return err
			}
		}
	}
	return nil
}

// indexes are the cards whose SODs name the list.
func (m *statusMaker) indexes(ctx context.Context) (status.Indexes, error) {
	var cards status.Indexes
	err := m.each(ctx, func(state status.State, card issuance.Subject) error {
		for _, c := range card.Claimed {
			if list, place, ok := ledger.ParsePlace(c); ok && list == m.header.URI {
				cards[state] = append(cards[state], place)
			}
		}
		return nil
	})
	return cards, err
}

// names are the cards by what was signed, and by the keys of their chips where the card is
// not in force or the base says that it was not.
func (m *statusMaker) names(ctx context.Context) (status.IDs, error) {
	var cards status.IDs
	var source *status.Source
	if m.base != nil {
		var err error
		if source, err = status.Of(m.base, nil); err != nil {
			return cards, err
		}
	}
	err := m.each(ctx, func(state status.State, card issuance.Subject) error {
		b, err := hex.DecodeString(card.Fields["cardid"])
		if err != nil || len(b) != 32 { // nothing was signed for it
			return nil
		}
		id := [32]byte(b)
		cards[state] = append(cards[state], id)
		if state == status.Active {
			if source == nil {
				return nil
			}
			if a, err := source.Lookup(status.Card{ID: id}); err != nil || a.State == status.Active {
				return err
			}
		}
		keys, err := m.chipKeys(ctx, card.Stream)
		cards[state] = append(cards[state], keys...)
		return err
	})
	return cards, err
}

// chipKeys are the digests of the groups that hold a card's own keys, none if nothing was
// made for it.
func (m *statusMaker) chipKeys(ctx context.Context, stream issuance.StreamID) ([][32]byte, error) {
	files, err := m.o.openFiles(ctx, stream, contentName, vault.Technical)
	if errors.Is(err, ErrUnknown) {
		files, err = m.o.openFiles(ctx, stream, filesName, vault.Technical)
	}
	if errors.Is(err, ErrUnknown) {
		var p prepared // as an earlier version sealed it
		_, err = m.o.openLast(ctx, stream, preparedName, &p)
		files = p.Files
	}
	if errors.Is(err, ErrUnknown) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		for b := range maps.Values(files) {
			clear(b)
		}
	}()
	var keys [][32]byte
	for _, f := range []lds.File{lds.DG14, lds.DG15} {
		if b := files[f.Name()]; b != nil {
			keys = append(keys, sha256.Sum256(b))
		}
	}
	return keys, nil
}
