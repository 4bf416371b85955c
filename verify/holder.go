package verify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/tamthe/tamthe/card/lds"
)

// Holder is what the officer saw when comparing the bearer with the portrait.
type Holder uint8

// The officer's answers; the zero value is none.
const (
	HolderNotCompared Holder = iota
	HolderMatch
	HolderMismatch
	HolderUnsure
)

// FaceMatcher compares a portrait with a picture of the bearer that it holds itself,
// taken live. It is asked once, and only for a portrait that a trusted signature covers.
type FaceMatcher interface {
	MatchFace(ctx context.Context, portrait lds.Face) (FaceScore, error)
}

// FaceScore is how alike two faces are, by the measure of the engine that says so. The
// zero value is no answer.
type FaceScore struct {
	Score     float64
	Threshold float64 // above zero; one person, if Score reaches it
	Engine    string  // name and version
}

// errFaceScore says that a matcher's answer is none.
var errFaceScore = errors.New("no score, or no threshold above zero")

// faceAnswer is what a FaceMatcher said.
type faceAnswer struct {
	score FaceScore
	err   error
}

// alike says whether the engine takes the bearer for the holder.
func (f *faceAnswer) alike() bool { return f.err == nil && f.score.Score >= f.score.Threshold }

// detail is for the record: the score, never the pictures.
func (f *faceAnswer) detail() string {
	if f.err != nil {
		return f.err.Error()
	}
	return fmt.Sprintf("score %.4g, threshold %.4g, %.64q", f.score.Score, f.score.Threshold, f.score.Engine)
}

// matchFace has the faces compared if the portrait is proven. The only error is that of a
// ctx that ended.
func (a *assessment) matchFace(ctx context.Context) error {
	if a.o.Face == nil || !a.portraitProven() {
		return nil
	}
	f := &faceAnswer{}
	f.score, f.err = a.o.Face.MatchFace(ctx, *a.facts.portrait)
	if err := ctx.Err(); err != nil {
		return err
	}
	s := f.score
	if f.err == nil && (math.IsNaN(s.Score) || math.IsInf(s.Score, 0) || math.IsInf(s.Threshold, 0) || !(s.Threshold > 0)) {
		f.err = errFaceScore
	}
	a.ev.face = f
	return nil
}

// portraitProven says whether there is a portrait that a trusted signature covers.
func (a *assessment) portraitProven() bool {
	list := a.list()
	return a.facts.portrait != nil && a.intact[2] && a.o.Policy.passed(Integrity, list) && a.o.Policy.passed(Authentic, list)
}

// judgeHolder takes the officer's answer and the engine's.
func (a *assessment) judgeHolder() {
	a.compared = comparison{a.ev.face, a.portraitProven()}
	a.record(a.compared.judge(a.o.Holder))
}

// comparison is what the officer's answer is judged beside.
type comparison struct {
	face   *faceAnswer // nil if no program compared faces
	proven bool        // there is a portrait that a trusted signature covers
}

// WithHolder returns the report as it is with the officer's answer, given after the portrait
// was shown: as if it had been Options.Holder. The report itself stays.
func (r *Report) WithHolder(h Holder) *Report {
	again := *r
	again.Checks = slices.Clone(r.Checks)
	for i, old := range again.Checks {
		if old.ID == CheckHolder {
			c := r.compared.judge(h)
			c.Claim, c.Spec = old.Claim, old.Spec
			again.Checks[i] = c
		}
	}
	again.Verdict = again.Policy.Judge(again.Checks)
	return &again
}

// judge makes the check. A mismatch is one whoever says so, unless the officer, who looked,
// contradicts the engine: that is for a second look.
func (k comparison) judge(h Holder) Check {
	c := Check{ID: CheckHolder}
	if k.face != nil {
		c.Detail = k.face.detail()
	}
	switch {
	case h == HolderMismatch:
		c.Outcome, c.Reason = Failed, ReasonHolderMismatch
	case h == HolderUnsure:
		c.Outcome, c.Reason = Failed, ReasonHolderUnsure
	case h == HolderMatch:
		k.judgeMatch(&c)
	case k.face == nil:
		c.Outcome, c.Reason = NotRun, ReasonHolderNotCompared
	case k.face.err != nil:
		c.Outcome, c.Reason, c.Err = Undetermined, ReasonFaceUnavailable, k.face.err
	case !k.face.alike():
		c.Outcome, c.Reason = Failed, ReasonHolderMismatch
	default:
		c.Outcome = Passed
	}
	return c
}

// judgeMatch judges an officer's yes, which is worth what the portrait is worth.
func (k comparison) judgeMatch(c *Check) {
	switch {
	case !k.proven:
		c.Outcome, c.Reason = Undetermined, ReasonHolderPrint
	case k.face != nil && k.face.err != nil:
		c.Outcome, c.Reason, c.Err = Passed, ReasonFaceUnavailable, k.face.err
	case k.face != nil && !k.face.alike():
		c.Outcome, c.Reason = Failed, ReasonHolderDisputed
	default:
		c.Outcome = Passed
	}
}
