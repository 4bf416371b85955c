package issuance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"

	"github.com/tamthe/tamthe/card/cert"
)

// KeyIDOf names an operator's public key: Ed25519, or a point of P-256 or P-384, the
// curves of PIV cards. Any other is ErrEntry.
func KeyIDOf(pub crypto.PublicKey) (KeyID, error) {
	der, err := marshalKey(pub)
	if err != nil {
		return KeyID{}, err
	}
	return sha256.Sum256(der), nil
}

// KeyField returns the text of the field "key" by which a public key is enrolled: its
// SubjectPublicKeyInfo in hexadecimal.
func KeyField(pub crypto.PublicKey) (string, error) {
	der, err := marshalKey(pub)
	return hex.EncodeToString(der), err
}

func marshalKey(pub crypto.PublicKey) ([]byte, error) {
	key, err := operatorKey(pub)
	if err != nil {
		return nil, err
	}
	return x509.MarshalPKIXPublicKey(key)
}

// operatorKey returns the key in the form that verify takes: ed25519.PublicKey, or
// *ecdsa.PublicKey of P-256 or P-384.
func operatorKey(pub crypto.PublicKey) (crypto.PublicKey, error) {
	if key, ok := pub.(ed25519.PublicKey); ok && len(key) == ed25519.PublicKeySize {
		return key, nil
	}
	key, err := cert.NewPublicKey(pub)
	if err != nil || key.EC == nil {
		return nil, fmt.Errorf("%w: an operator's key is Ed25519, P-256 or P-384, not %T", ErrEntry, pub)
	}
	for _, c := range []elliptic.Curve{elliptic.P256(), elliptic.P384()} {
		if key.EC.Curve().Name() == c.Params().Name {
			return ecdsa.ParseUncompressedPublicKey(c, key.EC.Bytes())
		}
	}
	return nil, fmt.Errorf("%w: an operator's key is Ed25519, P-256 or P-384, not %v", ErrEntry, key)
}

// parseKeyField reads what KeyField wrote, in no other encoding.
func parseKeyField(text string) (crypto.PublicKey, KeyID, error) {
	der, err := hex.DecodeString(text)
	if err != nil {
		return nil, KeyID{}, fmt.Errorf("%w: key: %v", ErrEntry, err)
	}
	pub, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, KeyID{}, fmt.Errorf("%w: key: %v", ErrEntry, err)
	}
	if again, err := KeyField(pub); err != nil || again != text {
		return nil, KeyID{}, fmt.Errorf("%w: key: not the SubjectPublicKeyInfo of an operator's key", ErrEntry)
	}
	return pub, sha256.Sum256(der), nil
}

// Sign adds the signature of the operator or of the second operator, whichever the
// key belongs to. All else in the entry must be set before, Second too: both sign the
// same octets. A key that is neither's is ErrOperator. What the key answers is verified
// before it is taken: a token that signs wrongly is ErrSignature.
func (e *Entry) Sign(key crypto.Signer) error {
	pub, err := operatorKey(key.Public())
	if err != nil {
		return err
	}
	id, err := KeyIDOf(pub)
	if err != nil {
		return err
	}
	if id != e.Operator && id != e.Second {
		return fmt.Errorf("%w: the entry does not name the key that signs it", ErrOperator)
	}
	body, err := e.body()
	if err != nil {
		return err
	}
	sig, err := signWith(key, pub, append([]byte(signedContext), body...))
	if err != nil {
		return fmt.Errorf("sign %s of %s: %w", e.Act, e.Stream, err)
	}
	if id == e.Operator {
		e.Signature = sig
	} else {
		e.SecondSignature = sig
	}
	return nil
}

// verify checks one or both signatures of an entry.
func (e *Entry) verify(operator, second crypto.PublicKey) error {
	body, err := e.body()
	if err != nil {
		return err
	}
	msg := append([]byte(signedContext), body...)
	if !verifySignature(operator, msg, e.Signature) {
		return fmt.Errorf("%s of %s: %w", e.Act, e.Stream, ErrSignature)
	}
	if !e.Second.IsZero() && !verifySignature(second, msg, e.SecondSignature) {
		return fmt.Errorf("%s of %s: second operator: %w", e.Act, e.Stream, ErrSignature)
	}
	return nil
}
