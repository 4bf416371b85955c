package clustertest

import (
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/tamthe/tamthe/testdata"
)

//go:embed config
var configs embed.FS

// database is made at the start, empty.
const database = "tamthe"

// patience is how long the cluster may take for anything. It is no measure of anything.
const patience = 3 * time.Minute

// Cluster is three nodes and the proxy before them.
type Cluster struct {
	Nodes []*Node

	dir, bin, password string
	proxy              *running
}

// Start starts a cluster with an empty database and waits until two standbys follow the
// primary, one of them synchronously. It ends with the test. What is missing on the machine
// skips the test, or fails it where TAMTHE_REQUIRE names patroni.
func Start(t testing.TB) *Cluster {
	t.Helper()
	if in := os.Getenv(inside); in != "yes" {
		testdata.Missing(t, "patroni", strings.TrimPrefix(in, "no: "))
	}
	c := &Cluster{password: rand.Text()}
	c.find(t)
	dir, err := os.MkdirTemp(shortest(), "c") // a socket's name has room for 107 octets
	if err != nil {
		t.Fatal(err)
	}
	c.dir = dir
	t.Cleanup(func() { c.close(t) })
	if err := c.build(); err != nil {
		t.Fatal(err)
	}
	for _, n := range c.Nodes {
		n.Start(t)
	}
	c.Settle(t)
	c.createDatabase(t)
	return c
}

func shortest() string {
	if d := os.TempDir(); len(d) < 60 {
		return d
	}
	return "/tmp"
}

// find looks for the programs.
func (c *Cluster) find(t testing.TB) {
	t.Helper()
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(bins) == 0 {
		testdata.Missing(t, "patroni", "there is no PostgreSQL")
	}
	c.bin = filepath.Dir(slices.Max(bins))
	for _, program := range []string{"patroni", "etcd", haproxy, "ip", "nsenter"} {
		if _, err := exec.LookPath(program); err != nil {
			testdata.Missing(t, "patroni", err.Error())
		}
	}
}

// haproxy lies where a user's PATH does not look.
const haproxy = "/usr/sbin/haproxy"

func (c *Cluster) build() error {
	for i := range Nodes {
		c.Nodes = append(c.Nodes, &Node{Name: fmt.Sprint("node", i+1), Address: addressOf(i + 1)})
	}
	for i, n := range c.Nodes {
		if err := n.build(c, i+1); err != nil {
			return err
		}
	}
	path := filepath.Join(c.dir, "haproxy.cfg")
	if err := c.render("haproxy.cfg", path, &Node{Address: center}); err != nil {
		return err
	}
	var err error
	c.proxy, err = run(filepath.Join(c.dir, "haproxy.log"), exec.Command(haproxy, "-db", "-f", path))
	return err
}

// render writes a file of configuration as a node needs it.
func (c *Cluster) render(name, path string, n *Node) error {
	tmpl, err := template.ParseFS(configs, "config/"+name)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	return tmpl.Execute(f, map[string]any{
		"Name": n.Name, "Address": n.Address, "Dir": n.dir, "Nodes": c.Nodes, "Bin": c.bin, "Network": network,
		"Password": c.password, "TTL": TTL, "LoopWait": 1, "RetryTimeout": 3, "Buffers": "16MB", "Watchdog": "off",
	})
}

// TTL is after how many seconds a primary that is silent is one no more: short, so that a
// test has time for many.
const TTL = 10

// DSN is the primary's database through HAProxy.
func (c *Cluster) DSN() string {
	return fmt.Sprintf("host=%s port=5432 user=postgres dbname=%s password=%s sslmode=disable", center, database, c.password)
}

// StandbyDSN is some standby's database through HAProxy.
func (c *Cluster) StandbyDSN() string {
	return strings.Replace(c.DSN(), "port=5432", "port=5433", 1)
}

// DirectDSN names all the nodes, so that the client finds the primary without a proxy.
func (c *Cluster) DirectDSN() string {
	var hosts []string
	for _, n := range c.Nodes {
		hosts = append(hosts, n.Address)
	}
	return strings.Replace(c.DSN(), "host="+center, "host="+strings.Join(hosts, ","), 1) + " target_session_attrs=read-write connect_timeout=2"
}

// Primary waits until a node that can be reached is the primary, and returns it.
func (c *Cluster) Primary(t testing.TB) *Node {
	t.Helper()
	var found *Node
	c.await(t, "a primary", func() bool {
		i := slices.IndexFunc(c.Nodes, func(n *Node) bool { return n.is("primary") })
		if i >= 0 {
			found = c.Nodes[i]
		}
		return i >= 0
	})
	return found
}

// Settle waits until every node that was not killed is at its work: one primary, one
// synchronous standby, the others following.
func (c *Cluster) Settle(t testing.TB) {
	t.Helper()
	c.await(t, "a primary and its standbys", func() bool {
		primary, sync, follow, want := 0, 0, 0, 0
		for _, n := range c.Nodes {
			if n.isAbsent {
				continue
			}
			want++
			switch {
			case n.is("primary"):
				primary++
			case n.is("sync"):
				sync++
			case n.is("replica?lag=0"):
				follow++
			}
		}
		return primary == 1 && sync == 1 && follow == want-2
	})
}

// await waits for something.
func (c *Cluster) await(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited for %s in vain", what)
		}
	}
}

func (c *Cluster) createDatabase(t testing.TB) {
	t.Helper()
	psql := exec.Command(filepath.Join(c.bin, "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1",
		"-c", "CREATE DATABASE "+database, strings.Replace(c.DSN(), "dbname="+database, "dbname=postgres", 1))
	var last error
	c.await(t, "the proxy", func() bool {
		var out []byte
		cmd := *psql
		if out, last = cmd.CombinedOutput(); last != nil {
			last = errors.New(string(out))
		}
		return last == nil
	})
}

// close ends the cluster's programs and removes its files.
func (c *Cluster) close(t testing.TB) {
	if t.Failed() {
		for _, n := range c.Nodes {
			t.Log(n.logs())
		}
	}
	c.proxy.kill()
	for _, n := range c.Nodes {
		if n.patroni != nil {
			n.Kill(t)
		}
		n.etcd.kill()
		n.room.kill()
	}
	if err := os.RemoveAll(c.dir); err != nil {
		t.Error(err)
	}
}
