package virtual

import (
	"bytes"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
)

// File identifiers (Doc 9303-10 §3.11.3 and §3.11.4). EF.CardSecurity of the master file
// has that of EF.SOD; inside the chip it goes by its DGI.
const (
	fidMF         = 0x3F00
	fidCardAccess = 0x011C
	fidSOD        = 0x011D
	fidDG1        = 0x0101
	fidDG14       = 0x010E
)

// inside is a file's name in the chip's memory.
func inside(f lds.File) uint16 {
	if f == lds.CardSecurity {
		return gp.DGICardSecurity
	}
	return f.FID()
}

// selectFile serves SELECT. Nothing is learnt about the files of LDS1 without a session.
func (d *document) selectFile(cmd apdu.Command) apdu.Response {
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
	if string(cmd.Data) != aidLDS1 {
		return apdu.Response{Status: apdu.FileNotFound}
	}
	d.lds, d.current = true, 0
	if cmd.P2&0x0C == 0x0C || cmd.Le == 0 {
		return apdu.Response{Status: apdu.OK}
	}
	return apdu.Response{Data: tlv.Encode(0x6F, tlv.Encode(0x84, []byte(aidLDS1))), Status: apdu.OK}
}

func (d *document) selectMF() apdu.Response {
	if d.rules.NoSelectMF {
		return apdu.Response{Status: apdu.INSNotSupported}
	}
	d.lds, d.current = false, 0
	return apdu.Response{Status: apdu.OK}
}

// locate finds the file of an identifier in the directory selected, by the access rules:
// EF.CardAccess always, EF.CardSecurity after PACE, LDS1 in any session.
func (d *document) locate(fid uint16) (uint16, apdu.Status) {
	switch {
	case fid == fidCardAccess && d.channel == nil: // from LDS1 too: readable always
	case d.lds && d.channel == nil:
		return 0, apdu.SecurityStatus
	case d.lds && fid == fidCardAccess: // EF.CVCA, which this chip has not
		return 0, apdu.FileNotFound
	case d.lds:
	case fid == fidSOD && d.byPACE:
		fid = gp.DGICardSecurity
	case fid == fidSOD && d.c.image.files[gp.DGICardSecurity] != nil:
		return 0, apdu.SecurityStatus
	case fid != fidCardAccess:
		return 0, apdu.FileNotFound
	}
	if fid != gp.DGICardSecurity && fid>>8 != 0x01 || d.c.image.files[fid] == nil {
		return 0, apdu.FileNotFound
	}
	return fid, apdu.OK
}

// readBinary serves READ BINARY with at most room octets: from a short identifier, which
// selects its file, or from an offset in the file selected.
func (d *document) readBinary(cmd apdu.Command, room int) apdu.Response {
	offset := int(cmd.P1)<<8 | int(cmd.P2)
	if cmd.P1&0x80 != 0 {
		sfi := cmd.P1 & 0x1F
		if cmd.P1&0x60 != 0 || sfi == 0 || sfi == 0x1F {
			return apdu.Response{Status: apdu.WrongP1P2}
		}
		fid, status := d.locate(0x0100 | uint16(sfi))
		if status != apdu.OK {
			return apdu.Response{Status: status}
		}
		d.current, offset = fid, int(cmd.P2)
	}
	return d.read(offset, cmd.Le, room)
}

// readOdd serves READ BINARY with an odd INS (ISO/IEC 7816-4 §11.3.3).
func (d *document) readOdd(cmd apdu.Command, room int) apdu.Response {
	if cmd.P1 != 0 || cmd.P2&0xE0 != 0 {
		return apdu.Response{Status: apdu.WrongP1P2}
	}
	if cmd.P2 != 0 {
		fid, status := d.locate(0x0100 | uint16(cmd.P2))
		if status != apdu.OK {
			return apdu.Response{Status: status}
		}
		d.current = fid
	}
	return oddRead(cmd, room, d.read)
}

// oddRead takes the offset from DO'54' and puts what read returns into DO'53'.
func oddRead(cmd apdu.Command, room int, read func(offset, le, room int) apdu.Response) apdu.Response {
	s := tlv.String(cmd.Data)
	var at tlv.String
	if !s.ReadTag(0x54, &at) || !s.Empty() || len(at) < 1 || len(at) > 3 {
		return apdu.Response{Status: apdu.WrongData}
	}
	offset := 0
	for _, o := range at {
		offset = offset<<8 | int(o)
	}
	const header = 4 // 53 82 and two octets of length
	r := read(offset, cmd.Le, max(room-header, 0))
	if len(r.Data) > 0 {
		r.Data = tlv.Encode(0x53, r.Data)
	}
	return r
}

func (d *document) read(offset, le, room int) apdu.Response {
	f := d.c.image.files[d.current]
	switch {
	case f == nil && d.lds && d.channel == nil:
		return apdu.Response{Status: apdu.SecurityStatus}
	case f == nil:
		return apdu.Response{Status: apdu.NoCurrentFile}
	case d.current != fidCardAccess && d.channel == nil:
		return apdu.Response{Status: apdu.SecurityStatus}
	}
	return readFile(f.data, offset, le, room, d.rules.ExactLe)
}

// readFile returns up to room octets of a file. An Le of 256 or 65,536 asks for what there
// is; another one that reaches beyond the end is answered with a warning and the data, or
// with the exact length and none.
func readFile(data []byte, offset, le, room int, exact bool) apdu.Response {
	if le == 0 {
		return apdu.Response{Status: apdu.WrongLength}
	}
	if offset >= len(data) {
		return apdu.Response{Status: apdu.WrongOffset}
	}
	rest := data[offset:]
	beyond := le > len(rest) && le != apdu.MaxShortLe && le != apdu.MaxLe
	if beyond && exact && len(rest) < apdu.MaxShortLe {
		return apdu.Response{Status: apdu.WrongLe | apdu.Status(len(rest))}
	}
	r := apdu.Response{Data: bytes.Clone(rest[:min(len(rest), le, room)]), Status: apdu.OK}
	if beyond && len(r.Data) == len(rest) {
		r.Status = apdu.EndOfFile
	}
	return r
}
