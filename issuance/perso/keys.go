package perso

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/issuance"
)

// rotate gives the chip the issuer's keys, unless it has them, and opens it anew with
// those: only the chip's own cryptogram proves that they arrived. A chip without keys gets
// a name instead.
func (r *run) rotate(ctx context.Context) error {
	r.progress(issuance.Rotate, 0, 0)
	if r.s.Phase == issuance.Absent {
		rec := Record{Act: issuance.Allocate, Driver: r.driver.Name}
		if err := r.record(ctx, rec, issuance.Allocated); err != nil {
			return err
		}
	}
	if !r.driver.channel() {
		return r.nameBlank(ctx)
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
	start := gp.Start{Version: r.issuer.Version, AID: r.driver.Challenge, CounterOnData: r.driver.CounterOnData}
	start.Foretold = &gp.Foretold{Info: r.channel.Info(), Keys: r.issuer}
	start.Foretold.Info.KeyVersion, start.Foretold.Info.Sequence = r.issuer.Version, r.driver.FirstSequence
	r.channel.Close()
	r.old = 0
	h, err := gp.Initialize(ctx, r.link, start)
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
// halves. Before something is prepared over them, lost ones are simply made anew, and so
// are those that the chip can't name; after that, others than those recorded can't be
// helped.
func (r *run) generate(ctx context.Context) error {
	r.progress(issuance.Generate, 0, 0)
	if r.s.reached(issuance.Prepared) && !r.driver.NamesKeys {
		return nil // Verify has the finished card prove them
	}
	if r.s.reached(issuance.Keyed) && r.driver.NamesKeys {
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
	rec := Record{Act: issuance.Generate}
	imported, err := r.makeKeys(ctx, &rec)
	if err != nil {
		return fmt.Errorf("make the chip's key pair: %w", err)
	}
	if err := r.imported(ctx, &rec, imported); err != nil {
		return err
	}
	rec.Imported = imported
	r.s.AA, r.s.CA = rec.AA, rec.CA
	return r.record(ctx, rec, issuance.Keyed)
}

// imported sees that the chip has the keys that were made elsewhere, if it can tell.
func (r *run) imported(ctx context.Context, rec *Record, which string) error {
	if which == "" || !r.driver.NamesKeys {
		return r.flush(ctx)
	}
	aa, ca, err := r.publicKeys(ctx)
	if err == nil && !(equal(aa, rec.AA) && equal(ca, rec.CA)) {
		err = fmt.Errorf("the imported key: %w", ErrChipKey)
	}
	return err
}

// makeKeys has the chip make its key pairs, or makes and imports them, and then notes
// their public halves. It returns which were imported.
func (r *run) makeKeys(ctx context.Context, rec *Record) (string, error) {
	var imported []string
	var onChip []orderedPair
	for _, k := range r.pairs() {
		if k.onChip {
			onChip = append(onChip, k)
			continue
		}
		key, err := k.curve.Generate()
		if err != nil {
			return "", err
		}
		given, name, note := &secrets{CA: key}, "ca", &rec.CA
		if k.ref.Use == gp.Signature {
			given, name, note = &secrets{AA: key}, "aa", &rec.AA
		}
		*note = key.Point()
		err = r.driver.dialect.installKeys(ctx, r, given)
		key.Destroy()
		if err != nil {
			return "", err
		}
		imported = append(imported, name)
	}
	return strings.Join(imported, "-"), r.makeOnChip(ctx, onChip, rec)
}

// makeOnChip has the chip make key pairs, all in one flight.
func (r *run) makeOnChip(ctx context.Context, pairs []orderedPair, rec *Record) error {
	if len(pairs) == 0 {
		return nil
	}
	var refs []gp.KeyRef
	for _, k := range pairs {
		refs = append(refs, k.ref)
	}
	made, err := r.channel.GenerateAll(ctx, refs...)
	if err != nil {
		return err
	}
	for i, k := range pairs {
		if err := r.note(k, made[i], rec); err != nil {
			return err
		}
	}
	return nil
}

// note checks what the chip says of a key and keeps it.
func (r *run) note(k orderedPair, g gp.Generated, rec *Record) error {
	p, err := k.curve.ParsePoint(g.Point)
	if err == nil {
		err = CheckKey(cert.PublicKey{EC: p})
	}
	if err != nil {
		return fmt.Errorf("the chip's public key: %w", err)
	}
	if k.ref.Use == gp.Signature {
		rec.AA, rec.AAEvidence, r.proof.aa = p, g.Evidence, g.Evidence
	} else {
		rec.CA, rec.CAEvidence, r.proof.ca = p, g.Evidence, g.Evidence
	}
	return nil
}

type orderedPair struct {
	ref    gp.KeyRef
	curve  *dh.Curve
	onChip bool
}

// pairs are the key pairs ordered, with the curves' identifiers that check has seen.
func (r *run) pairs() []orderedPair {
	var out []orderedPair
	add := func(c *dh.Curve, ref gp.KeyRef, how KeyMaking) {
		if c != nil {
			id, _ := c.ID()
			ref.Curve = byte(id)
			onChip, _ := how.makes(&r.o)
			out = append(out, orderedPair{ref: ref, curve: c, onChip: onChip})
		}
	}
	add(r.o.AA, refAA, r.driver.AA)
	add(r.o.CA, refCA, r.driver.CA)
	return out
}

// publicKeys reads the chip's public keys under the channel's protection.
func (r *run) publicKeys(ctx context.Context) (aa, ca *dh.Point, err error) {
	var rec Record
	for _, k := range r.pairs() {
		b, err := r.channel.PublicKey(ctx, k.ref)
		if err != nil {
			return nil, nil, fmt.Errorf("read the chip's public key: %w", err)
		}
		e, err := r.channel.Evidence()
		if err != nil {
			return nil, nil, fmt.Errorf("the chip's public key: %w", err)
		}
		if err := r.note(k, gp.Generated{Point: b, Evidence: e}, &rec); err != nil {
			return nil, nil, err
		}
	}
	return rec.AA, rec.CA, nil
}

func equal(a, b *dh.Point) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Equal(b)
}
