package virtual

import (
	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/auth"
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

// mapping is the arc of a variant below id-PACE: 1 and 2 are generic mapping, 3 and 4
// integrated, 6 Chip Authentication Mapping (Doc 9303-11 §9.2.1).
func mapping(info lds.PACEInfo) int {
	const below = 9
	if len(info.OID) <= below {
		return 0
	}
	return info.OID[below]
}

func integrated(info lds.PACEInfo) bool { return mapping(info) == 3 || mapping(info) == 4 }
func mapsChip(info lds.PACEInfo) bool   { return mapping(info) == 6 }

// agreed notes that Chip Authentication version 1 has run, and adds its work. Terminal
// Authentication has to begin anew.
func (d *document) agreed() {
	theirs, used := d.agree.Terminal()
	if theirs == nil {
		return
	}
	d.c.worked(used.Key.Element().Group(), agree)
	d.eac = extendedAccess{name: d.eac.name, ask: d.eac.ask, short: auth.Compress(theirs)}
}

// agreementWork adds one agreement in the group of the key that a command brings, or of the
// chip's first key where that can't be told.
func (d *document) agreementWork(cmd apdu.Command) {
	groups := d.c.image.groups()
	if len(groups) == 0 {
		return
	}
	group := groups[0]
	for _, g := range groups {
		if _, err := g.ParseElement(sentKey(cmd)); err == nil {
			group = g
			break
		}
	}
	d.c.worked(group, agree)
}
