package keystore

import (
	"context"
	"crypto/aes"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrComponent says that a key's components do not make the key: too few, of unequal
// length, or against a check value.
var ErrComponent = errors.New("the components do not make the key")

// KCV is a key check value, which may be published: the head of the encryption of a block
// of 01 under an AES key (GlobalPlatform Amendment D §7.2).
type KCV [3]byte

// String gives six capital hexadecimal digits, as suppliers print it.
func (k KCV) String() string { return strings.ToUpper(hex.EncodeToString(k[:])) }

// ParseKCV reads six hexadecimal digits.
func ParseKCV(s string) (KCV, error) {
	b, err := hex.DecodeString(strings.TrimSpace(s))
	if err != nil || len(b) != 3 {
		return KCV{}, fmt.Errorf("%w: a check value is six hexadecimal digits", ErrComponent)
	}
	return KCV(b), nil
}

func checkValue(key []byte) (KCV, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return KCV{}, fmt.Errorf("%w: %d octets are no AES key", ErrComponent, len(key))
	}
	b := []byte("\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01")
	block.Encrypt(b, b)
	return KCV(b[:3]), nil
}

// Component is one part of a symmetric key that travels in several, each with another
// person: the key is the exclusive or of all. It shows nothing of itself in print.
type Component struct {
	octets []byte
	kcv    KCV
}

// maxComponent bounds the text of a component.
const maxComponent = 256

// ParseComponent reads what a custodian brings: the component in hexadecimal digits, with
// spaces between groups if they like, and behind a slash its check value, which must fit:
// "404142… / 8BAF47". The error is ErrComponent and shows nothing.
func ParseComponent(text []byte) (*Component, error) {
	if len(text) > maxComponent {
		return nil, fmt.Errorf("%w: longer than %d octets", ErrComponent, maxComponent)
	}
	digits, check, ok := strings.Cut(string(text), "/")
	if !ok {
		return nil, fmt.Errorf("%w: write its check value behind a slash", ErrComponent)
	}
	want, err := ParseKCV(check)
	if err != nil {
		return nil, err
	}
	octets, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
	if err != nil {
		return nil, fmt.Errorf("%w: a component is hexadecimal digits", ErrComponent)
	}
	got, err := checkValue(octets)
	if err == nil && got != want {
		err = fmt.Errorf("%w: its check value is %s, not %s: a digit is wrong", ErrComponent, got, want)
	}
	if err != nil {
		clear(octets)
		return nil, err
	}
	return &Component{octets, want}, nil
}

// KCV is the component's own check value.
func (c *Component) KCV() KCV { return c.kcv }

// Destroy overwrites the component. It may be called again.
func (c *Component) Destroy() {
	clear(c.octets)
	c.octets = nil
}

// Format names the component by its check value, for every verb.
func (c *Component) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "key component "+c.kcv.String())
}

// Combine makes the key of two or more components, whose check value must be the one that
// the supplier announced for it. A component of zeros, or two that are equal, add nothing
// and are refused: the others would then be the key. The error is ErrComponent.
func Combine(want KCV, components ...*Component) (*Secret, error) {
	if len(components) < 2 {
		return nil, fmt.Errorf("%w: a key takes two at least", ErrComponent)
	}
	key := make([]byte, len(components[0].octets))
	for i, c := range components {
		if len(c.octets) == 0 || len(c.octets) != len(key) {
			clear(key)
			return nil, fmt.Errorf("%w: they are not of one length", ErrComponent)
		}
		same := subtle.ConstantTimeCompare(c.octets, make([]byte, len(key)))
		for _, d := range components[:i] {
			same |= subtle.ConstantTimeCompare(c.octets, d.octets)
		}
		if same == 1 {
			clear(key)
			return nil, fmt.Errorf("%w: one is zero, or two are the same", ErrComponent)
		}
		subtle.XORBytes(key, key, c.octets)
	}
	got, err := checkValue(key)
	if err == nil && got != want {
		err = fmt.Errorf("%w: together their check value is %s, not %s: one is of another key", ErrComponent, got, want)
	}
	if err != nil {
		clear(key)
		return nil, err
	}
	return &Secret{key}, nil
}

const pemWrapped = "TAMTHE WRAPPED KEY"

// StoreWrapped writes a key to a new file of the folder, encrypted under a wrapper and
// bound to its name and check value. Errors wrap ErrName, ErrExists.
func StoreWrapped(ctx context.Context, f Folder, name string, kcv KCV, key *Secret, w Wrapper) error {
	path, err := f.path(name)
	if err != nil {
		return err
	}
	wrapped, err := w.Wrap(ctx, key.Bytes(), wrappedLabel(name, kcv))
	if err == nil {
		err = writeBlock(path, pemWrapped, map[string]string{"Kcv": kcv.String()}, wrapped)
	}
	if err != nil {
		return fmt.Errorf("write key %s: %w", path, err)
	}
	return nil
}

// OpenWrapped reads a key that StoreWrapped wrote under the wrapper, and its check value.
// Errors wrap ErrMissing, ErrPermissions, ErrFormat or ErrWrapped.
func OpenWrapped(ctx context.Context, f Folder, name string, w Wrapper) (*Secret, KCV, error) {
	path, err := f.path(name)
	if err != nil {
		return nil, KCV{}, err
	}
	block, err := readBlock(path, pemWrapped)
	if err != nil {
		return nil, KCV{}, fmt.Errorf("open key %s: %w", path, err)
	}
	kcv, err := ParseKCV(block.Headers["Kcv"])
	if err != nil {
		return nil, KCV{}, fmt.Errorf("open key %s: %w: headers", path, ErrFormat)
	}
	key, err := w.Unwrap(ctx, block.Bytes, wrappedLabel(name, kcv))
	if err != nil {
		return nil, KCV{}, fmt.Errorf("open key %s: %w", path, err)
	}
	if got, err := checkValue(key); err != nil || got != kcv {
		clear(key)
		return nil, KCV{}, fmt.Errorf("open key %s: %w: check value", path, ErrFormat)
	}
	return &Secret{key}, kcv, nil
}

func wrappedLabel(name string, kcv KCV) []byte {
	return []byte("tamthe key " + name + " " + kcv.String())
}
