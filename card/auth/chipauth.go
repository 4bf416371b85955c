package auth

import (
	"cmp"
	"context"
	"crypto/sha1"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/card/suite"
)

// tagEphemeral holds our key in MSE:Set KAT, tagChipAuthKey in GENERAL AUTHENTICATE
// (Doc 9303-11 §6.2.4).
const (
	tagEphemeral   tlv.Tag = 0x91
	tagChipAuthKey tlv.Tag = 0x80
)

// The commands of Chip Authentication (ISO/IEC 7816-4 §11.5).
const (
	insMSE                 = 0x22
	insGeneralAuthenticate = 0x86
)

// oidChipAuth is id-CA; the arcs below it are 1 for DH or 2 for ECDH, and the suite (Doc
// 9303-11 §9.2.5).
var oidChipAuth = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 3}

// agreementArc is the arc of an element's kind: 1 for DH, 2 for ECDH, 0 for none.
func agreementArc(e dh.Element) int {
	switch e.(type) {
	case *dh.Value:
		return 1
	case *dh.Point:
		return 2
	}
	return 0
}

// chipAuthSuite returns the suite of a Chip Authentication protocol, if it is one for keys
// of this kind.
func chipAuthSuite(oid asn1.ObjectIdentifier, e dh.Element) (suite.Cipher, bool) {
	kind := agreementArc(e)
	if kind == 0 {
		return 0, false
	}
	return suiteOf(oid, append(slices.Clone(oidChipAuth), kind))
}

// Compress returns the short form of a public key (TR-03110-3 §A.2.2.3): the coordinate X
// of a point, the SHA-1 of the integer of a prime field. It is how ephemeral keys are
// signed and the chip is named in Terminal Authentication.
func Compress(e dh.Element) []byte {
	if p, ok := e.(*dh.Point); ok {
		return p.X()
	}
	h := sha1.Sum(e.Bytes())
	return h[:]
}

// ChipProof shows that the chip has the private key of the Chip Authentication key that
// the agreement was run with, and no more: whose key that is, Passive Authentication of
// DG14 tells.
type ChipProof struct {
	Channel   *sm.Channel // under the new keys; the channel before it is closed
	Key       lds.ChipAuthKey
	Ephemeral dh.Element    // our ephemeral key, which Terminal Authentication signs
	First     apdu.Response // the answer to the first command under the new keys
	Protected []byte        // that answer as the chip protected it: for a transcript, which proves nothing to others
}

// Chip1 runs Chip Authentication version 1 with a DH or ECDH key (Doc 9303-11 §6.2)
// within ch: MSE:Set AT and GENERAL AUTHENTICATE for AES, MSE:Set KAT for 3DES.
//
// The chip's success shows only in an answer under the new keys, so first goes out as
// the first command under them: one that is of use anyway, such as the READ BINARY of
// the next file. Its answer, which may be a refusal, is the proof's First.
//
// What the chip refuses before that, under the old keys, is a *apdu.StatusError and
// leaves ch open. Any other failure after something was sent closes ch; a chip without
// the private key shows as sm.ErrProtection.
func Chip1(ctx context.Context, ch *sm.Channel, key lds.ChipAuthKey, first apdu.Command) (*ChipProof, error) {
	return chip1(ctx, ch, key, first, nil)
}

func chip1(ctx context.Context, ch *sm.Channel, key lds.ChipAuthKey, first apdu.Command, fresh []byte) (*ChipProof, error) {
	c, own, keys, err := agreeWith(key, fresh)
	if err != nil {
		return nil, err
	}
	if err := announce(ctx, ch, key, c, own.Bytes()); err != nil {
		keys.Destroy()
		return nil, fmt.Errorf("chip authentication: %w", err)
	}
	next, r, err := ch.Switch(ctx, keys, first)
	if err != nil {
		return nil, fmt.Errorf("chip authentication: first command under the new keys: %s: %w", first.Name(), err)
	}
	return &ChipProof{Channel: next, Key: key, Ephemeral: own, First: r, Protected: next.Last().Data}, nil
}

// agreeWith draws our ephemeral key for a key of the chip, and derives the session keys. The
// private half is gone when it returns.
func agreeWith(key lds.ChipAuthKey, fresh []byte) (c suite.Cipher, public dh.Element, keys sm.Keys, err error) {
	c, ok := chipAuthSuite(key.Info.OID, key.Public)
	if !ok {
		return 0, nil, keys, fmt.Errorf("chip authentication by %v: %w", key.Info.OID, ErrUnsupported)
	}
	own, err := newSecretOn(key.Public.Group().Base(), fresh)
	if err != nil {
		return 0, nil, keys, err
	}
	defer own.Destroy()
	if keys, err = sessionKeys(own, key.Public, c); err != nil {
		return 0, nil, keys, fmt.Errorf("chip authentication: %w", err)
	}
	return c, own.Element(), keys, nil
}

// announce sends our ephemeral key and says which key of the chip it is for.
func announce(ctx context.Context, ch *sm.Channel, key lds.ChipAuthKey, c suite.Cipher, point []byte) error {
	list, err := announcement(key, c, point)
	if err != nil {
		return err
	}
	for _, c := range list {
		if _, err := do(ctx, ch, c); err != nil {
			return err
		}
	}
	return nil
}

// announcement are the commands that do so, one after the other.
func announcement(key lds.ChipAuthKey, c suite.Cipher, point []byte) ([]apdu.Command, error) {
	var reference []byte
	if key.KeyID != nil {
		reference = tlv.Encode(tagReference, keyReference(key.KeyID))
	}
	if c == suite.TDES {
		kat := append(tlv.Encode(tagEphemeral, point), reference...)
		return []apdu.Command{{INS: insMSE, P1: 0x41, P2: 0xA6, Data: kat}}, nil
	}
	oid, err := contents(key.Info.OID)
	if err != nil {
		return nil, err
	}
	at := append(tlv.Encode(tagProtocol, oid), reference...)
	body := tlv.Encode(tagDynamic, tlv.Encode(tagChipAuthKey, point))
	return []apdu.Command{
		{INS: insMSE, P1: 0x41, P2: 0xA4, Data: at},
		{INS: insGeneralAuthenticate, Data: body, Le: apdu.MaxShortLe},
	}, nil
}

// keyReference is a keyId in as few octets as hold it.
func keyReference(id *big.Int) []byte {
	if id.Sign() == 0 {
		return []byte{0}
	}
	return id.Bytes()
}

// ChipAuthKeys returns the keys of DG14 that Chip1 can run, each with the protocol to run
// it by, the strongest suite first. A key belongs to the ChipAuthenticationInfo with its
// keyId. Only where a chip lists no such info at all, its keys are taken for 3DES (Doc
// 9303-11 §6.2.2). Keys without any that can be run are ErrUnsupported; a chip without
// keys gives neither keys nor an error.
func ChipAuthKeys(infos *lds.SecurityInfos) ([]lds.ChipAuthKey, error) {
	keys := infos.ChipAuthKeys()
	if len(infos.Chip) == 0 {
		for _, k := range infos.ChipKeys {
			e := k.Key.Element()
			info := lds.ChipAuthInfo{OID: append(slices.Clone(oidChipAuth), agreementArc(e), int(suite.TDES)), Version: 1, KeyID: k.KeyID}
			keys = append(keys, lds.ChipAuthKey{KeyID: k.KeyID, Public: e, Info: info})
		}
	}
	cipher := func(k lds.ChipAuthKey) suite.Cipher {
		c, _ := chipAuthSuite(k.Info.OID, k.Public)
		return c
	}
	keys = slices.DeleteFunc(keys, func(k lds.ChipAuthKey) bool { return !cipher(k).Valid() })
	if len(keys) == 0 && len(infos.ChipKeys) > 0 {
		return nil, fmt.Errorf("chip authentication with %d keys of DG14: %w", len(infos.ChipKeys), ErrUnsupported)
	}
	slices.SortStableFunc(keys, func(a, b lds.ChipAuthKey) int { return cmp.Compare(cipher(b), cipher(a)) })
	return keys, nil
}
