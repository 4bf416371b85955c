package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Nobody sees a page without a login, and another site's page can do nothing.
func TestConsoleGuard(t *testing.T) {
	r := newConsoleRig(t, stageAuthority)
	b := r.browser(t)
	for _, path := range []string{"/", "/desk/", "/checkpoint/", "/audit/", "/jobs/x", "/waiting"} {
		if a := b.get(path); a.path != "/login" {
			t.Errorf("%s leads to %s", path, a.path)
		}
	}
	if a := b.get("/nothing"); a.status != http.StatusNotFound || !strings.Contains(a.text, "page-missing") {
		t.Errorf("no such page: %d", a.status)
	}
	a := b.get("/login")
	for _, want := range []string{"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"} {
		if got := a.header.Get("Content-Security-Policy"); !strings.Contains(got, want) {
			t.Errorf("policy %q lacks %s", got, want)
		}
	}
	if a.header.Get("Cache-Control") != "no-store" {
		t.Error("pages may be cached")
	}
	b.login("an")
	for name, change := range map[string]func(*http.Request){
		"another site":   func(q *http.Request) { q.Header.Set("Sec-Fetch-Site", "cross-site") },
		"another origin": func(q *http.Request) { q.Header.Set("Origin", "http://evil.example") },
	} {
		q, err := http.NewRequest(http.MethodPost, r.url+"/logout", nil)
		if err != nil {
			t.Fatal(err)
		}
		change(q)
		if a := b.do(q); a.status != http.StatusForbidden {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	q, err := http.NewRequest(http.MethodGet, r.url+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Host = "evil.example"
	if a := b.do(q); a.status != http.StatusMisdirectedRequest {
		t.Errorf("a name that was made to point here: %d", a.status)
	}
	if a := b.get("/"); a.path != "/" {
		t.Errorf("the login was lost: %s", a.path)
	}
}

// A passkey logs its operator in, with the passphrase where it gives no secret; the session
// ends by logging out, and what was sent to a locked one waits.
func TestConsoleLogin(t *testing.T) {
	r := newConsoleRig(t, stageAuthority)
	b := r.browser(t)
	b.register("an")
	if code := b.tryLogin("an", "wrong"); code != "passphrase" {
		t.Errorf("a wrong passphrase: %q", code)
	}
	b.login("an")
	if a := b.get("/"); !strings.Contains(a.text, `id="operator">an<`) || !strings.Contains(a.text, "Quầy cấp thẻ") {
		t.Errorf("no first page: %s", a.text)
	}
	if a := b.post("/lang", url.Values{"lang": {"en"}}); !strings.Contains(a.text, `lang="en"`) || !strings.Contains(a.text, "Desk") {
		t.Errorf("no English: %s", a.text)
	}
	if a := b.post("/lock", nil); a.path != "/login" || !strings.Contains(a.text, "is locked") {
		t.Errorf("locking leads to %s", a.path)
	}
	if a := b.post("/waiting/drop", url.Values{"x": {"1"}}); !strings.HasPrefix(a.path, "/login") || !strings.Contains(a.text, "is kept") {
		t.Errorf("a form to a locked session leads to %s: %s", a.path, a.text)
	}
	b.login("an")
	if a := b.get("/waiting"); !strings.Contains(a.text, "/waiting/drop") {
		t.Errorf("nothing waits: %s", a.text)
	}
	if a := b.post("/waiting", nil); a.path != "/" {
		t.Errorf("what waited leads to %s", a.path)
	}
	b.post("/logout", nil)
	if a := b.get("/"); a.path != "/login" {
		t.Errorf("after logging out: %s", a.path)
	}
}

// What does not log anybody in, each with its code.
func TestConsoleRefusesLogins(t *testing.T) {
	r := newConsoleRig(t, stageAuthority)
	b := r.browser(t)
	b.register("an")
	codeOf := func(path string, in map[string]any) string {
		t.Helper()
		if a := b.ask(path, in); a.Error != nil {
			return a.Error.Code
		}
		return ""
	}
	if got := codeOf("new/begin", map[string]any{"code": "ABC", "passphrase": testPassphrase}); got != "invitation" {
		t.Errorf("an invented invitation: %q", got)
	}
	if got := codeOf("finish", map[string]any{"ceremony": "ABC"}); got != "ceremony" {
		t.Errorf("an invented login: %q", got)
	}
	if got := codeOf("begin", map[string]any{"more": 1}); got != "page-form" {
		t.Errorf("unknown keys: %q", got)
	}
	stranger := r.browser(t)
	k := *r.passkeys["an"]
	k.authenticator.Options.UserHandle = []byte("binh")
	r.passkeys["stranger"] = &k
	if got := stranger.tryLogin("stranger", testPassphrase); got != "passkey" {
		t.Errorf("another's handle: %q", got)
	}
	b.login("an")
	r.passkeys["an"].credential.Counter -= 2 // as a copy of the passkey that was used less
	if got := stranger.tryLogin("an", testPassphrase); got != "passkey-cloned" {
		t.Errorf("a copied passkey: %q", got)
	}
	if _, err := r.deal.run(r.stage, "operator", "invite", "an", "--forget"); err != nil {
		t.Fatal(err)
	}
	if got := stranger.tryLogin("an", testPassphrase); got != "passkey" {
		t.Errorf("a forgotten passkey: %q", got)
	}
	for range 40 {
		if got := codeOf("begin", map[string]any{}); got == "too-many" {
			return
		}
	}
	t.Error("nobody is stopped from trying")
}
