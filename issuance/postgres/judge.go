package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/postgres/submission"
	"github.com/tamthe/tamthe/issuance/turns"
)

// maxStrikes is how often a submission may fail where others do not before it is refused.
const maxStrikes = 3

// errPanicked means that the program failed over a submission.
var errPanicked = errors.New("the program failed")

// judge appends what holds, each as if it came alone, and settles what can be told. The error
// is why the others, if there are any, stay in the queue.
func (s *sequencer) judge(ctx context.Context, group []*taken) error {
	var ws []*waiting
	for _, t := range group {
		if t.settled {
			continue
		}
		if t.w, t.err = s.read(t.body); t.err != nil {
			t.settled = true
			continue
		}
		ws = append(ws, t.w)
	}
	if len(ws) == 0 {
		return nil
	}
	if err := s.l.group.Alone(ctx, func() { turns.Together(ws, s.commit) }); err != nil {
		return err
	}
	var failed error
	for _, t := range group {
		if t.w == nil {
			continue
		}
		t.err = t.w.Err
		if t.settled = s.final(t); !t.settled {
			failed = t.err
		}
	}
	return failed
}

// read makes an append of a body.
func (s *sequencer) read(body []byte) (w *waiting, err error) {
	defer s.caught(&err)
	sub, err := submission.Parse(body)
	if err != nil {
		return nil, err
	}
	rows, err := issuance.EncodeAll(sub.Entries)
	if err != nil {
		return nil, err
	}
	return &waiting{Ticket: turns.NewTicket(), at: sub.Head, rows: rows, guard: s}, nil
}

// commit is the ledger's, for what may hold anything.
func (s *sequencer) commit(ws []*waiting) (bad int, err error) {
	defer func() {
		if errors.Is(err, errPanicked) {
			bad = -1
			s.l.writer.hangUp()
		}
	}()
	defer s.caught(&err)
	return s.l.commit(ws)
}

// caught makes an error of a panic.
func (s *sequencer) caught(err *error) {
	if r := recover(); r != nil {
		s.o.Logger.Error("a submission made the program fail", "why", fmt.Sprint(r), "stack", string(debug.Stack()))
		*err = errPanicked
	}
}

// final reports whether the outcome of a submission can be told: what the rules say, and what
// fails again and again for a reason of its own.
func (s *sequencer) final(t *taken) bool {
	switch {
	case t.err == nil || submission.Final(t.err) || errors.Is(t.err, errPanicked):
		return true
	case unfit(t.err):
		return false
	}
	s.strikes[t.id]++
	s.o.Logger.Warn("a submission failed", "desk", t.desk, "why", t.err, "times", s.strikes[t.id])
	return s.strikes[t.id] >= maxStrikes
}

// unfit reports whether nothing can be appended now, whatever it is.
func unfit(err error) bool {
	for _, why := range []error{
		ledger.ErrAway, ledger.ErrFull, ledger.ErrBusy, ledger.ErrReadOnly, ledger.ErrCopy, ledger.ErrFenced, ledger.ErrRolledBack,
		ledger.ErrLogin, ledger.ErrDenied, ledger.ErrMoved,
		context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(typed(err), why) {
			return true
		}
	}
	return false
}
