package auth

import (
	"context"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/card/suite"
)

// The data objects of Chip Authentication version 2 in GENERAL AUTHENTICATE (TR-03110-3
// §B.2.2).
const (
	tagChip2Own   tlv.Tag = 0x80
	tagChip2Nonce tlv.Tag = 0x81
	tagChip2Token tlv.Tag = 0x82
)

// chip2Nonce is the length in octets of the chip's nonce.
const chip2Nonce = 8

// Chip2 runs Chip Authentication version 2 (TR-03110-2 §3.4) after Terminal Authentication,
// with the ephemeral key that was announced there, and goes on under its keys. The chip's
// token proves its key at once. ta is used up.
//
// A token that is wrong is ErrSignature, what the chip refuses a *apdu.StatusError; both
// leave the channel of PACE as the chip does. A key of another group than the one
// announced is ErrUnsupported.
func Chip2(ctx context.Context, ta *TerminalProof, key lds.ChipAuthKey) (*ChipProof, error) {
	defer ta.Close()
	c, ok := chipAuthSuite(key.Info.OID, key.Public)
	if !ok {
		return nil, fmt.Errorf("chip authentication by %v: %w", key.Info.OID, ErrUnsupported)
	}
	oid, err := contents(key.Info.OID)
	if err != nil {
		return nil, err
	}
	secret, err := ta.own.Agree(key.Public)
	if err != nil {
		return nil, fmt.Errorf("chip authentication: %w: %w", ErrUnsupported, err)
	}
	defer clear(secret)
	nonce, token, err := exchangeChip2(ctx, ta, key, oid)
	if err != nil {
		return nil, fmt.Errorf("chip authentication: %w", err)
	}
	keys := keysWithNonce(secret, nonce, c)
	if !c.Verify(keys.MAC, tokenInput(oid, ta.own.Element()), token) {
		keys.Destroy()
		return nil, fmt.Errorf("chip authentication: the chip's token is wrong: %w", ErrSignature)
	}
	return &ChipProof{Channel: ta.Channel.Renew(keys), Key: key, Ephemeral: ta.own.Element()}, nil
}

// exchangeChip2 sends our key and returns the chip's nonce and token.
func exchangeChip2(ctx context.Context, ta *TerminalProof, key lds.ChipAuthKey, oid []byte) (nonce, token []byte, err error) {
	at := tlv.Encode(tagProtocol, oid)
	if key.KeyID != nil {
		at = tlv.Append(at, tagReference, keyReference(key.KeyID))
	}
	t := apdu.Chain(ta.Channel, ta.Channel.MaxCommand(ta.limits))
	if _, err := do(ctx, t, apdu.Command{INS: 0x22, P1: 0x41, P2: 0xA4, Data: at}); err != nil {
		return nil, nil, err
	}
	body := tlv.Encode(tagDynamic, tlv.Encode(tagChip2Own, ta.own.Element().Bytes()))
	data, err := do(ctx, t, apdu.Command{INS: 0x86, Data: body, Le: apdu.MaxShortLe})
	if err != nil {
		return nil, nil, err
	}
	s := tlv.String(data)
	var inner, r, mac tlv.String
	if !s.ReadTag(tagDynamic, &inner) || !s.Empty() || !inner.ReadTag(tagChip2Nonce, &r) || len(r) != chip2Nonce ||
		!inner.ReadTag(tagChip2Token, &mac) || !inner.Empty() {
		return nil, nil, fmt.Errorf("answer without nonce and token: %w", ErrProtocol)
	}
	return r, mac, nil
}

// keysWithNonce derives session keys from a shared secret and the chip's nonce
// (TR-03110-3 §A.2.3.1).
func keysWithNonce(secret, nonce []byte, c suite.Cipher) sm.Keys {
	input := append(append([]byte(nil), secret...), nonce...)
	defer clear(input)
	return sm.Derive(input, c)
}

// Chip2Chip is the chip's end of Chip Authentication version 2.
type Chip2Chip struct {
	keys      *ChipAuthChip
	announced []byte
	nonce     []byte // fixed by an example
}

// NewChip2Chip makes the end of a chip with these keys, as NewChipAuthChip takes them,
// after a terminal that has announced its ephemeral key in compressed form.
func NewChip2Chip(announced []byte, secrets ...ChipAuthSecret) (*Chip2Chip, error) {
	keys, err := NewChipAuthChip(secrets...)
	if err != nil {
		return nil, err
	}
	return &Chip2Chip{keys: keys, announced: announced}, nil
}

// Running reports whether the next GENERAL AUTHENTICATE belongs here.
func (a *Chip2Chip) Running() bool { return a.keys.chosen != nil }

// Process answers MSE:Set AT and the GENERAL AUTHENTICATE after it, and any other command
// with 6D00. Keys come with the answer that ends a run; it is sent under the old keys.
func (a *Chip2Chip) Process(c apdu.Command) (apdu.Response, *sm.Keys) {
	chosen := a.keys.chosen
	a.keys.chosen = nil
	switch {
	case c.INS == 0x22 && c.P1 == 0x41 && c.P2 == 0xA4:
		return apdu.Response{Status: a.keys.setAT(c.Data)}, nil
	case c.INS == 0x22:
		return apdu.Response{Status: apdu.WrongP1P2}, nil
	case c.INS != 0x86:
		return apdu.Response{Status: apdu.INSNotSupported}, nil
	case chosen == nil:
		return apdu.Response{Status: apdu.ConditionsNotSatisfied}, nil
	}
	s := tlv.String(c.Data)
	var inner, point tlv.String
	if !s.ReadTag(tagDynamic, &inner) || !s.Empty() || !inner.ReadTag(tagChip2Own, &point) || !inner.Empty() {
		return apdu.Response{Status: apdu.WrongData}, nil
	}
	return a.agree(chosen, point)
}

func (a *Chip2Chip) agree(k *chipAuthKey, point []byte) (apdu.Response, *sm.Keys) {
	other, err := k.key.Element().Group().ParseElement(point)
	if err != nil || !equalShort(other, a.announced) {
		return apdu.Response{Status: apdu.WrongData}, nil
	}
	secret, err := k.key.Agree(other)
	if err != nil {
		return apdu.Response{Status: apdu.WrongData}, nil
	}
	defer clear(secret)
	nonce := draw(a.nonce, chip2Nonce)
	keys := keysWithNonce(secret, nonce, k.cipher)
	token, err := k.cipher.MAC(keys.MAC, tokenInput(k.oid, other))
	if err != nil {
		keys.Destroy()
		return apdu.Response{Status: apdu.Unknown}, nil
	}
	body := tlv.Encode(tagDynamic, tlv.Encode(tagChip2Nonce, nonce), tlv.Encode(tagChip2Token, token))
	return apdu.Response{Data: body, Status: apdu.OK}, &keys
}

// equalShort says whether a key is the one whose compressed form was announced.
func equalShort(e dh.Element, short []byte) bool {
	return len(short) > 0 && string(Compress(e)) == string(short)
}
