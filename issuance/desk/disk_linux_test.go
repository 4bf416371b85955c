package desk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/testdata"
)

// diskDir names the folder for the child of TestDiskAtEveryRecord.
const diskDir = "TAMTHE_DESK_DISK"

// TestDiskAtEveryRecord (F5) makes cards on a file system of its own, in a namespace where
// mounting one is allowed, that is full, has no more files or can only be read from one of
// the journal's records on: no command follows what could not be recorded, and the next run
// makes the card once there is room.
func TestDiskAtEveryRecord(t *testing.T) {
	if dir := os.Getenv(diskDir); dir != "" {
		diskAtEveryRecord(t, dir)
		return
	}
	t.Parallel()
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), diskDir+"="+t.TempDir())
	child.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := child.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) {
		testdata.Missing(t, "namespaces", "user namespaces are refused here: no small file system can be mounted")
	}
	_, total, counted := strings.Cut(string(out), "every disk: ")
	if err != nil || !counted || !strings.Contains(string(out), ledger.ErrFull.Error()) {
		t.Fatalf("%v\n%s", err, out)
	}
	total, _, _ = strings.Cut(total, "\n")
	t.Log(total)
}

func diskAtEveryRecord(t *testing.T, dir string) {
	check(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=48m,nr_inodes=400"))
	t.Setenv("TMPDIR", dir) // where the rig goes
	a := &tally{}
	for _, f := range []*disk{
		{name: "full", dir: dir, breaks: fillBlocks},
		{name: noMoreFiles, dir: dir, breaks: fillFiles},
	} {
		t.Run(f.name, func(t *testing.T) {
			r := newRig(t)
			for f.at = 1; r.onDisk(t, a, f); f.at++ {
			}
			r.sound(t)
		})
	}
	t.Run("read-only", func(t *testing.T) { readOnlyAtEveryRecord(t, a, dir) })
	a.settled(t, 25)
	t.Logf("every disk: %v", a)
}

const noMoreFiles = "no more files"

// disk is a ledger whose file system breaks before the at-th append.
type disk struct {
	Store
	name, dir string
	breaks    func(dir string) error
	at, n     int
	slot      *slot
	refused   error // the first append that failed …
	record    int   // … its number …
	sent      int   // … and after how many commands
	broken    error
}

func (d *disk) Append(ctx context.Context, at issuance.Head, e ...issuance.Entry) error {
	if d.n++; d.n >= d.at { // again each time: a copy that ends gives its file's place back
		d.broken = d.breaks(d.dir)
	}
	err := d.Store.Append(ctx, at, e...)
	if err != nil && d.refused == nil {
		d.refused, d.record, d.sent = err, d.n, d.slot.n
	}
	return err
}

// onDisk has a card made while the disk breaks, and again when it is mended. It says whether
// the disk broke in time.
func (r *rig) onDisk(t *testing.T, a *tally, d *disk) bool {
	t.Helper()
	e := enrolment(int(r.size(t)))
	app, c := r.approved(t, e), blank()
	r.close(t) // so that the write-ahead log begins anew and has to grow
	r.open(t)
	written := 0
	c.OnWrite(func(int) bool { written++; return true })
	s := insert(c)
	d.Store, d.slot, d.n, d.refused, d.record, d.broken = r.store, s, 0, nil, 0, nil
	_, err := r.through(d).Personalise(t.Context(), app, s, r.plan())
	fillers, globErr := filepath.Glob(filepath.Join(d.dir, filler+"*"))
	check(t, globErr)
	for _, f := range fillers {
		check(t, os.Remove(f))
	}
	if d.n < d.at {
		check(t, err)
		return false
	}
	wantError(t, "filling the disk", d.broken, syscall.ENOSPC)
	a.add(&a.points)
	d.halted(t, err)
	if d.record == 1 && written > 0 { // a copy of a checkpoint that was under way may leave a file's place for later ones
		t.Errorf("the chip was written %d times though nothing could be recorded", written)
	}
	c.OnWrite(nil)
	r.expire(t) // a full disk takes no lease back either
	r.unusable(t, a, c, e)
	r.mended(t, a, fmt.Sprintf("%s at record %d", d.name, d.at), app, c)
	return !t.Failed()
}

// halted: the run ended with what the disk lacks, and no command was sent after a refusal of
// the ledger. The record itself may have fitted, and something of later not: the copy of a
// checkpoint, what the signing service keeps, or nothing at all after the last record.
func (d *disk) halted(t *testing.T, err error) {
	t.Helper()
	if d.refused != nil && d.slot.n != d.sent {
		t.Errorf("record %d: %d commands after it was refused", d.at, d.slot.n-d.sent)
	}
	full := errors.Is(err, ledger.ErrFull) || errors.Is(err, ledger.ErrCopy) || errors.Is(err, syscall.ENOSPC)
	// A checkpoint's copy that was under way may give its file's place back in between, too.
	spared := d.refused == nil && (d.at == records || d.name == noMoreFiles)
	if !full && (err != nil || !spared) {
		t.Errorf("record %d: %v", d.at, err)
	}
	t.Logf("%s at record %d: %v", d.name, d.at, err)
}

// mended makes the card when the disk is well again.
func (r *rig) mended(t *testing.T, a *tally, what, app string, c *virtual.Chip) {
	t.Helper()
	card, err := r.an.Personalise(t.Context(), app, insert(c), r.plan())
	if err != nil {
		a.add(&a.stuck)
		t.Fatalf("%s: resume: %v", what, err)
	}
	r.count(t, a, app, card, []*virtual.Chip{c})
	r.issuedOnce(t, app, card, c)
}

// readOnlyAtEveryRecord: the desk ends at a record, and the disk can only be read when it
// comes back. Then it does not open, whatever step the card stands at.
func readOnlyAtEveryRecord(t *testing.T, a *tally, dir string) {
	r := newRig(t)
	for at := 1; ; at++ {
		e := enrolment(int(r.size(t)))
		app, c := r.approved(t, e), blank()
		_, err := r.through(&faulty{Store: r.store, at: at}).Personalise(t.Context(), app, insert(c), r.plan())
		if err == nil {
			break
		}
		wantError(t, "cut", err, errFault)
		r.close(t)
		check(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
		l, err := sqlite.Open(t.Context(), r.path("ledger.db"), r.options(t))
		if wantError(t, fmt.Sprint("record ", at), err, ledger.ErrReadOnly); err == nil {
			check(t, l.Close())
		}
		check(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT, ""))
		a.add(&a.points)
		r.open(t)
		r.unusable(t, a, c, e)
		r.mended(t, a, fmt.Sprint("read-only at record ", at), app, c)
	}
	r.sound(t)
}

// records are how many the making of a card leaves.
const records = 9

// filler begins the names of the files that take all the room.
const filler = "filler"

// fillBlocks writes until the disk is full.
func fillBlocks(dir string) error {
	f, err := os.Create(filepath.Join(dir, filler))
	if err != nil {
		return err
	}
	defer f.Close()
	for b := make([]byte, 4096); ; {
		if _, err := f.Write(b); err != nil {
			return err
		}
	}
}

// fillFiles makes files until there can be no more.
func fillFiles(dir string) error {
	for i := 0; ; i++ {
		f, err := os.Create(filepath.Join(dir, fmt.Sprint(filler, i)))
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
}
