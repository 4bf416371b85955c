package issuance

import (
	"crypto"
)

// KeyIDOf names an operator's public key. Only Ed25519 keys are taken.
func KeyIDOf(pub crypto.PublicKey) (KeyID, error) { panic("todo") }

// KeyField returns the text of the field "key" by which a public key is enrolled: its
// SubjectPublicKeyInfo in hexadecimal.
func KeyField(pub crypto.PublicKey) (string, error) { panic("todo") }

// Sign adds the signature of the operator or of the second operator, whichever the
// key belongs to. All else in the entry must be set before: both sign the same octets.
func (e *Entry) Sign(key crypto.Signer) error { panic("todo") }
