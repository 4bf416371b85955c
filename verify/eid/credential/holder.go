package credential

import (
	"crypto"
	"crypto/ecdsa"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// Held is a credential as its holder has it.
type Held struct {
	token       string
	disclosures []disclosure
	claims      map[string]any
}

// ParseHeld reads a credential that was issued. Who signed it is not looked at: the holder got
// it from its issuer.
func ParseHeld(text string) (*Held, error) {
	token, disclosures, binding, err := parts(strings.TrimSpace(text))
	if err != nil {
		return nil, err
	}
	if binding != "" {
		return nil, refuse(CodeMalformed)
	}
	claims, err := peek(token)
	if err != nil {
		return nil, err
	}
	if _, err := reveal(claims, disclosures); err != nil {
		return nil, err
	}
	return &Held{token, disclosures, claims}, nil
}

// Fields are the names of what can be disclosed, in their order.
func (h *Held) Fields() (names []string) {
	for _, d := range h.disclosures {
		names = append(names, d.name)
	}
	slices.Sort(names)
	return names
}

// Issuer is who issued it, Type what it is, and Expires when it is over.
func (h *Held) Issuer() string { return text(h.claims["iss"]) }

// Type is what kind of credential it is.
func (h *Held) Type() string { return text(h.claims["vct"]) }

// Expires is when it is over.
func (h *Held) Expires() time.Time {
	t, _ := seconds(h.claims["exp"])
	return t
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// Present shows the named fields and no others to the audience, with a proof of the holder's
// key for its nonce. A field that the credential has not is CodeMissing; a key that is not the
// holder's is CodeBinding.
func (h *Held) Present(key crypto.Signer, audience, nonce string, fields []string, now time.Time) (string, error) {
	cnf, _ := h.claims["cnf"].(map[string]any)
	bound, err := parseJWK(cnf["jwk"])
	if err != nil {
		return "", err
	}
	if key, err = plain(key); err != nil {
		return "", err
	}
	if pub, ok := key.Public().(*ecdsa.PublicKey); !ok || !pub.Equal(bound.Key) {
		return "", refuse(CodeBinding)
	}
	shown := h.token + "~"
	for _, f := range fields {
		if !slices.Contains(h.Fields(), f) {
			return "", refuse(CodeMissing)
		}
	}
	for _, d := range h.disclosures {
		if slices.Contains(fields, d.name) {
			shown += d.text + "~"
		}
	}
	s, err := signerOf(key, typeBinding, nil)
	if err != nil {
		return "", err
	}
	binding, err := sign(s, map[string]any{"iat": now.Unix(), "aud": audience, "nonce": nonce, "sd_hash": digest(shown)})
	return shown + binding, err
}

// signerOf signs tokens of a type; with a public key it stands in the header.
func signerOf(key crypto.Signer, typ jose.ContentType, embedded *jose.JSONWebKey) (jose.Signer, error) {
	o := (&jose.SignerOptions{}).WithType(typ)
	if embedded != nil {
		o = o.WithHeader("jwk", embedded)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: cryptosigner.Opaque(key)}, o)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return s, nil
}

// prove shows an issuer that whoever asks for a credential has its key: a token over the
// login's name, for the issuer, with the key in its header (OpenID4VCI §8.2.1.1).
func prove(key crypto.Signer, issuer, session string, now time.Time) (string, error) {
	key, err := plain(key)
	if err != nil {
		return "", err
	}
	jwk, err := publicJWK(key.Public())
	if err != nil {
		return "", err
	}
	s, err := signerOf(key, typeProof, &jwk)
	if err != nil {
		return "", err
	}
	return sign(s, map[string]any{"aud": issuer, "iat": now.Unix(), "nonce": session})
}

// proven gives the key of a proof for this issuer and login.
func proven(proof, issuer, session string, now time.Time) (jose.JSONWebKey, error) {
	none := jose.JSONWebKey{}
	if foreign(proof) {
		return none, refuse(CodeAlgorithm)
	}
	parsed, err := jose.ParseSignedCompact(proof, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || parsed.Signatures[0].Protected.JSONWebKey == nil {
		return none, refuse(CodeProof)
	}
	key, err := parseJWK(parsed.Signatures[0].Protected.JSONWebKey)
	if err != nil {
		return none, refuse(CodeProof)
	}
	body, err := open(proof, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key}}, CodeProof, typeProof)
	if err != nil {
		return none, refuse(CodeProof)
	}
	claims, err := object(body)
	if err != nil {
		return none, refuse(CodeProof)
	}
	at, ok := seconds(claims["iat"])
	if !ok || text(claims["aud"]) != issuer || text(claims["nonce"]) != session || at.After(now.Add(leeway)) || now.Sub(at) > bindingLife {
		return none, refuse(CodeProof)
	}
	return key, nil
}
