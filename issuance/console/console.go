// Package console is the office in a web page: the desk, the checkpoint and the auditor's
// view, in Vietnamese and English, served to browsers on the officers' machines.
//
// It does nothing of its own: each page asks issuance/desk and verify, and each act is
// signed by the key of the operator who is logged in. Who that is a passkey says; the
// operator's key opens with what only that passkey gives back (the PRF extension of
// WebAuthn), or with the operator's passphrase, and is held in memory until the session is
// locked, by logging out or by leaving it alone.
package console

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"golang.org/x/time/rate"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/intake"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/eid/meter"
	"github.com/tamthe/tamthe/verify/eid/metrics"
)

// Bounds of what one console holds at a time.
const (
	maxSessions = 64
	maxForm     = 64 << 10        // octets of an ordinary form
	lifetime    = 12 * time.Hour  // of a session, whatever is done in it
	ceremony    = 5 * time.Minute // for one WebAuthn ceremony

	maxAddresses = 4096
	grace        = 90 * time.Second // for jobs to end in, when the console is closed
)

// Config says what a console works with. What is a function is called again for each use.
type Config struct {
	URL      string      // by which browsers know it: https, or http on localhost
	Office   desk.Office // with no Signer: that is each operator's own
	Accounts Accounts
	Intake   intake.Store // of what portals filed; nil: nothing is taken in here

	// Unlock opens an operator's key by its passphrase. The caller destroys it.
	Unlock func(ctx context.Context, operator string, passphrase []byte) (crypto.Signer, error)
	// Clients says whose a browser's TLS certificate is, "" for nobody's: with it and the
	// passphrase of the key an operator logs in without a passkey. Nil: nobody does.
	Clients func(*x509.Certificate) (operator string)
	// Reader opens the card in this machine's reader.
	Reader func(ctx context.Context) (*Reader, error)
	// Make says how the card in the reader is made; the returned function forgets the keys.
	Make func(ctx context.Context, o *desk.Office, r *Reader) (desk.Personalisation, func(), error)
	// Checkpoint are the options of an inspection at the checkpoint: whom it trusts, its
	// policy and its source of status. The returned function closes what they use.
	Checkpoint func(ctx context.Context) (verify.Options, func(), error)
	// Ledger is the log behind the office's store, for the auditor. Nil: there is no audit.
	Ledger Ledger
	// Watched are the witnesses of the log.
	Watched Witnesses
	// Inspections records what was inspected. Nil: nothing is, and the pages say so.
	Inspections Inspections
	// QA are the options by which the desk looks at its own cards.
	QA func() (verify.Options, error)
	// Explain says what an error means, in the language vi or en.
	Explain func(err error, lang string) Failure

	Metrics *metrics.Metrics // nil: nothing is counted

	Now  func() time.Time // nil: time.Now
	Log  *slog.Logger     // nil: silent
	Idle time.Duration    // after which a session is locked; 0: five minutes
}

// Reader is a card on this machine's reader.
type Reader struct {
	desk.Chip
	Limits  apdu.Limits
	Claimed bool // the card claims extended length
	Close   func()
}

// Failure is what is said of an error.
type Failure struct {
	Code, Message, Hint string
	Detail              string // in English, for whoever is asked for help; empty where the message says all
}

// Console is a running console: an http.Handler. It must be closed.
type Console struct {
	config  Config
	web     *webauthn.WebAuthn
	salt    []byte // for which passkeys give their secret
	handler http.Handler
	pages   map[string]pageSet
	stop    <-chan struct{} // closed when the console is to stop
	busy    reading
	looks   looks // at the checkpoint
	audits  audits

	mu         sync.Mutex
	closed     bool
	limits     map[string]*rate.Limiter // of attempts to come in, by address
	sessions   map[string]*session
	ceremonies map[string]*pending
	jobs       map[string]*job
	qualities  map[string]*qualityResult // by card
	running    sync.WaitGroup
}

// New makes a console, which is to stop when ctx ends: pages that wait for a job are answered. A URL whose host WebAuthn cannot name (an IP address) is an error.
func New(ctx context.Context, c Config) (*Console, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" {
		return nil, errors.New("the console's URL has no host")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Idle == 0 {
		c.Idle = 5 * time.Minute
	}
	web, err := webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: "tamthe", RPOrigins: []string{u.Scheme + "://" + u.Host},
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, err
	}
	console := &Console{
		config: c, web: web, stop: ctx.Done(), limits: map[string]*rate.Limiter{}, sessions: map[string]*session{},
		ceremonies: map[string]*pending{}, jobs: map[string]*job{}, qualities: map[string]*qualityResult{},
	}
	if console.salt, err = c.Accounts.Salt(ctx); err != nil {
		return nil, err
	}
	if console.pages, err = parsePages(); err != nil {
		return nil, err
	}
	console.handler = c.Metrics.Web(console.guarded(u, console.routes()))
	return console, errors.Join(
		c.Metrics.Gauge("console_sessions", "Sessions whose key is open.", console.openSessions),
		c.Metrics.Gauge("console_jobs", "Jobs that are running.", console.runningJobs))
}

// ServeHTTP answers one request.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// Close lets the jobs that are running come to their end, cancels what takes longer than a
// minute and a half, locks every session and forgets all keys. No request may be under way, nor come after it.
func (c *Console) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	late := time.AfterFunc(grace, c.cancelJobs)
	c.running.Wait()
	late.Stop()
	c.looks.close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sessions {
		s.end()
	}
	clear(c.sessions)
	for _, p := range c.ceremonies {
		clear(p.passphrase)
	}
	clear(c.ceremonies)
}

// openSessions counts the sessions that are not locked.
func (c *Console) openSessions() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, s := range c.sessions {
		if !s.locked() {
			n++
		}
	}
	return float64(n)
}

// runningJobs counts the jobs that have not ended.
func (c *Console) runningJobs() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, j := range c.jobs {
		if j.ended.IsZero() {
			n++
		}
	}
	return float64(n)
}

// cancelJobs ends the jobs that are still running.
func (c *Console) cancelJobs() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, j := range c.jobs {
		j.cancel()
	}
}

// mayTry says whether somebody at that address may try to come in once more.
func (c *Console) mayTry(address string) bool {
	host := meter.Network(address)
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.limits[host]
	if l == nil {
		if len(c.limits) >= maxAddresses {
			clear(c.limits)
		}
		l = rate.NewLimiter(1, 20)
		c.limits[host] = l
	}
	return l.Allow()
}

// guarded puts before all pages what holds for all: the Host that browsers know, no other
// site's requests, and headers that keep pages out of frames, caches and strange scripts.
func (c *Console) guarded(u *url.URL, next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	next = cross.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; "+
			"img-src 'self' blob: data:; media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(self), microphone=(), geolocation=()")
		h.Set("Cache-Control", "no-store")
		if u.Scheme == "https" {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if r.Host != u.Host {
			http.Error(w, "misdirected: this console has another address", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}
