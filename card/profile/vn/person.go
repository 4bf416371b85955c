package vn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Person is what an application says of the person whom a card is for: the fields of
// `tamthe enrol`. Text is kept in NFC.
type Person struct {
	Number      Number `json:"number"`
	Surname     string `json:"surname"`
	Given       string `json:"given"`
	Sex         string `json:"sex"` // M or F
	Birth       Date   `json:"birth"`
	Nationality string `json:"nationality"`
	Origin      string `json:"origin"`
	Residence   string `json:"residence"`
	Ethnicity   string `json:"ethnicity"`
	Religion    string `json:"religion"`
	Features    string `json:"features"`
	Father      string `json:"father"`
	Mother      string `json:"mother"`
	Spouse      string `json:"spouse"`
	Expiry      *Date  `json:"expiry"` // nil: by the rule of the law
}

// FieldError says which field of a person is wrong.
type FieldError struct{ Field, Detail string }

// Error names the field; it holds nothing of its content.
func (e *FieldError) Error() string { return e.Field + ": " + e.Detail }

// maxField bounds each text, in characters.
const maxField = 200

// ParsePerson reads one JSON object. Unknown keys and anything behind it are errors.
// sex may be M, F, Nam or Nữ.
func ParsePerson(b []byte) (Person, error) {
	var p Person
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return Person{}, fmt.Errorf("read the person: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Person{}, fmt.Errorf("read the person: something stands behind the object")
	}
	switch norm.NFC.String(p.Sex) {
	case "Nam":
		p.Sex = "M"
	case "Nữ":
		p.Sex = "F"
	}
	for _, f := range p.texts() {
		*f.text = strings.Join(strings.Fields(norm.NFC.String(*f.text)), " ")
	}
	if p.Nationality == "" {
		p.Nationality = "Việt Nam"
	}
	return p, p.Check()
}

type textField struct {
	name     string
	text     *string
	required bool
}

func (p *Person) texts() []textField {
	return []textField{
		{"surname", &p.Surname, false}, {"given", &p.Given, true}, {"nationality", &p.Nationality, false},
		{"origin", &p.Origin, true}, {"residence", &p.Residence, true}, {"ethnicity", &p.Ethnicity, false},
		{"religion", &p.Religion, false}, {"features", &p.Features, false}, {"father", &p.Father, false},
		{"mother", &p.Mother, false}, {"spouse", &p.Spouse, false},
	}
}

// Check says what of a person can't be written onto a card; the error is a *FieldError.
func (p Person) Check() error {
	if !p.Number.Valid() {
		return &FieldError{"number", "not twelve digits"}
	}
	if p.Sex != "M" && p.Sex != "F" {
		return &FieldError{"sex", "not M or F"}
	}
	if p.Birth.Year < 1900 || p.Birth.Year > 2199 {
		return &FieldError{"birth", "no year between 1900 and 2199"}
	}
	for _, f := range p.texts() {
		n := 0
		for _, r := range *f.text {
			n++
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
				return &FieldError{f.name, fmt.Sprintf("character %d can't be printed", n)}
			}
		}
		if n > maxField {
			return &FieldError{f.name, fmt.Sprintf("%d characters, %d fit", n, maxField)}
		}
		if f.required && n == 0 {
			return &FieldError{f.name, "missing"}
		}
	}
	return nil
}

// FullName is surname and given names as on the card.
func (p Person) FullName() string { return strings.TrimSpace(p.Surname + " " + p.Given) }

// ExpiryAt is when a card issued on the day expires: what the application says, else the
// rule of the law.
func (p Person) ExpiryAt(issued time.Time) Expiry {
	if p.Expiry != nil {
		return Expiry{*p.Expiry}
	}
	return ExpiryOf(p.Birth, issued)
}

func sexText(sex string) string {
	if sex == "F" {
		return "Nữ"
	}
	return "Nam"
}
