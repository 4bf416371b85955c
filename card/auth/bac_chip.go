package auth

import (
	"crypto/subtle"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/sm"
)

// BACChip is the chip's end of Basic Access Control.
type BACChip struct {
	keys      bacPair
	challenge []byte // nil unless GET CHALLENGE was the last command
	fresh     bacFresh
}

// NewBACChip makes the end of a chip that was personalised with K_seed, 16 octets; see
// Password.BACSeed. It keeps no slice.
func NewBACChip(seed []byte) *BACChip { return &BACChip{keys: bacKeys(seed)} }

// Process answers GET CHALLENGE and EXTERNAL AUTHENTICATE, and any other command with
// 6D00. Keys come with the answer that ends a good run. A bad one is 6300 for every
// reason: a chip whose refusals differ can be traced (Chothia and Smirnov, 2010).
func (b *BACChip) Process(c apdu.Command) (apdu.Response, *sm.Keys) {
	challenge := b.challenge
	b.challenge = nil
	switch {
	case c.INS == 0x84:
		if c.Le != bacRandomSize || len(c.Data) != 0 {
			return apdu.Response{Status: apdu.WrongLength}, nil
		}
		b.challenge = draw(b.fresh.random, bacRandomSize)
		return apdu.Response{Data: append([]byte(nil), b.challenge...), Status: apdu.OK}, nil
	case c.INS != 0x82:
		return apdu.Response{Status: apdu.INSNotSupported}, nil
	case challenge == nil:
		return apdu.Response{Status: apdu.ConditionsNotSatisfied}, nil
	}
	return b.authenticate(c.Data, challenge)
}

func (b *BACChip) authenticate(token, challenge []byte) (apdu.Response, *sm.Keys) {
	plain, ok := b.keys.open(token)
	defer clear(plain)
	random, echo, terminalKey := plain[:bacRandomSize], plain[bacRandomSize:2*bacRandomSize], plain[2*bacRandomSize:]
	if subtle.ConstantTimeCompare(echo, challenge) != 1 || !ok {
		return apdu.Response{Status: apdu.AuthenticationFailed}, nil
	}
	key := draw(b.fresh.key, bacKeySize)
	defer clear(key)
	answer, err := b.keys.seal(challenge, random, key)
	if err != nil {
		return apdu.Response{Status: apdu.Unknown}, nil
	}
	keys := bacSession(terminalKey, key, challenge, random)
	return apdu.Response{Data: answer, Status: apdu.OK}, &keys
}
