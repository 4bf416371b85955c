package console

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/population"
)

// maxUpload bounds a form with a portrait, in octets: what a camera gives is made smaller in
// the browser.
const maxUpload = 2 << 20

// personFields are the fields of an application in the order in which one asks for them.
var personFields = []struct {
	Name     string
	Label    say
	Required bool
	Hint     say
	Kind     string // of the input
}{
	{"number", say{"Số định danh cá nhân", "Personal number"}, true, say{"12 chữ số", "12 digits"}, "digits"},
	{"surname", say{"Họ", "Family name"}, true, say{}, "text"},
	{"given", say{"Tên đệm và tên", "Middle and given names"}, false, say{}, "text"},
	{"sex", say{"Giới tính", "Sex"}, true, say{}, "sex"},
	{"birth", say{"Ngày sinh", "Date of birth"}, true, say{"ngày/tháng/năm; chỉ biết năm thì ghi năm", "day/month/year; the year alone where no more is known"}, "date"},
	{"nationality", say{"Quốc tịch", "Nationality"}, false, say{"để trống là Việt Nam", "empty is Việt Nam"}, "text"},
	{"origin", say{"Quê quán hoặc nơi đăng ký khai sinh", "Place of origin"}, true, say{}, "text"},
	{"residence", say{"Nơi cư trú", "Residence"}, true, say{}, "text"},
	{"ethnicity", say{"Dân tộc", "Ethnicity"}, false, say{}, "text"},
	{"religion", say{"Tôn giáo", "Religion"}, false, say{}, "text"},
	{"features", say{"Đặc điểm nhân dạng", "Distinguishing features"}, false, say{}, "text"},
	{"father", say{"Họ tên cha", "Father's name"}, false, say{}, "text"},
	{"mother", say{"Họ tên mẹ", "Mother's name"}, false, say{}, "text"},
	{"spouse", say{"Họ tên vợ hoặc chồng", "Spouse's name"}, false, say{}, "text"},
	{"expiry", say{"Có giá trị đến", "Valid until"}, false, say{"để trống là theo luật", "empty is as the law says"}, "date"},
}

// application is what the form of a new application shows.
type application struct {
	Fields  any
	Values  map[string]string
	Reasons []string
	Failure *Failure
	Wrong   string // the field that is wrong

	Face        portraitField
	Ethnicities []string
}

// newApplication shows the form. For a card that is to be replaced, what is known of its
// holder stands in it.
func (q *request) newApplication() error {
	old := strings.TrimSpace(q.FormValue("replaces"))
	p := &application{Values: map[string]string{"reason": "first"}}
	if old == "" {
		return q.applicationForm(http.StatusOK, p)
	}
	p.Values = map[string]string{"reason": q.FormValue("reason"), "replaces": old}
	card, err := q.office.Card(q.Context(), old)
	if err != nil {
		return err
	}
	// Once a card is handed over its portrait is destroyed, as is usual, and all is typed anew.
	if d, err := q.office.Draft(q.Context(), card.Application); err == nil {
		p.prefill(d)
	}
	return q.applicationForm(http.StatusOK, p)
}

func (p *application) prefill(d *desk.Draft) {
	w := d.Person
	for name, text := range map[string]string{
		"number": string(w.Number), "surname": w.Surname, "given": w.Given, "sex": w.Sex, "birth": w.Birth.Text(), "nationality": w.Nationality,
		"ethnicity": w.Ethnicity, "religion": w.Religion, "origin": w.Origin, "residence": w.Residence, "features": w.Features,
		"father": w.Father, "mother": w.Mother, "spouse": w.Spouse,
	} {
		p.Values[name] = text
	}
}

func (q *request) applicationForm(status int, p *application) error {
	p.Fields, p.Reasons, p.Face.Max, p.Ethnicities = personFields, issuance.EnrolReasons(), desk.MaxPortrait, population.Ethnicities()
	return q.renderStatus(status, "desk_new.html", p)
}

// enrol opens the application that the form describes. What is wrong with it is shown beside
// what was typed.
func (q *request) enrol() error {
	if err := q.form(); err != nil {
		return err
	}
	p := &application{Values: map[string]string{}}
	err := q.once(func() (string, error) {
		n, err := q.enrolment(p)
		if err != nil {
			return "", err
		}
		app, err := q.office.Enrol(q.Context(), n)
		if err != nil {
			return "", err
		}
		return "/desk/applications/" + app + "?new=1", nil
	})
	if err == nil {
		return nil
	}
	f, status := q.explain(err)
	if status >= http.StatusInternalServerError {
		return err
	}
	for name := range q.PostForm {
		p.Values[name] = q.FormValue(name)
	}
	p.Failure = &f
	p.Wrong = strings.TrimPrefix(f.Code, "field-")
	return q.applicationForm(status, p)
}

// enrolment reads the form.
func (q *request) enrolment(p *application) (n desk.Enrolment, err error) {
	picture, err := q.sentPortrait(&p.Face)
	if err != nil {
		return n, err
	}
	n.Portrait = picture
	fields := map[string]any{"expiry": nil}
	for _, f := range personFields {
		v := strings.TrimSpace(q.FormValue(f.Name))
		if f.Kind == "date" {
			v = isoDate(v)
		}
		if v != "" || f.Name != "expiry" && f.Name != "nationality" {
			fields[f.Name] = v
		}
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return n, err
	}
	if n.Person, err = vn.ParsePerson(text); err != nil {
		return n, fieldError(err)
	}
	n.Reason, n.Replaces, n.Profile = q.FormValue("reason"), strings.TrimSpace(q.FormValue("replaces")), desk.Profile
	if err := q.goodEnough(&p.Face, n.Portrait); err != nil {
		return n, err
	}
	n.Fingers, err = q.fingers()
	return n, err
}

// fingers is the file of fingerprints, nil without one.
func (q *request) fingers() ([]byte, error) {
	f, _, err := q.FormFile("fingers")
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if len(b) == 0 {
		return nil, err
	}
	return b, err
}

var errNoPortrait = &problem{"portrait", http.StatusConflict, say{"Chưa có ảnh chân dung", "There is no portrait"}, say{"Chọn tệp JPEG hoặc chụp bằng máy ảnh.", "Choose a JPEG file, or take it with the camera."}}

// fieldError says which field of a person is wrong, by its label.
func fieldError(err error) error {
	e, ok := errors.AsType[*vn.FieldError](err)
	if !ok {
		return errors.Join(errForm, err)
	}
	for _, f := range personFields {
		if f.Name == e.Field && f.Kind == "date" {
			return &problem{
				"field-" + f.Name, http.StatusConflict,
				say{"Ô “" + f.Label.vi + "” không phải là ngày dùng được", "“" + f.Label.en + "” is no date that can be used"},
				say{"Gõ ngày/tháng/năm, chẳng hạn 03/09/1990.", "Type day/month/year, such as 03/09/1990."},
			}
		}
		if f.Name == e.Field {
			return &problem{
				"field-" + f.Name, http.StatusConflict,
				say{"Sai ở ô “" + f.Label.vi + "”: " + strings.TrimPrefix(e.Vietnamese(), e.Field+": "), "“" + f.Label.en + "” is not right: " + e.Detail},
				say{"Sửa ô ấy rồi gửi lại. " + f.Hint.vi, "Correct it and send again. " + f.Hint.en},
			}
		}
	}
	return errors.Join(errForm, err)
}

// isoDate turns 03/09/1990 or 9/1990 into 1990-09-03 or 1990-09; other text stays, for the
// parser to judge.
func isoDate(v string) string {
	parts := strings.FieldsFunc(v, func(r rune) bool { return r == '/' || r == '.' || r == '-' })
	if len(parts) == 0 || len(parts[0]) == 4 {
		return v
	}
	for i, p := range parts {
		if len(p) == 1 {
			parts[i] = "0" + p
		}
	}
	out := parts[len(parts)-1]
	for i := len(parts) - 2; i >= 0; i-- {
		out += "-" + parts[i]
	}
	return out
}
