package verify

import (
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
)

// readNational reads what the country of the profile adds to Doc 9303, and says where
// it does not agree with itself. That is never a refusal: the state signed the data.
func (a *assessment) readNational() {
	if a.facts.zone == nil || a.profile.National != "vn" {
		return
	}
	raw, _ := a.data(13)
	reading := vn.Inspect(a.facts.zone, raw)
	a.facts.identity.Number = string(reading.Number)
	if d := reading.DG13; d != nil {
		a.facts.identity.Name = d.Value(vn.FieldName)
		a.facts.identity.Fields = vietnameseFields(d)
		if day, err := time.Parse("02/01/2006", d.Value(vn.FieldIssued)); err == nil {
			a.facts.issued, a.facts.source = day, 13
		}
	}
	var rules, mismatches []string
	for _, r := range reading.Disagrees {
		if strings.HasPrefix(string(r), "dg13-") && r != vn.RuleUnknown {
			mismatches = append(mismatches, string(r))
		} else {
			rules = append(rules, string(r))
		}
	}
	switch detail := strings.Join(slices.Concat(mismatches, rules), ", "); {
	case len(mismatches) > 0:
		a.set(CheckNational, Failed, ReasonNationalMismatch, detail)
	case len(rules) > 0:
		a.set(CheckNational, Failed, ReasonNationalRule, detail)
	default:
		a.set(CheckNational, Passed, "", "")
	}
}

// vietnameseNames are the stable names of DG13's fields that the zone does not hold.
var vietnameseNames = map[int]string{
	vn.FieldEthnicity: "ethnicity", vn.FieldReligion: "religion", vn.FieldOrigin: "origin", vn.FieldResidence: "residence",
	vn.FieldFeatures: "features", vn.FieldIssued: "issued", vn.FieldSpouse: "spouse", vn.FieldOldNumber: "old_number", vn.FieldSerial: "serial",
}

func vietnameseFields(d *vn.DG13) []Field {
	var list []Field
	for _, f := range d.Fields {
		if f.Number == vn.FieldParents {
			for i, name := range []string{"father", "mother"} {
				if i < len(f.Values) {
					list = append(list, Field{name, f.Values[i]})
				}
			}
			continue
		}
		if name := vietnameseNames[f.Number]; name != "" && len(f.Values) > 0 {
			list = append(list, Field{name, f.Values[0]})
		}
	}
	return list
}
