package perso

import (
	"context"
	"fmt"

	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
)

// dgiDialect is the family of STORE DATA with DGIs. A tag of 0 stands for a thing that the
// chip does not take; files have the DGI of their identifier.
type dgiDialect struct {
	seed, mrz, can, rules, security, key, trust, date uint16

	bareKey bool // the private key goes as it is, encrypted by the channel only
	through bool // the security domain passes STORE DATA on to the application
	status  byte // target of SET STATUS
}

func (d dgiDialect) installKeys(ctx context.Context, r *run, k *secrets) error {
	var dgis []gp.DGI
	add := func(tag uint16, value []byte) {
		if tag != 0 && value != nil {
			dgis = append(dgis, gp.DGI{Tag: tag, Value: value})
		}
	}
	for _, key := range []struct {
		ref gp.KeyRef
		key *dh.PrivateKey
	}{{refAA, k.AA}, {refCA, k.CA}} {
		if key.key == nil {
			continue
		}
		dgi, err := d.keyDGI(r, key.ref, key.key)
		if err != nil {
			return err
		}
		defer clear(dgi.Value)
		dgis = append(dgis, dgi)
	}
	add(d.seed, k.BACSeed)
	add(d.mrz, k.PACEMRZ)
	add(d.can, k.PACECAN)
	if k.Rules != nil {
		add(d.rules, k.Rules.Bytes())
	}
	for i, c := range k.Trust {
		add(d.trust+uint16(i), c)
	}
	if k.Date != nil {
		add(d.date, k.Date.Bytes())
	}
	if len(dgis) == 0 {
		return nil
	}
	if d.through && k.access {
		r.dgis = dgis // they go with the files, for the last block ends it all
		return nil
	}
	return r.channel.Store(ctx, d.storing(r, d.through, nil), dgis)
}

func (d dgiDialect) keyDGI(r *run, ref gp.KeyRef, key *dh.PrivateKey) (gp.DGI, error) {
	scalar := key.Bytes()
	if d.bareKey {
		return gp.DGI{Tag: d.key, Value: scalar}, nil
	}
	defer clear(scalar)
	id, _ := key.Point().Curve().ID()
	ref.Curve = byte(id)
	return r.channel.KeyDGI(ref, scalar)
}

func (d dgiDialect) storing(r *run, open bool, stored func(done, total int)) gp.Storing {
	s := gp.Storing{Block: r.block(), Open: open, Stored: stored}
	if d.through {
		s.Begin = func(ctx context.Context) error { return r.channel.Personalize(ctx, r.driver.Application) }
	}
	return s
}

// putFile collects the files: together they take the fewest blocks.
func (d dgiDialect) putFile(ctx context.Context, r *run, f lds.File, b []byte, last bool) error {
	tag := f.FID()
	if f == lds.CardSecurity {
		tag = d.security
	}
	r.dgis = append(r.dgis, gp.DGI{Tag: tag, Value: b})
	if !last {
		return nil
	}
	dgis := r.dgis
	r.dgis = nil
	stored := func(done, total int) { r.wrote(done, total) }
	if err := r.channel.Store(ctx, d.storing(r, false, stored), dgis); err != nil {
		return fmt.Errorf("write the files: %w", err)
	}
	return nil
}

func (d dgiDialect) finish(ctx context.Context, r *run) error {
	aid := r.driver.Application
	if d.status == gp.StatusOfCard {
		aid = r.driver.Domain
	}
	return r.channel.SetStatus(ctx, d.status, gp.StateSecured, aid)
}

// References of the chip's keys, without the curve.
var (
	refAA = gp.KeyRef{Use: gp.Signature, Reference: gp.KeyAA}
	refCA = gp.KeyRef{Use: gp.Agreement, Reference: gp.KeyCA}
)

// references of passwords in PACE, by Content's fields.
const (
	passwordMRZ = auth.RefMRZ
	passwordCAN = auth.RefCAN
)
