package postgres_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

// TestWithoutRights: an account without the rights to what it is to do is told so, and by which name it
// came; it is not told that nothing is there.
func TestWithoutRights(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	nobody, desk := login(t, dir, "").Config(), login(t, dir, "tamthe_desk").Config()
	appends, admin := login(t, dir, "tamthe_sequencer").Config(), raw(t, dir)
	for _, test := range []struct {
		name, statement string
		user            string
		readOnly        bool
		want            error
	}{
		{"no right to the schema", "", nobody.User, true, ledger.ErrDenied},
		{"none, to append", "", nobody.User, false, ledger.ErrDenied},
		{"to the schema only", "GRANT USAGE ON SCHEMA tamthe TO " + nobody.User, nobody.User, true, ledger.ErrDenied},
		{"a desk with the log key", "", desk.User, false, ledger.ErrNotAppender},
		{"an older ledger, to read", "DELETE FROM tamthe.migration WHERE number = (SELECT max(number) FROM tamthe.migration)", desk.User, true, ledger.ErrOutdated},
		{"an older ledger, to append", "", appends.User, false, ledger.ErrOutdated},
		{"none to the database", "REVOKE CONNECT ON DATABASE " + desk.Database + " FROM PUBLIC", desk.User, true, ledger.ErrDenied},
	} {
		if test.statement != "" {
			if _, err := admin.Exec(t.Context(), test.statement); err != nil {
				t.Fatal(err)
			}
		}
		o := options(t, dir)
		o.ReadOnly = test.readOnly
		l, err := postgres.Open(t.Context(), pgtest.Server(t).DSN(desk.Database, test.user), o)
		if !errors.Is(err, test.want) || test.want == ledger.ErrDenied && !strings.Contains(err.Error(), test.user) {
			t.Errorf("%s: %v", test.name, err)
		}
		if err == nil {
			l.Close()
		}
	}
	if !errors.Is(ledger.ErrNotAppender, ledger.ErrReadOnly) {
		t.Error("who may not append can read only")
	}
	if _, err := admin.Exec(t.Context(), "DROP OWNED BY "+nobody.User); err != nil {
		t.Error(err)
	}
}

// TestVaultRights: the same of the vault's keys.
func TestVaultRights(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	newSubjects(t, address(t, dir))
	desk := login(t, dir, "tamthe_desk").Config()
	_, err := postgres.OpenSubjects(t.Context(), pgtest.Server(t).DSN(desk.Database, desk.User), false)
	if !errors.Is(err, ledger.ErrDenied) {
		t.Error(err)
	}
	dsn := pgtest.Database(t)
	if _, err := postgres.OpenSubjects(t.Context(), dsn, false); !errors.Is(err, ledger.ErrMissing) {
		t.Error(err)
	}
	newSubjects(t, dsn)
	var temporary bool
	if err := as(t, dsn).QueryRow(t.Context(), "SELECT has_database_privilege($1, current_database(), 'TEMPORARY')", desk.User).Scan(&temporary); err != nil || temporary {
		t.Errorf("who uses the vault may make tables: %v", err)
	}
}

// TestHasPassword: whichever way a DSN has of holding one.
func TestHasPassword(t *testing.T) {
	for dsn, want := range map[string]bool{
		"host=db dbname=office user=an":              false,
		"host=db user=an passfile=/etc/pass":         false,
		"host=db user=an password=x":                 true,
		"host=db user=an password = 'x y'":           true,
		"host=db user=an sslkey=k sslpassword=x":     true,
		"postgres://an@db/office?sslmode=disable":    false,
		"postgres://an:x@db/office":                  true,
		"postgres://an@db/office?password=x":         true,
		"postgres://an@db/office?sslpassword=secret": true,
	} {
		if got := postgres.HasPassword(dsn); got != want {
			t.Errorf("%s: %v", dsn, got)
		}
	}
}
