package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// ErrRecipients says that a file lists no X25519 recipients, or other things too.
var ErrRecipients = errors.New("want X25519 recipients of age (age1…), one a line, at most 64")

// ErrIdentity says that a bundle is encrypted to none of the keys given, or was changed.
var ErrIdentity = errors.New("none of these keys opens the bundle, or it was changed")

const (
	ageHeader     = "age-encryption.org/"
	maxRecipients = 64
)

// Encrypted says whether a file that begins so is encrypted with age.
func Encrypted(begin []byte) bool { return bytes.HasPrefix(begin, []byte(ageHeader)) }

// Encrypt encrypts a sealed bundle with age to the X25519 recipients of a text as `age -R`
// takes it. Whom it is for is not to be seen from outside. Errors wrap ErrRecipients.
func Encrypt(bundle, recipients []byte) ([]byte, error) {
	list, err := age.ParseRecipients(bytes.NewReader(recipients))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRecipients, err)
	}
	if len(list) > maxRecipients {
		return nil, fmt.Errorf("%w: there are %d", ErrRecipients, len(list))
	}
	for _, r := range list {
		if _, ok := r.(*age.X25519Recipient); !ok {
			return nil, fmt.Errorf("%w: a recipient of type %T", ErrRecipients, r)
		}
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, list...)
	if err != nil {
		return nil, fmt.Errorf("encrypt the bundle: %w", err)
	}
	if _, err := w.Write(bundle); err != nil {
		return nil, fmt.Errorf("encrypt the bundle: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("encrypt the bundle: %w", err)
	}
	return out.Bytes(), nil
}

// Decrypt opens what Encrypt made with the identities of a text as `age -i` takes it. It
// returns all or nothing. Errors wrap ErrIdentity or ErrTooLarge.
func Decrypt(file, identities []byte) ([]byte, error) {
	keys, err := age.ParseIdentities(bytes.NewReader(identities))
	if err != nil {
		return nil, fmt.Errorf("%w: it is no file of age identities", ErrIdentity) // the parser's words may quote a key
	}
	r, err := age.Decrypt(bytes.NewReader(file), keys...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIdentity, err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrIdentity, err)
	case len(plain) > MaxSize:
		return nil, ErrTooLarge
	}
	return plain, nil
}
