package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// Health tells how the file does.
func (l *Ledger) Health(ctx context.Context) (ledger.Health, error) {
	var h ledger.Health
	begin := time.Now()
	err := l.snapshot(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, "SELECT size FROM log").Scan(&h.Size); err != nil {
			return err
		}
		h.Trip = time.Since(begin)
		var last int64
		err := tx.QueryRowContext(ctx, "SELECT time FROM entry ORDER BY idx DESC LIMIT 1").Scan(&last)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		h.Last = time.UnixMicro(last)
		return err
	})
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
