package auth

import (
	"bytes"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

// PACEChip is the chip's end of PACE. How often a password may be tried is for its owner
// to count, by Reference.
type PACEChip struct {
	variants []paceVariant
	secrets  map[byte][]byte
	static   []*dh.PrivateKey
	cars     [][]byte
	run      *paceChipRun // nil unless MSE:Set AT has succeeded
	chat     []byte
	fresh    paceFresh
}

// NewPACEChip makes the end of a chip that offers the variants infos and holds a secret
// for each password reference, as Password.PACESecret gives it. It keeps the secrets'
// slices, which stay the caller's to wipe. static are the chip's keys of Chip
// Authentication Mapping, one for each curve that it is offered over; they stay the
// caller's to destroy. A variant that PACE does not run, or that lacks its key, is
// ErrUnsupported.
func NewPACEChip(infos []lds.PACEInfo, secrets map[byte][]byte, static ...*dh.PrivateKey) (*PACEChip, error) {
	p := &PACEChip{secrets: secrets, static: static}
	for _, info := range infos {
		v, err := newPACEVariant(info)
		if err != nil {
			return nil, err
		}
		if v.mapping == chipAuth && p.key(v.group) == nil {
			return nil, fmt.Errorf("chip authentication mapping without a key over %s: %w", v.group.Name(), ErrUnsupported)
		}
		p.variants = append(p.variants, v)
	}
	return p, nil
}

// key is the static key over a group, nil if there is none.
func (p *PACEChip) key(g dh.Group) *dh.PrivateKey {
	for _, k := range p.static {
		if dh.Group(k.Point().Curve()) == g {
			return k
		}
	}
	return nil
}

// Announce sets the names of the chip's CVCA keys, the current one first, at most two,
// that a terminal which asked for rights is told.
func (p *PACEChip) Announce(cars ...[]byte) { p.cars = cars }

// CHAT returns the authorisation template, 7F4C whole, that the terminal of the run that
// is going on or has ended last asked for; nil for none.
func (p *PACEChip) CHAT() []byte { return p.chat }

// Process answers MSE:Set AT for PACE and the four GENERAL AUTHENTICATE, and any other
// command with 6D00. Keys come with the answer that ends a good run. The first failure
// ends a run; a wrong token, and so a wrong password, is 6300.
func (p *PACEChip) Process(c apdu.Command) (apdu.Response, *sm.Keys) {
	switch c.INS {
	case 0x22:
		p.Reset()
		return apdu.Response{Status: p.choose(c)}, nil
	case 0x86:
		if p.run == nil {
			return apdu.Response{Status: apdu.ConditionsNotSatisfied}, nil
		}
		body, status := p.step(c)
		if status != apdu.OK {
			p.Reset()
			return apdu.Response{Status: status}, nil
		}
		r := apdu.Response{Data: tlv.Encode(tagDynamic, body), Status: apdu.OK}
		if p.run.next <= 4 {
			return r, nil
		}
		keys := p.run.keys
		p.run.keys = sm.Keys{}
		p.Reset()
		return r, &keys
	}
	return apdu.Response{Status: apdu.INSNotSupported}, nil
}

// Running reports whether a run has begun and not ended: whether the next GENERAL
// AUTHENTICATE belongs here.
func (p *PACEChip) Running() bool { return p.run != nil }

// Info returns the variant of the run that is going on, the zero value for none.
func (p *PACEChip) Info() lds.PACEInfo {
	if p.run == nil {
		return lds.PACEInfo{}
	}
	return p.run.v.info
}

// Reference returns the password reference of the run that is going on, 0 for none.
func (p *PACEChip) Reference() byte {
	if p.run == nil {
		return 0
	}
	return p.run.ref
}

// Reset ends a run and forgets what it holds.
func (p *PACEChip) Reset() {
	if p.run != nil {
		clear(p.run.nonce)
		clear(p.run.data)
		p.run.keys.Destroy()
		p.run = nil
	}
}

// choose takes the objects of MSE:Set AT: protocol, password, and the domain parameters,
// which may be absent if only one set fits.
func (p *PACEChip) choose(c apdu.Command) apdu.Status {
	if c.P1 != 0xC1 || c.P2 != 0xA4 {
		return apdu.WrongP1P2
	}
	p.chat = nil
	var oid, ref, id, value tlv.String
	var tag tlv.Tag
	for s := tlv.String(c.Data); !s.Empty(); {
		if !s.Read(&tag, &value) {
			return apdu.WrongData
		}
		switch tag {
		case tagProtocol:
			oid = value
		case tagPassword:
			ref = value
		case tagReference:
			id = value
		case tagCHAT:
			p.chat = tlv.Encode(tagCHAT, value)
		default:
			return apdu.WrongData
		}
	}
	if len(ref) != 1 || p.secrets[ref[0]] == nil {
		return apdu.ReferenceNotFound
	}
	var fits []paceVariant
	for _, v := range p.variants {
		if bytes.Equal(v.oid, oid) && (id == nil || bytes.Equal(id, []byte{byte(v.info.ParameterID)})) {
			fits = append(fits, v)
		}
	}
	if len(fits) != 1 {
		return apdu.WrongData
	}
	p.run = &paceChipRun{v: fits[0], ref: ref[0], next: 1}
	return apdu.OK
}

// step answers the next GENERAL AUTHENTICATE.
func (p *PACEChip) step(c apdu.Command) (body []byte, status apdu.Status) {
	if c.P1 != 0 || c.P2 != 0 {
		return nil, apdu.WrongP1P2
	}
	var inner, value tlv.String
	if s := tlv.String(c.Data); !s.ReadTag(tagDynamic, &inner) || !s.Empty() {
		return nil, apdu.WrongData
	}
	r := p.run
	if want := [...]tlv.Tag{2: tagMapOwn, 3: tagAgreeOwn, 4: tagTokenOwn}[r.next]; want != 0 && !inner.ReadTag(want, &value) {
		return nil, apdu.WrongData
	}
	if !inner.Empty() {
		return nil, apdu.WrongData
	}
	switch r.next++; r.next - 1 {
	case 1:
		body = r.drawNonce(p.secrets[r.ref], p.fresh)
	case 2:
		body = r.mapBase(value, p.key(r.v.group), p.fresh)
	case 3:
		body = r.agree(value, p.fresh)
	case 4:
		if !r.v.verify(r.keys.MAC, r.own, value) {
			return nil, apdu.AuthenticationFailed
		}
		body = r.confirm(p)
	}
	if body == nil {
		return nil, apdu.WrongData
	}
	return body, apdu.OK
}
