package virtual

import (
	"encoding/asn1"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
)

// What follows adds the chip's work in PACE to the modelled time.

// choice is the variant of PACE that an MSE:Set AT names.
func (d *document) choice(cmd apdu.Command) lds.PACEInfo {
	var oid, id, value tlv.String
	var tag tlv.Tag
	for s := tlv.String(cmd.Data); s.Read(&tag, &value); {
		switch tag {
		case 0x80:
			oid = value
		case 0x84:
			id = value
		}
	}
	for _, v := range d.variants {
		der, err := asn1.Marshal(v.OID)
		if err == nil && string(der[2:]) == string(oid) && (id == nil || len(id) == 1 && int(id[0]) == v.ParameterID) {
			return v
		}
	}
	return lds.PACEInfo{}
}

// paceWork adds what a GENERAL AUTHENTICATE took that succeeded: the steps of PACE are
// told from each other by the object that they bring.
func (d *document) paceWork(cmd apdu.Command, s apdu.Status) {
	group, err := dh.GroupByID(d.chosen.ParameterID)
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
		if d.integrated() {
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

// integrated says whether the variant chosen is integrated mapping (Doc 9303-11 §9.2.1):
// the arc below id-PACE is 3 or 4.
func (d *document) integrated() bool {
	const mapping = 9
	return len(d.chosen.OID) > mapping && (d.chosen.OID[mapping] == 3 || d.chosen.OID[mapping] == 4)
}
