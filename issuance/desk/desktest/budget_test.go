//go:build linux && cgo

package desktest

import (
	"context"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/verify"
)

// budget is how many short commands a session may take with a card of the sizes that real
// ones have. The best of other programs take 131.
const budget = 116

// usualSizes are those that the budget is for, in octets: the most, and the least by which
// a card may miss it.
var usualSizes = map[lds.File][2]int{
	lds.SODFile: {1900, 2010}, lds.DG1: {95, 95}, lds.DG2: {20042, 20042}, lds.DG13: {880, 920}, lds.DG14: {165, 185}, lds.DG15: {91, 95},
}

// chipInProcess is a chip without any reader.
type chipInProcess struct{ *virtual.Chip }

func (c chipInProcess) Reset(context.Context) error {
	c.Chip.Reset()
	return nil
}

// usual makes a card of the usual sizes and hands it over. Its holder needs many words.
func usual(t *testing.T) (*virtual.Chip, *office, auth.Password) {
	t.Helper()
	o, who := newOffice(t, keys{"P-256", "P-256", true}), talkative()
	app := o.approved(t, who, portrait(20042-84))
	chip := chipInProcess{blank()}
	card := must(o.desk(o.an).Personalise(t.Context(), app, chip, o.plan()))(t)
	chip.Chip.Reset()
	o.handOver(t, card, chip)
	chip.Chip.Reset()
	return chip.Chip, o, auth.CAN(who.Number.CAN())
}

// wantBudget inspects the card and holds sizes and count.
func wantBudget(t *testing.T, w apdu.Wire, o *office, can auth.Password) int {
	t.Helper()
	report := must(verify.Inspect(t.Context(), apdu.Over(w, apdu.Limits{}), o.checkpoint(can)))(t)
	wantVerdict(t, report, verify.Accept)
	for f, size := range usualSizes {
		if n := len(report.Files[f]); n < size[0] || n > size[1] {
			t.Errorf("%s has %d octets, not %d to %d", f, n, size[0], size[1])
		}
	}
	if report.Session.Access != "PACE-CAN" || report.Check(verify.CheckAA).Outcome != verify.Passed {
		t.Errorf("%+v, %v", report.Session, report.Check(verify.CheckAA))
	}
	if report.Session.APDUs > budget {
		t.Errorf("%d commands, at most %d", report.Session.APDUs, budget)
	}
	return report.Session.APDUs
}

// TestBudget counts the commands of a whole session in process, the same each time.
func TestBudget(t *testing.T) {
	t.Parallel()
	chip, o, can := usual(t)
	n := wantBudget(t, chip, o, can)
	t.Logf("%d commands", n)
	for range 4 {
		chip.Reset()
		if again := wantBudget(t, chip, o, can); again != n {
			t.Errorf("%d commands, then %d", n, again)
		}
	}
}

// TestBudgetThroughPCSC counts them at a reader, and sees that longer commands need fewer.
func TestBudgetThroughPCSC(t *testing.T) {
	t.Parallel()
	daemon(t)
	chip, o, can := usual(t)
	h := newReader(t).hold(chip)
	w := h.inserted()
	n := wantBudget(t, w, o, can)
	chip.Limit(apdu.Limits{Command: 65535, Response: 65535})
	for _, l := range []struct {
		limits apdu.Limits
		most   int
	}{
		{apdu.Limits{Command: 1024, Response: 1024}, 42},
		{apdu.Limits{Command: 65535, Response: 65535}, 18},
	} {
		check(t, w.Reset(t.Context()))
		report := must(verify.Inspect(t.Context(), apdu.Over(w, l.limits), o.checkpoint(can)))(t)
		wantVerdict(t, report, verify.Accept)
		if report.Session.APDUs > l.most || report.Session.APDUs >= n {
			t.Errorf("%d commands with %v, at most %d and less than %d", report.Session.APDUs, l.limits, l.most, n)
		}
		n = report.Session.APDUs
		t.Logf("%d commands with %v", n, l.limits)
	}
}

// talkative is somebody whose particulars fill DG13 to the usual size.
func talkative() vn.Person {
	return vn.Person{
		Number: "003190900017", Surname: "Nguyễn", Given: "Thị Thử Nghiệm", Sex: "F", Birth: vn.Date{Year: 1990, Month: 2, Day: 15},
		Nationality: "Việt Nam", Ethnicity: "Kinh", Religion: "Không",
		Origin:    "Xã Thử Nghiệm, Huyện Không Có Thật, Tỉnh Mẫu" + strings.Repeat(", mã tỉnh 003 chưa được cấp", 3),
		Residence: "Số 17, ngõ 3, phố Thử Nghiệm, Tổ dân phố số 9, Phường Không Có Thật" + strings.Repeat(", Tỉnh Mẫu", 11),
		Features:  strings.Repeat("Nốt ruồi cách 1 cm dưới trước đuôi mắt trái; ", 3),
		Father:    "Nguyễn Văn Cha", Mother: "Trần Thị Mẹ", Spouse: "Phạm Đức Chồng",
	}
}
