package perso

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
)

// order of the phases of a card in the making.
var phases = []issuance.Phase{
	issuance.Absent, issuance.Allocated, issuance.Rotating, issuance.Keyed, issuance.Prepared,
	issuance.Signed, issuance.Writing, issuance.Written, issuance.Locking, issuance.Locked,
}

// run is one attempt on one chip.
type run struct {
	link    *apdu.Link
	o       Order
	j       Journal
	s       State
	driver  driver
	issuer  gp.Keys     // the issuer's keys for this chip
	channel *gp.Channel // under whichever keys the chip holds
	old     byte        // version of the transport keys, if the chip still holds them
}

// Run takes the chip behind link from s to a locked and verified card. The chip must be
// just powered up. On an error the journal says how far it came, and the next Run goes on
// from there.
func Run(ctx context.Context, link *apdu.Link, o Order, j Journal, s State) error {
	if err := check(o, s); err != nil {
		return err
	}
	r := &run{link: link, o: o, j: j, s: s, driver: gpDGI}
	if s.Phase == issuance.Locked {
		return r.verify(ctx)
	}
	defer r.close()
	locked, err := r.open(ctx)
	if err != nil {
		return err
	}
	if locked {
		return r.finishLocked(ctx)
	}
	for _, step := range []func(context.Context) error{r.rotate, r.generate, r.build, r.write, r.lock, r.verify} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func check(o Order, s State) error {
	lack := func(what string) error { return fmt.Errorf("personalise: %s: %w", what, ErrOrder) }
	switch {
	case o.Issuer == nil || o.Build == nil || o.Verify == nil:
		return lack("a function is missing")
	case !slices.Contains(phases, s.Phase):
		return lack("a card in phase " + string(s.Phase) + " is not in the making")
	}
	for _, k := range o.Transport {
		if k.Check() != nil {
			return lack("transport keys")
		}
	}
	for _, c := range []*dh.Curve{o.AA, o.CA} {
		if c == nil {
			continue
		}
		if _, ok := c.ID(); !ok {
			return lack("a curve without an identifier")
		}
	}
	if s.reached(issuance.Keyed) && !(fits(o.AA, s.AA) && fits(o.CA, s.CA)) {
		return lack("the recorded keys are not those ordered")
	}
	if s.reached(issuance.Signed) && s.Phase != issuance.Locked {
		return s.Signed.check()
	}
	return nil
}

// fits says whether a public key is there if and only if its curve is asked for.
func fits(c *dh.Curve, p *dh.Point) bool {
	if c == nil || p == nil {
		return c == nil && p == nil
	}
	return p.Curve() == c
}

// reached says whether the card is in phase p or beyond.
func (s State) reached(p issuance.Phase) bool {
	return slices.Index(phases, s.Phase) >= slices.Index(phases, p)
}

func (c *Content) check() error {
	if c == nil || len(c.Files[lds.SODFile]) == 0 {
		return fmt.Errorf("personalise: no security object: %w", ErrOrder)
	}
	for f, b := range c.Files {
		if len(b) == 0 || len(b) > gp.MaxDGI {
			return fmt.Errorf("personalise: %s of %d octets: %w", f, len(b), ErrOrder)
		}
	}
	return nil
}

// close ends the channel and wipes the issuer's keys.
func (r *run) close() {
	if r.channel != nil {
		r.channel.Close()
	}
	r.issuer.Destroy()
}

func (r *run) progress(a issuance.Act, done, total int) {
	if r.o.Progress != nil {
		r.o.Progress(Progress{Act: a, Done: done, Total: total})
	}
}

// record writes an act into the journal and moves the state on.
func (r *run) record(ctx context.Context, rec Record, to issuance.Phase) error {
	rec.Chip = r.s.Chip
	if err := r.j.Record(ctx, rec); err != nil {
		return fmt.Errorf("record %s: %w", rec.Act, err)
	}
	r.s.Phase = to
	return nil
}

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
			return errors.Join(ErrChipKey, err)
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
		if k.ref.Use == gp.Signature {
			aa = p
		} else {
			ca = p
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

// build has the caller make and sign the content, once in the life of the card.
func (r *run) build(ctx context.Context) error {
	if r.s.reached(issuance.Signed) {
		return nil
	}
	r.progress(issuance.Prepare, 0, 0)
	c, err := r.o.Build(ctx, PublicKeys{Chip: r.s.Chip, AA: r.s.AA, CA: r.s.CA})
	if err != nil {
		return fmt.Errorf("build the document: %w", err)
	}
	if err := c.check(); err != nil {
		return err
	}
	r.s.Signed, r.s.Phase = c, issuance.Signed
	return nil
}

// write stores the files, reads each back octet by octet, and then gives the chip its
// access keys. After an interruption nothing that was written before is trusted.
func (r *run) write(ctx context.Context) error {
	written := r.s.reached(issuance.Written)
	if written {
		err := r.readBack(ctx)
		var differ *DifferError
		if err != nil && !errors.As(err, &differ) && !errors.Is(err, apdu.FileNotFound) {
			return err
		}
		written = err == nil
	}
	if !written {
		if r.s.Phase == issuance.Signed {
			if err := r.record(ctx, Record{Act: issuance.Write}, issuance.Writing); err != nil {
				return err
			}
		}
		if err := r.storeFiles(ctx); err != nil {
			return err
		}
		if err := r.readBack(ctx); err != nil {
			return err
		}
	}
	if r.s.Phase == issuance.Writing {
		if err := r.record(ctx, Record{Act: issuance.WriteDone}, issuance.Written); err != nil {
			return err
		}
	}
	return r.storeAccess(ctx)
}

// lock ends the chip's personalisation for good and sees that it is ended.
func (r *run) lock(ctx context.Context) error {
	r.progress(issuance.Lock, 0, 0)
	if r.s.Phase == issuance.Written {
		if err := r.record(ctx, Record{Act: issuance.Lock}, issuance.Locking); err != nil {
			return err
		}
	}
	if err := r.channel.SetStatus(ctx, gp.StatusOfApplication, gp.StateSecured, r.driver.aid); err != nil {
		return fmt.Errorf("lock the chip: %w", err)
	}
	r.channel.Close()
	if err := r.closed(ctx); err != nil {
		return err
	}
	return r.record(ctx, Record{Act: issuance.LockDone}, issuance.Locked)
}

// finishLocked goes on with a card whose lock went unanswered and which lets nobody in any
// more. Any finished card would look so: it must prove to be this one before the journal
// says so.
func (r *run) finishLocked(ctx context.Context) error {
	if err := r.closed(ctx); err != nil {
		return err
	}
	if err := r.verify(ctx); err != nil {
		return err
	}
	return r.record(ctx, Record{Act: issuance.LockDone}, issuance.Locked)
}

func (r *run) verify(ctx context.Context) error {
	r.progress(issuance.Check, 0, 0)
	if err := r.o.Verify(ctx); err != nil {
		return fmt.Errorf("look at the finished card: %w", err)
	}
	return nil
}

// differ returns where two files part, or -1.
func differ(got, want []byte) int {
	if bytes.Equal(got, want) {
		return -1
	}
	n := 0
	for n < len(got) && n < len(want) && got[n] == want[n] {
		n++
	}
	return n
}
