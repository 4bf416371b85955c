package vn

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestParsePerson(t *testing.T) {
	want := person(t)
	if want.Sex != "F" || want.Nationality != "Việt Nam" || want.Birth != (Date{1990, 2, 15}) || want.Expiry != nil || want.FullName() != "Nguyễn Thị Thử Nghiệm" {
		t.Errorf("%+v", want)
	}
	if p := person(t, "Thị Thử", " Thị  \u00a0Thử"); p != want {
		t.Errorf("blanks are kept: %+v", p)
	}
	nfd, err := ParsePerson([]byte(norm.NFD.String(specimen)))
	if err != nil || nfd != want {
		t.Errorf("%+v, %v", nfd, err)
	}
	p := person(t, `"expiry": null`, `"expiry": "2030-02-15"`)
	if p.Expiry == nil || p.ExpiryAt(day("2021-05-10")).Date != (Date{2030, 2, 15}) {
		t.Errorf("expiry %v", p.Expiry)
	}
	if e := want.ExpiryAt(day("2028-02-15")); e.Date != (Date{2050, 2, 15}) {
		t.Errorf("expiry by the law %v", e)
	}
	for _, birth := range []string{"1990", "1990-02"} {
		p := person(t, "1990-02-15", birth)
		if m, err := WriteMRZ(p, Expiry{}); err != nil || !m.Birth.Valid() || m.Birth.Known() {
			t.Error(birth, err)
		}
	}
}

func TestParsePersonRefuses(t *testing.T) {
	for _, tt := range []struct{ old, change, field string }{
		{`"003190000017"`, `"00319000001"`, "number"},
		{`"Nữ"`, `"X"`, "sex"},
		{`"1990-02-15"`, `"1990-02-30"`, "birth"},
		{`"1990-02-15"`, `"15/02/1990"`, "birth"},
		{`"1990-02-15"`, `"1890-02-15"`, "birth"},
		{`"1990-02-15"`, `null`, "birth"},
		{`"Nguyễn"`, `"Нгуен"`, "surname"},
		{`"Thị Thử Nghiệm"`, `""`, "given"},
		{`"Thị Thử Nghiệm"`, `"Thị 2"`, "given"},
		{`"Thử Nghiệm, Hà Nội"`, `" "`, "origin"},
		{`"Kinh"`, `"Ki\u202enh"`, "ethnicity"},
		{`"Kinh"`, `"Ki\u0000nh"`, "ethnicity"},
		{`"Kinh"`, `"Ki\ufffdnh"`, "ethnicity"},
		{`"Kinh"`, `"` + strings.Repeat("K", 201) + `"`, "ethnicity"},
		{`"Số 1`, `"Số|1`, "residence"},
		{`"expiry": null`, `"expiry": "2030"`, "expiry"},
		{`"expiry": null`, `"expiry": "1980-01-01"`, "expiry"},
		{`"expiry": null`, `"expiry": "2099-12-31"`, "expiry"},
		{`"surname"`, `"family"`, ""},
		{`"surname"`, `"Surname"`, ""},
		{`"number"`, `"given"`, ""},
		{`"spouse": ""`, `"ſpouse": ""`, ""},
		{`"003190000017"`, `3190000017`, ""},
		{specimen, specimen + "{}", ""},
		{specimen, "[" + specimen + "]", ""},
		{specimen, specimen[:100], ""},
		{specimen, "", ""},
		{specimen, "null", ""},
	} {
		text := strings.Replace(specimen, tt.old, tt.change, 1)
		p, err := ParsePerson([]byte(text))
		var e *FieldError
		switch {
		case err == nil || p != (Person{}):
			t.Errorf("%s is taken: %+v", tt.change, p)
		case errors.As(err, &e) != (tt.field != "") || e != nil && e.Field != tt.field:
			t.Errorf("%s: %v", tt.change, err)
		case strings.Contains(err.Error(), "1990") || strings.Contains(err.Error(), "Nghi"):
			t.Errorf("the error tells the person: %v", err)
		}
	}
}
