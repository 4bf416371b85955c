package console

import (
	"sync"
	"time"

	"github.com/tamthe/tamthe/verify"
)

// lookKept is how long a card that was looked at may be looked at again, and compared with
// its bearer: a session that was locked meanwhile finds it again.
const lookKept = 15 * time.Minute

// look is one card that was inspected. It is in memory only, for the officer who inspected
// it, until that officer's next card.
type look struct {
	id, operator string
	took         time.Duration
	portrait     []byte            // JPEG, coded anew; nil where there is none to show
	hidden       *problem          // why there is none
	slip         map[string][]byte // for the citizen, by language; nil where the office gives none

	mu       sync.Mutex
	report   *verify.Report
	holder   verify.Holder
	recorded *Failure // why it is not in the record; nil if it is
}

// state is the report as it stands, with the officer's answer.
func (l *look) state() (*verify.Report, verify.Holder, *Failure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.report, l.holder, l.recorded
}

// looks are the cards that were looked at, one for each officer. The zero value is ready.
type looks struct {
	mu     sync.Mutex
	closed bool
	of     map[string]*kept // by operator
}

type kept struct {
	*look
	gone *time.Timer
}

// keep takes a look, in place of its operator's last one.
func (s *looks) keep(l *look) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errStopping
	}
	if s.of == nil {
		s.of = map[string]*kept{}
	}
	if before := s.of[l.operator]; before != nil {
		before.gone.Stop()
	}
	l.id = randomID()
	s.of[l.operator] = &kept{l, time.AfterFunc(lookKept, func() { s.drop(l) })}
	return nil
}

// drop forgets a look, if it is still the operator's last.
func (s *looks) drop(l *look) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.of[l.operator]; k != nil && k.look == l {
		delete(s.of, l.operator)
	}
}

// forget forgets what an operator looked at.
func (s *looks) forget(operator string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.of[operator]; k != nil {
		k.gone.Stop()
		delete(s.of, operator)
	}
}

// close forgets all and takes no more.
func (s *looks) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, k := range s.of {
		k.gone.Stop()
	}
	clear(s.of)
}

// find is the operator's own look of that name.
func (s *looks) find(id, operator string) (*look, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.of[operator]; k != nil && k.id == id {
		return k.look, nil
	}
	return nil, errLookGone
}
