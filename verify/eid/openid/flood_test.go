package openid

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/oauth2"

	"github.com/tamthe/tamthe/verify/eid"
)

// visitor is a browser in a network, which talks to the handler itself.
type visitor struct {
	h       http.Handler
	from    string
	cookies []*http.Cookie
}

func (v *visitor) get(address string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, address, nil)
	r.RemoteAddr = v.from
	for _, c := range v.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	v.h.ServeHTTP(w, r)
	v.cookies = append(v.cookies, w.Result().Cookies()...)
	return w.Result()
}

// begin asks for a login and follows to its page, whose status it returns.
func (v *visitor) begin(r *rig) (page string, status int) {
	resp := v.get(r.config.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
	at, err := resp.Location()
	if err != nil {
		return "", resp.StatusCode
	}
	return at.String(), v.get(at.String()).StatusCode
}

// Who floods the service with requests for logins, which anybody may, is soon refused himself
// and displaces his own: the citizens of other networks, of the same party too, log in.
func TestFlood(t *testing.T) {
	r := newRig(t)
	citizen := &visitor{h: r.handler, from: "192.0.2.1:1000"}
	page, status := citizen.begin(r)
	if status != http.StatusOK {
		t.Fatal(status)
	}
	shown, refused := 0, 0
	for i := range 3 * maxPerPlace {
		flood := &visitor{h: r.handler, from: fmt.Sprintf("[2001:db8::%x]:4000", i)} // one network, whatever the address
		switch _, status := flood.begin(r); status {
		case http.StatusOK:
			shown++
		case http.StatusForbidden:
			refused++
		default:
			t.Fatal(status)
		}
	}
	if shown != 30 || refused != 3*maxPerPlace-30 {
		t.Errorf("%d of a flood's logins began, %d were refused", shown, refused)
	}
	if status := citizen.get(page).StatusCode; status != http.StatusOK {
		t.Errorf("who came before the flood: %d", status)
	}
	if _, status := (&visitor{h: r.handler, from: "198.51.100.7:1"}).begin(r); status != http.StatusOK {
		t.Errorf("who comes after it: %d", status)
	}
	if _, err := r.server.Begin("tax-secret", eid.Ask{Party: "tax", Purpose: "nộp tờ khai thuế"}); err != nil {
		t.Errorf("the party itself: %v", err)
	}
}

// Requests are bounded in all, for a party and for a network at a party, and the oldest of
// whoever has most goes first.
func TestWaitingIsBounded(t *testing.T) {
	w, now := newWaiting(), time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	n := 0
	add := func(party, from string, most int) *request {
		n++
		r := &request{id: fmt.Sprint(n), ask: oidc.AuthRequest{ClientID: party}, from: from, begun: now.Add(time.Duration(n) * time.Millisecond)}
		w.add(r, most)
		return r
	}
	has := func(what string, r *request, want bool) {
		t.Helper()
		if got := w.byID[r.id] == r; got != want {
			t.Errorf("%s: %v", what, got)
		}
	}
	first, other, busy := add("tax", "a", 600), add("shop", "a", 600), add("tax", "b", 600)
	for range maxPerPlace {
		add("tax", "b", 600)
	}
	has("the oldest of the busiest network", busy, false)
	has("another network's", first, true)
	if w.parties["tax"].count != 1+maxPerPlace {
		t.Errorf("%d requests", w.parties["tax"].count)
	}
	for i := range 2000 { // from everywhere, at one party
		add("tax", fmt.Sprint("bot ", i), 600)
	}
	has("another party's", other, true)
	if got := w.parties["tax"].count; got != 600 {
		t.Errorf("%d requests of a party that may have 600", got)
	}
	for i := range 3 * maxRequests { // at all parties
		add(fmt.Sprint("party ", i%50), fmt.Sprint("bot ", i), 600)
	}
	if len(w.byID) != maxRequests || w.order.Len() != maxRequests {
		t.Errorf("%d requests, %d in order", len(w.byID), w.order.Len())
	}
	w.sweep(now.Add(time.Hour))
	if len(w.byID) != 0 || w.order.Len() != 0 || len(w.parties) != 0 {
		t.Errorf("an hour later: %d requests, %d parties", len(w.byID), len(w.parties))
	}
	w.remove(first)
	w.remove(nil)
}

// The page's form leads to the service and to the portal that asked, and nowhere else.
func TestFormAction(t *testing.T) {
	r := newRig(t)
	c := browser(t)
	resp, err := c.Get(r.config.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
	must(t, err)
	resp.Body.Close()
	portal, err := url.Parse(r.portal)
	must(t, err)
	if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' http://"+portal.Host+";") {
		t.Errorf("the page of a login: %s", csp)
	}
	if csp := headers(t, r.url+"/login?id=x").Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'none';") {
		t.Errorf("a page without a form: %s", csp)
	}
	for back, want := range map[string]string{
		"https://tax.example/back?x=1": "'self' https://tax.example", "https://tax.example:8443/back": "'self' https://tax.example:8443",
		"http://[::1]:7000/back": "'self' http:", "": "'none'", "://": "'none'",
	} {
		if got := formAction(view{back: back}); got != want {
			t.Errorf("%s: %s", back, got)
		}
	}
}
