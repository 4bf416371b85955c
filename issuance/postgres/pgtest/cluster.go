package pgtest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const superuser = "postgres"

// oldest is the first version that is fit: Debian 12's.
const oldest = 15

// Cluster is a PostgreSQL server.
type Cluster struct {
	dir     string // socket, data and log
	bin     string // where the programs are
	watcher *exec.Cmd
	pipe    io.Closer // closed, it lets the watcher stop the server
	stopped bool

	faketime string // the library that its clock is of; empty: the machine's
}

// settings hold for every server. fsync stays on.
const settings = `
listen_addresses = ''
unix_socket_directories = '%s'
max_connections = 200
shared_buffers = 64MB
max_wal_size = 512MB
log_min_messages = warning
fsync = on
synchronous_commit = on
`

// start makes a server in a new folder and waits until it answers. Its clock is that of the
// library faketime, unless that is empty.
func start(faketime string, more []string) (*Cluster, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := shortDir()
	if err != nil {
		return nil, err
	}
	if err := give(dir); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	c := &Cluster{dir: dir, bin: bin, faketime: faketime}
	if err := c.watch(); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	if err := c.make(more); err != nil {
		c.end()
		return nil, err
	}
	return c, nil
}

// make makes the server's files. Its texts are in the order of a language, as an office's
// may be: what needs another order has to ask for it.
func (c *Cluster) make(more []string) error {
	if err := c.run("initdb", "-D", c.data(), "-U", superuser, "-A", "trust", "-E", "UTF8",
		"--locale=C", "--locale-provider=icu", "--icu-locale=vi", "--no-sync"); err != nil {
		return err
	}
	conf, err := os.OpenFile(filepath.Join(c.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(conf, settings+"%s\n", c.dir, strings.Join(more, "\n"))
	if e := conf.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return c.up()
}

// at is the server of the parent process, in dir.
func at(dir string) (*Cluster, error) {
	bin, err := programs()
	return &Cluster{dir: dir, bin: bin}, err
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *Cluster) up() error {
	return c.run("pg_ctl", "-D", c.data(), "-l", filepath.Join(c.dir, "log"), "-s", "-w", "-t", "120", "start")
}

// Crash stops the server as a loss of power would, but for what the machine's memory
// holds: no checkpoint, no farewell to its clients.
func (c *Cluster) Crash(t testing.TB) {
	t.Helper()
	c.stop(t, "immediate")
}

// Stop ends the server in good order; clients are disconnected.
func (c *Cluster) Stop(t testing.TB) {
	t.Helper()
	c.stop(t, "fast")
}

func (c *Cluster) stop(t testing.TB, mode string) {
	t.Helper()
	if c == shared.server {
		t.Fatal("the shared server is not for a test to stop: take one of its own, by New")
	}
	if err := c.run("pg_ctl", "-D", c.data(), "-s", "-w", "-m", mode, "stop"); err != nil {
		t.Fatal(err)
	}
	c.stopped = true
}

// Ended waits until a server that breaks down by itself has ended.
func (c *Cluster) Ended(t testing.TB) {
	t.Helper()
	for end := time.Now().Add(time.Minute); c.run("pg_ctl", "-D", c.data(), "status") == nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the server goes on")
		}
	}
	c.stopped = true
}

// Restart starts a server again that was stopped or has crashed, and waits until it
// answers.
func (c *Cluster) Restart(t testing.TB) {
	t.Helper()
	if err := c.up(); err != nil {
		t.Fatal(err)
	}
	c.stopped = false
}

// watch starts the watcher: when its input ends, it stops whatever server lies in the
// folder and removes the folder. It leaves the process group, so that an interrupt from
// the keyboard ends the tests before it.
func (c *Cluster) watch() error {
	const script = `trap '' INT TERM HUP; read -r _; "$0/pg_ctl" -D "$1/data" -s -w -m immediate stop; rm -rf "$1"`
	c.watcher = exec.Command("/bin/sh", "-c", script, c.bin, c.dir)
	asServer(c.watcher, c.dir)
	pipe, err := c.watcher.StdinPipe()
	if err != nil {
		return err
	}
	c.pipe = pipe
	return c.watcher.Start()
}

// end stops the server and removes its folder.
func (c *Cluster) end() {
	c.stopped = true
	c.pipe.Close()
	c.watcher.Wait()
}

// run runs one of PostgreSQL's programs as the server's user.
func (c *Cluster) run(name string, args ...string) error {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	asServer(cmd, c.dir)
	cmd.Env = append(cmd.Env, c.clocked()...)
	// Its output goes to a file: a server that it starts would keep a pipe open for ever.
	out, err := os.CreateTemp("", "pgtest-")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s: %w: %s", name, err, said)
	}
	return nil
}

// tool runs a program that is a client of the server.
func (c *Cluster) tool(name string, args ...string) error {
	return c.run(name, append([]string{"-h", c.dir, "-U", superuser}, args...)...)
}

// programs finds the folder of the newest fit version: Debian keeps one a version out of
// the way of PATH, which serves elsewhere.
func programs() (string, error) {
	best, where := oldest-1, ""
	debian, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	for _, p := range debian {
		dir := filepath.Dir(p)
		if v, err := strconv.Atoi(filepath.Base(filepath.Dir(dir))); err == nil && v > best {
			best, where = v, dir
		}
	}
	if where != "" {
		return where, nil
	}
	p, err := exec.LookPath("initdb")
	if err != nil {
		return "", errNone
	}
	said, err := exec.Command(p, "--version").Output() // "initdb (PostgreSQL) 15.18"
	if err != nil {
		return "", fmt.Errorf("%s: %w", p, err)
	}
	var v int
	if _, err := fmt.Sscanf(string(said), "initdb (PostgreSQL) %d", &v); err != nil || v < oldest {
		return "", errNone
	}
	return filepath.Dir(p), nil
}

// shortDir makes a folder whose name leaves room for a socket's in the 108 octets of
// sockaddr_un.
func shortDir() (string, error) {
	parent := os.TempDir()
	if len(parent) > 70 {
		parent = "/tmp"
	}
	return os.MkdirTemp(parent, "tamthe-pg-")
}
