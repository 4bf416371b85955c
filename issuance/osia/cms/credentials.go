package cms

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/issuance"
)

// credential is the interface's CredentialData.
type credential struct {
	ID        string         `json:"credentialId"`
	Status    string         `json:"status"`
	Other     string         `json:"statusOther,omitempty"`
	Person    string         `json:"personId"`
	Profile   string         `json:"credentialProfileId"`
	Issued    *time.Time     `json:"issuedDate,omitempty"`
	Authority string         `json:"issuingAuthority,omitempty"`
	Others    map[string]any `json:"others,omitempty"`
}

// seen is a card that a system may see: of its own request, or any, where it may. What it may
// not see does not exist.
func (s *Server) seen(c *call, id string) (Card, error) {
	card, err := s.c.Office.Card(c.ctx, id)
	if err == nil && card.System != c.ID && !c.Everyone {
		err = ErrUnknown
	}
	return card, err
}

// describe says of a card what the interface has, with the commands that wait for an officer.
func (s *Server) describe(c *call, card Card) (credential, error) {
	out := credential{ID: card.ID, Status: card.Status, Person: card.Person, Profile: card.Profile, Authority: s.c.Authority, Others: map[string]any{}}
	if card.Status == "OTHER" {
		out.Other = card.Other
	}
	if !card.Issued.IsZero() {
		out.Issued = &card.Issued
	}
	if card.Reason != "" {
		out.Others["reason"] = card.Reason
	}
	if card.System == c.ID {
		out.Others["credentialRequestId"] = card.Request
		m, err := s.metaOf(c, card.Message)
		if err != nil {
			return out, err
		}
		if m.Person != "" {
			out.Person = m.Person
		}
	}
	list, err := s.c.Store.Commands(c.ctx, Waiting)
	if err != nil {
		return out, err
	}
	waiting := []string{}
	for _, k := range list {
		if k.Card == card.ID {
			waiting = append(waiting, k.Act)
		}
	}
	if len(waiting) > 0 {
		out.Others["waiting"] = waiting
	}
	return out.only(c.attributes), nil
}

// only leaves out what was not asked for, but for what the interface requires.
func (k credential) only(names []string) credential {
	if len(names) == 0 {
		return k
	}
	if !slices.Contains(names, "statusOther") {
		k.Other = ""
	}
	if !slices.Contains(names, "issuedDate") {
		k.Issued = nil
	}
	if !slices.Contains(names, "issuingAuthority") {
		k.Authority = ""
	}
	if !slices.Contains(names, "others") {
		k.Others = nil
	}
	return k
}

func (s *Server) readCredential(c *call) (int, any, error) {
	card, err := s.seen(c, c.id)
	if err != nil {
		return 0, nil, err
	}
	out, err := s.describe(c, card)
	return http.StatusOK, out, err
}

// updateCredential: a card that was signed and handed over is what it is. What says nothing
// new is done; all else is not.
func (s *Server) updateCredential(c *call) (int, any, error) {
	o, err := object(c.body, "the credential", "credentialId", "status", "statusOther", "credentialNumber", "personId", "credentialProfileId", "credentialProfileVersion",
		"credentialProfileSubtype", "numberOfPages", "issuedDate", "expiryDate", "serialNumber", "issuingAuthority", "issuingPlace", "others")
	if err != nil {
		return 0, nil, err
	}
	for _, key := range []string{"credentialId", "status", "personId", "credentialProfileId"} {
		if _, _, err := text(o, key); err != nil {
			return 0, nil, err
		}
	}
	card, err := s.seen(c, c.id)
	if err != nil {
		return 0, nil, err
	}
	out, err := s.describe(&call{caller: c.caller, ctx: c.ctx}, card)
	if err != nil {
		return 0, nil, err
	}
	for key, value := range map[string]string{"credentialId": out.ID, "status": out.Status, "personId": out.Person, "credentialProfileId": out.Profile, "issuingAuthority": out.Authority} {
		said, ok, err := text(o, key)
		if err != nil {
			return 0, nil, err
		}
		if ok && said != value {
			return 0, nil, ErrClosed
		}
		delete(o, key)
	}
	if len(o) > 0 {
		return 0, nil, ErrClosed
	}
	return http.StatusNoContent, nil, nil
}

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

// findCredentials finds among a system's own. It is no search of persons: a system finds whom
// it named, by the name that it gave.
func (s *Server) findCredentials(c *call) (int, any, error) {
	q, err := parseSearch(c.body, "credentialId", "status", "personId", "credentialRequestId", "credentialProfileId", "issuedDate")
	if err != nil {
		return 0, nil, err
	}
	ids, err := s.candidates(c, q)
	if err != nil {
		return 0, nil, err
	}
	found := []credential{}
	for _, id := range ids {
		card, err := s.seen(c, id)
		if errors.Is(err, ErrUnknown) {
			continue
		}
		if err != nil {
			return 0, nil, err
		}
		full, err := s.describe(&call{caller: c.caller, ctx: c.ctx}, card)
		if err != nil {
			return 0, nil, err
		}
		request := ""
		if card.System == c.ID {
			request = card.Request
		}
		issued := ""
		if full.Issued != nil {
			issued = full.Issued.UTC().Format(time.RFC3339)
		}
		if !q.match(map[string]string{
			"credentialId": full.ID, "status": full.Status, "credentialRequestId": request, "credentialProfileId": full.Profile, "issuedDate": issued,
		}) {
			continue
		}
		if found = append(found, full.only(c.attributes)); len(found) > maxFound {
			return 0, nil, problem(CodeSearch, "more than 100 credentials: narrow the search")
		}
	}
	return http.StatusOK, found, nil
}

// maxLooked bounds how many requests a search looks at.
const maxLooked = 1000

// candidates are the cards that a search is to look at.
func (s *Server) candidates(c *call, q search) ([]string, error) {
	if id, ok := q.equal("credentialId"); ok {
		return []string{id}, nil
	}
	mac := ""
	if id, ok := q.equal("personId"); ok {
		var err error
		if mac, err = s.personMAC(c.ID, id); err != nil {
			return nil, err
		}
	} else if q.has("personId") {
		return nil, problem(CodeSearch, "personId is searched for by = only")
	}
	calls, err := s.c.Store.Created(c.ctx, c.ID)
	if err != nil {
		return nil, err
	}
	request, one := q.equal("credentialRequestId")
	var ids []string
	looked := 0
	for _, k := range calls {
		var m meta
		if err := json.Unmarshal(k.Meta, &m); err != nil {
			return nil, err
		}
		if mac != "" && m.PersonMAC != mac || one && k.Target != request {
			continue
		}
		if looked++; looked > maxLooked {
			return nil, problem(CodeSearch, "too many requests: narrow the search by personId or credentialRequestId")
		}
		now, err := s.c.Office.Request(c.ctx, c.ID, k.Target)
		if err != nil {
			return nil, err
		}
		ids = append(ids, now.Cards...)
	}
	return ids, nil
}

// profile is the interface's CredentialProfile. How long a card is good for depends on its
// holder's age.
type profile struct {
	ID          string `json:"credentialProfileId"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	Type        string `json:"credentialType"`
}

func (s *Server) findProfiles(c *call) (int, any, error) {
	q, err := parseSearch(c.body, "credentialProfileId", "name", "credentialType")
	if err != nil {
		return 0, nil, err
	}
	out := []profile{}
	p := profile{s.c.Profile.ID, s.c.Profile.Name, s.c.Profile.Description, "ID_CARD"}
	if q.match(map[string]string{"credentialProfileId": p.ID, "name": p.Name, "credentialType": p.Type}) {
		if len(c.attributes) > 0 && !slices.Contains(c.attributes, "name") {
			p.Name = ""
		}
		if len(c.attributes) > 0 && !slices.Contains(c.attributes, "description") {
			p.Description = ""
		}
		out = append(out, p)
	}
	return http.StatusOK, out, nil
}
