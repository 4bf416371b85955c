package cms

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"
)

// maxLooked bounds how many requests a search looks at.
const maxLooked = 1000

// profile is the interface's CredentialProfile. How long a card is good for depends on its
// holder's age.
type profile struct {
	ID          string `json:"credentialProfileId"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	Type        string `json:"credentialType"`
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
