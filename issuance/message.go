package issuance

import (
	"crypto"
	"fmt"
)

// SignMessage has an operator's key sign octets that are no leaf, such as a request, and
// returns the one form of signature that CheckMessage takes. The context is a text that no
// other use has, so that a signature serves in one place only.
func SignMessage(key crypto.Signer, context string, message []byte) ([]byte, error) {
	pub, err := operatorKey(key.Public())
	if err != nil {
		return nil, err
	}
	sig, err := signWith(key, pub, inContext(context, message))
	if err != nil {
		return nil, fmt.Errorf("sign a message: %w", err)
	}
	return sig, nil
}

// CheckMessage verifies what SignMessage made, with the field "key" of an operator's
// stream. The error is ErrSignature, or ErrEntry for what is no key.
func CheckMessage(keyField, context string, message, sig []byte) error {
	pub, _, err := parseKeyField(keyField)
	if err != nil {
		return err
	}
	if !verifySignature(pub, inContext(context, message), sig) {
		return fmt.Errorf("a message: %w", ErrSignature)
	}
	return nil
}

// inContext keeps messages apart from leaves, which begin with a context of their own.
func inContext(context string, message []byte) []byte {
	return append([]byte("tamthe message v1\x00"+context+"\x00"), message...)
}

// Subject returns what the book knows of a stream, as a copy; its Phase is Absent if there
// is no such stream or it was not read.
func (b *Book) Subject(id StreamID) Subject {
	if s, ok := b.subjects[id]; ok {
		return *s.clone()
	}
	return Subject{Stream: id}
}

// Operator returns what the book knows of a key; ok is false if it was never enrolled or
// not read.
func (b *Book) Operator(k KeyID) (op Operator, ok bool) {
	sub := b.Subject(OperatorStream(k))
	return sub.operator(), sub.Phase != Absent
}
