//go:build unix

package monitor_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/monitor"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// victim names the folder that a process which will be killed works in.
const victim = "TAMTHE_MONITOR_VICTIM"

// TestKilled: the monitor is killed again and again while the log grows; what it has read it
// knows, what it raised stands, with its evidence, and nothing is raised that is not so.
func TestKilled(t *testing.T) {
	if dir := os.Getenv(victim); dir != "" {
		watchFor(t, dir)
		return
	}
	if testing.Short() {
		t.Skip("kills take time")
	}
	r := newRig(t)
	r.watch.Close()
	for i := range 12 {
		for j := range 3 {
			r.issue(t, fmt.Sprintf("p%d-%d", i, j))
		}
		r.export(t)
		killAfter(t, r.dir, time.Duration(i*25)*time.Millisecond)
	}
	r.reopen(t)
	r.quiet(t)
	if list, err := r.watch.Alarms(t.Context(), true); err != nil || len(list) > 0 {
		t.Fatalf("%v, %v", list, err)
	}
	c, err := r.ledger.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if k, err := known(t, r); err != nil || k.Size != c.Size {
		t.Fatalf("%d entries of %d, %v", k.Size, c.Size, err)
	}
	r.watch.Close()

	f := r.copied(t) // and now the log is rewritten
	f.rewrite(30)
	f.hash(t)
	r.anew(t, f)
	for i := range 12 {
		killAfter(t, r.dir, time.Duration(i*25)*time.Millisecond)
	}
	r.reopen(t)
	r.check(t)
	list, err := r.watch.Alarms(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	r.forked(t, find(t, list, monitor.Fork), "known", "shown")
	if left, _ := filepath.Glob(filepath.Join(r.path("evidence"), "*.new")); len(left) > 0 {
		t.Errorf("half written: %v", left)
	}
}

func (r *rig) reopen(t *testing.T) {
	t.Helper()
	var err error
	if r.watch, err = sqlite.OpenWatch(t.Context(), r.path("watch.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.watch.Close() })
	r.o.State = r.watch
	r.start()
}

// killAfter has a process watch, and kills it.
func killAfter(t *testing.T, dir string, after time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), victim+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = out.Read(make([]byte, 1)) // it has begun
	time.Sleep(after)
	_ = cmd.Process.Signal(syscall.SIGKILL)
	_ = cmd.Wait()
}

// watchFor looks until it is killed.
func watchFor(t *testing.T, dir string) {
	_, key := ledgertest.LogKey(t)
	state, err := sqlite.OpenWatch(t.Context(), filepath.Join(dir, "watch.db"))
	if err != nil {
		t.Fatal(err)
	}
	m := monitor.New(monitor.Options{
		State: state, Keys: []note.Verifier{key}, Sources: []monitor.Source{monitor.Published(filepath.Join(dir, "www"), nil)},
		Evidence: filepath.Join(dir, "evidence"), Now: func() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) },
	})
	fmt.Println("begun")
	for {
		if _, err := m.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
