package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/osia/cms"
)

// Commands are what systems of others want done to cards, for officers whose role it is. What
// an officer does stands in the ledger under the officer's key, as if nobody had asked.
type Commands struct {
	Office *Office
	Store  cms.Store
}

// commandActs are the acts of commands, and the phase that each leads to.
var commandActs = map[string]issuance.Act{"suspend": issuance.Suspend, "unsuspend": issuance.Resume, "revoke": issuance.Revoke}

// CommandReasons lists the reasons for which a command is refused.
func CommandReasons() []string { return []string{"not-proven", "mistake", "wrong-office", "overtaken"} }

// Do does what a command says, in the name of the operator who is signed in. A command that was
// done and not crossed off, because the program was cut, is crossed off.
func (c *Commands) Do(ctx context.Context, id string) error {
	k, err := c.Store.Commanded(ctx, id)
	if err != nil {
		return err
	}
	if k.State != cms.Waiting {
		return fmt.Errorf("%s is %s: %w", id, k.State, cms.ErrClosed)
	}
	me, err := c.revoker(ctx)
	if err != nil {
		return err
	}
	card, err := c.Office.Card(ctx, k.Card)
	if err != nil {
		return err
	}
	act, ok := commandActs[k.Act]
	if !ok {
		return fmt.Errorf("%s: %w", k.Act, cms.ErrUnknown)
	}
	if !c.done(card, act, k.At) {
		switch act {
		case issuance.Suspend:
			err = c.Office.Suspend(ctx, k.Card, k.Reason)
		case issuance.Resume:
			err = c.Office.Resume(ctx, k.Card, k.Reason)
		case issuance.Revoke:
			err = c.Office.Revoke(ctx, k.Card, k.Reason)
		}
		if err != nil {
			return err
		}
	}
	return c.decide(ctx, id, cms.Done, "", me)
}

// done reports whether the last that was done to a card, since a command came, is what it says.
func (c *Commands) done(card *Card, act issuance.Act, since time.Time) bool {
	last := card.History[len(card.History)-1]
	return last.Act == act && !last.Time.Before(since)
}

// Refuse refuses a command, for one of CommandReasons.
func (c *Commands) Refuse(ctx context.Context, id, reason string) error {
	if !slices.Contains(CommandReasons(), reason) {
		return fmt.Errorf("%w: %q is no reason for which a command is refused: %s", issuance.ErrWord, reason, strings.Join(CommandReasons(), ", "))
	}
	if _, err := c.Store.Commanded(ctx, id); err != nil {
		return err
	}
	me, err := c.revoker(ctx)
	if err != nil {
		return err
	}
	return c.decide(ctx, id, cms.Refused, reason, me)
}

func (c *Commands) decide(ctx context.Context, id string, to cms.CommandState, why, me string) error {
	err := c.Store.Decide(ctx, id, to, why, me, c.Office.Now().UTC().Truncate(time.Microsecond))
	if errors.Is(err, cms.ErrConflict) {
		return fmt.Errorf("%s: %w", id, cms.ErrClosed)
	}
	return err
}

// revoker is the name of the operator who is signed in, who puts cards out of force.
func (c *Commands) revoker(ctx context.Context) (string, error) {
	s, err := c.Office.begin(ctx)
	if err != nil {
		return "", err
	}
	me, ok := s.state.Operator(s.me)
	switch {
	case !ok || !me.Active:
		return "", issuance.ErrOperator
	case !me.May(issuance.Revoker):
		return "", fmt.Errorf("%s: %w", me.Name, issuance.ErrRole)
	}
	return me.Name, nil
}
