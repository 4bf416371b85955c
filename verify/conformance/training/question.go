package training

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/conformance"
)

// Question is a card, or whatever else is brought, before an officer who is to judge it.
type Question struct {
	Number  int
	Lesson  Lesson
	Scene   *conformance.Scene
	Photo   Face // printed on the card and, if nobody changed that, on the chip
	Bearer  Face
	Choices []verify.Reason // one of them is right
	Right   Answer
}

// Answer is what a trainee says, or should say. Reason "" and Holder HolderNotCompared are
// no answers.
type Answer struct {
	Decision verify.Verdict
	Reason   verify.Reason
	Holder   verify.Holder
}

// Card reports whether a card is at hand, with a bearer to be compared with its portrait; if
// not, the lesson's scene is.
func (q *Question) Card() bool { return !q.Scene.Offstage() }

// Seen is the report of the reader, without the comparison of the bearer; nil where it came
// to none.
func (q *Question) Seen() *verify.Report { return q.Scene.Report }

// ask makes the card of an item and what there is to say about it.
func ask(ctx context.Context, it item, person vn.Person, pool []verify.Reason) (*Question, error) {
	r := rand.New(rand.NewPCG(it.seed, uint64(it.number)))
	q := &Question{Number: it.number, Lesson: it.lesson, Photo: newFace(r, person.Sex == "F")}
	var err error
	if q.Scene, err = conformance.Stage(ctx, it.play, conformance.Cast{Person: person, Face: q.Photo.portrait()}); err != nil {
		return nil, err
	}
	other := it.other || q.Scene.Reason == verify.ReasonHolderMismatch
	if q.Bearer = q.Photo.later(r); other {
		q.Bearer = q.Photo.another(r)
	}
	q.Right = right(q.Scene, other)
	q.Choices = q.choices(r, pool)
	return q, nil
}

// right is the right answer. Whoever is not the holder is turned away whatever the card is,
// and a fault of the card is the reason that counts before that.
func right(s *conformance.Scene, other bool) Answer {
	a := Answer{Reason: s.Reason, Holder: verify.HolderMatch}
	switch s.Verdict {
	case "accept":
		a.Decision = verify.Accept
	case "refuse":
		a.Decision = verify.Refuse
	case "refer":
		a.Decision = verify.Refer
	default: // it came to no inspection: of a card nothing is proven; anything else is turned away
		if a.Decision = verify.Refer; s.Offstage() {
			a.Decision = verify.Refuse
		}
	}
	if a.Reason == "" {
		a.Reason = Sound
	}
	switch {
	case s.Offstage():
		a.Holder = verify.HolderNotCompared
	case other:
		if a.Holder = verify.HolderMismatch; a.Decision == verify.Accept {
			a.Reason = verify.ReasonHolderMismatch
		}
		a.Decision = verify.Refuse
	}
	return a
}

// distractors is how many wrong reasons stand beside the right one and Sound.
const distractors = 3

// choices mixes the right reason with wrong ones: none that holds of this card as well.
func (q *Question) choices(r *rand.Rand, pool []verify.Reason) []verify.Reason {
	list := []verify.Reason{q.Right.Reason}
	if q.Right.Reason != Sound {
		list = append(list, Sound)
	}
	for _, i := range r.Perm(len(pool)) {
		reason := pool[i]
		if len(list) < distractors+2 && !slices.Contains(list, reason) && !q.holds(reason) {
			list = append(list, reason)
		}
	}
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// holds reports whether a reason is true of the card, though not the one that decides.
func (q *Question) holds(reason verify.Reason) bool {
	if slices.Contains(q.Scene.Got.Reasons, reason) {
		return true
	}
	if reason == verify.ReasonHolderMismatch && q.Right.Holder == verify.HolderMismatch {
		return true
	}
	report := q.Seen()
	return report != nil && slices.ContainsFunc(report.Checks, func(c verify.Check) bool { return c.Reason == reason })
}

// pool are the reasons that wrong choices are drawn from.
func pool() []verify.Reason {
	var list []verify.Reason
	for _, p := range conformance.Plays() {
		if p.Reason != "" && !slices.Contains(list, p.Reason) {
			list = append(list, p.Reason)
		}
	}
	slices.Sort(list) // tables that are made of maps have no order
	return list
}

// ByZone reports whether the chip is to be opened with the printed zone, not with the CAN:
// because it takes nothing else, or because the zone is to be compared.
func (q *Question) ByZone() bool { return q.Scene.ByMRZ || q.Scene.Station.Printed != nil }
