package virtual

import "github.com/tamthe/tamthe/card/gp"

// reader is who may read a file.
type reader byte

const (
	anyone    reader = iota
	inSession        // after BAC or PACE
	afterPACE        // in a session that began with PACE
	inspector        // an inspection system whose certificate gives the right
	authority        // an authentication terminal whose certificate gives the right
	readers
)

// rule is the access rule of a file: who may read it, and by which bit of the rights.
type rule struct {
	who reader
	bit byte
}

// usual is a file's rule by Doc 9303-10 §3.10, Doc 9303-11 §7 and TR-03110-4 §2.2: DG3 and
// DG4 want bits 0 and 1 of an inspection system, data group n of the eID application bit
// 7+n of an authentication terminal.
func usual(name uint16) rule {
	switch {
	case name == fidCardAccess, name == fidATR, name == fidDIR:
		return rule{who: anyone}
	case name == gp.DGICardSecurity:
		return rule{who: afterPACE}
	case name == fidDG3:
		return rule{inspector, 0}
	case name == fidDG4:
		return rule{inspector, 1}
	case name>>8 == eidFiles>>8:
		return rule{authority, byte(7 + name&0xFF)}
	}
	return rule{who: inSession}
}

// rule is that of a file, as the memory has it or as it is usual.
func (m *image) rule(name uint16) rule {
	if r, ok := m.access[name]; ok {
		return r
	}
	return usual(name)
}

// accessRecord gives a file a rule of its own.
func accessRecord(name uint16, r rule) record {
	return record{recAccess, []byte{byte(name >> 8), byte(name), byte(r.who), r.bit}}
}

// allowed says whether a file may be read now.
func (d *document) allowed(name uint16) bool {
	switch r := d.c.image.rule(name); r.who {
	case anyone:
		return true
	case inSession:
		return d.channel != nil
	case afterPACE:
		return d.channel != nil && d.byPACE
	case inspector, authority:
		return d.channel != nil && d.granted(r)
	}
	return false
}
