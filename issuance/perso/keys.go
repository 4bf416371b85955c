package perso

import (
	"context"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/issuance"
)

// rotate gives the chip the issuer's keys, unless it has them, and opens it anew with
// those: only the chip's own cryptogram proves that they arrived.
func (r *run) rotate(ctx context.Context) error {
	r.progress(issuance.Rotate, 0, 0)
	if r.s.Phase == issuance.Absent {
		if err := r.record(ctx, Record{Act: issuance.Allocate}, issuance.Allocated); err != nil {
			return err
		}
	}
	if r.old == 0 {
		return nil
	}
	if r.s.Phase == issuance.Allocated {
		rec := Record{Act: issuance.Rotate, KeyVersion: r.issuer.Version}
		if err := r.record(ctx, rec, issuance.Rotating); err != nil {
			return err
		}
	}
	if err := r.channel.PutKeys(ctx, r.old, r.issuer); err != nil {
		return fmt.Errorf("give the chip the issuer's keys: %w", err)
	}
	r.channel.Close()
	r.old = 0
	h, err := gp.Initialize(ctx, r.link, gp.Start{Version: r.issuer.Version})
	if err == nil {
		err = h.Check(r.issuer)
	}
	if err == nil {
		err = r.authenticate(ctx, h, r.issuer)
	}
	if err != nil {
		return fmt.Errorf("open the chip with the issuer's keys: %w", err)
	}
	return nil
}

// otherKeys is ErrChipKey, with what kept the keys from being compared if that is known.
func otherKeys(err error) error {
	if err == nil {
		return ErrChipKey
	}
	return fmt.Errorf("%w: %w", ErrChipKey, err)
}

// generate sees to it that the chip has key pairs and that the journal has their public
// halves. Before something is prepared over them, lost ones are simply made anew; after
// that, others than those recorded can't be helped.
func (r *run) generate(ctx context.Context) error {
	r.progress(issuance.Generate, 0, 0)
	if r.s.reached(issuance.Keyed) {
		aa, ca, err := r.publicKeys(ctx)
		same := err == nil && equal(aa, r.s.AA) && equal(ca, r.s.CA)
		switch {
		case same:
			return nil
		case err != nil && !errors.Is(err, apdu.ReferenceNotFound):
			return err
		case r.s.reached(issuance.Prepared):
			return otherKeys(err)
		}
	}
	for _, k := range r.pairs() {
		if _, err := r.channel.Generate(ctx, k.ref); err != nil {
			return fmt.Errorf("make the chip's key pair: %w", err)
		}
	}
	// What counts is what the chip will say it has, not what it said once.
	aa, ca, err := r.publicKeys(ctx)
	if err != nil {
		return err
	}
	r.s.AA, r.s.CA = aa, ca
	return r.record(ctx, Record{Act: issuance.Generate, AA: aa, CA: ca}, issuance.Keyed)
}

type orderedPair struct {
	ref   gp.KeyRef
	curve *dh.Curve
}

// pairs are the key pairs ordered, with the curves' identifiers that check has seen.
func (r *run) pairs() []orderedPair {
	var out []orderedPair
	add := func(c *dh.Curve, ref gp.KeyRef) {
		if c != nil {
			id, _ := c.ID()
			ref.Curve = byte(id)
			out = append(out, orderedPair{ref: ref, curve: c})
		}
	}
	add(r.o.AA, r.driver.aa)
	add(r.o.CA, r.driver.ca)
	return out
}

// publicKeys reads the chip's public keys under the channel's protection.
func (r *run) publicKeys(ctx context.Context) (aa, ca *dh.Point, err error) {
	for _, k := range r.pairs() {
		b, err := r.channel.PublicKey(ctx, k.ref)
		if err != nil {
			return nil, nil, fmt.Errorf("read the chip's public key: %w", err)
		}
		p, err := k.curve.ParsePoint(b)
		if err != nil {
			return nil, nil, fmt.Errorf("the chip's public key: %w", err)
		}
		e, err := r.channel.Evidence()
		if err != nil {
			return nil, nil, fmt.Errorf("the chip's public key: %w", err)
		}
		if k.ref.Use == gp.Signature {
			aa, r.proof.aa = p, e
		} else {
			ca, r.proof.ca = p, e
		}
	}
	return aa, ca, nil
}

func equal(a, b *dh.Point) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Equal(b)
}
