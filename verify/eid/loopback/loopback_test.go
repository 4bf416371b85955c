package loopback

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

const (
	here   = "127.0.0.1:7061"
	portal = "https://eid.example"
)

// rig is an agent, what it shows, and who asked it for a login.
type rig struct {
	*Agent
	shown  []string
	logins []string
	now    time.Time
	err    error
	hold   chan struct{} // where set, a login waits for it
	begun  chan struct{}
}

var errSecret = errors.New("the CAN is 123456")

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC), begun: make(chan struct{}, 9)}
	a, err := New(Config{
		Address: netip.MustParseAddrPort(here), Origins: []string{portal, "http://127.0.0.1:7060"},
		Login: func(ctx context.Context, origin, code string) (*Finished, error) {
			r.logins = append(r.logins, origin+" "+code)
			r.begun <- struct{}{}
			if r.hold != nil {
				select {
				case <-r.hold:
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}
			if r.err != nil {
				return nil, r.err
			}
			return &Finished{Finish: "654321", Told: []string{"name"}}, nil
		},
		Tell: func(error) Told { return Told{Code: "login-clone", Message: "a clone"} },
		Show: func(code string) { r.shown = append(r.shown, code) },
		Now:  func() time.Time { return r.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Agent = a
	return r
}

// ask is a request of a page; change may make it another's.
func (r *rig) ask(path, body, token string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	q := httptest.NewRequest(http.MethodPost, "http://"+here+path, strings.NewReader(body))
	q.Header.Set("Origin", portal)
	q.Header.Set("Content-Type", "application/json")
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	for _, f := range change {
		f(q)
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, q)
	return w
}

func (r *rig) next() string { return r.shown[len(r.shown)-1] }

func pairBody(code string) string { return `{"code":"` + code + `"}` }

const loginBody = `{"code":"12345678"}`

// pairs pairs a page and returns what it is known by.
func (r *rig) pairs(t *testing.T, change ...func(*http.Request)) string {
	t.Helper()
	w := r.ask("/agent/v1/pair", pairBody(r.next()), "", change...)
	var out struct{ Pairing string }
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK || len(out.Pairing) != 64 {
		t.Fatalf("%d %s %v", w.Code, w.Body, err)
	}
	return out.Pairing
}

func codeOf(w *httptest.ResponseRecorder) string {
	var t Told
	json.Unmarshal(w.Body.Bytes(), &t)
	return t.Code
}

// A page of an allowed origin pairs by the code that is shown, and gets the end of its login.
func TestLogin(t *testing.T) {
	r := newRig(t)
	token := r.pairs(t)
	w := r.ask("/agent/v1/login", `{"code":"1234 5678"}`, token)
	var f Finished
	if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil || w.Code != http.StatusOK || f.Finish != "654321" || len(f.Told) != 1 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if len(r.logins) != 1 || r.logins[0] != portal+" 12345678" {
		t.Errorf("asked for %v", r.logins)
	}
	if h := w.Header(); h.Get("Access-Control-Allow-Origin") != portal || h.Get("Access-Control-Allow-Credentials") != "" || h.Get("Vary") != "Origin" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", h)
	}
	if r.ask("/agent/v1/login", loginBody, token).Code != http.StatusOK {
		t.Error("a page is paired for one login only")
	}
	r.err = errSecret
	if w := r.ask("/agent/v1/login", loginBody, token); w.Code != http.StatusForbidden || codeOf(w) != "login-clone" || strings.Contains(w.Body.String(), "123456") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// Everybody else is refused by a code of its own, and has nothing to read it with.
func TestForeign(t *testing.T) {
	r := newRig(t)
	token := r.pairs(t)
	logins := len(r.logins)
	set := func(name string, values ...string) func(*http.Request) {
		return func(q *http.Request) { q.Header[name] = values }
	}
	host := func(h string) func(*http.Request) { return func(q *http.Request) { q.Host = h } }
	for what, c := range map[string]struct {
		change func(*http.Request)
		want   Code
	}{
		"DNS rebinding":               {host("evil.example:7061"), CodeHost},
		"rebinding of an allowed one": {host("eid.example"), CodeHost},
		"another name of the machine": {host("localhost:7061"), CodeHost},
		"another port":                {host("127.0.0.1:7062"), CodeHost},
		"no port":                     {host("127.0.0.1"), CodeHost},
		"no host":                     {host(""), CodeHost},
		"no origin":                   {func(q *http.Request) { q.Header.Del("Origin") }, CodeNoOrigin},
		"a hidden origin":             {set("Origin", "null"), CodeNullOrigin},
		"a hidden one beside":         {set("Origin", portal, "null"), CodeNullOrigin},
		"two origins":                 {set("Origin", portal, portal), CodeOrigin},
		"a hostile page":              {set("Origin", "https://evil.example"), CodeOrigin},
		"a page in the clear":         {set("Origin", "http://eid.example"), CodeOrigin},
		"another port of the portal":  {set("Origin", portal+":8443"), CodeOrigin},
		"a name that begins alike":    {set("Origin", portal+".evil.example"), CodeOrigin},
		"a name that ends alike":      {set("Origin", "https://eviledid.example"), CodeOrigin},
		"an empty origin":             {set("Origin", ""), CodeOrigin},
		"another case":                {set("Origin", "https://EID.example"), CodeOrigin},
	} {
		for _, method := range []string{http.MethodPost, http.MethodOptions, http.MethodGet} {
			w := r.ask("/agent/v1/login", loginBody, token, c.change, func(q *http.Request) { q.Method = method })
			if codeOf(w) != string(c.want) || w.Code != statuses[c.want] {
				t.Errorf("%s, %s: %d %s, want %s", what, method, w.Code, w.Body, c.want)
			}
			for name := range w.Header() {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s, %s: %s is set", what, method, name)
				}
			}
		}
	}
	if len(r.logins) != logins {
		t.Errorf("logins were begun: %v", r.logins)
	}
}

// What a page may not ask, and how it may not ask it.
func TestVerbs(t *testing.T) {
	r := newRig(t)
	token := r.pairs(t)
	for _, path := range []string{
		"/", "/agent/v1/", "/agent/v1/sign", "/agent/v1/apdu", "/agent/v1/personalise", "/agent/v1/read", "/agent/v1/deliver", "/agent/v1/login/", "/agent/v2/login",
		"/personalise", "/desk/personalise", "/vault", "/agent/v1/../login",
	} {
		if w := r.ask(path, loginBody, token); codeOf(w) != string(CodeVerb) || w.Code != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodHead} {
		if w := r.ask("/agent/v1/login", loginBody, token, func(q *http.Request) { q.Method = method }); codeOf(w) != string(CodeVerb) {
			t.Errorf("%s: %d %s", method, w.Code, w.Body)
		}
	}
	for what, body := range map[string]string{
		"nothing": "", "no JSON": "{", "no code": "{}", "another field": `{"code":"1","server":"https://evil.example"}`, "two documents": loginBody + loginBody,
		"no digits": `{"code":"12345x"}`, "too long": `{"code":"` + strings.Repeat("1", 21) + `"}`, "much too long": `{"code":"` + strings.Repeat("1", 9000) + `"}`,
	} {
		if w := r.ask("/agent/v1/login", body, token); codeOf(w) != string(CodeMalformed) {
			t.Errorf("%s: %d %s", what, w.Code, w.Body)
		}
	}
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8", "multipart/form-data"} {
		if w := r.ask("/agent/v1/login", loginBody, token, func(q *http.Request) { q.Header.Set("Content-Type", kind) }); codeOf(w) != string(CodeMalformed) {
			t.Errorf("%q: %d %s", kind, w.Code, w.Body)
		}
	}
	if len(r.logins) != 0 {
		t.Errorf("logins were begun: %v", r.logins)
	}
}

// A preflight of an allowed page is answered, for this method and these headers; that the
// page is on the public network only if it asks.
func TestPreflight(t *testing.T) {
	r := newRig(t)
	options := func(q *http.Request) {
		q.Method = http.MethodOptions
		q.Header.Set("Access-Control-Request-Method", "POST")
		q.Header.Set("Access-Control-Request-Headers", "authorization,content-type")
	}
	private := func(q *http.Request) { q.Header.Set("Access-Control-Request-Private-Network", "true") }
	for want, change := range map[string][]func(*http.Request){"": {options}, "true": {options, private}} {
		w := r.ask("/agent/v1/pair", "", "", change...)
		h := w.Header()
		if w.Code != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != portal || h.Get("Access-Control-Allow-Methods") != "POST" ||
			h.Get("Access-Control-Allow-Headers") != "authorization, content-type" || h.Get("Access-Control-Allow-Private-Network") != want || w.Body.Len() != 0 {
			t.Errorf("%d %v", w.Code, h)
		}
	}
}

// A code pairs once; who guesses is locked out, and a pairing is its origin's and ends.
func TestPairing(t *testing.T) {
	r := newRig(t)
	code := r.next()
	token := r.pairs(t)
	if w := r.ask("/agent/v1/pair", pairBody(code), ""); codeOf(w) != string(CodePairing) {
		t.Errorf("a code used twice: %s", w.Body)
	}
	other := func(q *http.Request) { q.Header.Set("Origin", "http://127.0.0.1:7060") }
	for what, w := range map[string]*httptest.ResponseRecorder{
		"not paired":            r.ask("/agent/v1/login", loginBody, ""),
		"another's name":        r.ask("/agent/v1/login", loginBody, strings.Repeat("0", 64)),
		"another origin's page": r.ask("/agent/v1/login", loginBody, token, other),
		"no bearer":             r.ask("/agent/v1/login", loginBody, "", func(q *http.Request) { q.Header.Set("Authorization", token) }),
	} {
		if codeOf(w) != string(CodeUnpaired) || w.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", what, w.Code, w.Body)
		}
	}
	for range maxWrong - 1 { // one wrong code came before
		if w := r.ask("/agent/v1/pair", pairBody("00000000"), ""); codeOf(w) != string(CodePairing) {
			t.Errorf("a wrong code: %s", w.Body)
		}
	}
	if w := r.ask("/agent/v1/pair", pairBody(r.next()), ""); codeOf(w) != string(CodeLocked) {
		t.Errorf("the right code after five wrong ones: %s", w.Body)
	}
	r.now = r.now.Add(lockTime)
	again := r.pairs(t)
	seen := map[string]bool{}
	for _, c := range r.shown {
		if len(c) != 8 || seen[c] {
			t.Errorf("shown %v", r.shown)
		}
		seen[c] = true
	}
	r.now = r.now.Add(pairingLife)
	if w := r.ask("/agent/v1/login", loginBody, again); codeOf(w) != string(CodeUnpaired) {
		t.Errorf("eight hours later: %s", w.Body)
	}
	first := r.pairs(t)
	for range maxPairings {
		r.now = r.now.Add(time.Second)
		r.pairs(t)
	}
	if w := r.ask("/agent/v1/login", loginBody, first); codeOf(w) != string(CodeUnpaired) || len(r.pairings) != maxPairings {
		t.Errorf("%d pairings, and the first: %s", len(r.pairings), w.Body)
	}
}

// One login is under way at a time, and it ends when its page is gone.
func TestOneAtATime(t *testing.T) {
	r := newRig(t)
	token := r.pairs(t)
	r.hold = make(chan struct{})
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan *httptest.ResponseRecorder, 1)
	go func() {
		done <- r.ask("/agent/v1/login", loginBody, token, func(q *http.Request) { *q = *q.WithContext(ctx) })
	}()
	<-r.begun
	if w := r.ask("/agent/v1/login", loginBody, token); codeOf(w) != string(CodeBusy) || w.Code != http.StatusConflict {
		t.Errorf("a second one: %d %s", w.Code, w.Body)
	}
	leave()
	if w := <-done; w.Code != http.StatusForbidden {
		t.Errorf("its page is gone: %d %s", w.Code, w.Body)
	}
	close(r.hold)
	if w := r.ask("/agent/v1/login", loginBody, token); w.Code != http.StatusOK {
		t.Errorf("the next: %d %s", w.Code, w.Body)
	}
}

// No agent is seen by other machines, or serves pages that anybody may have written.
func TestConfig(t *testing.T) {
	good := newRig(t).c
	for what, change := range map[string]func(*Config){
		"another interface": func(c *Config) { c.Address = netip.MustParseAddrPort("0.0.0.0:7061") },
		"another machine":   func(c *Config) { c.Address = netip.MustParseAddrPort("192.0.2.1:7061") },
		"no address":        func(c *Config) { c.Address = netip.AddrPort{} },
		"no page":           func(c *Config) { c.Origins = nil },
		"no login":          func(c *Config) { c.Login = nil },
		"every page":        func(c *Config) { c.Origins = []string{"*"} },
		"hidden pages":      func(c *Config) { c.Origins = []string{"null"} },
		"in the clear":      func(c *Config) { c.Origins = []string{"http://eid.example"} },
		"a path":            func(c *Config) { c.Origins = []string{portal + "/"} },
		"a user":            func(c *Config) { c.Origins = []string{"https://a@eid.example"} },
		"capitals":          func(c *Config) { c.Origins = []string{"https://EID.example"} },
		"its own port":      func(c *Config) { c.Origins = []string{portal + ":443"} },
		"files":             func(c *Config) { c.Origins = []string{"file://"} },
		"an extension":      func(c *Config) { c.Origins = []string{"chrome-extension://abc"} },
	} {
		c := good
		change(&c)
		if _, err := New(c); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, o := range []string{portal, portal + ":8443", "http://127.0.0.1:7060", "http://[::1]:7060", "http://localhost:3000"} {
		if !isOrigin(o) {
			t.Errorf("%s is an origin", o)
		}
	}
}

// FuzzAsk: whatever a page of an allowed origin sends, nothing but a paired login is done.
func FuzzAsk(f *testing.F) {
	f.Add("/agent/v1/login", loginBody, "Bearer x")
	f.Add("/agent/v1/pair", loginBody, "")
	f.Fuzz(func(t *testing.T, path, body, header string) {
		r := newRig(t)
		q := httptest.NewRequest(http.MethodPost, "http://"+here+"/", strings.NewReader(body))
		q.URL.Path = path
		q.Header.Set("Origin", portal)
		q.Header.Set("Content-Type", "application/json")
		q.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		r.ServeHTTP(w, q)
		if len(r.logins) > 0 || w.Code == http.StatusOK {
			t.Errorf("%d %v", w.Code, r.logins)
		}
		if b, _ := io.ReadAll(w.Body); !json.Valid(b) {
			t.Errorf("%q", b)
		}
	})
}
