package vn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Person is what an application says of the person whom a card is for: the fields of
// `tamthe enrol`. ParsePerson keeps text in NFC, with single spaces.
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
	Expiry      *Date  `json:"expiry"` // a whole day; nil: by the rule of the law
}

// maxField bounds each text, in characters.
const maxField = 200

// notNumber is what is wrong with a number that is not Valid. The digits of some keyboards
// look like 0 to 9 and are others.
func notNumber(n Number) error {
	if strings.ContainsFunc(string(n), func(r rune) bool { return r > unicode.MaxASCII && unicode.IsDigit(r) }) {
		return &FieldError{"number", "digits of another script or width: type it with plain digits, 0 to 9", "có chữ số khác kiểu, chẳng hạn chữ số toàn góc: gõ lại bằng chữ số thường, 0 đến 9"}
	}
	return &FieldError{"number", "not twelve digits", "số định danh phải đủ mười hai chữ số"}
}

// ParsePerson reads one JSON object and checks it. Keys that are unknown, repeated or in
// capitals, and anything behind the object, are errors; no error holds any content. sex
// may be M, F, Nam or Nữ; a nationality that is not there is Việt Nam.
func ParsePerson(b []byte) (Person, error) {
	p, err := decodePerson(b)
	if err != nil {
		return Person{}, err
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
	if err := p.Check(); err != nil {
		return Person{}, err
	}
	return p, nil
}

// decodePerson reads the object. The dates are taken as text first, so that an error says
// which of them it is about.
func decodePerson(b []byte) (Person, error) {
	if err := exactKeys(b); err != nil {
		return Person{}, err
	}
	var in struct {
		Person
		Birth  string  `json:"birth"`
		Expiry *string `json:"expiry"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return Person{}, fmt.Errorf("read the person: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Person{}, fmt.Errorf("read the person: something stands behind the object")
	}
	p := in.Person
	var err error
	if p.Birth, err = parseDate(in.Birth); err != nil {
		return Person{}, &FieldError{"birth", err.Error(), notDateVi}
	}
	if in.Expiry != nil {
		day, err := parseDate(*in.Expiry)
		if err != nil {
			return Person{}, &FieldError{"expiry", err.Error(), notDateVi}
		}
		p.Expiry = &day
	}
	return p, nil
}

// exactKeys refuses what encoding/json takes in silence: keys in other letters than a–z,
// which it folds, and repeated ones, of which it believes the last.
func exactKeys(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("read the person: no JSON object")
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return fmt.Errorf("read the person: %w", err)
		}
		key := fmt.Sprint(t)
		for i := range len(key) {
			if key[i] < 'a' || key[i] > 'z' {
				return fmt.Errorf("read the person: unknown key %+q", key)
			}
		}
		if seen[key] {
			return fmt.Errorf("read the person: key %q twice", key)
		}
		seen[key] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("read the person: %w", err)
		}
	}
	return nil
}

type textField struct {
	name     string
	text     *string
	required bool
}

func (p *Person) texts() []textField {
	return []textField{
		{"surname", &p.Surname, false},
		{"given", &p.Given, true},
		{"nationality", &p.Nationality, false},
		{"origin", &p.Origin, true},
		{"residence", &p.Residence, true},
		{"ethnicity", &p.Ethnicity, false},
		{"religion", &p.Religion, false},
		{"features", &p.Features, false},
		{"father", &p.Father, false},
		{"mother", &p.Mother, false},
		{"spouse", &p.Spouse, false},
	}
}

// Check says what of a person can't be written onto a card; the error is a *FieldError.
// Whether number, sex and birth agree is not asked: people's numbers outlive corrections.
func (p Person) Check() error {
	switch {
	case !p.Number.Valid():
		return notNumber(p.Number)
	case p.Sex != "M" && p.Sex != "F":
		return &FieldError{"sex", "not M or F", "phải là M hoặc F (Nam hoặc Nữ)"}
	case !p.Birth.Valid() || p.Birth.Year < 1900 || p.Birth.Year > 2199:
		return &FieldError{"birth", "no date between 1900 and 2199", "không phải ngày từ năm 1900 đến 2199"}
	case p.Expiry != nil && (!p.Expiry.whole() || !p.Expiry.first().After(p.Birth.first())):
		return &FieldError{"expiry", "no whole day after the birth", "phải là một ngày đầy đủ, sau ngày sinh"}
	case p.Expiry != nil && p.Expiry.MRZ() == NoExpiry:
		return &FieldError{"expiry", "31 December of a year 99 says that a card has no expiry", "ngày 31 tháng 12 năm 99 được dùng cho thẻ không thời hạn"}
	}
	for _, f := range p.texts() {
		if err := checkText(f); err != nil {
			return err
		}
	}
	_, _, err := p.identifiers()
	return err
}

// checkText refuses what can't be printed, and the bar, which separates the fields of the
// QR code.
func checkText(f textField) error {
	n := utf8.RuneCountInString(*f.text)
	switch at := unprintable(*f.text); {
	case at > 0:
		return &FieldError{f.name, fmt.Sprintf("character %d can't be printed", at), fmt.Sprintf("không in được ký tự thứ %d", at)}
	case strings.Contains(*f.text, "|"):
		return &FieldError{f.name, "a bar separates the fields of the QR code", "không được có dấu gạch đứng, vì nó ngăn các trường của mã QR"}
	case n > maxField:
		return &FieldError{f.name, fmt.Sprintf("%d characters, %d fit", n, maxField), fmt.Sprintf("có %d ký tự, chỉ được %d", n, maxField)}
	case f.required && n == 0:
		return &FieldError{f.name, "missing", "chưa có"}
	case f.required && !strings.ContainsFunc(*f.text, unicode.IsLetter):
		return &FieldError{f.name, "no letter in it", "không có chữ cái nào"}
	}
	return nil
}

// unprintable is the place, from 1, of the first character that can't be printed; 0 if
// there is none.
func unprintable(s string) int {
	n := 0
	for _, r := range s {
		n++
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return n
		}
	}
	return 0
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

// sexText is a sex as on the card.
func sexText(sex string) string {
	if sex == "F" {
		return "Nữ"
	}
	return "Nam"
}
