package postgres_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/postgres"
)

// TestStorm: five hundred programs come at once to a server that takes a hundred connections.
// Each gets in or is told that the server is busy or away; what was acknowledged is there.
func TestStorm(t *testing.T) {
	s := serve(t, "max_connections = 100")
	const clients = 500
	var in, out atomic.Int64
	var work sync.WaitGroup
	begin := make(chan struct{})
	for range clients {
		o := s.options(t, 2*time.Second)
		work.Go(func() {
			<-begin
			err := func() error {
				l, err := postgres.Open(t.Context(), s.dsn, o)
				if err != nil {
					return err
				}
				defer l.Close()
				return s.enrol(t.Context(), l)
			}()
			switch {
			case err == nil:
				in.Add(1)
			case errors.Is(err, ledger.ErrBusy), errors.Is(err, ledger.ErrAway):
				out.Add(1)
			default:
				t.Errorf("a refusal without a name: %v", err)
			}
		})
	}
	close(begin)
	work.Wait()
	if in.Load() == 0 {
		t.Error("nobody got in")
	}
	t.Logf("%d of %d got in, %d were told to come again", in.Load(), clients, out.Load())
	s.sound(t)
}
