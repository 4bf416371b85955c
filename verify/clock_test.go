package verify

import (
	"testing"
	"time"
)

// A checkpoint whose clock is behind a list that it has seen accepts nothing, and calls
// nothing forged or early because of its clock.
func TestClockBehind(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	judge := func(at, newest time.Time) *Report {
		opts := o.options("checkpoint")
		opts.At, opts.Newest = at, newest
		return inspect(t, s.chip(t, nil), opts)
	}
	behind := []string{CheckValidity, CheckExpiry, CheckRevocation, CheckStatus}

	for _, newest := range []time.Time{{}, judged.AddDate(0, -1, 0), judged, judged.Add(clockSlack)} {
		r := judge(judged, newest)
		wantVerdict(t, r, Accept, "")
		for _, id := range behind {
			if r.Check(id).Reason == ReasonClockBehind {
				t.Errorf("newest %v: %s", newest, id)
			}
		}
	}

	r := judge(judged, judged.Add(clockSlack+time.Second))
	wantVerdict(t, r, Refer, ReasonClockBehind)
	for _, id := range behind {
		if c := r.Check(id); c.Outcome != Undetermined || c.Reason != ReasonClockBehind {
			if id == CheckStatus && c.Outcome == Absent { // the issuer publishes none: no clock decides that
				continue
			}
			t.Errorf("%+v", c)
		}
	}

	// Years behind, the signer is not valid yet: that is the clock's fault.
	r = judge(judged.AddDate(-20, 0, 0), judged)
	wantVerdict(t, r, Refer, ReasonClockBehind)

	// What is over by a clock that is behind is over.
	later := judged.AddDate(10, 0, 0)
	if c := judge(later, later.AddDate(0, 1, 0)).Check(CheckExpiry); c.Outcome != Failed || c.Reason != ReasonDocumentExpired {
		t.Errorf("%+v", c)
	}
}
