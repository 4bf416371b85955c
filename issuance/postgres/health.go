package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// Health tells how the database does.
func (l *Ledger) Health(ctx context.Context) (ledger.Health, error) {
	var h ledger.Health
	err := l.health(ctx, &h)
	if err == nil {
		var list []ledger.Lease
		list, err = l.Leases(ctx)
		h.Leases(list)
	}
	if err != nil {
		return ledger.Health{}, fmt.Errorf("ask the ledger how it does: %w", typed(err))
	}
	return h, nil
}

func (l *Ledger) health(ctx context.Context, h *ledger.Health) error {
	conn, err := l.readers.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	begin := time.Now()
	var now time.Time
	err = conn.QueryRow(ctx, "SELECT clock_timestamp(), size, since, epoch, holder FROM log").Scan(&now, &h.Size, &h.Last, &h.Epoch, &h.Sequencer)
	if err != nil {
		return err
	}
	h.Trip = time.Since(begin)
	h.Off = now.Sub(begin.Add(h.Trip / 2))
	if h.Size == 0 {
		h.Last = time.Time{}
	}
	var q ledger.Queue
	var oldest, silent float64
	// The beat of a sequencer that has ended, and of before there was any, is infinitely long ago.
	// One of tomorrow was there before the clock went back.
	err = conn.QueryRow(ctx, `SELECT waiting, coalesce(extract(epoch FROM clock_timestamp() - oldest), 0)::float8, holder, epoch,
		CASE WHEN isfinite(beat) THEN abs(extract(epoch FROM clock_timestamp() - beat)) ELSE 0 END::float8,
		holder <> '' AND NOT isfinite(beat) FROM queue_stands()`).
		Scan(&q.Waiting, &oldest, &q.Worker, &q.Epoch, &silent, &q.Left)
	if err != nil {
		return err
	}
	q.Oldest, q.Silent = seconds(oldest), seconds(silent)
	h.Queue = &q
	return nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
