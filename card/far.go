package card

import (
	"context"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/card/suite"
)

// Lend returns the session's card for a terminal far away that runs Chip Authentication
// itself (Far). What comes in the clear goes within the session's channel. The first
// protected command ends that channel and the session, and goes as it stands, as do all
// behind it: the chip and the terminal have keys that are not here. What the terminal may
// send at all is not decided here; see apdu/relay.
func (s *Session) Lend() apdu.Transmitter { return &lent{s: s} }

type lent struct {
	s    *Session
	left bool
}

func (l *lent) Transmit(ctx context.Context, c apdu.Command) (apdu.Response, error) {
	switch {
	case l.left && c.Secured():
		return l.s.link.Transmit(ctx, c)
	case l.left || l.s.channel == nil:
		return apdu.Response{}, sm.ErrClosed
	case !c.Secured():
		l.s.proven = l.s.proven || c.INS != 0xB0 // a chip's key is used
		return l.s.Transmit(ctx, c)
	}
	l.left, l.s.ahead, l.s.proven = true, nil, true
	return l.s.channel.Leave(ctx, c)
}

// Far is a card somewhere else, which whoever is there has opened and lent: the terminal's
// side of Session.Lend. Files are read by their short identifiers, in short commands. It
// serves one goroutine at a time, and whoever made it closes it.
type Far struct {
	t       apdu.Transmitter
	channel *sm.Channel // after Chip Authentication
	ahead   *ahead
}

// FarOver returns a card far away over what leads to it.
func FarOver(t apdu.Transmitter) *Far { return &Far{t: t} }

// ReadFile reads a file whole. Before Chip1 whoever is at the card reads it too, and could
// give another; what it is worth, the signature over its hash tells. The errors are those of
// Session.ReadFile.
func (f *Far) ReadFile(ctx context.Context, file lds.File) ([]byte, error) {
	var first *apdu.Response
	if f.ahead != nil && f.ahead.file == file {
		first = &f.ahead.answer
	}
	f.ahead = nil
	r := reader{t: f.t, le: farLe(), bySFI: true}
	if f.channel != nil {
		r.t = f.channel
	}
	data, err := r.blocks(ctx, &reading{file: file, bySFI: true, total: -1}, first)
	if err != nil {
		return nil, fmt.Errorf("read %s far away: %w", file.Name(), err)
	}
	return data, nil
}

// farLe is what a card far away is asked for at once: as much as a protected answer bears
// within short length, by the suite that bears less.
func farLe() int { return sm.MaxResponse(suite.AES128, apdu.Limits{}) }

// Chip1 runs Chip Authentication and goes on under keys that only the chip and this end have.
// next is the file that is read next; see auth.ChipFar1.
func (f *Far) Chip1(ctx context.Context, key lds.ChipAuthKey, next lds.File) (*auth.ChipProof, error) {
	first := (&reading{file: next, bySFI: true}).command(farLe())
	proof, err := auth.ChipFar1(ctx, f.t, key, first)
	if err != nil {
		return nil, err
	}
	f.channel, f.ahead = proof.Channel, &ahead{next, proof.First}
	return proof, nil
}

// InternalAuthenticate has the chip sign a challenge with the key of DG15, before Chip1; see
// Session.InternalAuthenticate. Whoever lends the card knows which challenge was agreed.
func (f *Far) InternalAuthenticate(ctx context.Context, challenge [auth.ChallengeSize]byte) ([]byte, error) {
	return auth.InternalAuthenticate(ctx, f.t, challenge, apdu.MaxShortLe)
}

// Close forgets the keys. It may be called more than once.
func (f *Far) Close() {
	if f.channel != nil {
		f.channel.Close()
	}
}
