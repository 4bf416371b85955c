// Package vault seals personal data for storage and names persons by a keyed hash.
//
// Each subject, which is one application, has a random key for personal data and one for
// biometrics. They lie wrapped in a database of their own, apart from the ledger that
// holds what they seal, and can be destroyed one by one: what a destroyed key sealed is
// unreadable for good, in the ledger, its journals and its backups, and nothing that the
// ledger proves changes, for it proves sealed octets. The keys that name persons and
// that seal what is about nobody belong to the office and are never destroyed.
//
// Data are AES-256-GCM under a key derived from the subject's and the place where they
// are stored, so that a row moved to another place does not open.
package vault

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
)

var (
	// ErrSealed means that sealed data do not open: another key, another place, or
	// changed octets. Which of them it is cannot be told.
	ErrSealed = errors.New("the sealed data do not open")
	// ErrShredded means that the key of the data was destroyed.
	ErrShredded = errors.New("the personal data were shredded")
	// ErrNoKey means that the vault never had the key of the data.
	ErrNoKey = errors.New("the vault has no key of the subject")
	// ErrOfficeKey means that a subject's data lie under the key of the office, as an
	// earlier version sealed them, and cannot be shredded alone.
	ErrOfficeKey = errors.New("the data lie under the key of the whole office")
)

// Class says what a key is for. Its number stands in what the key seals.
type Class uint32

// The classes of keys.
const (
	Technical Class = 1 // the office's: for what is about nobody, and all that earlier versions sealed
	Personal  Class = 2 // of a subject
	Biometric Class = 3 // of a subject: portrait, fingerprints and files that hold them
	pseudonym Class = 4 // the office's: names persons
)

// office is the subject of the office's own keys.
const office = ""

// Keys keeps wrapped keys. A key that was destroyed stays known, so that it is never made
// anew.
type Keys interface {
	// Key returns a wrapped key, nil if it was destroyed; known is false if it never was.
	Key(ctx context.Context, subject string, class uint32) (wrapped []byte, known bool, err error)
	// Add keeps a new key for good before it returns. One that is known is left alone.
	Add(ctx context.Context, subject string, class uint32, wrapped []byte) error
	// Destroy overwrites a key in the database and its journal before it returns.
	Destroy(ctx context.Context, subject string, class uint32) error
}

// Wrapper encrypts keys under a key that is kept elsewhere. The label is authenticated
// and not stored. Octets that Wrap did not make for the label do not unwrap.
type Wrapper interface {
	Wrap(ctx context.Context, key, label []byte) ([]byte, error)
	Unwrap(ctx context.Context, wrapped, label []byte) ([]byte, error)
}

// Vault is an open vault. It must not be copied; whoever opened it calls Destroy. It may
// be used by several goroutines at once if its Keys and Wrapper may, but for Destroy, and
// several vaults on the same keys at once.
type Vault struct {
	keys    Keys
	wrapper Wrapper
	own     map[Class]*key // the office's, unwrapped
}

// Create makes the keys of an office in an empty database and opens the vault.
func Create(ctx context.Context, keys Keys, w Wrapper) (*Vault, error) {
	technical, person := make([]byte, KeySize), make([]byte, KeySize)
	rand.Read(technical)
	rand.Read(person)
	return create(ctx, keys, w, technical, person)
}

// Import makes the office of an earlier version, whose only key sealed everything, in an
// empty database. What the key sealed still opens, and persons keep their names. The
// secret is left as it is.
func Import(ctx context.Context, keys Keys, w Wrapper, secret []byte) (*Vault, error) {
	if len(secret) != KeySize {
		return nil, fmt.Errorf("import the vault key: it has %d octets, not %d", len(secret), KeySize)
	}
	person, err := personKey(secret)
	if err != nil {
		return nil, fmt.Errorf("import the vault key: %w", err)
	}
	return create(ctx, keys, w, append([]byte(nil), secret...), person)
}

// Share returns the office's own keys, for the vault of a desk of the same office that works
// apart: under them both name persons alike and open what is technical, and neither opens
// the other's personal data. Whoever has it can try out personal numbers: it travels
// encrypted, and the caller destroys it.
func (v *Vault) Share() *Secret {
	return &Secret{append(append([]byte(nil), v.own[Technical].master...), v.own[pseudonym].master...)}
}

// Join makes the keys of an office in an empty database, of what its other vault shared.
func Join(ctx context.Context, keys Keys, w Wrapper, shared []byte) (*Vault, error) {
	if len(shared) != 2*KeySize {
		return nil, fmt.Errorf("join a vault: %d octets, not %d", len(shared), 2*KeySize)
	}
	b := append([]byte(nil), shared...)
	return create(ctx, keys, w, b[:KeySize], b[KeySize:])
}

func create(ctx context.Context, keys Keys, w Wrapper, technical, person []byte) (*Vault, error) {
	defer clear(technical)
	defer clear(person)
	for class, secret := range map[Class][]byte{Technical: technical, pseudonym: person} {
		wrapped, err := w.Wrap(ctx, secret, wrapLabel(office, class))
		if err != nil {
			return nil, fmt.Errorf("make the vault: %w", err)
		}
		if err := keys.Add(ctx, office, uint32(class), wrapped); err != nil {
			return nil, fmt.Errorf("make the vault: %w", err)
		}
	}
	return Open(ctx, keys, w)
}

// Open opens a vault with the wrapper that made it; with another it fails.
func Open(ctx context.Context, keys Keys, w Wrapper) (*Vault, error) {
	v := &Vault{keys: keys, wrapper: w, own: map[Class]*key{}}
	for _, class := range []Class{Technical, pseudonym} {
		k, err := v.unwrap(ctx, office, class)
		if err != nil {
			v.Destroy()
			return nil, fmt.Errorf("open the vault: %w", err)
		}
		v.own[class] = k
	}
	return v, nil
}

// Destroy forgets the keys in memory. Nothing opens afterwards.
func (v *Vault) Destroy() {
	for _, k := range v.own {
		k.destroy()
	}
}

// wrapLabel binds a wrapped key to whose and what it is.
func wrapLabel(subject string, class Class) []byte {
	b := binary.BigEndian.AppendUint32([]byte("tamthe vault v1 wrap"), uint32(class))
	return append(b, subject...)
}

// unwrap reads a key. Errors: ErrNoKey, ErrShredded.
func (v *Vault) unwrap(ctx context.Context, subject string, class Class) (*key, error) {
	wrapped, known, err := v.keys.Key(ctx, subject, uint32(class))
	switch {
	case err != nil:
		return nil, err
	case !known:
		return nil, ErrNoKey
	case wrapped == nil:
		return nil, ErrShredded
	}
	secret, err := v.wrapper.Unwrap(ctx, wrapped, wrapLabel(subject, class))
	if err != nil {
		return nil, err
	}
	return newKey(class, secret)
}

// make draws a subject's key. Another program may do so at once: the first is kept.
func (v *Vault) make(ctx context.Context, subject string, class Class) (*key, error) {
	secret := make([]byte, KeySize)
	rand.Read(secret)
	defer clear(secret)
	wrapped, err := v.wrapper.Wrap(ctx, secret, wrapLabel(subject, class))
	if err != nil {
		return nil, err
	}
	if err := v.keys.Add(ctx, subject, uint32(class), wrapped); err != nil {
		return nil, err
	}
	return v.unwrap(ctx, subject, class)
}

// with calls f with a key, which f does not keep.
func (v *Vault) with(ctx context.Context, subject string, class Class, create bool, f func(*key) error) error {
	switch class {
	case Technical:
		return f(v.own[Technical])
	case Personal, Biometric:
	default:
		return ErrSealed
	}
	if subject == office {
		return ErrNoKey
	}
	k, err := v.unwrap(ctx, subject, class)
	if create && errors.Is(err, ErrNoKey) {
		k, err = v.make(ctx, subject, class)
	}
	if err != nil {
		return err
	}
	defer k.destroy()
	return f(k)
}

// Seal encrypts plain for a place under a subject's key, which is made if there is none
// yet; Technical is the office's, whatever the subject. Sealing the same twice gives
// different octets. Where the key was destroyed the error is ErrShredded.
func (v *Vault) Seal(ctx context.Context, subject string, class Class, at Place, plain []byte) (sealed []byte, err error) {
	err = v.with(ctx, subject, class, true, func(k *key) error {
		sealed, err = k.seal(at, plain)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("seal %s of %s: %w", at.Column, at.Table, err)
	}
	return sealed, nil
}

// Open gives what Seal took for the subject. Errors: ErrSealed, ErrShredded, ErrNoKey.
func (v *Vault) Open(ctx context.Context, subject string, at Place, sealed []byte) (s *Secret, err error) {
	class, err := classOf(sealed)
	if err == nil {
		err = v.with(ctx, subject, class, false, func(k *key) error {
			s, err = k.open(at, sealed)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("open %s of %s: %w", at.Column, at.Table, err)
	}
	return s, nil
}

// ClassOf tells under which class of key octets were sealed; ErrSealed if they are none.
func ClassOf(sealed []byte) (Class, error) { return classOf(sealed) }

// Shred destroys a subject's keys of the classes, for good: what they sealed opens no
// more, and none are made anew. It may be repeated.
func (v *Vault) Shred(ctx context.Context, subject string, classes ...Class) error {
	for _, class := range classes {
		if subject == office || class != Personal && class != Biometric {
			return fmt.Errorf("shred: %w", ErrNoKey)
		}
		if err := v.keys.Destroy(ctx, subject, uint32(class)); err != nil {
			return fmt.Errorf("shred: %w", err)
		}
	}
	return nil
}

// Rewrap returns what wraps one of the vault's wrapped keys under another wrapper. The
// vault itself goes on with the wrapper that it was opened with.
func (v *Vault) Rewrap(ctx context.Context, to Wrapper) func(subject string, class uint32, wrapped []byte) ([]byte, error) {
	return func(subject string, class uint32, wrapped []byte) ([]byte, error) {
		label := wrapLabel(subject, Class(class))
		secret, err := v.wrapper.Unwrap(ctx, wrapped, label)
		if err != nil {
			return nil, err
		}
		defer clear(secret)
		return to.Wrap(ctx, secret, label)
	}
}

// Person names a person by HMAC-SHA256 of what identifies them, in 64 hexadecimal
// digits: equal for equal identities, and of no use to someone who tries them all but
// lacks the key, which is apart from all that seal. Normalising the identity is the
// caller's matter. The only error is a vault that was destroyed.
func (v *Vault) Person(identity string) (string, error) { return v.own[pseudonym].pseudonym(identity) }
