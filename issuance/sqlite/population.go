package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"os"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance/population"
)

//go:embed population/001_population.sql
var populationSchema string

// populationID marks the files at octet 68 ("tamp").
const (
	populationID      = 0x74616D70
	populationVersion = 1
)

// Population is a register of the population in one file: a population.Source.
type Population struct{ db *sql.DB }

// CreatePopulation makes a register of those records, readable by its owner only, and
// returns how many there are. A file that exists is fs.ErrExist; after any error there is no
// file.
func CreatePopulation(ctx context.Context, path string, records iter.Seq[population.Record]) (int, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return 0, fmt.Errorf("create the register: %w", err)
	}
	f.Close()
	n, err := fillPopulation(ctx, path, records)
	if err != nil {
		for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
			os.Remove(path + suffix)
		}
		return 0, fmt.Errorf("create the register %s: %w", path, typed(err))
	}
	return n, nil
}

func fillPopulation(ctx context.Context, path string, records iter.Seq[population.Record]) (n int, err error) {
	db, err := sql.Open("sqlite3", dsn(path, "rw", url.Values{"_synchronous": {"FULL"}}))
	if err != nil {
		return 0, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	marks := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", populationID, populationVersion)
	for _, text := range []string{marks, populationSchema} {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return 0, err
		}
	}
	insert, err := tx.PrepareContext(ctx, "INSERT INTO person VALUES (?, ?)")
	if err != nil {
		return 0, err
	}
	defer insert.Close()
	for r := range records {
		text, err := json.Marshal(r)
		if err != nil {
			return 0, err
		}
		if _, err := insert.ExecContext(ctx, string(r.Number), string(text)); err != nil {
			return 0, err
		}
		n++
	}
	if err := tx.Commit(); err != nil {
		return 0, err
	}
	_, err = db.ExecContext(ctx, "PRAGMA journal_mode = WAL")
	return n, err
}

// OpenPopulation opens a register. Errors: ErrMissing, ErrNotOurs, ErrNewer, ErrReadOnly,
// ErrDamaged, ErrBusy.
func OpenPopulation(ctx context.Context, path string) (*Population, error) {
	if err := sniffFor(path, populationID, "it is no register of the population"); err != nil {
		return nil, fmt.Errorf("open the register %s: %w", path, typed(err))
	}
	db, err := sql.Open("sqlite3", dsn(path, "rw", url.Values{
		"_txlock": {"immediate"}, "_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_recursive_triggers": {"1"}, "_busy_timeout": {millis(busyTimeout)},
	}))
	if err != nil {
		return nil, fmt.Errorf("open the register %s: %w", path, typed(err))
	}
	db.SetMaxOpenConns(1)
	n, err := version(ctx, db)
	if err == nil && n != populationVersion {
		err = fmt.Errorf("%w: schema %d, this program knows %d", ErrNewer, n, populationVersion)
	}
	if err != nil {
		return nil, fmt.Errorf("open the register %s: %w", path, errors.Join(typed(err), db.Close()))
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
		return population.Record{}, fmt.Errorf("read the register: %w", ErrDamaged)
	}
	return r, nil
}

// Asked writes down who asked about whom, and why. The same question again is counted.
func (p *Population) Asked(ctx context.Context, q population.Query, at time.Time, confirmed bool) error {
	done, err := p.db.ExecContext(ctx, `INSERT INTO asked VALUES (?, ?, ?, ?, ?, ?, ?, 1)
		ON CONFLICT DO UPDATE SET times = times + 1, confirmed = excluded.confirmed WHERE number = excluded.number AND officer = excluded.officer AND purpose = excluded.purpose`,
		q.Unit, q.Request, string(q.Number), q.Officer, q.Purpose, at.Unix(), confirmed)
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
