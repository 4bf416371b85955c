package verify

import (
	"bytes"
	"maps"
	"testing"

	"github.com/tamthe/tamthe/card/lds"
)

// What an interrupted reading left is taken where the SOD lists its digest, and read again
// where not; the verdict is that of a whole reading.
func TestInspectGoesOn(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	whole := inspect(t, s.chip(t, nil), o.options("checkpoint"))
	opts := o.options("checkpoint")
	opts.Have = maps.Clone(whole.Files)
	opts.Have[lds.DG13] = bytes.Replace(opts.Have[lds.DG13], []byte{0x30}, []byte{0x31}, 1)
	saved := Files{}
	opts.Save = func(f lds.File, b []byte) error { saved[f] = b; return nil }
	again := inspect(t, s.chip(t, nil), opts)
	wantVerdict(t, again, Accept, "")
	for f, b := range whole.Files {
		if !bytes.Equal(again.Files[f], b) || !bytes.Equal(saved[f], b) {
			t.Errorf("%v is another", f)
		}
	}
	spared := len(whole.Files[lds.DG1]) + len(whole.Files[lds.DG2])
	if again.Session.BytesIn > whole.Session.BytesIn-spared || again.Session.BytesIn < len(whole.Files[lds.DG13]) {
		t.Errorf("%d octets read, %d before", again.Session.BytesIn, whole.Session.BytesIn)
	}
}

// Another card's groups are never taken for this one's.
func TestInspectTakesNoOtherCardsGroups(t *testing.T) {
	o := newOffice(t, "CSCA")
	first, second := o.usual(), o.usual()
	second.files[lds.DG2] = append(bytes.Clone(second.files[lds.DG2][:len(second.files[lds.DG2])-1]), 0x55)
	o.sign(second)
	opts := o.options("checkpoint")
	opts.Have = Files{lds.DG2: first.files[lds.DG2]}
	r := inspect(t, second.chip(t, nil), opts)
	wantVerdict(t, r, Accept, "")
	if !bytes.Equal(r.Files[lds.DG2], second.files[lds.DG2]) {
		t.Error("the portrait is the other card's")
	}
}

// Fingers are asked for only on request, and a chip that keeps them is no worse for it.
func TestInspectProtected(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	fingers, err := lds.EncodeBiometrics(lds.DG3, nil, lds.Sample{Image: []byte("finger"), Width: 2, Height: 3})
	o.must(err)
	s.files[lds.DG3] = fingers
	o.sign(s)
	without := inspect(t, s.chip(t, nil), o.options("checkpoint"))
	if _, read := without.Files[lds.DG3]; read || without.Check("lds.dg3").Reason != ReasonGroupProtected {
		t.Error(without.Check("lds.dg3"))
	}
	opts := o.options("checkpoint")
	opts.Protected = true
	with := inspect(t, s.chip(t, nil), opts)
	if with.Verdict != without.Verdict || with.Session.APDUs <= without.Session.APDUs {
		t.Errorf("%v, %d commands; without asking %v, %d", with.Verdict, with.Session.APDUs, without.Verdict, without.Session.APDUs)
	}
}
