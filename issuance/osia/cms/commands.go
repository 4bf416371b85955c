package cms

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/issuance"
)

// commands are what each command does, and the ledger's reasons for it.
var commands = map[string]struct {
	act   issuance.Act
	done  string // the status that a card has then
	usual string // the reason where none is given
}{
	"suspend":   {issuance.Suspend, "SUSPENDED", "reported"},
	"unsuspend": {issuance.Resume, "ACTIVE", "found"},
	"revoke":    {issuance.Revoke, "REVOKED", ""},
}

func (s *Server) suspend(c *call) (int, any, error)   { return s.reasoned(c, "suspend") }
func (s *Server) unsuspend(c *call) (int, any, error) { return s.reasoned(c, "unsuspend") }
func (s *Server) revoke(c *call) (int, any, error)    { return s.reasoned(c, "revoke") }

// reasoned reads a body with a reason, or none.
func (s *Server) reasoned(c *call, act string) (int, any, error) {
	reason := ""
	if len(c.body) > 0 {
		o, err := object(c.body, "the body")
		if err != nil {
			return 0, nil, err
		}
		if reason, _, err = text(o, "reason"); err != nil {
			return 0, nil, err
		}
	}
	return http.StatusNoContent, nil, s.command(c, act, reason, "")
}

// setStatus reads what status a card is to have: that of the interface, or LOST and STOLEN,
// which revoke it for that reason.
func (s *Server) setStatus(c *call) (int, any, error) {
	o, err := object(c.body, "the body", "status", "reason", "requester", "comment")
	if err != nil {
		return 0, nil, err
	}
	status, ok, err := text(o, "status")
	reason, _, e1 := text(o, "reason")
	requester, _, e2 := text(o, "requester")
	comment, _, e3 := text(o, "comment")
	if err := cmpError(err, e1, e2, e3); err != nil {
		return 0, nil, err
	}
	if !ok {
		return 0, nil, problem(CodeFormat, "status is missing")
	}
	if requester != "" && !isName(requester) {
		return 0, nil, problem(CodeName, "requester is a name of letters, digits, dots, hyphens and underscores")
	}
	if comment != "" {
		return 0, nil, problem(CodeDemand, "comment is not kept here: a reason says why")
	}
	act, ok := map[string]string{"SUSPENDED": "suspend", "ACTIVE": "unsuspend", "REVOKED": "revoke", "LOST": "revoke", "STOLEN": "revoke"}[status]
	if !ok {
		return 0, nil, problem(CodeDemand, "status is SUSPENDED, ACTIVE, REVOKED, LOST or STOLEN")
	}
	if status == "LOST" || status == "STOLEN" {
		if want := strings.ToLower(status); reason == "" || reason == want {
			reason = want
		} else {
			return 0, nil, problem(CodeReason, "the reason contradicts the status")
		}
	}
	return http.StatusNoContent, nil, s.command(c, act, reason, requester)
}

// command stores what is to be done to a card, for an officer to do. Where it is so already
// there is nothing to do.
func (s *Server) command(c *call, act, reason, requester string) error {
	k := commands[act]
	if reason == "" {
		reason = k.usual
	}
	if words := issuance.Reasons(issuance.KindCard, k.act); !slices.Contains(words, reason) {
		return problem(CodeReason, "the reason to "+act+" is one of "+strings.Join(words, ", "))
	}
	card, err := s.seen(c, c.id)
	if err != nil {
		return err
	}
	first, err := s.begun(c, act, func(*Call) error {
		if card.Status != k.done && !slices.Contains(card.Possible, act) {
			return ErrClosed
		}
		return nil
	})
	if err != nil || first.Done {
		return err
	}
	if card.Status != k.done {
		order := Command{System: c.ID, Name: c.name, Card: card.ID, Act: act, Reason: reason, Requester: requester, State: Waiting, At: first.At, Since: first.At}
		got, err := s.c.Store.Command(c.ctx, order)
		if err != nil && !errors.Is(err, ErrConflict) {
			return err
		}
		s.c.Log.Info("commanded", "system", c.ID, "act", act, "card", card.ID, "command", got.ID)
	}
	return s.c.Store.Finish(c.ctx, c.ID, c.name)
}
