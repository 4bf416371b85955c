package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// Verify reads the whole ledger, as of one moment, and rebuilds what it should say: every
// leaf and node of the tree, every signature and rule, the tables beside the leaves, and the
// checkpoint. It holds the schema against what the migrations make. The ledger must continue
// the older checkpoint against, if that is not nil, and the checkpoints kept outside it, if
// there are any. A ledger that is not what it should be is a report with findings, not an
// error; an error means that it could not be read.
//
// It reads as of one moment, which the server keeps for it: dead rows are not cleared away
// meanwhile, and a standby may have to break it off.
//
// It trusts the server to say what is stored. A server whose own programs are not what they
// should be is found by reading elsewhere: an export, a copy on another machine.
func (l *Ledger) Verify(ctx context.Context, against *ledger.Checkpoint) (*ledger.Report, error) {
	if against == nil {
		return l.VerifyAgainst(ctx)
	}
	return l.VerifyAgainst(ctx, ledger.ShownCheckpoint("an older checkpoint", against))
}

// VerifyAgainst is Verify with all that is shown of the log from elsewhere: checkpoints,
// receipts, exports. It needs as much memory for a long log as for a short one, and room
// in the folder of temporary files for a hash or two an entry.
func (l *Ledger) VerifyAgainst(ctx context.Context, shown ...*ledger.Older) (*ledger.Report, error) {
	report, err := l.audit(ctx, false, shown)
	if err != nil {
		return nil, fmt.Errorf("verify the ledger: %w", err)
	}
	return report, nil
}

// Rehash reads leaves and nodes, as of one moment, hashes them anew and holds them against
// the checkpoint, those kept outside the ledger, and all that is shown of the log. What was
// changed since it was written is found at its place; whether it was right from the start
// is for Verify to say. Report and error are as Verify's.
func (l *Ledger) Rehash(ctx context.Context, shown ...*ledger.Older) (*ledger.Report, error) {
	report, err := l.audit(ctx, true, shown)
	if err != nil {
		return nil, fmt.Errorf("rehash the ledger: %w", err)
	}
	return report, nil
}

// audit reads the ledger as of one moment: leaves and nodes alone, or all of it.
func (l *Ledger) audit(ctx context.Context, hashes bool, shown []*ledger.Older) (report *ledger.Report, err error) {
	known := l.outside().Read()
	err = l.snapshot(ctx, func(tx pgx.Tx) error {
		report, err = l.auditIn(ctx, tx, hashes, known, shown)
		return err
	})
	return report, typed(err)
}

// auditIn is audit in a transaction.
func (l *Ledger) auditIn(ctx context.Context, tx pgx.Tx, hashes bool, known []ledger.Kept, shown []*ledger.Older) (_ *ledger.Report, err error) {
	if _, err := tx.Exec(ctx, "SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on"); err != nil {
		return nil, err
	}
	v, err := l.verifier(ctx, l.readers) // it may err, which the transaction would not survive
	if err != nil {
		v = nil // the audit says so
	}
	kept, foreign := ledger.ShownKept(known, v)
	s := &store{l: l, tx: tx}
	a := ledger.NewAudit(ctx, l.origin, s, append(shown, kept...)...)
	defer func() { err = errors.Join(err, a.Close()) }()
	for _, err := range foreign {
		a.Find(ledger.RolledBack, -1, issuance.StreamID{}, "%v", err)
	}
	if l.frugal {
		a.Frugal()
	}
	if err := s.run(ctx, a, hashes, v); err != nil {
		return nil, err
	}
	return a.Report(), nil
}

// store is the ledger under audit, in one transaction.
type store struct {
	l     *Ledger
	tx    pgx.Tx
	parts []part
}

// run has the audit look at one part of the store after the other. Where the store is too
// damaged to be read on, it ends with a finding.
func (s *store) run(ctx context.Context, a *ledger.Audit, hashes bool, v note.Verifier) error {
	parts := []func(context.Context, *ledger.Audit) error{
		s.auditSchema, s.auditMonths, s.auditEntries,
		func(context.Context, *ledger.Audit) error { a.Tables(); return a.Err() },
		s.auditPlaces,
	}
	if hashes {
		a.HashesOnly()
		parts = []func(context.Context, *ledger.Audit) error{s.auditMonths, s.rehash}
	}
	for _, part := range append(parts, func(ctx context.Context, a *ledger.Audit) error { return s.auditCheckpoint(ctx, a, v) }) {
		err := readable(typed(part(ctx, a)))
		if errors.Is(err, ledger.ErrDamaged) {
			a.Find(ledger.StoreDamaged, -1, issuance.StreamID{}, "%v", err)
			return nil
		}
		if err != nil {
			return err
		}
	}
	return a.Err()
}

// readable says that the store is damaged where a table or a column is not there, or what
// lies in it is of no form that we store.
func readable(err error) error {
	_, form := errors.AsType[pgx.ScanArgError](err)
	if code := state(err); form || code == stateUndefinedTable || code == stateUndefinedColumn {
		return fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
	}
	return err
}

func (s *store) auditCheckpoint(ctx context.Context, a *ledger.Audit, v note.Verifier) error {
	var origin string
	if err := s.tx.QueryRow(ctx, "SELECT origin FROM log").Scan(&origin); err != nil {
		return err
	}
	if origin != s.l.origin {
		a.Find(ledger.CheckpointBad, -1, issuance.StreamID{}, "the table says that the log is %q", origin)
	}
	size, signed, err := newest(ctx, s.tx)
	if err != nil {
		return err
	}
	a.Checkpoint(size, signed, v)
	return nil
}
