package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

// TestScriptsOnPostgres runs whole days of an office whose ledger lies in PostgreSQL: that of
// README on a file too, by the same commands, and what is PostgreSQL's own.
func TestScriptsOnPostgres(t *testing.T) {
	pgtest.Server(t)
	p := scripts(t)
	own, err := filepath.Glob("testdata/postgres/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	p.Files = append(own, "testdata/workday.txtar")
	setUp := p.Setup
	p.Setup = func(env *testscript.Env) error {
		dsn, second := pgtest.Database(t), pgtest.Database(t)
		for _, part := range strings.Fields(dsn) {
			switch name, value, _ := strings.Cut(part, "="); name {
			case "host":
				env.Setenv("HOST", value)
			case "dbname":
				env.Setenv("DATABASE", value)
				env.Setenv("ROLE", "desk_of_"+value) // roles are the server's
			}
		}
		env.Setenv("DSN", dsn)
		env.Setenv("DSN2", second)
		_, name, _ := strings.Cut(second, "dbname=")
		name, _, _ = strings.Cut(name, " ")
		env.Setenv("DATABASE2", name)
		env.Setenv("TAMTHE_LEDGER", "postgres:"+dsn)
		return setUp(env)
	}
	testscript.Run(t, p)
}
