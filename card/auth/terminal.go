package auth

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/sm"
)

// The data objects of Terminal Authentication (TR-03110-3 §B.3).
const (
	tagKeyName   tlv.Tag = 0x83 // in MSE:Set DST and MSE:Set AT
	tagShortKey  tlv.Tag = 0x91 // the compressed ephemeral key, version 2
	tagAuxiliary tlv.Tag = 0x67
)

// terminalChallenge is the length in octets of the chip's challenge.
const terminalChallenge = 8

// TerminalKey is what a terminal proves its rights with. The key may sit in an HSM or
// behind a service.
type TerminalKey struct {
	Certificate *cvc.Certificate // of the terminal
	Signer      crypto.Signer    // its key; ECDSA signers give SEQUENCE { r, s }
	// Others are the certificates that lead from the chip's trust points to it, in any
	// order.
	Others []*cvc.Certificate
}

// Terminal1 runs Terminal Authentication version 1 (Doc 9303-11 §7.1, TR-03110-3 §B.3)
// after Chip Authentication, whose ephemeral key it signs. chip names the chip: the
// compressed ephemeral key of PACE (Compress), or after BAC the document number with its
// check digit. cars are the names of the chip's trust points, the newest first, from
// EF.CVCA or PACE. limits are those of the link: longer certificates are chained.
//
// What the chip refuses is a *apdu.StatusError that names the step; no way from the
// trust points to the key is cvc.ErrChain, before anything is sent.
func Terminal1(ctx context.Context, ca *ChipProof, key TerminalKey, chip []byte, cars []cvc.Reference, limits apdu.Limits) error {
	r := terminalRun{key: key, chip: chip, short: Compress(ca.Ephemeral)}
	r.over(ca.Channel, limits)
	if err := r.run(ctx, cars); err != nil {
		return fmt.Errorf("terminal authentication: %w", err)
	}
	return nil
}

// TerminalProof is what Terminal Authentication version 2 leaves for Chip Authentication:
// the channel of PACE, and the ephemeral key that was announced to the chip.
type TerminalProof struct {
	Channel *sm.Channel
	limits  apdu.Limits
	own     dh.Secret
}

// Close forgets the ephemeral key and leaves the channel open. Chip2 does so too.
func (p *TerminalProof) Close() { p.own.Destroy() }

// Terminal2 runs Terminal Authentication version 2 (TR-03110-2 §3.3) after PACE, whose
// ephemeral key names the chip, with a new ephemeral key over the chip's group for
// Chip Authentication. auxiliary are data for the chip to compare, 67 whole, nil for none;
// see AuxiliaryData.
func Terminal2(ctx context.Context, pace *PACEResult, key TerminalKey, group dh.Group, auxiliary []byte, limits apdu.Limits) (*TerminalProof, error) {
	return terminal2(ctx, pace, key, group, auxiliary, limits, nil)
}

func terminal2(ctx context.Context, pace *PACEResult, key TerminalKey, group dh.Group, auxiliary []byte, limits apdu.Limits, fresh []byte) (*TerminalProof, error) {
	own, err := newSecretOn(group.Base(), fresh)
	if err != nil {
		return nil, err
	}
	r := terminalRun{key: key, chip: Compress(pace.ChipKey), short: Compress(own.Element()), second: true, auxiliary: auxiliary}
	r.over(pace.Channel, limits)
	var cars []cvc.Reference
	for _, car := range pace.CARs {
		cars = append(cars, cvc.Reference(car))
	}
	if err := r.run(ctx, cars); err != nil {
		own.Destroy()
		return nil, fmt.Errorf("terminal authentication: %w", err)
	}
	return &TerminalProof{Channel: pace.Channel, limits: limits, own: own}, nil
}

// terminalRun is the terminal's end.
type terminalRun struct {
	t           apdu.Transmitter
	key         TerminalKey
	chip, short []byte
	second      bool // version 2
	auxiliary   []byte
}

// over chains what is too long for the channel.
func (r *terminalRun) over(ch *sm.Channel, limits apdu.Limits) {
	r.t = apdu.Chain(ch, ch.MaxCommand(limits))
}

func (r *terminalRun) run(ctx context.Context, cars []cvc.Reference) error {
	certificate := r.key.Certificate
	others := slices.DeleteFunc(slices.Clone(r.key.Others), func(c *cvc.Certificate) bool { return c.CHAT.Role == cvc.TerminalRole })
	path, err := cvc.Path(append(others, certificate), cars, certificate.Holder)
	if err != nil {
		return err
	}
	for _, c := range path {
		if err := r.show(ctx, c); err != nil {
			return fmt.Errorf("certificate of %s: %w", c.Holder, err)
		}
	}
	return r.authenticate(ctx)
}

// show has the chip verify one certificate.
func (r *terminalRun) show(ctx context.Context, c *cvc.Certificate) error {
	name := tlv.Encode(tagKeyName, []byte(c.Authority))
	if _, err := do(ctx, r.t, apdu.Command{INS: 0x22, P1: 0x81, P2: 0xB6, Data: name}); err != nil {
		return err
	}
	_, err := do(ctx, r.t, apdu.Command{INS: 0x2A, P2: 0xBE, Data: c.Contents()})
	return err
}

// authenticate signs the chip's challenge.
func (r *terminalRun) authenticate(ctx context.Context) error {
	at := tlv.Encode(tagKeyName, []byte(r.key.Certificate.Holder))
	if r.second {
		oid, err := contents(r.key.Certificate.Key.Algorithm.OID())
		if err != nil {
			return err
		}
		at = append(tlv.Encode(tagProtocol, oid), at...)
		at = append(at, r.auxiliary...)
		at = tlv.Append(at, tagShortKey, r.short)
	}
	if _, err := do(ctx, r.t, apdu.Command{INS: 0x22, P1: 0x81, P2: 0xA4, Data: at}); err != nil {
		return err
	}
	challenge, err := do(ctx, r.t, apdu.Command{INS: 0x84, Le: terminalChallenge})
	if err != nil {
		return err
	}
	if len(challenge) != terminalChallenge {
		return fmt.Errorf("challenge of %d octets: %w", len(challenge), ErrProtocol)
	}
	sig, err := cvc.SignMessage(r.key.Certificate.Key.Algorithm, r.key.Signer, signedInput(r.chip, challenge, r.short, r.auxiliary))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSigner, err)
	}
	_, err = do(ctx, r.t, apdu.Command{INS: 0x82, Data: sig})
	return err
}

// signedInput is what a terminal signs: ID_PICC ‖ r_PICC ‖ Comp(PK) ‖ A_PCD.
func signedInput(chip, challenge, short, auxiliary []byte) []byte {
	return bytes.Join([][]byte{chip, challenge, short, auxiliary}, nil)
}
