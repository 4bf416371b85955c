package issuance_test

import (
	"errors"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
)

// TestSmuggledReplacement: a registrar enrols an honest application and later has it
// replace a stranger's card, which the rules had judged at the enrolment only.
func TestSmuggledReplacement(t *testing.T) {
	o, _ := newOffice(t)
	o.IssueCard(t, "A-1", "C-1", "victim", "")
	o.Must(t, o.Enrol("A-2", "ann", ""))
	change := ledgertest.Step{
		Stream: issuance.Application("A-2"), Act: issuance.Change, By: o.Registrar, Made: "A-2",
		Fields: map[string]string{"replaces": "C-1"},
	}
	if err := o.Do(t.Context(), change); !errors.Is(err, issuance.ErrEntry) {
		t.Errorf("change what an application replaces: %v", err)
	}
	if got := phase(t, o, issuance.Card("C-1")); got != issuance.Active {
		t.Errorf("the victim's card is %s", got)
	}
}

// TestSmuggledFields: an act carries no field that the rules of others rest on.
func TestSmuggledFields(t *testing.T) {
	o, _ := newOffice(t)
	o.Must(t, o.Enrol("A-1", "ann", ""))
	o.Must(t, o.Approve("A-1"))
	o.Must(t, o.Begin("A-1", "C-1")...)
	refused := func(s ledgertest.Step, name, value string) {
		t.Helper()
		fields := map[string]string{name: value}
		for n, v := range s.Fields {
			fields[n] = v
		}
		s.Fields = fields
		if err := o.Do(t.Context(), s); !errors.Is(err, issuance.ErrEntry) {
			t.Errorf("%s with %s=%s: %v", s.Act, name, value, err)
		}
	}
	for _, s := range o.Journal("A-1", "C-1") {
		refused(s, "application", "A-2") // four eyes look at the application
		refused(s, "successor", "C-2")
		switch s.Act {
		case issuance.Prepare, issuance.Sign:
		default:
			refused(s, "cardid", ledgertest.Digest("another card"))
			refused(s, "ds", "ds-002")
		}
		o.Must(t, s)
	}
	refused(o.Check("C-1"), "cardid", ledgertest.Digest("another card"))
	check := o.Check("C-1")
	check.Fields["policy"], check.Fields["program"] = "desk-qa", "tamthe-1.0" // remarks are free
	o.Must(t, check)
}
