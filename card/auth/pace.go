package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/card/suite"
)

// The data objects of PACE, Doc 9303-11 §4.4.4.
const (
	tagProtocol    tlv.Tag = 0x80 // in MSE:Set AT
	tagPassword    tlv.Tag = 0x83
	tagReference   tlv.Tag = 0x84 // domain parameters, or private key
	tagDynamic     tlv.Tag = 0x7C // in GENERAL AUTHENTICATE
	tagNonce       tlv.Tag = 0x80
	tagMapOwn      tlv.Tag = 0x81 // terminal's; the chip's follows it by one, as below
	tagMapChip     tlv.Tag = 0x82
	tagAgreeOwn    tlv.Tag = 0x83
	tagAgreeChip   tlv.Tag = 0x84
	tagTokenOwn    tlv.Tag = 0x85
	tagTokenChip   tlv.Tag = 0x86
	tagCAR         tlv.Tag = 0x87
	tagEarlierCAR  tlv.Tag = 0x88
	tagPublicKey   tlv.Tag = 0x7F49 // in the input of a token
	tagOID         tlv.Tag = 0x06
	tagPublicPoint tlv.Tag = 0x86
	tagPublicValue tlv.Tag = 0x84
	tagCHAT        tlv.Tag = 0x7F4C
	tagChipAuth    tlv.Tag = 0x8A // with Chip Authentication Mapping
)

// paceFresh are the random values of one end in a run; nil values are drawn.
type paceFresh struct {
	nonce              []byte // of the chip
	mapping, agreement []byte // scalars; with integrated mapping, the terminal's nonce is mapping
}

// PACEResult is what PACE leaves behind.
type PACEResult struct {
	Channel    *sm.Channel
	Info       lds.PACEInfo // the variant that was run
	Password   string       // "MRZ", "CAN", "PIN" or "PUK"
	Own        dh.Element   // our ephemeral key
	ChipKey    dh.Element   // the chip's ephemeral key, whose X is ID_PICC of Terminal Authentication
	MappingKey dh.Element   // the chip's mapping key; nil with integrated mapping
	CARs       [][]byte     // names of the chip's CVCA keys, the current one first, if it sent them

	mapped bool   // the variant was Chip Authentication Mapping
	proof  []byte // its Chip Authentication Data, nil if they came wrong
}

// MapsChip reports whether the variant was Chip Authentication Mapping, so that Mapped
// has something to say.
func (r *PACEResult) MapsChip() bool { return r.mapped }

// Mapped takes the chip's proof out of PACE with Chip Authentication Mapping: that the
// chip has the private key of a static key of EF.CardSecurity (Doc 9303-11 §4.4.3.5). It
// sends nothing. Whose key that is, Passive Authentication of EF.CardSecurity tells. The
// key to take is the one over the domain parameters that PACE ran over.
//
// The proof's First is empty. A proof that fails, or that the chip left out, is
// ErrSignature; another variant or a key of another group is ErrUnsupported.
func (r *PACEResult) Mapped(key lds.ChipAuthKey) (*ChipProof, error) {
	static, ok := key.Public.(*dh.Point)
	mapping, mok := r.MappingKey.(*dh.Point)
	if !r.mapped || !ok || !mok || static.Curve() != mapping.Curve() {
		return nil, fmt.Errorf("chip authentication mapping with %v: %w", key.Info.OID, ErrUnsupported)
	}
	data, err := dh.NewPrivateKeyOn(static, r.proof)
	if err != nil {
		return nil, fmt.Errorf("chip authentication data: %w: %w", ErrSignature, err)
	}
	defer data.Destroy()
	if !data.Point().Equal(mapping) {
		return nil, fmt.Errorf("chip authentication data: %w", ErrSignature)
	}
	return &ChipProof{Channel: r.Channel, Key: key, Ephemeral: r.Own}, nil
}

// PACEOptions are what else a run of PACE may say. The zero value says nothing.
type PACEOptions struct {
	// CHAT is the certificate holder authorisation template, 7F4C, that a terminal asks
	// the rights of in the eID application (TR-03110-3 §B.1); nil for none.
	CHAT []byte
}

// PACE runs PACE (Doc 9303-11 §4.4) in any mapping over any standardised domain
// parameters. Nothing need be selected before it. Through the *sm.Channel of another
// password it takes that one's place, which resumes a suspended PIN. A variant that does not exist and
// unknown domain parameters are ErrUnsupported, before anything is sent.
//
// The chip's keys are checked to be of the group and to differ from ours, its token in
// constant time and whole. What it proves by Chip Authentication Mapping, Mapped tells. A token of ours that the chip refuses is ErrWrongPassword;
// every other refusal is a *apdu.StatusError that names the step; what the chip does
// against the protocol is ErrProtocol.
func PACE(ctx context.Context, t apdu.Transmitter, p Password, info lds.PACEInfo) (*PACEResult, error) {
	return PACEWith(ctx, t, p, info, PACEOptions{})
}

// PACEWith is PACE with more said; see PACEOptions.
func PACEWith(ctx context.Context, t apdu.Transmitter, p Password, info lds.PACEInfo, o PACEOptions) (*PACEResult, error) {
	return pace(ctx, t, p, info, o, paceFresh{})
}

func pace(ctx context.Context, t apdu.Transmitter, p Password, info lds.PACEInfo, o PACEOptions, fresh paceFresh) (*PACEResult, error) {
	v, err := newPACEVariant(info)
	if err != nil {
		return nil, fmt.Errorf("PACE: %w", err)
	}
	key, err := p.paceKey(v.cipher)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	r := paceRun{t: t, v: v, key: key, chat: o.CHAT, fresh: fresh}
	defer r.destroy()
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return r.choose(ctx, p) },
		r.fetchNonce, r.mapBase, r.agree,
		func(ctx context.Context) error { return r.confirm(ctx, p) },
	} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("PACE with %s: %w", p.Name(), err)
		}
	}
	keys := r.keys
	r.keys = sm.Keys{} // the channel's from here on
	return &PACEResult{
		Channel: succeed(t, keys), Info: info, Password: p.Name(), Own: r.own, ChipKey: r.chip, MappingKey: r.mapping,
		CARs: r.cars, mapped: v.mapping == chipAuth, proof: r.proof,
	}, nil
}

// succeed opens the channel under new keys: over t, or in the place of the channel that t
// is.
func succeed(t apdu.Transmitter, keys sm.Keys) *sm.Channel {
	if ch, ok := t.(*sm.Channel); ok {
		return ch.Renew(keys)
	}
	return sm.New(t, keys)
}

// paceRun is the terminal's state between the steps.
type paceRun struct {
	t     apdu.Transmitter
	v     paceVariant
	fresh paceFresh
	key   []byte // K_π
	chat  []byte
	nonce []byte

	mapping dh.Element // the chip's mapping key
	base    dh.Element // the mapped generator
	own     dh.Element
	chip    dh.Element
	keys    sm.Keys
	cars    [][]byte
	proof   []byte
}

func (r *paceRun) destroy() {
	clear(r.nonce)
	r.keys.Destroy()
}

// choose sends MSE:Set AT, always with the id of the domain parameters, without which
// some chips refuse (gmrtd#108), and never with Le, with which others do
// (NFCPassportReader#153). A warning with tries left is taken if the next try isn't the
// last.
func (r *paceRun) choose(ctx context.Context, p Password) error {
	c := apdu.Command{INS: 0x22, P1: 0xC1, P2: 0xA4, Data: tlv.Encode(tagProtocol, r.v.oid)}
	c.Data = tlv.Append(c.Data, tagPassword, []byte{p.ref})
	c.Data = tlv.Append(c.Data, tagReference, []byte{byte(r.v.info.ParameterID)})
	c.Data = append(c.Data, r.chat...)
	_, err := do(ctx, r.t, c)
	if status, ok := errors.AsType[apdu.Status](err); ok {
		left, counted := status.TriesLeft()
		switch {
		case counted && left > 1:
			return nil
		case counted && left == 1 && p.ref == RefPIN:
			if _, resumed := r.t.(*sm.Channel); resumed {
				return nil
			}
			return fmt.Errorf("%w: %w", ErrSuspended, err)
		case counted, status == apdu.Blocked:
			return fmt.Errorf("%w: %w", ErrBlocked, err)
		}
	}
	return err
}

// fetchNonce gets the nonce that the chip encrypted under K_π.
func (r *paceRun) fetchNonce(ctx context.Context) error {
	z, err := r.step(ctx, 1, 0, nil, tagNonce)
	if err != nil {
		return err
	}
	wrong := len(z)%r.v.cipher.BlockSize() != 0 || len(z) == 0 || len(z) > maxNonce
	if n := len(z); wrong || r.v.mapping == integrated && n != r.v.nonceSize() {
		return fmt.Errorf("nonce of %d octets: %w", n, ErrProtocol)
	}
	r.nonce, err = r.v.cipher.Decrypt(r.key, nil, z)
	return err
}

// mapBase exchanges the mapping keys, or sends our nonce, and maps the generator.
func (r *paceRun) mapBase(ctx context.Context) error {
	if r.v.mapping == integrated {
		return r.mapNonces(ctx)
	}
	own, err := newSecretOn(r.v.group.Base(), r.fresh.mapping)
	if err != nil {
		return err
	}
	defer own.Destroy()
	chip, err := r.exchangeKey(ctx, 2, own.Element(), tagMapOwn)
	if err != nil {
		return err
	}
	r.mapping = chip
	r.base, err = mapGenerator(r.v.group, r.nonce, own, chip)
	return err
}

// mapNonces is mapBase of the integrated mapping. The chip has nothing to say: 82 is
// empty, and some leave it out.
func (r *paceRun) mapNonces(ctx context.Context) error {
	t := draw(r.fresh.mapping, r.v.cipher.KeySize())
	inner, err := r.authenticate(ctx, 2, tlv.Encode(tagMapOwn, t))
	if err != nil {
		return err
	}
	var nothing tlv.String
	if inner.ReadTag(tagMapChip, &nothing); !inner.Empty() || len(nothing) > 0 {
		return fmt.Errorf("step 2 of 4: mapping data of the chip with integrated mapping: %w", ErrProtocol)
	}
	r.base, err = r.v.mapIntegrated(r.nonce, t)
	return err
}

// agree exchanges the ephemeral keys over the mapped generator and derives the session
// keys.
func (r *paceRun) agree(ctx context.Context) error {
	own, err := newSecretOn(r.base, r.fresh.agreement)
	if err != nil {
		return err
	}
	defer own.Destroy()
	r.own = own.Element()
	if r.chip, err = r.exchangeKey(ctx, 3, r.own, tagAgreeOwn); err != nil {
		return err
	}
	r.keys, err = sessionKeys(own, r.chip, r.v.cipher)
	return err
}

// confirm exchanges the tokens. Only here the chip can tell a wrong password.
func (r *paceRun) confirm(ctx context.Context, p Password) error {
	token, err := r.v.token(r.keys.MAC, r.chip)
	if err != nil {
		return err
	}
	inner, err := r.authenticate(ctx, 4, tlv.Encode(tagTokenOwn, token))
	if err != nil {
		return passwordRefusal(err, p)
	}
	var theirs, car, proof tlv.String
	if !inner.ReadTag(tagTokenChip, &theirs) || !r.v.verify(r.keys.MAC, r.own, theirs) {
		return fmt.Errorf("the chip's token is wrong: %w", ErrProtocol)
	}
	for _, tag := range []tlv.Tag{tagCAR, tagEarlierCAR} {
		if inner.ReadTag(tag, &car) {
			r.cars = append(r.cars, car)
		}
	}
	if r.v.mapping == chipAuth && inner.ReadTag(tagChipAuth, &proof) {
		r.proof = r.decryptProof(proof)
	}
	if !inner.Empty() {
		return fmt.Errorf("unknown data beside the chip's token: %w", ErrProtocol)
	}
	return nil
}

// decryptProof returns the Chip Authentication Data, nil if the padding is wrong. The
// initial block is that of the number -1 (Doc 9303-11 §4.4.3.5.2).
func (r *paceRun) decryptProof(b []byte) []byte {
	iv, err := proofIV(r.keys)
	if err != nil {
		return nil
	}
	padded, err := r.v.cipher.Decrypt(r.keys.Enc, iv, b)
	if err != nil {
		return nil
	}
	data, err := suite.Unpad(padded, r.v.cipher.BlockSize())
	if err != nil {
		return nil
	}
	return data
}

func proofIV(k sm.Keys) ([]byte, error) {
	minusOne := bytes.Repeat([]byte{0xFF}, k.Cipher.BlockSize())
	return k.Cipher.Encrypt(k.Enc, nil, minusOne)
}

// passwordRefusal tells a wrong or blocked password from other refusals of our token.
func passwordRefusal(err error, p Password) error {
	status, ok := errors.AsType[apdu.Status](err)
	if !ok {
		return err
	}
	left, counted := status.TriesLeft()
	switch {
	case counted && left == 0, status == apdu.Blocked:
		return fmt.Errorf("%w: %w", ErrBlocked, err)
	case counted, status == apdu.AuthenticationFailed:
		return &PasswordError{Password: p.Name(), Status: status}
	}
	return err
}

// exchangeKey sends a public key of ours and returns the chip's, whose tag follows ours.
func (r *paceRun) exchangeKey(ctx context.Context, n int, own dh.Element, tag tlv.Tag) (dh.Element, error) {
	b, err := r.step(ctx, n, tag, own.Bytes(), tag+1)
	if err != nil {
		return nil, err
	}
	chip, err := r.v.group.ParseElement(b)
	if err != nil {
		return nil, fmt.Errorf("the chip's key: %w: %w", ErrProtocol, err)
	}
	if chip.Equal(own) {
		return nil, fmt.Errorf("the chip returns our own key: %w", ErrProtocol)
	}
	return chip, nil
}

// step is authenticate with one object to send, unless its tag is 0, and exactly one to
// come back.
func (r *paceRun) step(ctx context.Context, n int, tag tlv.Tag, value []byte, want tlv.Tag) ([]byte, error) {
	var body []byte
	if tag != 0 {
		body = tlv.Encode(tag, value)
	}
	inner, err := r.authenticate(ctx, n, body)
	if err != nil {
		return nil, err
	}
	var got tlv.String
	if !inner.ReadTag(want, &got) || !inner.Empty() {
		return nil, fmt.Errorf("step %d of 4: answer without the one object %v: %w", n, want, ErrProtocol)
	}
	return got, nil
}

// authenticate sends GENERAL AUTHENTICATE and returns what is in the answer's template.
// All steps but the last are chained.
func (r *paceRun) authenticate(ctx context.Context, n int, body []byte) (tlv.String, error) {
	c := apdu.Command{INS: 0x86, Data: tlv.Encode(tagDynamic, body), Le: max(apdu.MaxShortLe, r.v.answerSize())}
	if n < 4 {
		c.CLA = 0x10
	}
	data, err := do(ctx, r.t, c)
	if err != nil {
		return nil, fmt.Errorf("step %d of 4: %w", n, err)
	}
	var inner tlv.String
	if s := tlv.String(data); !s.ReadTag(tagDynamic, &inner) || !s.Empty() {
		return nil, fmt.Errorf("step %d of 4: answer without template 7C: %w", n, ErrProtocol)
	}
	return inner, nil
}
