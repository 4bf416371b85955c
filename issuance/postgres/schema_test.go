package postgres_test

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance/postgres"
)

// TestSchemaText: what Verify holds a schema against is what the migrations make. Whoever
// adds a migration makes the text anew: TAMTHE_SCHEMA=write go test -run TestSchemaText
func TestSchemaText(t *testing.T) {
	dir := t.TempDir()
	l := at(t, dir)
	defer l.Close()
	if _, err := raw(t, dir).Exec(t.Context(), "SELECT open_month('2026-11-01'), open_month('2026-12-01')"); err != nil {
		t.Fatal(err)
	}
	text, err := l.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("TAMTHE_SCHEMA") == "write" {
		if err := os.WriteFile("schema.txt", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if text != postgres.SchemaText() {
		t.Errorf("schema.txt is not what the migrations make, which is:\n%s", text)
	}
}

// TestSchemaChanged: whatever is changed about the schema, Verify says so. Each change is
// taken back.
func TestSchemaChanged(t *testing.T) {
	dir := t.TempDir()
	l := at(t, dir)
	conn := raw(t, dir)
	if _, err := conn.Exec(t.Context(), "SELECT open_month('2026-11-01'), open_month('2026-12-01')"); err != nil {
		t.Fatal(err)
	}
	for name, statement := range map[string]string{
		"trigger of one month lost":   "DROP TRIGGER whole ON entry_202611",
		"trigger lost":                "DROP TRIGGER for_ever ON claim",
		"trigger disabled":            "ALTER TABLE stream DISABLE TRIGGER forward",
		"trigger of a month disabled": "ALTER TABLE entry_202611 DISABLE TRIGGER for_ever",
		"trigger for replicas only":   "ALTER TABLE identity ENABLE REPLICA TRIGGER for_ever",
		"trigger besides":             "CREATE TRIGGER spy BEFORE INSERT ON entry_202611 FOR EACH ROW EXECUTE FUNCTION refuse('no')",
		"trigger's work changed":      "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS 'BEGIN RETURN NEW; END'",
		"function besides":            "CREATE FUNCTION length(bytea) RETURNS int LANGUAGE sql AS 'SELECT 16'",
		"rule":                        "CREATE RULE mine AS ON INSERT TO hold DO INSTEAD NOTHING",
		"index lost":                  "DROP INDEX stream_by_phase",
		"key lost":                    "ALTER TABLE claim DROP CONSTRAINT claim_pkey",
		"check lost":                  "ALTER TABLE identity DROP CONSTRAINT identity_id_check",
		"null":                        "ALTER TABLE claim ALTER stream DROP NOT NULL",
		"default":                     "ALTER TABLE hold ALTER stream SET DEFAULT 'x'",
		"another type":                "ALTER TABLE stream ALTER phase TYPE varchar(30)",
		"another order":               "ALTER TABLE claim ALTER value TYPE text COLLATE \"ucs_basic\"",
		"column besides":              "ALTER TABLE log ADD note text",
		"table besides":               "CREATE TABLE mine (n int)",
		"table gone":                  "DROP TABLE hold",
		"view":                        "CREATE VIEW v AS SELECT * FROM claim",
		"month detached":              "ALTER TABLE entry DETACH PARTITION entry_202611",
		"not logged":                  "ALTER TABLE hold SET UNLOGGED",
		"policy":                      "ALTER TABLE claim ENABLE ROW LEVEL SECURITY",
		"right of everybody":          "GRANT UPDATE ON stream TO PUBLIC",
		"right on a month":            "GRANT DELETE ON entry_202611 TO tamthe_sequencer",
		"right on a column":           "GRANT UPDATE (origin) ON log TO tamthe_sequencer",
		"right that may be given on":  "GRANT INSERT ON claim TO tamthe_sequencer WITH GRANT OPTION",
		"right to make":               "GRANT CREATE ON SCHEMA tamthe TO tamthe_sequencer",
		"right to call":               "GRANT EXECUTE ON FUNCTION open_month(date) TO PUBLIC",
		"right lost":                  "REVOKE SELECT ON claim FROM tamthe_reader",
		"another script":              "UPDATE migration SET checksum = 'x' WHERE number = 1",
		"all triggers off":            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET session_replication_role = replica', current_database()); END $$",
	} {
		t.Run(name, func(t *testing.T) {
			undone(t, conn, func(tx pgx.Tx) {
				if _, err := tx.Exec(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
				found, err := l.VerifySchemaIn(t.Context(), tx)
				if err != nil || len(found) == 0 || len(found) > 20 {
					t.Errorf("%d findings: %v %v", len(found), found, err)
				}
			})
		})
	}
	undone(t, conn, func(tx pgx.Tx) {
		if found, err := l.VerifySchemaIn(t.Context(), tx); err != nil || len(found) > 0 {
			t.Errorf("with all changes undone: %v %v", found, err)
		}
	})
}

// undone runs f in a transaction that is then undone.
func undone(t *testing.T, conn *pgx.Conn, f func(pgx.Tx)) {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	f(tx)
}

// TestTableGone: a ledger that cannot be read to its end is a report, too.
func TestTableGone(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	l := reading(t, dir)
	for _, table := range []string{"hold", "identity", "stream", "log", "month"} {
		tamper(t, dir, "DROP TABLE "+table)
		if r, err := l.Verify(t.Context(), nil); err != nil || r.OK() {
			t.Errorf("without the table %s: %+v %v", table, r, err)
		}
	}
}
