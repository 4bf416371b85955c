package console

import (
	"slices"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
)

// auditOperators lists whoever may act or ever could.
func (q *request) auditOperators() error {
	list, err := q.office.Operators(q.Context())
	if err != nil {
		return err
	}
	persons := map[string]int{}
	for _, o := range list {
		if o.Active {
			persons[o.Person]++
		}
	}
	type row struct {
		issuance.Operator
		Keys int // active ones of the same person
	}
	var rows []row
	for _, o := range list {
		rows = append(rows, row{o, persons[o.Person]})
	}
	return q.render("audit_operators.html", rows)
}

// deedRows bounds what is shown of one operator's acts.
const deedRows = 500

// auditDeeds lists what was signed with the keys of one operator, newest first.
func (q *request) auditDeeds() error {
	var from time.Time
	text := q.FormValue("from")
	if text != "" {
		var err error
		if from, err = time.ParseInLocation(time.DateOnly, text, q.c.config.Now().Location()); err != nil {
			return errQuery
		}
	}
	list, err := q.office.Deeds(q.Context(), q.PathValue("name"), from)
	if err != nil {
		return err
	}
	data := struct {
		Name, From string
		Rows       []desk.Deed
		Count      map[string]int // by what the acts are called
		All        int
		Suspect    int
		More       int
	}{Name: q.PathValue("name"), From: text, All: len(list), Count: map[string]int{}}
	for _, d := range list {
		data.Count[nameOfActOf(d.Stream.Kind, d.Act).in(q.lang)]++
		if d.Suspect {
			data.Suspect++
		}
	}
	slices.Reverse(list)
	data.Rows = list[:min(deedRows, len(list))]
	data.More = len(list) - len(data.Rows)
	return q.render("audit_deeds.html", data)
}

// auditConflicts lists what two logs cannot both be right about, and nobody has settled.
func (q *request) auditConflicts() error {
	list, err := q.office.OpenConflicts(q.Context())
	if err != nil {
		return err
	}
	return q.render("audit_conflicts.html", list)
}
