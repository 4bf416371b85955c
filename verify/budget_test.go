package verify

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/card/virtual"
)

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

// plan is a way to read the card: what card and reader bear, and how much is asked for at
// once.
type plan struct {
	name   string
	limits apdu.Limits
	block  int
	budget int // commands
}

var wholeAPDU = apdu.Limits{Command: 65535, Response: 65535}

var plans = []plan{
	{"short", apdu.Limits{}, 0, 113},
	{"1.5 KB", apdu.Limits{Command: 1520, Response: 1520}, 0, 28},
	{"4 KB", wholeAPDU, 0, 19},
	{"whole", wholeAPDU, 1 << 16, 15},
}

// models are the chips whose time is reckoned.
var models = []struct {
	name  string
	model virtual.Model
}{{"P71", virtual.P71()}, {"P60", virtual.P60()}, {"native", virtual.Native()}}

// measure inspects the card through a chip of the model and returns the cost of all of it
// and of the part before the personal data, which tells signature and chip.
func measure(t testing.TB, o *office, s *specimen, p plan, m virtual.Model) (all, proven virtual.Cost) {
	chip := s.chip(t, func(f *virtual.FolderOptions) { f.Limits, f.Model = p.limits, m })
	options := o.options("checkpoint")
	options.Passwords = []auth.Password{auth.CAN(holder.Number.CAN())}
	options.Reader, options.Block = p.limits, p.block
	options.Interim = func(r *Report) {
		if r.Check(CheckChain).Outcome != Passed || r.Check(CheckAA).Outcome != Passed {
			t.Errorf("%s: signature or chip is not proven in the interim", p.name)
		}
		proven = chip.Cost()
	}
	r, err := Inspect(t.Context(), apdu.Over(chip, apdu.Limits{}), options)
	if err != nil {
		t.Fatal(err)
	}
	wantVerdict(t, r, Accept, "")
	if n := chip.Cost().APDUs; n != r.Session.APDUs {
		t.Errorf("%s: the chip counts %d commands, the link %d", p.name, n, r.Session.APDUs)
	}
	return chip.Cost(), proven
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()) }

// TestBudget holds reading to the table in BUDGET.md: commands, and seconds by the models
// of package virtual. Both are counted, not measured, and come out the same everywhere.
func TestBudget(t *testing.T) {
	o, s := usualCard(t)
	var b strings.Builder
	b.WriteString(budgetHead)
	for _, f := range []lds.File{lds.DG1, lds.DG2, lds.DG13, lds.DG14, lds.DG15} {
		fmt.Fprintf(&b, "%s %d, ", f.Name(), len(s.files[f]))
	}
	sod := (len(s.files[lds.SODFile]) + 50) / 100 * 100 // ECDSA signatures differ by some octets
	fmt.Fprintf(&b, "EF.SOD about %d octets.\n\n", sod)
	b.WriteString("| plan | commands | goal | before the personal data |")
	for _, m := range models {
		fmt.Fprintf(&b, " %s, s | %s, proven, s |", m.name, m.name)
	}
	b.WriteString("\n|---|---|---|---|" + strings.Repeat("---|---|", len(models)) + "\n")
	for _, p := range plans {
		var cells string
		var count, early int
		for _, m := range models {
			all, proven := measure(t, o, s, p, m.model)
			count, early = all.APDUs, proven.APDUs
			cells += fmt.Sprintf(" %s | %s |", seconds(all.Total()), seconds(proven.Total()))
			if m.name == "P71" && p.name == "1.5 KB" {
				if all.Total() > 750*time.Millisecond || proven.Total() > 300*time.Millisecond {
					t.Errorf("%s on %s: %v, proven after %v", p.name, m.name, all.Total(), proven.Total())
				}
			}
		}
		if count > p.budget {
			t.Errorf("%s: %d commands, at most %d", p.name, count, p.budget)
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d |%s\n", p.name, count, p.budget, early, cells)
	}
	b.WriteString(budgetTail)
	if *update {
		if err := os.WriteFile("BUDGET.md", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile("BUDGET.md"); err != nil || string(want) != b.String() {
		t.Errorf("BUDGET.md differs (%v); got:\n%s", err, b.String())
	}
}

const budgetHead = "# What reading a card costs\n\n" +
	"Counted by TestBudget over the software chip: the commands of one inspection under the policy\n" +
	"`checkpoint` (PACE with the CAN, Active Authentication, all files), and the seconds that they\n" +
	"would take by the models of `card/virtual` (an NXP P71 and a P60 as JCAlgTest measured them, and\n" +
	"an operating system without Java Card; contactless at 848 kbit/s behind a PC/SC reader of 2.5 ms\n" +
	"an exchange). No card was timed. \"Proven\" is when signature, chain and chip are judged, before\n" +
	"the first personal group is read.\n\n"

const budgetTail = "\nFor the same document gmrtd 1.1.2 and JMRTD 0.8.8 send 131 commands, 33 with an extended length\n" +
	"set by hand, which is 1.65 s on the P71 by the same model, and judge the chip after the portrait.\n"

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
