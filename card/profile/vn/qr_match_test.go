package vn

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// The code against the chip, with one thing changed at a time. The layout is that of
// public readers of the code: number, former number, name, birth, sex, residence, issue.
func TestQRAgainstTheChip(t *testing.T) {
	p := person(t)
	const text = "003190000017||Nguyễn Thị Thử Nghiệm|15021990|Nữ|Số 1 phố Thử Nghiệm, Hà Nội|10052021"
	m, err := WriteMRZ(p, ExpiryOf(p.Birth, day("2021-05-10")))
	if err != nil {
		t.Fatal(err)
	}
	d, err := ParseDG13(encode(t, p, issue(ExpiryOf(p.Birth, day("2021-05-10")))))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, old, by string
		want          []Rule
	}{
		{"as printed", "", "", nil},
		{"decomposed", text, norm.NFD.String(text), nil},
		{"in capitals", "Nguyễn Thị Thử Nghiệm", "NGUYỄN THỊ THỬ NGHIỆM", nil},
		{"without a comma", "Nghiệm, Hà", "Nghiệm Hà", nil},
		{"another number", "0017|", "0018|", []Rule{RuleQRNumber}},
		{"another name", "Thử", "Thứ", []Rule{RuleQRName}},
		{"without marks", "Nguyễn Thị Thử Nghiệm", "Nguyen Thi Thu Nghiem", []Rule{RuleQRName}},
		{"no name", "Nguyễn Thị Thử Nghiệm", "", []Rule{RuleQRName}},
		{"another birth", "15021990", "15021991", []Rule{RuleQRBirth}},
		{"the other sex", "Nữ", "Nam", []Rule{RuleQRSex}},
		{"another address", "Số 1", "Số 2", []Rule{RuleQRResidence}},
		{"no address", "Số 1 phố Thử Nghiệm, Hà Nội", "", nil},
		{"another day of issue", "10052021", "11052021", []Rule{RuleQRIssued}},
		{"a former number that the chip lacks", "||", "|000000017|", nil},
		{"two things", "15021990|Nữ", "15021991|Nam", []Rule{RuleQRBirth, RuleQRSex}},
		{"more fields", "10052021", "10052021||", nil},
		{"another order", text, "003190000017|Nguyễn Thị Thử Nghiệm|15021990|Nữ|Số 1 phố Thử Nghiệm, Hà Nội|10052021||Nguyễn Văn Cha", nil},
		{"another order and name", text, "003190000017|Nguyễn Thị Khác|15021990|Nữ|Số 1 phố Thử Nghiệm, Hà Nội|10052021||Nguyễn Văn Cha", []Rule{RuleQRName}},
	} {
		q, ok := ParseQR(strings.Replace(text, tt.old, tt.by, 1))
		if got := q.Disagrees(m, d); !ok || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	q, _ := ParseQR(strings.Replace(text, "Nguyễn Thị Thử Nghiệm", "Nguyen Thi Thu Nghiem", 1))
	if got := q.Disagrees(m, nil); len(got) > 0 {
		t.Errorf("without DG13 the zone decides: %v", got)
	}
}

func FuzzQRDisagrees(f *testing.F) {
	f.Add("003190000017||Nguyễn Thị Thử Nghiệm|15021990|Nữ|Số 1|10052021")
	f.Add("003190000017|||||||||||x")
	m, err := WriteMRZ(person(f), Expiry{})
	if err != nil {
		f.Fatal(err)
	}
	d, err := ParseDG13(encode(f, person(f), issue(Expiry{})))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, ok := ParseQR(text)
		if !ok && q.Number != "" {
			t.Fatalf("%+v", q)
		}
		for _, r := range append(q.Disagrees(m, d), q.Disagrees(m, nil)...) {
			if !strings.HasPrefix(string(r), "qr-") {
				t.Fatal(r)
			}
		}
	})
}
