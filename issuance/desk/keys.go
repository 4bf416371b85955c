package desk

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"strings"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/keystore"
)

// keyFor makes a key, or opens the one that an attempt before this one has made.
func (o *Office) keyFor(ctx context.Context, r certification, sub issuance.Subject) (crypto.Signer, error) {
	if sub.Phase == issuance.Absent && o.Authority.Keys != nil {
		key, err := o.Authority.Keys.Generate(ctx, r.name, r.algorithm)
		if !errors.Is(err, keystore.ErrExists) {
			return key, err
		}
	}
	key, err := o.Authority.key(ctx, r.name)
	if err != nil {
		return nil, err
	}
	public, err := publicDigest(key)
	switch {
	case err != nil:
	case sub.Phase != issuance.Absent && public != sub.Fields["public"]:
		err = fmt.Errorf("key %s is not the one that was made: %w", r.name, issuance.ErrChanged)
	case sub.Phase == issuance.Absent && algorithmOf(key) != strings.ToLower(r.algorithm):
		err = fmt.Errorf("key %s was made for %s by an attempt that failed; move it away: %w", r.name, algorithmOf(key), keystore.ErrExists)
	}
	if err != nil {
		forget(key)
		return nil, err
	}
	return key, nil
}

// publicDigest names a key by its SubjectPublicKeyInfo.
func publicDigest(key crypto.Signer) (string, error) {
	spki, err := cert.MarshalPublicKey(key.Public(), false)
	if err != nil {
		return "", err
	}
	return digest(spki), nil
}

// algorithmOf is what keystore calls the kind of the key, in small letters.
func algorithmOf(key crypto.Signer) string {
	pub, err := cert.NewPublicKey(key.Public())
	switch {
	case err != nil:
		return "unknown"
	case pub.EC != nil:
		return strings.ToLower(pub.EC.Curve().Name())
	}
	return fmt.Sprintf("rsa-%d", pub.RSA.N.BitLen())
}
