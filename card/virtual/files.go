package virtual

import (
	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
)

// File identifiers (Doc 9303-10 §3.11.3 and §3.11.4).
const (
	fidMF         = 0x3F00
	fidDIR        = 0x2F00
	fidATR        = 0x2F01
	fidCardAccess = 0x011C
	fidSOD        = 0x011D
	fidDG1        = 0x0101
	fidDG3        = 0x0103
	fidDG4        = 0x0104
	fidDG14       = 0x010E
)

// Names of files in the chip's memory whose identifier another file has too, in another
// directory. EF.CardSecurity, which shares one with EF.SOD, goes by its DGI.
const (
	nameCVCA  = 0xFF1C // EF.CVCA, whose identifier in LDS1 is that of EF.CardAccess
	eidFiles  = 0xE100 // data group n of the eID application is E100 + n
	eidGroups = 22
)

// inside is a file's name in the chip's memory.
func inside(f lds.File) uint16 {
	if f == lds.CardSecurity {
		return gp.DGICardSecurity
	}
	return f.FID()
}

// Application identifiers (GlobalPlatform Card Specification §H; Doc 9303-10 §3.6;
// TR-03110-4 §2.2).
const (
	aidDomain = "\xA0\x00\x00\x01\x51\x00\x00\x00"
	aidLDS1   = "\xA0\x00\x00\x02\x47\x10\x01"
	aidEID    = "\xE8\x07\x04\x00\x7F\x00\x07\x03\x02"
)

// selectFile serves SELECT. Nothing is learnt about the files of LDS1 without a session.
func (d *document) selectFile(cmd apdu.Command) apdu.Response {
	if s := d.c.image.quirks.CaseFour; s != 0 && cmd.Le > 0 {
		return apdu.Response{Status: s}
	}
	switch cmd.P1 {
	case 0x04:
		return d.selectApplication(cmd)
	case 0x00:
		if fid, ok := identifier(cmd.Data); len(cmd.Data) == 0 || ok && fid == fidMF {
			return d.selectMF()
		}
	case 0x02:
	default:
		return apdu.Response{Status: apdu.WrongP1P2}
	}
	fid, ok := identifier(cmd.Data)
	if !ok {
		return apdu.Response{Status: apdu.WrongLength}
	}
	found, status := d.locate(fid)
	if status != apdu.OK {
		return apdu.Response{Status: status}
	}
	d.current = found
	return apdu.Response{Status: apdu.OK}
}

func identifier(b []byte) (uint16, bool) {
	if len(b) != 2 {
		return 0, false
	}
	return uint16(b[0])<<8 | uint16(b[1]), true
}

func (d *document) selectApplication(cmd apdu.Command) apdu.Response {
	aid := string(cmd.Data)
	if !d.c.image.application(aid) {
		return apdu.Response{Status: apdu.FileNotFound}
	}
	d.application, d.current = aid, 0
	if cmd.P2&0x0C == 0x0C || cmd.Le == 0 {
		return apdu.Response{Status: apdu.OK}
	}
	return apdu.Response{Data: tlv.Encode(0x6F, tlv.Encode(0x84, cmd.Data)), Status: apdu.OK}
}

// application says whether the chip has one: LDS1 always, the eID application with any of
// its files, others if EF.DIR lists them.
func (m *image) application(aid string) bool {
	if aid == aidLDS1 {
		return true
	}
	for name := range m.files {
		if aid == aidEID && name>>8 == eidFiles>>8 {
			return true
		}
	}
	f := m.files[fidDIR]
	if f == nil {
		return false
	}
	var template, listed tlv.String
	for s := tlv.String(f.data); s.ReadTag(0x61, &template); {
		if template.ReadTag(0x4F, &listed) && string(listed) == aid && len(aid) > 0 {
			return true
		}
	}
	return false
}

func (d *document) selectMF() apdu.Response {
	switch q := d.c.image.quirks.SelectMF; {
	case q != 0:
		return apdu.Response{Status: q}
	case d.rules.NoSelectMF:
		return apdu.Response{Status: apdu.INSNotSupported}
	}
	d.application, d.current = "", 0
	return apdu.Response{Status: apdu.OK}
}

// file is an elementary file, nil for none. EF.ATR/INFO is made of the chip's limits where
// they are those of extended length, unless the chip was given one.
func (d *document) file(name uint16) *file {
	if f := d.c.image.file(name); f != nil || name != fidATR {
		return f
	}
	command, response := d.c.limits.Sizes()
	if response <= apdu.MaxShortLe+2 {
		return nil
	}
	b := lds.EncodeATRInfo(lds.ATRInfo{Command: command, Response: response, Capabilities: 0xE0})
	return &file{data: b, filled: len(b)}
}

// locate finds the file of an identifier in the directory selected, by the access rules.
func (d *document) locate(fid uint16) (uint16, apdu.Status) {
	name, hidden := d.name(fid)
	there := name != 0 && d.file(name) != nil
	switch {
	case !there && hidden:
		return 0, apdu.SecurityStatus
	case !there:
		return 0, apdu.FileNotFound
	case !d.allowed(name):
		return 0, apdu.SecurityStatus
	}
	return name, apdu.OK
}

// name is what a file of the directory selected goes by in the memory, 0 for none, and
// hidden says that not even its absence may be told now. EF.CardAccess can be read always,
// from LDS1 too.
func (d *document) name(fid uint16) (name uint16, hidden bool) {
	hidden = d.channel == nil
	switch d.application {
	case "":
		switch fid {
		case fidDIR, fidATR, fidCardAccess:
			return fid, false
		case fidSOD:
			return gp.DGICardSecurity, false
		}
		return 0, false
	case aidLDS1:
		switch {
		case fid == fidCardAccess && hidden:
			return fid, false
		case fid == fidCardAccess:
			return nameCVCA, false
		case fid>>8 == 0x01:
			return fid, hidden
		}
	case aidEID:
		if fid>>8 == 0x01 && fid&0xFF >= 1 && fid&0xFF <= eidGroups {
			return eidFiles | fid&0xFF, hidden
		}
	}
	return 0, hidden
}

// byShort is the identifier that a short one stands for in the directory selected.
func (d *document) byShort(sfi byte) uint16 {
	if d.application == "" {
		switch sfi {
		case 0x01:
			if !d.c.image.quirks.SelectATR {
				return fidATR
			}
		case 0x1E:
			return fidDIR
		}
	}
	return 0x0100 | uint16(sfi)
}
