package desk

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
)

// Digest is the commitment to what the application asks for: the number that an approval
// signs. It holds for as long as nothing is changed, and tells nothing without its salt.
func (d *Draft) Digest() ([32]byte, error) { return d.commitment() }

// commitment is the number that an approval signs: to the data groups, what is printed, day
// of issue, expiry, reason, document type and profile.
func (d *Draft) commitment() ([32]byte, error) {
	if d.Form != 2 {
		return d.firstForm()
	}
	parts, err := d.parts()
	if err != nil {
		return [32]byte{}, err
	}
	return issuance.CommitParts(d.Salt, parts...)
}

// parts are what the approval is for, each by its digest, in the order of names. The names
// of data groups are those that the signing service knows them by.
func (d *Draft) parts() ([]issuance.Part, error) {
	groups, err := d.groups()
	if err != nil {
		return nil, err
	}
	print, err := d.print()
	if err != nil {
		return nil, err
	}
	type part struct {
		name  string
		value []byte
	}
	approved := []part{
		{"dg1", groups[lds.DG1]},
		{"dg2", groups[lds.DG2]},
		{"dg13", groups[lds.DG13]},
		{"print", []byte(print)},
		{"issued", []byte(d.Issued.Format(time.DateOnly))},
		{"expiry", []byte(d.expiry().Text())},
		{"reason", []byte(d.Reason)},
		{"doctype", []byte(DocumentType)},
		{"profile", []byte(d.Profile)},
	}
	if groups[lds.DG3] != nil {
		approved = append(approved, part{"dg3", groups[lds.DG3]})
	}
	var list []issuance.Part
	for _, p := range approved {
		list = append(list, issuance.Part{Name: p.name, Digest: sha256.Sum256(p.value)})
	}
	slices.SortFunc(list, func(a, b issuance.Part) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// firstForm is the commitment of drafts that say no form: to the parts themselves, each
// with its length in front.
func (d *Draft) firstForm() ([32]byte, error) {
	groups, err := d.groups()
	if err != nil {
		return [32]byte{}, err
	}
	print, err := d.print()
	if err != nil {
		return [32]byte{}, err
	}
	var b []byte
	for _, part := range [][]byte{
		groups[lds.DG1], groups[lds.DG2], groups[lds.DG13], []byte(print), []byte(d.expiry().Text()), []byte(d.Reason),
		[]byte(DocumentType), []byte(d.Profile),
	} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return issuance.Commit(d.Salt, b), nil
}
