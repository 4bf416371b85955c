package turns

import (
	"context"
	"errors"
	"testing"
)

type job struct {
	Ticket
	n int
}

// TestPanic: where doing the work panics, and somebody recovers as a web server does, those
// whose work it was are told, and the next ones have their turn.
func TestPanic(t *testing.T) {
	var g Queue[*job]
	all := func(q []*job) int { return len(q) }
	begun, other := make(chan struct{}), make(chan error, 1)
	go func() {
		<-begun
		other <- g.Wait(context.Background(), &job{NewTicket(), 2}, all, func(taken []*job) {
			for _, j := range taken {
				j.Done()
			}
		})
	}()
	first := &job{NewTicket(), 1}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic came through")
			}
		}()
		_ = g.Wait(context.Background(), first, all, func([]*job) { close(begun); panic("poison") })
	}()
	<-first.done
	if !errors.Is(first.Err, ErrAbandoned) {
		t.Errorf("the first: %v", first.Err)
	}
	if err := <-other; err != nil {
		t.Errorf("the next: %v", err)
	}
}
