package synthetic

import (
	"math/rand/v2"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance/population"
)

// Dirt is one way in which register and application come to differ, and what must come of
// it. Apply makes the difference; it is false where the citizen has nothing to make it of.
type Dirt struct {
	Name  string
	Field string // the one that differs, as population.Finding names it
	Class population.Class
	Apply func(r *rand.Rand, c *Citizen) bool
}

// always is a change that every citizen takes.
func always(change func(r *rand.Rand, c *Citizen)) func(*rand.Rand, *Citizen) bool {
	return func(r *rand.Rand, c *Citizen) bool { change(r, c); return true }
}

// text is a change of a text of the record that must become another one.
func text(of func(*Citizen) *string, change func(*rand.Rand, string) string) func(*rand.Rand, *Citizen) bool {
	return func(r *rand.Rand, c *Citizen) bool {
		s := of(c)
		before := *s
		*s = change(r, before)
		return *s != before
	}
}

func name(c *Citizen) *string   { return &c.Record.Name }
func mother(c *Citizen) *string { return &c.Record.Mother }
func father(c *Citizen) *string { return &c.Record.Father }
func spouse(c *Citizen) *string { return &c.Record.Spouse }
func home(c *Citizen) *string   { return &c.Record.Residence.Detail }
func people(c *Citizen) *string { return &c.Record.Ethnicity }
func faith(c *Citizen) *string  { return &c.Record.Religion }

func upper(_ *rand.Rand, s string) string      { return strings.ToUpper(s) }
func decomposed(_ *rand.Rand, s string) string { return norm.NFD.String(s) }
func doubled(_ *rand.Rand, s string) string    { return strings.Replace(s, " ", "  ", 1) }
func silent(*rand.Rand, string) string         { return "" }

// moved writes the tone on the other vowel: hòa, hoà.
func moved(_ *rand.Rand, s string) string { return newPlace.Replace(s) }

var newPlace = strings.NewReplacer(
	"òa", "oà", "óa", "oá", "ỏa", "oả", "õa", "oã", "ọa", "oạ", "òe", "oè", "óe", "oé", "ỏe", "oẻ", "õe", "oẽ", "ọe", "oẹ",
	"ùy", "uỳ", "úy", "uý", "ủy", "uỷ", "ũy", "uỹ", "ụy", "uỵ",
)

func eth(_ *rand.Rand, s string) string { return strings.ReplaceAll(s, "Đ", "Ð") }

// unmarked leaves all marks away.
func unmarked(_ *rand.Rand, s string) string {
	s = strings.NewReplacer("Đ", "D", "đ", "d").Replace(s)
	var b strings.Builder
	for _, r := range norm.NFD.String(s) {
		if r < 0x300 || r > 0x36F {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// toned changes one tone, which makes another name.
func toned(_ *rand.Rand, s string) string {
	d := norm.NFD.String(s)
	for _, pair := range [][2]string{{"\u0300", "\u0301"}, {"\u0301", "\u0300"}, {"\u0309", "\u0303"}, {"\u0323", "\u0309"}, {"\u0303", "\u0309"}} {
		if i := strings.LastIndex(d, pair[0]); i >= 0 {
			return norm.NFC.String(d[:i] + pair[1] + d[i+len(pair[0]):])
		}
	}
	return s
}

// renamed takes another given name.
func renamed(r *rand.Rand, s string) string {
	words := strings.Fields(s)
	for words[len(words)-1] == s[strings.LastIndexByte(s, ' ')+1:] {
		words[len(words)-1] = pick(r, givensM)
	}
	return strings.Join(words, " ")
}

// Dirts are all of them. What one says of its class follows from what it changes, never
// from what a comparison made of it.
func Dirts() []Dirt {
	ok, bad := population.Explainable, population.Mismatch
	return []Dirt{
		{"name in capitals", "name", ok, text(name, upper)},
		{"name decomposed", "name", ok, text(name, decomposed)},
		{"name with two spaces", "name", ok, text(name, doubled)},
		{"name with moved tone", "name", ok, text(name, moved)},
		{"name with eth", "name", ok, text(name, eth)},
		{"mother in capitals", "mother", ok, text(mother, upper)},
		{"father decomposed", "father", ok, text(father, decomposed)},
		{"mother not known", "mother", ok, text(mother, silent)},
		{"spouse not known", "spouse", ok, text(spouse, silent)},
		{"year only", "birth", ok, always(func(_ *rand.Rand, c *Citizen) { c.Record.Birth.Month, c.Record.Birth.Day = 0, 0 })},
		{"year and month", "birth", ok, always(func(_ *rand.Rand, c *Citizen) { c.Record.Birth.Day = 0 })},
		{"dead district", "residence", ok, always(district)},
		{"dead district by code", "residence", ok, always(func(_ *rand.Rand, c *Citizen) { c.Record.Residence.District = "001" })},
		{"merged province", "residence", ok, merged},
		{"province in short", "residence", ok, short},
		{"ward in short", "residence", ok, text(home, func(_ *rand.Rand, s string) string {
			return strings.NewReplacer("Phường ", "P. ", "Xã ", "X. ").Replace(s)
		})},
		{"address in capitals", "residence", ok, text(home, upper)},
		{"people by number", "ethnicity", population.Match, func(_ *rand.Rand, c *Citizen) bool {
			c.Record.Ethnicity = "01"
			return c.Person.Ethnicity == "Kinh"
		}},
		{"people spelt otherwise", "ethnicity", ok, text(people, func(_ *rand.Rand, s string) string {
			return strings.NewReplacer("HMông", "H'Mông", "Khơ-me", "Khơ me", "Ê-đê", "Ê đê", "Gia-rai", "Gia rai").Replace(s)
		})},
		{"religion not known", "religion", ok, text(faith, silent)},

		{"another name", "name", bad, text(name, renamed)},
		{"name without marks", "name", bad, text(name, unmarked)},
		{"name of another tone", "name", bad, text(name, toned)},
		{"another father", "father", bad, text(father, renamed)},
		{"mother without marks", "mother", bad, text(mother, unmarked)},
		{"a spouse not applied with", "spouse", bad, func(r *rand.Rand, c *Citizen) bool {
			c.Record.Spouse = pick(r, surnames) + " " + pick(r, middlesF) + " " + pick(r, givensF)
			return c.Person.Spouse == ""
		}},
		{"sex", "sex", bad, always(func(_ *rand.Rand, c *Citizen) { c.Record.Sex = map[string]string{"M": "F", "F": "M"}[c.Record.Sex] })},
		{"another day", "birth", bad, always(func(_ *rand.Rand, c *Citizen) { c.Record.Birth.Day = c.Record.Birth.Day%28 + 1 })},
		{"day and month swapped", "birth", bad, func(_ *rand.Rand, c *Citizen) bool {
			b := &c.Record.Birth
			b.Day, b.Month = b.Month, b.Day
			return b.Month <= 12 && b.Month != b.Day
		}},
		{"another year", "birth", bad, always(func(_ *rand.Rand, c *Citizen) { c.Record.Birth.Year++ })},
		{"application knows the year only", "birth", bad, always(func(_ *rand.Rand, c *Citizen) { c.Person.Birth = vn.Date{Year: c.Person.Birth.Year} })},
		{"another province", "residence", bad, func(r *rand.Rand, c *Citizen) bool {
			before := c.Record.Residence.Province
			c.Record.Residence.Province = provinces[r.IntN(len(provinces))].code
			return c.Record.Residence.Province != before
		}},
		{"a province that is none", "residence", bad, always(func(_ *rand.Rand, c *Citizen) { c.Record.Residence.Province = "03" })},
		{"another house", "residence", bad, text(home, func(_ *rand.Rand, s string) string { return strings.Replace(s, "Số ", "Số 9", 1) })},
		{"ward by code only", "residence", bad, always(func(_ *rand.Rand, c *Citizen) {
			d := &c.Record.Residence
			d.Ward, d.Detail = "00001", d.Detail[:strings.LastIndex(d.Detail, ",")]
		})},
		{"another people", "ethnicity", bad, func(_ *rand.Rand, c *Citizen) bool {
			c.Record.Ethnicity = "Nùng"
			return true
		}},
		{"people by a number of none", "ethnicity", bad, always(func(_ *rand.Rand, c *Citizen) { c.Record.Ethnicity = "99" })},
		{"deceased", "person", bad, always(func(_ *rand.Rand, c *Citizen) { c.Record.Deceased = true })},
	}
}

// district puts a district between ward and province, as it was until July 2025.
func district(_ *rand.Rand, c *Citizen) {
	c.Record.Residence.District = "001"
	c.Record.Residence.Detail += ", Huyện Cũ"
}

// merged lets the register have the province of before July 2025.
func merged(r *rand.Rand, c *Citizen) bool {
	old := []struct{ code, today, kind string }{
		{"02", "Tuyên Quang", "Tỉnh "}, {"30", "Hải Phòng", "Thành phố "}, {"36", "Ninh Bình", "Tỉnh "}, {"49", "Đà Nẵng", "Thành phố "}, {"74", "Hồ Chí Minh", "Thành phố "},
	}[r.IntN(5)]
	at := strings.LastIndex(c.Person.Residence, ", ")
	c.Person.Residence = c.Person.Residence[:at] + ", " + old.kind + old.today
	c.Record.Residence.Province = old.code
	return true
}

// short lets the register write the province in words, in short, and without a code.
func short(_ *rand.Rand, c *Citizen) bool {
	at := strings.LastIndex(c.Person.Residence, ", ")
	c.Record.Residence.Province = ""
	c.Record.Residence.Detail += ", " + strings.NewReplacer("Thành phố ", "TP.", "Tỉnh ", "T. ").Replace(c.Person.Residence[at+2:])
	return true
}
