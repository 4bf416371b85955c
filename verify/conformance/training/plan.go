package training

import (
	"math/rand/v2"

	"github.com/tamthe/tamthe/verify/conformance"
)

// Options say what a session asks. The zero value asks nothing.
type Options struct {
	Seed      uint64
	Questions int      // how many; 0 with Lessons set is one for each of these
	Lessons   []string // only these; all if there is none
	Reader    bool     // only cards that can be held into a reader
}

// item is one question before its card is made.
type item struct {
	number  int
	lesson  Lesson
	play    string
	citizen int  // which of the invented ones
	other   bool // the bearer is somebody else
	seed    uint64
}

// sound are plays of cards with which nothing is wrong.
var sound = []string{"print-agrees", "qr-agrees", "pace-by-mrz", "status-active", "bac"}

// soundLesson is that of a card with which nothing is wrong.
func soundLesson() Lesson {
	return Lesson{ID: "OK", Kind: soundKind, Clause: "ICAO 9303", Title: Text{"thẻ không có lỗi", "a card with which nothing is wrong"}, Plays: sound}
}

// In a session a quarter of the cards is sound, for whoever refuses all has learnt nothing,
// and one bearer in five is not the holder.
const (
	soundIn, soundOf = 1, 4
	otherIn, otherOf = 1, 5
)

// plan draws the questions of a session. The lessons come in a shuffled order, and again
// from the beginning when all have been.
func plan(o Options, lessons []Lesson) []item {
	r := rand.New(rand.NewPCG(o.Seed, 0x7472_6169_6e))
	verdicts := map[string]string{}
	for _, p := range conformance.Plays() {
		verdicts[p.ID] = p.Verdict
	}
	n, mixed := o.Questions, len(o.Lessons) == 0
	if n == 0 {
		n = len(o.Lessons)
	}
	order := r.Perm(len(lessons))
	var list []item
	next := 0
	if o.Reader {
		lessons = held(lessons)
		order = r.Perm(len(lessons))
	}
	if len(lessons) == 0 {
		return nil
	}
	for i := range n {
		it := item{number: i + 1, citizen: r.IntN(1 << 20), other: r.IntN(otherOf) < otherIn, seed: r.Uint64()}
		if mixed && r.IntN(soundOf) < soundIn {
			it.lesson = soundLesson()
			it.play = sound[r.IntN(len(sound))]
		} else {
			it.lesson = lessons[order[next%len(order)]]
			it.play = draw(r, it.lesson.Plays, verdicts)
			next++
		}
		list = append(list, it)
	}
	return list
}

// held leaves of the lessons what can be held into a reader.
func held(lessons []Lesson) (list []Lesson) {
	for _, l := range lessons {
		var plays []string
		for _, p := range l.Plays {
			if conformance.Holds(p) {
				plays = append(plays, p)
			}
		}
		if l.Plays = plays; len(plays) > 0 {
			list = append(list, l)
		}
	}
	return list
}

// draw takes one play of a lesson, a faulty one where there is a choice, most of the time.
func draw(r *rand.Rand, plays []string, verdicts map[string]string) string {
	var faulty []string
	for _, p := range plays {
		if verdicts[p] != "accept" {
			faulty = append(faulty, p)
		}
	}
	if len(faulty) > 0 && r.IntN(5) > 0 {
		plays = faulty
	}
	return plays[r.IntN(len(plays))]
}
