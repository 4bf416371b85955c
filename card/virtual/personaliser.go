package virtual

import (
	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/gp"
)

// domainTries is how many failed EXTERNAL AUTHENTICATE in a row the chip bears in its
// life.
const domainTries = 10

// personaliser is a chip that its issuer may still write: what the power keeps of it. All
// it gives away without a channel at full security is its KDD, its key versions and its
// state.
type personaliser struct {
	c       *Chip
	channel *gp.Chip
	blocks  gp.Blocks
	pending []byte // of a DGI that is no file
	current uint16 // the file selected, 0 for none
	version byte   // of the keys last asked for
	through bool   // STORE DATA goes to the application
}

func newPersonaliser(c *Chip) *personaliser {
	p := &personaliser{c: c}
	p.channel = gp.NewChip(gp.ChipOptions{
		KDD: c.image.kdd, I: gp.OptionRMAC | gp.OptionRENC | c.image.options, AID: []byte(aidDomain),
		Keys: p.keys, Sequence: p.sequence,
	})
	return p
}

// sequence counts a handshake with the keys last asked for, before it is answered.
func (p *personaliser) sequence() (uint32, bool) {
	n := p.c.image.sequence[p.version] + 1
	if n > 0xFFFFFF || p.c.store(sequenceRecord(p.version, n)) != apdu.OK {
		return 0, false
	}
	return n, true
}

func (p *personaliser) keys(version byte) (gp.Keys, bool) {
	for _, k := range p.c.image.keys {
		if version == 0 || k.Version == version {
			p.version = k.Version
			return k, true
		}
	}
	return gp.Keys{}, false
}

// end closes the channel.
func (p *personaliser) end() {
	p.channel.Close()
	p.blocks.Reset()
	p.pending, p.current, p.through = nil, 0, false
}

// process answers a command. Whatever comes outside an open channel ends it.
func (p *personaliser) process(cmd apdu.Command) apdu.Response {
	switch {
	case p.c.image.dialect == FilesPlain && cmd.CLA != 0:
		return apdu.Response{Status: apdu.CLANotSupported}
	case p.c.image.dialect == FilesPlain:
		return p.serveFiles(cmd)
	case cmd.CLA == 0x80 && cmd.INS == 0x50:
		p.end()
		if p.c.image.failures[failuresDomain] >= domainTries {
			return apdu.Response{Status: apdu.Blocked}
		}
		return p.channel.Initialize(cmd)
	case cmd.CLA == 0x84 && cmd.INS == 0x82:
		return p.authenticate(cmd)
	case cmd.Secured() && p.channel.Level() != 0:
		return p.secured(cmd)
	case cmd.CLA == 0x00 && cmd.INS == 0xA4 && cmd.P1 == 0x04:
		p.end()
		if a := string(cmd.Data); a == aidDomain || a == aidLDS1 {
			return apdu.Response{Status: apdu.OK}
		}
		return apdu.Response{Status: apdu.FileNotFound}
	case cmd.CLA == 0x80 && cmd.INS == 0xCA:
		p.end()
		return p.getData(cmd)
	}
	p.end()
	return apdu.Response{Status: apdu.SecurityStatus}
}

// authenticate opens the channel, at full security and no other level.
func (p *personaliser) authenticate(cmd apdu.Command) apdu.Response {
	if gp.Level(cmd.P1) != gp.FullSecurity {
		p.end()
		return apdu.Response{Status: apdu.ConditionsNotSatisfied}
	}
	r := p.channel.Authenticate(cmd)
	failed := p.c.image.failures[failuresDomain]
	var status apdu.Status = apdu.OK
	switch {
	case r.Status == apdu.AuthenticationFailed:
		status = p.c.store(failuresRecord(failuresDomain, failed+1))
	case r.Status == apdu.OK && failed > 0:
		status = p.c.store(failuresRecord(failuresDomain, 0))
	}
	if status != apdu.OK {
		p.end()
		return apdu.Response{Status: status}
	}
	return r
}

// secured serves a command that came through the channel.
func (p *personaliser) secured(cmd apdu.Command) apdu.Response {
	plain, err := p.channel.Open(cmd)
	if err != nil {
		p.end()
		return apdu.Response{Status: apdu.SecurityStatus}
	}
	if plain.INS != 0xE2 {
		p.blocks.Reset()
	}
	r, err := p.channel.Seal(p.serve(plain))
	if err != nil {
		return apdu.Response{Status: apdu.Unknown}
	}
	return r
}

func (p *personaliser) serve(cmd apdu.Command) apdu.Response {
	switch p.c.image.dialect {
	case FilesSCP03:
		return p.serveFiles(cmd)
	case Card42:
		return p.serveDomain(cmd)
	}
	switch cmd.INS {
	case 0xD8:
		return p.putKeys(cmd)
	case 0x46:
		return p.keyPair(cmd)
	case 0xE2:
		return apdu.Response{Status: p.blocks.Process(cmd, p.storePart)}
	case 0xCA:
		return p.getData(cmd)
	case 0xA4:
		return p.selectFile(cmd)
	case 0xB0, 0xB1:
		return p.readBinary(cmd)
	case 0xF0:
		return apdu.Response{Status: p.lock(cmd)}
	}
	return apdu.Response{Status: apdu.INSNotSupported}
}

// getData tells the chip's name, key versions and state.
func (p *personaliser) getData(cmd apdu.Command) apdu.Response {
	var value []byte
	tag := uint16(cmd.P1)<<8 | uint16(cmd.P2)
	switch tag {
	case gp.TagKDD:
		value = p.c.image.kdd[:]
	case gp.TagLifeCycle:
		value = []byte{p.c.image.state}
	case gp.TagKeyInfo:
		for _, k := range p.c.image.keys {
			for id := byte(1); id <= 3; id++ {
				value = tlv.Append(value, 0xC0, []byte{id, k.Version, 0x88, byte(len(k.Enc))})
			}
		}
	default:
		return apdu.Response{Status: apdu.ReferenceNotFound}
	}
	return apdu.Response{Data: tlv.Encode(tlv.Tag(tag), value), Status: apdu.OK}
}

// selectFile chooses a file by its identifier for readBinary; EF.CardSecurity by its DGI.
func (p *personaliser) selectFile(cmd apdu.Command) apdu.Response {
	if cmd.P1 != 0x02 || len(cmd.Data) != 2 {
		return apdu.Response{Status: apdu.WrongP1P2}
	}
	fid := uint16(cmd.Data[0])<<8 | uint16(cmd.Data[1])
	if !p.c.image.files[fid].whole() {
		p.current = 0
		return apdu.Response{Status: apdu.FileNotFound}
	}
	p.current = fid
	return apdu.Response{Status: apdu.OK}
}

// readBinary serves READ BINARY of the file selected, with an even INS and with an odd one.
func (p *personaliser) readBinary(cmd apdu.Command) apdu.Response {
	if cmd.P1&0x80 != 0 || cmd.INS&1 != 0 && cmd.P1|cmd.P2 != 0 {
		return apdu.Response{Status: apdu.WrongP1P2}
	}
	f := p.c.image.files[p.current]
	if !f.whole() {
		return apdu.Response{Status: apdu.NoCurrentFile}
	}
	read := func(offset, le, room int) apdu.Response { return manner{}.read(f.data, offset, le, room) }
	room := p.c.room(cmd.Le)
	if p.channel.Level() != 0 {
		room = p.channel.MaxResponse(p.c.room(max(cmd.Le, apdu.MaxShortLe)))
	}
	if cmd.INS&1 != 0 {
		return oddRead(cmd, room, read)
	}
	return read(int(cmd.P1)<<8|int(cmd.P2), cmd.Le, room)
}
