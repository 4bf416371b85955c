package virtual

import (
	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
)

// What follows is a Java Card with an open applet of the dialect Card42: a security domain
// that its issuer opens, and beside it the application, which answers from power-up on as
// far as it has been personalised. The domain passes STORE DATA on to the application
// after INSTALL [for personalization]. The applet itself knows no lock.

// DGIs of the dialect that are no files, where they differ from those of package gp.
const (
	card42CA       = 0xFF03 // a scalar on P-256
	card42Security = 0xFF05
)

// serveCard42 gives a command to the domain or to the application, by what was selected.
func (c *Chip) serveCard42(cmd apdu.Command) apdu.Response {
	if cmd.CLA == 0x00 && cmd.INS == 0xA4 && cmd.P1 == 0x04 && string(cmd.Data) == aidDomain {
		c.use.end()
		c.domain = true
	} else if cmd.CLA&0xF0 == 0 && cmd.INS == 0xA4 && cmd.P1 == 0x04 {
		c.perso.end()
		if c.domain {
			c.use = newDocument(c) // which may have been written since
		}
		c.domain = false
	}
	if c.domain {
		return c.perso.process(cmd)
	}
	return c.use.process(cmd)
}

// serveDomain serves the domain's commands within its channel.
func (p *personaliser) serveDomain(cmd apdu.Command) apdu.Response {
	switch cmd.INS {
	case 0xD8:
		return p.putKeys(cmd)
	case 0xCA:
		return p.getData(cmd)
	case 0xE6:
		aid, ok := gp.ParsePersonalize(cmd)
		if !ok || string(aid) != aidLDS1 {
			return apdu.Response{Status: apdu.WrongData}
		}
		p.through = true
		return apdu.Response{Data: []byte{0}, Status: apdu.OK}
	case 0xE2:
		return apdu.Response{Status: p.passOn(cmd)}
	case 0xF0:
		if cmd.P1 != gp.StatusOfCard || cmd.P2 != gp.StateSecured || string(cmd.Data) != aidDomain {
			return apdu.Response{Status: apdu.WrongP1P2}
		}
		return apdu.Response{Status: p.c.store(stateRecord(gp.StateSecured))}
	}
	return apdu.Response{Status: apdu.INSNotSupported}
}

// passOn gives STORE DATA to the application. Its last block wants what opens the card, and
// DG1.
func (p *personaliser) passOn(cmd apdu.Command) apdu.Status {
	const most, last = 231, 0x80
	if !p.through {
		return apdu.ConditionsNotSatisfied
	}
	if len(cmd.Data) > most {
		return apdu.WrongLength
	}
	s := p.blocks.Process(cmd, p.storeCard42)
	if s == apdu.OK && cmd.P1&last != 0 &&
		(p.c.image.secrets[gp.DGIBACSeed] == nil || !p.c.image.files[fidDG1].whole() || !newDocument(p.c).usable()) {
		return apdu.ConditionsNotSatisfied
	}
	return s
}

// storeCard42 is storePart for this dialect. Its applet does BAC from the start.
func (p *personaliser) storeCard42(part gp.Part) apdu.Status {
	switch part.Tag {
	case gp.DGIBACSeed, gp.DGIPACEMRZ, card42Security:
	case card42CA:
		return p.storeScalar(part)
	default:
		if !isFile(part.Tag) {
			return apdu.ReferenceNotFound
		}
	}
	if part.Tag == gp.DGIBACSeed && part.Offset == 0 {
		if s := p.c.store(secretRecord(gp.DGIRules, gp.Rules{BAC: true}.Bytes())); s != apdu.OK {
			return s
		}
	}
	return p.storePart(part)
}

// storeScalar takes the key of Chip Authentication, in one piece or in several.
func (p *personaliser) storeScalar(part gp.Part) apdu.Status {
	if part.Offset == 0 {
		p.pending = nil
	}
	p.pending = append(p.pending, part.Data...)
	if len(p.pending) < part.Size {
		return apdu.OK
	}
	defer clear(p.pending)
	return p.storePair(gp.KeyRef{Use: gp.Agreement, Reference: gp.KeyCA, Curve: 12}, p.pending)
}

// storePair puts a key pair from elsewhere in the place of one that the chip would make.
func (p *personaliser) storePair(ref gp.KeyRef, scalar []byte) apdu.Status {
	curve, err := dh.ByID(int(ref.Curve))
	if err != nil {
		return apdu.WrongData
	}
	key, err := curve.NewPrivateKey(scalar)
	if err != nil {
		return apdu.WrongData
	}
	defer key.Destroy()
	made := pairRecord(ref.Reference, pair{use: ref.Use, curve: ref.Curve, key: key})
	defer clear(made.body)
	return p.c.store(made)
}
