package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"fmt"
	"math"

	"github.com/tamthe/tamthe/issuance/ledger"
)

//go:embed migration/*.sql
var migrations embed.FS

// steps lists the migrations in their order. Their texts are fixed once released: a
// file remembers the checksum of each that made it.
func steps() ([]string, error) {
	files, err := migrations.ReadDir("migration")
	if err != nil {
		return nil, err
	}
	list := make([]string, len(files))
	for i, f := range files {
		text, err := migrations.ReadFile("migration/" + f.Name())
		if err != nil {
			return nil, err
		}
		list[i] = string(text)
	}
	return list, nil
}

func checksum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// version is how many migrations a file has had.
func version(ctx context.Context, db *sql.DB) (int, error) {
	var n int
	err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&n)
	return n, typed(err)
}

// checkVersion refuses a file of a newer program, and one that other scripts made.
func checkVersion(ctx context.Context, db *sql.DB) (behind int, err error) {
	list, err := steps()
	if err != nil {
		return 0, err
	}
	n, err := version(ctx, db)
	if err != nil {
		return 0, err
	}
	if n > len(list) {
		return 0, fmt.Errorf("%w: schema %d, this program knows %d", ledger.ErrNewer, n, len(list))
	}
	for i := range n {
		var sum string
		if err := db.QueryRowContext(ctx, "SELECT checksum FROM migration WHERE number = ?", i+1).Scan(&sum); err != nil {
			return 0, fmt.Errorf("%w: migration %d: %w", ledger.ErrNotOurs, i+1, typed(err))
		}
		if sum != checksum(list[i]) {
			return 0, fmt.Errorf("%w: migration %d is another", ledger.ErrNotOurs, i+1)
		}
	}
	return len(list) - n, nil
}

// migrate applies what the file lacks, each step whole or not at all. Another program
// may do the same at once: the version is read again under the lock.
func migrate(ctx context.Context, db *sql.DB) error { return migrateTo(ctx, db, math.MaxInt) }

// migrateTo applies no more than so many.
func migrateTo(ctx context.Context, db *sql.DB, n int) error {
	list, err := steps()
	if err != nil {
		return err
	}
	for i, text := range list[:min(n, len(list))] {
		if err := migrateOne(ctx, db, i+1, text); err != nil {
			return fmt.Errorf("migration %d: %w", i+1, typed(err))
		}
	}
	return nil
}

// hasTable says whether a file has a table: one that is only read and that an older program
// made may lack it.
func hasTable(ctx context.Context, db interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, name string,
) (there bool, err error) {
	err = db.QueryRowContext(ctx, "SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = ?", name).Scan(&there)
	return there, err
}

func migrateOne(ctx context.Context, db *sql.DB, number int, text string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var have int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return err
	}
	if have >= number {
		return nil
	}
	if _, err := tx.ExecContext(ctx, text); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO migration VALUES (?, ?)", number, checksum(text)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", number)); err != nil {
		return err
	}
	return tx.Commit()
}
