package cvc

import (
	"bytes"
	"encoding/asn1"
	"fmt"

	"github.com/tamthe/tamthe/apdu/tlv"
)

// Terminal is the kind of terminal that a certificate is for.
type Terminal uint8

// The kinds of TR-03110-3 §C.4.
const (
	InspectionSystem       Terminal = 1 + iota // reads travel documents: DG3, DG4
	AuthenticationTerminal                     // the eID application
	SignatureTerminal
)

// Role is the place of a certificate in its chain.
type Role uint8

// The roles of TR-03110-3 §C.4. The zero value is the one without power over others.
const (
	TerminalRole Role = iota // IS, authentication or signature terminal
	DVForeign                // document verifier, non-official or foreign
	DVDomestic               // document verifier, official and domestic
	CVCA
)

// String is the role's name.
func (r Role) String() string {
	return [...]string{"terminal", "DV (foreign)", "DV (domestic)", "CVCA"}[r&3]
}

// Rights of an inspection system (TR-03110-3 §C.4.1), bits of the last octet.
const (
	ReadDG3 = 0
	ReadDG4 = 1
	ReadEID = 5 // the eID application
)

// CHAT is a certificate holder authorisation template: a role, and the rights of a kind
// of terminal.
type CHAT struct {
	Terminal Terminal
	Role     Role
	rights   []byte // as encoded, the role's two bits zero
}

// sizes are the octets of role and rights of each kind.
var sizes = map[Terminal]int{InspectionSystem: 1, AuthenticationTerminal: 5, SignatureTerminal: 1}

// oidRoles is id-roles of TR-03110-3 §C.4; the arc below it is the kind of terminal.
var oidRoles = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 3, 1, 2}

// NewCHAT makes a template with the rights of these bits, counted from 0 at the right.
// A bit that the kind of terminal does not have panics.
func NewCHAT(t Terminal, r Role, bits ...int) CHAT {
	c := CHAT{t, r, make([]byte, sizes[t])}
	for _, bit := range bits {
		n := len(c.rights)
		if bit < 0 || bit >= 8*n-2 {
			panic(fmt.Sprintf("cvc: right %d of a terminal of kind %d", bit, t))
		}
		c.rights[n-1-bit/8] |= 1 << (bit % 8)
	}
	return c
}

// AllRights returns the template with every right of its kind.
func (c CHAT) AllRights() CHAT {
	c.rights = bytes.Repeat([]byte{0xFF}, sizes[c.Terminal])
	c.rights[0] &= 0x3F
	return c
}

// Has reports whether the template gives the right of a bit.
func (c CHAT) Has(bit int) bool {
	n := len(c.rights)
	return bit >= 0 && bit < 8*n-2 && c.rights[n-1-bit/8]>>(bit%8)&1 == 1
}

// And returns the rights that both templates give, in c's role: effective rights are the
// AND over the chain (TR-03110-3 §C.4). Of two kinds of terminal there are none.
func (c CHAT) And(d CHAT) CHAT {
	r := CHAT{c.Terminal, c.Role, make([]byte, len(c.rights))}
	if c.Terminal == d.Terminal {
		for i := range r.rights {
			r.rights[i] = c.rights[i] & d.rights[i]
		}
	}
	return r
}

// Bytes encodes the template, 7F4C whole; nothing for a zero CHAT.
func (c CHAT) Bytes() []byte {
	rights := bytes.Clone(c.rights)
	if len(rights) == 0 {
		rights = make([]byte, sizes[c.Terminal])
	}
	if len(rights) == 0 {
		return nil
	}
	rights[0] |= byte(c.Role) << 6
	return tlv.Encode(tagCHAT, tlv.Encode(tagOID, contents(append(oidRoles[:len(oidRoles):len(oidRoles)], int(c.Terminal)))), tlv.Encode(tagDiscretionary, rights))
}

// ParseCHAT reads a template, 7F4C whole. Errors wrap ErrMalformed.
func ParseCHAT(raw []byte) (CHAT, error) {
	s := tlv.String(raw)
	var value tlv.String
	if !s.ReadTag(tagCHAT, &value) || !s.Empty() {
		return CHAT{}, fmt.Errorf("authorisation: %w", ErrMalformed)
	}
	return parseCHAT(value)
}

func parseCHAT(s tlv.String) (CHAT, error) {
	bad := fmt.Errorf("authorisation: %w", ErrMalformed)
	var oid, rights tlv.String
	if !s.ReadTag(tagOID, &oid) || !s.ReadTag(tagDiscretionary, &rights) || !s.Empty() {
		return CHAT{}, bad
	}
	for t, n := range sizes {
		if !bytes.Equal(oid, contents(append(oidRoles[:len(oidRoles):len(oidRoles)], int(t)))) {
			continue
		}
		if len(rights) != n {
			return CHAT{}, bad
		}
		c := CHAT{t, Role(rights[0] >> 6), bytes.Clone(rights)}
		c.rights[0] &= 0x3F
		return c, nil
	}
	return CHAT{}, bad
}

// contents returns the contents octets of an object identifier.
func contents(oid asn1.ObjectIdentifier) []byte {
	der, err := asn1.Marshal(oid)
	if err != nil {
		panic("cvc: " + err.Error()) // constants only
	}
	return der[2:]
}
