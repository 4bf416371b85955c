package vn

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/mrz"
)

func TestInspect(t *testing.T) {
	p := person(t)
	expiry := p.ExpiryAt(day("2021-05-10"))
	m, err := WriteMRZ(p, expiry)
	if err != nil {
		t.Fatal(err)
	}
	r := Inspect(m, encode(t, p, issue(expiry)))
	if len(r.Disagrees) != 0 || r.Number != p.Number || r.NoExpiry || r.DG13 == nil {
		t.Errorf("an honest card disagrees: %+v", r)
	}
	if r := Inspect(m, nil); len(r.Disagrees) != 0 || r.DG13 != nil || r.Number != p.Number {
		t.Errorf("without DG13: %+v", r)
	}
	shouted := p
	shouted.Given = strings.ToUpper(p.Given)
	if r := Inspect(m, encode(t, shouted, issue(expiry))); len(r.Disagrees) != 0 {
		t.Errorf("capitals disagree: %v", r.Disagrees)
	}
	for rule, change := range map[Rule]func(*Person, *Issue){
		RuleDG13Name:   func(p *Person, _ *Issue) { p.Given = "Thị Khác" },
		RuleDG13Number: func(p *Person, _ *Issue) { p.Number = "003190000018" },
		RuleDG13Birth:  func(p *Person, _ *Issue) { p.Birth.Day = 16 },
		RuleDG13Sex:    func(p *Person, _ *Issue) { p.Sex = "M" },
		RuleDG13Expiry: func(_ *Person, i *Issue) { i.Expiry = Expiry{} },
		RuleCentury:    func(p *Person, _ *Issue) { p.Birth.Year = 2090 }, // the zone can't tell
	} {
		other, i := p, issue(expiry)
		change(&other, &i)
		if r := Inspect(m, encode(t, other, i)); !slices.Equal(r.Disagrees, []Rule{rule}) {
			t.Errorf("%s: %v", rule, r.Disagrees)
		}
	}
}

func TestInspectNoExpiry(t *testing.T) {
	p := person(t, "1990-02-15", "1950-02-15", "003190000017", "003150000017")
	m, err := WriteMRZ(p, p.ExpiryAt(day("2021-05-10")))
	if err != nil {
		t.Fatal(err)
	}
	if r := Inspect(m, encode(t, p, issue(Expiry{}))); len(r.Disagrees) != 0 || !r.NoExpiry {
		t.Errorf("%+v", r)
	}
	if r := Inspect(m, encode(t, p, issue(Expiry{Date{2030, 2, 15}}))); !slices.Equal(r.Disagrees, []Rule{RuleDG13Expiry}) {
		t.Errorf("%+v", r)
	}
}

// What the zone says by itself, against the personal number in it.
func TestInspectNumber(t *testing.T) {
	card := mrz.Card{
		Document: "ID", Issuer: "VNM", Number: "190000017", Optional1: "003190000017<<7", Birth: "900215", Sex: "F", Expiry: "300215",
		Nationality: "VNM", Primary: "NGUYEN", Secondary: "THI THU NGHIEM",
	}
	for name, tt := range map[string]struct {
		change func(*mrz.Card)
		want   []Rule
	}{
		"honest":         {func(*mrz.Card) {}, nil},
		"check digit":    {func(c *mrz.Card) { c.Optional1 = "003190000017<<3" }, []Rule{RuleCheckDigit}},
		"no check digit": {func(c *mrz.Card) { c.Optional1 = "003190000017" }, []Rule{RuleCheckDigit}},
		"document":       {func(c *mrz.Card) { c.Number = "190000018" }, []Rule{RuleDocument}},
		"sex":            {func(c *mrz.Card) { c.Sex = "M" }, []Rule{RuleCentury}},
		"sex not said":   {func(c *mrz.Card) { c.Sex = "<" }, nil},
		"year":           {func(c *mrz.Card) { c.Birth = "910215" }, []Rule{RuleCentury}},
		"year unknown":   {func(c *mrz.Card) { c.Birth = "<<0215" }, nil},
		"no number":      {func(c *mrz.Card) { c.Optional1 = "" }, []Rule{RuleNumber}},
		"letters":        {func(c *mrz.Card) { c.Optional1 = "00319000001O<<7" }, []Rule{RuleNumber}},
		"number long":    {func(c *mrz.Card) { c.Number, c.Optional1 = "1900000170031", "" }, []Rule{RuleNumber}},
	} {
		c := card
		tt.change(&c)
		m, err := mrz.WriteTD1(c)
		if err != nil {
			t.Fatal(name, err)
		}
		if r := Inspect(m, nil); !slices.Equal(r.Disagrees, tt.want) || (r.Number == "") != slices.Contains(tt.want, RuleNumber) {
			t.Errorf("%s: %+v", name, r)
		}
	}
	passport, err := mrz.Parse("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F1204159ZE184226B<<<<<10")
	if err != nil {
		t.Fatal(err)
	}
	if r := Inspect(passport, nil); !slices.Equal(r.Disagrees, []Rule{RuleNumber}) {
		t.Errorf("a passport: %+v", r)
	}
}

// Broken, thin and strange groups are findings, in the order of the rules.
func TestInspectDG13(t *testing.T) {
	m, err := WriteMRZ(person(t), Expiry{Date{2030, 2, 15}})
	if err != nil {
		t.Fatal(err)
	}
	in := func(elements ...[]byte) []byte {
		return tlv.Encode(0x6D, tlv.Encode(0x30, tlv.Encode(0x31, elements...)))
	}
	all := [][]byte{
		field(1, 0x13, "003190000017"), field(2, 0x0C, "Nguyễn Thị Thử Nghiệm"), field(3, 0x13, "15/02/1990"), field(4, 0x0C, "nữ"), field(12, 0x13, "15/02/2030"),
	}
	with := func(i int, e []byte) []byte {
		list := slices.Clone(all)
		list[i] = e
		return in(list...)
	}
	for name, tt := range map[string]struct {
		raw  []byte
		want []Rule
	}{
		"enough":          {in(all...), nil},
		"NFD":             {with(1, field(2, 0x0C, norm.NFD.String("Nguyễn Thị Thử Nghiệm"))), nil},
		"terminal escape": {in(append(all, field(8, 0x0C, "\x1b[2J"))...), []Rule{RuleText}},
		"right to left":   {in(append(all, field(9, 0x0C, "Hà \u202eNội"))...), []Rule{RuleText}},
		"another order":   {in(all[4], all[3], all[2], all[1], all[0]), nil},
		"empty file":      {[]byte{}, []Rule{RuleDG13}},
		"garbage":         {[]byte{0x6D, 5, 1}, []Rule{RuleDG13}},
		"empty set":       {in(), []Rule{RuleDG13}},
		"one missing":     {in(all[:4]...), []Rule{RuleDG13}},
		"unknown field":   {in(append(all, field(17, 0x0C, "x"))...), []Rule{RuleUnknown}},
		"field twice":     {in(append(all, all[0])...), []Rule{RuleUnknown}},
		"cyrillic":        {with(1, field(2, 0x0C, "Нгуен")), []Rule{RuleDG13Name}},
		"odd date":        {with(2, field(3, 0x13, "15.02.1990")), []Rule{RuleDG13Birth}},
		"odd sex":         {with(3, field(4, 0x0C, "X")), []Rule{RuleDG13Sex}},
		"sex against all": {with(3, field(4, 0x0C, "Nam")), []Rule{RuleDG13Sex}},
		"never":           {with(4, field(12, 0x0C, "Không thời hạn")), []Rule{RuleDG13Expiry}},
		"several": {
			in(field(1, 0x13, "x"), field(99, 0x0C, "y"), all[1], field(3, 0x13, "15/02/1890"), all[3]),
			[]Rule{RuleCentury, RuleDG13, RuleUnknown, RuleDG13Number},
		},
	} {
		if r := Inspect(m, tt.raw); !slices.Equal(r.Disagrees, tt.want) {
			t.Errorf("%s: %v, want %v", name, r.Disagrees, tt.want)
		}
	}
}
