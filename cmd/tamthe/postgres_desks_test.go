package main

import (
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

// TestDesksOnPostgres runs desks that hold no log key beside a centre that does. Each script
// has a server of its own, which `server stop` and `server start` are about. $OWNER, $SEQUENCER
// and $DESK are how three accounts connect, of which a script makes the last two.
func TestDesksOnPostgres(t *testing.T) {
	p := scripts(t)
	p.Dir = "testdata/desks"
	p.Cmds["server"] = func(ts *testscript.TestScript, _ bool, args []string) {
		c := ts.Value("server").(*pgtest.Cluster)
		switch {
		case len(args) == 1 && args[0] == "stop":
			c.Stop(t)
		case len(args) == 1 && args[0] == "start":
			c.Restart(t)
		default:
			ts.Fatalf("usage: server stop|start")
		}
	}
	setUp := p.Setup
	p.Setup = func(env *testscript.Env) error {
		c := pgtest.New(t)
		owner := c.Database(t)
		env.Values["server"] = c
		env.Setenv("OWNER", owner)
		env.Setenv("SEQUENCER", strings.Replace(owner, "user=postgres", "user=sequencer", 1))
		env.Setenv("DESK", strings.Replace(owner, "user=postgres", "user=desk", 1))
		return setUp(env)
	}
	testscript.Run(t, p)
}
