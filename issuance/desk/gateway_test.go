package desk

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/intake"
	"github.com/tamthe/tamthe/issuance/osia/cms"
	"github.com/tamthe/tamthe/issuance/osia/osiatest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// gatewayRig is an office that other systems order cards of, over HTTP held against the
// contract.
type gatewayRig struct {
	*rig
	contract  *osiatest.Contract
	store     *sqlite.OSIA
	filed     *sqlite.Intake
	gateway   *Gateway
	url       string
	an, binh  *Counter
	commands  *Commands
	transacts int
}

const authority = "SPECIMEN Police"

func newGateway(t testing.TB) *gatewayRig {
	t.Helper()
	ctx := t.Context()
	g := &gatewayRig{rig: newRig(t), contract: osiatest.New(t, "cms")}
	check(t, sqlite.CreateIntake(ctx, g.path("intake.db"), g.size(t)))
	check(t, sqlite.CreateOSIA(ctx, g.path("osia.db")))
	g.filed = must(sqlite.OpenIntake(ctx, g.path("intake.db")))(t)
	g.store = must(sqlite.OpenOSIA(ctx, g.path("osia.db")))(t)
	t.Cleanup(func() { check(t, errors.Join(g.filed.Close(), g.store.Close())) })
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	systems := []cms.System{
		{ID: "enrolment", Scopes: cms.Scopes(), Tokens: [][32]byte{sha256.Sum256([]byte("token-enrolment"))}, Purpose: "cards", Rate: 1 << 20},
		{ID: "other", Scopes: cms.Scopes(), Tokens: [][32]byte{sha256.Sum256([]byte("token-other"))}, Purpose: "cards", Rate: 1 << 20},
		{ID: "reader", Scopes: []string{cms.CredentialRead}, Tokens: [][32]byte{sha256.Sum256([]byte("token-reader"))}, Purpose: "cards", Rate: 1 << 20, Everyone: true},
		{ID: "busy", Scopes: cms.Scopes(), Tokens: [][32]byte{sha256.Sum256([]byte("token-busy"))}, Purpose: "cards", Rate: 1},
	}
	now := func() time.Time { return g.now }
	looking := &Counter{Office: &Office{Store: g.rig.store, Vault: g.vault, Now: now}, Store: g.filed}
	g.gateway = must(NewGateway(looking, g.store, systems, func(portal string) (*intake.Signer, error) { return intake.NewSigner(key, portal) },
		must(intake.NewOfficeSigner(key))(t), now))(t)
	s := must(cms.New(cms.Config{
		Systems: systems, Authority: authority, Profile: cms.Profile{ID: Profile, Name: "CCCD"}, Office: g.gateway, Store: g.store, Now: now,
	}))(t)
	web := httptest.NewServer(g.contract.Handler(s.Handler()))
	t.Cleanup(web.Close)
	g.url = web.URL
	g.an, g.binh = &Counter{Office: g.rig.an, Store: g.filed}, &Counter{Office: g.rig.binh, Store: g.filed}
	g.commands = &Commands{Office: g.rig.binh, Store: g.store}
	return g
}

// wanted is a credential request of a person, changed by change.
func wanted(t testing.TB, personID string, who vn.Person, change func(map[string]any)) string {
	t.Helper()
	b := map[string]any{
		"personId": personID,
		"requestData": map[string]any{
			"priority": 5, "credentialProfileId": Profile, "requestType": "FIRST_ISSUANCE", "issuingAuthority": authority, "deliveryOffice": "ward-1",
		},
		"biographicData": map[string]any{
			"personalNumber": string(who.Number), "lastName": who.Surname, "firstName": who.Given, "gender": who.Sex, "dateOfBirth": who.Birth.String(), "nationality": "VNM",
			"placeOfOrigin": who.Origin, "residence": who.Residence, "ethnicity": who.Ethnicity, "religion": who.Religion, "features": who.Features,
			"father": who.Father, "mother": who.Mother, "spouse": who.Spouse,
		},
		"biometricData": []any{map[string]any{"biometricType": "FACE", "image": base64.StdEncoding.EncodeToString(faceOf(1, 80)), "mimeType": "image/jpeg", "compression": "JPEG"}},
	}
	if change != nil {
		change(b)
	}
	return string(must(json.Marshal(b))(t))
}

// call makes a call as a system; transaction empty is a new one.
func (g *gatewayRig) call(t testing.TB, system, transaction, method, path, body string) (int, map[string]any, []any) {
	t.Helper()
	if transaction == "" {
		g.transacts++
		transaction = "tx " + string(rune('a'+g.transacts%26)) + strings.Repeat("x", g.transacts/26)
	}
	query := "transactionId=" + url.QueryEscape(transaction)
	if strings.Contains(path, "?") {
		path += "&" + query
	} else {
		path += "?" + query
	}
	req := must(http.NewRequestWithContext(t.Context(), method, g.url+path, strings.NewReader(body)))(t)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if system != "" {
		req.Header.Set("Authorization", "Bearer token-"+system)
	}
	resp := must(http.DefaultClient.Do(req))(t)
	defer resp.Body.Close()
	b := must(io.ReadAll(resp.Body))(t)
	var one map[string]any
	var many []any
	if json.Unmarshal(b, &one) != nil {
		_ = json.Unmarshal(b, &many)
	}
	return resp.StatusCode, one, many
}

func (g *gatewayRig) wants(t testing.TB, what string, want int, system, transaction, method, path, body string) map[string]any {
	t.Helper()
	got, one, _ := g.call(t, system, transaction, method, path, body)
	if got != want {
		t.Errorf("%s: status %d %v, want %d", what, got, one, want)
	}
	return one
}

const requests, credentials = "/v1/credentialRequests/", "/v1/credentials/"

// A card, from another system's request to its end: officers do what makes it, and what puts
// it out of force.
func TestGateway(t *testing.T) {
	g := newGateway(t)
	ctx := t.Context()
	who := person(1)
	body := wanted(t, "K-1", who, nil)
	g.wants(t, "create", 201, "enrolment", "t1", "POST", requests+"R-1", body)
	g.wants(t, "the same again", 201, "enrolment", "t1", "POST", requests+"R-1", body)
	g.wants(t, "another transaction", 409, "enrolment", "", "POST", requests+"R-1", body)
	g.wants(t, "that transaction for something else", 400, "enrolment", "t1", "POST", requests+"R-2", body)
	g.wants(t, "that transaction with something else", 400, "enrolment", "t1", "POST", requests+"R-1", wanted(t, "K-2", who, nil))
	g.wants(t, "that transaction of another system", 201, "other", "t1", "POST", requests+"R-1", wanted(t, "K-9", person(9), nil))
	if cases := must(g.filed.Cases(ctx))(t); len(cases) != 2 {
		t.Fatalf("%d cases", len(cases))
	}

	r := g.wants(t, "read", 200, "enrolment", "", "GET", requests+"R-1", "")
	code := r["requestData"].(map[string]any)["others"].(map[string]any)["receipt"].(string)
	if r["status"] != "PENDING" || r["personId"] != "K-1" || r["biographicData"].(map[string]any)["lastName"] != who.Surname || r["biometricData"] != nil {
		t.Errorf("the request: %v", r)
	}
	r = g.wants(t, "read one attribute", 200, "enrolment", "", "GET", requests+"R-1?attributes=gender", "")
	if b := r["biographicData"].(map[string]any); len(b) != 1 || b["gender"] != who.Sex {
		t.Errorf("the attributes: %v", b)
	}
	g.wants(t, "read another's", 404, "other", "", "GET", requests+"R-2", "")
	who.Spouse = "Phạm Đức Khác"
	g.wants(t, "update", 204, "enrolment", "u1", "PUT", requests+"R-1", wanted(t, "K-1", who, nil))
	g.wants(t, "the same update again", 204, "enrolment", "u1", "PUT", requests+"R-1", wanted(t, "K-1", who, nil))
	g.wants(t, "update what is not there", 404, "enrolment", "", "PUT", requests+"R-8", wanted(t, "K-1", who, nil))
	g.wants(t, "cancel what is not there", 404, "enrolment", "", "POST", requests+"R-8/cancel", "")

	face := must(g.an.FiledPortrait(ctx, code, g.store))(t)
	app := must(g.an.Import(ctx, code, Enrolment{Portrait: face, Profile: Profile}))(t)
	if d := must(g.rig.an.Draft(ctx, app))(t); d.Person.Spouse != who.Spouse || !slices.Equal(d.Portrait, faceOf(1, 80)) {
		t.Error("what was enrolled is not what was requested")
	}
	g.wants(t, "update at the desk", 403, "enrolment", "", "PUT", requests+"R-1", wanted(t, "K-1", who, nil))
	g.wants(t, "cancel at the desk", 403, "enrolment", "", "POST", requests+"R-1/cancel", "")
	g.wants(t, "the same update again", 204, "enrolment", "u1", "PUT", requests+"R-1", wanted(t, "K-1", who, nil))
	refusedAs(t, "approved by who enrolled", g.rig.an.Approve(ctx, app), issuance.ErrRole)
	check(t, g.rig.binh.Approve(ctx, app))
	r = g.wants(t, "read at the desk", 200, "enrolment", "", "GET", requests+"R-1", "")
	if r["status"] != "PENDING" || len(r["biographicData"].(map[string]any)) != 0 || len(r["credentialIds"].([]any)) != 0 {
		t.Errorf("the request at the desk: %v", r)
	}
	check(t, g.gateway.Sweep(ctx))
	if left := must(g.store.Portraits(ctx))(t); len(left) != 1 {
		t.Errorf("portraits are left of %v", left)
	}

	c := blank()
	card := g.rig.personalised(t, app, c, g.plan())
	g.checked(t, card, c)
	g.life(t, card)
}

// life is what becomes of a card that a system ordered.
func (g *gatewayRig) life(t *testing.T, card string) {
	t.Helper()
	ctx := t.Context()
	r := g.wants(t, "read a made card's request", 200, "enrolment", "", "GET", requests+"R-1", "")
	if ids := r["credentialIds"].([]any); len(ids) != 1 || ids[0] != card {
		t.Errorf("the cards of a request: %v", ids)
	}
	state := func(want string) map[string]any {
		t.Helper()
		r := g.wants(t, "read the card", 200, "enrolment", "", "GET", credentials+card, "")
		if r["status"] != want || r["personId"] != "K-1" || r["issuingAuthority"] != authority {
			t.Errorf("the card: %v, want %s", r, want)
		}
		return r
	}
	state("NEW")
	g.wants(t, "suspend a card that is nobody's", 403, "enrolment", "", "POST", credentials+card+"/suspend", `{}`)
	g.now = g.now.Add(time.Minute)
	check(t, g.rig.binh.Deliver(ctx, card, Handover{}))
	if r := g.wants(t, "read the request", 200, "enrolment", "", "GET", requests+"R-1", ""); r["status"] != "ISSUED" {
		t.Errorf("the request: %v", r)
	}
	if r := state("ACTIVE"); r["issuedDate"] == nil {
		t.Errorf("the card: %v", r)
	}
	g.wants(t, "another's card", 404, "other", "", "GET", credentials+card, "")
	g.wants(t, "suspend another's card", 404, "other", "", "POST", credentials+card+"/suspend", `{}`)
	r = g.wants(t, "who sees all", 200, "reader", "", "GET", credentials+card+"?attributes=issuedDate", "")
	if r["personId"] == "K-1" || r["issuedDate"] == nil || r["issuingAuthority"] != nil || r["others"] != nil {
		t.Errorf("what who sees all is told: %v", r)
	}
	g.wants(t, "without the scope", 403, "reader", "", "POST", credentials+card+"/suspend", `{}`)
	g.wants(t, "a card that is not there", 404, "reader", "", "GET", credentials+"C-NOTTHERE", "")

	g.wants(t, "suspend", 204, "enrolment", "s1", "POST", credentials+card+"/suspend", `{"reason":"reported"}`)
	g.wants(t, "suspend again", 204, "enrolment", "s1", "POST", credentials+card+"/suspend", `{"reason":"reported"}`)
	g.wants(t, "suspend anew", 204, "enrolment", "", "POST", credentials+card+"/suspend", "")
	if w := state("ACTIVE")["others"].(map[string]any)["waiting"]; len(w.([]any)) != 1 {
		t.Errorf("waiting: %v", w)
	}
	order := must(g.store.Commands(ctx, cms.Waiting))(t)
	if len(order) != 1 {
		t.Fatalf("%d commands", len(order))
	}
	refusedAs(t, "an officer without the role", (&Commands{g.rig.an, g.store}).Do(ctx, order[0].ID), issuance.ErrRole)
	g.now = g.now.Add(time.Minute)
	check(t, g.commands.Do(ctx, order[0].ID))
	refusedAs(t, "done twice", g.commands.Do(ctx, order[0].ID), cms.ErrClosed)
	g.wantPhase(t, issuance.Card(card), issuance.Suspended)
	state("SUSPENDED")
	g.wants(t, "suspend what is suspended", 204, "enrolment", "", "POST", credentials+card+"/suspend", "")
	if w := state("SUSPENDED")["others"].(map[string]any)["waiting"]; w != nil {
		t.Errorf("waiting: %v", w)
	}
	g.wants(t, "unsuspend", 204, "enrolment", "", "POST", credentials+card+"/unsuspend", `{}`)
	order = must(g.store.Commands(ctx, cms.Waiting))(t)
	refusedAs(t, "refused for no reason", g.commands.Refuse(ctx, order[0].ID, "boredom"), issuance.ErrWord)
	check(t, g.commands.Refuse(ctx, order[0].ID, "not-proven"))
	state("SUSPENDED")
	g.wants(t, "status ACTIVE", 204, "enrolment", "", "POST", credentials+card+"/status", `{"status":"ACTIVE","reason":"found","requester":"post-office"}`)
	check(t, g.commands.Do(ctx, must(g.store.Commands(ctx, cms.Waiting))(t)[0].ID))
	state("ACTIVE")
	g.finds(t, card)
	g.wants(t, "the same data", 204, "enrolment", "", "PUT", credentials+card, `{"credentialId":"`+card+`","status":"ACTIVE","personId":"K-1","credentialProfileId":"`+Profile+`"}`)
	g.wants(t, "other data", 403, "enrolment", "", "PUT", credentials+card, `{"credentialId":"`+card+`","status":"ACTIVE","personId":"K-1","credentialProfileId":"`+Profile+`","expiryDate":"2030-01-01T00:00:00Z"}`)
	g.wants(t, "revoke for no reason", 400, "enrolment", "", "POST", credentials+card+"/revoke", `{}`)
	g.wants(t, "lost", 204, "enrolment", "l1", "POST", credentials+card+"/status", `{"status":"LOST"}`)
	check(t, g.rig.binh.Revoke(ctx, card, "lost")) // an officer was told by telephone, before
	g.now = g.now.Add(time.Minute)
	check(t, g.commands.Do(ctx, must(g.store.Commands(ctx, cms.Waiting))(t)[0].ID))
	if r := state("REVOKED"); r["others"].(map[string]any)["reason"] != "lost" {
		t.Errorf("the card: %v", r)
	}
	g.wants(t, "unsuspend what is revoked", 403, "enrolment", "", "POST", credentials+card+"/unsuspend", `{}`)
	g.wants(t, "revoke what is revoked", 204, "enrolment", "", "POST", credentials+card+"/revoke", `{"reason":"stolen"}`)
	g.sound(t)
}

// finds searches for a card that is in force.
func (g *gatewayRig) finds(t *testing.T, card string) {
	t.Helper()
	for body, n := range map[string]int{
		`[]`: 1,
		`[{"attributeName":"personId","operator":"=","value":"K-1"}]`:                                                                           1,
		`[{"attributeName":"personId","operator":"=","value":"K-2"}]`:                                                                           0,
		`[{"attributeName":"credentialId","operator":"=","value":"` + card + `"}]`:                                                              1,
		`[{"attributeName":"credentialId","operator":"=","value":"C-NOTTHERE"}]`:                                                                0,
		`[{"attributeName":"credentialRequestId","operator":"=","value":"R-1"},{"attributeName":"status","operator":"=","value":"ACTIVE"}]`:     1,
		`[{"attributeName":"status","operator":"!=","value":"ACTIVE"}]`:                                                                         0,
		`[{"attributeName":"issuedDate","operator":">","value":"2026-01-01T00:00:00Z"}]`:                                                        1,
		`[{"attributeName":"issuedDate","operator":"<=","value":"2026-01-01T00:00:00Z"}]`:                                                       0,
		`[{"attributeName":"credentialProfileId","operator":">=","value":"a"},{"attributeName":"issuedDate","operator":"<","value":"2030-01"}]`: 1,
	} {
		status, _, found := g.call(t, "enrolment", "", "POST", "/v1/credentials", body)
		if status != 200 || len(found) != n {
			t.Errorf("%s: status %d, %d found, want %d", body, status, len(found), n)
		}
	}
	if _, _, found := g.call(t, "other", "", "POST", "/v1/credentials", `[]`); len(found) != 0 {
		t.Errorf("another system finds %v", found)
	}
	if _, _, found := g.call(t, "other", "", "POST", "/v1/credentials", `[{"attributeName":"credentialId","operator":"=","value":"`+card+`"}]`); len(found) != 0 {
		t.Errorf("another system finds %v", found)
	}
	for body, n := range map[string]int{`[]`: 1, `[{"attributeName":"credentialType","operator":"=","value":"ID_CARD"}]`: 1, `[{"attributeName":"credentialType","operator":"=","value":"MOBILE"}]`: 0} {
		status, _, found := g.call(t, "enrolment", "", "POST", "/v1/credentialProfiles", body)
		if status != 200 || len(found) != n {
			t.Errorf("profiles %s: status %d, %d found", body, status, len(found))
		}
	}
}

// What is wrong is refused, by the interface's own statuses, and nothing is stored of it.
func TestGatewayRefuses(t *testing.T) {
	g := newGateway(t)
	who := person(1)
	set := func(path string, value any) func(map[string]any) {
		return func(b map[string]any) {
			parts := strings.Split(path, ".")
			for _, p := range parts[:len(parts)-1] {
				b = b[p].(map[string]any)
			}
			if last := parts[len(parts)-1]; value == nil {
				delete(b, last)
			} else {
				b[last] = value
			}
		}
	}
	photo := base64.StdEncoding.EncodeToString(faceOf(1, 80))
	for what, change := range map[string]func(map[string]any){
		"no personId": set("personId", nil), "no data": set("requestData", nil), "no biography": set("biographicData", nil), "a key more": set("extra", 1),
		"a personId of digits": set("personId", "003190000002"), "a personId with a slash": set("personId", "a/b"), "a personId that is a number": set("personId", 7),
		"an integrity block": set("integrity", []any{}), "encryption": set("encryption", map[string]any{"type": "JWE", "scope": "$"}),
		"another name": set("credentialRequestId", "R-2"), "a status": set("status", "ISSUED"), "cards": set("credentialIds", []any{"C-1"}),
		"no priority": set("requestData.priority", nil), "priority 10": set("requestData.priority", 10), "priority in words": set("requestData.priority", "high"),
		"another profile": set("requestData.credentialProfileId", "passport"), "no profile": set("requestData.credentialProfileId", nil),
		"no type": set("requestData.requestType", nil), "another type": set("requestData.requestType", "GIFT"),
		"a replacement for no reason": set("requestData.requestType", "REPLACEMENT"), "other for no reason": set("requestData.requestType", "OTHER"),
		"a reason that is none": set("requestData.others", map[string]any{"reason": "boredom"}), "a first card that was lost": set("requestData.others", map[string]any{"reason": "lost"}),
		"others of its own": set("requestData.others", map[string]any{"colour": "red"}), "another authority": set("requestData.issuingAuthority", "Somebody"),
		"pages": set("requestData.numberOfPages", 32), "a date": set("requestData.validToDate", "2030-01-01T00:00:00Z"), "a number": set("requestData.credentialNumber", "1"),
		"an address": set("requestData.deliveryAddress", map[string]any{"city": "Hà Nội"}), "an office in words": set("requestData.deliveryOffice", "the one at the corner"),
		"a parent": set("requestData.parentCredentialId", "../C-1"), "a key more in the data": set("requestData.extra", 1),
		"an attribute more": set("biographicData.shoeSize", "39"), "an attribute that is a number": set("biographicData.lastName", 7),
		"no number": set("biographicData.personalNumber", nil), "a wrong number": set("biographicData.personalNumber", "12"), "a date that is none": set("biographicData.dateOfBirth", "1990-02-31"),
		"no name": set("biographicData.firstName", nil), "another sex": set("biographicData.gender", "?"),
		"fingers":  set("biometricData", []any{map[string]any{"biometricType": "FINGER", "image": photo}}),
		"two":      set("biometricData", []any{map[string]any{"biometricType": "FACE", "image": photo}, map[string]any{"biometricType": "FACE", "image": photo}}),
		"no image": set("biometricData", []any{map[string]any{"biometricType": "FACE"}}), "an image that is none": set("biometricData", []any{map[string]any{"biometricType": "FACE", "image": "AAAA"}}),
		"no Base64": set("biometricData", []any{map[string]any{"biometricType": "FACE", "image": "%%"}}), "a profile of a face": set("biometricData", []any{map[string]any{"biometricType": "FACE", "biometricSubType": "LEFT_PROFILE", "image": photo}}),
		"an image elsewhere": set("biometricData", []any{map[string]any{"biometricType": "FACE", "imageRef": "http://example.com/a"}}), "biometric data that are no list": set("biometricData", map[string]any{}),
	} {
		r := g.wants(t, what, 400, "enrolment", "", "POST", requests+"R-1", wanted(t, "K-1", who, change))
		if m, _ := r["message"].(string); strings.Contains(m, who.Surname) || strings.Contains(m, string(who.Number)) {
			t.Errorf("%s: %s", what, m)
		}
	}
	good := wanted(t, "K-1", who, nil)
	for _, c := range []struct {
		what, method, path, body string
		want                     int
	}{
		{"no body", "POST", requests + "R-1", "", 400},
		{"no JSON", "POST", requests + "R-1", "{", 400},
		{"a list", "POST", requests + "R-1", "[]", 400},
		{"two", "POST", requests + "R-1", good + good, 400},
		{"a key twice", "POST", requests + "R-1", strings.Replace(good, `{`, `{"personId":"K-1",`, 1), 400},
		{"another case", "POST", requests + "R-1", strings.Replace(good, `"personId"`, `"PersonId"`, 1), 400},
		{"no UTF-8", "POST", requests + "R-1", strings.Replace(good, "K-1", "Kÿ", 1), 400},
		{"too deep", "POST", requests + "R-1", strings.Replace(good, `"K-1"`, strings.Repeat("[", 20)+strings.Repeat("]", 20), 1), 400},
		{"too long", "POST", requests + "R-1", strings.Replace(good, "K-1", strings.Repeat("K", cms.MaxBody), 1), 400},
		{"digits for a name", "POST", requests + "003190000001", good, 400},
		{"a name with a space", "POST", requests + "R%201", good, 400},
		{"a long name", "POST", requests + strings.Repeat("R", 65), good, 400},
		{"a search that is none", "POST", "/v1/credentials", `{}`, 400},
		{"a search for names", "POST", "/v1/credentials", `[{"attributeName":"lastName","operator":"=","value":"Nguyễn"}]`, 400},
		{"an operator that is none", "POST", "/v1/credentials", `[{"attributeName":"status","operator":"~","value":"A"}]`, 400},
		{"half an expression", "POST", "/v1/credentials", `[{"attributeName":"status"}]`, 400},
		{"a person by order", "POST", "/v1/credentials", `[{"attributeName":"personId","operator":">","value":"A"}]`, 400},
		{"a value of another type", "POST", "/v1/credentials", `[{"attributeName":"status","operator":"=","value":1}]`, 400},
		{"many expressions", "POST", "/v1/credentials", "[" + strings.Repeat(`{"attributeName":"status","operator":"=","value":"A"},`, 8) + `{"attributeName":"status","operator":"=","value":"A"}]`, 400},
		{"a profile by what it is not", "POST", "/v1/credentialProfiles", `[{"attributeName":"price","operator":"=","value":"1"}]`, 400},
		{"attributes with commas", "GET", credentials + "C-1?attributes=a%2Cb", "", 400},
		{"a status that is none", "POST", credentials + "C-1/status", `{"status":"HAPPY"}`, 400},
		{"no status", "POST", credentials + "C-1/status", `{}`, 400},
		{"a key more", "POST", credentials + "C-1/status", `{"status":"LOST","colour":"red"}`, 400},
		{"a comment", "POST", credentials + "C-1/status", `{"status":"LOST","comment":"Ông Nguyễn gọi điện"}`, 400},
		{"a requester in words", "POST", credentials + "C-1/status", `{"status":"LOST","requester":"Ông Nguyễn"}`, 400},
		{"a contradiction", "POST", credentials + "C-1/status", `{"status":"LOST","reason":"stolen"}`, 400},
		{"a reason that is none", "POST", credentials + "C-1/suspend", `{"reason":"boredom"}`, 400},
		{"a reason that is no string", "POST", credentials + "C-1/unsuspend", `{"reason":1}`, 400},
		{"a body that is a list", "POST", credentials + "C-1/revoke", `[]`, 400},
		{"no card", "POST", credentials + "C-1/suspend", `{}`, 404},
		{"no card", "POST", credentials + "C-1/unsuspend", `{}`, 404},
		{"no card", "POST", credentials + "C-1/revoke", `{"reason":"lost"}`, 404},
		{"no card", "POST", credentials + "C-1/status", `{"status":"LOST"}`, 404},
		{"no card", "PUT", credentials + "C-1", `{"credentialId":"C-1","status":"ACTIVE","personId":"K","credentialProfileId":"` + Profile + `"}`, 404},
		{"a credential that is none", "PUT", credentials + "C-1", `{"credentialId":"C-1","extra":1}`, 400},
		{"no such operation", "DELETE", requests + "R-1", "", 405},
		{"no such path", "POST", "/v1/cards", good, 404},
	} {
		g.wants(t, c.what, c.want, "enrolment", "", c.method, c.path, c.body)
	}
	for _, query := range []string{"", "?transactionId=", "?transactionId=a&transactionId=b", "?transactionId=" + strings.Repeat("x", 201)} {
		if got := g.raw(t, "Bearer token-enrolment", "application/json", requests+"R-1"+query, good); got != 400 {
			t.Errorf("transaction %q: %d", query, got)
		}
	}
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded"} {
		if got := g.raw(t, "Bearer token-enrolment", kind, requests+"R-1?transactionId=k", good); got != 400 {
			t.Errorf("kind %q: %d", kind, got)
		}
	}
	for _, token := range []string{"", "Bearer ", "Bearer token-nobody", "Basic dG9rZW4=", "Bearer a.b.c", "bearer token-enrolment", "Bearer " + strings.Repeat("x", 9000)} {
		if got := g.raw(t, token, "application/json", requests+"R-1?transactionId=k", good); got != 401 {
			t.Errorf("token %.20q: %d", token, got)
		}
	}
	g.wants(t, "once a minute", 404, "busy", "", "GET", requests+"R-1", "")
	g.wants(t, "twice a minute", 429, "busy", "", "GET", requests+"R-1", "")
	if cases := must(g.filed.Cases(t.Context()))(t); len(cases) != 0 {
		t.Errorf("%d cases were made of what was refused", len(cases))
	}
}

func (g *gatewayRig) raw(t testing.TB, authorization, kind, path, body string) int {
	t.Helper()
	req := must(http.NewRequestWithContext(t.Context(), http.MethodPost, g.url+path, strings.NewReader(body)))(t)
	for key, value := range map[string]string{"Authorization": authorization, "Content-Type": kind} {
		if value != "" {
			req.Header.Set(key, value)
		}
	}
	resp := must(http.DefaultClient.Do(req))(t)
	resp.Body.Close()
	return resp.StatusCode
}

// Nothing about a person lies in clear in the files, and nothing at all once it is not needed.
func TestGatewayTellsNothing(t *testing.T) {
	g := newGateway(t)
	ctx := t.Context()
	who := person(1)
	g.wants(t, "create", 201, "enrolment", "Nguyễn Thị Thử Nghiệm", "POST", requests+"R-1", wanted(t, string(who.Number), who, nil))
	r := g.wants(t, "read", 200, "enrolment", "", "GET", requests+"R-1", "")
	if r["personId"] != string(who.Number) {
		t.Errorf("the number for a name: %v", r["personId"])
	}
	for _, file := range []string{"osia.db", "osia.db-wal", "intake.db", "intake.db-wal"} {
		b, err := os.ReadFile(g.path(file))
		if err != nil {
			continue
		}
		for _, text := range []string{string(who.Number), who.Surname, "Thử Nghiệm", who.Residence, "Exif", "JFIF"} {
			if bytes.Contains(b, []byte(text)) {
				t.Errorf("%s holds %q", file, text)
			}
		}
	}
	g.wants(t, "cancel", 204, "enrolment", "c1", "POST", requests+"R-1/cancel", "")
	g.wants(t, "cancel again", 204, "enrolment", "c1", "POST", requests+"R-1/cancel", "")
	r = g.wants(t, "read", 200, "enrolment", "", "GET", requests+"R-1", "")
	if r["status"] != "CANCELLED" || r["personId"] != "" || len(r["biographicData"].(map[string]any)) != 0 {
		t.Errorf("what is left: %v", r)
	}
	check(t, g.gateway.Sweep(ctx))
	if left := must(g.store.Portraits(ctx))(t); len(left) != 0 {
		t.Errorf("portraits are left of %v", left)
	}
	call := must(g.store.Created(ctx, "enrolment"))(t)[0]
	if call.Salt != "" {
		t.Error("the salt is left")
	}
}

// stuck are portraits of which one case's can't be wiped.
type stuck struct {
	portraits
	code string
}

var errStuck = errors.New("stuck")

func (s stuck) Forget(ctx context.Context, code string) error {
	if code == s.code {
		return errStuck
	}
	return s.portraits.Forget(ctx, code)
}

// What can't be wiped of one case is said, and keeps nobody else's.
func TestGatewaySweepsOn(t *testing.T) {
	g := newGateway(t)
	ctx := t.Context()
	for i := range 3 {
		who, path := person(i+1), fmt.Sprint(requests, "R-", i)
		g.wants(t, "create", 201, "enrolment", fmt.Sprint("t", i), "POST", path, wanted(t, fmt.Sprint("K-", i), who, nil))
	}
	codes := must(g.store.Portraits(ctx))(t)
	g.gateway.portraits = stuck{g.gateway.portraits, codes[0]}
	for i := range 3 {
		g.wants(t, "cancel", 204, "enrolment", fmt.Sprint("c", i), "POST", fmt.Sprint(requests, "R-", i, "/cancel"), "")
	}
	if err := g.gateway.Sweep(ctx); !errors.Is(err, errStuck) || !strings.Contains(err.Error(), codes[0]) {
		t.Errorf("one is stuck: %v", err)
	}
	if left := must(g.store.Portraits(ctx))(t); !slices.Equal(left, codes[:1]) {
		t.Errorf("of %v are left %v", codes, left)
	}
}

// The same call at once is one act; other calls about one request are one after the other.
func TestGatewayAtOnce(t *testing.T) {
	g := newGateway(t)
	who := person(1)
	body := wanted(t, "K-1", who, nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { g.wants(t, "create", 201, "enrolment", "one", "POST", requests+"R-1", body) })
	}
	wg.Wait()
	for i := range 6 {
		wg.Go(func() { g.wants(t, "update", 204, "enrolment", fmt.Sprintf("u%d", i), "PUT", requests+"R-1", body) })
	}
	wg.Wait()
	var made atomic.Int32
	for i := range 8 {
		wg.Go(func() {
			if got, _, _ := g.call(t, "other", fmt.Sprintf("c%d", i), "POST", requests+"R-1", body); got == 201 {
				made.Add(1)
			} else if got != 409 {
				t.Errorf("status %d", got)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Errorf("%d transactions made one request", made.Load())
	}
	cases := must(g.filed.Cases(t.Context()))(t)
	if len(cases) != 2 || cases[0].Revision+cases[1].Revision != 8 {
		t.Errorf("%+v", cases)
	}
}

// Every operation was seen with every status that this office gives, by the other tests.
func TestGatewayContract(t *testing.T) {
	if osiatest.Folder() == "" {
		t.Log("held against the table only")
	}
	g := newGateway(t)
	g.wants(t, "out of order", 201, "enrolment", "a", "POST", requests+"R-1", wanted(t, "K-1", person(1), nil))
	check(t, g.filed.Close())
	for _, c := range [][3]string{
		{"GET", requests + "R-1", ""},
		{"POST", requests + "R-2", wanted(t, "K-1", person(1), nil)},
		{"PUT", requests + "R-1", wanted(t, "K-1", person(1), nil)},
		{"POST", requests + "R-1/cancel", ""},
		{"POST", "/v1/credentials", `[]`},
	} {
		g.wants(t, "out of order", 500, "enrolment", "", c[0], c[1], c[2])
	}
	g.filed = must(sqlite.OpenIntake(t.Context(), g.path("intake.db")))(t)
}
