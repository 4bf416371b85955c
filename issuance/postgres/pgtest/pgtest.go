// Package pgtest starts real PostgreSQL servers for tests: Debian's programs, a private
// folder, a socket that only the test's user can reach, and fsync on, so that what a test
// learns about durability is true.
//
// A test binary has one server, started by the first test that asks for it; each test has
// databases of its own. A server ends with the process that started it, however that
// ends: a watcher holds a pipe to it, and stops the server when the pipe closes. Children
// of the process find the server by the environment, and share it.
package pgtest

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/tamthe/tamthe/testdata"
)

// errNone says that this machine has no PostgreSQL that a test could start.
var errNone = errors.New("no PostgreSQL 15 or later here (Debian package postgresql)")

// shared is the server of this process.
var shared struct {
	start  sync.Once
	server *Cluster
	err    error
}

// environment names the folder of the parent's server for its children.
const environment = "TAMTHE_PGTEST"

// Server returns the server that all tests of this process share; it is never stopped or
// restarted by a test. Where there is no PostgreSQL, it skips the test, or fails it if
// TAMTHE_REQUIRE lists "postgres".
func Server(t testing.TB) *Cluster {
	t.Helper()
	shared.start.Do(func() {
		if dir := os.Getenv(environment); dir != "" {
			shared.server, shared.err = at(dir)
			return
		}
		if shared.server, shared.err = start("", nil); shared.err == nil {
			shared.err = os.Setenv(environment, shared.server.dir)
		}
	})
	judge(t, shared.err)
	return shared.server
}

// New returns a server of the test's own, which it may stop, crash and restart. Settings
// are lines of postgresql.conf, after those that all servers have. The server ends with
// the test. New skips and fails as Server does.
func New(t testing.TB, settings ...string) *Cluster {
	t.Helper()
	c, err := start("", settings)
	judge(t, err)
	t.Cleanup(c.end)
	return c
}

func judge(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, errNone) {
		testdata.Missing(t, "postgres", err.Error())
	}
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
}

// Database returns the connection string of a new, empty database on the shared server,
// which is dropped at the end of the test.
func Database(t testing.TB) (dsn string) {
	t.Helper()
	return Server(t).Database(t)
}

// Database returns the connection string of a new, empty database, which is dropped at
// the end of the test. The user is the server's superuser.
func (c *Cluster) Database(t testing.TB) (dsn string) {
	t.Helper()
	return c.create(t)
}

// Copy returns the connection string of a copy of a database of the shared server, as it
// stands now: nobody may be connected to it. It is dropped at the end of the test.
func Copy(t testing.TB, dsn string) string {
	t.Helper()
	for word := range strings.FieldsSeq(dsn) {
		if from, ok := strings.CutPrefix(word, "dbname="); ok {
			return Server(t).create(t, "--template", from)
		}
	}
	t.Fatalf("%q names no database", dsn)
	return ""
}

func (c *Cluster) create(t testing.TB, args ...string) (dsn string) {
	t.Helper()
	var random [8]byte
	rand.Read(random[:])
	name := "t" + hex.EncodeToString(random[:])
	if err := c.tool("createdb", append(args, name)...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.tool("dropdb", "--force", "--if-exists", name); err != nil && !c.stopped {
			t.Error(err)
		}
	})
	return c.DSN(name, superuser)
}

// DSN is the connection string of a database for a user. The server lets every user in
// that exists, without a password: what a role may do can thus be tried by its name.
func (c *Cluster) DSN(database, user string) string {
	return fmt.Sprintf("host=%s user=%s dbname=%s sslmode=disable", c.dir, user, database)
}
