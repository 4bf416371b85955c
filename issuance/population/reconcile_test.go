package population

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
)

var today = time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)

func TestCompareText(t *testing.T) {
	for _, c := range []struct {
		application, register string
		class                 Class
		cause                 Cause
	}{
		{"Trần Văn Hòa", "Trần Văn Hòa", Match, Same},
		{"Trần Văn Hòa", "Tra\u0302\u0300n Va\u0306n Ho\u0300a", Explainable, NormalForm},
		{"Trần Văn Hòa", "Trần  Văn Hòa ", Explainable, Spaces},
		{"Trần Văn Hòa", "TRẦN VĂN HÒA", Explainable, LetterCase},
		{"Trần Văn Hòa", "TRẦN VĂN HOÀ", Explainable, TonePlace},
		{"Đặng Thúy", "ÐẶNG THUÝ", Explainable, LookAlike},
		{"Trần Văn Hòa", "TRAN VAN HOA", Mismatch, Marks},
		{"Trần Văn Hòa", "Trần Văn Hóa", Mismatch, Marks},
		{"Đặng Văn A", "DANG VAN A", Mismatch, Marks},
		{"Mỹ", "Mĩ", Mismatch, Different},
		{"Trần Văn Hòa", "Trần Hòa Văn", Mismatch, Different},
		{"Trần Văn Hòa", "Trần Vănhòa", Mismatch, Different},
		{"Nguyễn An", "Nguyễn Ân", Mismatch, Marks},
		{"Nguyễn Tú\u0300", "Nguyễn Tu\u0300\u0301", Mismatch, Marks}, // no such letter; not a place of one tone
	} {
		if class, cause := compareText(c.application, c.register); class != c.class || cause != c.cause {
			t.Errorf("%+q, %+q: %s, %s; want %s, %s", c.application, c.register, class, cause, c.class, c.cause)
		}
	}
}

func TestComparePlace(t *testing.T) {
	const home = "Số 3, đường Mẫu, Phường Ví Dụ, Tỉnh Gia Lai"
	for _, c := range []struct {
		application string
		register    Place
		class       Class
		cause       Cause
	}{
		{home, Place{Province: "64", Detail: "Số 3, đường Mẫu, Phường Ví Dụ"}, Match, Same},
		{home, Place{Province: "64", Detail: home}, Match, Same},
		{home, Place{Detail: home}, Match, Same},
		{home, Place{Province: "52", Detail: "Số 3, đường Mẫu, Phường Ví Dụ"}, Match, Same}, // 52 is Gia Lai since July 2025
		{home, Place{Detail: "Số 3, đường Mẫu, Phường Ví Dụ, Bình Định"}, Explainable, MergedProvince},
		{home, Place{Province: "01", Detail: home}, Mismatch, Different}, // code and words contradict
		{home, Place{Province: "03", Detail: home}, Mismatch, Different}, // a code of none
		{home, Place{Province: "64", District: "622", Detail: "Số 3, đường Mẫu, Phường Ví Dụ"}, Explainable, DeadDistrict},
		{home, Place{Province: "64", Detail: "Số 3, đường Mẫu, Phường Ví Dụ, TP. Pleiku"}, Explainable, DeadDistrict},
		{home, Place{Province: "64", District: "622", Ward: "23563", Detail: "Số 3, đường Mẫu"}, Mismatch, RegisterCode},
		{home, Place{Province: "64"}, Mismatch, Different},
		{home, Place{Province: "64", Ward: "23563"}, Mismatch, RegisterCode},
		{home, Place{Province: "64", Detail: "Số 3, đường Mẫu, P. Ví Dụ"}, Explainable, UnitWords},
		{home, Place{Province: "64", Detail: "Số 3, đường Mẫu, Xã Ví Dụ"}, Mismatch, Different},
		{home, Place{Province: "64", Detail: "Số 3, Phường Ví Dụ, đường Mẫu"}, Mismatch, Different},
		{home, Place{}, Explainable, RegisterSilent},
		{"", Place{Province: "64"}, Mismatch, ApplicationSilent},
		{" , ,", Place{Province: "64"}, Mismatch, ApplicationSilent},
		{"Số 3, Quận 1, Thành phố Hồ Chí Minh", Place{Province: "79", Detail: "Số 3, Quận 3"}, Mismatch, Different},
		{"Số 3, Quận 1, Thành phố Hồ Chí Minh", Place{Province: "79", District: "770", Detail: "Số 3"}, Mismatch, RegisterCode},
		{"Số 3, Quận 1, TP.HCM", Place{Province: "79", Detail: "Số 3, Quận 1"}, Mismatch, Different},
	} {
		if class, cause := comparePlace(c.application, c.register, today); class != c.class || cause != c.cause {
			t.Errorf("%s with %+v: %s, %s; want %s, %s", c.application, c.register, class, cause, c.class, c.cause)
		}
	}
}

func TestCompareDate(t *testing.T) {
	whole := vn.Date{Year: 1985, Month: 3, Day: 4}
	for _, c := range []struct {
		application, register vn.Date
		class                 Class
		cause                 Cause
	}{
		{whole, whole, Match, Same},
		{vn.Date{Year: 1985}, vn.Date{Year: 1985}, Match, Same},
		{whole, vn.Date{Year: 1985}, Explainable, PartialDate},
		{whole, vn.Date{Year: 1985, Month: 3}, Explainable, PartialDate},
		{whole, vn.Date{Year: 1985, Month: 4}, Mismatch, Different},
		{whole, vn.Date{Year: 1985, Month: 4, Day: 3}, Mismatch, DaySwapped},
		{vn.Date{Year: 1985}, whole, Mismatch, ApplicationDate},
		{vn.Date{Year: 1985, Month: 3}, whole, Mismatch, ApplicationDate},
		{whole, vn.Date{}, Mismatch, RegisterSilent},
		{whole, vn.Date{Year: 1986}, Mismatch, Different},
	} {
		if class, cause := compareDate(c.application, c.register); class != c.class || cause != c.cause {
			t.Errorf("%s with %s: %s, %s; want %s, %s", c.application, c.register, class, cause, c.class, c.cause)
		}
	}
}

func TestCompareEthnicityAndReligion(t *testing.T) {
	for _, c := range []struct {
		compare               func(a, b string) (Class, Cause)
		application, register string
		class                 Class
		cause                 Cause
	}{
		{compareEthnicity, "Kinh", "01", Match, Same},
		{compareEthnicity, "Mông", "08", Explainable, Spelling},
		{compareEthnicity, "H'Mông", "HMông", Explainable, Spelling},
		{compareEthnicity, "Tày", "01", Mismatch, Different},
		{compareEthnicity, "Kinh", "00", Mismatch, RegisterCode},
		{compareEthnicity, "Kinh", "55", Mismatch, RegisterCode},
		{compareEthnicity, "", "01", Mismatch, ApplicationSilent},
		{compareEthnicity, "Kinh", "", Explainable, RegisterSilent},
		{compareReligion, "Không", "00", Explainable, RegisterCode},
		{compareReligion, "Phật giáo", "00", Mismatch, RegisterCode},
		{compareReligion, "Phật giáo", "01", Mismatch, RegisterCode},
		{compareReligion, "Phật giáo", "Phật giáo", Match, Same},
	} {
		if class, cause := c.compare(c.application, c.register); class != c.class || cause != c.cause {
			t.Errorf("%q, %q: %s, %s; want %s, %s", c.application, c.register, class, cause, c.class, c.cause)
		}
	}
}

// Nothing found is the worst that can be found.
func TestWorst(t *testing.T) {
	for list, want := range map[string]Class{"": Mismatch, "m": Match, "me": Explainable, "emx": Mismatch} {
		var all []Finding
		for _, r := range list {
			all = append(all, Finding{Class: map[rune]Class{'m': Match, 'e': Explainable, 'x': Mismatch}[r]})
		}
		if got := Worst(all); got != want {
			t.Errorf("%q: %s, want %s", list, got, want)
		}
	}
}

func TestQuery(t *testing.T) {
	good := Query{
		Number: "003190000017", Name: "Nguyễn Thị Thử", Birth: vn.Date{Year: 1990}, Officer: "lan", Unit: "mau", Purpose: "issue", Request: "R-1",
	}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Query){
		"number": func(q *Query) { q.Number = "00319000001" }, "name": func(q *Query) { q.Name = " " }, "birth": func(q *Query) { q.Birth = vn.Date{} },
		"officer": func(q *Query) { q.Officer = "" }, "unit": func(q *Query) { q.Unit = "" }, "purpose": func(q *Query) { q.Purpose = "curiosity" },
		"request": func(q *Query) { q.Request = "" }, "a name in the officer's place": func(q *Query) { q.Officer = "Nguyễn Lan" },
		"a long request": func(q *Query) { q.Request = strings.Repeat("x", 65) }, "a long name": func(q *Query) { q.Name = strings.Repeat("x", MaxText+1) },
	} {
		q := good
		spoil(&q)
		if err := q.Check(); !errors.Is(err, ErrQuery) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s := fmt.Sprintf("%v %+v %#v %s", good, good, Record{Name: good.Name}, Record{Name: good.Name}); strings.Contains(s, "003190") || strings.Contains(s, "Nguyễn") {
		t.Errorf("printed: %s", s)
	}
	for name, same := range map[string]bool{"NGUYỄN THỊ THỬ": true, "Nguyễn  Thị Thử": true, "Nguyễn Thị Thư": false, "Nguyễn Thị": false} {
		if got := (Record{Number: good.Number, Name: name, Birth: vn.Date{Year: 1990, Month: 2}}).Confirms(good); got != same {
			t.Errorf("%s: %t", name, got)
		}
	}
	if (Record{Number: good.Number, Name: good.Name, Birth: vn.Date{Year: 1991}}).Confirms(good) {
		t.Error("another year is the same person")
	}
}

// No text makes the comparison fail, and what it calls the same is the same.
func FuzzReconcile(f *testing.F) {
	f.Add("Nguyễn Thị Hòa", "NGUYỄN THỊ HOÀ", "Số 3, P.1, TP.Huế", "Số 3", "46", "HMông", "08")
	f.Add("", "", ",", ";", "00", "", "\xff")
	f.Fuzz(func(t *testing.T, a, b, place, detail, code, people, faith string) {
		p := vn.Person{Given: a, Residence: place, Origin: detail, Ethnicity: people, Religion: faith}
		r := Record{Name: b, Residence: Place{Province: code, Detail: detail}, Origin: Place{Detail: place}, Ethnicity: faith, Religion: code}
		for _, got := range Reconcile(p, r, today) {
			if got.Field == "name" && got.Class == Match && strings.TrimSpace(a) != strings.TrimSpace(b) && (spaced(a) != "" || spaced(b) != "") {
				t.Errorf("%+q and %+q match", a, b)
			}
		}
	})
}
