package desk

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/intake"
	"github.com/tamthe/tamthe/issuance/osia/cms"
)

// requestStatus is what the interface calls a case's state.
var requestStatus = map[intake.State]string{
	intake.Waiting: "PENDING", intake.Received: "PENDING", intake.AtDesk: "PENDING", intake.Approved: "PENDING", intake.Ready: "PENDING",
	intake.Delivered: "ISSUED", intake.Refused: "FAILED", intake.Withdrawn: "CANCELLED", intake.Cancelled: "CANCELLED",
}

// Request tells how a system's request stands; cms.ErrUnknown.
func (g *Gateway) Request(ctx context.Context, system, id string) (r cms.Request, err error) {
	if err := g.counter.Follow(ctx); err != nil {
		return r, err
	}
	k, err := g.counter.Store.Named(ctx, gatewayPrefix+system, id)
	if errors.Is(err, intake.ErrUnknown) {
		return r, cms.ErrUnknown
	}
	if err != nil {
		return r, err
	}
	r = cms.Request{Code: k.Code, Revision: k.Revision, Status: requestStatus[k.State], Step: string(k.State), Why: k.Why, Open: k.State.Open()}
	content, err := g.counter.Store.Content(ctx, k.Code, k.Revision)
	if err != nil {
		return r, err
	}
	r.Message = content.Request
	m, _, err := g.counter.content(ctx, k)
	if err != nil {
		return r, err
	}
	if m != nil {
		r.Person = m.Person
	}
	if k.App != "" {
		r.Cards, err = g.counter.cardsOf(ctx, k.App)
	}
	return r, err
}

// cardsOf lists the cards of an application, spoiled ones too.
func (c *Counter) cardsOf(ctx context.Context, app string) (list []string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entries, err := c.Office.Store.Stream(ctx, issuance.Application(app))
	for _, e := range entries {
		if e.Act == issuance.Personalise && !slices.Contains(list, e.Fields["card"]) {
			list = append(list, e.Fields["card"])
		}
	}
	return list, err
}

// Card tells how a card stands; cms.ErrUnknown.
func (g *Gateway) Card(ctx context.Context, id string) (out cms.Card, err error) {
	card, person, err := g.counter.card(ctx, id)
	if errors.Is(err, ErrUnknown) {
		return out, cms.ErrUnknown
	}
	if err != nil {
		return out, err
	}
	out = cms.Card{ID: id, Other: string(card.Phase), Person: person, Profile: Profile}
	out.Status, out.Possible = cardStatus(card.Phase)
	for _, a := range card.History {
		switch a.Act {
		case issuance.Deliver:
			out.Issued = a.Time
		case issuance.Suspend, issuance.Resume, issuance.Revoke:
			out.Reason = a.Reason
		}
	}
	k, err := g.counter.Store.Of(ctx, card.Application)
	if errors.Is(err, intake.ErrUnknown) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	system, ok := strings.CutPrefix(k.Portal, gatewayPrefix)
	if !ok {
		return out, nil
	}
	content, err := g.counter.Store.Content(ctx, k.Code, k.Revision)
	if err != nil {
		return out, err
	}
	out.System, out.Request, out.Message = system, k.Name, content.Request
	return out, nil
}

// card is a card and the ledger's name for its holder.
func (c *Counter) card(ctx context.Context, id string) (*Card, string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	card, err := c.Office.Card(ctx, id)
	if err != nil {
		return nil, "", err
	}
	app, err := c.Office.Application(ctx, card.Application)
	if err != nil {
		return nil, "", err
	}
	return card, app.Person, nil
}

// cardStatus is what the interface calls a card's phase, and what may be done to it.
func cardStatus(p issuance.Phase) (status string, possible []string) {
	switch p {
	case issuance.Active:
		return "ACTIVE", []string{"suspend", "revoke"}
	case issuance.Suspended:
		return "SUSPENDED", []string{"unsuspend", "revoke"}
	case issuance.Revoked:
		return "REVOKED", nil
	case issuance.Superseded, issuance.Spoiled, issuance.Returned, issuance.Destroyed, issuance.Failed:
		return "OTHER", nil
	}
	return "NEW", nil
}
