package desk

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify/status"
)

const (
	// fewCards is up to how many cards a list is made of their own signed entries.
	fewCards = 50_000
	// cardsAtRandom is how many cards of a larger list are held against their signed entries.
	cardsAtRandom = 256
)

// rows are the cards of the list as the stores' tables tell of them, and some of the office's
// own that were drawn by chance. A card that the office put out of force is revoked, whatever
// its desk says.
func (m *statusMaker) rows(ctx context.Context) (all *status.Rows, some []ledger.Place, err error) {
	all, n := &status.Rows{}, 0
	err = m.o.Store.Places(ctx, m.header.URI, func(p ledger.Place) error {
		if n++; len(some) < cardsAtRandom {
			some = append(some, p)
		} else if i := rand.IntN(n); i < cardsAtRandom {
			some[i] = p
		}
		return all.Add(p.Index, p.State)
	})
	if err != nil {
		return nil, nil, err
	}
	for _, store := range m.o.Apart {
		apart := &status.Rows{}
		err := store.Places(ctx, m.header.URI, func(p ledger.Place) error { return apart.Add(p.Index, p.State) })
		if err != nil {
			return nil, nil, err
		}
		out, err := m.recalledPlaces(ctx, store)
		if err != nil {
			return nil, nil, err
		}
		for _, rows := range []*status.Rows{apart, out} {
			if all, err = all.With(rows); err != nil {
				return nil, nil, err
			}
		}
	}
	return all, some, nil
}

// recalledPlaces are the places of a desk's cards that the office put out of force.
func (m *statusMaker) recalledPlaces(ctx context.Context, apart Store) (*status.Rows, error) {
	var places []uint32
	prefix := m.header.URI + ":"
	err := apart.Claims(ctx, issuance.ClaimStatus, prefix, m.header.URI+";", func(value string, by issuance.StreamID) error {
		list, place, ok := ledger.ParsePlace(issuance.Claim{Kind: issuance.ClaimStatus, Value: value})
		if !ok || list != m.header.URI {
			return nil
		}
		out, err := m.o.recalled(ctx, apart, by)
		if out {
			places = append(places, place)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(places)
	rows := &status.Rows{}
	for _, p := range places {
		if err := rows.Add(p, status.Revoked); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// borneOut holds rows against the signed entries of their cards: a table that lies about more
// than a few cards is found out. A card that something has happened to since is passed over.
func (m *statusMaker) borneOut(ctx context.Context, some []ledger.Place, read time.Time) error {
	for _, p := range some {
		claim := issuance.Claim{Kind: issuance.ClaimStatus, Value: fmt.Sprintf("%s:%d", p.List, p.Index)}
		stream, err := m.o.Store.Claimed(ctx, claim)
		if err != nil {
			return err
		}
		s, err := issuance.Load(ctx, m.o.Store, stream)
		if err != nil {
			return err
		}
		card := s.Subject(stream)
		if stateOf(card) == p.State && slices.Contains(card.Claimed, claim) {
			continue
		}
		entries, err := m.o.Store.Stream(ctx, stream)
		if err != nil {
			return err
		}
		if n := len(entries); n > 0 && entries[n-1].Time.After(read.Add(-time.Minute)) {
			continue
		}
		return fmt.Errorf("%s is %s, not %s as the table of card status has it: %w", stream, stateOf(card), p.State, issuance.ErrChanged)
	}
	return nil
}

// indexDraft makes a list by index of the tables of card status. Up to some thousand cards
// their own entries must say the same, to the octet; of more, those of some by chance.
func (m *statusMaker) indexDraft(ctx context.Context) (*status.Draft, error) {
	for range tries {
		read := m.o.Now()
		rows, some, err := m.rows(ctx)
		if err != nil {
			return nil, err
		}
		draft, err := m.rowsDraft(rows)
		if err != nil {
			return nil, err
		}
		if rows.Len() > m.few {
			return draft, m.borneOut(ctx, some, read)
		}
		cards, err := m.indexes(ctx)
		if err != nil {
			return nil, err
		}
		if same, err := m.cardsDraft(cards); err == nil && same.Digest() == draft.Digest() {
			return draft, nil
		}
	}
	return nil, fmt.Errorf("the table of card status says another thing than the cards' own entries: %w", issuance.ErrChanged)
}

// tries is how often cards and table are read anew, for desks act meanwhile.
const tries = 4

func (m *statusMaker) rowsDraft(rows *status.Rows) (*status.Draft, error) {
	if m.base != nil {
		return status.PrepareIndexDeltaRows(m.header, m.key, rows, m.base)
	}
	return status.PrepareIndexRows(m.header, m.key, rows)
}

func (m *statusMaker) cardsDraft(cards status.Indexes) (*status.Draft, error) {
	if m.base != nil {
		return status.PrepareIndexDelta(m.header, m.key, cards, m.base)
	}
	return status.PrepareIndex(m.header, m.key, cards)
}
