package verify

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile/vn"
)

// A card of the usual sizes is read, PACE and AA included, in at most 113 short
// commands: every command costs an officer time, and this is where both best peers
// need 131.
func TestAPDUBudget(t *testing.T) {
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
	r := inspect(t, s.chip(t, nil), o.options("checkpoint"))
	wantVerdict(t, r, Accept, "")
	for _, f := range []lds.File{lds.SODFile, lds.DG1, lds.DG2, lds.DG13, lds.DG14, lds.DG15} {
		t.Logf("%s %d octets", f.Name(), len(s.files[f]))
	}
	if t.Logf("%d commands", r.Session.APDUs); r.Session.APDUs > 113 {
		t.Errorf("%d commands, at most 113", r.Session.APDUs)
	}
}
