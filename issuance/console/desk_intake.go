package console

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/intake"
)

var (
	errNoIntake = &problem{"no-intake", http.StatusNotFound, say{"Cơ quan này chưa nhận hồ sơ từ cổng dịch vụ công", "This office takes nothing in from portals"}, say{"Người quản trị bật bằng `tamthe serve intake`.", "The administrator runs `tamthe serve intake`."}}
	errAmended  = &problem{"case-amended", http.StatusConflict, say{"Cổng đã sửa hồ sơ này sau khi bạn mở trang", "The portal amended this case after you opened the page"}, say{"Đọc lại nội dung dưới đây, đối chiếu người xin cấp rồi tiếp nhận.", "Read what it says now, compare the person, then take it over."}}
	errPresent  = &problem{"not-present", http.StatusConflict, say{"Chưa xác nhận người xin cấp có mặt", "It is not said that the person is here"}, say{"Đối chiếu người xin cấp với hồ sơ, rồi đánh dấu ô xác nhận.", "Compare the person with what was filed, then tick the box."}}
)

// stateNames are the states of cases that portals filed.
var stateNames = map[intake.State]say{
	intake.Waiting: {"chưa đủ thông tin", "incomplete"}, intake.Received: {"chờ đến quầy", "waits for the desk"},
}

// counter is the desk's side of what portals filed, for this request.
func (q *request) counter() (*desk.Counter, error) {
	if q.c.config.Intake == nil {
		return nil, errNoIntake
	}
	c := &desk.Counter{Office: q.office, Store: q.c.config.Intake}
	return c, c.Follow(q.Context())
}

// intakeList shows the cases that wait for the desk.
func (q *request) intakeList() error {
	c, err := q.counter()
	if err != nil {
		return err
	}
	cases, err := c.Store.Cases(q.Context(), intake.Received)
	if err != nil {
		return err
	}
	more := max(0, len(cases)-maxRows)
	return q.render("desk_intake.html", struct {
		Cases []intake.Case
		More  int
	}{cases[:len(cases)-more], more})
}

// intakePage is one case.
type intakePage struct {
	*desk.Filing
	State   say
	Person  []field
	Refuse  []string
	May     bool
	Face    portraitField
	Failure *Failure
}

// intakeCase shows one case with what it says of its person.
func (q *request) intakeCase() error { return q.showCase(http.StatusOK, &portraitField{}, nil) }

func (q *request) showCase(status int, face *portraitField, f *Failure) error {
	c, err := q.counter()
	if err != nil {
		return err
	}
	filing, err := c.Filing(q.Context(), q.PathValue("code"))
	if err != nil {
		return err
	}
	p := intakePage{Filing: filing, Refuse: desk.RefuseReasons(), Face: *face, Failure: f}
	p.Face.Max = desk.MaxPortrait
	p.State = stateNames[filing.Case.State]
	if p.State.en == "" {
		p.State = nameOf(phaseNames, string(filing.Case.State))
	}
	if filing.Message != nil {
		p.Person = personOf(&desk.Draft{Person: filing.Person, Issued: q.c.config.Now()}, q.lang)
		p.May = filing.Case.State == intake.Received && q.operator.May(issuance.Registrar)
	}
	return q.renderStatus(status, "desk_intake_case.html", p)
}

// importCase takes a case over: the person is here, and the officer adds the portrait.
func (q *request) importCase() error {
	if err := q.form(); err != nil {
		return err
	}
	var face portraitField
	err := q.once(func() (string, error) {
		c, err := q.counter()
		if err != nil {
			return "", err
		}
		if q.FormValue("present") == "" {
			return "", errPresent
		}
		n := desk.Enrolment{Profile: desk.Profile}
		if n.Portrait, err = q.sentPortrait(&face); err != nil {
			return "", err
		}
		if err := q.goodEnough(&face, n.Portrait); err != nil {
			return "", err
		}
		seen, err := strconv.Atoi(q.FormValue("seen"))
		if err != nil || seen < 1 {
			return "", errForm
		}
		app, err := c.ImportSeen(q.Context(), q.PathValue("code"), seen, n)
		if errors.Is(err, intake.ErrConflict) && app == "" {
			return "", errAmended
		}
		if app == "" {
			return "", err
		}
		return "/desk/applications/" + app + "?new=1", nil // what is left the next page does
	})
	if err == nil {
		return nil
	}
	f, status := q.explain(err)
	if status >= http.StatusInternalServerError {
		return err
	}
	return q.showCase(status, &face, &f)
}

// refuseCase refuses a case before it is taken over.
func (q *request) refuseCase() error {
	return q.once(func() (string, error) {
		c, err := q.counter()
		if err != nil {
			return "", err
		}
		if q.FormValue("reason") == "" {
			return "", errReason
		}
		return "/desk/intake", c.Refuse(q.Context(), q.PathValue("code"), q.FormValue("reason"))
	})
}
