package desk

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/perso"
)

// withSOD are the phases of a card in the making whose SOD exists, and is the only one
// that it will ever have.
var withSOD = []issuance.Phase{issuance.Signed, issuance.Writing, issuance.Written, issuance.Locking, issuance.Locked}

// resume finds out what was done for the card of an application. One that was spoiled
// begins anew.
func (m *making) resume(ctx context.Context, app, card issuance.Subject) (perso.State, error) {
	m.renewed = card.Phase == issuance.Spoiled
	if app.Fields["card"] == "" || m.renewed {
		m.card = newName("C-")
		if err := m.canBeSigned(ctx); err != nil {
			return perso.State{}, err
		}
		var err error
		if m.blank = m.p.Blank; m.blank == (Blank{}) {
			m.blank, err = m.o.NextBlank(ctx, "")
		}
		return perso.State{}, err
	}
	m.card, m.begun = card.Stream.ID, true
	if _, err := m.o.openLast(ctx, card.Stream, variantName, &m.variant); err != nil {
		return perso.State{}, err
	}
	state := perso.State{Phase: card.Phase}
	if _, err := m.o.openLast(ctx, card.Stream, chipName, &m.notes); err != nil && !errors.Is(err, ErrUnknown) {
		return perso.State{}, err
	}
	if err := m.notes.into(&state, card, m.variant); err != nil {
		return perso.State{}, err
	}
	if err := m.pastAttempts(ctx, card, &state); err != nil {
		return perso.State{}, err
	}
	return state, m.resumeSigning(ctx, card, &state)
}

// pastAttempts finds out how long the card has been in the making, and how often it was
// taken up again.
func (m *making) pastAttempts(ctx context.Context, card issuance.Subject, state *perso.State) error {
	entries, err := m.o.Store.Stream(ctx, card.Stream)
	if err != nil || len(entries) == 0 {
		return err
	}
	state.Begun = entries[0].Time
	if n := card.Fields["attempt"]; n != "" {
		state.Attempts, err = strconv.Atoi(n)
	}
	return err
}

// resumeSigning opens what was signed, or sees that something can be, before the chip is
// touched.
func (m *making) resumeSigning(ctx context.Context, card issuance.Subject, state *perso.State) (err error) {
	switch {
	case slices.Contains(withSOD, card.Phase):
		var files map[string][]byte
		files, err = m.o.openFiles(ctx, card.Stream, contentName, allClasses...)
		if errors.Is(err, ErrUnknown) && card.Phase == issuance.Signed {
			state.Phase = issuance.Prepared // it did not arrive: the service has it, and is asked again
			return nil
		}
		if err != nil {
			return err
		}
		state.Signed, err = m.signed(files)
	case card.Phase == issuance.Prepared:
		if err = m.o.signsToday(ctx, card.Fields["ds"]); err == nil {
			err = m.o.listInTime(ctx)
		}
	default:
		err = m.canBeSigned(ctx)
	}
	return err
}

// canBeSigned sees, before the chip is touched, that the signing service will have something
// to sign with and something that it can read.
func (m *making) canBeSigned(ctx context.Context) error {
	if m.draft.Form != 2 {
		return fmt.Errorf("application %s: %w", m.app, ErrForm)
	}
	if _, err := m.o.newestSigner(ctx, m.draft.Issued); err != nil {
		return err
	}
	return m.o.listInTime(ctx)
}

// chipNotes are the public keys of a chip, sealed because they name a card for good, and
// what proves that the chip made them.
type chipNotes struct {
	AA, CA                 []byte
	AAEvidence, CAEvidence []byte `json:",omitempty"`
}

// complete adds the evidence that an earlier run had: not every chip tells its keys again.
func (n chipNotes) complete(keys *perso.PublicKeys) error {
	for _, part := range []struct {
		to   **gp.Evidence
		kept []byte
	}{{&keys.AAEvidence, n.AAEvidence}, {&keys.CAEvidence, n.CAEvidence}} {
		if *part.to != nil || part.kept == nil {
			continue
		}
		e, err := gp.ParseEvidence(part.kept)
		if err != nil {
			return err
		}
		*part.to = e
	}
	return nil
}

// into restores chip and keys as the journal has them.
func (n chipNotes) into(state *perso.State, card issuance.Subject, v variant) error {
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
		if state.AA, err = v.curveAA().ParsePoint(n.AA); err != nil {
			return fmt.Errorf("%s: %w", card.Stream, err)
		}
	}
	if n.CA != nil {
		if state.CA, err = v.curveCA().ParsePoint(n.CA); err != nil {
			return fmt.Errorf("%s: %w", card.Stream, err)
		}
	}
	return nil
}
