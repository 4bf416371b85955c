package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

// bulkRows is how many rows one statement inserts where there are so many.
const bulkRows = 32

// bulk inserts rows into a table.
type bulk struct {
	columns   int
	many, one *sql.Stmt
}

func newBulk(ctx context.Context, db *sql.DB, table string, columns int, conflict string) (b bulk, err error) {
	one := "(?" + strings.Repeat(", ?", columns-1) + ")"
	b.columns = columns
	b.one, err = db.PrepareContext(ctx, "INSERT INTO "+table+" VALUES "+one+conflict)
	if err == nil {
		b.many, err = db.PrepareContext(ctx, "INSERT INTO "+table+" VALUES "+one+strings.Repeat(", "+one, bulkRows-1)+conflict)
	}
	return b, err
}

func (b bulk) close() error {
	var err error
	for _, s := range []*sql.Stmt{b.one, b.many} {
		if s != nil {
			err = errors.Join(err, s.Close())
		}
	}
	return err
}

// insert adds rows in their order, given as the values of one after the other. If the table
// does not take a row it returns the error and which row it is, of which, as of those after
// it, nothing is there.
func (b bulk) insert(ctx context.Context, tx *sql.Tx, values []any) (bad int, err error) {
	done := 0
	left := func() []any { return values[done*b.columns:] }
	if len(left()) >= bulkRows*b.columns {
		many := tx.StmtContext(ctx, b.many)
		for len(left()) >= bulkRows*b.columns {
			if _, err := many.ExecContext(ctx, left()[:bulkRows*b.columns]...); err != nil {
				break // nothing of it is there; one by one, whose fault it is comes out
			}
			done += bulkRows
		}
	}
	if len(left()) == 0 {
		return -1, nil
	}
	one := tx.StmtContext(ctx, b.one)
	for len(left()) > 0 {
		if _, err := one.ExecContext(ctx, left()[:b.columns]...); err != nil {
			return done, err
		}
		done++
	}
	return -1, nil
}
