package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/card/suite"
)

// Sizes of BAC, Doc 9303-11 §4.3.3.1.
const (
	bacRandomSize = 8
	bacKeySize    = 16
	bacTokenSize  = 2*bacRandomSize + bacKeySize // as plain text and as cryptogram
)

// bacFresh are the random values of one end in a run; nil values are drawn.
type bacFresh struct {
	random, key []byte
}

// BAC runs Basic Access Control (Doc 9303-11 §4.3) with the MRZ and returns the channel,
// in 3DES. LDS1 must be selected. Wrong MRZ information is ErrWrongPassword.
func BAC(ctx context.Context, t apdu.Transmitter, p Password) (*sm.Channel, error) {
	return bac(ctx, t, p, bacFresh{})
}

func bac(ctx context.Context, t apdu.Transmitter, p Password, fresh bacFresh) (*sm.Channel, error) {
	seed, err := p.BACSeed()
	if err != nil {
		return nil, err
	}
	defer clear(seed)
	keys := bacKeys(seed)
	defer keys.destroy()
	challenge, err := do(ctx, t, apdu.Command{INS: 0x84, Le: bacRandomSize})
	if err != nil {
		return nil, fmt.Errorf("BAC: %w", err)
	}
	if len(challenge) != bacRandomSize {
		return nil, fmt.Errorf("BAC: challenge of %d octets: %w", len(challenge), ErrProtocol)
	}
	random, key := draw(fresh.random, bacRandomSize), draw(fresh.key, bacKeySize)
	defer clear(key)
	token, err := keys.seal(random, challenge, key)
	if err != nil {
		return nil, err
	}
	answer, err := do(ctx, t, apdu.Command{INS: 0x82, Data: token, Le: len(token)})
	if err != nil {
		return nil, fmt.Errorf("BAC: %w", bacRefusal(err))
	}
	plain, ok := keys.open(answer)
	defer clear(plain)
	if !ok || subtle.ConstantTimeCompare(plain[:2*bacRandomSize], slices.Concat(challenge, random)) != 1 {
		return nil, fmt.Errorf("BAC: the chip's token is wrong: %w", ErrProtocol)
	}
	return sm.New(t, bacSession(key, plain[2*bacRandomSize:], challenge, random)), nil
}

// bacRefusal tells a wrong password from other refusals of EXTERNAL AUTHENTICATE. Doc
// 9303 leaves the status open; 6300, 6982 and 6988 are what chips in the field give
// where the MAC under their keys is wrong.
func bacRefusal(err error) error {
	status, ok := errors.AsType[apdu.Status](err)
	if !ok {
		return err
	}
	switch {
	case status == apdu.AuthenticationFailed, status == apdu.SecurityStatus,
		status == apdu.SMIncorrect, errors.Is(status, apdu.VerifyFailed):
		return &PasswordError{Password: ReferenceName(RefMRZ), Status: status}
	case status == apdu.Blocked:
		return fmt.Errorf("%w: %w", ErrBlocked, err)
	}
	return err
}

// bacPair are K_Enc and K_MAC.
type bacPair struct {
	enc, mac []byte
}

func bacKeys(seed []byte) bacPair {
	return bacPair{suite.KDF(seed, suite.CounterEnc, suite.TDES), suite.KDF(seed, suite.CounterMAC, suite.TDES)}
}

func (k bacPair) destroy() {
	clear(k.enc)
	clear(k.mac)
}

// seal makes a token: the cryptogram of own random, the other's random and own key,
// with its MAC (Doc 9303-11 §4.3.2).
func (k bacPair) seal(own, other, key []byte) ([]byte, error) {
	plain := append(append(append(make([]byte, 0, bacTokenSize), own...), other...), key...)
	defer clear(plain)
	token, err := suite.TDES.Encrypt(k.enc, nil, plain)
	if err != nil {
		return nil, err
	}
	mac, err := suite.TDES.MAC(k.mac, token)
	return append(token, mac...), err
}

// open takes a token apart: 32 octets, and whether its MAC is right. A token of wrong
// length gives zeros. It decrypts in any case, so that a chip's refusal does not tell
// by its time which check failed.
func (k bacPair) open(token []byte) ([]byte, bool) {
	if len(token) != bacTokenSize+suite.MACSize {
		return make([]byte, bacTokenSize), false
	}
	cryptogram := token[:bacTokenSize]
	good := suite.TDES.Verify(k.mac, cryptogram, token[bacTokenSize:])
	plain, err := suite.TDES.Decrypt(k.enc, nil, cryptogram)
	if err != nil {
		return make([]byte, bacTokenSize), false
	}
	return plain, good
}

// bacSession derives the session keys and the first counter (Doc 9303-11 §9.8.6.3).
func bacSession(terminalKey, chipKey, chipRandom, terminalRandom []byte) sm.Keys {
	seed := make([]byte, bacKeySize)
	defer clear(seed)
	subtle.XORBytes(seed, terminalKey, chipKey)
	keys := sm.Derive(seed, suite.TDES)
	copy(keys.SSC, chipRandom[4:])
	copy(keys.SSC[4:], terminalRandom[4:])
	return keys
}
