package apdutest

import (
	"bytes"
	"context"
	"time"

	"github.com/tamthe/tamthe/apdu"
)

// Fault puts something between a Wire and its user. Exchanges are counted from 0, those
// that fail included.
type Fault func(apdu.Wire) apdu.Wire

// With returns w with the faults, the first one nearest to w.
func With(w apdu.Wire, faults ...Fault) apdu.Wire {
	for _, f := range faults {
		w = f(w)
	}
	return w
}

// faulty counts exchanges and hands each to its function.
type faulty struct {
	wire     apdu.Wire
	count    int
	exchange func(ctx context.Context, w apdu.Wire, n int, b []byte) ([]byte, error)
}

func (f *faulty) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	n := f.count
	f.count++
	return f.exchange(ctx, f.wire, n, b)
}

func fault(exchange func(ctx context.Context, w apdu.Wire, n int, b []byte) ([]byte, error)) Fault {
	return func(w apdu.Wire) apdu.Wire { return &faulty{wire: w, exchange: exchange} }
}

// Drop lets command n reach the card and loses the answer: apdu.ErrTimeout, and
// apdu.ErrAbandoned ever after.
func Drop(n int) Fault {
	return fault(func(ctx context.Context, w apdu.Wire, i int, b []byte) ([]byte, error) {
		switch {
		case i < n:
			return w.Exchange(ctx, b)
		case i == n:
			w.Exchange(ctx, b)
			return nil, apdu.ErrTimeout
		}
		return nil, apdu.ErrAbandoned
	})
}

// Remove takes the card away before command n: apdu.ErrRemoved from then on.
func Remove(n int) Fault {
	return fault(func(ctx context.Context, w apdu.Wire, i int, b []byte) ([]byte, error) {
		if i < n {
			return w.Exchange(ctx, b)
		}
		return nil, apdu.ErrRemoved
	})
}

// Tear takes the card away when it has done command n and before its answer has come:
// apdu.ErrRemoved from then on.
func Tear(n int) Fault {
	return fault(func(ctx context.Context, w apdu.Wire, i int, b []byte) ([]byte, error) {
		if i <= n {
			if answer, err := w.Exchange(ctx, b); i < n || err != nil {
				return answer, err
			}
		}
		return nil, apdu.ErrRemoved
	})
}

// Reset resets the card before command n for another program: apdu.ErrReset from then on.
// The card itself must be told by the caller.
func Reset(n int, card func()) Fault {
	return fault(func(ctx context.Context, w apdu.Wire, i int, b []byte) ([]byte, error) {
		if i < n {
			return w.Exchange(ctx, b)
		}
		if i == n {
			card()
		}
		return nil, apdu.ErrReset
	})
}

// Flip changes one bit of answer n, counted from the most significant bit of its first
// octet and around its end.
func Flip(n, bit int) Fault {
	return change(n, func(answer []byte) []byte {
		if len(answer) == 0 {
			return answer
		}
		at := bit % (8 * len(answer))
		answer = bytes.Clone(answer)
		answer[at/8] ^= 0x80 >> (at % 8)
		return answer
	})
}

// Garbage puts other octets in the place of answer n. The card has done the command.
func Garbage(n int, answer []byte) Fault {
	return change(n, func([]byte) []byte { return bytes.Clone(answer) })
}

func change(n int, f func([]byte) []byte) Fault {
	return fault(func(ctx context.Context, w apdu.Wire, i int, b []byte) ([]byte, error) {
		answer, err := w.Exchange(ctx, b)
		if i == n && err == nil {
			answer = f(answer)
		}
		return answer, err
	})
}

// Delay holds every command back for d, or until ctx is done: then the command has not
// gone out, and the exchange returns ctx's error and all later ones apdu.ErrAbandoned.
func Delay(d time.Duration) Fault {
	abandoned := false
	return fault(func(ctx context.Context, w apdu.Wire, _ int, b []byte) ([]byte, error) {
		if abandoned {
			return nil, apdu.ErrAbandoned
		}
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return w.Exchange(ctx, b)
		case <-ctx.Done():
			abandoned = true
			return nil, ctx.Err()
		}
	})
}

// Silence reaches no card: from command n on each exchange lasts until ctx is done.
func Silence(n int) Fault {
	return fault(func(ctx context.Context, w apdu.Wire, i int, b []byte) ([]byte, error) {
		if i < n {
			return w.Exchange(ctx, b)
		}
		if i > n {
			return nil, apdu.ErrAbandoned
		}
		<-ctx.Done()
		return nil, ctx.Err()
	})
}
