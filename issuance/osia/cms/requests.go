package cms

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// transactionName is how a system's transaction is kept: what a system writes into a
// transactionId is its own, and may be anything.
func transactionName(system, id string) string {
	sum := sha256.Sum256([]byte(system + "\x00" + id))
	return "t" + hex.EncodeToString(sum[:20])
}

func (s *Server) createRequest(c *call) (int, any, error) {
	o, err := s.parseOrder(c.id, c.body)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, nil, s.file(c, Create, o)
}

func (s *Server) updateRequest(c *call) (int, any, error) {
	o, err := s.parseOrder(c.id, c.body)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, s.file(c, Update, o)
}

func (s *Server) cancelRequest(c *call) (int, any, error) {
	return http.StatusNoContent, nil, s.file(c, Cancel, &order{})
}

// begun is the call of a transaction: a new one, which is stored, or the one that was before.
// Of another act, target or content it is refused.
func (s *Server) begun(c *call, op string, prepare func(*Call) error) (Call, error) {
	mac, err := s.c.Office.MAC(strings.Join([]string{"cms", op, c.id, string(c.body)}, "\x00"))
	if err != nil {
		return Call{}, err
	}
	for range 2 { // the same call may come twice at once
		k, err := s.c.Store.Call(c.ctx, c.ID, c.name)
		switch {
		case err == nil && (k.Op != op || k.Target != c.id || k.MAC != mac):
			return k, problem(CodeTransaction, "the transactionId was used for something else")
		case err == nil:
			return k, nil
		case !errors.Is(err, ErrUnknown):
			return k, err
		}
		k = Call{System: c.ID, Name: c.name, Op: op, Target: c.id, MAC: mac, At: s.c.Now().UTC().Truncate(time.Microsecond), Salt: salt(), Revision: 1}
		if err := prepare(&k); err != nil {
			return k, err
		}
		if err := s.c.Store.Begin(c.ctx, k); !errors.Is(err, ErrConflict) {
			return k, err
		}
	}
	return Call{}, ErrConflict
}

func salt() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// file makes a case of a request, or changes one. The call is stored first, with all that the
// case's message is made of besides: cut anywhere, the same call goes on from there.
func (s *Server) file(c *call, act Act, o *order) error {
	k, err := s.begun(c, string(act), func(k *Call) error { return s.prepare(c, act, o, k) })
	if err != nil || k.Done {
		return err
	}
	f := Filing{System: c.ID, ID: c.id, Name: k.Name, Act: act, Purpose: c.Purpose, Person: o.person, Reason: o.meta.Reason, At: k.At, Salt: k.Salt}
	var code string
	for range 16 {
		f.Revision = k.Revision
		code, err = s.c.Office.Take(c.ctx, f)
		if !errors.Is(err, ErrConflict) {
			break
		}
		if act == Create {
			return ErrExists
		}
		now, err := s.c.Office.Request(c.ctx, c.ID, c.id) // another update was faster
		if err != nil {
			return err
		}
		k.Revision = now.Revision + 1
		if err := s.c.Store.Revise(c.ctx, k); err != nil {
			return err
		}
	}
	if err == nil && o.portrait != nil {
		err = s.keepPortrait(c, code, k.Name, o.portrait)
	}
	if err == nil {
		err = s.c.Store.Finish(c.ctx, c.ID, k.Name)
	}
	if err == nil {
		s.c.Log.Info("taken", "system", c.ID, "act", string(act), "case", code)
	}
	return err
}

// keepPortrait seals a portrait and stores it. Where the desk has the case already, because the
// call was cut and came again later, it is too late for one, and nothing is wrong.
func (s *Server) keepPortrait(c *call, code, name string, jpeg []byte) error {
	sealed, err := s.c.Office.SealPortrait(c.ctx, code, name, jpeg)
	switch {
	case errors.Is(err, ErrClosed):
		return nil
	case err != nil:
		return err
	}
	return s.c.Store.KeepPortrait(c.ctx, c.ID, name, code, sealed)
}

// prepare says before a call is stored whether it can be, and of which revision it is.
func (s *Server) prepare(c *call, act Act, o *order, k *Call) error {
	now, err := s.c.Office.Request(c.ctx, c.ID, c.id)
	switch {
	case act == Create && err == nil:
		return ErrExists
	case act == Create && !errors.Is(err, ErrUnknown):
		return err
	case act != Create && err != nil:
		return err
	case act != Create && !now.Open:
		return ErrClosed
	case act == Cancel:
		k.Revision = 0
		return nil
	case act == Update:
		k.Revision = now.Revision + 1
	}
	if o.meta.PersonMAC, err = s.personMAC(c.ID, o.personID); err != nil {
		return err
	}
	k.Meta, err = json.Marshal(o.meta)
	return err
}

// personMAC is by what a system's name for a person is found.
func (s *Server) personMAC(system, id string) (string, error) {
	return s.c.Office.MAC(strings.Join([]string{"cms person", system, id}, "\x00"))
}

// credentialRequest and requestData are the interface's.
type (
	credentialRequest struct {
		ID         string         `json:"credentialRequestId"`
		Status     string         `json:"status"`
		Data       requestData    `json:"requestData"`
		Person     string         `json:"personId"`
		Biographic map[string]any `json:"biographicData"`
		Cards      []string       `json:"credentialIds"`
	}
	requestData struct {
		Priority  int            `json:"priority"`
		Profile   string         `json:"credentialProfileId"`
		Type      string         `json:"requestType"`
		Other     string         `json:"requestTypeOther,omitempty"`
		Authority string         `json:"issuingAuthority,omitempty"`
		Office    string         `json:"deliveryOffice,omitempty"`
		Parent    string         `json:"parentCredentialId,omitempty"`
		Others    map[string]any `json:"others"`
	}
)

func (s *Server) readRequest(c *call) (int, any, error) {
	now, err := s.c.Office.Request(c.ctx, c.ID, c.id)
	if err != nil {
		return 0, nil, err
	}
	m, err := s.metaOf(c, now.Message)
	if err != nil {
		return 0, nil, err
	}
	out := credentialRequest{
		ID: c.id, Status: now.Status, Person: m.Person, Biographic: map[string]any{}, Cards: append([]string{}, now.Cards...),
		Data: requestData{m.Priority, m.Profile, m.Type, m.Other, m.Authority, m.Office, m.Parent, map[string]any{
			"reason": m.Reason, "receipt": now.Code, "step": now.Step, "destroyed": now.Person == nil,
		}},
	}
	if now.Why != "" {
		out.Data.Others["why"] = now.Why
	}
	if now.Person != nil {
		var ours map[string]any
		if err := json.Unmarshal(now.Person, &ours); err != nil {
			return 0, nil, err
		}
		for _, a := range attributes {
			value, ok := ours[a.ours]
			if ok && (len(c.attributes) == 0 || slices.Contains(c.attributes, a.theirs)) {
				out.Biographic[a.theirs] = value
			}
			if a.ours == "number" && out.Person == "" {
				out.Person, _ = value.(string)
			}
		}
	}
	return http.StatusOK, out, nil
}

// metaOf is how the credential of a request's newest message is to be made.
func (s *Server) metaOf(c *call, message string) (m meta, err error) {
	k, err := s.c.Store.Call(c.ctx, c.ID, message)
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(k.Meta, &m)
}
