package console

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
)

// dg13Names are the names of DG13's fields, by their numbers.
var dg13Names = map[int]string{
	vn.FieldNumber: "number", vn.FieldName: "name", vn.FieldBirth: "birth", vn.FieldSex: "sex", vn.FieldNationality: "nationality",
	vn.FieldEthnicity: "ethnicity", vn.FieldReligion: "religion", vn.FieldOrigin: "origin", vn.FieldResidence: "residence",
	vn.FieldFeatures: "features", vn.FieldIssued: "issued", vn.FieldExpiry: "expiry", vn.FieldParents: "parents",
	vn.FieldSpouse: "spouse", vn.FieldOldNumber: "old number", vn.FieldSerial: "serial",
}

// made is exactly what a card will say: the groups are written and read again, so that what
// is shown is what a reader will show.
type made struct {
	DG1                   []string
	DG13                  []shownField
	Expires               string
	Profile, Reason       string
	Portrait              string // digest
	Octets, Width, Height int
	Flaws                 []flaw
	Fingers               bool
}

type shownField struct{ Name, Value string }

// whatIsMade is what an application asks for.
func (q *request) whatIsMade(d *desk.Draft) (*made, error) {
	expiry := d.Person.ExpiryAt(d.Issued)
	zone, err := vn.WriteMRZ(d.Person, expiry)
	if err != nil {
		return nil, err
	}
	raw, err := vn.EncodeDG13(d.Person, vn.Issue{Issued: d.Issued, Expiry: expiry, Serial: d.Serial})
	if err != nil {
		return nil, err
	}
	dg13, err := vn.ParseDG13(raw)
	if err != nil {
		return nil, err
	}
	m := &made{
		DG1: zone.Lines, Expires: expiry.Text(), Profile: d.Profile, Reason: d.Reason, Octets: len(d.Portrait),
		Fingers: d.Fingers != nil, Flaws: flaws(q.Context(), d.Portrait),
	}
	_, m.Width, m.Height = lds.Picture(d.Portrait)
	sum := sha256.Sum256(d.Portrait)
	m.Portrait = hex.EncodeToString(sum[:])
	for _, f := range dg13.Fields {
		if text := strings.Join(f.Values, " · "); text != "" {
			m.DG13 = append(m.DG13, shownField{dg13Names[f.Number], text})
		}
	}
	return m, nil
}

// beaten is what became of an approval that came too late: who was faster.
func (q *request) beaten(app string, late error) error {
	_, state := errors.AsType[*issuance.TransitionError](late)
	if !state && !errors.Is(late, issuance.ErrConflict) {
		return late
	}
	a, err := q.office.Application(q.Context(), app)
	if err != nil {
		return late
	}
	for _, h := range slices.Backward(a.History) {
		switch h.Act {
		case issuance.Enrol, issuance.Change:
			return late
		case issuance.Approve:
			if h.Operator == q.operator.Name {
				return late
			}
			return alreadyApproved(h.Operator)
		}
	}
	return late
}
