// Package vault seals personal data for storage and names persons by a keyed hash.
//
// Sealed data are AES-256-GCM under a key of their own, derived from the vault's key
// and the place where they are stored, so that a row moved to another place does not
// open. The format is
//
//	1       format, 1
//	4       version of the vault key, big-endian
//	12      nonce, random
//	…       ciphertext and tag
//
// and the additional data are the place and the key's version.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

var (
	// ErrSealed means that sealed data do not open: another key, another place, or
	// changed octets. Which of them it is cannot be told.
	ErrSealed = errors.New("the sealed data do not open")
	// ErrVersion means that the data were sealed by another version of the key.
	ErrVersion = errors.New("sealed by another version of the vault key")
)

var errDestroyed = errors.New("the vault key was destroyed")

const (
	format     = 1
	headerSize = 1 + 4
	overhead   = headerSize + 12 + 16
)

// KeySize is the size of a vault key in octets.
const KeySize = 32

// Key is the vault's key. It must not be copied; whoever made it calls Destroy.
type Key struct {
	version uint32
	master  []byte
	person  []byte
}

// NewKey takes over a random secret of KeySize octets, which the caller must no longer
// use, and its number.
func NewKey(version uint32, secret []byte) (*Key, error) {
	if len(secret) != KeySize {
		return nil, fmt.Errorf("a vault key has %d octets, not %d", KeySize, len(secret))
	}
	person, err := hkdf.Expand(sha256.New, secret, "tamthe vault v1 person", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive the person key: %w", err)
	}
	return &Key{version, secret, person}, nil
}

// Destroy forgets the key. Nothing opens with it afterwards.
func (k *Key) Destroy() {
	clear(k.master)
	clear(k.person)
	k.master, k.person = nil, nil
}

// String hides the key.
func (Key) String() string { return "vault.Key(redacted)" }

// GoString hides the key.
func (k Key) GoString() string { return k.String() }

// Format is String for every verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// Place is where sealed data are stored. Data sealed for one place open at no other.
type Place struct {
	Table, Row, Column string
}

// label is the place and the key's version in an encoding that no two places share.
func (k *Key) label(at Place) []byte {
	b := []byte("tamthe vault v1 seal")
	for _, s := range []string{at.Table, at.Row, at.Column} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return binary.BigEndian.AppendUint32(b, k.version)
}

func (k *Key) aead(label []byte) (cipher.AEAD, error) {
	if k.master == nil {
		return nil, errDestroyed
	}
	record, err := hkdf.Expand(sha256.New, k.master, string(label), KeySize)
	if err != nil {
		return nil, err
	}
	defer clear(record)
	block, err := aes.NewCipher(record)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Seal encrypts plain for a place. Sealing the same twice gives different octets. The
// only error is a key that was destroyed.
func (k *Key) Seal(at Place, plain []byte) ([]byte, error) {
	label := k.label(at)
	aead, err := k.aead(label)
	if err != nil {
		return nil, fmt.Errorf("seal %s of %s: %w", at.Column, at.Table, err)
	}
	out := make([]byte, headerSize, overhead+len(plain))
	out[0] = format
	binary.BigEndian.PutUint32(out[1:], k.version)
	return aead.Seal(out, nil, plain, label), nil
}

// Open gives what Seal took. Errors: ErrVersion, ErrSealed.
func (k *Key) Open(at Place, sealed []byte) (*Secret, error) {
	fail := func(err error) (*Secret, error) {
		return nil, fmt.Errorf("open %s of %s: %w", at.Column, at.Table, err)
	}
	if len(sealed) < overhead || sealed[0] != format {
		return fail(ErrSealed)
	}
	if v := binary.BigEndian.Uint32(sealed[1:]); v != k.version {
		return fail(fmt.Errorf("%w: %d, not %d", ErrVersion, v, k.version))
	}
	label := k.label(at)
	aead, err := k.aead(label)
	if err != nil {
		return fail(err)
	}
	plain, err := aead.Open(nil, nil, sealed[headerSize:], label)
	if err != nil {
		return fail(ErrSealed)
	}
	return &Secret{plain}, nil
}

// Person names a person by HMAC-SHA256 of what identifies them, in 64 hexadecimal
// digits: equal for equal identities, and of no use to someone who tries them all but
// lacks the key. Its key is derived apart from the one that seals. Normalising the
// identity is the caller's matter. The only error is a key that was destroyed.
func (k *Key) Person(identity string) (string, error) {
	if k.person == nil {
		return "", errDestroyed
	}
	mac := hmac.New(sha256.New, k.person)
	mac.Write([]byte(identity))
	return hex.EncodeToString(mac.Sum(nil)), nil
}
