package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
)

// consoleRig is `tamthe serve console` of a real home, with the reader that holds the chip
// card.chip of its folder, and passkeys in software.
type consoleRig struct {
	dir, url string
	deal     *desks
	stage    string
	passkeys map[string]*virtualPasskey
	connect  func() (*reader, error) // nil: the chip of card.chip
	said     bytes.Buffer            // on standard error; to be read once the program has ended
}

type virtualPasskey struct {
	authenticator virtualwebauthn.Authenticator
	credential    virtualwebauthn.Credential
}

// newConsoleRig serves the console of a copy of a stage's home; see stageAuthority and the
// others. more are further flags.
func newConsoleRig(t *testing.T, stage string, more ...string) *consoleRig {
	t.Helper()
	r := newHomeRig(t, stage)
	r.url = r.serve(t, append([]string{"console"}, more...)...)
	return r
}

// newHomeRig is a rig whose console is not served yet.
func newHomeRig(t *testing.T, stage string) *consoleRig {
	t.Helper()
	if testing.Short() {
		t.Skip("passphrases take time")
	}
	d := newDesks(t)
	if err := d.made[stage](); err != nil {
		t.Fatal(err)
	}
	return &consoleRig{dir: d.file(stage, ""), deal: d, stage: stage, passkeys: map[string]*virtualPasskey{}}
}

// serve runs `tamthe serve` with the arguments, in this process, until the test ends, and
// returns the address that it serves.
func (r *consoleRig) serve(t *testing.T, args ...string) string {
	t.Helper()
	out, in := io.Pipe()
	errs := &r.said
	p := &program{
		in: strings.NewReader(""), out: in, err: errs, now: time.Now, home: home(filepath.Join(r.dir, "home")),
		connect: func(context.Context, string) (*reader, error) {
			if r.connect != nil {
				return r.connect()
			}
			return (&chipSlot{filepath.Join(r.dir, "card.chip")}).open()
		},
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() {
		status := p.run(ctx, append([]string{"serve", args[0], "--listen", "127.0.0.1:0"}, args[1:]...))
		in.CloseWithError(io.EOF)
		ended <- status
	}()
	line := make([]byte, 256)
	n, err := out.Read(line)
	if err != nil {
		t.Fatalf("serve %s: %v, status %d: %s", args[0], err, <-ended, errs)
	}
	t.Cleanup(func() {
		stop()
		if status := <-ended; status != exitInterrupted {
			t.Errorf("serve %s ended with status %d: %s", args[0], status, errs)
		}
	})
	return strings.TrimSpace(strings.TrimPrefix(string(line[:n]), "ready "))
}

// browser is a client with cookies, as a browser has them, that follows redirects.
func (r *consoleRig) browser(t *testing.T) *consoleBrowser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &consoleBrowser{r: r, t: t, Client: &http.Client{Jar: secureJar{jar}}}
}

// secureJar gives out Secure cookies on localhost without TLS, as browsers do.
type secureJar struct{ *cookiejar.Jar }

func (j secureJar) SetCookies(u *url.URL, list []*http.Cookie) {
	for _, c := range list {
		c.Secure = false
	}
	j.Jar.SetCookies(u, list)
}

// consoleBrowser is one browser at the console.
type consoleBrowser struct {
	*http.Client
	r *consoleRig
	t *testing.T
}

// page is an answer of the console.
type consolePage struct {
	status int
	path   string // where redirects led
	text   string
	header http.Header
}

func (b *consoleBrowser) do(q *http.Request) consolePage {
	b.t.Helper()
	a, err := b.Do(q)
	if err != nil {
		b.t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return consolePage{a.StatusCode, a.Request.URL.RequestURI(), string(text), a.Header}
}

func (b *consoleBrowser) get(path string) consolePage {
	b.t.Helper()
	q, err := http.NewRequest(http.MethodGet, b.r.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(q)
}

// post sends a form, as a page of the console itself does.
func (b *consoleBrowser) post(path string, form url.Values) consolePage {
	b.t.Helper()
	return b.send(path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

func (b *consoleBrowser) send(path, kind string, body io.Reader) consolePage {
	b.t.Helper()
	q, err := http.NewRequest(http.MethodPost, b.r.url+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	q.Header.Set("Content-Type", kind)
	q.Header.Set("Origin", b.r.url)
	q.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(q)
}

// ask speaks as the login's script does.
func (b *consoleBrowser) ask(path string, in map[string]any) (out struct {
	Ceremony   string          `json:"ceremony"`
	Options    json.RawMessage `json:"options"`
	Passphrase bool            `json:"passphrase"`
	Next       string          `json:"next"`
	Error      *struct{ Code string }
},
) {
	b.t.Helper()
	text, err := json.Marshal(in)
	if err != nil {
		b.t.Fatal(err)
	}
	a := b.send("/login/"+path, "application/json", bytes.NewReader(text))
	if err := json.Unmarshal([]byte(a.text), &out); err != nil {
		b.t.Fatalf("%s: %v: %s", path, err, a.text)
	}
	return out
}

func (r *consoleRig) party() virtualwebauthn.RelyingParty {
	return virtualwebauthn.RelyingParty{ID: "localhost", Name: "tamthe", Origin: r.url}
}

// register registers a passkey for the operator, with an invitation.
func (b *consoleBrowser) register(operator string) {
	b.t.Helper()
	code, err := b.r.deal.run(b.r.stage, "operator", "invite", operator)
	if err != nil {
		b.t.Fatal(err)
	}
	a := b.ask("new/begin", map[string]any{"code": strings.ToLower(code), "passphrase": testPassphrase})
	if a.Error != nil {
		b.t.Fatalf("register %s: %s", operator, a.Error.Code)
	}
	options, err := virtualwebauthn.ParseAttestationOptions(`{"publicKey":` + string(a.Options) + `}`)
	if err != nil {
		b.t.Fatal(err)
	}
	k := &virtualPasskey{virtualwebauthn.NewAuthenticator(), wholeCredential()}
	k.authenticator.Options.UserHandle = []byte(options.UserID)
	made := virtualwebauthn.CreateAttestationResponse(b.r.party(), k.authenticator, k.credential, *options)
	if a := b.ask("new/finish", map[string]any{"ceremony": a.Ceremony, "credential": json.RawMessage(made)}); a.Error != nil {
		b.t.Fatalf("register %s: %s", operator, a.Error.Code)
	}
	k.authenticator.AddCredential(k.credential)
	b.r.passkeys[operator] = k
}

// wholeCredential makes a key whose coordinates have no leading zero: virtualwebauthn cuts
// zeros off, and then no relying party takes the key (one in 128).
func wholeCredential() virtualwebauthn.Credential {
	for {
		if c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(c.Key.AttestationData()) >= 77 {
			return c
		}
	}
}

// login logs the operator in, whose passkey is registered if there is none yet.
func (b *consoleBrowser) login(operator string) {
	b.t.Helper()
	if b.r.passkeys[operator] == nil {
		b.register(operator)
	}
	if code := b.tryLogin(operator, testPassphrase); code != "" {
		b.t.Fatalf("log in as %s: %s", operator, code)
	}
}

// tryLogin returns the code of the error, or nothing.
func (b *consoleBrowser) tryLogin(operator, passphrase string) string {
	b.t.Helper()
	a := b.ask("begin", map[string]any{})
	if a.Error != nil {
		return a.Error.Code
	}
	options, err := virtualwebauthn.ParseAssertionOptions(`{"publicKey":` + string(a.Options) + `}`)
	if err != nil {
		b.t.Fatal(err)
	}
	k := b.r.passkeys[operator]
	k.credential.Counter++
	got := virtualwebauthn.CreateAssertionResponse(b.r.party(), k.authenticator, k.credential, *options)
	a = b.ask("finish", map[string]any{"ceremony": a.Ceremony, "credential": json.RawMessage(got)})
	if a.Error == nil && a.Passphrase {
		a = b.ask("passphrase", map[string]any{"ceremony": a.Ceremony, "passphrase": passphrase})
	}
	if a.Error != nil {
		return a.Error.Code
	}
	return ""
}
