//go:build cgo && !nopkcs11

package pkcs11

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/miekg/pkcs11"

	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/issuance/keystore"
)

// Generate makes a key pair in the token, sensitive and not extractable, under the name.
// Algorithm is a curve of package dh, keystore.Ed25519, or RSA of 2048, 3072 or 4096 bits;
// one that the token does not make is keystore.ErrAlgorithm. Errors also:
// keystore.ErrExists.
func (t *Token) Generate(ctx context.Context, name, algorithm string) (crypto.Signer, error) {
	if err := keystore.CheckName(name); err != nil {
		return nil, err
	}
	kinds, err := pairs(algorithm)
	if err == nil {
		err = t.do(ctx, true, func(s session) error { return s.pair(name, kinds) })
	}
	if err != nil {
		return nil, fmt.Errorf("generate key %q in token %q: %w", name, t.uri.Token, err)
	}
	return t.signer(ctx, name, nil)
}

// pairKind is one way to ask a token for a key pair.
type pairKind struct {
	mechanism, key uint
	public         []*pkcs11.Attribute
}

// pairs are the ways to ask for an algorithm, in the order to try.
func pairs(algorithm string) ([]pairKind, error) {
	for bits := 2048; bits <= 4096; bits += 1024 {
		if sameAlgorithm(algorithm, fmt.Sprintf("RSA-%d", bits)) {
			return []pairKind{{pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN, pkcs11.CKK_RSA, []*pkcs11.Attribute{
				pkcs11.NewAttribute(pkcs11.CKA_MODULUS_BITS, bits),
				pkcs11.NewAttribute(pkcs11.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1}),
			}}}, nil
		}
	}
	if sameAlgorithm(algorithm, keystore.Ed25519) {
		var kinds []pairKind
		for _, p := range edwardsParams() {
			kinds = append(kinds, pairKind{mechEdwardsKeyPair, keyEdwards, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, p)}})
		}
		return kinds, nil
	}
	for _, c := range curves() {
		if sameAlgorithm(algorithm, c.Name()) {
			params, err := asn1.Marshal(c.OID())
			if err != nil {
				return nil, err
			}
			return []pairKind{{pkcs11.CKM_EC_KEY_PAIR_GEN, pkcs11.CKK_EC, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, params)}}}, nil
		}
	}
	return nil, fmt.Errorf("%w: %q", keystore.ErrAlgorithm, algorithm)
}

func curves() []*dh.Curve {
	return []*dh.Curve{
		dh.P256(), dh.P384(), dh.P521(), dh.BrainpoolP256r1(), dh.BrainpoolP320r1(), dh.BrainpoolP384r1(), dh.BrainpoolP512r1(),
	}
}

// pair makes a key pair where there is none of that name. Of two that make one at a time,
// one or both find that out afterwards and take theirs back.
func (s session) pair(name string, kinds []pairKind) error {
	if err := s.free(name); err != nil {
		return err
	}
	id := make([]byte, 8)
	rand.Read(id)
	var err error
	for _, k := range kinds {
		var public, private pkcs11.ObjectHandle
		public, private, err = s.GenerateKeyPair(s.handle, []*pkcs11.Mechanism{pkcs11.NewMechanism(k.mechanism, nil)},
			append(k.public, named(pkcs11.CKO_PUBLIC_KEY, k.key, name, id,
				pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, false), pkcs11.NewAttribute(pkcs11.CKA_VERIFY, true))...),
			named(pkcs11.CKO_PRIVATE_KEY, k.key, name, id, append(secret(), pkcs11.NewAttribute(pkcs11.CKA_SIGN, true))...))
		if err == nil {
			return s.only(name, public, private)
		}
	}
	if isAny(err, pkcs11.CKR_MECHANISM_INVALID, pkcs11.CKR_CURVE_NOT_SUPPORTED, pkcs11.CKR_DOMAIN_PARAMS_INVALID,
		pkcs11.CKR_MECHANISM_PARAM_INVALID, pkcs11.CKR_KEY_SIZE_RANGE, pkcs11.CKR_ATTRIBUTE_VALUE_INVALID, pkcs11.CKR_TEMPLATE_INCONSISTENT) {
		err = fmt.Errorf("%w: the token does not make it: %w", keystore.ErrAlgorithm, err)
	}
	return err
}

// secret are the attributes of what never leaves the token.
func secret() []*pkcs11.Attribute {
	return []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true),
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false),
	}
}

func named(class, kind uint, name string, id []byte, more ...*pkcs11.Attribute) []*pkcs11.Attribute {
	return append([]*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, class),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, kind),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, name),
		pkcs11.NewAttribute(pkcs11.CKA_ID, id),
	}, more...)
}

// free makes sure that no private or secret key has the name.
func (s session) free(name string) error {
	for _, class := range []uint{pkcs11.CKO_PRIVATE_KEY, pkcs11.CKO_SECRET_KEY} {
		if found, err := s.search(class, name, nil, 1); err != nil {
			return err
		} else if len(found) > 0 {
			return keystore.ErrExists
		}
	}
	return nil
}

// only takes objects back if somebody else made a key of that name meanwhile.
func (s session) only(name string, made ...pkcs11.ObjectHandle) error {
	n := 0
	for _, class := range []uint{pkcs11.CKO_PRIVATE_KEY, pkcs11.CKO_SECRET_KEY} {
		found, err := s.search(class, name, nil, maxFound)
		if err != nil {
			return err
		}
		n += len(found)
	}
	if n <= 1 {
		return nil
	}
	err := keystore.ErrExists
	for _, o := range made {
		err = errors.Join(err, s.DestroyObject(s.handle, o))
	}
	return err
}

// Destroy ends a key for good, its public half too: keystore.ErrMissing.
func (t *Token) Destroy(ctx context.Context, name string) error {
	if err := keystore.CheckName(name); err != nil {
		return err
	}
	err := t.do(ctx, true, func(s session) error {
		n := 0
		for _, class := range []uint{pkcs11.CKO_PRIVATE_KEY, pkcs11.CKO_SECRET_KEY, pkcs11.CKO_PUBLIC_KEY} {
			found, err := s.search(class, name, nil, maxFound)
			if err != nil {
				return err
			}
			for _, o := range found {
				if err := s.DestroyObject(s.handle, o); err != nil {
					return err
				}
				n++
			}
		}
		if n == 0 {
			return keystore.ErrMissing
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("destroy key %q of token %q: %w", name, t.uri.Token, err)
	}
	return nil
}
