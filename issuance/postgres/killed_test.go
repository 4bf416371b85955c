package postgres_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// TestKilledInTheMidst: programs append, and the server's processes are killed while they work
// for them, which restarts the whole server each time. Nobody sees anything of it but a delay.
func TestKilledInTheMidst(t *testing.T) {
	s := serve(t)
	stop, finish := context.WithCancel(t.Context())
	var work sync.WaitGroup
	var done atomic.Int64
	for range 4 {
		l := s.open(t, time.Minute)
		work.Go(func() {
			for stop.Err() == nil {
				if err := s.enrol(context.Background(), l); err != nil {
					t.Errorf("append: %v", err)
					return
				}
				done.Add(1)
			}
		})
	}
	killed := 0
	for killed < times(5, 200) && !t.Failed() {
		before := done.Load()
		for done.Load() < before+5 && !t.Failed() {
			time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond)
		}
		killed += s.kill(t)
	}
	finish()
	work.Wait()
	s.sound(t)
	t.Logf("%d kills in %d appends: lost 0, doubled 0", killed, done.Load())
}

// kill kills a process of the server that is at work for a program in a transaction.
func (s *served) kill(t *testing.T) int {
	t.Helper()
	var pid int
	err := func() error {
		conn, err := pgx.Connect(t.Context(), s.dsn)
		if err != nil {
			return err // it is not up again yet
		}
		defer conn.Close(context.Background())
		return conn.QueryRow(t.Context(), `SELECT coalesce(min(pid), 0) FROM pg_stat_activity
			WHERE pid <> pg_backend_pid() AND datname = current_database() AND xact_start IS NOT NULL`).Scan(&pid)
	}()
	if err != nil || pid == 0 || syscall.Kill(pid, syscall.SIGKILL) != nil {
		return 0
	}
	return 1
}

// TestRestarted stops the server in good order, and by a crash, while nobody or somebody is
// at it: who waits long enough goes on where it was, who does not is told that it is away.
func TestRestarted(t *testing.T) {
	s := serve(t)
	for name, stop := range map[string]func(testing.TB){"stopped": s.server.Stop, "crashed": s.server.Crash} {
		t.Run(name, func(t *testing.T) {
			brief := s.open(t, time.Second)
			stop(t)
			if err := s.enrol(t.Context(), brief); !errors.Is(err, ledger.ErrAway) {
				t.Errorf("without a server: %v", err)
			}
			waits := make(chan error, 1)
			go func() { waits <- s.enrol(t.Context(), s.store) }()
			s.server.Restart(t)
			if err := <-waits; err != nil {
				t.Errorf("who waited: %v", err)
			}
			if err := s.enrol(t.Context(), brief); err != nil {
				t.Errorf("afterwards: %v", err)
			}
			s.sound(t)
		})
	}
}
