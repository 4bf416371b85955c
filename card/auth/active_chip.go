package auth

import (
	"crypto"
	"crypto/rsa"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/dh"
)

// ActiveChip is the chip's end of Active Authentication.
type ActiveChip struct {
	key  *dh.PrivateKey
	rsa  *rsa.PrivateKey
	hash crypto.Hash
}

// NewActiveChip makes the end of a chip with this key, which stays the caller's to
// destroy. The hash is the one that the chip's ActiveAuthenticationInfo names; one that
// Doc 9303-11 §6.1.2.3 does not allow is ErrUnsupported.
func NewActiveChip(key *dh.PrivateKey, h crypto.Hash) (*ActiveChip, error) {
	if !activeHash(h) {
		return nil, fmt.Errorf("active authentication with hash %v: %w", h, ErrUnsupported)
	}
	return &ActiveChip{key: key, hash: h}, nil
}

// NewActiveChipRSA makes the end of a chip with an RSA key, which stays the caller's, by
// ISO/IEC 9796-2 scheme 1 with SHA-1 to SHA-512. A key too short for the hash, or one
// whose modulus does not fill its octets, is ErrUnsupported.
func NewActiveChipRSA(key *rsa.PrivateKey, h crypto.Hash) (*ActiveChip, error) {
	if _, err := signRecovery(key, h, make([]byte, ChallengeSize)); err != nil {
		return nil, fmt.Errorf("active authentication: %w", err)
	}
	return &ActiveChip{rsa: key, hash: h}, nil
}

// Process answers INTERNAL AUTHENTICATE with a signature over its challenge of 8 octets:
// r‖s, or with recovery, and any other command with 6D00.
func (a *ActiveChip) Process(c apdu.Command) apdu.Response {
	switch {
	case c.INS != 0x88:
		return apdu.Response{Status: apdu.INSNotSupported}
	case c.P1 != 0 || c.P2 != 0:
		return apdu.Response{Status: apdu.WrongP1P2}
	case len(c.Data) != ChallengeSize || c.Le == 0:
		return apdu.Response{Status: apdu.WrongLength}
	}
	sig, err := a.sign(c.Data)
	if err != nil {
		return apdu.Response{Status: apdu.Unknown}
	}
	return apdu.Response{Data: sig, Status: apdu.OK}
}

func (a *ActiveChip) sign(challenge []byte) ([]byte, error) {
	if a.rsa != nil {
		return signRecovery(a.rsa, a.hash, challenge)
	}
	return a.key.SignPlain(sum(a.hash, challenge))
}
