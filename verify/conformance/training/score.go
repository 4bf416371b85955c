package training

import (
	"slices"
	"time"

	"github.com/tamthe/tamthe/verify"
)

// Mark is one question with its answer, and what of it was right.
type Mark struct {
	Number   int
	Lesson   Lesson
	Play     string
	Right    Answer
	Given    Answer
	Decision bool
	Reason   bool
	Holder   bool
	Points   int
	Of       int
}

// The points of an answer: the decision weighs as much as both others.
const (
	decisionPoints = 2
	reasonPoints   = 1
	holderPoints   = 1
)

// Mark says what of an answer is right.
func (q *Question) Mark(a Answer) Mark {
	m := Mark{
		Number: q.Number, Lesson: q.Lesson, Play: q.Scene.ID, Right: q.Right, Given: a,
		Decision: a.Decision == q.Right.Decision, Reason: a.Reason == q.Right.Reason, Holder: a.Holder == q.Right.Holder,
		Of: decisionPoints + reasonPoints,
	}
	for _, p := range []struct {
		right  bool
		points int
	}{{m.Decision, decisionPoints}, {m.Reason, reasonPoints}, {m.Holder && q.Card(), holderPoints}} {
		if p.right {
			m.Points += p.points
		}
	}
	if q.Card() {
		m.Of += holderPoints
	}
	return m
}

// Forgery reports whether the mark is of something that was to be refused, and was accepted:
// the one error that a checkpoint must not make.
func (m Mark) Forgery() bool {
	return m.Right.Decision == verify.Refuse && m.Given.Decision == verify.Accept
}

// KindScore is how one kind of fault went.
type KindScore struct {
	Kind         string
	Asked, Right int // decisions
}

// Sheet is the score sheet of a session.
type Sheet struct {
	Seed    uint64
	Trainee string
	At      time.Time
	Hidden  bool // the program's verdict was not shown
	Planned int  // how many questions there were to answer
	Marks   []Mark
}

// Confusion counts the decisions: what was right by what was given, each in the order
// accept, refer, refuse.
func (s *Sheet) Confusion() (table [3][3]int) {
	row := map[verify.Verdict]int{verify.Accept: 0, verify.Refer: 1, verify.Refuse: 2}
	for _, m := range s.Marks {
		table[row[m.Right.Decision]][row[m.Given.Decision]]++
	}
	return table
}

// Kinds is how each kind of fault went, in the order of their names.
func (s *Sheet) Kinds() []KindScore {
	var list []KindScore
	for _, m := range s.Marks {
		i := slices.IndexFunc(list, func(k KindScore) bool { return k.Kind == m.Lesson.Kind })
		if i < 0 {
			i, list = len(list), append(list, KindScore{Kind: m.Lesson.Kind})
		}
		list[i].Asked++
		if m.Decision {
			list[i].Right++
		}
	}
	slices.SortFunc(list, func(a, b KindScore) int {
		if a.Kind < b.Kind {
			return -1
		}
		return 1
	})
	return list
}

// Forgeries are the numbers of the questions in which a forgery was accepted.
func (s *Sheet) Forgeries() (numbers []int) {
	for _, m := range s.Marks {
		if m.Forgery() {
			numbers = append(numbers, m.Number)
		}
	}
	return numbers
}

// Turned are the numbers of the questions in which somebody with a sound card was not let
// through.
func (s *Sheet) Turned() (numbers []int) {
	for _, m := range s.Marks {
		if m.Right.Decision == verify.Accept && !m.Decision {
			numbers = append(numbers, m.Number)
		}
	}
	return numbers
}

// Points are those reached, of how many.
func (s *Sheet) Points() (points, of int) {
	for _, m := range s.Marks {
		points, of = points+m.Points, of+m.Of
	}
	return points, of
}

// Decisions are those that were right.
func (s *Sheet) Decisions() (right int) {
	for _, m := range s.Marks {
		if m.Decision {
			right++
		}
	}
	return right
}

// passMark is how many in a hundred decisions must be right.
const passMark = 80

// Passed reports whether the trainee may stand at a checkpoint: no forgery accepted, and four
// in five decisions right. A session that was left before its end is not passed.
func (s *Sheet) Passed() bool {
	return len(s.Marks) > 0 && len(s.Marks) >= s.Planned && len(s.Forgeries()) == 0 && s.Decisions()*100 >= passMark*len(s.Marks)
}
