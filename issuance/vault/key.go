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

// Sealed octets are
//
//	1       format, 1
//	4       number of the key's class, big-endian; once it was the version of the only key
//	12      nonce, random
//	…       ciphertext and tag
//
// and the additional data are the place and that number.
const (
	format     = 1
	headerSize = 1 + 4
	overhead   = headerSize + 12 + 16
)

// KeySize is the size of every key in octets.
const KeySize = 32

var errDestroyed = errors.New("the vault key was destroyed")

// key is one key of the vault. It must not be copied; whoever made it calls destroy.
type key struct {
	class  Class
	master []byte
}

// newKey takes over a random secret of KeySize octets.
func newKey(class Class, secret []byte) (*key, error) {
	if len(secret) != KeySize {
		return nil, fmt.Errorf("a vault key has %d octets, not %d", KeySize, len(secret))
	}
	return &key{class, secret}, nil
}

func (k *key) destroy() {
	clear(k.master)
	k.master = nil
}

// String hides the key.
func (key) String() string { return "vault.key(redacted)" }

// GoString hides the key.
func (k key) GoString() string { return k.String() }

// Format is String for every verb.
func (k key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// Place is where sealed data are stored. Data sealed for one place open at no other.
type Place struct {
	Table, Row, Column string
}

// label is the place and the key's number in an encoding that no two places share.
func (k *key) label(at Place) []byte {
	b := []byte("tamthe vault v1 seal")
	for _, s := range []string{at.Table, at.Row, at.Column} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return binary.BigEndian.AppendUint32(b, uint32(k.class))
}

func (k *key) aead(label []byte) (cipher.AEAD, error) {
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

func (k *key) seal(at Place, plain []byte) ([]byte, error) {
	label := k.label(at)
	aead, err := k.aead(label)
	if err != nil {
		return nil, err
	}
	out := make([]byte, headerSize, overhead+len(plain))
	out[0] = format
	binary.BigEndian.PutUint32(out[1:], uint32(k.class))
	return aead.Seal(out, nil, plain, label), nil
}

// classOf reads under which class of key octets were sealed.
func classOf(sealed []byte) (Class, error) {
	if len(sealed) < overhead || sealed[0] != format {
		return 0, ErrSealed
	}
	return Class(binary.BigEndian.Uint32(sealed[1:])), nil
}

// open gives what seal took, of octets that name the key's class.
func (k *key) open(at Place, sealed []byte) (*Secret, error) {
	if class, err := classOf(sealed); err != nil || class != k.class {
		return nil, ErrSealed
	}
	label := k.label(at)
	aead, err := k.aead(label)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, nil, sealed[headerSize:], label)
	if err != nil {
		return nil, ErrSealed
	}
	return &Secret{plain}, nil
}

// pseudonym is HMAC-SHA256 in hexadecimal digits.
func (k *key) pseudonym(identity string) (string, error) {
	if k.master == nil {
		return "", errDestroyed
	}
	mac := hmac.New(sha256.New, k.master)
	mac.Write([]byte(identity))
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// personKey derives the key of pseudonyms from the one key that offices once had.
func personKey(secret []byte) ([]byte, error) {
	return hkdf.Expand(sha256.New, secret, "tamthe vault v1 person", sha256.Size)
}
