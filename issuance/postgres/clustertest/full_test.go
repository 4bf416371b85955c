//go:build linux && cgo

package clustertest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
	"github.com/tamthe/tamthe/testdata"
)

// disk is a ledger whose server has a small disk.
type disk struct {
	*log   // without a cluster
	server *pgtest.Cluster
	dsn    string
	store  *postgres.Ledger
	filler string
	kept   []issuance.StreamID
}

// newDisk founds a ledger on a disk of its own, where that may be mounted.
func newDisk(t *testing.T) *disk {
	t.Helper()
	if in := os.Getenv(inside); in != "yes" {
		testdata.Missing(t, "namespaces", strings.TrimPrefix(in, "no: "))
	}
	dir := must(os.MkdirTemp(shortest(), "d"))(t)
	t.Cleanup(func() { os.RemoveAll(dir) })
	check(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=128m"))
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	before := os.TempDir()
	t.Setenv("TMPDIR", dir) // where the server goes
	d := &disk{server: pgtest.New(t, "restart_after_crash = off"), filler: filepath.Join(dir, "filler")}
	t.Setenv("TMPDIR", before)
	d.dsn = d.server.Database(t)
	d.store = must(postgres.Create(t.Context(), d.dsn, ledgertest.Origin, options(t, impatient)))(t)
	t.Cleanup(func() { d.store.Close() })
	d.log = &log{test: ledgertest.NewOffice(t, d.store)}
	d.test.Found(t)
	return d
}

// fill leaves so many octets free.
func (d *disk) fill(t *testing.T, free int64) {
	t.Helper()
	f := must(os.Create(d.filler))(t)
	defer f.Close()
	var err error
	for b := make([]byte, 64<<10); err == nil; {
		_, err = f.Write(b)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	check(t, f.Truncate(must(f.Stat())(t).Size()-free))
}

// add appends an application with so large an attachment.
func (d *disk) add(t *testing.T, size int) error {
	t.Helper()
	d.n++
	s := d.test.Enrol(fmt.Sprint("A-", d.n), fmt.Sprint(d.n), "")
	s.Attach[0].Sealed = make([]byte, size)
	err := d.test.Do(t.Context(), s)
	if err == nil {
		d.kept = append(d.kept, s.Stream)
	}
	return err
}

// sound: what was acknowledged is there, and the ledger passes its audit, as a program finds
// it that comes anew.
func (d *disk) sound(t *testing.T) {
	t.Helper()
	l := must(postgres.Open(t.Context(), d.dsn, options(t, patience)))(t)
	defer l.Close()
	for _, id := range d.kept {
		if e := must(l.Stream(t.Context(), id))(t); len(e) != 1 {
			t.Errorf("%s was acknowledged: %d entries", id, len(e))
		}
	}
	if n := len(must(l.List(t.Context(), issuance.KindApplication))(t)); n != len(d.kept) {
		t.Errorf("%d applications of %d that were acknowledged", n, len(d.kept))
	}
	if report := must(l.Verify(t.Context(), nil))(t); !report.OK() {
		t.Errorf("the ledger is not sound: %v", report.Findings)
	}
}

// TestDiskFull (F5) fills the server's disk. What finds no room is refused as such and nothing
// of it is there, the ledger can be read meanwhile, and it goes on once there is room.
func TestDiskFull(t *testing.T) {
	d := newDisk(t)
	d.fill(t, 3<<20)
	var err error
	for err == nil && d.n < 1000 {
		err = d.add(t, 100_000)
	}
	if !errors.Is(err, ledger.ErrFull) {
		t.Errorf("a full disk: %v", err)
	}
	if len(d.kept) == 0 {
		t.Error("the disk was full before anything was added")
	}
	if err := d.add(t, 100_000); !errors.Is(err, ledger.ErrFull) {
		t.Errorf("a disk that is full still: %v", err)
	}
	t.Logf("the disk was full after %d entries: %v", len(d.kept), err)
	d.sound(t)
	check(t, os.Remove(d.filler))
	check(t, d.add(t, 100_000))
	d.sound(t)
}

// TestJournalFull (F5): the server's journal finds no room, which ends the server. The ledger
// is away then, and goes on where it was once the server has been started with room.
func TestJournalFull(t *testing.T) {
	d := newDisk(t)
	check(t, d.add(t, 100))
	d.fill(t, 1<<20)
	var err error
	for d.n < 1000 && !errors.Is(err, ledger.ErrAway) {
		if err = d.add(t, 100); err != nil && !errors.Is(err, ledger.ErrFull) && !errors.Is(err, ledger.ErrAway) {
			t.Fatalf("a full journal: %v", err)
		}
		// Others write, too: this goes into the journal and nowhere else.
		d.administer("SELECT pg_logical_emit_message(false, 'filler', repeat('x', 1 << 20))")
	}
	if !errors.Is(err, ledger.ErrAway) {
		t.Fatalf("the journal was never full: %v", err)
	}
	t.Logf("the journal was full after %d entries: %v", len(d.kept), err)
	d.server.Ended(t)
	check(t, os.Remove(d.filler))
	d.server.Restart(t)
	check(t, d.add(t, 100))
	d.sound(t)
}

// administer has the server's administrator say something, which may fail.
func (d *disk) administer(query string) {
	_ = exec.Command("psql", "-X", "-q", "-c", query, d.dsn).Run()
}
