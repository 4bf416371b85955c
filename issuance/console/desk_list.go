package console

import (
	"slices"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
)

// row is an application in the list, with what is to be done next and by whom.
type row struct {
	*desk.Application
	Name  string // of the person; only of open applications
	Stand issuance.Phase
	Next  say
	By    issuance.Role
	Mine  bool // the operator may do it
}

// nextSteps say what comes after each state of an application or of its card.
var nextSteps = map[issuance.Phase]struct {
	what say
	by   issuance.Role
}{
	issuance.Enrolled: {say{"Duyệt", "Approve"}, issuance.Approver}, issuance.Differing: {say{"Xem chỗ lệch", "Look at the difference"}, issuance.Approver},
	issuance.Suspected: {say{"Xem người trùng sinh trắc", "Decide who it is"}, issuance.Approver},
	issuance.Approved:  {say{"Làm thẻ", "Make the card"}, issuance.Personaliser}, issuance.Locked: {say{"Kiểm tra thẻ", "Check the card"}, issuance.Inspector},
	issuance.Printed: {say{"Kiểm tra thẻ", "Check the card"}, issuance.Inspector}, issuance.Checked: {say{"Trả thẻ", "Hand the card over"}, issuance.Clerk},
	issuance.Arrived: {say{"Trả thẻ", "Hand the card over"}, issuance.Clerk}, issuance.InTransit: {say{"Đợi thẻ đến", "Wait for the card"}, issuance.Clerk},
	issuance.Failed: {say{"Bỏ thẻ hỏng", "Spoil the card"}, issuance.Inspector}, issuance.Disputed: {say{"Giải quyết khiếu nại", "Settle the complaint"}, issuance.Approver},
}

// stand is where an application stands: where its card does, once there is one.
func stand(a *desk.Application, cards map[string]issuance.Phase) issuance.Phase {
	if phase, ok := cards[a.Card]; ok && a.Phase == issuance.Personalising {
		return phase
	}
	return a.Phase
}

// next says what comes next of an application.
func (q *request) next(r *row) {
	step, ok := nextSteps[r.Stand]
	switch {
	case ok:
	case r.Phase == issuance.Personalising: // whatever the card's state is, making it goes on
		step = nextSteps[issuance.Approved]
		step.what = say{"Làm tiếp thẻ", "Go on with the card"}
	default:
		return
	}
	r.Next, r.By, r.Mine = step.what, step.by, q.operator.May(step.by)
}

// openPhases are those of applications that somebody waits for.
var openPhases = []issuance.Phase{issuance.Enrolled, issuance.Differing, issuance.Suspected, issuance.Approved, issuance.Personalising, issuance.Disputed}

// maxRows bounds a list.
const maxRows = 200

// list shows the open applications, with ?late those whose term is over, with ?all those that
// have ended.
func (q *request) list() error {
	ended, late := q.FormValue("all") != "", q.FormValue("late") != ""
	phases := openPhases
	if ended {
		phases = []issuance.Phase{issuance.Issued, issuance.Rejected, issuance.Cancelled}
	}
	apps, err := q.office.Applications(q.Context(), phases...)
	if err != nil {
		return err
	}
	if late {
		apps = slices.DeleteFunc(apps, func(a *desk.Application) bool { return !a.Late })
	}
	slices.SortFunc(apps, func(a, b *desk.Application) int { return b.Enrolled.Compare(a.Enrolled) })
	more := max(0, len(apps)-maxRows)
	cards, err := q.cards()
	if err != nil {
		return err
	}
	var rows []*row
	for _, a := range apps[:len(apps)-more] {
		r := &row{Application: a, Stand: stand(a, cards)}
		q.next(r)
		if !ended && slices.ContainsFunc(personRoles, q.operator.May) {
			if d, err := q.office.Draft(q.Context(), a.ID); err == nil {
				r.Name = d.Person.FullName()
			}
		}
		rows = append(rows, r)
	}
	return q.render("desk_list.html", struct {
		Rows   []*row
		Ended  bool
		Late   bool
		More   int
		Enrol  bool
		Intake bool
	}{rows, ended, late, more, q.operator.May(issuance.Registrar), q.c.config.Intake != nil})
}

// cards are the states of all cards by name.
func (q *request) cards() (map[string]issuance.Phase, error) {
	list, err := q.office.Cards(q.Context())
	if err != nil {
		return nil, err
	}
	cards := map[string]issuance.Phase{}
	for _, s := range list {
		cards[s.Stream.ID] = s.Phase
	}
	return cards, nil
}
