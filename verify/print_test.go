package verify

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/card/profile/vn"
)

// printedWith is the zone of the usual card with some of it printed otherwise and, if
// asked, the check digits put right, as a forger does who knows the standard.
func printedWith(t *testing.T, change func(*mrz.Card)) *mrz.MRZ {
	t.Helper()
	c := mrz.Card{
		Document: "ID", Issuer: "VNM", Number: "190000017", Optional1: "003190000017<<" + string(holder.Number.CheckDigit()),
		Birth: "900215", Sex: "F", Expiry: "300215", Nationality: "VNM", Primary: "NGUYEN", Secondary: "THI THU NGHIEM",
	}
	if change != nil {
		change(&c)
	}
	z, err := mrz.WriteTD1(c)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestPrintedZone(t *testing.T) {
	o := newOffice(t, "CSCA")
	chip := o.usual().chip(t, nil)
	misread := printedWith(t, nil).Text()
	misread = strings.Replace(misread, "F300215", "F800215", 1)
	slip, err := mrz.Parse(misread[:30] + "\n" + misread[30:60] + "\n" + misread[60:])
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		printed *mrz.MRZ
		verdict Verdict
		reason  Reason
		detail  string
	}{
		{"as on the chip", printedWith(t, nil), Accept, "", ""},
		{"another name", printedWith(t, func(c *mrz.Card) { c.Secondary = "THI KHAC" }), Refer, ReasonPrintMismatch, "name"},
		{"the other sex", printedWith(t, func(c *mrz.Card) { c.Sex = "M" }), Refer, ReasonPrintMismatch, "sex"},
		{"another expiry", printedWith(t, func(c *mrz.Card) { c.Expiry = "400215" }), Refer, ReasonPrintMismatch, "expiry"},
		{"another person", printedWith(t, func(c *mrz.Card) { c.Birth, c.Primary = "800101", "LE" }), Refer, ReasonPrintMismatch, "birth, name"},
		{"another personal number", printedWith(t, func(c *mrz.Card) { c.Optional1 = "003190000018" }), Refer, ReasonPrintMismatch, "optional data"},
		{"misread", slip, Refer, ReasonPrintUnreadable, "expiry"},
	} {
		p := o.options("checkpoint")
		p.Printed = tt.printed
		r := inspect(t, chip, p)
		c := r.Check(CheckPrint)
		if r.Verdict != tt.verdict || c.Reason != tt.reason || c.Detail != tt.detail {
			t.Errorf("%s: %v, %+v", tt.name, r.Verdict, c)
		}
	}
}

func TestPrintedQR(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	chip := s.chip(t, nil)
	right := vn.EncodeQR(holder, "", issued)
	for _, tt := range []struct {
		name, qr string
		verdict  Verdict
		outcome  Outcome
		reason   Reason
		detail   string
	}{
		{"as on the chip", right, Accept, Passed, "", ""},
		{"another name", strings.Replace(right, "Nghiệm", "Nghiêm", 1), Refer, Failed, ReasonPrintMismatch, "qr-name"},
		{"another address", strings.Replace(right, "1 Phố", "2 Phố", 1), Refer, Failed, ReasonPrintMismatch, "qr-residence"},
		{"another card", strings.Replace(right, "003190000017", "003190000025", 1), Refer, Failed, ReasonPrintMismatch, "qr-number"},
		{"no card", "https://example.org", Accept, Undetermined, ReasonPrintUnreadable, "not the code of this kind of card"},
	} {
		p := o.options("checkpoint")
		p.QR = tt.qr
		r := inspect(t, chip, p)
		c := r.Check(CheckQR)
		if r.Verdict != tt.verdict || c.Outcome != tt.outcome || c.Reason != tt.reason || c.Detail != tt.detail {
			t.Errorf("%s: %v, %+v", tt.name, r.Verdict, c)
		}
	}
}

// Whoever opened the chip with the CAN has compared six digits, and is told.
func TestPrintWithCANOnly(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	chip := s.chip(t, nil)
	reason := func(p Options) Reason { return inspect(t, chip, p).Check(CheckPrint).Reason }
	if got := reason(o.options("checkpoint")); got != ReasonPrintCAN {
		t.Errorf("opened with the CAN: %q", got)
	}
	p := o.options("checkpoint")
	p.QR = vn.EncodeQR(holder, "", issued)
	if got := reason(p); got != ReasonPrintNotGiven {
		t.Errorf("opened with the CAN, QR code given: %q", got)
	}
	zone, err := lds.ParseDG1(s.files[lds.DG1])
	o.must(err)
	p = o.options("checkpoint")
	p.Passwords = []auth.Password{auth.MRZ(zone.KeyInfo())}
	if got := reason(p); got != ReasonPrintNotGiven {
		t.Errorf("opened with the MRZ: %q", got)
	}
	unchecked := map[Reason]bool{}
	r := inspect(t, chip, o.options("checkpoint"))
	for _, c := range r.Unchecked() {
		unchecked[c.Reason] = true
	}
	if !unchecked[ReasonPrintCAN] || !unchecked[ReasonRelay] || !unchecked[ReasonHolderNotCompared] {
		t.Errorf("not said to be unchecked: %v", unchecked)
	}
	if r := judgeOne(t, s.files, o.options("archive")); r.Check(CheckRelay).Reason != "" {
		t.Error("files can't be relayed")
	}
}

// An officer is told which fields differ, in words.
func TestPrintedDifferencesInWords(t *testing.T) {
	differ := []Check{
		{ID: CheckPrint, Claim: HolderBound, Outcome: Failed, Reason: ReasonPrintMismatch, Detail: "birth, check digits or fillers"},
		{ID: CheckQR, Claim: HolderBound, Outcome: Failed, Reason: ReasonPrintMismatch, Detail: "qr-name"},
	}
	for l, want := range map[Lang][]string{
		English:    {": date of birth, check digits or fillers.", ": name."},
		Vietnamese: {": ngày sinh, số kiểm tra hoặc ký tự đệm.", ": họ và tên."},
	} {
		var b bytes.Buffer
		r := sampleReport(Refer)
		r.Checks = append(slices.DeleteFunc(r.Checks, func(c Check) bool { return c.ID == CheckPrint }), differ...)
		if err := r.Render(&b, l, RenderOptions{}); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(strings.Join(strings.Fields(b.String()), " "), w) {
				t.Errorf("%s: no %q in\n%s", l, w, b.String())
			}
		}
	}
	if len(english.printed) != len(vietnamese.printed) {
		t.Error("fields without words")
	}
}
