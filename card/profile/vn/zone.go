package vn

import (
	"errors"

	"github.com/tamthe/tamthe/card/mrz"
)

// WriteMRZ writes the zone of a person's card. Surname and given names are written without
// their marks and, where they do not fit, cut as the standard says; who has one name has it
// as the primary identifier. The person has passed Check; what can't be written all the
// same is a *FieldError, or a *mrz.FieldError.
func WriteMRZ(p Person, expiry Expiry) (*mrz.MRZ, error) {
	if !p.Number.Valid() {
		return nil, notNumber(p.Number)
	}
	surname, given, err := p.identifiers()
	if err != nil {
		return nil, err
	}
	if surname == "" {
		surname, given = given, ""
	}
	return mrz.WriteTD1(mrz.Card{
		Document: "ID", Issuer: Country, Number: p.Number.Document(),
		Optional1: string(p.Number) + "<<" + string(p.Number.CheckDigit()),
		Birth:     p.Birth.MRZ(), Sex: p.Sex, Expiry: expiry.MRZ(), Nationality: Country, Primary: surname, Secondary: given,
	})
}

// identifiers are surname and given names in the letters of the zone.
func (p Person) identifiers() (surname, given string, err error) {
	if surname, err = transliterate("surname", p.Surname); err != nil {
		return "", "", err
	}
	given, err = transliterate("given", p.Given)
	return surname, given, err
}

func transliterate(field, name string) (string, error) {
	s, err := mrz.Transliterate(name)
	if e, ok := errors.AsType[*mrz.FieldError](err); ok {
		return "", &FieldError{field, e.Detail, ""}
	}
	return s, err
}
