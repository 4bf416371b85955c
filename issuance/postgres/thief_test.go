package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
	"github.com/tamthe/tamthe/issuance/postgres/submission"
)

// TestStolenAccount: who has a desk's account can read the log and hand in. Everything else
// that there is to be granted in the database is asked for, and some of it tried.
func TestStolenAccount(t *testing.T) {
	q := newQueue(t)
	_, dsn := q.role("tamthe_desk")
	c := q.connect(dsn)
	defer c.Close(context.Background())
	rows, err := c.Query(t.Context(), `SELECT p || ' ' || r.oid::regclass FROM pg_class r, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p
		WHERE r.relnamespace = 'tamthe'::regnamespace AND r.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
		AND (has_table_privilege(r.oid, p) OR CASE WHEN p IN ('INSERT', 'UPDATE', 'REFERENCES') THEN has_any_column_privilege(r.oid, p) END)
		UNION ALL SELECT 'EXECUTE ' || oid::regprocedure FROM pg_proc WHERE pronamespace = 'tamthe'::regnamespace AND has_function_privilege(oid, 'EXECUTE')
		UNION ALL SELECT 'CREATE ' || oid::regnamespace FROM pg_namespace WHERE nspname IN ('tamthe', 'public') AND has_schema_privilege(oid, 'CREATE')
		UNION ALL SELECT p FROM pg_database, unnest(ARRAY['CREATE', 'TEMPORARY']) AS p WHERE datname = current_database() AND has_database_privilege(oid, p)
		UNION ALL SELECT 'ROLE ' || rolname FROM pg_roles WHERE rolname ~ '^(tamthe|pg)_' AND pg_has_role(oid, 'MEMBER')
		UNION ALL SELECT 'READ ' || oid::regclass FROM pg_class WHERE oid = 'tamthe.submission'::regclass AND has_any_column_privilege(oid, 'SELECT')
		ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	var may []string
	for rows.Next() {
		var what string
		if err := rows.Scan(&what); err != nil {
			t.Fatal(err)
		}
		may = append(may, strings.ReplaceAll(what, "tamthe.", ""))
	}
	calls := []string{"EXECUTE queue_stands()", "EXECUTE release_lease(text,text,bigint)", "EXECUTE renew_lease(text,text,bigint,interval)", "EXECUTE take_lease(text,text,interval)"}
	if want := append(calls, "INSERT submission", "ROLE tamthe_desk", "ROLE tamthe_reader"); !slices.Equal(may, want) {
		t.Errorf("a desk may %q, want %q", may, want)
	}
	for _, try := range []string{
		"UPDATE log SET size = 0", "DELETE FROM entry", "TRUNCATE claim", "INSERT INTO hold VALUES ('a', 'b', 'c', 'd', 1)",
		"INSERT INTO outcome (id) VALUES (sha256(''))", "UPDATE queue SET epoch = 9", "DELETE FROM submission", "SELECT body FROM submission",
		"INSERT INTO submission (id, body, desk) VALUES (sha256('a'), 'a', 'another')", "INSERT INTO submission (id, body, at) VALUES (sha256('a'), 'a', '-infinity')",
		"SELECT open_month('2030-01-01')", "SET ROLE tamthe_sequencer", "SET SESSION AUTHORIZATION postgres", "CREATE TABLE tamthe.mine (n int)",
		"CREATE TEMPORARY TABLE mine (n int)", "CREATE TEMPORARY SEQUENCE mine",
		"ALTER TABLE submission DISABLE TRIGGER ALL", "LOCK TABLE submission IN ACCESS EXCLUSIVE MODE", "LOCK TABLE log IN SHARE MODE",
		"SELECT * FROM log FOR UPDATE", "SELECT pg_read_file('/etc/passwd')", "COPY submission FROM PROGRAM 'true'",
	} {
		tx, err := c.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), try); state(err) != statePrivilege {
			t.Errorf("%s: %v", try, err)
		}
		rollback(tx)
	}
}

// TestGuestDatabase: whoever may make a ledger in a database, but does not own that, makes it; who may
// make temporary tables there is its owner's business.
func TestGuestDatabase(t *testing.T) {
	guest := "guest_" + strings.ToLower(rand.Text())
	admin, err := pgx.Connect(t.Context(), pgtest.Server(t).DSN("postgres", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(context.Background(), "DROP ROLE "+guest); err != nil {
			t.Error(err)
		}
		admin.Close(context.Background())
	})
	dsn := pgtest.Database(t)
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Exec(t.Context(), "CREATE ROLE "+guest+" LOGIN; GRANT CREATE ON DATABASE "+c.Database+" TO "+guest); err != nil {
		t.Fatal(err)
	}
	key, _ := ledgertest.LogKey(t)
	l, err := Create(t.Context(), pgtest.Server(t).DSN(c.Database, guest), ledgertest.Origin, Options{Signer: key})
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	var may bool
	if err := admin.QueryRow(t.Context(), "SELECT has_database_privilege($1, $2, 'TEMPORARY')", guest, c.Database).Scan(&may); err != nil || !may {
		t.Errorf("the owner's database was changed: %v", err)
	}
}

// TestForged: what a thief of a desk's account hands in is judged as anybody's: it needs an
// operator's key.
func TestForged(t *testing.T) {
	q := newQueue(t)
	o := q.office
	q.sequence(Sequencing{})
	o.Must(t, o.Enrol("A-1", "ann", ""), o.Enrol("A-2", "bob", ""))
	_, mine := q.build(o.Approve("A-1"))
	o.Must(t, o.Approve("A-2"))
	stranger := o.Approve("A-1")
	stranger.By = ledgertest.NewOfficer("stranger", "p-99", issuance.Approver)
	_, byStranger := q.build(stranger)
	elsewhere := slices.Clone(mine)
	elsewhere[0].Origin = "other.test"
	if err := elsewhere[0].Sign(o.Approver.Key); err != nil {
		t.Fatal(err)
	}
	unsigned := slices.Clone(mine)
	unsigned[0].Signature = make([]byte, len(mine[0].Signature))
	others := slices.Clone(mine)
	others[0].ID = issuance.NewID() // under a signature that was for another
	o.Must(t, ledgertest.Step{
		Stream: issuance.OperatorStream(o.Registrar.ID), Act: issuance.Revoke, By: o.Root, Second: &o.Mate,
		Fields: map[string]string{"reason": "stolen"}, Release: []issuance.Claim{{Kind: issuance.HoldName, Value: o.Registrar.Name}},
	})
	_, revoked := q.build(ledgertest.Step{
		Stream: issuance.Application("A-1"), Act: issuance.Cancel, By: o.Registrar, Fields: map[string]string{"reason": "withdrawn"},
		Release: ledgertest.Holder(issuance.HoldApplication, "ann"),
	})
	before := q.size()
	thief := q.desk(0)
	for name, try := range map[string]struct {
		entries []issuance.Entry
		want    error
	}{
		"signed by nobody":          {unsigned, issuance.ErrSignature},
		"under another's signature": {others, issuance.ErrSignature},
		"by a key nobody enrolled":  {byStranger, issuance.ErrOperator},
		"by a revoked operator":     {revoked, issuance.ErrOperator},
		"of another log":            {elsewhere, issuance.ErrEntry},
	} {
		if err := thief.Append(t.Context(), nil, try.entries...); !errors.Is(err, try.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := q.size(); n != before {
		t.Errorf("%d entries, %d before", n, before)
	}
	q.replays(thief)
}

// replays hands in again what an honest desk had: it is there once.
func (q *queue) replays(thief *Ledger) {
	q.t.Helper()
	at, entries := q.build(q.office.Approve("A-1"))
	if err := q.office.Ledger.Append(q.t.Context(), at, entries...); err != nil {
		q.t.Fatal(err)
	}
	size := q.size()
	for _, head := range []issuance.Head{at, nil} {
		if err := thief.Append(q.t.Context(), head, entries...); err != nil {
			q.t.Errorf("an append that is there already: %v", err)
		}
	}
	c := q.connect(q.dsn)
	defer c.Close(context.Background())
	body, err := submission.Marshal(at, entries)
	if err != nil {
		q.t.Fatal(err)
	}
	if _, err := c.Exec(q.t.Context(), "INSERT INTO submission (id, body) VALUES ($1, $2)", idOf(body), body); err != nil {
		q.t.Fatal(err)
	}
	for q.waiting() > 0 {
		sleep(q.t.Context(), firstPoll)
	}
	if n := q.size(); n != size {
		q.t.Errorf("%d entries, %d before the replay", n, size)
	}
}

// size is how many entries the log has.
func (q *queue) size() int64 {
	q.t.Helper()
	c := q.connect(q.dsn)
	defer c.Close(context.Background())
	var size int64
	if err := c.QueryRow(q.t.Context(), "SELECT size FROM log").Scan(&size); err != nil {
		q.t.Fatal(err)
	}
	return size
}
