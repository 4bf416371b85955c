package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/eid"
)

//go:embed logins/001_logins.sql
var loginsSchema string

var loginsSide = side{
	what: "the record of logins", id: 0x74616D67 /* tamg */, version: 1, schema: loginsSchema, other: "it is no record of logins",
}

// Logins is the record of e-authentication in one file: an eid.Store. Several programs may
// use it at once.
type Logins struct {
	db    *sql.DB
	group decisions
}

// CreateLogins makes a new, empty record, readable by its owner only. A file that exists is
// fs.ErrExist; after any error there is no file.
func CreateLogins(ctx context.Context, path string) error {
	return loginsSide.create(ctx, path, func(context.Context, *sql.Tx) error { return nil })
}

// OpenLogins opens a record. Errors: ledger.ErrMissing, ledger.ErrNotOurs, ledger.ErrNewer, ledger.ErrReadOnly,
// ledger.ErrDamaged, ledger.ErrBusy.
func OpenLogins(ctx context.Context, path string) (*Logins, error) {
	db, err := loginsSide.open(ctx, path, false)
	if err != nil {
		return nil, err
	}
	insert, err := db.PrepareContext(ctx, insertDecision)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the record of logins: %w", typed(err)), db.Close())
	}
	return &Logins{db: db, group: decisions{db: db, insert: insert}}, nil
}

// Close closes the file.
func (l *Logins) Close() error { return typed(errors.Join(l.group.insert.Close(), l.db.Close())) }

// Decide keeps a decision; it is on the disk when Decide returns. A session that was
// decided is eid.ErrDecided. Decisions that wait for the disk at the same time wait once.
func (l *Logins) Decide(ctx context.Context, d eid.Decision) error {
	return l.group.keep(ctx, d)
}

// Ready says why nothing can be kept, if it is so.
func (l *Logins) Ready(ctx context.Context) error {
	tx, err := l.db.BeginTx(ctx, nil) // the writer's lock
	if err != nil {
		return typed(err)
	}
	return typed(tx.Rollback())
}

// Each calls f with the decisions of a time, from included and to not, in order of time.
func (l *Logins) Each(ctx context.Context, from, to time.Time, f func(eid.Decision) error) error {
	rows, err := l.db.QueryContext(ctx, "SELECT * FROM login WHERE at >= ? AND at < ? ORDER BY at, session", from.UnixMicro(), to.UnixMicro())
	if err != nil {
		return fmt.Errorf("read the record of logins: %w", typed(err))
	}
	defer rows.Close()
	for rows.Next() {
		var d eid.Decision
		var at int64
		var fields, reasons string
		var card, evidence []byte
		if err := rows.Scan(&d.Session, &at, &d.Party, &d.Purpose, &fields, &d.Level, &d.Proof, &d.Code, &reasons, &card, &evidence); err != nil {
			return fmt.Errorf("read the record of logins: %w", typed(err))
		}
		if len(card) != len(verify.CardID{}) || len(evidence) != len(d.Evidence) {
			return fmt.Errorf("read the record of logins: %w", ledger.ErrDamaged)
		}
		d.Time, d.Fields, d.Reasons = time.UnixMicro(at).UTC(), strings.Fields(fields), strings.Fields(reasons)
		d.Card, d.Evidence = verify.CardID(card), [32]byte(evidence)
		if err := f(d); err != nil {
			return err
		}
	}
	return typed(rows.Err())
}
