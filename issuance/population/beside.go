package population

import (
	"strings"

	"github.com/tamthe/tamthe/card/profile/vn"
)

// Beside is a field of a Finding as the application and as the register has it, for people
// to look at; both are empty for a field that no text can say.
func Beside(field string, p vn.Person, r Record) (ours, theirs string) {
	place := func(p Place) string {
		return strings.Trim(strings.Join([]string{p.Detail, p.Ward, p.District, p.Province}, " | "), " |")
	}
	date := func(d vn.Date) string {
		if d.Year == 0 {
			return ""
		}
		return d.Text()
	}
	switch field {
	case "number":
		return string(p.Number), string(r.Number)
	case "name":
		return p.FullName(), r.Name
	case "sex":
		return p.Sex, r.Sex
	case "birth":
		return date(p.Birth), date(r.Birth)
	case "origin":
		return p.Origin, place(r.Origin)
	case "residence":
		return p.Residence, place(r.Residence)
	case "ethnicity":
		return p.Ethnicity, r.Ethnicity
	case "religion":
		return p.Religion, r.Religion
	case "father":
		return p.Father, r.Father
	case "mother":
		return p.Mother, r.Mother
	case "spouse":
		return p.Spouse, r.Spouse
	}
	return "", ""
}
