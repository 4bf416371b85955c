package verify

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/lds"
)

// engine is a FaceMatcher that was told what to say.
type engine struct {
	score FaceScore
	err   error
	asked int
}

func (e *engine) MatchFace(context.Context, lds.Face) (FaceScore, error) {
	e.asked++
	return e.score, e.err
}

func TestHolder(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	chip := s.chip(t, nil)
	like, unlike := FaceScore{0.91, 0.6, "double 1"}, FaceScore{0.12, 0.6, "double 1"}
	broken := errors.New("exit status 3")
	for _, tt := range []struct {
		name    string
		holder  Holder
		face    *engine
		verdict Verdict
		outcome Outcome
		reason  Reason
	}{
		{"nobody looked", HolderNotCompared, nil, Accept, NotRun, ReasonHolderNotCompared},
		{"the officer: match", HolderMatch, nil, Accept, Passed, ""},
		{"the officer: mismatch", HolderMismatch, nil, Refuse, Failed, ReasonHolderMismatch},
		{"the officer: unsure", HolderUnsure, nil, Refer, Failed, ReasonHolderUnsure},
		{"the engine: alike", HolderNotCompared, &engine{score: like}, Accept, Passed, ""},
		{"the engine: exactly the threshold", HolderNotCompared, &engine{score: FaceScore{0.6, 0.6, ""}}, Accept, Passed, ""},
		{"the engine: not alike", HolderNotCompared, &engine{score: unlike}, Refuse, Failed, ReasonHolderMismatch},
		{"the engine: broken", HolderNotCompared, &engine{err: broken}, Accept, Undetermined, ReasonFaceUnavailable},
		{"the engine: nothing", HolderNotCompared, &engine{}, Accept, Undetermined, ReasonFaceUnavailable},
		{"the engine: no number", HolderNotCompared, &engine{score: FaceScore{math.NaN(), 0.5, ""}}, Accept, Undetermined, ReasonFaceUnavailable},
		{"the engine: beyond all", HolderNotCompared, &engine{score: FaceScore{math.Inf(1), 0.5, ""}}, Accept, Undetermined, ReasonFaceUnavailable},
		{"the engine: a threshold that is no number", HolderNotCompared, &engine{score: FaceScore{1, math.NaN(), ""}}, Accept, Undetermined, ReasonFaceUnavailable},
		{"both: match", HolderMatch, &engine{score: like}, Accept, Passed, ""},
		{"match, not alike", HolderMatch, &engine{score: unlike}, Refer, Failed, ReasonHolderDisputed},
		{"match, broken", HolderMatch, &engine{err: broken}, Accept, Passed, ReasonFaceUnavailable},
		{"mismatch, alike", HolderMismatch, &engine{score: like}, Refuse, Failed, ReasonHolderMismatch},
		{"unsure, alike", HolderUnsure, &engine{score: like}, Refer, Failed, ReasonHolderUnsure},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := o.options("checkpoint")
			p.Holder = tt.holder
			if tt.face != nil {
				p.Face = tt.face
			}
			r := inspect(t, chip, p)
			c := r.Check(CheckHolder)
			if r.Verdict != tt.verdict || c.Outcome != tt.outcome || c.Reason != tt.reason {
				t.Errorf("%v, %v because of %q (%s)", r.Verdict, c.Outcome, c.Reason, c.Detail)
			}
			if tt.face != nil && tt.face.asked != 1 {
				t.Errorf("asked %d times", tt.face.asked)
			}
			if tt.face != nil && tt.face.score == like && !strings.Contains(c.Detail, "score 0.91, threshold 0.6") {
				t.Errorf("the record does not hold the score: %q", c.Detail)
			}
			if r.Passed(HolderBound) != (tt.outcome == Passed) {
				t.Error("the claim does not follow the check")
			}
			p.Holder = HolderNotCompared
			before := inspect(t, chip, p)
			was := before.Check(CheckHolder)
			after := before.WithHolder(tt.holder)
			if got := after.Check(CheckHolder); after.Verdict != r.Verdict || got.Outcome != c.Outcome || got.Reason != c.Reason || got.Detail != c.Detail || got.Claim != c.Claim || got.Spec != c.Spec {
				t.Errorf("answered afterwards: %v, %+v", after.Verdict, got)
			}
			if now := before.Check(CheckHolder); now.Outcome != was.Outcome || now.Reason != was.Reason {
				t.Errorf("the report was changed: %+v", now)
			}
		})
	}
}

// Another person's face refuses under every policy, however it softens.
func TestHolderMismatchIsHard(t *testing.T) {
	for _, p := range append(Policies(), Policy{Name: "own", Need: []Claim{Integrity}}) {
		p.Soften = append(p.Soften, Softening{ReasonHolderMismatch, Accept})
		if v := p.Judge(with(Check{ID: CheckHolder, Outcome: Failed, Reason: ReasonHolderMismatch})); v != Refuse {
			t.Errorf("%s: %v", p.Name, v)
		}
	}
}

// No picture leaves, and no yes counts, before the portrait is proven.
func TestHolderNeedsAProvenPortrait(t *testing.T) {
	o, stranger := newOffice(t, "CSCA"), newOffice(t, "Stranger")
	changed := o.usual()
	changed.files[lds.DG2][len(changed.files[lds.DG2])-9] ^= 1
	for name, tt := range map[string]struct {
		card   *specimen
		policy string
	}{
		"unknown state": {stranger.usual(), "checkpoint"}, "changed portrait": {changed, "checkpoint"}, "portrait not read": {o.usual(), "quick"},
	} {
		e := &engine{score: FaceScore{1, 0.5, "eager"}}
		p := o.options(tt.policy)
		p.Face = e
		r := inspect(t, tt.card.chip(t, nil), p)
		if e.asked > 0 || r.Check(CheckHolder).Reason != ReasonHolderNotCompared {
			t.Errorf("%s: asked %d times, %+v", name, e.asked, r.Check(CheckHolder))
		}
		p.Holder = HolderMatch
		c := inspect(t, tt.card.chip(t, nil), p).Check(CheckHolder)
		if c.Outcome != Undetermined || c.Reason != ReasonHolderPrint {
			t.Errorf("%s: %+v", name, c)
		}
		if c := r.WithHolder(HolderMatch).Check(CheckHolder); c.Outcome != Undetermined || c.Reason != ReasonHolderPrint {
			t.Errorf("%s, answered afterwards: %+v", name, c)
		}
	}
}

func TestHolderEndsWithContext(t *testing.T) {
	o := newOffice(t, "CSCA")
	ctx, cancel := context.WithCancel(t.Context())
	p := o.options("archive")
	p.Face = matcherFunc(func(ctx context.Context) (FaceScore, error) {
		cancel()
		return FaceScore{1, 0.5, ""}, ctx.Err()
	})
	if _, err := JudgeFiles(ctx, o.usual().files, p); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

type matcherFunc func(context.Context) (FaceScore, error)

func (f matcherFunc) MatchFace(ctx context.Context, _ lds.Face) (FaceScore, error) { return f(ctx) }
