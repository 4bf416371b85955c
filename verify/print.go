package verify

import (
	"strings"

	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/card/profile/vn"
)

// judgePrint compares what is printed on the card with the chip: the lines of the zone
// and the QR code, field by field.
func (a *assessment) judgePrint() {
	a.judgePrintedZone()
	if a.o.QR != "" {
		a.judgePrintedQR()
	}
}

func (a *assessment) judgePrintedZone() {
	p, z := a.o.Printed, a.facts.zone
	switch {
	case p == nil && a.o.QR == "" && a.ev.chip != nil && a.ev.chip.access.Password == "CAN":
		a.set(CheckPrint, NotRun, ReasonPrintCAN, "")
		return
	case p == nil:
		a.set(CheckPrint, NotRun, ReasonPrintNotGiven, "")
		return
	case z == nil:
		return
	}
	switch differ := differences(p, z); {
	case len(differ) == 0:
		a.set(CheckPrint, Passed, "", "")
	case !p.DigitsRight():
		a.set(CheckPrint, Failed, ReasonPrintUnreadable, strings.Join(differ, ", "))
	default:
		a.set(CheckPrint, Failed, ReasonPrintMismatch, strings.Join(differ, ", "))
	}
}

// differences names the fields in which two zones differ, and none that are the same to
// the letter.
func differences(p, z *mrz.MRZ) []string {
	if p.Format != z.Format {
		return []string{"format"}
	}
	var list []string
	for _, f := range []struct{ name, printed, chip string }{
		{"document", p.Document, z.Document},
		{"issuer", p.Issuer, z.Issuer},
		{"number", p.Number, z.Number},
		{"optional data", p.Optional1 + "|" + p.Optional2, z.Optional1 + "|" + z.Optional2},
		{"birth", string(p.Birth), string(z.Birth)},
		{"sex", p.Sex, z.Sex},
		{"expiry", string(p.Expiry), string(z.Expiry)},
		{"nationality", p.Nationality, z.Nationality},
		{"name", p.Primary + "|" + p.Secondary, z.Primary + "|" + z.Secondary},
	} {
		if f.printed != f.chip {
			list = append(list, f.name)
		}
	}
	if len(list) == 0 && p.Text() != z.Text() {
		list = append(list, "check digits or fillers")
	}
	return list
}

// judgePrintedQR compares the printed code of a Vietnamese card.
func (a *assessment) judgePrintedQR() {
	if a.facts.zone == nil {
		return
	}
	q, ok := vn.ParseQR(a.o.QR)
	if !ok || a.profile.National != "vn" {
		a.set(CheckQR, Undetermined, ReasonPrintUnreadable, "not the code of this kind of card")
		return
	}
	var d *vn.DG13
	if raw, read := a.data(13); read {
		d, _ = vn.ParseDG13(raw) // what is wrong with it, lds.national says
	}
	var rules []string
	for _, r := range q.Disagrees(a.facts.zone, d) {
		rules = append(rules, string(r))
	}
	if len(rules) > 0 {
		a.set(CheckQR, Failed, ReasonPrintMismatch, strings.Join(rules, ", "))
		return
	}
	a.set(CheckQR, Passed, "", "")
}
