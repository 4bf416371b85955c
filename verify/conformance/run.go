package conformance

import (
	"context"
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/verify"
)

// Outcome is how one play ended.
type Outcome struct {
	ID       string        `json:"id"`
	Played   string        `json:"played"`
	Expected string        `json:"expected"` // the verdict
	Reason   verify.Reason `json:"reason"`   // that must be among those given; "" for none in particular
	Sound    string        `json:"sound"`    // the verdict on the same card without the fault
	Got      Got           `json:"got"`
	Pass     bool          `json:"pass"`
}

// Result is a case with its plays.
type Result struct {
	Case
	Outcomes []Outcome // in the order of the case's plays; none where it does not apply
}

// Pass reports whether every play of the case ended as expected. A case that does not
// apply passes.
func (r Result) Pass() bool {
	return !slices.ContainsFunc(r.Outcomes, func(o Outcome) bool { return !o.Pass })
}

// Run plays the cases of these identifiers, or all if there is none, and tells progress,
// which may be nil, after each play. A play passes only if the same card without its fault
// is accepted, the verdict is the expected one, and the expected reason is among those
// given. The errors are ErrCase for an identifier that there is not, ctx's, and what kept a
// card from being made.
func Run(ctx context.Context, ids []string, progress func(done, total int)) ([]Result, error) {
	chosen, err := choose(ids)
	if err != nil {
		return nil, err
	}
	table := map[string]play{}
	for _, p := range plays() {
		table[p.id] = p
	}
	var order []string
	for _, c := range chosen {
		for _, id := range c.Plays {
			if !slices.Contains(order, id) {
				order = append(order, id)
			}
		}
	}
	r := runner{sound: map[string]Got{}}
	done := map[string]Outcome{}
	for i, id := range order {
		if done[id], err = r.run(ctx, table[id]); err != nil {
			return nil, err
		}
		if progress != nil {
			progress(i+1, len(order))
		}
	}
	var results []Result
	for _, c := range chosen {
		result := Result{Case: c}
		for _, id := range c.Plays {
			result.Outcomes = append(result.Outcomes, done[id])
		}
		results = append(results, result)
	}
	return results, nil
}

// runner plays, and remembers how the sound cards were judged.
type runner struct {
	sound map[string]Got
}

// run judges the sound card of the play's kind, and then the play.
func (r *runner) run(ctx context.Context, p play) (Outcome, error) {
	o := Outcome{ID: p.id, Played: p.what, Expected: p.verdict, Reason: p.reason}
	if p.base == nil {
		return o, fmt.Errorf("play %q: %w", p.id, ErrCase)
	}
	b := p.base()
	sound, known := r.sound[b.kind]
	if !known {
		var err error
		if sound, err = p.base().judge(ctx); err != nil {
			return o, fmt.Errorf("the sound card of %s: %w", p.id, err)
		}
		r.sound[b.kind] = sound
	}
	o.Sound = sound.Verdict
	p.change(b)
	var err error
	if o.Got, err = b.judge(ctx); err != nil {
		return o, fmt.Errorf("%s: %w", p.id, err)
	}
	o.Pass = o.Sound == accept && o.Got.Verdict == p.verdict && (p.reason == "" || slices.Contains(o.Got.Reasons, p.reason))
	return o, nil
}
