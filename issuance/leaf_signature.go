package issuance

import (
	"crypto"
	"fmt"
)

// VerifyLeaf checks the signatures on a leaf, as whoever has nothing but leaves can: key finds
// an operator's public key for an entry, as [ParseKeyField] gives it, nil if nobody has it. It returns what the leaf says. Errors are ErrEntry, ErrOperator for a key that is not found,
// and ErrSignature; whether the operators may do what they did is not asked.
func VerifyLeaf(leaf []byte, key func(Entry, KeyID) crypto.PublicKey) (Entry, error) {
	e, _, err := ParseLeaf(leaf)
	if err != nil {
		return e, err
	}
	body := len(leaf) - 2 - len(e.Signature)
	if !e.Second.IsZero() {
		body -= 2 + len(e.SecondSignature)
	}
	msg := append([]byte(signedContext), leaf[:body]...)
	check := func(by KeyID, sig []byte) error {
		pub := key(e, by)
		if pub == nil {
			return fmt.Errorf("%s of %s: %w: key %s", e.Act, e.Stream, ErrOperator, by)
		}
		if !verifySignature(pub, msg, sig) {
			return fmt.Errorf("%s of %s: %w", e.Act, e.Stream, ErrSignature)
		}
		return nil
	}
	if err := check(e.Operator, e.Signature); err != nil || e.Second.IsZero() {
		return e, err
	}
	return e, check(e.Second, e.SecondSignature)
}

// ParseKeyField reads the public key of an operator from the field "key" of the enrolment, and
// the name of the key. Any other text is ErrEntry.
func ParseKeyField(text string) (crypto.PublicKey, KeyID, error) { return parseKeyField(text) }
