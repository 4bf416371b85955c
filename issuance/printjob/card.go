// Package printjob makes the print job of a card's body: front and back as two pages of a
// PDF at true size, 85.60 by 53.98 mm (ISO/IEC 7810 ID-1).
//
// All that is printed comes from one Card, and so do the data groups of its chip: MRZ, QR
// code and texts cannot differ from DG1 and DG13 but by a fault of the printer. The same
// Card makes the same octets each time, so that a digest names a print job.
package printjob

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/card/profile/vn"
)

var (
	// ErrDesign means that there is no print design of a name.
	ErrDesign = errors.New("no such print design")
	// ErrPortrait means that a portrait is no JPEG that can be printed.
	ErrPortrait = errors.New("the portrait cannot be printed")
)

// A TextError means that a text of the person's cannot be printed: the font lacks a letter
// of it, or it does not fit its place in letters that can still be read. It holds nothing
// of the text.
type TextError struct{ Field, Detail string }

// Error names the field and what is wrong.
func (e *TextError) Error() string { return fmt.Sprintf("print %s: %s", e.Field, e.Detail) }

// Card is what a card's body shows. It holds personal data and does not print them.
type Card struct {
	Design   string // vn-cccd-2021 or vn-cc-2024
	Person   vn.Person
	Issued   time.Time // the calendar day where its clock stands
	Expiry   vn.Expiry
	Portrait []byte // JPEG
	Specimen bool   // say on both sides that the card is one
}

// String says what it is and nothing of the person.
func (Card) String() string { return "print job of a card (personal data)" }

// GoString is String.
func (c Card) GoString() string { return c.String() }

// MRZ is the machine readable zone, which DG1 holds too.
func (c Card) MRZ() (*mrz.MRZ, error) { return vn.WriteMRZ(c.Person, c.Expiry) }

// QR is the text of the QR code.
func (c Card) QR() string { return vn.EncodeQR(c.Person, "", c.Issued) }

// Machine is what the body shows for machines: the zone's lines, then the text of the QR
// code, with line ends between. An approval signs it.
func (c Card) Machine() (string, error) {
	zone, err := c.MRZ()
	if err != nil {
		return "", err
	}
	return strings.Join(zone.Lines, "\n") + "\n" + c.QR(), nil
}

// Side is the front or the back of a card.
type Side int

// The sides, which are the pages of the PDF.
const (
	Front Side = iota
	Back
)

// String is front or back.
func (s Side) String() string { return [...]string{"front", "back"}[s] }

// Field is a text about the person as it stands on a side.
type Field struct {
	Name string // number, name, birth, sex, nationality, origin, residence, features, issued or expiry
	Side Side
	Text string
}

// Fields are the texts about the person in the order of the design, front first.
func (c Card) Fields() ([]Field, error) {
	d, ok := designs[c.Design]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrDesign, c.Design)
	}
	var list []Field
	for side, page := range d {
		for _, p := range page.fields {
			list = append(list, Field{p.name, Side(side), p.text(c)})
		}
	}
	return list, nil
}

// Box is a rectangle on a side, in millimetres from its top left corner.
type Box struct{ X, Y, W, H float64 }

// Portrait is where a side of the design has the picture, whatever its proportions: the
// printed picture stands in the middle of the box. False if there is no such design.
func Portrait(design string) (Box, bool) {
	d, ok := designs[design]
	return d[Front].portrait, ok
}

// Places are where the fields of a side stand, by their names.
func Places(design string, side Side) map[string]Box {
	m := map[string]Box{}
	for _, f := range designs[design][side].fields {
		m[f.name] = f.box
	}
	return m
}

// Size of the card in millimetres (ISO/IEC 7810, ID-1).
const (
	Width  = 85.60
	Height = 53.98
)
