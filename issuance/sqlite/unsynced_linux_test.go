package sqlite_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/testdata"
)

// TestUnsynced (F4): the power goes after any write, and what was not synchronised by then is
// lost, whole, in part, or in the middle of a write. What was acknowledged is there, and the
// ledger agrees with itself. A library before the C library writes down what SQLite writes
// and synchronises; the disk of each moment is made from that.
func TestUnsynced(t *testing.T) {
	if dir := os.Getenv(childDir); dir != "" {
		acknowledge(t, dir, os.Getenv("DISK_LOG"))
		return
	}
	work := t.TempDir()
	shim := filepath.Join(work, "unsynced.so")
	if out, err := exec.Command("cc", "-shared", "-fPIC", "-O1", "-o", shim, "testdata/unsynced.c", "-ldl", "-lpthread").CombinedOutput(); err != nil {
		testdata.Missing(t, "cc", fmt.Sprintf("no C compiler: %v %s", err, out))
	}
	dir, log := filepath.Join(work, "disk"), filepath.Join(work, "log")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestUnsynced$")
	cmd.Env = append(os.Environ(), childDir+"="+dir, "DISK_DIR="+dir, "DISK_LOG="+log, "LD_PRELOAD="+shim)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ops := readOps(t, log)
	stride, variants := 37, 1
	if os.Getenv("TAMTHE_SOAK") != "" {
		stride, variants = 1, 2
	}
	r := rand.New(rand.NewPCG(4, 4))
	d, points := &disk{files: map[string]*kept{}}, 0
	for i, op := range ops {
		d.do(op)
		if d.acknowledged == 0 || (i+r.IntN(stride))%stride != 0 && op.what != 'A' {
			continue
		}
		for v := range 1 + variants {
			points++
			d.check(t, i, v, r)
		}
	}
	if points < 60 || d.acknowledged < 20 {
		t.Errorf("%d points, %d acknowledged", points, d.acknowledged)
	}
	t.Logf("%d points in %d writes, truncations and synchronisations of %d acknowledged entries: lost 0", points, len(ops), d.acknowledged)
}

// acknowledge appends until it is enough, and says in the log what it was told is kept.
func acknowledge(t *testing.T, dir, log string) {
	l, err := openAlone(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	acks, err := os.OpenFile(log, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer acks.Close()
	n := 30
	if os.Getenv("TAMTHE_SOAK") != "" {
		n = 100
	}
	for i := range n {
		name := fmt.Sprintf("A-%d", i)
		s := o.Enrol(name, name, "")
		s.Attach[0].Sealed = make([]byte, 100+i*317%9000)
		o.Must(t, s)
		if _, err := fmt.Fprintf(acks, "A %s 0 0\n", name); err != nil {
			t.Fatal(err)
		}
	}
}

// openAlone opens or makes a ledger that keeps no checkpoint elsewhere: what Go itself
// writes is not in the log.
func openAlone(t *testing.T, dir string) (*sqlite.Ledger, error) {
	o, path := options(t, dir), filepath.Join(dir, "ledger.db")
	o.Checkpoints = ""
	l, err := sqlite.Open(t.Context(), path, o)
	if errors.Is(err, ledger.ErrMissing) {
		return sqlite.Create(t.Context(), path, ledgertest.Origin, o)
	}
	return l, err
}

// op is a record of the log.
type op struct {
	what byte // W, T, S, U, or A for acknowledged
	name string
	at   int64
	data []byte
}

func readOps(t *testing.T, path string) (ops []op) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(bytes.NewReader(b))
	for {
		var o op
		var n int64
		if _, err := fmt.Fscanf(in, "%c %s %d %d\n", &o.what, &o.name, &o.at, &n); err == io.EOF {
			return ops
		} else if err != nil {
			t.Fatal(err)
		}
		if o.what == 'W' {
			o.data = make([]byte, n)
			if _, err := io.ReadFull(in, o.data); err != nil {
				t.Fatal(err)
			}
		}
		ops = append(ops, o)
	}
}

// kept is a file: what is on the disk for sure, and what may be.
type kept struct {
	synced  []byte
	pending []op
}

// disk is what SQLite wrote so far.
type disk struct {
	files        map[string]*kept
	acknowledged int
}

func (d *disk) do(o op) {
	switch o.what {
	case 'A':
		d.acknowledged++
		return
	case 'U':
		delete(d.files, o.name)
		return
	}
	f := d.files[o.name]
	if f == nil {
		f = &kept{}
		d.files[o.name] = f
	}
	if o.what != 'S' {
		f.pending = append(f.pending, o)
		return
	}
	for _, p := range f.pending {
		f.synced = p.on(f.synced)
	}
	f.pending = nil
}

// on is a file after the operation.
func (o op) on(b []byte) []byte {
	if o.what == 'T' {
		if int64(len(b)) > o.at {
			return b[:o.at]
		}
		return append(b, make([]byte, o.at-int64(len(b)))...)
	}
	if end := o.at + int64(len(o.data)); int64(len(b)) < end {
		b = append(b, make([]byte, end-int64(len(b)))...)
	}
	copy(b[o.at:], o.data)
	return b
}

// check opens the disk as it is after the power went: with nothing that was not
// synchronised, or with some of it, by sectors.
func (d *disk) check(t *testing.T, at, variant int, r *rand.Rand) {
	t.Helper()
	dir := t.TempDir()
	for name, f := range d.files {
		b := bytes.Clone(f.synced)
		for _, p := range f.pending {
			if variant == 0 || r.IntN(2) == 0 {
				continue
			}
			if p.what == 'W' && r.IntN(3) == 0 {
				p.data = p.data[:r.IntN(len(p.data)/512+1)*512]
			}
			b = p.on(b)
		}
		if filepath.Ext(name) == ".db-shm" {
			continue // memory, not a file: SQLite makes it anew
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := openAlone(t, dir)
	if err != nil {
		t.Fatalf("after operation %d, variant %d: %v", at, variant, err)
	}
	defer l.Close()
	report, err := l.Verify(t.Context(), nil)
	if err != nil || !report.OK() {
		t.Errorf("after operation %d, variant %d: %+v %v", at, variant, report, err)
	}
	for i := range d.acknowledged {
		e, err := l.Stream(t.Context(), issuance.Application(fmt.Sprintf("A-%d", i)))
		if err != nil || len(e) != 1 {
			t.Errorf("after operation %d, variant %d: entry %d of %d acknowledged is lost: %v", at, variant, i, d.acknowledged, err)
		}
	}
}
