package card

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
)

// open chooses and runs the access protocol.
func (s *Session) open(ctx context.Context) error {
	if err := s.learnLimits(ctx); err != nil {
		return err
	}
	raw, err := s.readCardAccess(ctx)
	if errors.Is(err, ErrFileAbsent) {
		return s.openBAC(ctx)
	}
	if err == nil {
		s.access.CardAccess = raw
		err = s.openPACE(ctx, raw)
	}
	if err == nil || s.channel != nil || !refusesPACE(err) {
		return err
	}
	if !s.o.AllowBAC {
		return fmt.Errorf("%w: %w", ErrNoAccess, err)
	}
	s.o.Log.Warn("PACE failed, BAC is allowed", "reason", err.Error())
	s.access.Refused = err
	return s.openBAC(ctx)
}

// refusesPACE reports whether err says that the card did not come to PACE, and not that
// it gave no answer or refused the password.
func refusesPACE(err error) bool {
	for _, no := range []error{ErrWrongPassword, ErrBlocked, auth.ErrSuspended, ErrNoPassword} {
		if errors.Is(err, no) {
			return false
		}
	}
	for _, yes := range []error{auth.ErrProtocol, auth.ErrUnsupported, errCardAccess, ErrFileEmpty, ErrFileBroken, ErrFileTooLarge} {
		if errors.Is(err, yes) {
			return true
		}
	}
	return isRefusal(err)
}

// isRefusal reports whether err is a status of the card.
func isRefusal(err error) bool {
	_, ok := errors.AsType[apdu.Status](err)
	return ok
}

// errCardAccess says that EF.CardAccess is there and of no use.
var errCardAccess = errors.New("EF.CardAccess is no list of SecurityInfos")

// readCardAccess reads EF.CardAccess in the clear. Absence must be certain, because it
// lets BAC in: the card has to deny the file by its name, and in the master file too if
// that can be selected (cards are met that start in an application).
func (s *Session) readCardAccess(ctx context.Context) ([]byte, error) {
	r := reader{t: s.link, le: clearLe(s.link.Limits()), bySFI: true} // absence is made sure of below
	raw, err := r.read(ctx, lds.CardAccess, nil, nil)
	if err != nil && isRefusal(err) {
		raw, err = r.readSelected(ctx, lds.CardAccess, nil)
	}
	if errors.Is(err, ErrFileAbsent) {
		c := apdu.Command{INS: 0xA4, P2: 0x0C, Data: []byte{0x3F, 0x00}}
		_, status, lost := apdu.Do(ctx, s.link, c)
		if lost != nil {
			return nil, fmt.Errorf("SELECT the master file: %w", lost)
		}
		if status == apdu.OK {
			raw, err = r.readSelected(ctx, lds.CardAccess, nil)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read EF.CardAccess: %w", err)
	}
	return raw, nil
}

// clearLe is the most answer data that fit without secure messaging.
func clearLe(l apdu.Limits) int {
	_, response := l.Sizes()
	return min(response-2, apdu.MaxLe)
}

// openPACE runs the strongest variant that the card offers with the first password of
// a kind that it knows, and selects the application within the channel.
func (s *Session) openPACE(ctx context.Context, cardAccess []byte) error {
	infos, err := lds.ParseCardAccess(cardAccess)
	if err != nil {
		return fmt.Errorf("%w: %w", errCardAccess, err)
	}
	variants := auth.PACEVariants(infos.PACE)
	if len(variants) == 0 {
		return fmt.Errorf("PACE: the card offers no variant that we run: %w", auth.ErrUnsupported)
	}
	passwords, err := s.passwords(ctx, "PACE", auth.RefCAN, auth.RefMRZ, auth.RefPIN)
	if err != nil {
		return err
	}
	for i, p := range passwords {
		err := s.runPACE(ctx, p, variants[0])
		if errors.Is(err, apdu.ReferenceNotFound) && i+1 < len(passwords) {
			continue // a card without this kind of password
		}
		return err
	}
	return ErrNoPassword
}

// runPACE opens the card with a password and selects the application within the channel.
// EF.CardSecurity, which lies outside it, is read first where PACE has proven the chip.
func (s *Session) runPACE(ctx context.Context, p auth.Password, info lds.PACEInfo) error {
	ask := auth.PACEOptions{CHAT: s.o.CHAT}
	result, err := auth.PACEWith(ctx, s.link, p, info, ask)
	if errors.Is(err, auth.ErrSuspended) {
		result, err = s.resume(ctx, p, info, err)
	}
	if err != nil {
		return err
	}
	s.access.Protocol, s.access.Password, s.access.Info = "PACE", result.Password, result.Info
	s.pace, s.key = result, p
	s.take(result.Channel)
	if result.MapsChip() && s.access.CardSecurity == nil {
		r := reader{t: s.channel, le: s.le}
		raw, err := r.read(ctx, lds.CardSecurity, nil, nil)
		if err != nil && s.channel.MaxResponse(s.link.Limits()) == 0 {
			return fmt.Errorf("read EF.CardSecurity: %w", err)
		}
		s.access.CardSecurity, s.le = raw, r.le // without it the proof is worth nothing
	}
	if s.o.CHAT != nil {
		return nil
	}
	return s.selectApplication(ctx, s.channel)
}

// resume gives a suspended PIN its last try, which the holder asked for by giving the CAN
// too: the CAN opens the way to it.
func (s *Session) resume(ctx context.Context, pin auth.Password, info lds.PACEInfo, why error) (*auth.PACEResult, error) {
	for _, p := range s.o.Passwords {
		if p.Reference() != auth.RefCAN {
			continue
		}
		first, err := auth.PACE(ctx, s.link, p, info)
		if err != nil {
			return nil, err
		}
		result, err := auth.PACEWith(ctx, first.Channel, pin, info, auth.PACEOptions{CHAT: s.o.CHAT})
		if err != nil {
			first.Channel.Close()
		}
		return result, err
	}
	return nil, why
}

// openBAC selects the application in the clear and runs BAC.
func (s *Session) openBAC(ctx context.Context) error {
	passwords, err := s.passwords(ctx, "BAC", auth.RefMRZ)
	if err != nil {
		return err
	}
	if err := s.selectApplication(ctx, s.link); err != nil {
		return err
	}
	ch, err := auth.BAC(ctx, s.link, passwords[0])
	if err != nil {
		return err
	}
	s.access.Protocol, s.access.Password = "BAC", passwords[0].Name()
	s.key = passwords[0]
	s.take(ch)
	return nil
}

// passwords returns those that a protocol takes, at least one: BAC takes those of refs, and
// PACE also any other that the caller gave. Only those of refs are asked for.
func (s *Session) passwords(ctx context.Context, protocol string, refs ...byte) ([]auth.Password, error) {
	takes := func(p auth.Password) bool {
		for _, ref := range refs {
			if p.Reference() == ref {
				return true
			}
		}
		return false
	}
	var fit []auth.Password
	for _, p := range s.o.Passwords {
		if takes(p) || protocol == "PACE" && p.Reference() != 0 {
			fit = append(fit, p)
		}
	}
	if s.o.Profile != nil {
		slices.SortStableFunc(fit, func(a, b auth.Password) int { return cmp.Compare(s.rank(protocol, a), s.rank(protocol, b)) })
	}
	if len(fit) == 0 && s.o.Ask != nil {
		prompt := Prompt{Protocol: protocol}
		for _, ref := range refs {
			if ref == auth.RefPIN { // nobody but the holder is to tell it, and unasked
				continue
			}
			prompt.Passwords = append(prompt.Passwords, auth.ReferenceName(ref))
		}
		p, err := s.o.Ask(ctx, prompt)
		if err != nil {
			return nil, err
		}
		if takes(p) {
			fit = append(fit, p)
		}
	}
	if len(fit) == 0 {
		return nil, fmt.Errorf("%s: %w", protocol, ErrNoPassword)
	}
	return fit, nil
}

// rank is the place of a way to open a card in its profile; ways that it doesn't name
// come last.
func (s *Session) rank(protocol string, p auth.Password) int {
	for i, way := range s.o.Profile.Access {
		if way.Protocol == protocol && way.Password == p.Name() {
			return i
		}
	}
	return len(s.o.Profile.Access)
}
