//go:build cgo && !nopkcs11

package pkcs11

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"
	"math/big"

	"github.com/miekg/pkcs11"
	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/issuance/keystore"
)

// Signer opens a private key by its label: keystore.ErrMissing, ErrAmbiguous, ErrExposed.
// It may be used by many goroutines at a time. RSA signs PKCS #1 v1.5 and PSS, curves
// sign ECDSA in DER, Ed25519 signs messages.
func (t *Token) Signer(ctx context.Context, name string) (crypto.Signer, error) {
	if err := keystore.CheckName(name); err != nil {
		return nil, err
	}
	return t.signer(ctx, name, nil)
}

// Key opens the key that the URI's object and id name: the way to a person's own card,
// whose keys bear names of its maker.
func (t *Token) Key(ctx context.Context) (crypto.Signer, error) {
	if t.uri.Object == "" && len(t.uri.ID) == 0 {
		return nil, fmt.Errorf("%w: object or id says which key", ErrURI)
	}
	return t.signer(ctx, t.uri.Object, t.uri.ID)
}

// key is a private key in a token.
type key struct {
	token   *Token
	label   string
	id      []byte
	public  crypto.PublicKey
	confirm bool // the PIN is asked for each signature (CKA_ALWAYS_AUTHENTICATE)
}

func (t *Token) signer(ctx context.Context, label string, id []byte) (crypto.Signer, error) {
	k := &key{token: t, label: label, id: id}
	err := t.do(ctx, false, func(s session) error {
		o, err := s.one(pkcs11.CKO_PRIVATE_KEY, label, id)
		if err != nil {
			return err
		}
		if open, err := s.exposed(o); err != nil {
			return err
		} else if open && !t.o.Exposed {
			return ErrExposed
		}
		if k.confirm, err = s.flag(o, pkcs11.CKA_ALWAYS_AUTHENTICATE, false); err != nil {
			return err
		}
		k.public, err = s.public(o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open key %q of token %q: %w", label, t.uri.Token, err)
	}
	return keystore.NewSigner(k.public, k.sign), nil
}

// sign has the token sign a digest, or a message for Ed25519.
func (k *key) sign(digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	mechanism, input, err := k.mechanism(digest, opts)
	if err != nil {
		return nil, err
	}
	var sig []byte
	err = k.token.do(context.Background(), false, func(s session) error {
		o, err := s.one(pkcs11.CKO_PRIVATE_KEY, k.label, k.id)
		if err != nil {
			return err
		}
		if err := s.SignInit(s.handle, []*pkcs11.Mechanism{mechanism}, o); err != nil {
			return err
		}
		if k.confirm {
			if err := s.Login(s.handle, pkcs11.CKU_CONTEXT_SPECIFIC, k.token.secret()); err != nil {
				return err
			}
		}
		sig, err = s.Sign(s.handle, input)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sign with key %q of token %q: %w", k.label, k.token.uri.Token, err)
	}
	if point, ok := k.public.(*dh.Point); ok {
		return encode(point.Curve(), sig)
	}
	return sig, nil
}

func (k *key) mechanism(digest []byte, opts crypto.SignerOpts) (*pkcs11.Mechanism, []byte, error) {
	switch pub := k.public.(type) {
	case ed25519.PublicKey:
		return pkcs11.NewMechanism(mechEdDSA, nil), digest, nil
	case *dh.Point:
		// A token may take no more octets than the order has; the left ones count.
		return pkcs11.NewMechanism(pkcs11.CKM_ECDSA, nil), digest[:min(len(digest), pub.Curve().OrderSize())], nil
	}
	pss, ok := opts.(*rsa.PSSOptions)
	if !ok {
		info, err := digestInfo(opts.HashFunc(), digest)
		return pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS, nil), info, err
	}
	h, known := pssHashes[pss.HashFunc()]
	salt := pss.SaltLength
	if salt == rsa.PSSSaltLengthEqualsHash {
		salt = pss.HashFunc().Size()
	}
	if !known || salt <= 0 {
		return nil, nil, fmt.Errorf("%w: RSA-PSS with %v and a salt of %d octets", keystore.ErrAlgorithm, pss.HashFunc(), pss.SaltLength)
	}
	return pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS_PSS, pkcs11.NewPSSParams(h[0], h[1], uint(salt))), digest, nil
}

// pssHashes are a hash and the mask generation function over it.
var pssHashes = map[crypto.Hash][2]uint{
	crypto.SHA256: {pkcs11.CKM_SHA256, pkcs11.CKG_MGF1_SHA256},
	crypto.SHA384: {pkcs11.CKM_SHA384, pkcs11.CKG_MGF1_SHA384},
	crypto.SHA512: {pkcs11.CKM_SHA512, pkcs11.CKG_MGF1_SHA512},
}

// digestInfo is what PKCS #1 v1.5 signs (RFC 8017 §9.2).
func digestInfo(h crypto.Hash, digest []byte) ([]byte, error) {
	oid := cert.HashOID(h)
	if oid == nil {
		return nil, fmt.Errorf("%w: hash %v", keystore.ErrAlgorithm, h)
	}
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oid)
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(digest)
	})
	return b.Bytes()
}

// encode turns r‖s into DER.
func encode(c *dh.Curve, sig []byte) ([]byte, error) {
	if len(sig) == 0 || len(sig)%2 != 0 || len(sig) > 2*c.OrderSize() {
		return nil, fmt.Errorf("%w: %d octets", keystore.ErrSignature, len(sig))
	}
	half := len(sig) / 2
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(sig[:half]))
		b.AddASN1BigInt(new(big.Int).SetBytes(sig[half:]))
	})
	return b.Bytes()
}
