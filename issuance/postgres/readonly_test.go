package postgres_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/postgres"
)

// TestReadOnlyDatabase: a database that is only to be read is told as such, and can be read.
func TestReadOnlyDatabase(t *testing.T) {
	s := serve(t)
	open := s.open(t, time.Second)
	s.exec(t, "ALTER DATABASE "+s.database()+" SET default_transaction_read_only = on")
	s.exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
	if err := s.enrol(t.Context(), open); !errors.Is(err, ledger.ErrReadOnly) {
		t.Errorf("append: %v", err)
	}
	if _, err := postgres.Open(t.Context(), s.dsn, s.options(t, time.Second)); !errors.Is(err, ledger.ErrReadOnly) {
		t.Errorf("open: %v", err)
	}
	o := s.options(t, time.Second)
	o.Signer, o.ReadOnly = nil, true
	l, err := postgres.Open(t.Context(), s.dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s.exec(t, "ALTER DATABASE "+s.database()+" RESET default_transaction_read_only")
	s.exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
	if err := s.enrol(t.Context(), open); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	s.sound(t)
}

// database is the name that the DSN has.
func (s *served) database() string {
	_, name, _ := strings.Cut(s.dsn, "dbname=")
	name, _, _ = strings.Cut(name, " ")
	return name
}
