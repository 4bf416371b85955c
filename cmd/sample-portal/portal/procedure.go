package portal

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance/intake"
)

// row is a line that a page shows.
type row struct{ Name, Label, Text string }

// added are what the card does not say and the citizen types.
var added = []struct {
	name  string
	words intake.Words
}{
	{"religion", intake.Words{VI: "Tôn giáo", EN: "Religion"}},
	{"features", intake.Words{VI: "Đặc điểm nhân dạng", EN: "Features"}},
	{"father", intake.Words{VI: "Họ tên cha", EN: "Father's name"}},
	{"mother", intake.Words{VI: "Họ tên mẹ", EN: "Mother's name"}},
	{"spouse", intake.Words{VI: "Họ tên vợ hoặc chồng", EN: "Spouse's name"}},
}

// reasons are those for which this portal takes applications.
var reasons = []struct {
	name  string
	words intake.Words
}{
	{"damaged", intake.Words{VI: "thẻ bị hư hỏng", EN: "the card is damaged"}},
	{"lost", intake.Words{VI: "bị mất thẻ", EN: "the card was lost"}},
	{"request", intake.Words{VI: "theo yêu cầu", EN: "at my request"}},
}

func (p *Portal) account(q *request) error {
	who, err := q.citizen()
	if err != nil {
		return err
	}
	var page struct {
		Level                 string
		Told, Added, Why      []row
		Surname, Given, Birth string
		Cases                 []row
	}
	page.Level = who.level
	if w, ok := levels[who.level]; ok {
		page.Level = w.In(q.lang)
	}
	for _, f := range fields {
		if v := who.told[f.claim]; v != "" {
			page.Told = append(page.Told, row{f.claim, f.words.In(q.lang), shown(f.claim, v, q.lang)})
		}
	}
	for _, a := range added {
		page.Added = append(page.Added, row{a.name, a.words.In(q.lang), ""})
	}
	for _, r := range reasons {
		page.Why = append(page.Why, row{r.name, r.words.In(q.lang), ""})
	}
	page.Surname, page.Given, _ = strings.Cut(who.told["name"], " ")
	for _, k := range p.c.Outbox.Of(who.subject) {
		page.Cases = append(page.Cases, row{k.Name, k.Name, k.said(q.lang)})
	}
	p.render(q, "account", http.StatusOK, page)
	return nil
}

// levels say for people how far a login vouches for who it was.
var levels = map[string]intake.Words{
	"possession": {VI: "người đăng nhập có thẻ thật", EN: "whoever logged in had the genuine card"},
	"holder":     {VI: "đã đối chiếu người với thẻ", EN: "bearer and card were compared"},
}

// shown is what the card said, as people write it.
func shown(claim, value, lang string) string {
	switch claim {
	case "gender":
		if w, ok := map[string]intake.Words{"male": {VI: "Nam", EN: "male"}, "female": {VI: "Nữ", EN: "female"}}[value]; ok {
			return w.In(lang)
		}
	case "birthdate", "document_expiry":
		if d, err := time.Parse(time.DateOnly, value); err == nil {
			return d.Format("02/01/2006")
		}
	case "nationality":
		if value == "VNM" {
			return "Việt Nam"
		}
	}
	return value
}

// person is what the citizen files: what the card said stays as the card said it.
func (who *citizen) person(form func(string) string) ([]byte, error) {
	surname, given := strings.TrimSpace(form("surname")), strings.TrimSpace(form("given"))
	if strings.TrimSpace(surname+" "+given) != who.told["name"] {
		return nil, &vn.FieldError{Field: "name"}
	}
	nationality := who.told["nationality"]
	if nationality == "VNM" {
		nationality = "Việt Nam"
	}
	doc := map[string]string{
		"number": who.told["number"], "surname": surname, "given": given, "birth": who.told["birthdate"],
		"sex": map[string]string{"male": "M", "female": "F"}[who.told["gender"]], "nationality": nationality,
		"ethnicity": who.told["ethnicity"], "origin": who.told["origin"], "residence": who.told["residence"],
	}
	for _, a := range added {
		doc[a.name] = strings.TrimSpace(form(a.name))
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	_, err = vn.ParsePerson(b)
	return b, err
}

func (p *Portal) file(q *request) error {
	who, err := q.citizen()
	if err != nil {
		return err
	}
	reason := q.PostFormValue("reason")
	if !slices.ContainsFunc(reasons, func(r struct {
		name  string
		words intake.Words
	},
	) bool {
		return r.name == reason
	}) {
		return &problem{http.StatusBadRequest, intake.Words{VI: "Hãy chọn lý do.", EN: "Say why."}, "reason"}
	}
	person, err := who.person(q.PostFormValue)
	if err != nil {
		code := "person"
		if f, ok := errors.AsType[*vn.FieldError](err); ok {
			code += " " + f.Field
		}
		return &problem{http.StatusBadRequest, intake.Words{VI: "Tờ khai chưa đúng. Hãy xem lại và gửi lần nữa.", EN: "Something in the form is not right. Look at it and send it again."}, code}
	}
	name := "K-" + random()[:16]
	err = p.c.Outbox.put(name, who.subject, p.c.Intake, intake.Message{
		Request: name + "-1", Case: name, Act: intake.File, Revision: 1, Purpose: p.c.Purpose, Time: p.c.Now().UTC(), Reason: reason, Person: person,
		Login: &intake.Login{Issuer: p.c.EID, Level: who.level, ID: who.nonce},
	})
	if err != nil {
		return err
	}
	p.c.Outbox.Flush(q.Context(), p.c.Intake, p.c.Now()) // most often the receipt is there at once
	return q.redirect("/cases/" + name)
}

// own is a case of the citizen's who is logged in; nobody else learns that there is one.
func (p *Portal) own(q *request) (*Case, error) {
	who, err := q.citizen()
	if err != nil {
		return nil, err
	}
	k := p.c.Outbox.get(q.PathValue("case"))
	if k == nil || k.Subject != who.subject {
		return nil, &problem{http.StatusNotFound, intake.Words{VI: "Không có hồ sơ này.", EN: "There is no such case."}, "unknown"}
	}
	return k, nil
}

func (p *Portal) show(q *request) error {
	k, err := p.own(q)
	if err != nil {
		return err
	}
	p.c.Outbox.Flush(q.Context(), p.c.Intake, p.c.Now())
	k = p.c.Outbox.get(k.Name)
	page := struct {
		Name, Said, Next, Paper, Code string
		Open                          bool
	}{Name: k.Name, Said: k.said(q.lang), Open: k.State.Open()}
	if k.Receipt != nil {
		page.Paper, page.Code, page.Next = k.Receipt.Paper.In(q.lang), k.Receipt.Code, k.State.Next(q.lang)
	}
	p.render(q, "case", http.StatusOK, page)
	return nil
}

func (p *Portal) withdraw(q *request) error {
	k, err := p.own(q)
	if err != nil {
		return err
	}
	err = p.c.Outbox.put(k.Name, k.Subject, p.c.Intake, intake.Message{
		Request: k.Name + "-w", Case: k.Name, Act: intake.Withdraw, Purpose: p.c.Purpose, Time: p.c.Now().UTC(),
	})
	if err != nil {
		return err
	}
	p.c.Outbox.Flush(q.Context(), p.c.Intake, p.c.Now())
	return q.redirect("/cases/" + k.Name)
}
