package postgres_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

func TestLeases(t *testing.T) {
	dsn := pgtest.Database(t)
	ledgertest.RunLeases(t, open(t, dsn, t.TempDir()), open(t, dsn, t.TempDir()))
}

// TestLeaseClock: a lease of when the server's clock was a day ahead keeps nobody waiting for
// a day.
func TestLeaseClock(t *testing.T) {
	dsn := pgtest.Database(t)
	l := open(t, dsn, t.TempDir())
	if _, err := l.Lease(t.Context(), "application/A-1", "an", time.Minute); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "UPDATE tamthe.lease SET until = until + interval '1 day'"); err != nil {
		t.Fatal(err)
	}
	var held *ledger.LeaseError
	if _, err := l.Lease(t.Context(), "application/A-1", "binh", time.Minute); !errors.As(err, &held) || held.Left > ledger.MaxLease {
		t.Errorf("%v: %+v", err, held)
	}
}

// TestLeaseRights: a desk that may change nothing takes, renews and gives back leases; who
// may only read sees them.
func TestLeaseRights(t *testing.T) {
	c := pgtest.Server(t)
	dsn := c.Database(t)
	owner := open(t, dsn, t.TempDir())
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	config := conn.Config()
	as := func(role string) *postgres.Ledger {
		user := "lease_" + role + "_" + config.Database
		if _, err := conn.Exec(t.Context(), "CREATE ROLE "+user+" LOGIN IN ROLE "+role); err != nil {
			t.Fatal(err)
		}
		_, v := ledgertest.LogKey(t)
		l, err := postgres.Open(t.Context(), c.DSN(config.Database, user), postgres.Options{Verifier: v})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	}
	desk, reader := as("tamthe_desk"), as("tamthe_reader")
	mine, err := desk.Lease(t.Context(), "application/A-1", "an", time.Minute)
	if err == nil {
		mine, err = desk.Renew(t.Context(), mine, time.Minute)
	}
	if err != nil {
		t.Fatal(err)
	}
	if list, err := reader.Leases(t.Context()); err != nil || len(list) != 1 || list[0].Holder != "an" {
		t.Errorf("%+v: %v", list, err)
	}
	if _, err := reader.Lease(t.Context(), "application/A-2", "an", time.Minute); !errors.Is(err, ledger.ErrReadOnly) {
		t.Errorf("a reader takes a lease: %v", err)
	}
	if err := desk.Release(t.Context(), mine); err != nil {
		t.Error(err)
	}
	if list, err := owner.Leases(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%+v: %v", list, err)
	}
	d, err := pgx.Connect(t.Context(), c.DSN(config.Database, "lease_tamthe_desk_"+config.Database))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(t.Context())
	for _, text := range []string{
		"INSERT INTO tamthe.lease VALUES ('a', 'b', 1, now())", "UPDATE tamthe.lease SET until = now()", "DELETE FROM tamthe.lease",
	} {
		if _, err := d.Exec(t.Context(), text); err == nil {
			t.Errorf("a desk may: %s", text)
		}
	}
}

// TestLeaseStolen: who has another desk's account sees who has a lease, and its epoch. In that
// name they neither take it, nor hold it on, nor give it back.
func TestLeaseStolen(t *testing.T) {
	c := pgtest.Server(t)
	dsn := c.Database(t)
	open(t, dsn, t.TempDir())
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	database := conn.Config().Database
	as := func(name string) *postgres.Ledger {
		user := "lease_" + name + "_" + database
		if _, err := conn.Exec(t.Context(), "CREATE ROLE "+user+" LOGIN IN ROLE tamthe_desk"); err != nil {
			t.Fatal(err)
		}
		l, err := postgres.Open(t.Context(), c.DSN(database, user), postgres.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	}
	desk, thief := as("honest"), as("thief")
	mine, err := desk.Lease(t.Context(), "application/A-1", "an", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := thief.Lease(t.Context(), mine.Subject, mine.Holder, time.Minute); err == nil {
		t.Error("another account took the lease")
	}
	if _, err := thief.Renew(t.Context(), mine, time.Minute); err == nil {
		t.Error("another account held the lease on")
	}
	if err := thief.Release(t.Context(), mine); err != nil {
		t.Error(err)
	}
	again, err := desk.Renew(t.Context(), mine, time.Minute)
	if err != nil || again.Epoch != mine.Epoch {
		t.Errorf("%+v: %v", again, err)
	}
	if err := desk.Release(t.Context(), again); err != nil {
		t.Error(err)
	}
	if _, err := thief.Lease(t.Context(), mine.Subject, mine.Holder, time.Minute); err != nil {
		t.Errorf("it was given back: %v", err)
	}
}
