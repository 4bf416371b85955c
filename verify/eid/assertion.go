package eid

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"

	"github.com/tamthe/tamthe/card/dh"
)

// Claims are what an assertion says: a JSON Web Token (RFC 7519) signed with ES256.
type Claims struct {
	Issuer   string            `json:"iss"`
	Audience string            `json:"aud"`
	Subject  string            `json:"sub"` // the citizen's name for the party's sector
	ID       string            `json:"jti"` // the login
	Issued   int64             `json:"iat"`
	Expires  int64             `json:"exp"`
	Nonce    string            `json:"nonce,omitempty"`
	Level    string            `json:"acr"`
	Methods  []string          `json:"amr"`
	Purpose  string            `json:"purpose"`
	Fields   map[string]string `json:"fields"`
	Specimen bool              `json:"specimen,omitempty"` // made for trial, of a SPECIMEN card perhaps: worth nothing
}

// Signer signs assertions with a key of P-256.
type Signer struct {
	jws    jose.Signer
	jwk    jose.JSONWebKey
	opaque jose.OpaqueSigner
}

// ErrKey means that a key is not of P-256.
var ErrKey = errors.New("assertions are signed with a key of P-256")

// NewSigner takes a key, which may lie in a token. Its name in assertions is its thumbprint
// (RFC 7638).
func NewSigner(key crypto.Signer) (*Signer, error) {
	pub, err := publicOf(key)
	if err != nil {
		return nil, err
	}
	jwk := jose.JSONWebKey{Key: pub, Algorithm: string(jose.ES256), Use: "sig"}
	print, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("the key of assertions: %w", err)
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(print)
	opaque := cryptosigner.Opaque(holder{key, pub})
	signing := jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: opaque, KeyID: jwk.KeyID}}
	jws, err := jose.NewSigner(signing, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, fmt.Errorf("the key of assertions: %w", err)
	}
	return &Signer{jws, jwk, opaque}, nil
}

// holder is a key whose public half is of the standard library's type.
type holder struct {
	crypto.Signer
	pub *ecdsa.PublicKey
}

func (h holder) Public() crypto.PublicKey { return h.pub }

// publicOf is the public half of a key, which a token may give as a point of card/dh.
func publicOf(key crypto.Signer) (*ecdsa.PublicKey, error) {
	switch pub := key.Public().(type) {
	case *ecdsa.PublicKey:
		if pub.Curve == elliptic.P256() {
			return pub, nil
		}
	case *dh.Point:
		if pub.Curve() == dh.P256() {
			return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), pub.Bytes())
		}
	}
	return nil, ErrKey
}

// sign makes the token.
func (s *Signer) sign(c *Claims) (string, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	signed, err := s.jws.Sign(body)
	if err != nil {
		return "", fmt.Errorf("sign the assertion: %w", err)
	}
	return signed.CompactSerialize()
}

// JOSE is the key for another maker of tokens of the same issuer: what signs, and its public
// half with its name.
func (s *Signer) JOSE() (jose.OpaqueSigner, jose.JSONWebKey) { return s.opaque, s.jwk }

// Keys are what parties verify assertions with, as a JSON Web Key Set (RFC 7517).
func (s *Signer) Keys() ([]byte, error) {
	return json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{s.jwk}})
}

// ErrAssertion means that a token is no assertion of this issuer for this party now.
var ErrAssertion = errors.New("not an assertion of this issuer for this party now")

// Verify is what a party does with an assertion: signature by one of the issuer's keys,
// issuer, audience, the nonce that it gave, and time, with a minute's leeway. Whatever is
// wrong is ErrAssertion.
func Verify(token string, keys []byte, issuer, audience, nonce string, now time.Time) (*Claims, error) {
	var set jose.JSONWebKeySet
	if len(token) > 64<<10 || json.Unmarshal(keys, &set) != nil {
		return nil, ErrAssertion
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return nil, ErrAssertion
	}
	body, err := signed.Verify(set)
	if err != nil {
		return nil, ErrAssertion
	}
	var c Claims
	if json.Unmarshal(body, &c) != nil {
		return nil, ErrAssertion
	}
	const leeway = 60
	if c.Issuer != issuer || c.Audience != audience || c.Nonce != nonce || now.Unix() > c.Expires+leeway || now.Unix() < c.Issued-leeway {
		return nil, ErrAssertion
	}
	return &c, nil
}
