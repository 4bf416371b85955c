//go:build unix

package pgtest

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// child tells a re-executed test binary what to do.
const child = "TAMTHE_PGTEST_CHILD"

// ask runs a statement through psql and returns what it says.
func ask(t *testing.T, c *Cluster, dsn, sql string) string {
	t.Helper()
	cmd := exec.Command(c.bin+"/psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, dsn)
	asServer(cmd, c.dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", sql, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestDatabase(t *testing.T) {
	c := Server(t)
	one, other := Database(t), Database(t)
	ask(t, c, one, "CREATE TABLE here (n int)")
	for dsn, want := range map[string]string{one: "1", other: "0"} {
		if got := ask(t, c, dsn, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"); got != want {
			t.Errorf("%s tables, want %s", got, want)
		}
	}
	copied := Copy(t, one)
	ask(t, c, one, "DROP TABLE here")
	if got := ask(t, c, copied, "SELECT count(*) FROM here"); got != "0" {
		t.Errorf("the copy: %s", got)
	}
	for name, want := range map[string]string{"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "listen_addresses": ""} {
		if got := ask(t, c, one, "SHOW "+name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	var name string
	t.Run("ends", func(t *testing.T) { name = strings.Split(Database(t), "dbname=")[1] })
	name = strings.Fields(name)[0]
	if got := ask(t, c, one, "SELECT count(*) FROM pg_database WHERE datname = '"+name+"'"); got != "0" {
		t.Error("the database of a test that ended is still there")
	}
}

func TestCrash(t *testing.T) {
	c := New(t, "log_statement = 'all'")
	dsn := c.Database(t)
	ask(t, c, dsn, "CREATE TABLE kept AS SELECT 7 AS n")
	c.Crash(t)
	if err := c.tool("psql", "-c", "SELECT 1", "postgres"); err == nil {
		t.Error("a crashed server answers")
	}
	c.Restart(t)
	if got := ask(t, c, dsn, "SELECT n FROM kept"); got != "7" {
		t.Errorf("after the crash: %q", got)
	}
	c.Stop(t)
	c.Restart(t)
}

// The clock is set ahead and back, and stays so when the server is started again.
func TestClock(t *testing.T) {
	c := NewClocked(t)
	dsn := c.Database(t)
	day := time.Date(2031, 12, 31, 23, 0, 0, 0, time.UTC)
	for _, to := range []time.Time{day, day.AddDate(0, 0, 1), day.AddDate(0, 0, -1)} {
		c.SetClock(t, to)
		if got, want := ask(t, c, dsn, "SELECT to_char(now(), 'YYYY-MM-DD HH24')"), to.Format("2006-01-02 15"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	c.Crash(t)
	c.Restart(t)
	if got := ask(t, c, dsn, "SELECT to_char(now(), 'YYYY-MM')"); got != "2031-12" {
		t.Errorf("after it was started again: %s", got)
	}
}

// A child finds its parent's server; and a server ends with the process that started it,
// even one that is killed.
func TestChildren(t *testing.T) {
	c := Server(t)
	if got, _ := begin(t, "shares", os.Environ()); got != c.dir {
		t.Errorf("a child uses the server in %q, not its parent's in %q", got, c.dir)
	}
	var alone []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, environment+"=") {
			alone = append(alone, v)
		}
	}
	dir, orphan := begin(t, "alone", alone)
	if dir == c.dir {
		t.Fatal("a child without the variable uses the same server")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Fatal(err)
	}
	orphan.Process.Kill()
	orphan.Wait()
	for range 600 {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("the server of a killed process is still there")
}

// begin re-executes the test binary and returns the folder of the server that it uses.
func begin(t *testing.T, name string, environ []string) (string, *exec.Cmd) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.v")
	cmd.Env = append(environ, child+"="+name)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if dir, ok := strings.CutPrefix(lines.Text(), "server in "); ok {
			return dir, cmd
		}
	}
	t.Fatal("the child said nothing")
	return "", nil
}

// TestChild is what a re-executed binary does: it names its server and waits for the end
// of its input.
func TestChild(t *testing.T) {
	if os.Getenv(child) == "" {
		t.Skip("not a child")
	}
	c := Server(t)
	ask(t, c, Database(t), "SELECT 1")
	fmt.Printf("server in %s\n", c.dir)
	bufio.NewReader(os.Stdin).ReadByte()
}
