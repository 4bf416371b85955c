package virtual

import (
	"slices"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
)

// Sizes of the chip.
const (
	maxFile   = 0x1FFFF // octets of a file
	maxFiles  = 1 << 18 // octets of all files
	maxSets   = 4       // key sets
	maxObject = 2048    // octets of a key or certificate that it is given
)

// putKeys serves PUT KEY: a set in place of one that is there, or beside it.
func (p *personaliser) putKeys(cmd apdu.Command) apdu.Response {
	replaces, k, answer, err := p.channel.PutKeys(cmd)
	if err != nil {
		return apdu.Response{Status: apdu.WrongData}
	}
	defer k.Destroy()
	_, there := p.keys(replaces)
	_, taken := p.keys(k.Version)
	switch {
	case replaces != 0 && !there:
		return apdu.Response{Status: apdu.ReferenceNotFound}
	case taken && k.Version != replaces:
		return apdu.Response{Status: apdu.WrongData}
	case replaces == 0 && len(p.c.image.keys) == maxSets:
		return apdu.Response{Status: apdu.NotEnoughMemory}
	}
	if status := p.c.store(keysRecord(replaces, k)); status != apdu.OK {
		return apdu.Response{Status: status}
	}
	return apdu.Response{Data: answer, Status: apdu.OK}
}

// keyPair serves GENERATE ASYMMETRIC KEY PAIR: the private key never leaves.
func (p *personaliser) keyPair(cmd apdu.Command) apdu.Response {
	ref, ok := gp.ParseKeyRef(cmd.Data)
	known := knownKey(ref)
	curve, err := dh.ByID(int(ref.Curve))
	if !ok || !known || err != nil {
		return apdu.Response{Status: apdu.WrongData}
	}
	switch {
	case cmd.P1 == 0x80 && cmd.P2 == 0:
		key, err := curve.Generate()
		if err != nil {
			return apdu.Response{Status: apdu.Unknown}
		}
		defer key.Destroy()
		made := pairRecord(ref.Reference, pair{use: ref.Use, curve: ref.Curve, key: key})
		defer clear(made.body)
		if status := p.c.store(made); status != apdu.OK {
			return apdu.Response{Status: status}
		}
	case cmd.P1 != 0x81 || cmd.P2 != 0:
		return apdu.Response{Status: apdu.WrongP1P2}
	}
	have := p.c.image.pairs[ref.Reference]
	if have == nil || have.curve != ref.Curve {
		return apdu.Response{Status: apdu.ReferenceNotFound}
	}
	return apdu.Response{Data: gp.EncodePublicKey(have.key.Point().Bytes()), Status: apdu.OK}
}

// isFile says whether a DGI is a file of this chip.
func isFile(dgi uint16) bool {
	switch {
	case dgi >= 0x0101 && dgi <= 0x0110, dgi >= 0x011C && dgi <= 0x011E:
		return true
	case dgi > eidFiles && dgi <= eidFiles+eidGroups:
		return true
	}
	return dgi == gp.DGICardSecurity || dgi == nameCVCA || dgi == fidDIR || dgi == fidATR
}

// storePart takes a piece of a DGI as it comes. Files go to the memory piece by piece, so
// that a torn card holds part of one; a secret goes there whole.
func (p *personaliser) storePart(part gp.Part) apdu.Status {
	if isFile(part.Tag) {
		return p.storeFile(part)
	}
	if part.Offset == 0 {
		p.pending = nil
		if status := checkSecret(part.Tag, part.Size); status != apdu.OK {
			return status
		}
	}
	p.pending = append(p.pending, part.Data...)
	if len(p.pending) < part.Size {
		return apdu.OK
	}
	value := p.pending
	p.pending = nil
	switch part.Tag {
	case gp.DGIKey:
		return p.storeGiven(value)
	case gp.DGITrust, gp.DGITrust + 1, gp.DGIDate:
		return p.storeTrust(part.Tag, value)
	}
	if _, ok := gp.ParseRules(value); part.Tag == gp.DGIRules && !ok {
		return apdu.WrongData
	}
	return p.c.store(secretRecord(part.Tag, value))
}

func (p *personaliser) storeFile(part gp.Part) apdu.Status {
	if part.Offset == 0 {
		if status := p.beginFile(part.Tag, part.Size); status != apdu.OK {
			return status
		}
	}
	return p.c.store(partRecord(part.Tag, part.Offset, part.Data))
}

// beginFile makes room for a file, in place of any before it.
func (p *personaliser) beginFile(name uint16, size int) apdu.Status {
	total := size
	for other, f := range p.c.image.files {
		if other != name {
			total += len(f.data)
		}
	}
	if size == 0 {
		return apdu.WrongData
	}
	if size > maxFile || total > maxFiles {
		return apdu.NotEnoughMemory
	}
	return p.c.store(fileRecord(name, size))
}

// storeGiven takes a key pair that was made elsewhere.
func (p *personaliser) storeGiven(value []byte) apdu.Status {
	ref, scalar, ok := p.channel.ParseKeyDGI(value)
	defer clear(scalar)
	if !ok || !knownKey(ref) {
		return apdu.WrongData
	}
	return p.storePair(ref, scalar)
}

// storeTrust takes a trust point in its place, which can't be left out, or the date. The
// date begins with the certificates'.
func (p *personaliser) storeTrust(tag uint16, value []byte) apdu.Status {
	if tag == gp.DGIDate {
		d, err := cvc.ParseDate(value)
		if err != nil {
			return apdu.WrongData
		}
		return p.c.store(dateRecord(d))
	}
	c, err := cvc.Parse(value)
	points, place := p.c.image.trust.points, int(tag-gp.DGITrust)
	if err != nil || c.CHAT.Role != cvc.CVCA || place > len(points) {
		return apdu.WrongData
	}
	if s := p.c.store(trustRecord(append(slices.Clone(points[:place]), c))); s != apdu.OK {
		return s
	}
	if !p.c.image.trust.today.Before(c.Effective) {
		return apdu.OK
	}
	return p.c.store(dateRecord(c.Effective))
}

func knownKey(ref gp.KeyRef) bool {
	return ref.Use == gp.Signature && ref.Reference == gp.KeyAA ||
		ref.Use == gp.Agreement && ref.Reference == gp.KeyCA
}

// checkSecret refuses unknown DGIs and lengths that their secrets can't have.
func checkSecret(dgi uint16, size int) apdu.Status {
	ok := false
	switch dgi {
	case gp.DGIBACSeed:
		ok = size == 16
	case gp.DGIPACEMRZ:
		ok = size == 20
	case gp.DGIPACECAN, gp.DGIPACEPIN, gp.DGIPACEPUK:
		ok = size >= 1 && size <= 16
	case gp.DGIRules:
		ok = size == 2
	case gp.DGIKey, gp.DGITrust, gp.DGITrust + 1:
		ok = size <= maxObject
	case gp.DGIDate:
		ok = size == 6
	default:
		return apdu.ReferenceNotFound
	}
	if !ok {
		return apdu.WrongData
	}
	return apdu.OK
}

// lock serves SET STATUS.
func (p *personaliser) lock(cmd apdu.Command) apdu.Status {
	if cmd.P1 != gp.StatusOfApplication || cmd.P2 != gp.StateSecured || string(cmd.Data) != aidLDS1 {
		return apdu.WrongP1P2
	}
	return p.seal()
}

// seal puts the card in use. There is no way back, so what could never be opened again is
// refused: a file that is not whole, no DG1 or SOD, no access protocol that works.
func (p *personaliser) seal() apdu.Status {
	for _, f := range p.c.image.files {
		if !f.whole() {
			return apdu.ConditionsNotSatisfied
		}
	}
	if !newDocument(p.c).usable() {
		return apdu.ConditionsNotSatisfied
	}
	return p.c.store(stateRecord(gp.StateSecured))
}
