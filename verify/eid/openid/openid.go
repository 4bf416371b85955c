// Package openid is e-authentication as an OpenID Connect provider: authorization code with
// PKCE, for portals that use a stock client library.
//
// A portal is a party of package eid, and signs in with its name and secret. It asks for a
// field by the scope eid:FIELD; what it is for is the first purpose of its agreement. The
// citizen's browser is sent to a page that shows the code for the citizen's agent and takes
// what the agent gives at the end. The ID token says sub (another for each sector), acr,
// amr, purpose and the fields; where OpenID Connect has a name for one it is that: name,
// birthdate, gender.
package openid

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/tamthe/tamthe/verify/eid"
)

// scopePrefix begins the scope of a field.
const scopePrefix = "eid:"

// agentAddress is that of `tamthe agent serve`.
const agentAddress = "http://127.0.0.1:7061"

// Options say how the provider behaves.
type Options struct {
	Log *slog.Logger // nil is silent
	// Agent is where the login page looks for the agent of the citizen's own machine; if
	// empty, where that listens unless it is told otherwise.
	Agent string
}

// Handler is the provider beside s: its issuer is the service's address. It has no state but
// in memory: a login that is under way ends with it.
func Handler(s *eid.Server, o Options) (http.Handler, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	store := newStore(s)
	c := &op.Config{CodeMethodS256: true, AuthMethodPost: false}
	for _, f := range eid.Fields() {
		c.SupportedScopes = append(c.SupportedScopes, scopePrefix+f)
	}
	rand.Read(c.CryptoKey[:])
	options := []op.Option{op.WithLogger(o.Log)}
	if strings.HasPrefix(s.URL(), "http://") {
		options = append(options, op.WithAllowInsecure())
	}
	provider, err := op.NewProvider(c, store, op.StaticIssuer(s.URL()), options...)
	if err != nil {
		return nil, fmt.Errorf("OpenID Connect: %w", err)
	}
	p := &pages{server: s, agent: cmp.Or(o.Agent, agentAddress), store: store, callback: op.AuthCallbackURL(provider), issuer: op.NewIssuerInterceptor(provider.IssuerFromRequest)}
	mux := http.NewServeMux()
	mux.Handle("GET /login", p.own(p.issuer.HandlerFunc(p.show)))
	mux.Handle("POST /login", p.own(p.issuer.HandlerFunc(p.finish)))
	mux.HandleFunc("GET /login.css", asset("text/css; charset=utf-8", "login.css"))
	mux.HandleFunc("GET /login.js", asset("text/javascript; charset=utf-8", "login.js"))
	api := s.Handler()
	for _, path := range []string{"/eid/", "/openapi.json", "/health", "/healthz", "/readyz"} {
		mux.Handle(path, api)
	}
	mux.Handle(provider.AuthorizationEndpoint().Relative(), p.begins(provider))
	mux.Handle("/", p.own(provider))
	return http.NewCrossOriginProtection().Handler(mux), nil
}

// errUnknown is a request of nobody.
var errUnknown = errors.New("no such request")
