package openid

import (
	"container/list"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/tamthe/tamthe/verify/eid"
)

const (
	requestLife = 10 * time.Minute
	tokenLife   = 2 * time.Minute
	maxRequests = 10_000
	maxPerPlace = 200
)

// request is an authentication request, and then what came of it. A copy is given out.
type request struct {
	id      string
	ask     oidc.AuthRequest
	begun   time.Time
	claims  *eid.Claims // nil until the login was redeemed
	browser string      // the session of the login
	owner   [32]byte    // SHA-256 of what the browser session that began it is known by
	coded   bool        // a code was given out
	from    string      // the network of that browser

	inPlace, inOrder *list.Element // in waiting
}

// of reports whether a request is that of the browser session of a context.
func (r *request) of(ctx context.Context) bool {
	own, _ := ctx.Value(ownKey{}).(string)
	sum := sha256.Sum256([]byte(own))
	return own != "" && subtle.ConstantTimeCompare(sum[:], r.owner[:]) == 1
}

func (r *request) GetID() string { return r.id }
func (r *request) GetACR() string {
	if r.claims == nil {
		return ""
	}
	return r.claims.Level
}

func (r *request) GetAMR() []string {
	if r.claims == nil {
		return nil
	}
	return r.claims.Methods
}
func (r *request) GetAudience() []string  { return []string{r.ask.ClientID} }
func (r *request) GetAuthTime() time.Time { return r.begun }
func (r *request) GetClientID() string    { return r.ask.ClientID }
func (r *request) GetCodeChallenge() *oidc.CodeChallenge {
	return &oidc.CodeChallenge{Challenge: r.ask.CodeChallenge, Method: r.ask.CodeChallengeMethod}
}
func (r *request) GetNonce() string                   { return r.ask.Nonce }
func (r *request) GetRedirectURI() string             { return r.ask.RedirectURI }
func (r *request) GetResponseType() oidc.ResponseType { return r.ask.ResponseType }
func (r *request) GetResponseMode() oidc.ResponseMode { return r.ask.ResponseMode }
func (r *request) GetScopes() []string                { return r.ask.Scopes }
func (r *request) GetState() string                   { return r.ask.State }
func (r *request) GetSubject() string {
	if r.claims == nil {
		return ""
	}
	return r.claims.Subject
}
func (r *request) Done() bool { return r.claims != nil }

// token is an access token: what userinfo tells whoever has it.
type token struct {
	claims  *eid.Claims
	expires time.Time
}

// store is what the provider keeps, in memory.
type store struct {
	server *eid.Server

	mu       sync.Mutex
	requests waiting
	codes    map[string]string
	tokens   map[string]token
}

func newStore(s *eid.Server) *store {
	return &store{server: s, requests: newWaiting(), codes: map[string]string{}, tokens: map[string]token{}}
}

func name() string {
	b := make([]byte, 16)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// sweep forgets what is over.
func (s *store) sweep(now time.Time) {
	s.requests.sweep(now)
	maps.DeleteFunc(s.codes, func(_, id string) bool { return s.requests.byID[id] == nil })
	maps.DeleteFunc(s.tokens, func(_ string, t token) bool { return time.Now().After(t.expires) })
}

// CreateAuthRequest takes a request that is well formed. Without PKCE by S256 there is none.
func (s *store) CreateAuthRequest(ctx context.Context, ask *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	switch {
	case slices.Contains(ask.Prompt, "none"):
		return nil, oidc.ErrLoginRequired()
	case ask.CodeChallenge == "" || ask.CodeChallengeMethod != oidc.CodeChallengeMethodS256:
		return nil, oidc.ErrInvalidRequest().WithDescription("PKCE by S256 is needed")
	}
	own, _ := ctx.Value(ownKey{}).(string)
	if own == "" {
		return nil, oidc.ErrServerError().WithDescription("no browser session")
	}
	now := s.server.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	from, _ := ctx.Value(networkKey{}).(string)
	r := &request{id: name(), ask: *ask, begun: now, owner: sha256.Sum256([]byte(own)), from: from}
	party, _ := s.server.Party(ask.ClientID)
	s.requests.add(r, party.Rate*int(requestLife/time.Minute))
	c := *r
	return &c, nil
}

// AuthRequestByID gives a request out to the browser session that began it: whoever knows
// its name could fetch its code otherwise.
func (s *store) AuthRequestByID(ctx context.Context, id string) (op.AuthRequest, error) {
	r, err := s.get(id)
	if err != nil {
		return nil, err
	}
	if !r.of(ctx) {
		return nil, errUnknown
	}
	return r, nil
}

// get is a copy of a request that is not over.
func (s *store) get(id string) (*request, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.requests.byID[id]
	if r == nil || s.server.Now().Sub(r.begun) > requestLife {
		return nil, errUnknown
	}
	c := *r
	return &c, nil
}

// change changes a request.
func (s *store) change(id string, f func(*request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.requests.byID[id]; r != nil {
		f(r)
	}
}

// AuthRequestByCode gives out the request of a code, which is good once.
func (s *store) AuthRequestByCode(_ context.Context, code string) (op.AuthRequest, error) {
	s.mu.Lock()
	id, ok := s.codes[code]
	delete(s.codes, code)
	s.mu.Unlock()
	if !ok {
		return nil, errUnknown
	}
	r, err := s.get(id)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// SaveAuthCode keeps the code of a request, which has one.
func (s *store) SaveAuthCode(_ context.Context, id, code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.requests.byID[id]
	if r == nil || r.coded {
		return errUnknown
	}
	r.coded = true
	s.codes[code] = id
	return nil
}

// DeleteAuthRequest ends a request.
func (s *store) DeleteAuthRequest(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests.remove(s.requests.byID[id])
	return nil
}

// CreateAccessToken makes a token that userinfo answers to, for two minutes.
func (s *store) CreateAccessToken(_ context.Context, r op.TokenRequest) (string, time.Time, error) {
	q, ok := r.(*request)
	if !ok || q.claims == nil {
		return "", time.Time{}, errUnknown
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := token{q.claims, time.Now().Add(tokenLife)} // by the library's clock, which is the machine's
	id := name()
	s.tokens[id] = t
	return id, t.expires, nil
}

// There are no refresh tokens: each login is a card in a reader.

func (s *store) CreateAccessAndRefreshTokens(ctx context.Context, r op.TokenRequest, _ string) (string, string, time.Time, error) {
	id, expires, err := s.CreateAccessToken(ctx, r)
	return id, "", expires, err
}

func (s *store) TokenRequestByRefreshToken(context.Context, string) (op.RefreshTokenRequest, error) {
	return nil, op.ErrInvalidRefreshToken
}

func (s *store) GetRefreshTokenInfo(context.Context, string, string) (string, string, error) {
	return "", "", op.ErrInvalidRefreshToken
}

func (s *store) TerminateSession(context.Context, string, string) error { return nil }

func (s *store) RevokeToken(_ context.Context, id, _, client string) *oidc.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.tokens[id]; ok && t.claims.Audience == client {
		delete(s.tokens, id)
	}
	return nil
}

// key is the service's key as the provider wants it.
type key struct {
	jwk     jose.JSONWebKey
	private any
}

func (k key) ID() string                                  { return k.jwk.KeyID }
func (k key) Algorithm() jose.SignatureAlgorithm          { return jose.ES256 }
func (k key) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.ES256 }
func (k key) Use() string                                 { return "sig" }
func (k key) Key() any                                    { return k.private }

func (s *store) SigningKey(context.Context) (op.SigningKey, error) {
	opaque, jwk := s.server.Signer().JOSE()
	return key{jwk, opaque}, nil
}

func (s *store) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.ES256}, nil
}

func (s *store) KeySet(context.Context) ([]op.Key, error) {
	_, jwk := s.server.Signer().JOSE()
	return []op.Key{key{jwk, jwk.Key}}, nil
}

func (s *store) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	p, ok := s.server.Party(id)
	if !ok || len(p.Redirects) == 0 || len(p.Purposes) == 0 {
		return nil, oidc.ErrInvalidClient()
	}
	return client{p}, nil
}

func (s *store) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	if p, ok := s.server.Party(id); !ok || !p.Knows(secret) {
		return oidc.ErrInvalidClient()
	}
	return nil
}

func (s *store) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

// SetUserinfoFromRequest puts into the ID token what was asked for.
func (s *store) SetUserinfoFromRequest(_ context.Context, u *oidc.UserInfo, r op.IDTokenRequest, _ []string) error {
	if q, ok := r.(*request); ok && q.claims != nil {
		tell(u, q.claims)
	}
	return nil
}

func (s *store) SetUserinfoFromToken(_ context.Context, u *oidc.UserInfo, id, _, _ string) error {
	s.mu.Lock()
	t, ok := s.tokens[id]
	s.mu.Unlock()
	if !ok || time.Now().After(t.expires) {
		return errUnknown
	}
	tell(u, t.claims)
	return nil
}

// standard are the names that OpenID Connect has for fields.
var standard = map[string]string{"birth": "birthdate", "sex": "gender"}

func tell(u *oidc.UserInfo, c *eid.Claims) {
	u.Subject = c.Subject
	u.AppendClaims("purpose", c.Purpose)
	if c.Specimen {
		u.AppendClaims("specimen", true)
	}
	for f, v := range c.Fields {
		if n := standard[f]; n != "" {
			f = n
		}
		if f == "gender" {
			v = map[string]string{"M": "male", "F": "female"}[v]
		}
		u.AppendClaims(f, v)
	}
}

// Nobody else's tokens are taken, and nothing else is told of ours.

func (s *store) SetIntrospectionFromToken(context.Context, *oidc.IntrospectionResponse, string, string, string) error {
	return errUnknown
}

func (s *store) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}

func (s *store) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errUnknown
}

func (s *store) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, errUnknown
}

func (s *store) Health(context.Context) error { return nil }

// client is a party as the provider sees it.
type client struct{ eid.Party }

func (c client) GetID() string                       { return c.ID }
func (c client) RedirectURIs() []string              { return c.Redirects }
func (c client) PostLogoutRedirectURIs() []string    { return nil }
func (c client) ApplicationType() op.ApplicationType { return op.ApplicationTypeWeb }
func (c client) AuthMethod() oidc.AuthMethod         { return oidc.AuthMethodBasic }
func (c client) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (c client) GrantTypes() []oidc.GrantType        { return []oidc.GrantType{oidc.GrantTypeCode} }
func (c client) LoginURL(id string) string           { return "/login?id=" + id }
func (c client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeBearer }
func (c client) IDTokenLifetime() time.Duration      { return tokenLife }

// DevMode lets a portal on this machine, and no other, be sent back to without TLS.
func (c client) DevMode() bool {
	return !slices.ContainsFunc(c.Redirects, func(u string) bool {
		return !strings.HasPrefix(u, "http://127.0.0.1:") && !strings.HasPrefix(u, "http://[::1]:") && !strings.HasPrefix(u, "https://")
	})
}

func (c client) RestrictAdditionalIdTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}

func (c client) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}

func (c client) IsScopeAllowed(scope string) bool {
	f, ok := strings.CutPrefix(scope, scopePrefix)
	return ok && slices.Contains(c.Fields, f)
}

func (c client) IDTokenUserinfoClaimsAssertion() bool { return true }
func (c client) ClockSkew() time.Duration             { return 0 }
