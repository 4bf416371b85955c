package perso

import (
	"context"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/issuance"
)

// open finds out which chip this is and which keys it holds, and opens it with those.
// locked is true for a card that refuses personalisation where that may be the effect of
// our own lock.
func (r *run) open(ctx context.Context) (locked bool, err error) {
	r.progress(issuance.Allocate, 0, 0)
	if !r.driver.channel() {
		return r.openBare(ctx)
	}
	h, err := r.initialize(ctx, 0)
	if errors.Is(err, apdu.ConditionsNotSatisfied) {
		if r.s.Phase == issuance.Locking {
			return true, nil
		}
		return false, ErrInUse
	}
	if err != nil {
		return false, fmt.Errorf("open the chip: %w", err)
	}
	kdd := h.Info().KDD
	if r.s.Phase != issuance.Absent && kdd != r.s.Chip {
		return false, &WrongChipError{Want: r.s.Chip, Got: kdd}
	}
	if r.issuer, err = r.o.Issuer(kdd); err != nil {
		return false, fmt.Errorf("issuer's keys: %w", err)
	}
	held, err := r.held(h)
	if err != nil {
		return false, err
	}
	if err := r.authenticate(ctx, h, held); err != nil {
		return false, err
	}
	// The handshake's KDD was anybody's word; this is the chip's.
	own, err := r.channel.KDD(ctx)
	if err != nil {
		return false, fmt.Errorf("identify the chip: %w", err)
	}
	if own != kdd {
		return false, &WrongChipError{Want: kdd, Got: own}
	}
	r.s.Chip = own
	return r.secured(ctx)
}

// secured says whether a chip that opens even after its lock has been locked.
func (r *run) secured(ctx context.Context) (bool, error) {
	if !r.driver.Reopens {
		return false, nil
	}
	state, err := r.channel.GetData(ctx, gp.TagLifeCycle)
	if err != nil {
		return false, fmt.Errorf("read the chip's state: %w", err)
	}
	locked := len(state) == 1 && state[0] == gp.StateSecured
	if locked && r.s.Phase != issuance.Locking {
		return false, ErrInUse
	}
	return locked, nil
}

// initialize selects what the channel is opened with and begins a handshake.
func (r *run) initialize(ctx context.Context, version byte) (*gp.Handshake, error) {
	c := apdu.Command{INS: 0xA4, P1: 0x04, P2: 0x0C, Data: r.driver.opens()}
	s, err := r.bare(ctx, c, apdu.OK)
	if err == nil {
		err = c.Refused(s)
	}
	if err != nil {
		return nil, err
	}
	return gp.Initialize(ctx, r.link, gp.Start{Version: version, AID: r.driver.Challenge, CounterOnData: r.driver.CounterOnData})
}

// bare sends a command outside any channel, whose status should be want.
func (r *run) bare(ctx context.Context, c apdu.Command, want apdu.Status) (apdu.Status, error) {
	if q, ok := r.link.(gp.Queue); ok {
		return want, q.Later(ctx, c, apdu.Response{Status: want})
	}
	a, err := r.link.Transmit(ctx, c)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", c.Name(), err)
	}
	return a.Status, nil
}

// held returns the keys that the chip's cryptogram proves it holds. The issuer's come
// first; the supplier's only count until the journal knows that they are gone.
func (r *run) held(h *gp.Handshake) (gp.Keys, error) {
	if err := r.issuer.Check(); err != nil {
		return gp.Keys{}, fmt.Errorf("issuer's keys: %w", err)
	}
	switch err := h.Check(r.issuer); {
	case err == nil && !r.s.reached(issuance.Rotating):
		return gp.Keys{}, ErrUsed
	case err == nil:
		return r.issuer, nil
	case !errors.Is(err, gp.ErrCryptogram):
		return gp.Keys{}, err
	case r.s.reached(issuance.Keyed):
		return gp.Keys{}, ErrKeys
	}
	k, err := h.Held(r.o.Transport...)
	if errors.Is(err, gp.ErrCryptogram) {
		return gp.Keys{}, ErrKeys
	}
	r.old = h.Info().KeyVersion
	return k, err
}

// authenticate opens the channel with keys that the chip has proven to hold.
func (r *run) authenticate(ctx context.Context, h *gp.Handshake, k gp.Keys) error {
	level := r.driver.Level
	if level == 0 {
		level = gp.FullSecurity
	}
	ch, err := h.Authenticate(ctx, k, level)
	if err != nil {
		return fmt.Errorf("open the chip: %w", err)
	}
	r.channel = ch
	return nil
}

// closed makes sure that the chip begins no handshake any more, with no key version that
// it ever had.
func (r *run) closed(ctx context.Context) error {
	switch {
	case !r.driver.channel():
		return r.closedBare(ctx)
	case r.driver.Reopens:
		return r.rekeyed(ctx)
	}
	versions := []byte{0}
	if r.issuer.Version != 0 {
		versions = append(versions, r.issuer.Version)
	}
	for _, k := range r.o.Transport {
		versions = append(versions, k.Version)
	}
	sel := apdu.Command{INS: 0xA4, P1: 0x04, P2: 0x0C, Data: r.driver.opens()}
	for _, v := range versions {
		s, err := r.bare(ctx, sel, apdu.OK)
		if err == nil {
			err = sel.Refused(s)
		}
		if err == nil {
			s, err = r.bare(ctx, gp.Probe(v), apdu.ConditionsNotSatisfied)
		}
		switch {
		case err != nil:
			return fmt.Errorf("probe the lock: %w", err)
		case s == apdu.OK:
			return ErrOpen
		case s != apdu.ConditionsNotSatisfied:
			return fmt.Errorf("probe the lock: %w", gp.Probe(v).Refused(s))
		}
	}
	return nil
}

// rekeyed makes sure that a chip which opens even after its lock opens with the issuer's
// keys only.
func (r *run) rekeyed(ctx context.Context) error {
	h, err := r.initialize(ctx, 0)
	if err != nil {
		return fmt.Errorf("probe the lock: %w", err)
	}
	if _, err := h.Held(r.o.Transport...); !errors.Is(err, gp.ErrCryptogram) {
		return ErrOpen
	}
	return h.Check(r.issuer)
}
