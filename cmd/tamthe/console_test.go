package main

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Nobody sees a page without a login, and another site's page can do nothing.
func TestConsoleGuard(t *testing.T) {
	counts, log := freeAddress(t), filepath.Join(t.TempDir(), "log")
	r := newConsoleRig(t, stageAuthority, "--metrics", counts, "--log", log)
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
	shown, err := http.Get("http://" + counts + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer shown.Body.Close()
	text, err := io.ReadAll(shown.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"tamthe_console_sessions 1\n", `tamthe_http_request_seconds_count{route="GET /login",status="200"}`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	if b, err := os.ReadFile(log); err != nil || !strings.Contains(string(b), `"operator":"an"`) {
		t.Errorf("the log says %s, %v", b, err)
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
	const act = "/desk/applications/A-AAAAAAAAAA/cancel"
	form := url.Values{"form": {"a-number-of-a-form"}, "reason": {"mistake"}}
	if a := b.post(act, form); !strings.HasPrefix(a.path, "/login") || !strings.Contains(a.text, "is kept") {
		t.Errorf("a form to a locked session leads to %s: %s", a.path, a.text)
	}
	b.login("an")
	if a := b.get("/waiting"); !strings.Contains(a.text, act) || !strings.Contains(a.text, "mistake") {
		t.Errorf("nothing waits: %s", a.text)
	}
	if a := b.post("/waiting", nil); a.code() != "unknown" {
		t.Errorf("what waited was not done: %q %s", a.code(), a.text)
	}
	if a := b.get("/waiting"); a.path != "/" {
		t.Errorf("it waits for a second time: %s", a.path)
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

// Without a passkey an operator logs in with a certificate that was named here, and the
// passphrase; a stranger's certificate is nobody's.
func TestConsoleCertificate(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"web", "an", "stranger"} {
		p := &program{out: io.Discard, err: io.Discard, now: time.Now}
		if status := p.run(t.Context(), []string{"serve", "signer", "--make-cert", filepath.Join(dir, name)}); status != 0 {
			t.Fatal(status)
		}
	}
	clients := filepath.Join(dir, "clients")
	if err := os.Mkdir(clients, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "an.crt"), filepath.Join(clients, "an.crt")); err != nil {
		t.Fatal(err)
	}
	r := newConsoleRig(t, stageAuthority, "--cert", filepath.Join(dir, "web.crt"), "--key", filepath.Join(dir, "web.key"), "--clients", clients)
	with := func(cert, key string) *consoleBrowser {
		own, err := tls.LoadX509KeyPair(filepath.Join(dir, cert), filepath.Join(dir, key))
		if err != nil {
			t.Fatal(err)
		}
		b := r.browser(t)
		b.Transport = &http.Transport{TLSClientConfig: &tls.Config{Certificates: []tls.Certificate{own}, InsecureSkipVerify: true}}
		t.Cleanup(b.CloseIdleConnections)
		return b
	}
	an, stranger := with("clients/an.crt", "an.key"), with("stranger.crt", "stranger.key")
	if a := an.get("/login"); !strings.Contains(a.text, `id="certificate"`) || a.header.Get("Strict-Transport-Security") == "" {
		t.Errorf("the certificate is not offered: %s", a.text)
	}
	if a := stranger.get("/login"); strings.Contains(a.text, `id="certificate"`) {
		t.Error("a stranger's certificate is somebody's")
	}
	for name, c := range map[string]struct {
		b          *consoleBrowser
		text, want string
	}{
		"a stranger":         {stranger, testPassphrase, "certificate"},
		"a wrong passphrase": {an, "wrong", "passphrase"},
	} {
		if a := c.b.ask("certificate", map[string]any{"passphrase": c.text}); a.Error == nil || a.Error.Code != c.want {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if a := an.ask("certificate", map[string]any{"passphrase": testPassphrase}); a.Next != "/" {
		t.Errorf("the certificate does not log in: %+v", a.Error)
	}
	if a := an.get("/"); !strings.Contains(a.text, `id="operator">an<`) {
		t.Errorf("no first page: %s", a.text)
	}
}
