package virtual

import (
	"errors"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/sm"
)

// document is a chip in use: what the power keeps of it. All that is ever written are
// counts of tries, the PIN, and the trust points and date of Terminal Authentication.
type document struct {
	c      *Chip
	rules  gp.Rules
	bac    *auth.BACChip
	pace   *auth.PACEChip
	active *auth.ActiveChip // made when it is asked for
	agree  *auth.ChipAuthChip

	application string // the AID selected, "" for the master file
	current     uint16 // the file selected, by its name in the memory; 0 for none
	ephemeral   []byte // the chip's ephemeral key in the PACE that is going on, compressed
	mapped      []byte // the terminal's, if that PACE proves the chip by its mapping
	openSession
}

// openSession is what a secure channel and those that follow it have come to.
type openSession struct {
	channel *sm.Chip
	byPACE  bool // it began with PACE
	by      byte // the password of that
	resumed bool // the CAN opened it first, which resumes the PIN
	chain   chaining
	eac     extendedAccess
}

// newDocument makes the chip's ends of what its memory has keys and parameters for.
// Parameters that can't be read leave their protocol out.
func newDocument(c *Chip) *document {
	d := &document{c: c}
	d.rules, _ = gp.ParseRules(c.image.secrets[gp.DGIRules])
	if seed := c.image.secrets[gp.DGIBACSeed]; seed != nil && d.rules.BAC {
		d.bac = auth.NewBACChip(seed)
	}
	d.pace = c.image.paceChip()
	d.agree = c.image.chipAuthChip()
	return d
}

// usable says whether the document could ever be opened and judged.
func (d *document) usable() bool {
	f := d.c.image.files
	return f[fidDG1] != nil && f[fidSOD] != nil && (d.bac != nil || d.pace != nil)
}

// end closes the channel and drops every half-finished protocol. The selection stays.
func (d *document) end() {
	if d.channel != nil {
		d.channel.Close()
	}
	d.openSession = openSession{}
	if d.pace != nil {
		d.pace.Reset()
	}
	if d.agree != nil {
		d.agree.Reset()
	}
}

// secureMessaging are the class bits of secure messaging with an authenticated header.
const secureMessaging = 0x0C

func (d *document) process(cmd apdu.Command) apdu.Response {
	if cmd.CLA&0xE0 == 0 && cmd.CLA&0x03 != 0 {
		return d.refuse(apdu.ChannelNotSupported)
	}
	switch {
	case cmd.CLA&secureMessaging == secureMessaging && cmd.CLA&0x60 == 0:
		return d.secured(cmd)
	case d.channel != nil:
		return d.refuse(apdu.SMMissing) // a command in the clear ends the session
	case cmd.CLA == 0x80 || cmd.CLA == 0x84: // no key opens personalisation again
		return d.refuse(apdu.ConditionsNotSatisfied)
	case cmd.CLA == 0x00:
		return d.plain(cmd)
	case cmd.CLA == 0x10 && cmd.INS == 0x86:
		return d.generalAuthenticate(cmd)
	}
	return d.refuse(apdu.CLANotSupported)
}

func (d *document) refuse(s apdu.Status) apdu.Response {
	d.end()
	return apdu.Response{Status: s}
}

// plain serves commands in the clear outside a session.
func (d *document) plain(cmd apdu.Command) apdu.Response {
	if d.pace != nil && d.pace.Running() && cmd.INS != 0x86 {
		d.pace.Reset()
	}
	switch cmd.INS {
	case 0xA4:
		return d.selectFile(cmd)
	case 0xB0:
		return d.readBinary(cmd, d.c.room(cmd.Le))
	case 0xB1:
		return d.readOdd(cmd, d.c.room(cmd.Le))
	case 0x84, 0x82:
		return d.basicAccess(cmd)
	case 0x22:
		return d.setPACE(cmd)
	case 0x86:
		return d.generalAuthenticate(cmd)
	case 0x88:
		return apdu.Response{Status: apdu.SecurityStatus}
	}
	return apdu.Response{Status: apdu.INSNotSupported}
}

// secured serves a command under secure messaging (Doc 9303-11 §9.8). The answer that
// brings new keys still goes out under the old ones.
func (d *document) secured(cmd apdu.Command) apdu.Response {
	q := d.c.image.quirks
	if d.channel == nil {
		if q.Lost != 0 {
			return d.refuse(q.Lost)
		}
		return d.refuse(apdu.SMIncorrect)
	}
	plain, err := d.channel.Open(cmd)
	if err != nil {
		s, ok := errors.AsType[apdu.Status](err)
		if !ok {
			s = apdu.SMIncorrect
		}
		return d.refuse(s)
	}
	if q.LiteralLe && zeroLe(cmd.Data) {
		plain.Le = 0
	}
	outer := cmd.Le
	if outer == 0 {
		outer = apdu.MaxShortLe
	}
	if d.c.onCommand != nil {
		if status := d.c.onCommand(plain); status != 0 {
			sealed, err := d.channel.Seal(apdu.Response{Status: status})
			if err != nil {
				return d.refuse(apdu.SMIncorrect)
			}
			return sealed
		}
	}
	r, keys := d.serve(plain, d.channel.MaxResponse(apdu.Limits{Response: d.c.room(outer) + 2}))
	if q.ClearErrors && r.Status >= apdu.ExecutionError && r.Status < apdu.OK {
		return d.refuse(r.Status)
	}
	sealed, err := d.channel.Seal(r)
	if err != nil {
		return d.refuse(apdu.SMIncorrect)
	}
	if keys != nil {
		d.channel.Close()
		d.channel = sm.NewChip(*keys)
	}
	return sealed
}

// zeroLe says whether a protected command has a DO'97' of one octet 00.
func zeroLe(data []byte) bool {
	var tag tlv.Tag
	var value tlv.String
	for s := tlv.String(data); s.Read(&tag, &value); {
		if tag == 0x97 {
			return string(value) == "\x00"
		}
	}
	return false
}

// serve answers a command that came through the channel with at most room octets.
func (d *document) serve(cmd apdu.Command, room int) (apdu.Response, *sm.Keys) {
	switch {
	case cmd.CLA == 0x80 && cmd.INS == 0x20:
		return apdu.Response{Status: d.verifyAuxiliary(cmd)}, nil
	case cmd.CLA&^0x10 != 0:
		return apdu.Response{Status: apdu.CLANotSupported}, nil
	}
	switch steps := cmd.INS == 0x86 && d.pace != nil && d.pace.Running(); {
	case steps: // the class says that more steps follow
	case cmd.INS == 0x22, cmd.INS == 0x2A, cmd.INS == 0x82, cmd.INS == 0x86:
		var status apdu.Status
		var whole bool
		if whole, cmd, status = d.chain.add(cmd); !whole {
			return apdu.Response{Status: status}, nil
		}
	case cmd.CLA&0x10 != 0:
		return apdu.Response{Status: apdu.ChainingNotSupported}, nil
	default:
		d.chain = chaining{}
	}
	switch cmd.INS {
	case 0xA4:
		return d.selectFile(cmd), nil
	case 0xB0:
		return d.readBinary(cmd, min(cmd.Le, room)), nil
	case 0xB1:
		return d.readOdd(cmd, min(cmd.Le, room)), nil
	case 0x22, 0x86:
		return d.manage(cmd)
	case 0x2A, 0x84, 0x82:
		return d.terminalAuthentication(cmd), nil
	case 0x2C:
		return apdu.Response{Status: d.resetPIN(cmd)}, nil
	case 0x44, 0x04:
		return apdu.Response{Status: d.switchPIN(cmd)}, nil
	case 0x88:
		return d.internalAuthenticate(cmd), nil
	}
	return apdu.Response{Status: apdu.INSNotSupported}, nil
}
