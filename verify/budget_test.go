package verify

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile/vn"
)

// shortBudget is how many short commands a card of the usual sizes may take.
const shortBudget = 113

// usualCard is a card of the sizes that real ones have.
func usualCard(t testing.TB) (*office, *specimen) {
	o := newOffice(t, "CSCA")
	person := holder
	person.Residence, person.Origin = strings.Repeat("Số nhà dài ", 17), strings.Repeat("Quê quán ", 18)
	person.Features = strings.Repeat("nốt ruồi ", 14)
	s := o.newCard(person, vn.Expiry{Date: vn.Date{Year: 2030, Month: 2, Day: 15}})
	img := testPortrait(t)
	raw, err := lds.EncodeDG2(lds.Face{Image: append(img, bytes.Repeat([]byte{0}, 19_000)...), Width: 48, Height: 64})
	o.must(err)
	raw, err = lds.EncodeDG2(lds.Face{Image: append(img, bytes.Repeat([]byte{0}, 19_000+20_042-len(raw))...), Width: 48, Height: 64})
	o.must(err)
	s.files[lds.DG2] = raw
	o.sign(s)
	return o, s
}

// A card of the usual sizes is read, PACE and AA included, in at most 113 short
// commands: every command costs an officer time, and this is where both best peers
// need 131.
func TestAPDUBudget(t *testing.T) {
	o, s := usualCard(t)
	r := inspect(t, s.chip(t, nil), o.options("checkpoint"))
	wantVerdict(t, r, Accept, "")
	for _, f := range []lds.File{lds.SODFile, lds.DG1, lds.DG2, lds.DG13, lds.DG14, lds.DG15} {
		t.Logf("%s %d octets", f.Name(), len(s.files[f]))
	}
	if t.Logf("%d commands", r.Session.APDUs); r.Session.APDUs > shortBudget {
		t.Errorf("%d commands, at most %d", r.Session.APDUs, shortBudget)
	}
}

// BenchmarkInspect reads and judges the card of the budget in process, chip included; the
// count of commands is the figure that officers feel.
func BenchmarkInspect(b *testing.B) {
	o, s := usualCard(b)
	commands := 0
	for b.Loop() {
		b.StopTimer()
		chip := s.chip(b, nil)
		b.StartTimer()
		r := inspect(b, chip, o.options("checkpoint"))
		wantVerdict(b, r, Accept, "")
		commands = r.Session.APDUs
	}
	b.ReportMetric(float64(commands), "apdus")
}
