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
	Max     int
	Failure *Failure
}

func (q *request) newApplication() error { return q.applicationForm(http.StatusOK, nil, nil) }

func (q *request) applicationForm(status int, values map[string]string, f *Failure) error {
	if values == nil {
		values = map[string]string{"reason": "first"}
	}
	return q.renderStatus(status, "desk_new.html", application{personFields, values, issuance.EnrolReasons(), desk.MaxPortrait, f})
}

// enrol opens the application that the form describes. What is wrong with it is shown beside
// what was typed.
func (q *request) enrol() error {
	if err := q.ParseMultipartForm(maxUpload); err != nil {
		return errors.Join(errForm, err)
	}
	err := q.once(func() (string, error) {
		n, err := q.enrolment()
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
	values := map[string]string{}
	for name := range q.MultipartForm.Value {
		values[name] = q.FormValue(name)
	}
	return q.applicationForm(status, values, &f)
}

// enrolment reads the form.
func (q *request) enrolment() (n desk.Enrolment, err error) {
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
	file, _, err := q.FormFile("portrait")
	if err != nil {
		return n, errNoPortrait
	}
	defer file.Close()
	n.Portrait, err = io.ReadAll(file)
	return n, err
}

var errNoPortrait = &problem{"portrait", http.StatusConflict, say{"Chưa có ảnh chân dung", "There is no portrait"}, say{"Chọn tệp JPEG hoặc chụp bằng máy ảnh.", "Choose a JPEG file, or take it with the camera."}}

// fieldError says which field of a person is wrong, by its label.
func fieldError(err error) error {
	e, ok := errors.AsType[*vn.FieldError](err)
	if !ok {
		return errors.Join(errForm, err)
	}
	for _, f := range personFields {
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
