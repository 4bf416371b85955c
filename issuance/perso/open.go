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
	return false, nil
}

// initialize selects the application and begins a handshake.
func (r *run) initialize(ctx context.Context, version byte) (*gp.Handshake, error) {
	c := apdu.Command{INS: 0xA4, P1: 0x04, P2: 0x0C, Data: r.driver.aid}
	a, err := r.link.Transmit(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name(), err)
	}
	if err := c.Refused(a.Status); err != nil {
		return nil, err
	}
	return gp.Initialize(ctx, r.link, gp.Start{Version: version})
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
	ch, err := h.Authenticate(ctx, k, gp.FullSecurity)
	if err != nil {
		return fmt.Errorf("open the chip: %w", err)
	}
	r.channel = ch
	return nil
}

// closed makes sure that the chip begins no handshake any more, with no key version that
// it ever had.
func (r *run) closed(ctx context.Context) error {
	versions := []byte{0}
	if r.issuer.Version != 0 {
		versions = append(versions, r.issuer.Version)
	}
	for _, k := range r.o.Transport {
		versions = append(versions, k.Version)
	}
	for _, v := range versions {
		_, err := r.initialize(ctx, v)
		if err == nil {
			return ErrOpen
		}
		if !errors.Is(err, apdu.ConditionsNotSatisfied) {
			return fmt.Errorf("probe the lock: %w", err)
		}
	}
	return nil
}
