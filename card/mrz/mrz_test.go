package mrz

import (
	"encoding/json"
	"errors"
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
		}
	}
	if err := json.Unmarshal(testdata.Vectors(t, "mrz/mrz.json"), &f); err != nil {
		t.Fatal(err)
	}
	names := map[string]Field{"number": Number, "birth": Birth, "expiry": Expiry, "optional": Optional, "composite": Composite}
	for _, c := range f.Cases {
		if strings.HasPrefix(c.Form, "MRV") {
			continue // visas have no chip
		}
		m, err := Parse(strings.Join(c.Lines, "\n"))
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
			continue
		}
		for name, want := range c.Checks {
			got := true
			for _, f := range m.Findings {
				got = got && !(f.Field == names[name] && f.Problem == CheckDigit)
			}
			if got != want {
				t.Errorf("%s: %s is right: %v, want %v", c.ID, name, got, want)
			}
		}
	}
}

func TestNames(t *testing.T) {
	var f struct {
		Cases []struct {
			ID, Form, Viz string
			Field         string `json:"name_field"`
		}
	}
	if err := json.Unmarshal(testdata.Vectors(t, "mrz/names.json"), &f); err != nil {
		t.Fatal(err)
	}
	written := 0
	for _, c := range f.Cases {
		primary, secondary, _ := strings.Cut(c.Viz, ",")
		p, err1 := Transliterate(primary)
		s, err2 := Transliterate(secondary)
		if err1 != nil || err2 != nil {
			continue
		}
		field, truncated, err := NameField(p, s, len(c.Field))
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
			continue
		}
		if field == c.Field {
			written++
		} else if !truncated && len(p)+2+len(s) <= len(c.Field) && !strings.ContainsAny(c.Viz, ".()") {
			t.Errorf("%s: %s, want %s", c.ID, field, c.Field)
		}
	}
	if written < 10 {
		t.Errorf("only %d of %d names come out as the standard's examples", written, len(f.Cases))
	}
}

// The synthetic card of the Vietnamese profile, and its key.
func TestWriteTD1(t *testing.T) {
	m, err := WriteTD1(Card{
		Document: "ID", Issuer: "VNM", Number: "190000017", Optional1: "003190000017<<7", Birth: "900215", Sex: "F",
		Expiry: "300215", Nationality: "VNM", Primary: "NGUYEN", Secondary: "THI THU NGHIEM",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"IDVNM1900000174003190000017<<7", "9002155F3002153VNM<<<<<<<<<<<8", "NGUYEN<<THI<THU<NGHIEM<<<<<<<<"}
	if strings.Join(m.Lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(m.Lines, "\n"))
	}
	if m.KeyInfo() != "190000017490021553002153" || len(m.Findings) != 0 {
		t.Errorf("key %s, findings %v", m.KeyInfo(), m.Findings)
	}
}

func TestLongNumber(t *testing.T) {
	for _, n := range []string{"D231458907340", "1", "ABCDEFGHI", "ABCDEFGHIJ", "1234567890123456789012"} {
		m, err := WriteTD1(Card{Document: "I", Issuer: "UTO", Number: n, Birth: "900215", Sex: "M", Expiry: "300215", Nationality: "UTO", Primary: "A"})
		if err != nil {
			t.Fatal(n, err)
		}
		if m.Number != n || len(m.Findings) != 0 {
			t.Errorf("%s came back as %s with %v", n, m.Number, m.Findings)
		}
	}
	// Doc 9303-11 App. D: a number of nine characters; and one of eight, filled.
	if k := KeyInfo("L898902C", "690806", "940623"); k != "L898902C<369080619406236" {
		t.Error(k)
	}
}

func TestDates(t *testing.T) {
	for d, want := range map[Date]bool{
		"900215": true, "9002<<": true, "90<<<<": true, "<<<<<<": true, "000229": true, "010229": false, "901301": false,
		"900200": false, "90O215": false, "9002": false, "90<215": false, "<<0229": true,
	} {
		if d.Valid() != want {
			t.Errorf("%s: valid is %v", d, !want)
		}
	}
	at := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	if b, _ := Date("261126").Birth(at); b.Year() != 1926 {
		t.Error(b)
	}
	if b, _ := Date("261124").Birth(at); b.Year() != 2026 {
		t.Error(b)
	}
	if e, _ := Date("460101").Expiry(at); e.Year() != 2046 {
		t.Error(e)
	}
	if e, _ := Date("991231").Expiry(at); e.Year() != 1999 {
		t.Error(e)
	}
	if _, ok := Date("9002<<").Expiry(at); ok {
		t.Error("a date with unknown parts is a day")
	}
}

func TestParseKey(t *testing.T) {
	for _, text := range []string{
		"190000017;900215;300215", "IDVNM1900000174003190000017<<7\n9002155F3002153VNM<<<<<<<<<<<8\nNGUYEN<<THI<THU<NGHIEM<<<<<<<<\n",
	} {
		k, err := ParseKey(text)
		if err != nil || k.Info() != "190000017490021553002153" {
			t.Error(k.Info(), err)
		}
	}
	for _, text := range []string{
		"", ";;", "1;900215", "1;900215;3002155", "1;901315;300215", "a b;900215;300215",
		"IDVNM1900000175003190000017<<7\n9002155F3002153VNM<<<<<<<<<<<8\nNGUYEN<<THI<THU<NGHIEM<<<<<<<<",
	} {
		if _, err := ParseKey(text); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTransliterateVietnamese(t *testing.T) {
	base := map[string]string{
		"A": "ÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬ", "D": "Đ", "E": "ÈÉẺẼẸÊỀẾỂỄỆ", "I": "ÌÍỈĨỊ", "O": "ÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢ",
		"U": "ÙÚỦŨỤƯỪỨỬỮỰ", "Y": "ỲÝỶỸỴ",
	}
	n := 0
	for want, letters := range base {
		for _, r := range letters {
			n++
			for _, s := range []string{string(r), strings.ToLower(string(r))} {
				if got, err := Transliterate(s); err != nil || got != want {
					t.Errorf("%s became %q, %v", s, got, err)
				}
			}
		}
	}
	if n != 67 {
		t.Errorf("%d letters, there are 67", n)
	}
	if _, err := Transliterate("Нгуен"); err == nil {
		t.Error("Cyrillic is taken")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("IDVNM1900000174003190000017<<7\n9002155F3002153VNM<<<<<<<<<<<8\nNGUYEN<<THI<THU<NGHIEM<<<<<<<<")
	f.Add("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F1204159ZE184226B<<<<<10")
	f.Add("1;900215;300215")
	f.Fuzz(func(t *testing.T, s string) {
		if m, err := Parse(s); err == nil {
			_ = m.KeyInfo()
			_, _ = m.Birth.Birth(time.Unix(0, 0))
			_, _ = m.Expiry.Expiry(time.Unix(0, 0))
		}
		_, _ = ParseKey(s)
		_, _ = Transliterate(s)
	})
}
