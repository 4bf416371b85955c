package auth

import (
	"context"
	"crypto"
	_ "crypto/sha256" // the hash functions that Doc 9303-11 §6.1.2.3 allows
	_ "crypto/sha512"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
)

// ChallengeSize is the length in octets of an Active Authentication challenge.
const ChallengeSize = 8

// ActiveProof is a chip's signature over our challenge. It shows that the chip has the
// private key of the public key that it was checked under, and no more: whose key that
// is, Passive Authentication of DG15 tells.
type ActiveProof struct {
	Challenge [ChallengeSize]byte
	Signature []byte      // as the chip gave it
	Hash      crypto.Hash // an RSA signature names its own
	DER       bool        // SEQUENCE { r, s } where Doc 9303 wants r‖s: a defect of the chip
}

// ErrChallenge says that a challenge is all zero, as one that nobody drew is.
var ErrChallenge = errors.New("the challenge is all zero")

// InternalAuthenticate has the chip sign a challenge (Doc 9303-11 §6.1.2) and returns what
// it answers, which nobody has verified: VerifyActive does. A challenge that was not drawn
// for the occasion, or derived from it, proves nothing; all zero is ErrChallenge. le and
// refusals are as for Active.
func InternalAuthenticate(ctx context.Context, t apdu.Transmitter, challenge [ChallengeSize]byte, le int) ([]byte, error) {
	if challenge == [ChallengeSize]byte{} {
		return nil, fmt.Errorf("active authentication: %w", ErrChallenge)
	}
	sig, err := do(ctx, t, apdu.Command{INS: 0x88, Data: challenge[:], Le: le})
	if err != nil {
		return nil, fmt.Errorf("active authentication: %w", err)
	}
	return sig, nil
}

// Active runs Active Authentication (Doc 9303-11 §6.1) over a challenge that it draws. An
// EC key signs with h, in the plain format r‖s of TR-03111; DER is taken too and reported.
// An RSA key signs by ISO/IEC 9796-2 scheme 1 with the hash that its trailer names, SHA-1
// to SHA-512, and h is not looked at. le is the Le to ask with, 1 to apdu.MaxLe; a chip
// whose signature is longer than what it may send at once holds the rest behind 61xx.
//
// A signature that does not verify is ErrSignature, a hash that Doc 9303 does not allow
// ErrUnsupported, a refusal a *apdu.StatusError.
func Active(ctx context.Context, t apdu.Transmitter, pub cert.PublicKey, h crypto.Hash, le int) (*ActiveProof, error) {
	return active(ctx, t, pub, h, le, [ChallengeSize]byte(draw(nil, ChallengeSize)))
}

func active(ctx context.Context, t apdu.Transmitter, pub cert.PublicKey, h crypto.Hash, le int, challenge [ChallengeSize]byte) (*ActiveProof, error) {
	if pub.EC != nil && !activeHash(h) {
		return nil, fmt.Errorf("active authentication with hash %v: %w", h, ErrUnsupported)
	}
	if pub.EC == nil && pub.RSA == nil {
		return nil, fmt.Errorf("active authentication with %v: %w", pub, ErrUnsupported)
	}
	sig, err := InternalAuthenticate(ctx, t, challenge, le)
	if err != nil {
		return nil, err
	}
	proof, err := VerifyActive(pub, h, challenge, sig)
	if err != nil {
		return nil, fmt.Errorf("active authentication: %w", err)
	}
	return proof, nil
}

// VerifyActive checks a signature that Active or another reader has got. Errors are those
// of Active.
func VerifyActive(pub cert.PublicKey, h crypto.Hash, challenge [ChallengeSize]byte, sig []byte) (*ActiveProof, error) {
	proof := &ActiveProof{Challenge: challenge, Signature: sig, Hash: h}
	if pub.RSA != nil {
		var err error
		proof.Hash, err = verifyRecovery(pub.RSA, challenge[:], sig)
		if err != nil {
			return nil, err
		}
		return proof, nil
	}
	if pub.EC == nil || !activeHash(h) {
		return nil, fmt.Errorf("%v with hash %v: %w", pub, h, ErrUnsupported)
	}
	digest := sum(h, challenge[:])
	switch {
	case dh.VerifyPlain(pub.EC, digest, sig):
	case dh.VerifyDER(pub.EC, digest, sig):
		proof.DER = true
	default:
		return nil, ErrSignature
	}
	return proof, nil
}

// ActiveHash returns the hash that a chip signs with in Active Authentication: the one
// that its ActiveAuthenticationInfo names, which Doc 9303-11 §9.2.4 requires with ECDSA.
// Where it is missing (infos may be nil), declared is false and the hash is that of the
// curve's size. An algorithm that is not ECDSA with an allowed hash is ErrUnsupported.
func ActiveHash(infos *lds.SecurityInfos, pub *dh.Point) (h crypto.Hash, declared bool, err error) {
	if infos != nil && len(infos.Active) > 0 {
		oid := infos.Active[0].Algorithm
		for _, known := range activeAlgorithms {
			if oid.Equal(known.oid) {
				return known.hash, true, nil
			}
		}
		return 0, true, fmt.Errorf("active authentication by %v: %w", oid, ErrUnsupported)
	}
	switch n := pub.Curve().Size(); {
	case n <= 28:
		return crypto.SHA224, false, nil
	case n <= 32:
		return crypto.SHA256, false, nil
	case n <= 48:
		return crypto.SHA384, false, nil
	}
	return crypto.SHA512, false, nil
}

// activeAlgorithms are ecdsa-plain-signatures of TR-03111, and those of ANSI X9.62, which
// chips name in their place.
var activeAlgorithms = []struct {
	oid  asn1.ObjectIdentifier
	hash crypto.Hash
}{
	{asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 2}, crypto.SHA224},
	{asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 3}, crypto.SHA256},
	{asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 4}, crypto.SHA384},
	{asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 5}, crypto.SHA512},
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 1}, crypto.SHA224},
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}, crypto.SHA256},
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}, crypto.SHA384},
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}, crypto.SHA512},
}

// activeHash reports whether Doc 9303-11 §6.1.2.3 allows h with ECDSA.
func activeHash(h crypto.Hash) bool {
	switch h {
	case crypto.SHA224, crypto.SHA256, crypto.SHA384, crypto.SHA512:
		return true
	}
	return false
}

func sum(h crypto.Hash, message []byte) []byte {
	d := h.New()
	d.Write(message)
	return d.Sum(nil)
}
