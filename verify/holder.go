package verify

import (
	"context"
	"errors"
	"fmt"
	"math"

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

// judgeHolder takes the officer's answer and the engine's. A mismatch is one whoever says
// so, unless the officer, who looked, contradicts the engine: that is for a second look.
func (a *assessment) judgeHolder() {
	face, detail := a.ev.face, ""
	if face != nil {
		detail = face.detail()
	}
	switch {
	case a.o.Holder == HolderMismatch:
		a.set(CheckHolder, Failed, ReasonHolderMismatch, detail)
	case a.o.Holder == HolderUnsure:
		a.set(CheckHolder, Failed, ReasonHolderUnsure, detail)
	case a.o.Holder == HolderMatch:
		a.judgeMatch(face, detail)
	case face == nil:
		a.set(CheckHolder, NotRun, ReasonHolderNotCompared, "")
	case face.err != nil:
		a.record(Check{ID: CheckHolder, Outcome: Undetermined, Reason: ReasonFaceUnavailable, Detail: detail, Err: face.err})
	case !face.alike():
		a.set(CheckHolder, Failed, ReasonHolderMismatch, detail)
	default:
		a.set(CheckHolder, Passed, "", detail)
	}
}

// judgeMatch judges an officer's yes, which is worth what the portrait is worth.
func (a *assessment) judgeMatch(face *faceAnswer, detail string) {
	switch {
	case !a.portraitProven():
		a.set(CheckHolder, Undetermined, ReasonHolderPrint, detail)
	case face != nil && face.err != nil:
		a.record(Check{ID: CheckHolder, Outcome: Passed, Reason: ReasonFaceUnavailable, Detail: detail, Err: face.err})
	case face != nil && !face.alike():
		a.set(CheckHolder, Failed, ReasonHolderDisputed, detail)
	default:
		a.set(CheckHolder, Passed, "", detail)
	}
}
