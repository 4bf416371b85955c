package desk

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/perso"
	"github.com/tamthe/tamthe/issuance/signing"
)

// Distant is a centre that makes cards in this desk's reader, so that the desk holds neither
// the card master nor a transport key.
type Distant struct {
	Dial    func(context.Context) (net.Conn, error)
	Scripts int // how many of its scripts Personalise carried to the chip, set by it
}

// NewCentre is the centre's end: what it makes are cards that the signing service's own
// reading of the log has approved. The store is the service's, to tell when a card was begun.
func NewCentre(s *signing.Service, store issuance.Ledger, master gp.Master, transport Transport, now func() time.Time) *perso.Centre {
	return &perso.Centre{
		Stage: func(ctx context.Context, e *perso.Errand, message, signature []byte) (perso.Stage, error) {
			g, err := s.Making(ctx, signing.Making{
				Application: e.Application, Card: e.Card, Batch: e.Batch, Operator: e.Operator, Message: message, Signature: signature,
			})
			if err != nil {
				return perso.Stage{}, err
			}
			return stageOf(ctx, store, g)
		},
		Issuer: CardKeys(master), Transport: transport, Trusts: s.Trusts, Errors: centreErrors, Now: now,
	}
}

// stageOf is where the log has a card.
func stageOf(ctx context.Context, store issuance.Ledger, g signing.Ground) (perso.Stage, error) {
	s := perso.Stage{Phase: g.Card.Phase, SOD: g.Card.Fields["sod"], Transport: g.Transport}
	if s.Phase == issuance.Absent {
		return s, nil
	}
	for _, c := range g.Card.Claimed {
		switch c.Kind {
		case issuance.ClaimChip:
			b, err := hex.DecodeString(c.Value)
			if err != nil || len(b) != len(s.Chip) {
				return perso.Stage{}, fmt.Errorf("%s: chip %q: %w", g.Card.Stream, c.Value, issuance.ErrEntry)
			}
			s.Chip = gp.KDD(b)
		case issuance.ClaimChipKey:
			s.Keys = append(s.Keys, c.Value)
		}
	}
	entries, err := store.Stream(ctx, g.Card.Stream)
	if err != nil {
		return perso.Stage{}, err
	}
	s.Begun = entries[0].Time
	if n := g.Card.Fields["attempt"]; n != "" {
		s.Attempts, err = strconv.Atoi(n)
	}
	return s, err
}

// centreErrors are what a desk can tell of a centre's end, by their place; a place is never
// given to another. Narrow ones come before those that they wrap.
var centreErrors = []error{
	perso.ErrKeys, perso.ErrUsed, perso.ErrInUse, perso.ErrChipKey, perso.ErrOpen, perso.ErrTestCard, perso.ErrGiveUp, perso.ErrUnlogged,
	perso.ErrOrder, perso.ErrDriver, perso.ErrFrame, perso.ErrScript,
	apdu.ErrRemoved, apdu.ErrReset, apdu.ErrTimeout, apdu.ErrAbandoned, gp.ErrProtection, gp.ErrCryptogram,
	signing.ErrNotApproved, signing.ErrEvidence, signing.ErrLog, signing.ErrRequest,
	issuance.ErrChanged, issuance.ErrOperator, issuance.ErrRole, issuance.ErrSignature, issuance.ErrFourEyes, issuance.ErrConflict,
	issuance.ErrEntry, issuance.ErrLink,
}

// afar has the centre make the card.
func (m *making) afar(ctx context.Context, c *Distant, state perso.State) error {
	e, err := m.errand(state)
	if err != nil {
		return err
	}
	conn, err := c.Dial(ctx)
	if err != nil {
		return err
	}
	d := perso.Desk{
		Station: &perso.Station{Link: apdu.Over(m.chip, m.p.Limits)}, Journal: m, Build: m.build, Verify: m.verify,
		Sign:   func(message []byte) ([]byte, error) { return signing.SignMaking(m.o.Signer, message) },
		Errors: centreErrors, Progress: m.p.Progress,
	}
	c.Scripts, err = d.Ask(ctx, conn, e, state.Signed)
	return err
}

// errand is what the centre is asked for.
func (m *making) errand(state perso.State) (perso.Errand, error) {
	me, err := m.o.me()
	if err != nil {
		return perso.Errand{}, err
	}
	order := m.order(context.Background())
	e := perso.Errand{
		Application: m.app, Card: m.card, Batch: m.blank.Batch, Operator: me, Limits: m.p.Limits, Driver: m.Driver, Import: m.Import,
	}
	for i, k := range []struct {
		curve *dh.Curve
		id    *int
		point *dh.Point
	}{{order.AA, &e.AA, state.AA}, {order.CA, &e.CA, state.CA}} {
		if k.curve != nil {
			*k.id, _ = k.curve.ID()
		}
		if k.point != nil {
			e.Keys[i] = k.point.Bytes()
		}
	}
	return e, nil
}
