package postgres_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

// stateOf is what the server says of a statement that it refuses; empty if it does it. The
// statement is undone.
func stateOf(t *testing.T, conn *pgx.Conn, statement string, args ...any) (state string) {
	t.Helper()
	undone(t, conn, func(tx pgx.Tx) {
		_, err := tx.Exec(t.Context(), statement, args...)
		if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
			state = refused.Code
		} else if err != nil {
			t.Fatal(err)
		}
	})
	return state
}

// What PostgreSQL says (Appendix A).
const (
	unique    = "23505"
	integrity = "23000"
	denied    = "42501"
)

// TestConstraints writes past the rules, as a faulty or foreign program would: it is the
// database that keeps a value from a second owner, for every sort of value that a busy office
// has, and that keeps an owner from being changed or taken away.
func TestConstraints(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	conn := raw(t, dir)
	for _, kind := range []string{"card-serial", "cert-serial"} { // what no card of this office has yet
		if _, err := conn.Exec(t.Context(), "INSERT INTO claim VALUES ($1, '7', 'card', 'C-1', 0)", kind); err != nil {
			t.Fatal(err)
		}
	}
	var kinds []string
	for _, table := range []string{"claim", "hold"} {
		rows, err := conn.Query(t.Context(), "SELECT kind, min(value) FROM "+table+" GROUP BY kind")
		if err != nil {
			t.Fatal(err)
		}
		taken, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c [2]string, err error) { return c, row.Scan(&c[0], &c[1]) })
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range taken {
			kinds = append(kinds, c[0])
			insert := "INSERT INTO " + table + " (kind, value, stream_kind, stream, idx) VALUES ($1, $2, 'card', 'C-other', 0)"
			if state := stateOf(t, conn, insert, c[0], c[1]); state != unique {
				t.Errorf("a second owner of a %s: %q", c[0], state)
			}
			if state := stateOf(t, conn, insert, c[0], c[1]+"0"); state != "" {
				t.Errorf("another %s: %s", c[0], state)
			}
		}
	}
	for _, want := range []string{"chip", "chip-key", "card-id", "blank", "ds-use", "number", "status", "open-application", "active-card"} {
		if !slices.Contains(kinds, want) {
			t.Errorf("no %s among %v", want, kinds)
		}
	}
	if state := stateOf(t, conn, "INSERT INTO identity SELECT id, 999 FROM identity LIMIT 1"); state != unique {
		t.Errorf("an entry that is there twice: %q", state)
	}
}

// TestForEver: not even the owner of the tables changes what is written, as long as the
// triggers are there; TestTamper is about who takes them away.
func TestForEver(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	conn := raw(t, dir)
	var month string
	if err := conn.QueryRow(t.Context(), "SELECT 'entry_' || to_char(min(month), 'YYYYMM') FROM month").Scan(&month); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{
		"UPDATE entry SET act = 'x' WHERE idx = 3", "DELETE FROM entry WHERE idx = 51", "TRUNCATE entry",
		"UPDATE " + month + " SET act = 'x' WHERE idx = 3", "DELETE FROM " + month + " WHERE idx = 3", "TRUNCATE " + month,
		"UPDATE entry SET month = (SELECT max(month) FROM month) WHERE idx = 3",
		"UPDATE attachment SET sealed = ''", "DELETE FROM attachment", "TRUNCATE attachment",
		"UPDATE claim SET value = 'x'", "DELETE FROM claim", "TRUNCATE claim",
		"INSERT INTO claim SELECT kind, value, stream_kind, 'C-X', idx FROM claim ON CONFLICT (kind, value) DO UPDATE SET stream = excluded.stream",
		"UPDATE identity SET idx = 1", "DELETE FROM identity", "TRUNCATE identity",
		"UPDATE hold SET stream = 'C-X'", "TRUNCATE hold", "UPDATE month SET first = first + 1", "DELETE FROM month", "TRUNCATE month",
		"UPDATE stream SET phase = 'active'", "UPDATE stream SET seq = seq - 1", "DELETE FROM stream", "TRUNCATE stream",
		"UPDATE log SET size = 1", "UPDATE log SET origin = 'x', size = 999", "UPDATE log SET checkpoint = ''", "DELETE FROM log", "TRUNCATE log",
		"UPDATE log SET epoch = 9223372036854775807", "UPDATE log SET epoch = epoch + 2, holder = 'x'", "UPDATE log SET epoch = epoch - 1",
		"UPDATE queue SET epoch = 9223372036854775807", "UPDATE queue SET epoch = epoch + 2", "UPDATE queue SET epoch = epoch - 1",
		"UPDATE status SET state = 2", "DELETE FROM status", "TRUNCATE status", "UPDATE status_list SET uri = 'x'", "DELETE FROM status_list",
	} {
		if state := stateOf(t, conn, s); state != integrity {
			t.Errorf("%s: %q", s, state)
		}
	}
}

// TestRights: what each role may do, by what the server says of what it may not.
func TestRights(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	if _, err := raw(t, dir).Exec(t.Context(), "SELECT open_month('2031-01-01')"); err != nil {
		t.Fatal(err)
	}
	for group, may := range map[string]map[string]bool{
		"":                 {},
		"tamthe_reader":    {"SELECT": true},
		"tamthe_desk":      {"SELECT": true},
		"tamthe_sequencer": {"SELECT": true, "INSERT": true, "hold": true, "forward": true, "month": true},
	} {
		conn := login(t, dir, group)
		for _, c := range []struct{ right, statement string }{
			{"SELECT", "SELECT FROM entry"},
			{"SELECT", "SELECT FROM entry_203101"},
			{"SELECT", "SELECT FROM stream"},
			{"SELECT", "SELECT FROM log"},
			{"INSERT", "INSERT INTO claim VALUES ('x', 'x', 'x', 'x', 1)"},
			{"INSERT", `INSERT INTO attachment_203101 VALUES ('2031-01-01', 1, 'x', '')`},
			{"INSERT", "INSERT INTO identity VALUES (decode(repeat('00', 16), 'hex'), 1)"},
			{"hold", "DELETE FROM hold"},
			{"forward", "UPDATE stream SET seq = seq + 1, latest = latest + 1"},
			{"forward", "SELECT FROM log FOR UPDATE"},
			{"month", "SELECT open_month(now()::date)"},
			{"never", "UPDATE entry SET act = 'x'"},
			{"never", "DELETE FROM entry"},
			{"never", "TRUNCATE entry_203101"},
			{"never", "DELETE FROM attachment"},
			{"never", "UPDATE claim SET stream = 'x'"},
			{"never", "DELETE FROM claim"},
			{"never", "UPDATE hold SET stream = 'x'"},
			{"never", "UPDATE stream SET opened = 1"},
			{"never", "UPDATE log SET origin = 'x'"},
			{"never", "DELETE FROM log"},
			{"never", "DELETE FROM identity"},
			{"never", "UPDATE month SET first = 1"},
			{"never", "CREATE TABLE mine (n int)"},
			{"never", "DROP TABLE hold"},
			{"never", "ALTER TABLE claim DISABLE TRIGGER for_ever"},
			{"never", "SET session_replication_role = replica"},
			{"never", "SELECT refuse()"},
		} {
			state := stateOf(t, conn, c.statement)
			refused := state == denied || group == "" && state != "" // to a stranger there is no such table
			if refused == may[c.right] {
				t.Errorf("%s, %s: %q", group, c.statement, state)
			}
		}
	}
}

// login connects as a role that is a member of another, or of none.
func login(t *testing.T, dir, group string) *pgx.Conn {
	t.Helper()
	admin := raw(t, dir)
	name := "try_" + admin.Config().Database + group
	statements := []string{"CREATE ROLE " + name + " LOGIN"}
	if group != "" {
		statements = append(statements, "GRANT "+group+" TO "+name)
	}
	for _, s := range statements {
		if _, err := admin.Exec(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(context.Background(), "DROP ROLE "+name); err != nil {
			t.Error(err)
		}
	})
	return as(t, pgtest.Server(t).DSN(admin.Config().Database, name))
}
