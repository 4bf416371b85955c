package postgres

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// TestLeaseAway: a server that is away is asked for a lease as long as Options.Busy says, not
// for as long again. Pauses double from 5 ms at the least: 5, 10, 20, 40 and 80 fit in 200.
func TestLeaseAway(t *testing.T) {
	c, err := config("host=127.0.0.1 user=nobody dbname=none sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	var tries atomic.Int32
	c.ConnConfig.DialFunc = func(context.Context, string, string) (net.Conn, error) {
		tries.Add(1)
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	o := Options{Busy: 200 * time.Millisecond}
	p, err := newPool(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	l := &Ledger{o: o, readers: p}
	if _, err := l.Lease(t.Context(), "application/A-1", "an", time.Minute); !errors.Is(err, ledger.ErrAway) {
		t.Errorf("the server is away: %v", err)
	}
	if n := tries.Load(); n < 1 || n > 6 {
		t.Errorf("asked %d times", n)
	}
}
