package card

import (
	"context"
	"fmt"

	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

const cvcaSize = 36 // octets of EF.CVCA, filled with zeros

// TrustPoints returns the names of the CVCA keys that the chip trusts, the newest first:
// those that PACE has told, else those in EF.CVCA of the eMRTD application, which lies
// where info says.
func (s *Session) TrustPoints(ctx context.Context, info lds.TerminalAuthInfo) ([]cvc.Reference, error) {
	if s.pace != nil && len(s.pace.CARs) > 0 {
		var names []cvc.Reference
		for _, car := range s.pace.CARs {
			names = append(names, cvc.Reference(car))
		}
		return names, nil
	}
	if s.channel == nil {
		return nil, sm.ErrClosed
	}
	s.ahead = nil
	fid, sfi := info.File()
	raw, err := plain{fid: fid, sfi: sfi, le: cvcaSize, most: cvcaSize}.read(ctx, s.channel)
	if err != nil {
		return nil, fmt.Errorf("read EF.CVCA: %w", err)
	}
	names, err := cvc.ParseCVCA(raw)
	if err != nil {
		return nil, fmt.Errorf("read EF.CVCA: %w", err)
	}
	return names, nil
}

// Terminal1 runs Terminal Authentication version 1 after Chip Authentication, or after
// PACE with Chip Authentication Mapping, so that the chip opens what the terminal's
// certificates give rights to. info is the chip's own about it, of DG14; see auth.Terminal1.
func (s *Session) Terminal1(ctx context.Context, ca *auth.ChipProof, key auth.TerminalKey, info lds.TerminalAuthInfo) error {
	cars, err := s.TrustPoints(ctx, info)
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
