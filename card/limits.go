package card

import (
	"context"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

// short tells whether limits leave no room for extended length.
func short(l apdu.Limits) bool {
	_, response := l.Sizes()
	return response <= apdu.MaxShortLe+2
}

// learnLimits raises the link's limits to what card and reader both bear. A card that
// says nothing of extended length is spared it: some end their session at the first
// command that they don't take (gmrtd#457).
func (s *Session) learnLimits(ctx context.Context) error {
	defer func() { s.access.Limits = s.link.Limits() }()
	if short(s.o.Reader) {
		return nil
	}
	raw, err := s.readATRInfo(ctx)
	if err != nil {
		return err
	}
	info, err := lds.ParseATRInfo(raw)
	if err != nil || len(raw) == 0 {
		info = lds.ATRInfo{}
		if s.o.Claimed {
			info.Capabilities = 0x40
		}
	}
	if !info.ExtendedLength() {
		return nil
	}
	command, response := s.o.Reader.Sizes()
	if info.Command > 0 {
		command = min(command, info.Command)
	}
	if info.Response > 0 {
		response = min(response, info.Response)
	}
	s.link.Raise(apdu.Limits{Command: max(command, 261), Response: max(response, 258)})
	return nil
}

// readATRInfo reads EF.ATR/INFO, by its short identifier or its own, in one command. It is
// empty if the card doesn't give it.
func (s *Session) readATRInfo(ctx context.Context) ([]byte, error) {
	f := plain{fid: lds.ATRInfoFile.FID(), sfi: lds.ATRInfoFile.SFI(), le: apdu.MaxShortLe, most: 1, once: !s.o.Claimed}
	raw, err := f.read(ctx, s.link)
	if isRefusal(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read EF.ATR/INFO: %w", err)
	}
	return raw, nil
}

// mayReopen says whether err ended a session that short APDUs may save: a card that answers
// the first command of extended length with a bare 6700 (gmrtd#457), or a reader that does
// not carry it. A wrong MAC is no matter of length. Nothing that the session has proven by
// then is lost with it, and the password is known to be right.
func (s *Session) mayReopen(err error) bool {
	if err == nil || s.closed || s.long || s.proven || s.access.Reopened != nil || short(s.link.Limits()) {
		return false
	}
	for _, gone := range []error{apdu.ErrRemoved, apdu.ErrReset, apdu.ErrTimeout, apdu.ErrAbandoned, sm.ErrClosed, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, gone) {
			return false
		}
	}
	if errors.Is(err, sm.ErrProtection) {
		bare, ok := errors.AsType[*sm.BareError](err)
		return ok && bare.Status == apdu.WrongLength
	}
	return !isRefusal(err) && !isFile(err)
}

// isFile tells the errors of a file that was read from those of a session that broke.
func isFile(err error) bool {
	return errors.Is(err, ErrFileAbsent) || errors.Is(err, ErrFileBroken) || errors.Is(err, ErrFileTooLarge) || errors.Is(err, ErrFileEmpty)
}

// reopen opens the card again as it was opened, with short APDUs.
func (s *Session) reopen(ctx context.Context, why error) error {
	s.o.Log.Warn("the card ended the session at extended length", "reason", why.Error())
	s.channel.Close()
	s.channel, s.le, s.ahead = nil, 0, nil
	s.access.Reopened = why
	s.link.Raise(apdu.Limits{})
	s.access.Limits = s.link.Limits()
	if s.access.Protocol == "BAC" {
		if err := s.selectApplication(ctx, s.link); err != nil {
			return err
		}
		ch, err := auth.BAC(ctx, s.link, s.key)
		if err == nil {
			s.take(ch)
		}
		return err
	}
	err := s.runPACE(ctx, s.key, s.access.Info)
	if s.channel == nil && isRefusal(err) && !errors.Is(err, ErrWrongPassword) && !errors.Is(err, ErrBlocked) {
		// Some cards run PACE in the master file only.
		c := apdu.Command{INS: 0xA4, P2: 0x0C, Data: []byte{0x3F, 0x00}}
		if _, _, lost := apdu.Do(ctx, s.link, c); lost != nil {
			return lost
		}
		err = s.runPACE(ctx, s.key, s.access.Info)
	}
	return err
}
