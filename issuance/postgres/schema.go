package postgres

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// schemaText is what the migrations make, as describe tells it. A test makes it anew and
// compares.
//
//go:embed schema.txt
var schemaText string

// object is one line of a description: a table of the schema, or "" for what belongs to none,
// and what is said of it.
type object struct{ table, line string }

// monthly are the partitions of a month.
var monthly = regexp.MustCompile(`^(entry|attachment)_([0-9]{6})$`)

// description says what a schema is made of, table by table. All partitions of one table are
// to be alike: they are described under their own names, as if of the month MONTH.
type description map[string][]string

func (d description) add(o object) {
	if m := monthly.FindStringSubmatch(o.table); m != nil {
		o.line = strings.ReplaceAll(o.line, "_"+m[2], "_MONTH")
		if from, err := time.Parse("200601", m[2]); err == nil {
			bounds := fmt.Sprintf("FOR VALUES FROM ('%s') TO ('%s')", from.Format(time.DateOnly), from.AddDate(0, 1, 0).Format(time.DateOnly))
			o.line = strings.ReplaceAll(o.line, bounds, "FOR VALUES OF MONTH")
		}
	}
	d[o.table] = append(d[o.table], o.line)
}

// alike is how a table is to be described: a partition as every other.
func alike(table string) string { return monthly.ReplaceAllString(table, "${1}_MONTH") }

// parseDescription reads schemaText: a line a fact, behind the name of its table.
func parseDescription(text string) description {
	d := description{}
	for line := range strings.Lines(text) {
		table, fact, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		d[table] = append(d[table], fact)
	}
	return d
}

// String is what parseDescription reads, with each partition once.
func (d description) String() string {
	var lines []string
	for table, facts := range d {
		for _, fact := range facts {
			lines = append(lines, alike(table)+"\t"+fact+"\n")
		}
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "")
}

// describe asks the catalogs.
func describe(ctx context.Context, q querier) (description, error) {
	rows, err := q.Query(ctx, strings.Join(catalogs, "\nUNION ALL\n"))
	if err != nil {
		return nil, err
	}
	d := description{}
	var o object
	_, err = pgx.ForEachRow(rows, []any{&o.table, &o.line}, func() error {
		o.line = strings.Join(strings.Fields(o.line), " ")
		d.add(o)
		return nil
	})
	return d, err
}

// auditSchema holds the schema against ours: a trigger that is gone lets rows be changed, an
// index that is gone lets them double, a right that was given lets anybody.
//
// A newer program's schema is not judged: ledger.ErrNewer.
func (s *store) auditSchema(ctx context.Context, a *ledger.Audit) error {
	if _, err := checkVersion(ctx, s.tx); errors.Is(err, ledger.ErrNotOurs) {
		a.Find(ledger.StoreDamaged, -1, issuance.StreamID{}, "%v", err)
	} else if err != nil {
		return err
	}
	got, err := describe(ctx, s.tx)
	if err != nil {
		return err
	}
	want := parseDescription(schemaText)
	find := func(format, table, line string) {
		a.Find(ledger.StoreDamaged, -1, issuance.StreamID{}, format, table, line)
	}
	for _, table := range slices.Sorted(maps.Keys(got)) {
		for _, line := range want[alike(table)] {
			if !slices.Contains(got[table], line) {
				find("the schema lacks or changes, at %q: %.90q", table, line)
			}
		}
		for _, line := range got[table] {
			if !slices.Contains(want[alike(table)], line) {
				find("the schema has besides, at %q: %.90q", table, line)
			}
		}
	}
	for _, table := range slices.Sorted(maps.Keys(want)) {
		if _, ok := got[table]; !ok && !strings.HasSuffix(table, "_MONTH") {
			find("the schema lacks %q%.0s", table, "")
		}
	}
	return nil
}

// ours are the objects of the schema in pg_class.
const ours = ` FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'tamthe' `

// named are the rights that somebody has, other than the owner.
const named = ` || coalesce((SELECT rolname FROM pg_catalog.pg_roles WHERE oid = x.grantee), 'PUBLIC') || ' may ' || x.privilege_type
	|| CASE WHEN x.is_grantable THEN ' and may give that on' ELSE '' END`

// catalogs ask for tables, columns, constraints, indexes, triggers, rules, policies,
// partitions, rights and functions: whatever says what can lie in the schema, and who may
// put it there. Names are the catalogs' own; of what belongs to the system nothing is asked.
var catalogs = []string{
	`SELECT c.relname::text, ('is ' || CASE c.relkind WHEN 'r' THEN 'a table' WHEN 'p' THEN 'a partitioned table' ELSE 'of kind ' || c.relkind::text END
		|| CASE c.relpersistence WHEN 'p' THEN '' ELSE ', not permanent' END || CASE WHEN c.relrowsecurity THEN ', by policies' ELSE '' END
		|| coalesce(', of ' || (SELECT string_agg(i.inhparent::pg_catalog.regclass::text || ' ' || coalesce(pg_catalog.pg_get_expr(c.relpartbound, c.oid), ''), ', ')
			FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid), ''))` + ours + `WHERE c.relkind NOT IN ('i', 'I', 't')`,

	`SELECT c.relname::text, 'column ' || a.attname || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod)
		|| coalesce(' COLLATE ' || (SELECT l.collname FROM pg_catalog.pg_collation l WHERE l.oid = a.attcollation), '')
		|| CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END || coalesce(' DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid), '')
		|| CASE WHEN a.attidentity <> '' THEN ' IDENTITY' ELSE '' END || CASE WHEN a.attgenerated <> '' THEN ' GENERATED' ELSE '' END` + ours +
		`JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE c.relkind NOT IN ('i', 'I', 't')`,

	`SELECT c.relname::text, 'constraint ' || pg_catalog.pg_get_constraintdef(k.oid) || CASE WHEN k.convalidated THEN '' ELSE ', not validated' END` + ours +
		`JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype NOT IN ('n', 't')`,

	`SELECT c.relname::text, 'index ' || pg_catalog.pg_get_indexdef(i.indexrelid)
		|| CASE WHEN i.indisvalid AND i.indisready AND i.indislive THEN '' ELSE ', not in use' END` + ours +
		`JOIN pg_catalog.pg_index i ON i.indrelid = c.oid`,

	`SELECT c.relname::text, 'trigger ' || pg_catalog.pg_get_triggerdef(t.oid) || CASE t.tgenabled WHEN 'O' THEN '' ELSE ', enabled ' || t.tgenabled::text END` + ours +
		`JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal OR t.tgenabled <> 'O'`,

	`SELECT c.relname::text, 'rule ' || pg_catalog.pg_get_ruledef(r.oid)` + ours + `JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid`,

	`SELECT c.relname::text, 'policy ' || p.polname` + ours + `JOIN pg_catalog.pg_policy p ON p.polrelid = c.oid`,

	`SELECT c.relname::text, 'right: '` + named + ours + `, pg_catalog.aclexplode(c.relacl) x WHERE x.grantee <> c.relowner`,

	`SELECT c.relname::text, 'right: '` + named + ` || ' of column ' || a.attname` + ours +
		`JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid, pg_catalog.aclexplode(a.attacl) x WHERE x.grantee <> c.relowner`,

	`SELECT '', 'right: '` + named + ` || ' of the schema' FROM pg_catalog.pg_namespace n, pg_catalog.aclexplode(n.nspacl) x
		WHERE n.nspname = 'tamthe' AND x.grantee <> n.nspowner`,

	`SELECT '', 'function ' || p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ') ' || pg_catalog.format_type(p.prorettype, NULL)
		|| ' ' || l.lanname || CASE WHEN p.prosecdef THEN ' as its owner' ELSE '' END || coalesce(' with ' || array_to_string(p.proconfig, ', '), '') || ': ' || p.prosrc
		FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'tamthe' JOIN pg_catalog.pg_language l ON l.oid = p.prolang`,

	`SELECT '', 'right: '` + named + ` || ' of ' || p.proname FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'tamthe',
		pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) x WHERE x.grantee <> p.proowner`,

	`SELECT '', 'right: by default' || CASE WHEN d.defaclnamespace = 0 THEN '' ELSE ' in the schema' END || ', '` + named + ` FROM pg_catalog.pg_default_acl d
		JOIN pg_catalog.pg_namespace n ON n.nspname = 'tamthe' AND d.defaclnamespace = n.oid, pg_catalog.aclexplode(d.defaclacl) x WHERE x.grantee <> d.defaclrole`,

	`SELECT '', 'setting: ' || c FROM pg_catalog.pg_db_role_setting s, unnest(s.setconfig) c
		WHERE s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())) AND c LIKE 'session_replication_role=%'`,
}
