// Package loopback lets the pages of named origins use the card in this machine's reader for
// a login, over HTTP on the loopback interface.
//
// Any page of any site can send requests there, and a name that an attacker's server resolves
// to this machine makes them look like the page's own (DNS rebinding). So a request must name
// this very address as its Host, and an Origin that was allowed beforehand; browsers set both
// and pages can't. Then the page has to be paired: the person at this machine types a code,
// which is good once, from the program into the page. And a page can only begin a login:
// which service is asked, which files are read and whether the holder agrees is decided here
// (Config.Login), a login at a time. What ends it goes to the page that began it, so that the
// login's browser and the card are at one machine.
//
// There is no other verb. The package knows no card and no issuer, and cannot come to.
package loopback

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Code is why a page was refused. It is stable.
type Code string

// The codes. Beside them a page is told those of Config.Tell.
const (
	CodeHost       Code = "host"        // another name for this machine: DNS rebinding
	CodeNoOrigin   Code = "no-origin"   // nobody says which page asks
	CodeNullOrigin Code = "null-origin" // a page that hides where it is from
	CodeOrigin     Code = "origin"      // a page that was not allowed
	CodeVerb       Code = "verb"        // what cannot be asked of an agent
	CodeMalformed  Code = "malformed"   // not as a page asks
	CodeUnpaired   Code = "unpaired"    // not paired, or not any more
	CodePairing    Code = "pairing"     // not the code that the program shows
	CodeLocked     Code = "locked"      // too many wrong codes
	CodeBusy       Code = "busy"        // another login is under way
)

// Codes lists them.
func Codes() []Code {
	return []Code{
		CodeHost, CodeNoOrigin, CodeNullOrigin, CodeOrigin, CodeVerb, CodeMalformed, CodeUnpaired, CodePairing, CodeLocked, CodeBusy,
	}
}

// statuses are those codes' HTTP statuses.
var statuses = map[Code]int{
	CodeHost: http.StatusMisdirectedRequest, CodeNoOrigin: http.StatusForbidden, CodeNullOrigin: http.StatusForbidden, CodeOrigin: http.StatusForbidden,
	CodeVerb: http.StatusNotFound, CodeMalformed: http.StatusBadRequest, CodeUnpaired: http.StatusUnauthorized, CodePairing: http.StatusForbidden,
	CodeLocked: http.StatusTooManyRequests, CodeBusy: http.StatusConflict,
}

// Told is why something came to nothing, as a page is told.
type Told struct {
	Code    string `json:"code"`
	Message string `json:"message,omitempty"` // for people
}

// Finished is what a page gets of its login.
type Finished struct {
	Finish string   `json:"finish"` // what its browser session redeems it with
	Told   []string `json:"told"`   // the fields that the portal is told
}

// Config says who may use the card, and how a login is done.
type Config struct {
	Address netip.AddrPort // where it is listened, on the loopback interface
	Origins []string       // of pages that may pair, as browsers write them

	// Login does the login of a code for a page of origin: it shows the holder who asks for
	// what, asks, and reads the card. It ends with ctx, when the page is gone too. It is
	// called for one login at a time.
	Login func(ctx context.Context, origin, code string) (*Finished, error)
	// Tell says what a page is told of an error of Login: nothing that is secret.
	Tell func(error) Told
	// Show shows the person at this machine the code that a page is paired with next.
	Show func(code string)
	Now  func() time.Time
}

// ErrConfig means that a Config lets in more than this machine's pages of named origins.
var ErrConfig = errors.New("not an agent of this machine for named pages")

// Agent is the handler. It is safe for concurrent use.
type Agent struct {
	c Config

	session sync.Mutex // who does a login

	mu       sync.Mutex
	code     string
	wrong    int
	locked   time.Time // until when
	pairings map[[32]byte]pairing
}

// New makes an Agent, and shows the first code.
func New(c Config) (*Agent, error) {
	if c.Login == nil || c.Tell == nil || c.Show == nil || c.Now == nil || len(c.Origins) == 0 {
		return nil, fmt.Errorf("%w: nobody to serve, or nothing to do it with", ErrConfig)
	}
	if !c.Address.IsValid() || !c.Address.Addr().IsLoopback() {
		return nil, fmt.Errorf("%w: %s is seen by others", ErrConfig, c.Address)
	}
	for _, o := range c.Origins {
		if !isOrigin(o) {
			return nil, fmt.Errorf("%w: %q is no origin", ErrConfig, o)
		}
	}
	a := &Agent{c: c, pairings: map[[32]byte]pairing{}}
	a.renew()
	return a, nil
}

// isOrigin reports whether s is an origin as a browser writes it (RFC 6454 §6.2), of a page
// that nobody on the way could have changed: by TLS, or of this machine.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme+"://"+u.Host != s || u.Host == "" || strings.ToLower(s) != s {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	local := u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
	return u.Scheme == "https" && u.Port() != "443" || u.Scheme == "http" && local && u.Port() != "80"
}
