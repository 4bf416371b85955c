package mrz

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/testdata"
)

func TestVectors(t *testing.T) {
	var f struct {
		Cases []struct {
			ID, Form string
			Lines    []string
			Checks   map[string]bool
			Valid    bool
		}
	}
	if err := json.Unmarshal(testdata.Vectors(t, "mrz/mrz.json"), &f); err != nil {
		t.Fatal(err)
	}
	names := map[string]Field{"number": Number, "birth": Birth, "expiry": Expiry, "optional": Optional, "composite": Composite}
	for _, c := range f.Cases {
		m, err := Parse(strings.Join(c.Lines, "\n"))
		if err != nil || m.Format.String() != c.Form || m.DigitsRight() != c.Valid || !slices.Equal(m.Lines, c.Lines) {
			t.Errorf("%s: %+v, %v", c.ID, m, err)
			continue
		}
		for name, want := range c.Checks {
			wrong := slices.ContainsFunc(m.Findings, func(f Finding) bool { return f.Field == names[name] && f.Problem == CheckDigit })
			if wrong == want {
				t.Errorf("%s: %s is right: %v, want %v", c.ID, name, !wrong, want)
			}
		}
	}
}

// Examples of Doc 9303-3 to -6, and one each of what States do with the number.
func TestFields(t *testing.T) {
	for _, tt := range []struct {
		lines, number, optional1, optional2, name string
		birth                                     Date
	}{
		{"PPUTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10", "L898902C3", "ZE184226B", "", "ERIKSSON/ANNA MARIA", "740812"},
		{"I<YTOSMITH<<JOHN<<<<<<<<<<<<<<<<<<<<\nHA672242<6YTO5802254M9601086<<<<<<<8", "HA672242", "", "", "SMITH/JOHN", "580225"},
		{"I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<", "D23145890", "", "", "ERIKSSON/ANNA MARIA", "740812"},
		{"I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<<JOHN<<<<<<<<", "D23145890734", "", "", "STEVENSON/PETER JOHN", "340712"},
		{"I<UTOSTEVENSON<<PETER<<JOHN<<<<<<<<<\nD23145890<UTO3407127M95071227349<<<8", "D23145890734", "", "", "STEVENSON/PETER JOHN", "340712"},
		{"I<NLD123456789<0123456788018<X\n6503101F3108022NLDOPT<DATA2<<5\nDE<BRUIJN<<WILLEKE<LISELOTTE<<", "123456789012345678801", "X", "OPT<DATA2", "DE BRUIJN/WILLEKE LISELOTTE", "650310"},
		{"IDD<<0000000055<<<<<<<<<<<<<<<\n89<<<<3F3506307<<<<<<<<<<<<<<4\nOEZMEN<<AGCA<<<<<<<<<<<<<<<<<<", "000000005", "", "", "OEZMEN/AGCA", "89<<<<"},
		{"IDVNM1900000174003190000017<<7\n9002155F3002153VNM<<<<<<<<<<<8\nNGUYEN<<THI<THU<NGHIEM<<<<<<<<", "190000017", "003190000017<<7", "", "NGUYEN/THI THU NGHIEM", "900215"},
	} {
		m, err := Parse(tt.lines)
		if err != nil || len(m.Findings) > 0 {
			t.Fatalf("%s: %+v, %v", tt.lines, m, err)
		}
		if m.Number != tt.number || m.Optional1 != tt.optional1 || m.Optional2 != tt.optional2 || m.Primary+"/"+m.Secondary != tt.name || m.Birth != tt.birth {
			t.Errorf("%s: %+v", tt.lines, m)
		}
		if again, err := Decode([]byte(m.Text())); err != nil || !slices.Equal(again.Lines, m.Lines) {
			t.Error("the lines one after the other are not read alike", err)
		}
	}
}

// Each fault is found at its place, and the text stays as it is.
func TestFindings(t *testing.T) {
	lines := []string{"I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"}
	for _, tt := range []struct {
		line, at int
		c        string
		want     []Finding
	}{
		{1, 15, "8", []Finding{{Number, CheckDigit, 1, 15}, {Composite, CheckDigit, 2, 30}}},
		{1, 7, "E", []Finding{{Number, CheckDigit, 1, 15}, {Composite, CheckDigit, 2, 30}}},
		{2, 7, "3", []Finding{{Birth, CheckDigit, 2, 7}, {Composite, CheckDigit, 2, 30}}},
		{2, 15, "8", []Finding{{Expiry, CheckDigit, 2, 15}, {Composite, CheckDigit, 2, 30}}},
		{2, 30, "7", []Finding{{Composite, CheckDigit, 2, 30}}},
		{2, 8, "A", []Finding{{SexField, BadText, 2, 8}}},
		{1, 1, "1", []Finding{{Document, BadText, 1, 1}}},
		{1, 1, "<", []Finding{{Document, Empty, 1, 1}}},
		{1, 4, "0", []Finding{{Issuer, BadText, 1, 4}}},
		{2, 17, "t", []Finding{{Nationality, BadText, 2, 17}}},
		{3, 3, "1", []Finding{{Name, BadText, 3, 3}}},
		{3, 30, "\x1b", []Finding{{Name, BadText, 3, 30}}},
		{1, 20, "\xff", []Finding{{Optional, BadText, 1, 20}}},
		{2, 20, " ", []Finding{{Optional, BadText, 2, 20}}},
	} {
		bad := slices.Clone(lines)
		bad[tt.line-1] = bad[tt.line-1][:tt.at-1] + tt.c + bad[tt.line-1][tt.at:]
		m, err := Decode([]byte(strings.Join(bad, "")))
		if err != nil || !slices.Equal(m.Findings, tt.want) || !slices.Equal(m.Lines, bad) {
			t.Errorf("%q at line %d, position %d: %v, %v", tt.c, tt.line, tt.at, m, err)
		}
	}
	void, err := Parse("<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<\n7408122F1204159<<<<<<<<<<<<<<<\n<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []Field{Document, Issuer, Number, Name} {
		if !slices.ContainsFunc(void.Findings, func(x Finding) bool { return x.Field == f && x.Problem == Empty }) {
			t.Errorf("no %s is no finding", f)
		}
	}
	m, err := Parse(strings.Replace(strings.Join(lines, "\n"), "7408122", "7413122", 1))
	if err != nil || !slices.Contains(m.Findings, Finding{Birth, BadDate, 2, 1}) {
		t.Errorf("a month 13 is no finding: %v, %v", m, err)
	}
}

func TestParseForms(t *testing.T) {
	lines := []string{"I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"}
	for _, text := range []string{
		strings.Join(lines, "\n"), strings.Join(lines, "\r\n") + "\r\n", strings.Join(lines, ""), "  " + strings.Join(lines, " \n\n "),
	} {
		if m, err := Parse(text); err != nil || !slices.Equal(m.Lines, lines) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{
		"", "I<UTO", strings.Join(lines[:2], "\n"), strings.Join(lines, "\n") + "<", strings.Repeat("<", 1000),
		"I<UTOD2314589 07<<<<<<<<<<<<<<<\n" + lines[1] + "\n" + lines[2], // a blank is never taken out
		lines[0] + lines[1][:29] + "\n" + lines[1][29:] + lines[2],
	} {
		if _, err := Parse(text); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, octets := range []string{strings.Join(lines, "\n"), strings.Join(lines, "") + " "} {
		if _, err := Decode([]byte(octets)); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", octets, err)
		}
	}
}

func TestDates(t *testing.T) {
	for d, want := range map[Date]bool{
		"900215": true, "9002<<": true, "90<<<<": true, "<<<<<<": true, "000229": true, "010229": false, "901301": false,
		"900200": false, "90O215": false, "9002": false, "90<215": false, "<<0229": true, "900431": false, "000000": false,
	} {
		if d.Valid() != want {
			t.Errorf("%s: valid is %v", d, !want)
		}
	}
	at := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	for d, want := range map[Date]int{"261126": 1926, "261125": 2026, "261124": 2026, "270101": 1927, "000229": 2000, "040229": 2004} {
		if b, ok := d.Birth(at); !ok || b.Year() != want || b.Format("060102") != string(d) {
			t.Errorf("born %s: %v", d, b)
		}
	}
	for d, want := range map[Date]int{"460101": 2046, "760101": 2076, "770101": 1977, "991231": 1999, "000229": 2000} {
		if e, ok := d.Expiry(at); !ok || e.Year() != want || e.Format("060102") != string(d) {
			t.Errorf("expires %s: %v", d, e)
		}
	}
	for _, d := range []Date{"9002<<", "", "901301"} {
		if _, ok := d.Expiry(at); ok || d.Known() {
			t.Errorf("%q is a day", d)
		}
		if _, ok := d.Birth(at); ok {
			t.Errorf("%q is a day of birth", d)
		}
	}
}

// A day is that of the place where at is meant, and 29 February is in leap years only.
func TestDatesAtTheEdge(t *testing.T) {
	hanoi := time.FixedZone("Asia/Ho_Chi_Minh", 7*3600)
	if b, ok := Date("261125").Birth(time.Date(2026, 11, 25, 2, 0, 0, 0, hanoi)); !ok || b.Year() != 2026 {
		t.Errorf("born today, early in the morning: %v", b)
	}
	if b, ok := Date("261126").Birth(time.Date(2026, 11, 25, 23, 0, 0, 0, time.FixedZone("", -12*3600))); !ok || b.Year() != 1926 {
		t.Errorf("born tomorrow, late in the evening: %v", b)
	}
	if b, ok := Date("000229").Birth(time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)); ok {
		t.Errorf("there is no 29 February 1900: %v", b)
	}
	if b, ok := Date("000229").Birth(time.Date(2101, 1, 1, 0, 0, 0, 0, time.UTC)); !ok || b.Year() != 2000 {
		t.Errorf("nor is there one in 2100: %v", b)
	}
	if e, ok := Date("000229").Expiry(time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)); !ok || e.Year() != 2000 {
		t.Errorf("nor does anything expire on it: %v", e)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("IDVNM1900000174003190000017<<7\n9002155F3002153VNM<<<<<<<<<<<8\nNGUYEN<<THI<THU<NGHIEM<<<<<<<<")
	f.Add("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F1204159ZE184226B<<<<<10")
	f.Add("I<UTOSTEVENSON<<PETER<<JOHN<<<<<<<<<\nD23145890<UTO3407127M95071227349<<<8")
	f.Fuzz(func(t *testing.T, s string) {
		checkSound(t, []byte(s))
		if m, err := Decode([]byte(s)); err == nil {
			if m.Text() != s {
				t.Fatal("the text was changed")
			}
			_ = m.KeyInfo()
			if b, ok := m.Birth.Birth(time.Unix(0, 0)); ok && b.Format("060102") != string(m.Birth) {
				t.Fatal("a birth on another day")
			}
			if e, ok := m.Expiry.Expiry(time.Unix(0, 0)); ok && e.Format("060102") != string(m.Expiry) {
				t.Fatal("an expiry on another day")
			}
			if same, _ := m.NameIs(m.Primary + " " + m.Secondary); !same {
				t.Fatal("a name is not itself")
			}
		}
		if m, err := Parse(s); err == nil && len(m.Text()) > len(s) {
			t.Fatal("the text was changed")
		}
	})
}
