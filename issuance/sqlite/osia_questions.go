package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/osia/abis"
)

const questionColumns = "id, app, person, content, op, token, task, state, digest, sealed, asked, since"

func scanQuestion(row interface{ Scan(...any) error }) (q abis.Question, err error) {
	var content, token, digest []byte
	var asked, since int64
	err = row.Scan(&q.ID, &q.App, &q.Person, &content, &q.Op, &token, &q.Task, &q.State, &digest, &q.Sealed, &asked, &since)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return q, abis.ErrUnknown
	case err != nil:
		return q, fmt.Errorf("read a question: %w", typed(err))
	case len(content) != 32 || len(token) != 32 || len(digest) != 32:
		return q, fmt.Errorf("read a question: %w", ledger.ErrDamaged)
	}
	q.Content, q.Token, q.Digest = [32]byte(content), [32]byte(token), [32]byte(digest)
	q.Asked, q.Since = time.UnixMicro(asked).UTC(), time.UnixMicro(since).UTC()
	return q, nil
}

// constraint is what a violated constraint means; nil for other errors.
func constraint(err, means error) error {
	if e, ok := errors.AsType[sqlite3.Error](err); ok && e.Code == sqlite3.ErrConstraint {
		return means
	}
	return err
}

// Put stores a question before it is asked; abis.ErrConflict.
func (o *OSIA) Put(ctx context.Context, q abis.Question) error {
	return o.change(ctx, "store a question", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO question ("+questionColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?)",
			q.ID, q.App, q.Person, q.Content[:], string(q.Op), q.Token[:], q.Task, string(q.State), q.Digest[:], q.Asked.UnixMicro(), q.Since.UnixMicro())
		return constraint(err, abis.ErrConflict)
	})
}

// Last returns the newest question of an application and operation; abis.ErrUnknown.
func (o *OSIA) Last(ctx context.Context, app string, op abis.Op) (abis.Question, error) {
	return scanQuestion(o.db.QueryRowContext(ctx, "SELECT "+questionColumns+" FROM question WHERE app = ? AND op = ? ORDER BY seq DESC LIMIT 1", app, string(op)))
}

// Called returns the question whose address has a token; abis.ErrUnknown.
func (o *OSIA) Called(ctx context.Context, token [32]byte) (abis.Question, error) {
	return scanQuestion(o.db.QueryRowContext(ctx, "SELECT "+questionColumns+" FROM question WHERE token = ?", token[:]))
}

// Task stores the register's name for an open question, unless one is there.
func (o *OSIA) Task(ctx context.Context, id, task string) error {
	return o.change(ctx, "store a question's task", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE question SET task = ? WHERE id = ? AND task = '' AND state = 'open'", task, id)
		return err
	})
}

// Answer takes an answer, for good, to a question that is open, and reports whether it was
// taken now; abis.ErrAnswered, abis.ErrUnknown.
func (o *OSIA) Answer(ctx context.Context, q abis.Question, to abis.State, digest [32]byte, sealed []byte, at time.Time) (taken bool, err error) {
	err = o.change(ctx, "store an answer", func(tx *sql.Tx) error {
		now, err := scanQuestion(tx.QueryRowContext(ctx, "SELECT "+questionColumns+" FROM question WHERE id = ?", q.ID))
		if err != nil {
			return err
		}
		if now.State != abis.Open {
			if now.Digest == digest && now.State != abis.Abandoned {
				return nil
			}
			return abis.ErrAnswered
		}
		if now.Task != "" && q.Task != now.Task {
			return abis.ErrAnswered
		}
		taken = true
		_, err = tx.ExecContext(ctx, "UPDATE question SET state = ?, task = ?, digest = ?, sealed = ?, since = ? WHERE id = ?",
			string(to), q.Task, digest[:], sealed, at.UnixMicro(), q.ID)
		return err
	})
	return taken && err == nil, err
}

// End says that a question is used or abandoned, and wipes its answer.
func (o *OSIA) End(ctx context.Context, id string, to abis.State, at time.Time) error {
	return o.change(ctx, "end a question", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE question SET state = ?, sealed = NULL, since = ? WHERE id = ? AND state NOT IN ('used', 'abandoned')",
			string(to), at.UnixMicro(), id)
		return err
	})
}

// Kept lists the newest question of those applications whose faces the register was asked to
// keep, and not asked since to forget with success.
func (o *OSIA) Kept(ctx context.Context) ([]abis.Question, error) {
	rows, err := o.db.QueryContext(ctx, "SELECT "+questionColumns+` FROM question q WHERE op = 'insert'
		AND NOT EXISTS (SELECT 1 FROM question n WHERE n.app = q.app AND n.op = 'insert' AND n.seq > q.seq)
		AND NOT EXISTS (SELECT 1 FROM question d WHERE d.app = q.app AND d.op = 'delete' AND d.state = 'used' AND d.seq > q.seq) ORDER BY seq`)
	if err != nil {
		return nil, fmt.Errorf("read the questions: %w", typed(err))
	}
	defer rows.Close()
	var list []abis.Question
	for rows.Next() {
		q, err := scanQuestion(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, q)
	}
	return list, typed(rows.Err())
}
