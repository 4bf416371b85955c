package openid

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/eid"
	"github.com/tamthe/tamthe/verify/pki"
)

// kept is a Store for tests.
type kept struct{ n int }

func (k *kept) Decide(context.Context, eid.Decision) error { k.n++; return nil }

// inForce is an issuer who says of every card that it is in force.
type inForce struct{ at time.Time }

func (i inForce) Status(context.Context, verify.CardRef) (verify.StatusAnswer, error) {
	return verify.StatusAnswer{State: verify.StateActive, AsOf: i.at, Exact: true}, nil
}

// rig is a provider on the network, a portal on another address, and a card.
type rig struct {
	url, portal string
	chip        *virtual.Chip
	config      oauth2.Config
	provider    *oidc.Provider
	handler     http.Handler
	server      *eid.Server
}

// landing is where the portal's citizens come back: it shows the query.
func landing(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.RawQuery) }

func newRig(t *testing.T) *rig {
	t.Helper()
	var h http.Handler
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	portal := httptest.NewServer(http.HandlerFunc(landing))
	t.Cleanup(portal.Close)

	folder, err := fs.Sub(testdata.FS, "history/b/trust")
	must(t, err)
	trust, err := pki.LoadStore(folder, pki.LoadOptions{})
	must(t, err)
	path := filepath.Join(t.TempDir(), "chip")
	must(t, os.WriteFile(path, testdata.Read(t, "history/b/can.chip"), 0o600))
	chip, err := virtual.Load(path)
	must(t, err)
	t.Cleanup(func() { chip.Close() })
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	signer, err := eid.NewSigner(key)
	must(t, err)
	var made struct{ At time.Time }
	must(t, json.Unmarshal(testdata.Read(t, "history/b/can.json"), &made))
	s, err := eid.New(eid.Config{
		URL: web.URL, Store: &kept{}, Signer: signer, Pairwise: make([]byte, 32), Now: func() time.Time { return made.At },
		Options: verify.Options{Trust: trust, Specimen: true, Status: inForce{made.At}},
		Parties: []eid.Party{
			{
				ID: "tax", Name: "Cục Thuế", Kind: "state", Purposes: []string{"nộp tờ khai thuế"}, Fields: []string{"name", "birth", "sex"},
				Secret: sha256.Sum256([]byte("tax-secret")), Redirects: []string{portal.URL + "/back"},
			},
			{
				ID: "shop", Name: "Cửa hàng", Kind: "organisation", Purposes: []string{"bán rượu"}, Fields: []string{"age_over_18"},
				Secret: sha256.Sum256([]byte("shop-secret")), Redirects: []string{portal.URL + "/back"},
			},
		},
	})
	must(t, err)
	h, err = Handler(s, Options{})
	must(t, err)
	provider, err := oidc.NewProvider(t.Context(), web.URL)
	must(t, err)
	endpoint := provider.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader // as registered: else the library tries twice, and a code is good once
	return &rig{web.URL, portal.URL, chip, oauth2.Config{
		ClientID: "tax", ClientSecret: "tax-secret", Endpoint: endpoint, RedirectURL: portal.URL + "/back",
		Scopes: []string{"openid", "eid:name", "eid:birth", "eid:sex"},
	}, provider, h, s}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// browser is a citizen's browser.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	return &http.Client{Jar: jar}
}

// get loads a page and returns it with the address that it came to be at.
func get(t *testing.T, c *http.Client, address string) (string, *url.URL, int) {
	t.Helper()
	resp, err := c.Get(address)
	must(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(t, err)
	return string(b), resp.Request.URL, resp.StatusCode
}

var shownCode = regexp.MustCompile(`<p class="code">(\d{8})</p>`)

// show lets the agent with the card answer the login of a page, and returns what it gives.
func (r *rig) show(t *testing.T, page string) string {
	t.Helper()
	m := shownCode.FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no code on the page: %s", page)
	}
	l, err := (&eid.Client{URL: r.url}).Open(t.Context(), m[1])
	must(t, err)
	s, err := card.Open(t.Context(), apdu.Over(r.chip, apdu.Limits{}), card.Options{Passwords: []auth.Password{auth.CAN("000017")}})
	must(t, err)
	defer s.Close()
	step, err := l.Show(t.Context(), s, false)
	must(t, err)
	return step.Finish
}

// post sends the form of the page.
func (r *rig) post(t *testing.T, c *http.Client, at *url.URL, finish string) (string, *url.URL, int) {
	t.Helper()
	resp, err := c.PostForm(r.url+"/login", url.Values{"id": {at.Query().Get("id")}, "finish": {finish}})
	must(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(t, err)
	return string(b), resp.Request.URL, resp.StatusCode
}

// A portal logs a citizen in with a stock client library.
func TestStockClient(t *testing.T) {
	r := newRig(t)
	c, verifier := browser(t), oauth2.GenerateVerifier()
	page, at, status := get(t, c, r.config.AuthCodeURL("state-1", oidc.Nonce("nonce-1"), oauth2.S256ChallengeOption(verifier)))
	if status != http.StatusOK || !strings.Contains(page, "Cục Thuế") || !strings.Contains(page, "nộp tờ khai thuế") {
		t.Fatalf("%d %s", status, page)
	}
	again, _, _ := get(t, c, at.String())
	if shownCode.FindString(again) != shownCode.FindString(page) {
		t.Error("the page loaded again is another login")
	}
	finish := r.show(t, page)
	if body, _, status := r.post(t, c, at, "000000"); status != http.StatusForbidden || !strings.Contains(body, "unbound") {
		t.Errorf("a wrong code: %d", status)
	}
	query, back, _ := r.post(t, c, at, finish)
	if !strings.HasPrefix(back.String(), r.portal+"/back?") || back.Query().Get("state") != "state-1" {
		t.Fatalf("sent to %s: %s", back, query)
	}
	code := back.Query().Get("code")
	if _, err := r.config.Exchange(t.Context(), code, oauth2.VerifierOption(oauth2.GenerateVerifier())); err == nil {
		t.Error("another verifier gets tokens")
	}
	// A code is good once, whoever comes first: the login begins anew.
	if _, err := r.config.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)); err == nil {
		t.Error("a code was good twice")
	}

	claims, tokens := r.login(t)
	if claims["acr"] != "possession" || claims["birthdate"] != "1990-02-15" || claims["name"] != "Nguyễn Thị Thử Nghiệm" || claims["gender"] != "female" ||
		claims["purpose"] != "nộp tờ khai thuế" || claims["specimen"] != true || claims["nonce"] != "nonce-2" {
		t.Errorf("%v", claims)
	}
	if text, _ := json.Marshal(claims); strings.Contains(string(text), "003190") || strings.Contains(string(text), "residence") {
		t.Errorf("told more than was asked: %s", text)
	}
	info, err := r.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(tokens))
	must(t, err)
	if info.Subject == "" || info.Subject != claims["sub"] {
		t.Errorf("userinfo is of %s, the token of %v", info.Subject, claims["sub"])
	}
	if again, _ := r.login(t); again["sub"] != claims["sub"] {
		t.Error("a citizen has two names")
	}
}

// login is a whole login, and what the ID token says.
func (r *rig) login(t *testing.T) (map[string]any, *oauth2.Token) {
	t.Helper()
	c, verifier := browser(t), oauth2.GenerateVerifier()
	page, at, _ := get(t, c, r.config.AuthCodeURL("state-2", oidc.Nonce("nonce-2"), oauth2.S256ChallengeOption(verifier)))
	_, back, _ := r.post(t, c, at, r.show(t, page))
	tokens, err := r.config.Exchange(t.Context(), back.Query().Get("code"), oauth2.VerifierOption(verifier))
	must(t, err)
	raw, _ := tokens.Extra("id_token").(string)
	id, err := r.provider.Verifier(&oidc.Config{ClientID: r.config.ClientID, SupportedSigningAlgs: []string{oidc.ES256}}).Verify(t.Context(), raw)
	must(t, err)
	claims := map[string]any{}
	must(t, id.Claims(&claims))
	return claims, tokens
}

// What a portal may not do, and what another's browser may not.
func TestOpenIDRefuses(t *testing.T) {
	r := newRig(t)
	challenge := oauth2.S256ChallengeOption(oauth2.GenerateVerifier())
	for what, address := range map[string]string{
		"no PKCE":                r.config.AuthCodeURL("s"),
		"plain PKCE":             r.config.AuthCodeURL("s", oauth2.SetAuthURLParam("code_challenge", "x"), oauth2.SetAuthURLParam("code_challenge_method", "plain")),
		"another way back":       r.config.AuthCodeURL("s", challenge, oauth2.SetAuthURLParam("redirect_uri", "https://evil.example/back")),
		"a stranger":             r.config.AuthCodeURL("s", challenge, oauth2.SetAuthURLParam("client_id", "bank")),
		"a token by the browser": r.config.AuthCodeURL("s", challenge, oauth2.SetAuthURLParam("response_type", "id_token token")),
		"without being asked":    r.config.AuthCodeURL("s", challenge, oauth2.SetAuthURLParam("prompt", "none")),
	} {
		if page, at, _ := get(t, browser(t), address); shownCode.MatchString(page) || at.Query().Get("code") != "" || strings.Contains(at.Host, "evil") {
			t.Errorf("%s: %s %s", what, at, page)
		}
	}
	// A field that the party may not have is not in its agreement: the library drops the scope.
	page, _, _ := get(t, browser(t), r.config.AuthCodeURL("s", challenge, oauth2.SetAuthURLParam("scope", "openid eid:number eid:name")))
	if strings.Contains(page, "number") {
		t.Error("asked for a field that the party may not have")
	}

	// The page of one browser is nobody else's.
	c := browser(t)
	page, at, _ := get(t, c, r.config.AuthCodeURL("s", challenge))
	finish := r.show(t, page)
	if body, _, status := get(t, browser(t), at.String()); status != http.StatusForbidden || shownCode.MatchString(body) {
		t.Errorf("another browser sees the login: %d", status)
	}
	if _, back, status := r.post(t, browser(t), at, finish); status != http.StatusForbidden || back.Query().Get("code") != "" {
		t.Errorf("another browser ends the login: %d", status)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/login", strings.NewReader(url.Values{"id": {at.Query().Get("id")}, "finish": {finish}}.Encode()))
	must(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := c.Do(req)
	must(t, err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("another site posts the form: %d", resp.StatusCode)
	}
	if _, back, _ := r.post(t, c, at, finish); back.Query().Get("code") == "" {
		t.Error("after all that its own browser does not end it")
	}
	if body, _, status := get(t, c, r.url+"/login?id=nobody"); status != http.StatusNotFound || !strings.Contains(body, "unknown-session") {
		t.Errorf("a request of nobody: %d", status)
	}
	if h := headers(t, r.url+"/login?id=x"); !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", h)
	}
}

func headers(t *testing.T, address string) http.Header {
	t.Helper()
	resp, err := http.Get(address)
	must(t, err)
	resp.Body.Close()
	return resp.Header
}

// Who begins a request and has another's browser log in gets nothing: neither is the page
// shown there, nor is the code given to who only knows the request's name.
func TestRequestOfAnother(t *testing.T) {
	r := newRig(t)
	verifier := oauth2.GenerateVerifier()
	phisher, victim := browser(t), browser(t)
	begin := *phisher
	begin.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := begin.Get(r.config.AuthCodeURL("state-3", oauth2.S256ChallengeOption(verifier)))
	must(t, err)
	resp.Body.Close()
	lure, err := resp.Location()
	must(t, err)
	get(t, victim, r.config.AuthCodeURL("state-4", oauth2.S256ChallengeOption(verifier))) // a browser that has been here
	for what, c := range map[string]*http.Client{"a new browser": browser(t), "another browser": victim} {
		if page, _, status := get(t, c, lure.String()); status != http.StatusForbidden || shownCode.MatchString(page) {
			t.Errorf("%s is shown the phisher's login: %d", what, status)
		}
	}

	page, at, _ := get(t, phisher, lure.String())
	keep := *phisher
	keep.CheckRedirect = func(q *http.Request, _ []*http.Request) error { return http.ErrUseLastResponse }
	_, callback, status := r.post(t, &keep, at, r.show(t, page))
	if status != http.StatusSeeOther {
		t.Fatalf("the login ended with %d", status)
	}
	*callback = url.URL{Scheme: at.Scheme, Host: at.Host, Path: "/authorize/callback", RawQuery: at.RawQuery}
	for what, c := range map[string]*http.Client{"a new browser": browser(t), "another browser": victim} {
		if _, back, _ := get(t, c, callback.String()); back.Query().Get("code") != "" {
			t.Errorf("%s is given the code of a request whose name it knows", what)
		}
	}
	if _, back, _ := get(t, phisher, callback.String()); back.Query().Get("code") == "" {
		t.Error("its own browser is not given the code")
	}
	if _, back, _ := get(t, phisher, callback.String()); back.Query().Get("code") != "" {
		t.Error("a request has two codes")
	}
}

// Whatever can be asked for has a name in both languages.
func TestFieldWords(t *testing.T) {
	for _, f := range eid.Fields() {
		if w := word(f); w.VI == f || w.VI == w.EN {
			t.Errorf("%s is called %v", f, w)
		}
	}
	if w := word("blood"); w.VI != "blood" {
		t.Errorf("an unknown field is hidden: %v", w)
	}
}

// The page may load its own script and style, ask the agent of the citizen's machine, and
// nothing else; it has no script or style within it.
func TestLoginPagePolicy(t *testing.T) {
	r := newRig(t)
	page, at, _ := get(t, browser(t), r.config.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
	policy := headers(t, at.String()).Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src http://127.0.0.1:7061", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want+";") && !strings.HasSuffix(policy, want) {
			t.Errorf("no %s in %s", want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(page, "<style") || strings.Contains(page, "<script>") || strings.Contains(page, "style=") || strings.Contains(page, " on") && regexp.MustCompile(` on[a-z]+=`).MatchString(page) {
		t.Errorf("%s with %s", policy, page)
	}
	code := shownCode.FindStringSubmatch(page)
	if code == nil || !strings.Contains(page, `data-agent="http://127.0.0.1:7061" data-code="`+code[1]+`"`) {
		t.Errorf("the script does not learn whom to ask for what: %s", page)
	}
	for path, kind := range map[string]string{"/login.js": "text/javascript; charset=utf-8", "/login.css": "text/css; charset=utf-8"} {
		body, _, status := get(t, browser(t), r.url+path)
		if h := headers(t, r.url+path); status != http.StatusOK || body == "" || h.Get("Content-Type") != kind || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", path, status, h)
		}
	}
}
