//go:build cgo && !nopkcs11

package pkcs11

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/miekg/pkcs11"

	"github.com/tamthe/tamthe/issuance/keystore"
)

// GenerateSecret makes an AES key of 256 bits in the token, sensitive and not extractable,
// that can do what the use asks for and nothing else. Errors: keystore.ErrExists.
func (t *Token) GenerateSecret(ctx context.Context, name string, use keystore.Use) error {
	if err := keystore.CheckName(name); err != nil {
		return err
	}
	err := t.do(ctx, true, func(s session) error {
		if err := s.free(name); err != nil {
			return err
		}
		id := make([]byte, 8)
		rand.Read(id)
		o, err := s.GenerateKey(s.handle, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_KEY_GEN, nil)},
			named(pkcs11.CKO_SECRET_KEY, pkcs11.CKK_AES, name, id, append(append(secret(), uses(use)...),
				pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, keystore.SecretSize))...))
		if err != nil {
			return err
		}
		return s.only(name, o)
	})
	if err != nil {
		return fmt.Errorf("generate %s key %q in token %q: %w", use, name, t.uri.Token, err)
	}
	return nil
}

// uses are the attributes by which the token holds a key to its use.
func uses(use keystore.Use) []*pkcs11.Attribute {
	derives := use == keystore.UseCardMaster
	return []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_SIGN, derives),
		pkcs11.NewAttribute(pkcs11.CKA_VERIFY, derives),
		pkcs11.NewAttribute(pkcs11.CKA_ENCRYPT, !derives),
		pkcs11.NewAttribute(pkcs11.CKA_DECRYPT, !derives),
		pkcs11.NewAttribute(pkcs11.CKA_DERIVE, false),
		pkcs11.NewAttribute(pkcs11.CKA_WRAP, false),
		pkcs11.NewAttribute(pkcs11.CKA_UNWRAP, false),
	}
}

// symmetric is a secret in a token.
type symmetric struct {
	token *Token
	name  string
}

// Wrapper opens a key that was made to wrap others: keystore.ErrMissing, ErrAmbiguous,
// ErrExposed, and keystore.ErrFormat for a key of another use.
func (t *Token) Wrapper(ctx context.Context, name string) (keystore.Wrapper, error) {
	return t.symmetric(ctx, name, pkcs11.CKA_ENCRYPT)
}

// Deriver opens a key that was made for derivation; errors as for Wrapper.
func (t *Token) Deriver(ctx context.Context, name string) (keystore.Deriver, error) {
	return t.symmetric(ctx, name, pkcs11.CKA_SIGN)
}

func (t *Token) symmetric(ctx context.Context, name string, can uint) (*symmetric, error) {
	if err := keystore.CheckName(name); err != nil {
		return nil, err
	}
	err := t.do(ctx, false, func(s session) error {
		o, err := s.one(pkcs11.CKO_SECRET_KEY, name, nil)
		if err != nil {
			return err
		}
		if open, err := s.exposed(o); err != nil {
			return err
		} else if open && !t.o.Exposed {
			return ErrExposed
		}
		if able, err := s.flag(o, can, false); err != nil {
			return err
		} else if !able {
			return fmt.Errorf("%w: it was made for another use", keystore.ErrFormat)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open key %q of token %q: %w", name, t.uri.Token, err)
	}
	return &symmetric{t, name}, nil
}

// nonceSize and tagBits are those of AES-GCM (NIST SP 800-38D).
const (
	nonceSize = 12
	tagBits   = 128
)

// Wrap encrypts with AES-256-GCM in the token: nonce ‖ ciphertext ‖ tag.
func (k *symmetric) Wrap(ctx context.Context, key, label []byte) ([]byte, error) {
	var out []byte
	nonce := make([]byte, nonceSize)
	rand.Read(nonce)
	err := k.gcm(ctx, nonce, label, func(s session, m []*pkcs11.Mechanism, o pkcs11.ObjectHandle) error {
		if err := s.EncryptInit(s.handle, m, o); err != nil {
			return err
		}
		c, err := s.Encrypt(s.handle, key)
		out = append(nonce[:nonceSize:nonceSize], c...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("wrap with key %q of token %q: %w", k.name, k.token.uri.Token, err)
	}
	return out, nil
}

// Unwrap gives what Wrap took; keystore.ErrWrapped.
func (k *symmetric) Unwrap(ctx context.Context, wrapped, label []byte) ([]byte, error) {
	var key []byte
	if len(wrapped) < nonceSize+tagBits/8 {
		return nil, keystore.ErrWrapped
	}
	err := k.gcm(ctx, wrapped[:nonceSize], label, func(s session, m []*pkcs11.Mechanism, o pkcs11.ObjectHandle) error {
		if err := s.DecryptInit(s.handle, m, o); err != nil {
			return err
		}
		var err error
		key, err = s.Decrypt(s.handle, wrapped[nonceSize:])
		if isAny(err, pkcs11.CKR_ENCRYPTED_DATA_INVALID, pkcs11.CKR_ENCRYPTED_DATA_LEN_RANGE, pkcs11.CKR_GENERAL_ERROR, pkcs11.CKR_FUNCTION_FAILED) {
			err = keystore.ErrWrapped // how a module says that the tag is wrong differs
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("unwrap with key %q of token %q: %w", k.name, k.token.uri.Token, err)
	}
	return key, nil
}

func (k *symmetric) gcm(ctx context.Context, nonce, label []byte, f func(session, []*pkcs11.Mechanism, pkcs11.ObjectHandle) error) error {
	return k.token.do(ctx, false, func(s session) error {
		o, err := s.one(pkcs11.CKO_SECRET_KEY, k.name, nil)
		if err != nil {
			return err
		}
		params := pkcs11.NewGCMParams(nonce, label, tagBits)
		defer params.Free()
		return f(s, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_GCM, params)}, o)
	})
}

// Derive is AES-CMAC in the token.
func (k *symmetric) Derive(ctx context.Context, input []byte) ([]byte, error) {
	var out []byte
	err := k.token.do(ctx, false, func(s session) error {
		o, err := s.one(pkcs11.CKO_SECRET_KEY, k.name, nil)
		if err != nil {
			return err
		}
		if err := s.SignInit(s.handle, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_CMAC, nil)}, o); err != nil {
			return err
		}
		out, err = s.Sign(s.handle, input)
		return err
	})
	if err == nil && len(out) != 16 {
		err = fmt.Errorf("%w: %d octets of AES-CMAC", keystore.ErrSignature, len(out))
	}
	if err != nil {
		return nil, fmt.Errorf("derive from key %q of token %q: %w", k.name, k.token.uri.Token, err)
	}
	return out, nil
}
