package virtual

import (
	"fmt"
	"math/big"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

// PseudonymKey is a chip's pair of keys of Chip Authentication version 3. The protocols that
// go with its number stand in EF.CardSecurity, or EF.CardAccess if that is left out.
type PseudonymKey struct {
	KeyID *big.Int
	Key   *dh.PseudonymKey
}

// pseudonymRight is the right of an authentication terminal to pseudonyms that are not free
// (TR-03110-4 table 4).
var pseudonymRight = rule{authority, 30}

// pseudonymRecord is the record of a pair: its use, identifier in eight octets, curve,
// manager's key and the two scalars.
func pseudonymRecord(g given) (record, error) {
	curve := g.group3.Curve()
	id, ok := curve.ID()
	if !ok || g.name.KeyID == nil || g.name.KeyID.BitLen() > 64 {
		return record{}, fmt.Errorf("chip key on %s: %w", curve.Name(), dh.ErrUnknownCurve)
	}
	manager, one, two := g.group3.Parts()
	b := append([]byte{byte(usePseudonym)}, g.name.KeyID.FillBytes(make([]byte, 8))...)
	b = append(append(b, byte(id)), manager.Bytes()...)
	return record{recKey, append(append(b, one.Bytes()...), two.Bytes()...)}, nil
}

// readPseudonym reads the rest of what pseudonymRecord wrote.
func (g *given) readPseudonym(b *fields) error {
	g.name.KeyID = new(big.Int).SetBytes(b.take(8))
	curve, err := dh.ByID(int(b.octet()))
	if err != nil {
		return err
	}
	manager, err := curve.ParsePoint(b.take(1 + 2*curve.Size()))
	if err != nil {
		return err
	}
	one, err := curve.NewPrivateKey(b.take(curve.OrderSize()))
	if err != nil {
		return err
	}
	two, err := curve.NewPrivateKey(b.rest())
	if err != nil {
		return err
	}
	g.group3, err = dh.NewPseudonymKey(manager, one, two)
	return err
}

// thirdAuthentication serves Chip Authentication version 3 (TR-03110-2 §3.5), and takes the
// commands that are for it: false leaves them to version 2. The terminal's rights come into
// force with the agreement.
func (d *document) thirdAuthentication(cmd apdu.Command) (apdu.Response, *sm.Keys, bool) {
	if d.eac.third == nil && !d.beginThird() {
		return apdu.Response{}, nil, false
	}
	chip := d.eac.third
	if cmd.INS == 0x22 && !chip.Takes(cmd.Data) || cmd.INS != 0x22 && !chip.Running() {
		return apdu.Response{}, nil, false
	}
	r, keys := chip.Process(cmd)
	if cmd.INS != 0x22 && r.Status == apdu.OK {
		d.agreementWork(cmd)
	}
	d.eac.proven = d.eac.proven || keys != nil
	return r, keys, true
}

// beginThird makes the chip's end, if the chip has keys of that version for the terminal.
func (d *document) beginThird() bool {
	infos := d.c.image.cardSecurity()
	if infos == nil {
		infos = d.c.image.cardAccess()
	}
	if infos == nil {
		return false
	}
	var secrets []auth.PseudonymSecret
	for _, g := range d.c.image.given {
		if g.use == usePseudonym {
			secrets = append(secrets, d.pseudonymSecrets(infos, g)...)
		}
	}
	if len(secrets) == 0 {
		return false
	}
	allowed := func(sector *dh.Point) bool { return d.eac.terminal.Chain().PseudonymSector(sector.Bytes()) }
	chip, err := auth.NewChip3Chip(d.eac.terminal.Announced(), allowed, secrets...)
	if err != nil {
		return false
	}
	d.eac.third = chip
	return true
}

// pseudonymSecrets are the ways that a pair is announced in.
func (d *document) pseudonymSecrets(infos *lds.SecurityInfos, g given) (list []auth.PseudonymSecret) {
	same := func(id *big.Int) bool { return id != nil && id.Cmp(g.name.KeyID) == 0 }
	for _, p := range infos.Pseudonyms {
		var give [2]bool
		for i, a := range p.Access {
			give[i] = a == lds.PseudonymFree || a == lds.PseudonymAuthorized && d.announcedRight(pseudonymRight)
		}
		if !same(p.KeyID) || give == [2]bool{} {
			continue
		}
		for _, c := range infos.Chip {
			for _, domain := range infos.Domains {
				if c.Version == 3 && same(c.KeyID) && same(domain.KeyID) {
					list = append(list, auth.PseudonymSecret{
						Agreement: c.OID, Group: domain.Domain.Group, Protocol: p.OID, KeyID: g.name.KeyID, Key: g.group3, Give: give,
					})
				}
			}
		}
	}
	return list
}

// announcedRight is granted before the rights come into force.
func (d *document) announcedRight(r rule) bool {
	proven := d.eac.proven
	d.eac.proven = true
	defer func() { d.eac.proven = proven }()
	return d.granted(r)
}

// cardAccess are the infos of EF.CardAccess, nil if there is none.
func (m *image) cardAccess() *lds.SecurityInfos {
	f := m.files[fidCardAccess]
	if f == nil {
		return nil
	}
	infos, err := lds.ParseCardAccess(f.data)
	if err != nil {
		return nil
	}
	return infos
}
