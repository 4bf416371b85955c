package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/population"
)

//go:embed population/001_population.sql
var populationSchema string

var populationSide = side{
	what: "the register", id: 0x74616D70 /* tamp */, version: 1, schema: populationSchema, other: "it is no register of the population",
}

// Population is a register of the population in one file: a population.Source.
type Population struct{ db *sql.DB }

// CreatePopulation makes a register of those records, readable by its owner only, and
// returns how many there are. A file that exists is fs.ErrExist; after any error there is no
// file.
func CreatePopulation(ctx context.Context, path string, records iter.Seq[population.Record]) (n int, err error) {
	err = populationSide.create(ctx, path, func(ctx context.Context, tx *sql.Tx) error {
		insert, err := tx.PrepareContext(ctx, "INSERT INTO person VALUES (?, ?)")
		if err != nil {
			return err
		}
		defer insert.Close()
		for r := range records {
			text, err := json.Marshal(r)
			if err != nil {
				return err
			}
			if _, err := insert.ExecContext(ctx, string(r.Number), string(text)); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// OpenPopulation opens a register. Errors: ledger.ErrMissing, ledger.ErrNotOurs, ledger.ErrNewer, ledger.ErrReadOnly,
// ledger.ErrDamaged, ledger.ErrBusy.
func OpenPopulation(ctx context.Context, path string) (*Population, error) {
	db, err := populationSide.open(ctx, path, false)
	if err != nil {
		return nil, err
	}
	return &Population{db}, nil
}

// Close closes the file.
func (p *Population) Close() error { return typed(p.db.Close()) }

// Find is the record of a number; population.ErrNoSuchPerson.
func (p *Population) Find(ctx context.Context, n vn.Number) (population.Record, error) {
	var r population.Record
	var text string
	err := p.db.QueryRowContext(ctx, "SELECT record FROM person WHERE number = ?", string(n)).Scan(&text)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return r, population.ErrNoSuchPerson
	case err != nil:
		return r, fmt.Errorf("read the register: %w", typed(err))
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return population.Record{}, fmt.Errorf("read the register: %w", ledger.ErrDamaged)
	}
	return r, nil
}

// Asked writes down who asked about whom, and why. The same question again is counted.
func (p *Population) Asked(ctx context.Context, q population.Query, at time.Time, confirmed bool) error {
	person := sha256.Sum256([]byte(q.Name + "\x00" + q.Birth.String()))
	done, err := p.db.ExecContext(ctx, `INSERT INTO asked VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)
		ON CONFLICT DO UPDATE SET times = times + 1, confirmed = excluded.confirmed
		WHERE number = excluded.number AND person = excluded.person AND officer = excluded.officer AND purpose = excluded.purpose`,
		q.Unit, q.Request, string(q.Number), person[:], q.Officer, q.Purpose, at.Unix(), confirmed)
	if err != nil {
		return fmt.Errorf("write the question down: %w", typed(err))
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return population.ErrReused
	}
	return nil
}

// Confirmed is the number of whom a request confirmed; population.ErrNoSuchPerson.
func (p *Population) Confirmed(ctx context.Context, unit, request string) (vn.Number, error) {
	var n string
	err := p.db.QueryRowContext(ctx, "SELECT number FROM asked WHERE unit = ? AND request = ? AND confirmed = 1", unit, request).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return "", population.ErrNoSuchPerson
	}
	return vn.Number(n), typed(err)
}
