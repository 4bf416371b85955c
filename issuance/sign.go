package issuance

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
)

// KeyIDOf names an operator's public key. The rules take Ed25519 keys only; any other
// is ErrEntry.
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
	key, ok := pub.(ed25519.PublicKey)
	if !ok || len(key) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%w: an operator's key is an Ed25519 key, not %T", ErrEntry, pub)
	}
	return x509.MarshalPKIXPublicKey(key)
}

// parseKeyField reads what KeyField wrote, in no other encoding.
func parseKeyField(text string) (ed25519.PublicKey, KeyID, error) {
	der, err := hex.DecodeString(text)
	if err != nil {
		return nil, KeyID{}, fmt.Errorf("%w: key: %v", ErrEntry, err)
	}
	pub, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, KeyID{}, fmt.Errorf("%w: key: %v", ErrEntry, err)
	}
	if again, err := KeyField(pub); err != nil || again != text {
		return nil, KeyID{}, fmt.Errorf("%w: key: not an Ed25519 SubjectPublicKeyInfo", ErrEntry)
	}
	return pub.(ed25519.PublicKey), sha256.Sum256(der), nil
}

// Sign adds the signature of the operator or of the second operator, whichever the
// key belongs to. All else in the entry must be set before, Second too: both sign the
// same octets. A key that is neither's is ErrOperator.
func (e *Entry) Sign(key crypto.Signer) error {
	id, err := KeyIDOf(key.Public())
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
	sig, err := key.Sign(nil, append([]byte(signedContext), body...), crypto.Hash(0))
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
func (e *Entry) verify(operator, second ed25519.PublicKey) error {
	body, err := e.body()
	if err != nil {
		return err
	}
	msg := append([]byte(signedContext), body...)
	if !ed25519.Verify(operator, msg, e.Signature) {
		return fmt.Errorf("%s of %s: %w", e.Act, e.Stream, ErrSignature)
	}
	if !e.Second.IsZero() && !ed25519.Verify(second, msg, e.SecondSignature) {
		return fmt.Errorf("%s of %s: second operator: %w", e.Act, e.Stream, ErrSignature)
	}
	return nil
}
