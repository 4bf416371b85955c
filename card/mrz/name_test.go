package mrz

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/tamthe/tamthe/testdata"
)

// zone wraps a field of a name in a zone.
func zone(t *testing.T, field string) *MRZ {
	t.Helper()
	lines := map[int][]string{
		30: {"I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", field},
		31: {"I<UTO" + field, "D231458907UTO7408122F1204159<<<<<<<6"},
		39: {"P<UTO" + field, "L898902C36UTO7408122F1204159ZE184226B<<<<<10"},
	}[len(field)]
	m, err := Parse(strings.Join(lines, "\n"))
	if err != nil {
		t.Fatal(field, err)
	}
	return m
}

// Every example of Doc 9303 is recognised as its holder's; those that fit are written so.
func TestNameVectors(t *testing.T) {
	var f struct {
		Cases []struct {
			ID, Viz string
			Field   string `json:"name_field"`
		}
	}
	if err := json.Unmarshal(testdata.Vectors(t, "mrz/names.json"), &f); err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Cases {
		primary, secondary, _ := strings.Cut(c.Viz, ",")
		p, err1 := Transliterate(primary)
		s, err2 := Transliterate(secondary)
		field, cut, err := nameField(p, s, len(c.Field))
		if err = errors.Join(err1, err2, err); err != nil {
			t.Errorf("%s: %v", c.ID, err)
			continue
		}
		if fits := len(p)+2+len(s) <= len(c.Field) || s == ""; fits == cut || fits && field != c.Field {
			t.Errorf("%s: %s, want %s", c.ID, field, c.Field)
		}
		for _, line := range []string{field, c.Field} {
			if same, truncated := zone(t, line).NameIs(p + " " + s); !same && !truncated {
				t.Errorf("%s: %s is not of %s", c.ID, line, c.Viz)
			}
			if same, truncated := zone(t, line).NameIs("X" + p + " " + s); same || truncated {
				t.Errorf("%s: %s is of X%s", c.ID, line, c.Viz)
			}
		}
	}
}

func TestNameField(t *testing.T) {
	for _, tt := range []struct {
		primary, secondary, want string
		cut                      bool
	}{
		{"NGUYEN", "THI THU NGHIEM", "NGUYEN<<THI<THU<NGHIEM<<<<<<<<", false},
		{"PAPANDROPOULOUS", "JONATHON ALEC", "PAPANDROPOULOUS<<JONATHON<ALEC", false},
		{"NGUYEN", "THI PHUONG THAO NGUYEN HUONG", "NGUYEN<<THI<PHUONG<THAO<NGUYEN", true},
		{"NGUYEN", "THI PHUONG THAO NGUYE HUONG", "NGUYEN<<THI<PHUONG<THAO<NGUY<H", true}, // the cut would end in a filler
		{"TON NU", "A B C D E F G H I K L M N", "TON<N<<A<B<C<D<E<F<G<H<I<K<L<M", true},
		{"BENNELONG WOOLOOMOOLOO WARRANDYTE", "DINGO", "BENNELONG<WOOLOOMOOLOO<WARR<<D", true},
		{"BENNELONG WOOLOOMOOLOO WARR", "DINGO", "BENNELONG<WOOLOOMOOLOO<WARR<<D", true},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHI", "", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCD", true},
		{"SATRIYA", "", "SATRIYA<<<<<<<<<<<<<<<<<<<<<<<", false},
	} {
		got, cut, err := nameField(tt.primary, tt.secondary, 30)
		if err != nil || got != tt.want || cut != tt.cut {
			t.Errorf("%s, %s: %s, %v, %v", tt.primary, tt.secondary, got, cut, err)
		}
		if same, truncated := zone(t, got).NameIs(tt.primary + " " + tt.secondary); same == tt.cut || truncated != tt.cut {
			t.Errorf("%s: same %v, truncated %v", got, same, truncated)
		}
	}
	var e *FieldError
	for _, name := range [][2]string{{"", "ANNA"}, {"NGUYỄN", ""}, {"NGUYEN", "THI 2"}, {"nguyen", ""}} {
		if _, _, err := nameField(name[0], name[1], 30); !errors.As(err, &e) || e.Field != Name {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// Any name of letters comes back whole, or cut and full and recognised.
func FuzzNameField(f *testing.F) {
	f.Add("NGUYEN", "THI PHUONG THAO NGUYE HUONG")
	f.Add("A B C D E F G H I J K L M N O P Q R", "S T U V W X Y Z")
	f.Add("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHI", "A")
	f.Fuzz(func(t *testing.T, p, s string) {
		field, cut, err := nameField(p, s, 30)
		if err != nil {
			return
		}
		name := strings.ReplaceAll(p+" "+s, "<", " ")
		if same, truncated := zone(t, field).NameIs(name); len(field) != 30 || same == cut || truncated != cut {
			t.Fatalf("%q, %q: %s, cut %v, same %v, truncated %v", p, s, field, cut, same, truncated)
		}
	})
}

func TestNameIs(t *testing.T) {
	m := zone(t, "NGUYEN<<THI<THU<NGHIEM<<<<<<<<")
	for name, want := range map[string]bool{
		"NGUYEN THI THU NGHIEM": true, "NGUYEN  THI THU NGHIEM ": true, "NGUYEN THI THU": false, "NGUYEN THI THU NGHIEM A": false, "": false,
	} {
		if same, truncated := m.NameIs(name); same != want || truncated {
			t.Errorf("%q: %v, %v", name, same, truncated)
		}
	}
	for _, line := range []string{"NGUYEN<<THI<PHUONG<THAO<NGUYEN", "NGUYEN<<THI<PHUONG<THAO<NGUYE<", "NGUYEN<<THI<PHUO<THAO<NGUYEN<H"} {
		if _, truncated := zone(t, line).NameIs("NGUYEN THI PHUONG THAO NGUYEN HUONG"); !truncated {
			t.Errorf("%s is no cut name", line)
		}
		if same, truncated := zone(t, line).NameIs("NGUYEN THI PHUONG THUY NGUYEN HUONG"); same || truncated {
			t.Errorf("%s is another's", line)
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
			for _, s := range []string{string(r), strings.ToLower(string(r))} {
				n++
				for _, form := range []norm.Form{norm.NFC, norm.NFD} {
					if got, err := Transliterate(form.String(s)); err != nil || got != want {
						t.Errorf("%+q became %q, %v", form.String(s), got, err)
					}
				}
			}
		}
	}
	if n != 134 {
		t.Errorf("%d letters, there are 134", n)
	}
}

func TestTransliterateTable(t *testing.T) {
	var f struct {
		Latin map[string]struct {
			Char    string
			Allowed []string
		}
	}
	if err := json.Unmarshal(testdata.Vectors(t, "mrz/transliteration.json"), &f); err != nil {
		t.Fatal(err)
	}
	for code, c := range f.Latin {
		if got, err := Transliterate(c.Char); err != nil || !slices.Contains(c.Allowed, got) {
			t.Errorf("%s %s became %q, %v; the table has %q", code, c.Char, got, err, c.Allowed)
		}
	}
}

func TestTransliterate(t *testing.T) {
	for name, want := range map[string]string{
		"Nguyễn Thị Thử Nghiệm": "NGUYEN THI THU NGHIEM", " Đặng  Đình-Đức ": "DANG DINH DUC", "H'Mông": "HMONG", "Ê‐đê": "E DE",
		"Groß, J.R.": "GROSS JR", "K`Brơi": "KBROI", "H´Ning": "HNING", "D’Artagnan (Anna)": "DARTAGNAN ANNA", "Iıß": "IISS", "": "", "\u00a0a\u3000b": "A B",
	} {
		if got, err := Transliterate(name); err != nil || got != want {
			t.Errorf("%q became %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"Нгуен", "An1", "An\x1b[31m", "An\u202eb", "A\uFFFD", "\xff", "TrÇn V¨n A", "NguyÔn ®«ng", "a\nb", "ſ", "A·B", "A/B"} { // one in TCVN3
		_, err := Transliterate(name)
		var e *FieldError
		if !errors.As(err, &e) {
			t.Errorf("%q: %v", name, err)
		} else if strings.ContainsAny(err.Error(), "\x1b\u202e\n") {
			t.Errorf("%q: the error shows it raw", name)
		}
	}
}

// What comes out is letters and single spaces, and comes out again.
func FuzzTransliterate(f *testing.F) {
	f.Add("Nguyễn Thị Thử Nghiệm")
	f.Add(norm.NFD.String("Đặng  Đình-Đức"))
	f.Add("Ĳsselmeer, Groß J.R.")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := Transliterate(s)
		if err != nil {
			return
		}
		for _, word := range strings.Split(got, " ") {
			if strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || word == "" && got != "" {
				t.Fatalf("%+q became %q", s, got)
			}
		}
		if again, err := Transliterate(got); err != nil || again != got {
			t.Fatalf("%q became %q, %v", got, again, err)
		}
	})
}
