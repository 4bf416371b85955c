package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/tamthe/tamthe/apdu"
)

// Wire is the terminal's end: an apdu.Wire over a stream. It must not be copied, and whoever
// made it closes it.
type Wire struct {
	stream  io.ReadWriteCloser
	timeout time.Duration

	mu     sync.Mutex
	number uint32
	over   error // what every later exchange returns
}

// Over returns the terminal's end over a stream, whose Close has to unblock reading and
// writing. An exchange may take as long as timeout; 20 seconds if 0.
func Over(stream io.ReadWriteCloser, timeout time.Duration) *Wire {
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	return &Wire{stream: stream, timeout: timeout}
}

// Exchange has the card far away answer one command. What no command is goes nowhere and is
// apdu.ErrMalformed; while another exchange is under way it is ErrBusy.
//
// Every other error is the end: the stream is closed. A *Refusal is a command that the other
// end does not hand on; apdu.ErrRemoved, apdu.ErrReset, apdu.ErrTimeout and ErrCard are of
// the card, and they all stay. If ctx is done or the time is over before the answer is there,
// or the stream breaks, that exchange returns ctx's error, apdu.ErrTimeout, ErrStream or
// ErrGone, and all later ones apdu.ErrAbandoned.
func (w *Wire) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	if !w.mu.TryLock() {
		return nil, ErrBusy
	}
	defer w.mu.Unlock()
	if w.over != nil {
		return nil, w.over
	}
	if _, err := apdu.ParseCommand(b); err != nil {
		return nil, err
	}
	w.number++
	f, err := w.turn(ctx, frame{command, w.number, b})
	if err != nil {
		w.end(apdu.ErrAbandoned)
		return nil, err
	}
	switch f.kind {
	case answer:
		return f.data, nil
	case refused:
		w.end(refusal(f.data, b))
	case failed:
		w.end(fault(f.data[0]))
	}
	return nil, w.over
}

// turn sends a frame and waits for the one that answers it.
func (w *Wire) turn(ctx context.Context, f frame) (frame, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, w.timeout, apdu.ErrTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { w.stream.Close() })
	defer stop()
	reply, err := func() (frame, error) {
		if err := writeFrame(w.stream, f); err != nil {
			return frame{}, err
		}
		return readFrame(w.stream)
	}()
	if ctx.Err() != nil {
		return frame{}, context.Cause(ctx)
	}
	if err == nil && (reply.number != f.number || reply.kind == command || reply.kind == ended) {
		err = fmt.Errorf("%w: an answer that is not due", ErrStream)
	}
	return reply, err
}

// refusal reads what the other end refuses. A code that is not known is none.
func refusal(code, b []byte) error {
	r := &Refusal{Code: Code(code)}
	if !slices.Contains(Codes(), r.Code) {
		return fmt.Errorf("%w: a refusal without a reason", ErrStream)
	}
	if c, err := apdu.ParseCommand(b); err == nil {
		r.Command = c.Name()
	}
	return r
}

func fault(n byte) error {
	if int(n) >= len(faults) || n == 0 {
		return ErrCard
	}
	return fmt.Errorf("the card far away: %w", faults[n])
}

// end closes the stream, once.
func (w *Wire) end(why error) {
	if w.over == nil {
		w.over = why
		w.stream.Close()
	}
}

// End says the terminal's last word, at most 64 KiB, and closes the stream.
func (w *Wire) End(ctx context.Context, last []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over != nil {
		return w.over
	}
	ctx, cancel := context.WithTimeoutCause(ctx, w.timeout, apdu.ErrTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { w.stream.Close() })
	err := writeFrame(w.stream, frame{ended, w.number, last})
	stop()
	w.end(apdu.ErrAbandoned)
	return err
}

// Close closes the stream: an exchange that is under way ends, and all later ones are
// apdu.ErrAbandoned. It may be called more than once.
func (w *Wire) Close() error {
	err := w.stream.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over != nil {
		return nil
	}
	w.over = apdu.ErrAbandoned
	return err
}

// gone reports whether an error says only that a stream was closed.
func gone(err error) bool { return errors.Is(err, ErrGone) || errors.Is(err, ErrStream) }
