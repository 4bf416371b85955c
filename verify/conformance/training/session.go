package training

import (
	"context"
	"errors"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/verify"
)

// ErrNothing says that the options leave nothing to ask.
var ErrNothing = errors.New("there is nothing to ask")

// Session is the questions of a seed.
type Session struct {
	items  []item
	people func(n int) vn.Person
	pool   []verify.Reason
}

// New plans a session. people invents citizens: the n-th one, 0 ≤ n < 2^20, always the same
// and nobody's. The errors are ErrLesson and ErrNothing.
func New(o Options, people func(n int) vn.Person) (*Session, error) {
	lessons, err := choose(o.Lessons)
	if err != nil {
		return nil, err
	}
	s := &Session{items: plan(o, lessons), people: people, pool: pool()}
	if len(s.items) == 0 {
		return nil, ErrNothing
	}
	return s, nil
}

// Len is how many questions there are.
func (s *Session) Len() int { return len(s.items) }

// Question makes the i-th question, from 0. The errors are ctx's, and what kept a card from
// being made.
func (s *Session) Question(ctx context.Context, i int) (*Question, error) {
	it := s.items[i]
	return ask(ctx, it, s.people(it.citizen), s.pool)
}
