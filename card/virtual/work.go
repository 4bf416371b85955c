package virtual

import (
	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
)

// What follows adds the chip's work in PACE to the modelled time.

// paceWork adds what a GENERAL AUTHENTICATE took that succeeded: the steps of PACE are
// told from each other by the object that they bring.
func (d *document) paceWork(info lds.PACEInfo, cmd apdu.Command, s apdu.Status) {
	group, err := dh.GroupByID(info.ParameterID)
	if s != apdu.OK || err != nil {
		return
	}
	var inner, value tlv.String
	var tag tlv.Tag
	outer := tlv.String(cmd.Data)
	outer.ReadTag(0x7C, &inner)
	inner.Read(&tag, &value)
	switch tag {
	case 0x81:
		if integrated(info) {
			d.c.worked(group, agree)
			break
		}
		d.c.worked(group, generate, agree, agree)
	case 0x83:
		d.c.worked(group, generate, agree)
	case 0x85:
		d.c.enciphered(3)
	default:
		d.c.enciphered(1)
	}
}

// integrated says whether a variant is integrated mapping (Doc 9303-11 §9.2.1):
// the arc below id-PACE is 3 or 4.
func integrated(info lds.PACEInfo) bool {
	const mapping = 9
	return len(info.OID) > mapping && (info.OID[mapping] == 3 || info.OID[mapping] == 4)
}

// agreementWork adds what Chip Authentication took whose command brings the terminal's key:
// MSE:Set KAT, or GENERAL AUTHENTICATE. Its size tells the group.
func (d *document) agreementWork(cmd apdu.Command) {
	var tag tlv.Tag
	var key tlv.String
	s, inner := tlv.String(cmd.Data), tlv.String(cmd.Data)
	if cmd.INS == 0x86 {
		s.ReadTag(0x7C, &inner)
	}
	inner.Read(&tag, &key)
	for _, k := range d.c.image.agreements() {
		if g := k.Element().Group(); len(g.Base().Bytes()) == len(key) {
			d.c.worked(g, agree)
			return
		}
	}
}
