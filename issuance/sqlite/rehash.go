package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// Rehash reads leaves and nodes, as of one moment, hashes them anew and holds them against
// the checkpoint, those kept outside the file, and all that is shown of the log. What was
// changed since it was written is found at its place; whether it was right from the start
// is for Verify to say. Report and error are as Verify's.
func (l *Ledger) Rehash(ctx context.Context, shown ...*ledger.Older) (*ledger.Report, error) {
	var report *ledger.Report
	known := l.outside().Read()
	err := l.snapshot(ctx, func(tx *sql.Tx) error {
		v, err := l.verifier(ctx, tx)
		if err != nil {
			v = nil
		}
		kept, foreign := ledger.ShownKept(known, v)
		a := ledger.NewAudit(ctx, l.origin, nil, append(shown, kept...)...)
		for _, err := range foreign {
			a.Find(ledger.RolledBack, -1, issuance.StreamID{}, "%v", err)
		}
		a.HashesOnly()
		if err := rehash(ctx, tx, a); err != nil {
			return errors.Join(err, a.Close())
		}
		if err := auditCheckpoint(ctx, tx, a, v); err != nil {
			return errors.Join(err, a.Close())
		}
		report = a.Report()
		return a.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("rehash the ledger: %w", typed(err))
	}
	return report, nil
}

// someRows is how many rows are handed over at once.
const someRows = 512

// rehash reads rows while those before them are hashed.
func rehash(ctx context.Context, tx *sql.Tx, a *ledger.Audit) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	full, empty := make(chan []ledger.Row, 4), make(chan []ledger.Row, 5)
	failed := make(chan error, 1)
	go func() {
		failed <- readRows(ctx, tx, full, empty)
		close(full)
	}()
	for rows := range full {
		for _, r := range rows {
			a.Row(r)
		}
		select {
		case empty <- rows:
		default:
		}
	}
	return <-failed
}

func readRows(ctx context.Context, tx *sql.Tx, full chan<- []ledger.Row, empty <-chan []ledger.Row) error {
	rows, err := tx.QueryContext(ctx, "SELECT idx, leaf, nodes FROM entry ORDER BY idx")
	if err != nil {
		return err
	}
	defer rows.Close()
	some := make([]ledger.Row, 0, someRows)
	for rows.Next() {
		some = some[:len(some)+1]
		r := &some[len(some)-1]
		var leaf, nodes sql.RawBytes
		if err := rows.Scan(&r.Index, &leaf, &nodes); err != nil {
			return err
		}
		r.Leaf, r.Nodes = append(r.Leaf[:0], leaf...), append(r.Nodes[:0], nodes...)
		if len(some) < someRows {
			continue
		}
		full <- some
		select {
		case some = <-empty:
			some = some[:0]
		default:
			some = make([]ledger.Row, 0, someRows)
		}
	}
	if len(some) > 0 {
		full <- some
	}
	return rows.Err()
}
