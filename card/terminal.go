package card

import (
	"context"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

// TrustPoints returns the names of the CVCA keys that the chip trusts, the newest first:
// those that PACE has told, else those in EF.CVCA of the eMRTD application.
func (s *Session) TrustPoints(ctx context.Context) ([]cvc.Reference, error) {
	if s.pace != nil && len(s.pace.CARs) > 0 {
		var names []cvc.Reference
		for _, car := range s.pace.CARs {
			names = append(names, cvc.Reference(car))
		}
		return names, nil
	}
	// The file has no header: 36 octets, filled with zeros.
	r, err := s.Transmit(ctx, apdu.Command{INS: 0xB0, P1: 0x80 | 0x1C, Le: 36})
	if err != nil {
		return nil, fmt.Errorf("read EF.CVCA: %w", err)
	}
	if r.Status != apdu.OK && r.Status != apdu.EndOfFile {
		return nil, fmt.Errorf("read EF.CVCA: %w", absent(&apdu.StatusError{Command: "READ BINARY", Status: r.Status}))
	}
	names, err := cvc.ParseCVCA(r.Data)
	if err != nil {
		return nil, fmt.Errorf("read EF.CVCA: %w", err)
	}
	return names, nil
}

// Terminal1 runs Terminal Authentication version 1 after Chip Authentication, or after
// PACE with Chip Authentication Mapping, so that the chip opens what the terminal's
// certificates give rights to; see auth.Terminal1.
func (s *Session) Terminal1(ctx context.Context, ca *auth.ChipProof, key auth.TerminalKey) error {
	cars, err := s.TrustPoints(ctx)
	if err != nil {
		return err
	}
	id := s.key.ChipID()
	if s.pace != nil {
		id = auth.Compress(s.pace.ChipKey)
	}
	defer clear(id)
	s.ahead = nil
	s.proven = true
	return auth.Terminal1(ctx, ca, key, id, cars, s.link.Limits())
}

// Terminal2 runs Terminal Authentication version 2 after PACE, with an ephemeral key over the
// chip's group, which EF.CardAccess names; see auth.Terminal2. EF.CardSecurity can be read
// then, and its keys are proven by Chip2 or Chip3.
func (s *Session) Terminal2(ctx context.Context, key auth.TerminalKey, group dh.Group, auxiliary []byte) (*auth.TerminalProof, error) {
	if s.pace == nil {
		return nil, sm.ErrClosed
	}
	s.proven = true
	return auth.Terminal2(ctx, s.pace, key, group, auxiliary, s.link.Limits())
}

// Chip2 runs Chip Authentication version 2 and goes on under its keys; the rights that the
// terminal asked for come into force. See auth.Chip2.
func (s *Session) Chip2(ctx context.Context, ta *auth.TerminalProof, key lds.ChipAuthKey) (*auth.ChipProof, error) {
	proof, err := auth.Chip2(ctx, ta, key)
	if err != nil {
		return nil, err
	}
	s.take(proof.Channel)
	return proof, nil
}

// Chip3 does so by version 3, whose proof is yet to come; see auth.Chip3.
func (s *Session) Chip3(ctx context.Context, ta *auth.TerminalProof, info lds.ChipAuthInfo) (*auth.AnonymousProof, error) {
	proof, err := auth.Chip3(ctx, ta, info)
	if err != nil {
		return nil, err
	}
	s.take(proof.Channel)
	return proof, nil
}
