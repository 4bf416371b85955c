package cms

import (
	"net/http"
	"slices"
	"time"
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
