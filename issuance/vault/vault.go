// Package vault seals personal data for storage and names persons by a keyed hash.
package vault

import "errors"

// ErrSealed means that sealed data do not open: another key, another place, or changed
// octets. Which of them cannot be told apart.
var ErrSealed = errors.New("sealed data do not open with this key at this place")

// Key is the vault's master key. It must not be copied; Destroy forgets it.
type Key struct{}

// NewKey takes a 32-octet secret over and numbers it.
func NewKey(version uint32, secret []byte) (*Key, error) { panic("todo") }

// Place is where sealed data are stored; data sealed for one place open at no other.
type Place struct{ Table, Row, Column string }

// Seal encrypts and authenticates plain for a place.
func (k *Key) Seal(at Place, plain []byte) []byte { panic("todo") }

// Open gives what Seal took, or ErrSealed.
func (k *Key) Open(at Place, sealed []byte) (Secret, error) { panic("todo") }

// Person names a person by a keyed hash of what identifies them, in hexadecimal. It
// can be compared, not reversed, and not enumerated without the key.
func (k *Key) Person(identity string) string { panic("todo") }

// Destroy forgets the key.
func (k *Key) Destroy() { panic("todo") }

// Secret is personal data in clear. It prints as a placeholder; Bytes gives it.
type Secret struct{}

// Bytes gives the data.
func (s Secret) Bytes() []byte { panic("todo") }
