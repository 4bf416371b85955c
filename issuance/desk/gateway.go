package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance/intake"
	"github.com/tamthe/tamthe/issuance/osia/cms"
	"github.com/tamthe/tamthe/issuance/vault"
)

// Gateway makes cases of what systems of others request through OSIA's interface: a cms.Office.
// To the desk such a case is one of a portal's, whose messages the gateway signs. It may be
// used by several goroutines at once.
type Gateway struct {
	counter *Counter
	portraits
	taker   *intake.Server
	clients map[string]*intake.Client
}

// portraits are those that came with requests.
type portraits interface {
	Portrait(ctx context.Context, system, name string) (code string, sealed []byte, err error)
	Portraits(ctx context.Context) ([]string, error)
	Forget(ctx context.Context, code string) error
}

const (
	// gatewayURL is for what office the gateway signs: its messages are nothing at another.
	gatewayURL = "urn:tamthe:cms"
	// gatewayPrefix keeps the names of systems and portals apart.
	gatewayPrefix = "osia."
	// gatewayWindow is how old a message may be that was begun and is gone on with.
	gatewayWindow = 10 * 365 * 24 * time.Hour
)

// NewGateway opens a gateway for systems. The key signs what they send, and the receipts of it,
// which nobody sees.
func NewGateway(c *Counter, p portraits, systems []cms.System, sign func(portal string) (*intake.Signer, error), office *intake.Signer, now func() time.Time) (*Gateway, error) {
	g := &Gateway{counter: c, portraits: p, clients: map[string]*intake.Client{}}
	conf := intake.Config{URL: gatewayURL, Store: c.Store, Vault: c, Ledger: c, Signer: office, Now: now}
	for _, y := range systems {
		id := gatewayPrefix + y.ID
		signer, err := sign(id)
		if err != nil {
			return nil, err
		}
		keys, err := signer.Keys()
		if err != nil {
			return nil, err
		}
		public, err := intake.ParseKeys(keys)
		if err != nil {
			return nil, err
		}
		g.clients[y.ID] = &intake.Client{URL: gatewayURL, Portal: id, Signer: signer}
		conf.Portals = append(conf.Portals, intake.Portal{
			ID: id, Name: y.ID, Keys: public, Purposes: []string{y.Purpose}, Rate: 1 << 30, Size: intake.MaxMessage, Window: gatewayWindow,
		})
	}
	var err error
	g.taker, err = intake.New(conf)
	return g, err
}

// MAC is of a text, under the key by which persons are named.
func (g *Gateway) MAC(text string) (string, error) { return g.counter.Person(vn.Number(text)) }

// CheckPortrait says what is wrong with a picture for a card.
func (g *Gateway) CheckPortrait(jpeg []byte) error { return checkPortrait(jpeg) }

// Take makes a case of a request, or changes one, and returns its code.
func (g *Gateway) Take(ctx context.Context, f cms.Filing) (string, error) {
	client := g.clients[f.System]
	if client == nil {
		return "", cms.ErrUnknown
	}
	m := intake.Message{Request: f.Name, Case: f.ID, Revision: f.Revision, Purpose: f.Purpose, Time: f.At, Salt: f.Salt}
	switch f.Act {
	case cms.Create:
		m.Act = intake.File
	case cms.Update:
		m.Act = intake.Amend
	case cms.Cancel:
		m.Act = intake.Withdraw
	}
	if f.Act != cms.Cancel {
		m.Reason, m.Person = f.Reason, f.Person
	}
	signed, err := client.Seal(m)
	if err != nil {
		return "", err
	}
	receipt, err := g.taker.Take(ctx, "gateway", signed)
	if r, ok := errors.AsType[*intake.Refusal](err); ok {
		return "", refusedCase(r)
	}
	if err != nil {
		return "", err
	}
	var said intake.Receipt
	if err := json.Unmarshal(receipt.Body, &said); err != nil {
		return "", err
	}
	return said.Code, nil
}

// refusedCase is what a refusal of a message means to the system.
func refusedCase(r *intake.Refusal) error {
	switch r.Code {
	case intake.CodeClosed:
		return cms.ErrClosed
	case intake.CodeRevision:
		return cms.ErrConflict
	case intake.CodeReused:
		return &cms.Problem{Code: cms.CodeTransaction, Message: "the transactionId was used for something else"}
	case intake.CodePerson:
		return &cms.Problem{Code: cms.CodePerson, Message: "the person's data can't stand on a card"}
	case intake.CodeReason:
		return &cms.Problem{Code: cms.CodeReason, Message: "there is no card for that reason"}
	case intake.CodeSize:
		return &cms.Problem{Code: cms.CodeFormat, Message: "the request is too long"}
	}
	return fmt.Errorf("the case was refused: %s", r.Code)
}

// portraitPlace is where a portrait lies that came with a request.
func portraitPlace(code, name string) vault.Place {
	return vault.Place{Table: "portrait", Row: code + " " + name, Column: "sealed"}
}

// SealPortrait seals a portrait under the case's key, with which it is destroyed.
func (g *Gateway) SealPortrait(ctx context.Context, code, name string, jpeg []byte) ([]byte, error) {
	c := g.counter
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Office.Vault == nil {
		return nil, ErrNoVault
	}
	sealed, err := c.Office.Vault.Seal(ctx, code, vault.Personal, portraitPlace(code, name), jpeg)
	if errors.Is(err, vault.ErrShredded) {
		return nil, cms.ErrClosed
	}
	return sealed, err
}

// FiledPortrait opens the portrait that came with the newest content of a case; cms.ErrUnknown
// where none did, vault.ErrShredded once it was destroyed.
func (c *Counter) FiledPortrait(ctx context.Context, code string, p portraits) ([]byte, error) {
	k, err := c.Store.Case(ctx, code)
	if err != nil {
		return nil, err
	}
	m, err := c.Store.Content(ctx, code, k.Revision)
	if err != nil {
		return nil, err
	}
	system, ok := strings.CutPrefix(k.Portal, gatewayPrefix)
	if !ok {
		return nil, cms.ErrUnknown
	}
	_, sealed, err := p.Portrait(ctx, system, m.Request)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Office.Vault == nil {
		return nil, ErrNoVault
	}
	secret, err := c.Office.Vault.Open(ctx, code, portraitPlace(code, m.Request), sealed)
	if err != nil {
		return nil, err
	}
	defer secret.Destroy()
	return slices.Clone(secret.Bytes()), nil
}

// Sweep wipes the portraits of cases that the system can't change any more: their keys are
// destroyed already. One that fails keeps none of the others from it; the error joins all.
func (g *Gateway) Sweep(ctx context.Context) error {
	err := g.counter.Follow(ctx) // what was over before can be wiped all the same
	codes, listed := g.Portraits(ctx)
	err = errors.Join(err, listed)
	for _, code := range codes {
		if e := g.wipe(ctx, code); e != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", code, e))
		}
	}
	return err
}

// wipe wipes the portraits of a case, unless it is open.
func (g *Gateway) wipe(ctx context.Context, code string) error {
	k, err := g.counter.Store.Case(ctx, code)
	if err != nil || k.State.Open() {
		return err
	}
	return g.Forget(ctx, code)
}
