package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

// TestScriptsOnPostgres runs whole days of an office whose ledger lies in PostgreSQL: that of
// README on a file too, by the same commands, and what is PostgreSQL's own.
func TestScriptsOnPostgres(t *testing.T) {
	pgtest.Server(t)
	p := scripts(t)
	p.Files = []string{"testdata/workday.txtar"}
	setUp := p.Setup
	p.Setup = func(env *testscript.Env) error {
		dsn := pgtest.Database(t)
		env.Setenv("TAMTHE_LEDGER", "postgres:"+dsn)
		return setUp(env)
	}
	testscript.Run(t, p)
}
