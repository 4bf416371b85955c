package virtual

import (
	"bytes"
	"encoding/asn1"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/auth"
)

// verifyAuxiliary serves VERIFY of auxiliary data (TR-03110-3 §B.12) within the eID
// application: the chip compares what the terminal announced in Terminal Authentication
// with its own data, and says yes or no.
func (d *document) verifyAuxiliary(cmd apdu.Command) apdu.Status {
	var kind asn1.ObjectIdentifier
	rest, err := asn1.Unmarshal(cmd.Data, &kind)
	switch {
	case cmd.P1 != 0x80 || cmd.P2 != 0:
		return apdu.WrongP1P2
	case err != nil || len(rest) > 0:
		return apdu.WrongData
	case d.application != aidEID:
		return apdu.ConditionsNotSatisfied
	}
	if _, ok := d.rights(); !ok {
		return apdu.SecurityStatus
	}
	items, _ := auth.ParseAuxiliary(d.eac.terminal.Auxiliary())
	for _, c := range comparisons {
		for _, i := range items {
			if kind.Equal(c.kind) && kind.Equal(i.Kind) {
				return d.compare(c, i.Value)
			}
		}
	}
	return apdu.ReferenceNotFound
}

// compare holds the terminal's value against the data group's.
func (d *document) compare(c comparison, theirs []byte) apdu.Status {
	if c.right != nil && !d.granted(*c.right) {
		return apdu.SecurityStatus
	}
	f := d.c.image.files[eidFiles|c.group]
	if f == nil {
		return apdu.FileNotFound
	}
	if ours := innermost(f.data); ours == nil || !c.fits(ours, theirs) {
		return apdu.AuthenticationFailed
	}
	return apdu.OK
}

// comparison is how a kind of auxiliary data is compared.
type comparison struct {
	kind  asn1.ObjectIdentifier
	group uint16
	right *rule // nil for none
	fits  func(ours, theirs []byte) bool
}

var comparisons = []comparison{
	{auth.AuxBirth, 8, &rule{authority, 0}, func(ours, theirs []byte) bool { return len(ours) == len(theirs) && bytes.Compare(ours, theirs) <= 0 }},
	{auth.AuxExpiry, 3, nil, func(ours, theirs []byte) bool { return len(ours) == len(theirs) && bytes.Compare(ours, theirs) >= 0 }},
	{auth.AuxMunicipality, 18, &rule{authority, 1}, func(ours, theirs []byte) bool { return len(theirs) > 0 && bytes.HasPrefix(ours, theirs) }},
}

// innermost is the value within the objects around it, the first of each.
func innermost(b []byte) []byte {
	s := tlv.String(b)
	var tag tlv.Tag
	var v tlv.String
	if !s.Read(&tag, &v) {
		return nil
	}
	for tag.Constructed() {
		inner := v
		if !inner.Read(&tag, &v) {
			return nil
		}
	}
	return v
}
