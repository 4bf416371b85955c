package verify

import (
	"testing"

	"github.com/tamthe/tamthe/card/lds"
)

// What tests outside of the package need of those inside.

// Hostile is text that no screen, no JSON and no page may show as it is.
const Hostile = hostile + `"><img src=x onerror=alert(1)></title></style><script>alert(2)</script>{{.}}&lt;` + "`javascript:`"

// Samples are reports whose every part is filled, by name.
func Samples(t testing.TB) map[string]*Report {
	portrait := &lds.Face{Image: testPortrait(t)}
	list := map[string]*Report{
		"accept": sampleReport(Accept, Check{ID: CheckOutlived, Outcome: Failed, Reason: ReasonOutlived}),
		"refuse": sampleReport(Refuse, Check{ID: CheckAA, Outcome: Failed, Reason: ReasonChipKeyMismatch}),
		"refer":  sampleReport(Refer, Check{ID: CheckChain, Outcome: Undetermined, Reason: ReasonCSCAUnknown}),
	}
	for _, r := range list {
		r.portrait = portrait
	}
	return list
}

// MakeHostile puts Hostile wherever a card or a certificate may put text, a portrait that
// is none among it.
func (r *Report) MakeHostile() {
	i := &r.identity
	for _, s := range []*string{&i.DocumentNumber, &i.Number, &i.Surname, &i.Given, &i.Name, &i.Birth, &i.Sex, &i.Nationality, &i.Expiry} {
		*s = Hostile
	}
	d := &r.Document
	for _, s := range []*string{&d.Type, &d.State, &d.Profile, &d.Hash, &d.Signer, &d.CSCA, &d.Store} {
		*s = Hostile
	}
	for k := range r.Checks {
		r.Checks[k].Detail = Hostile
	}
	r.status = &statusAnswer{StatusAnswer: StatusAnswer{State: StateActive, AsOf: r.At, Source: Hostile}}
	r.Session.Access, r.Session.PACE = Hostile, Hostile
}

// SetPortrait replaces the portrait.
func (r *Report) SetPortrait(image []byte) { r.portrait = &lds.Face{Image: image} }
