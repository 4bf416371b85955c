package perso

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/gp"
)

// Link is the way to a chip: an *apdu.Link at a desk that holds the card keys itself, or a
// *Remote at a centre.
type Link interface {
	apdu.Transmitter
	Limits() apdu.Limits
}

// Courier carries a script to the desk and its answers back: Station.Serve at the end of
// a connection, or Station.Do in the same process.
type Courier func(ctx context.Context, script []byte) (answers []byte, err error)

// Remote is the centre's end of a chip at a desk. Run over it sends the desk a few scripts
// of protected commands rather than each command by itself, so that the desk holds no key
// of the card and waits for the network only where a command depends on an answer. It
// serves one goroutine at a time.
//
// Every answer comes back and is compared with the one foretold from the session's keys;
// the desk, which gets digests only, cannot make one up at levels with an R-MAC.
type Remote struct {
	carry  Courier
	limits apdu.Limits
	queue  []*queued
	broken error
	trips  int
}

type queued struct {
	command apdu.Command
	encoded []byte
	want    []byte // nil for an answer that is not known
	got     []byte
}

// NewRemote returns a centre's link to a chip whose card and reader have these limits.
func NewRemote(carry Courier, l apdu.Limits) *Remote { return &Remote{carry: carry, limits: l} }

// Limits returns those of card and reader.
func (r *Remote) Limits() apdu.Limits { return r.limits }

// Trips is how many scripts were sent.
func (r *Remote) Trips() int { return r.trips }

// Transmit sends what was put off and then c, in one script, and returns the answer to c.
func (r *Remote) Transmit(ctx context.Context, c apdu.Command) (apdu.Response, error) {
	answer, err := r.Ask(ctx, c)
	if err != nil {
		return apdu.Response{}, err
	}
	return answer(ctx)
}

// Ask puts c off whose answer is not known; see gp.Queue.
func (r *Remote) Ask(_ context.Context, c apdu.Command) (func(context.Context) (apdu.Response, error), error) {
	q, err := r.add(c, nil)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (apdu.Response, error) {
		if q.got == nil {
			if err := r.Flush(ctx); err != nil {
				return apdu.Response{}, err
			}
		}
		a, err := apdu.ParseResponse(q.got)
		if err != nil {
			return apdu.Response{}, r.fail(fmt.Errorf("%s: %w", c.Name(), ErrScript))
		}
		return a, nil
	}, nil
}

// Later puts c off; see gp.Queue. It fails only for a command that can't be encoded, or
// when an earlier script has failed.
func (r *Remote) Later(_ context.Context, c apdu.Command, want apdu.Response) error {
	_, err := r.add(c, want.Bytes())
	return err
}

// Flush sends what was put off. Without an error each answer was the one foretold.
func (r *Remote) Flush(ctx context.Context) error {
	if r.broken != nil || len(r.queue) == 0 {
		return r.broken
	}
	return r.send(ctx)
}

func (r *Remote) add(c apdu.Command, want []byte) (*queued, error) {
	if r.broken != nil {
		return nil, r.broken
	}
	b, err := c.Encode(len(c.Data) > apdu.MaxShort || c.Le > apdu.MaxShortLe)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name(), err)
	}
	q := &queued{command: c, encoded: b, want: want}
	r.queue = append(r.queue, q)
	return q, nil
}

// fail ends the link: after a script that failed nobody knows what the chip is waiting for.
func (r *Remote) fail(err error) error {
	r.broken = err
	return err
}

// send empties the queue in one script.
func (r *Remote) send(ctx context.Context) error {
	queue := r.queue
	r.queue = nil
	s := &Script{}
	rand.Read(s.Salt[:])
	for _, q := range queue {
		step := Step{Command: q.encoded}
		if q.want != nil {
			step.Want = s.Digest(q.want)
		}
		s.Steps = append(s.Steps, step)
	}
	b, err := s.MarshalBinary()
	if err != nil {
		return r.fail(err)
	}
	r.trips++
	if b, err = r.carry(ctx, b); err != nil {
		return r.fail(err)
	}
	answers, err := ParseAnswers(b)
	if err != nil {
		return r.fail(err)
	}
	return r.compare(s, queue, answers)
}

// compare sees that each answer is the one foretold, whatever the desk says of it. The
// last of a script may be any.
func (r *Remote) compare(s *Script, queue []*queued, a *Answers) error {
	if len(a.List) > len(queue) {
		return r.fail(ErrScript)
	}
	for i, got := range a.List {
		q := queue[i]
		q.got = got
		if s.wanted(i, got) || q.want == nil && i == len(queue)-1 {
			continue
		}
		err := fmt.Errorf("%s: another answer than the one foretold: %w", q.command.Name(), gp.ErrProtection)
		if x, bad := apdu.ParseResponse(got); bad == nil && len(x.Data) == 0 && x.Status.Err() != nil {
			err = q.command.Refused(x.Status) // a refusal has no code
		}
		return r.fail(err)
	}
	if len(a.List) == len(queue) {
		return nil
	}
	cause := endErrors[a.End]
	if cause == nil {
		cause = ErrScript
	}
	return r.fail(fmt.Errorf("%s: %w", queue[len(a.List)].command.Name(), cause))
}

// Station is the desk's end: a reader with a chip, and no keys.
type Station struct {
	Link *apdu.Link
	mu   sync.Mutex
}

// Do carries out one script. The error is that of a script that can't be read; what became
// of the card is in the answers.
func (s *Station) Do(ctx context.Context, script []byte) ([]byte, error) {
	x, err := ParseScript(script)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &Answers{}
	for i, step := range x.Steps {
		c, err := apdu.ParseCommand(step.Command)
		if err != nil {
			return nil, fmt.Errorf("command %d: %w", i, ErrScript)
		}
		r, err := s.Link.Transmit(ctx, c)
		if err != nil {
			a.End = endOf(err)
			break
		}
		a.List = append(a.List, r.Bytes())
		if !x.wanted(i, a.List[i]) {
			a.End = Stopped
			break
		}
	}
	return a.MarshalBinary()
}
