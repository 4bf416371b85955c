package cms

import (
	"crypto"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// System is one of others that the office has an agreement with.
type System struct {
	ID       string
	Scopes   []string   // of which it may use those that its token has too
	Tokens   [][32]byte // SHA-256 of bearer tokens that are no JWT; these have all its scopes
	Purpose  string     // for which persons' data come here, as the agreement has it
	Rate     int        // calls a minute; 120 if 0
	Everyone bool       // it sees all credentials, not only those that it requested

	// Certificate is the SHA-256 of the TLS certificate without which the system is nobody,
	// whatever its token (RFC 8705); nil asks for none.
	Certificate *[32]byte
}

// Issuer is who makes access tokens for systems: JSON Web Tokens with iss, aud, exp, sub (the
// system's ID) and scope (RFC 9068).
type Issuer struct {
	Name     string // iss
	Audience string // aud: this office
	Keys     []crypto.PublicKey
}

// caller is who calls, and what for it may.
type caller struct {
	*System
	scopes []string
}

// leeway is how far the issuer's clock may be off.
const leeway = time.Minute

// maxToken bounds a token, in octets.
const maxToken = 8 << 10

var errToken = errors.New("no token of a system that is known here")

// caller tells who calls.
func (s *Server) caller(r *http.Request) (*caller, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" || len(token) > maxToken {
		return nil, errToken
	}
	c, bound, err := s.bearer(token)
	if err != nil {
		return nil, err
	}
	var shown [32]byte
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		shown = sha256.Sum256(r.TLS.PeerCertificates[0].Raw)
	}
	if c.Certificate != nil && subtle.ConstantTimeCompare(shown[:], c.Certificate[:]) != 1 {
		return nil, errToken
	}
	if bound != "" && bound != base64.RawURLEncoding.EncodeToString(shown[:]) {
		return nil, errToken
	}
	return c, nil
}

// bearer is whose a token is; bound names the certificate to which the token is bound.
func (s *Server) bearer(token string) (c *caller, bound string, err error) {
	sum := sha256.Sum256([]byte(token))
	for i := range s.c.Systems {
		for _, t := range s.c.Systems[i].Tokens {
			if subtle.ConstantTimeCompare(sum[:], t[:]) == 1 {
				return &caller{&s.c.Systems[i], s.c.Systems[i].Scopes}, "", nil
			}
		}
	}
	if s.c.Issuer == nil || strings.Count(token, ".") != 2 {
		return nil, "", errToken
	}
	return s.jwt(token)
}

// jwt reads an access token of the issuer.
func (s *Server) jwt(token string) (*caller, string, error) {
	t, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.PS256, jose.RS256})
	if err != nil || len(t.Headers) != 1 {
		return nil, "", errToken
	}
	var claims jwt.Claims
	var more struct {
		Scope json.RawMessage `json:"scope"`
		Bound struct {
			Certificate string `json:"x5t#S256"`
		} `json:"cnf"`
	}
	good := slices.ContainsFunc(s.c.Issuer.Keys, func(k crypto.PublicKey) bool { return t.Claims(k, &claims, &more) == nil })
	want := jwt.Expected{Issuer: s.c.Issuer.Name, AnyAudience: jwt.Audience{s.c.Issuer.Audience}, Time: s.c.Now()}
	if !good || claims.Expiry == nil || claims.ValidateWithLeeway(want, leeway) != nil {
		return nil, "", errToken
	}
	i := slices.IndexFunc(s.c.Systems, func(y System) bool { return y.ID == claims.Subject })
	if i < 0 {
		return nil, "", errToken
	}
	c := &caller{System: &s.c.Systems[i]}
	for _, scope := range scopesOf(more.Scope) {
		if slices.Contains(c.Scopes, scope) {
			c.scopes = append(c.scopes, scope)
		}
	}
	return c, more.Bound.Certificate, nil
}

// scopesOf reads the claim scope: one string with spaces (RFC 8693), or an array, as some have.
func scopesOf(b json.RawMessage) (list []string) {
	var one string
	if json.Unmarshal(b, &one) == nil {
		return strings.Fields(one)
	}
	_ = json.Unmarshal(b, &list) // what is neither is no scope
	return list
}
