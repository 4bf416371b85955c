package conformance

import (
	"context"
	"errors"
	"maps"
	"math/big"
	"slices"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/verify"
)

// puppet is a chip that a forger programs: it knows the CAN, has whatever keys and files it
// was given, and says what it is told to within the secure channel.
type puppet struct {
	files   verify.Files
	pace    *auth.PACEChip
	channel *sm.Chip
	active  *auth.ActiveChip
	agree   *auth.ChipAuthChip
	inside  bool // the application is selected
	current lds.File
	stay    bool // keeps the old keys after Chip Authentication
	cvca    []byte

	// answer changes what goes into the channel.
	answer func(c apdu.Command, r apdu.Response) apdu.Response
}

// newPuppet programs a chip with the stage's files and the chip's true keys.
func newPuppet(s *stage) (*puppet, error) {
	p := &puppet{files: s.files}
	var static []*dh.PrivateKey
	if s.b.mapped {
		static = append(static, s.b.ca)
	}
	var err error
	if p.pace, err = auth.NewPACEChip(s.b.offered.PACE, map[byte][]byte{auth.RefCAN: []byte(s.b.chip.CAN)}, static...); err != nil {
		return nil, err
	}
	if s.b.aa != nil {
		if p.active, err = auth.NewActiveChip(s.b.aa, s.b.hash); err != nil {
			return nil, err
		}
	}
	if len(s.b.infos.Chip) > 0 && s.b.ca != nil {
		info := s.b.infos.Chip[0]
		if p.agree, err = auth.NewChipAuthChip(auth.ChipAuthSecret{Protocol: info.OID, KeyID: info.KeyID, Key: s.b.ca}); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// programmed lets a puppet play in place of the chip.
func programmed(prepare func(*puppet)) func(*stage) apdu.Wire {
	return func(s *stage) apdu.Wire {
		p, err := newPuppet(s)
		if err != nil {
			return broken{err}
		}
		prepare(p)
		return p
	}
}

// broken is a wire that could not be made.
type broken struct{ err error }

func (b broken) Exchange(context.Context, []byte) ([]byte, error) { return nil, b.err }

// Exchange serves one command.
func (p *puppet) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := apdu.ParseCommand(b)
	if err != nil {
		return apdu.Response{Status: apdu.WrongLength}.Bytes(), nil
	}
	if p.channel == nil || c.CLA&0x0C != 0x0C {
		r, keys := p.clear(c)
		if keys != nil {
			p.channel = sm.NewChip(*keys)
		}
		return r.Bytes(), nil
	}
	plain, err := p.channel.Open(c)
	if err != nil {
		status, ok := errors.AsType[apdu.Status](err)
		if !ok {
			status = apdu.SMIncorrect
		}
		return apdu.Response{Status: status}.Bytes(), nil
	}
	r, keys := p.serve(plain)
	if p.answer != nil {
		r = p.answer(plain, r)
	}
	sealed, err := p.channel.Seal(r)
	if err != nil {
		return nil, err
	}
	if keys != nil && !p.stay {
		p.channel = sm.NewChip(*keys)
	}
	return sealed.Bytes(), nil
}

// clear serves commands outside a session.
func (p *puppet) clear(c apdu.Command) (apdu.Response, *sm.Keys) {
	switch {
	case c.INS == 0x22 || c.INS == 0x86:
		return p.pace.Process(c)
	case c.INS == 0xB0 && c.P1 == 0x80|lds.CardAccess.SFI():
		return p.read(lds.CardAccess, int(c.P2), c.Le), nil
	case c.INS == 0xA4:
		return apdu.Response{Status: apdu.OK}, nil
	}
	return apdu.Response{Status: apdu.SecurityStatus}, nil
}

// serve serves commands within the session.
func (p *puppet) serve(c apdu.Command) (apdu.Response, *sm.Keys) {
	switch {
	case c.INS == 0xA4 && c.P1 == 0x04:
		p.inside = true
		return apdu.Response{Status: apdu.OK}, nil
	case c.INS == 0xA4 && len(c.Data) == 2:
		for _, f := range lds.Files() {
			if f.FID() == uint16(c.Data[0])<<8|uint16(c.Data[1]) && len(p.files[p.here(f)]) > 0 {
				p.current = p.here(f)
				return apdu.Response{Status: apdu.OK}, nil
			}
		}
		return apdu.Response{Status: apdu.FileNotFound}, nil
	case c.INS == 0xB0 && p.inside && c.P1 == 0x80|lds.CardAccess.SFI() && p.cvca != nil:
		return apdu.Response{Data: p.cvca, Status: apdu.OK}, nil
	case c.INS == 0xB0 && c.P1&0x80 != 0:
		for _, f := range lds.Files() {
			if f.SFI() == c.P1&0x1F && len(p.files[p.here(f)]) > 0 {
				p.current = p.here(f)
				return p.read(p.current, int(c.P2), c.Le), nil
			}
		}
		return apdu.Response{Status: apdu.FileNotFound}, nil
	case c.INS == 0xB0:
		return p.read(p.current, int(c.P1)<<8|int(c.P2), c.Le), nil
	case c.INS == 0x88 && p.active != nil:
		return p.active.Process(c), nil
	case (c.INS == 0x22 || c.INS == 0x86) && p.agree != nil:
		return p.agree.Process(c)
	}
	return apdu.Response{Status: apdu.INSNotSupported}, nil
}

// here is the file of an identifier in the directory that is selected: EF.SOD and
// EF.CardSecurity share theirs.
func (p *puppet) here(f lds.File) lds.File {
	if f == lds.SODFile && !p.inside {
		return lds.CardSecurity
	}
	if f == lds.CardSecurity && p.inside {
		return lds.SODFile
	}
	return f
}

func (p *puppet) read(f lds.File, offset, le int) apdu.Response {
	raw := p.files[f]
	switch {
	case len(raw) == 0:
		return apdu.Response{Status: apdu.FileNotFound}
	case offset > len(raw):
		return apdu.Response{Status: apdu.WrongOffset}
	}
	return apdu.Response{Data: raw[offset:min(len(raw), offset+le)], Status: apdu.OK}
}

// mappingKeys writes EF.CardSecurity with these keys, by their identifiers. The chip is a
// puppet with the key ca.
func (b *blueprint) mappingKeys(keys map[int]*dh.PrivateKey) {
	b.wire = programmed(func(*puppet) {})
	b.after = func(f verify.Files) {
		i, err := b.issue()
		if err != nil {
			return
		}
		infos := lds.SecurityInfos{PACE: b.offered.PACE}
		for _, id := range slices.Sorted(maps.Keys(keys)) {
			infos.ChipKeys = append(infos.ChipKeys, lds.ChipAuthPublicKey{OID: arc(oidKey, 2), Key: public(keys[id].Public()), KeyID: big.NewInt(int64(id))})
		}
		if content, err := lds.EncodeSecurityInfos(infos); err == nil {
			f[lds.CardSecurity], _ = b.sign(i, lds.OIDSecurityObject, content)
		}
	}
}

// withhold refuses a file of the master file or of the application.
func withhold(f lds.File) func(*stage) apdu.Wire {
	return programmed(func(p *puppet) { delete(p.files, f) })
}
