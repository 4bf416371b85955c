package intake

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"

	"github.com/tamthe/tamthe/card/dh"
)

// The types that protected headers name: what a portal signs is never taken for what an
// office signs.
const (
	typeMessage = "tamthe-intake+jws"
	typeAnswer  = "tamthe-intake-answer+jws"
)

// Header is where a body's signature stands: a JSON Web Signature with detached content
// (RFC 7515 Appendix F), ES256 or EdDSA, whose kid names the portal.
const Header = "Intake-Signature"

// maxSignature bounds that header.
const maxSignature = 1024

// Signed is a body with its signature.
type Signed struct {
	Body      []byte
	Signature string
}

// ErrKey means that a key is neither of P-256 nor of Ed25519.
var ErrKey = errors.New("messages are signed with a key of P-256 or Ed25519")

// ErrSignature means that an answer is not signed by the office.
var ErrSignature = errors.New("the office's signature is wrong")

// Signer signs for one portal, or for an office.
type Signer struct {
	jws    jose.Signer
	public crypto.PublicKey
	alg    jose.SignatureAlgorithm
}

// NewSigner takes a portal's key, which may lie in a token.
func NewSigner(key crypto.Signer, portal string) (*Signer, error) {
	return newSigner(key, portal, typeMessage)
}

// NewOfficeSigner takes the key of an office's receipts.
func NewOfficeSigner(key crypto.Signer) (*Signer, error) { return newSigner(key, "", typeAnswer) }

func newSigner(key crypto.Signer, kid, typ string) (*Signer, error) {
	pub, alg, err := publicOf(key.Public())
	if err != nil {
		return nil, err
	}
	o := (&jose.SignerOptions{}).WithType(jose.ContentType(typ))
	if kid != "" {
		o = o.WithHeader("kid", kid)
	}
	j, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: cryptosigner.Opaque(holder{key, pub})}, o)
	if err != nil {
		return nil, fmt.Errorf("the key of messages: %w", err)
	}
	return &Signer{j, pub, alg}, nil
}

// holder is a key whose public half is of the standard library's type.
type holder struct {
	crypto.Signer
	pub crypto.PublicKey
}

func (h holder) Public() crypto.PublicKey { return h.pub }

// publicOf is a public key, which a token may give as a point of card/dh, and what it signs
// with.
func publicOf(key crypto.PublicKey) (crypto.PublicKey, jose.SignatureAlgorithm, error) {
	switch pub := key.(type) {
	case ed25519.PublicKey:
		return pub, jose.EdDSA, nil
	case *ecdsa.PublicKey:
		if pub.Curve == elliptic.P256() {
			return pub, jose.ES256, nil
		}
	case *dh.Point:
		if pub.Curve() == dh.P256() {
			p, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), pub.Bytes())
			return p, jose.ES256, err
		}
	}
	return nil, "", ErrKey
}

// CheckKey refuses a public key that no portal signs with: ErrKey.
func CheckKey(key crypto.PublicKey) error {
	_, _, err := publicOf(key)
	return err
}

// Sign signs a body.
func (s *Signer) Sign(body []byte) (Signed, error) {
	j, err := s.jws.Sign(body)
	if err != nil {
		return Signed{}, fmt.Errorf("sign: %w", err)
	}
	text, err := j.DetachedCompactSerialize()
	return Signed{body, text}, err
}

// Keys are what the signer's signatures verify under, as a JSON Web Key Set (RFC 7517).
func (s *Signer) Keys() ([]byte, error) {
	return json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: s.public, Algorithm: string(s.alg), Use: "sig"}}})
}

// ParseKeys reads what Keys wrote.
func ParseKeys(b []byte) ([]crypto.PublicKey, error) {
	var set jose.JSONWebKeySet
	if len(b) > MaxMessage || json.Unmarshal(b, &set) != nil || len(set.Keys) == 0 {
		return nil, ErrKey
	}
	var list []crypto.PublicKey
	for _, k := range set.Keys {
		pub, _, err := publicOf(k.Key)
		if err != nil {
			return nil, err
		}
		list = append(list, pub)
	}
	return list, nil
}

// parsed reads a detached signature over a body and says which portal its header names.
func parsed(s Signed, typ string) (*jose.JSONWebSignature, string, error) {
	if len(s.Signature) > maxSignature {
		return nil, "", ErrSignature
	}
	j, err := jose.ParseDetached(s.Signature, s.Body, []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA})
	if err != nil || len(j.Signatures) != 1 || j.Signatures[0].Protected.ExtraHeaders[jose.HeaderType] != typ {
		return nil, "", ErrSignature
	}
	return j, j.Signatures[0].Protected.KeyID, nil
}

// by reports whether one of the keys made a signature.
func by(j *jose.JSONWebSignature, keys []crypto.PublicKey) bool {
	for _, k := range keys {
		_, alg, err := publicOf(k)
		if err == nil && j.Signatures[0].Protected.Algorithm == string(alg) {
			if _, err := j.Verify(k); err == nil {
				return true
			}
		}
	}
	return false
}

// VerifyAnswer refuses what none of the office's keys signed: ErrSignature.
func VerifyAnswer(s Signed, keys []crypto.PublicKey) error {
	j, _, err := parsed(s, typeAnswer)
	if err != nil || !by(j, keys) {
		return ErrSignature
	}
	return nil
}
