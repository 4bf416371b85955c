package clustertest

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Node is a machine of the cluster: an etcd, a Patroni and its PostgreSQL in a network of
// their own.
type Node struct {
	Name, Address string

	cluster  *Cluster
	dir      string
	link     string   // its cable, at the hall's end
	room     *running // keeps the network
	etcd     *running
	patroni  *running
	isAbsent bool // killed, and not started since
}

// running is a program of the rig.
type running struct {
	*exec.Cmd
	log   string
	ended chan struct{}
}

// run starts a program whose output goes to a log file.
func run(log string, cmd *exec.Cmd) (*running, error) {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := &running{Cmd: cmd, log: log, ended: make(chan struct{})}
	go func() {
		cmd.Wait()
		close(r.ended)
	}()
	return r, nil
}

// kill ends it at once and waits for that.
func (r *running) kill() {
	if r != nil {
		r.Process.Kill()
		<-r.ended
	}
}

// build makes the node's network and files, and starts its etcd.
func (n *Node) build(c *Cluster, number int) error {
	n.cluster = c
	n.Name, n.Address, n.link = fmt.Sprint("node", number), addressOf(number), fmt.Sprint("cable", number)
	n.dir = filepath.Join(c.dir, n.Name)
	if err := os.Mkdir(n.dir, 0o700); err != nil {
		return err
	}
	if err := n.wire(); err != nil {
		return err
	}
	for _, name := range []string{"etcd.yml", "patroni.yml"} {
		if err := c.render(name, n.path(name), n); err != nil {
			return err
		}
	}
	var err error
	n.etcd, err = n.run("etcd", "etcd", "--config-file", n.path("etcd.yml"))
	return err
}

// wire gives the node a network with one cable into the hall.
func (n *Node) wire() error {
	room := exec.Command("sleep", "infinity")
	room.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	var err error
	if n.room, err = run(n.path("room.log"), room); err != nil {
		return err
	}
	pid := strconv.Itoa(room.Process.Pid)
	for _, cmd := range [][]string{
		{"ip", "link", "delete", n.link}, // that of a cluster before: refused if there was none
		{"ip", "link", "add", n.link, "type", "veth", "peer", "name", "eth0", "netns", pid},
		{"ip", "link", "set", n.link, "master", "hall", "up"},
		n.inside("ip", "address", "add", n.Address+"/24", "dev", "eth0"),
		n.inside("ip", "link", "set", "eth0", "up"),
		n.inside("ip", "link", "set", "lo", "up"),
	} {
		out, err := exec.Command(cmd[0], cmd[1:]...).CombinedOutput()
		if err != nil && cmd[2] != "delete" {
			return fmt.Errorf("%v: %w: %s", cmd, err, out)
		}
	}
	return nil
}

// inside is a command in the node's network.
func (n *Node) inside(cmd ...string) []string {
	return append([]string{"nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", n.room.Process.Pid)}, cmd...)
}

// run starts a program on the node.
func (n *Node) run(name string, cmd ...string) (*running, error) {
	cmd = n.inside(cmd...)
	c := exec.Command(cmd[0], cmd[1:]...)
	c.Dir = n.dir
	c.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "PATH="+os.Getenv("PATH")+":/usr/sbin")
	return run(n.path(name+".log"), c)
}

func (n *Node) path(name string) string { return filepath.Join(n.dir, name) }

// Start starts the node's Patroni, which starts its PostgreSQL.
func (n *Node) Start(t testing.TB) {
	t.Helper()
	var err error
	if n.patroni, err = n.run("patroni", "patroni", n.path("patroni.yml")); err != nil {
		t.Fatal(err)
	}
	n.isAbsent = false
}

// Kill ends Patroni and PostgreSQL as a power cut does: kill -9 of the agent, the server and
// each of its processes. Only etcd stays.
func (n *Node) Kill(t testing.TB) {
	t.Helper()
	n.isAbsent = true
	n.patroni.kill()
	pid, err := n.postmaster()
	if errors.Is(err, os.ErrNotExist) {
		return // it was not running
	}
	if err != nil {
		t.Fatal(err)
	}
	all := append(childrenOf(pid), pid)
	for _, p := range all {
		syscall.Kill(p, syscall.SIGKILL)
	}
	for _, p := range all {
		for syscall.Kill(p, 0) == nil {
			time.Sleep(time.Millisecond)
		}
	}
}

// Crash ends only the node's PostgreSQL by kill -9 of its first process. Its Patroni lives
// and starts it anew.
func (n *Node) Crash(t testing.TB) {
	t.Helper()
	pid, err := n.postmaster()
	if err != nil {
		t.Fatal(err)
	}
	syscall.Kill(pid, syscall.SIGKILL)
}

// postmaster is the server's first process.
func (n *Node) postmaster() (int, error) {
	b, err := os.ReadFile(n.path("data/postmaster.pid"))
	if err != nil {
		return 0, err
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return strconv.Atoi(string(line))
}

// childrenOf lists the children of a process (proc(5): the fourth field of stat, after a
// name in parentheses).
func childrenOf(pid int) []int {
	var list []int
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range all {
		b, _ := os.ReadFile(path)
		_, after, _ := strings.Cut(string(b), ") ")
		f := strings.Fields(after)
		if len(f) < 2 || f[1] != strconv.Itoa(pid) {
			continue
		}
		if p, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			list = append(list, p)
		}
	}
	return list
}

// Cut pulls the node's cable: nothing reaches it or comes from it. Its programs go on.
func (n *Node) Cut(t testing.TB) { n.cable(t, "down") }

// Join plugs the cable in again.
func (n *Node) Join(t testing.TB) { n.cable(t, "up") }

func (n *Node) cable(t testing.TB, state string) {
	t.Helper()
	if out, err := exec.Command("ip", "link", "set", n.link, state).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", n.Name, err, out)
	}
}

// DSN is the node's own server, by the socket on its disk, which no cut cable ends.
func (n *Node) DSN() string {
	return fmt.Sprintf("host=%s port=5432 user=postgres dbname=%s password=%s", n.dir, database, n.cluster.password)
}

// is asks the node's Patroni whether it is in a role: primary, replica, sync.
func (n *Node) is(role string) bool {
	client := http.Client{Timeout: 2 * time.Second}
	r, err := client.Get("http://" + n.Address + ":8008/" + role)
	if err != nil {
		return false
	}
	r.Body.Close()
	return r.StatusCode == http.StatusOK
}

// logs are the ends of the node's logs, for a test that failed.
func (n *Node) logs() string {
	var b strings.Builder
	for _, name := range []string{"etcd.log", "patroni.log"} {
		log, _ := os.ReadFile(n.path(name))
		fmt.Fprintf(&b, "--- %s %s\n%s\n", n.Name, name, log[max(0, len(log)-6000):])
	}
	return b.String()
}
