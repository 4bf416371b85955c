package vn

import (
	"strings"
	"testing"
	"time"
)

const specimen = `{"number": "003190000017", "surname": "Nguyễn", "given": "Thị Thử Nghiệm", "sex": "Nữ", "birth": "1990-02-15",
 "origin": "Thử Nghiệm, Hà Nội", "residence": "Số 1 phố Thử Nghiệm, Hà Nội", "ethnicity": "Kinh", "religion": "Không",
 "features": "Không", "father": "Nguyễn Văn Cha", "mother": "Trần Thị Mẹ", "spouse": "", "expiry": null}`

// person is the specimen with texts changed.
func person(t testing.TB, change ...string) Person {
	t.Helper()
	p, err := ParsePerson([]byte(strings.NewReplacer(change...).Replace(specimen)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// day is a calendar day in Vietnam, late enough to be another in UTC.
func day(s string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, s, time.FixedZone("Asia/Ho_Chi_Minh", 7*3600))
	if err != nil {
		panic(err)
	}
	return t.Add(2 * time.Hour)
}

// issue is the card of 10 May 2021.
func issue(e Expiry) Issue { return Issue{day("2021-05-10"), e, "", "0011223344556677"} }

func encode(t testing.TB, p Person, i Issue) []byte {
	t.Helper()
	raw, err := EncodeDG13(p, i)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
