package portal

import (
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/tamthe/tamthe/issuance/intake"
)

// fields are what the portal asks of the card: the scope, the claim that answers it, and what
// it is called.
var fields = []struct {
	scope, claim string
	words        intake.Words
}{
	{"number", "number", intake.Words{VI: "Số định danh cá nhân", EN: "Personal number"}},
	{"name", "name", intake.Words{VI: "Họ, chữ đệm và tên", EN: "Name"}},
	{"birth", "birthdate", intake.Words{VI: "Ngày sinh", EN: "Date of birth"}},
	{"sex", "gender", intake.Words{VI: "Giới tính", EN: "Sex"}},
	{"nationality", "nationality", intake.Words{VI: "Quốc tịch", EN: "Nationality"}},
	{"ethnicity", "ethnicity", intake.Words{VI: "Dân tộc", EN: "Ethnicity"}},
	{"origin", "origin", intake.Words{VI: "Quê quán", EN: "Place of origin"}},
	{"residence", "residence", intake.Words{VI: "Nơi cư trú", EN: "Residence"}},
	{"document_expiry", "document_expiry", intake.Words{VI: "Thẻ có giá trị đến", EN: "Card expires"}},
}

// pending is a login under way: what only this browser's answer has.
type pending struct{ state, nonce, verifier string }

// citizen is who logged in.
type citizen struct {
	subject string            // the citizen's name at this portal
	level   string            // acr
	nonce   string            // of the login
	told    map[string]string // what the card disclosed, by claim
}

func (p *Portal) login(q *request) error {
	c, _, err := p.oauth(q.Context())
	if err != nil {
		return &problem{http.StatusBadGateway, intake.Words{VI: "Dịch vụ xác thực chưa trả lời.", EN: "The service that logs you in does not answer."}, "eid-down"}
	}
	one := &pending{random(), random(), oauth2.GenerateVerifier()}
	p.begin(q, &session{login: one})
	return q.redirect(c.AuthCodeURL(one.state, oidc.Nonce(one.nonce), oauth2.S256ChallengeOption(one.verifier)))
}

// notLoggedIn is a login that came to nothing.
func notLoggedIn(code string) error {
	return &problem{http.StatusForbidden, intake.Words{VI: "Đăng nhập không thành công. Vui lòng bắt đầu lại.", EN: "You are not logged in. Begin again."}, code}
}

func (p *Portal) back(q *request) error {
	if q.session == nil || q.session.login == nil {
		return notLoggedIn("no-session")
	}
	one := q.session.login
	p.begin(q, &session{}) // a code is good once, and so is this
	switch {
	case subtle.ConstantTimeCompare([]byte(q.FormValue("state")), []byte(one.state)) != 1:
		return notLoggedIn("state")
	case q.FormValue("error") != "":
		return notLoggedIn("refused")
	}
	c, provider, err := p.oauth(q.Context())
	if err != nil {
		return err
	}
	tokens, err := c.Exchange(q.Context(), q.FormValue("code"), oauth2.VerifierOption(one.verifier))
	if err != nil {
		return notLoggedIn("code")
	}
	raw, _ := tokens.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: p.c.Client, SupportedSigningAlgs: []string{oidc.ES256}}).Verify(q.Context(), raw)
	if err != nil {
		return notLoggedIn("token")
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(one.nonce)) != 1 {
		return notLoggedIn("nonce")
	}
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		return notLoggedIn("token")
	}
	who := &citizen{subject: id.Subject, nonce: id.Nonce, told: map[string]string{}}
	who.level, _ = claims["acr"].(string)
	for _, f := range fields {
		if v, ok := claims[f.claim].(string); ok {
			who.told[f.claim] = strings.TrimSpace(v)
		}
	}
	p.begin(q, &session{citizen: who})
	return q.redirect("/account")
}

// citizen is who is logged in; a problem without.
func (q *request) citizen() (*citizen, error) {
	if q.session == nil || q.session.citizen == nil {
		return nil, &problem{http.StatusForbidden, intake.Words{VI: "Bạn chưa đăng nhập.", EN: "You are not logged in."}, "no-session"}
	}
	return q.session.citizen, nil
}
