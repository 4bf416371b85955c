package printjob

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/card/profile/vn"
)

// ErrReading means that octets are no reading of a card's body.
var ErrReading = errors.New("not a reading of a card's body")

// MaxReading is the largest reading in octets that ParseReading takes.
const MaxReading = 8 << 20

// Surface is what was read from one side of a card's body: by a person, or by a program
// that reads pictures. It is nobody's word but the reader's.
type Surface struct {
	Fields   map[string]string `json:"fields,omitempty"`   // by the names of Field
	MRZ      string            `json:"mrz,omitempty"`      // its lines
	QR       string            `json:"qr,omitempty"`       // its text
	Portrait []byte            `json:"portrait,omitempty"` // a picture of the portrait's box as printed, JPEG or PNG
}

// Reading is what was read from both sides.
type Reading struct {
	Front Surface `json:"front"`
	Back  Surface `json:"back"`
}

// String says what it is and nothing of the person.
func (Reading) String() string { return "reading of a card's body (personal data)" }

// GoString is String.
func (r Reading) GoString() string { return r.String() }

// ParseReading reads the JSON of a reading. Unknown keys and anything behind the object
// are errors; all are ErrReading, and hold nothing of the content.
func ParseReading(b []byte) (Reading, error) {
	var r Reading
	if len(b) > MaxReading {
		return r, fmt.Errorf("%w: %d octets", ErrReading, len(b))
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil || d.More() {
		return Reading{}, fmt.Errorf("%w: not the JSON of one", ErrReading)
	}
	return r, nil
}

// MRZ is the zone as it was read from whichever side has it.
func (r Reading) MRZ() (*mrz.MRZ, error) {
	text := r.Back.MRZ
	if text == "" {
		text = r.Front.MRZ
	}
	zone, err := mrz.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%w: no machine readable zone", ErrReading)
	}
	return zone, nil
}

// A Difference is one way in which a body is not what was ordered. It holds nothing of
// what stands there.
type Difference struct {
	What string // mrz, qr, portrait, sides, or the name of a field
	Why  string // differs, or unread
}

// String is what and why.
func (d Difference) String() string { return d.What + " " + d.Why }

// The reasons of a Difference.
const (
	Differs = "differs" // it was read and is something else
	Unread  = "unread"  // it must be read and was not
)

// Compare holds what was read against what was ordered, in this order: the zone, the QR
// code, the portrait, the number on the front, whether front and back are one card's, and
// whatever other fields were read. Texts are the same in any normal form and with any run
// of spaces, zones to the letter. None means that the body is this card's.
func (c Card) Compare(r Reading) ([]Difference, error) {
	fields, err := c.Fields()
	if err != nil {
		return nil, err
	}
	zone, err := c.MRZ()
	if err != nil {
		return nil, err
	}
	var list []Difference
	add := func(what, got, want string) {
		switch {
		case got == "":
			list = append(list, Difference{what, Unread})
		case got != want:
			list = append(list, Difference{what, Differs})
		}
	}
	add("mrz", lines(r.Back.MRZ), strings.Join(zone.Lines, "\n"))
	add("qr", plain(c.QROf(r)), plain(c.QR()))
	if why := c.comparePortrait(r.Front.Portrait); why != "" {
		list = append(list, Difference{"portrait", why})
	}
	add("number", plain(r.Front.Fields["number"]), string(c.Person.Number))
	if !r.together() {
		list = append(list, Difference{"sides", Differs})
	}
	for _, f := range fields {
		got := plain([]Surface{r.Front, r.Back}[f.Side].Fields[f.Name])
		if f.Name != "number" && got != "" {
			add(f.Name, got, plain(f.Text))
		}
	}
	return list, nil
}

// QROf is the code of the side that the design has it on.
func (c Card) QROf(r Reading) string {
	if designs[c.Design][Front].qr.W > 0 {
		return r.Front.QR
	}
	return r.Back.QR
}

// together says whether all numbers that were read on both sides are one person's. What
// was not read says nothing against it.
func (r Reading) together() bool {
	var numbers []string
	add := func(n string) {
		if n != "" && !slices.Contains(numbers, n) {
			numbers = append(numbers, n)
		}
	}
	for _, s := range []Surface{r.Front, r.Back} {
		add(plain(s.Fields["number"]))
		if q, ok := vn.ParseQR(s.QR); ok {
			add(string(q.Number))
		}
	}
	if zone, err := r.MRZ(); err == nil {
		add(strings.Trim(zone.Optional1[:min(12, len(zone.Optional1))], "<"))
	}
	return len(numbers) < 2
}

// lines are a zone's lines without what a reader may put around them.
func lines(s string) string { return strings.Join(strings.Fields(s), "\n") }

// plain is a text in NFC with single spaces.
func plain(s string) string { return norm.NFC.String(strings.Join(strings.Fields(s), " ")) }
