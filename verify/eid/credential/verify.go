package credential

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Verifier is who takes credentials. It is safe for concurrent use.
type Verifier struct {
	Audience string            // by which holders name it
	Issuers  map[string][]byte // whose credentials it takes, with their keys (a JSON Web Key Set)
	Types    []string          // of credentials; Type if there is none
	Specimen bool              // test cards are welcome
	Now      func() time.Time

	// Status fetches the status list of an address; it must bound what it reads, and reach no
	// address that it would not itself name. A credential without a status, and a verifier
	// without Status, are refused.
	Status func(ctx context.Context, uri string) (string, error)

	mu     sync.Mutex
	nonces map[string]time.Time
	swept  time.Time
}

// Presented is what a presentation tells.
type Presented struct {
	Issuer  string
	Type    string
	Issued  time.Time
	Expires time.Time
	Holder  []byte         // the holder's public key, a JSON Web Key
	Fields  map[string]any // that were disclosed
}

// bindingLife is how old a key binding may be, and how long a nonce waits for its own.
const bindingLife = 5 * time.Minute

// maxNonces bounds the nonces that wait.
const maxNonces = 10_000

// Nonce gives a nonce for one presentation.
func (v *Verifier) Nonce() string {
	nonce := rand.Text()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.nonces == nil {
		v.nonces = map[string]time.Time{}
	}
	now := v.Now()
	if len(v.nonces) >= maxNonces || now.Sub(v.swept) > bindingLife {
		v.swept = now
		maps.DeleteFunc(v.nonces, func(_ string, t time.Time) bool { return now.Sub(t) > bindingLife })
	}
	for n := range v.nonces { // one of those that wait has to go where there are too many
		if len(v.nonces) < maxNonces {
			break
		}
		delete(v.nonces, n)
	}
	v.nonces[nonce] = now
	return nonce
}

// take takes a nonce that waits, once.
func (v *Verifier) take(nonce string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	given, ok := v.nonces[nonce]
	delete(v.nonces, nonce)
	return ok && v.Now().Sub(given) <= bindingLife
}

// Take verifies a presentation for a nonce of Nonce, which is good for one, and wants these
// fields to be disclosed. Whatever is wrong is a *Refusal.
func (v *Verifier) Take(ctx context.Context, presentation, nonce string, fields ...string) (*Presented, error) {
	if !v.take(nonce) {
		return nil, refuse(CodeNonce)
	}
	return v.Verify(ctx, presentation, nonce, fields...)
}

// Verify is Take for a caller that keeps its nonces itself: it must use each once.
func (v *Verifier) Verify(ctx context.Context, presentation, nonce string, fields ...string) (*Presented, error) {
	now := v.Now()
	token, disclosures, binding, err := parts(presentation)
	if err != nil {
		return nil, err
	}
	c, err := v.credential(token, now)
	if err != nil {
		return nil, err
	}
	all, err := reveal(c.claims, disclosures)
	if err != nil {
		return nil, err
	}
	if binding == "" {
		return nil, refuse(CodeUnbound)
	}
	if err := v.bound(c, presentation[:len(presentation)-len(binding)], binding, nonce, now); err != nil {
		return nil, err
	}
	if c.specimen && !v.Specimen {
		return nil, refuse(CodeSpecimen)
	}
	if err := v.status(ctx, c, now); err != nil {
		return nil, err
	}
	p := &Presented{Issuer: c.issuer, Type: c.kind, Issued: c.issued, Expires: c.expires, Fields: map[string]any{}}
	if p.Holder, err = c.holder.MarshalJSON(); err != nil {
		return nil, refuse(CodeMalformed)
	}
	for _, d := range disclosures {
		p.Fields[d.name] = all[d.name]
	}
	for _, f := range fields {
		if _, ok := p.Fields[f]; !ok {
			return nil, refuse(CodeMissing)
		}
	}
	return p, nil
}

// signedCredential is the issuer's token, read.
type signedCredential struct {
	claims          map[string]any
	issuer, kind    string
	issued, expires time.Time
	holder          jose.JSONWebKey
	keys            jose.JSONWebKeySet
	specimen        bool
	uri             string
	index           int
}

// credential reads the issuer's token: whose it is decides by which keys.
func (v *Verifier) credential(token string, now time.Time) (*signedCredential, error) {
	unsafe, err := peek(token)
	if err != nil {
		return nil, err
	}
	c := &signedCredential{}
	c.issuer, _ = unsafe["iss"].(string)
	raw, ok := v.Issuers[c.issuer]
	if !ok {
		return nil, refuse(CodeIssuer)
	}
	if json.Unmarshal(raw, &c.keys) != nil {
		return nil, refuse(CodeIssuer)
	}
	body, err := open(token, c.keys, CodeSignature, typeCredential, typeOld)
	if err != nil {
		return nil, err
	}
	if c.claims, err = object(body); err != nil {
		return nil, err
	}
	return c, c.read(v.Types, now)
}

// peek reads who is said to have issued a token, which nobody signed yet.
func peek(token string) (map[string]any, error) {
	if foreign(token) {
		return nil, refuse(CodeAlgorithm)
	}
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return nil, refuse(CodeMalformed)
	}
	return object(parsed.UnsafePayloadWithoutVerification())
}

// read checks the claims that everybody sees.
func (c *signedCredential) read(types []string, now time.Time) error {
	c.kind, _ = c.claims["vct"].(string)
	if len(types) == 0 {
		types = []string{Type}
	}
	if !slices.Contains(types, c.kind) {
		return refuse(CodeType)
	}
	var ok bool
	if c.expires, ok = seconds(c.claims["exp"]); !ok {
		return refuse(CodeMalformed)
	}
	if c.issued, ok = seconds(c.claims["iat"]); !ok {
		return refuse(CodeMalformed)
	}
	from := c.issued
	if raw, there := c.claims["nbf"]; there {
		if from, ok = seconds(raw); !ok {
			return refuse(CodeMalformed)
		}
	}
	switch {
	case !now.Before(c.expires.Add(leeway)):
		return refuse(CodeExpired)
	case now.Add(leeway).Before(from), now.Add(leeway).Before(c.issued):
		return refuse(CodeEarly)
	}
	cnf, _ := c.claims["cnf"].(map[string]any)
	if cnf["jwk"] == nil {
		return refuse(CodeUnbound)
	}
	var err error
	if c.holder, err = parseJWK(cnf["jwk"]); err != nil {
		return err
	}
	c.specimen, _ = c.claims["specimen"].(bool)
	status, _ := c.claims["status"].(map[string]any)
	list, _ := status["status_list"].(map[string]any)
	c.uri, _ = list["uri"].(string)
	c.index = -1
	if n, ok := list["idx"].(json.Number); ok {
		if i, err := n.Int64(); err == nil && i >= 0 && i < 1<<31 {
			c.index = int(i)
		}
	}
	return nil
}

// bound checks the key binding (RFC 9901 §7.3).
func (v *Verifier) bound(c *signedCredential, presented, binding, nonce string, now time.Time) error {
	body, err := open(binding, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{c.holder}}, CodeBinding, typeBinding)
	if err != nil {
		return err
	}
	claims, err := object(body)
	if err != nil {
		return err
	}
	if aud, _ := claims["aud"].(string); aud != v.Audience || aud == "" {
		return refuse(CodeAudience)
	}
	if n, _ := claims["nonce"].(string); n != nonce || n == "" {
		return refuse(CodeNonce)
	}
	at, ok := seconds(claims["iat"])
	if !ok || at.After(now.Add(leeway)) || now.Sub(at) > bindingLife {
		return refuse(CodeTime)
	}
	if h, _ := claims["sd_hash"].(string); h != digest(presented) {
		return refuse(CodePresented)
	}
	return nil
}

// status asks whether the card is in force.
func (v *Verifier) status(ctx context.Context, c *signedCredential, now time.Time) error {
	if v.Status == nil || c.uri == "" || c.index < 0 {
		return refuse(CodeStatus)
	}
	token, err := v.Status(ctx, c.uri)
	if err != nil {
		return &Refusal{CodeStatus, err}
	}
	return checkStatus(token, c.issuer, c.uri, c.index, c.keys, now)
}
