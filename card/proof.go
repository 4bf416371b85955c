package card

import (
	"context"
	"crypto"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/card/suite"
)

// ahead is the answer to the first block of a file, asked for before ReadFile.
type ahead struct {
	file   lds.File
	answer apdu.Response
}

// ReadFile reads a file of the application through the secure channel, in as few
// commands as the card allows. What it returns are the file's octets as they lie on the
// card, cut to the length that their own header says. Progress, if not nil, is called
// after each block.
//
// The errors are ErrFileAbsent, ErrFileEmpty, ErrFileTooLarge, ErrFileBroken, a *apdu.StatusError for
// another refusal (6982 for a group that needs more rights), and what the channel
// returns; all are wrapped in the file's name.
func (s *Session) ReadFile(ctx context.Context, f lds.File, progress func(done, total int)) ([]byte, error) {
	if s.channel == nil {
		return nil, fmt.Errorf("read %s: %w", f.Name(), sm.ErrClosed)
	}
	var first *apdu.Response
	if s.ahead != nil && s.ahead.file == f {
		first = &s.ahead.answer
	}
	s.ahead = nil
	data, err := s.read(ctx, f, first, progress)
	if s.mayReopen(err) {
		if err := s.reopen(ctx, err); err != nil {
			return nil, fmt.Errorf("open the card again to read %s: %w", f.Name(), err)
		}
		data, err = s.read(ctx, f, nil, progress)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	s.o.Log.Debug("file read", "file", f.Name(), "octets", len(data))
	return data, nil
}

func (s *Session) read(ctx context.Context, f lds.File, first *apdu.Response, progress func(done, total int)) ([]byte, error) {
	r := reader{t: s.channel, le: s.le, bySFI: s.bySFI}
	data, err := r.read(ctx, f, first, progress)
	s.bySFI = r.bySFI
	s.le, s.long = r.le, s.long || r.longest > sm.MaxResponse(suite.TDES, apdu.Limits{})
	return data, err
}

// Chip1 runs Chip Authentication with a key of DG14 and goes on under its keys. The
// command that proves the chip is the first READ BINARY of the file next, so that it
// costs nothing if ReadFile asks for that file next; see auth.Chip1 for failures and
// what they leave open.
func (s *Session) Chip1(ctx context.Context, key lds.ChipAuthKey, next lds.File) (*auth.ChipProof, error) {
	if s.channel == nil {
		return nil, sm.ErrClosed
	}
	s.ahead = nil
	s.le = min(s.le, sm.MaxResponse(suite.AES128, s.link.Limits())) // 3DES bears more than its successor
	first := (&reading{file: next, bySFI: true}).command(s.le)
	proof, err := auth.Chip1(ctx, s.channel, key, first)
	if err != nil {
		return nil, err
	}
	s.take(proof.Channel)
	s.proven = true
	s.ahead = &ahead{next, proof.First}
	return proof, nil
}

// Carry1 is the terminal's part of Chip Authentication by somebody far away, and the end of
// the session: the chip goes on under keys that are not here. See auth.Carry1.
func (s *Session) Carry1(ctx context.Context, agreement []apdu.Command, first apdu.Command) (apdu.Response, error) {
	if s.channel == nil {
		return apdu.Response{}, sm.ErrClosed
	}
	s.ahead, s.proven = nil, true
	return auth.Carry1(ctx, s.channel, agreement, first)
}

// Active runs Active Authentication with the key of DG15; see auth.Active.
func (s *Session) Active(ctx context.Context, pub cert.PublicKey, h crypto.Hash) (*auth.ActiveProof, error) {
	s.proven = true
	return auth.Active(ctx, s, pub, h, s.signatureLe(pub))
}

// InternalAuthenticate has the chip sign a challenge with the key of DG15, for a caller
// that keeps the answer; see auth.InternalAuthenticate.
func (s *Session) InternalAuthenticate(ctx context.Context, pub cert.PublicKey, challenge [auth.ChallengeSize]byte) ([]byte, error) {
	s.proven = true
	return auth.InternalAuthenticate(ctx, s, challenge, s.signatureLe(pub))
}

// signatureLe is the Le to ask for a signature with.
func (s *Session) signatureLe(pub cert.PublicKey) int {
	le := apdu.MaxShortLe
	if n := (pub.Bits() + 7) / 8; n > le && s.channel != nil && n <= s.channel.MaxResponse(s.link.Limits()) {
		le = n
	}
	return le
}
