package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// Checkpoint returns the newest checkpoint, with the signed note that says it. A note
// that does not verify is ledger.ErrCheckpoint. Where the server has a synchronous standby,
// that one has it too: a failover does not take back what was told to a witness.
func (l *Ledger) Checkpoint(ctx context.Context) (*ledger.Checkpoint, error) {
	var signed []byte
	var v note.Verifier
	err := l.read(ctx, func(q querier) (err error) {
		if _, signed, err = newest(ctx, q); err != nil {
			return err
		}
		if v, err = l.verifier(ctx, q); err != nil {
			return err
		}
		return confirm(ctx, q.(*pgxpool.Conn).Conn())
	})
	if err != nil {
		return nil, fmt.Errorf("read the checkpoint: %w", err)
	}
	return ledger.ParseCheckpoint(signed, v)
}

// newest is the checkpoint as it is stored.
func newest(ctx context.Context, q querier) (size int64, signed []byte, err error) {
	err = q.QueryRow(ctx, "SELECT size, checkpoint FROM log").Scan(&size, &signed)
	return size, signed, err
}

// Verifier is that of the log key: the one given at opening, else the one that the
// log's first entry names.
func (l *Ledger) Verifier(ctx context.Context) (v note.Verifier, err error) {
	err = l.read(ctx, func(q querier) error {
		v, err = l.verifier(ctx, q)
		return err
	})
	return v, err
}

// Cosigned returns the checkpoint in ledger.CosignedFile; nil if there is none. It verifies
// nothing.
func (l *Ledger) Cosigned() *ledger.Checkpoint { return l.outside().Cosigned(l.origin) }
