//go:build linux && cgo

package desktest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/pcsc"
	"github.com/tamthe/tamthe/card/virtual"
)

// The environment of a copy of this program that is a card: its memory, the reader, and in
// which write it dies.
const (
	chipFile  = "TAMTHE_TEST_CHIP"
	chipAddr  = "TAMTHE_TEST_CHIP_ADDR"
	chipDeath = "TAMTHE_TEST_CHIP_DEATH"
)

// serveChip is what such a copy does, until its standard input ends.
func serveChip(path string) int {
	chip, err := virtual.Load(path)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	if death, _ := strconv.Atoi(os.Getenv(chipDeath)); death > 0 {
		chip.OnWrite(func(n int) bool {
			if n == death {
				syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
			return true
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	err = virtual.Serve(ctx, chip, virtual.ServeOptions{Addr: os.Getenv(chipAddr), Ready: func() { fmt.Println("ready") }})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// process is a card in a process of its own.
type process struct {
	*exec.Cmd
	in io.Closer
}

// start puts a card of a memory file into the reader.
func (r *reader) start(path string, death int) *process {
	r.t.Helper()
	r.vacant()
	p := &process{Cmd: exec.Command("/proc/self/exe")}
	p.Env = append(os.Environ(), chipFile+"="+path, chipAddr+"="+r.addr, fmt.Sprintf("%s=%d", chipDeath, death))
	p.in = must(p.StdinPipe())(r.t)
	out := must(p.StdoutPipe())(r.t)
	check(r.t, p.Start())
	r.t.Cleanup(p.kill)
	lines := bufio.NewScanner(out)
	if lines.Scan(); lines.Text() != "ready" {
		r.t.Fatalf("the card says %q", lines.Text())
	}
	r.present()
	return p
}

// kill ends the process as a crash does. It may be called more than once.
func (p *process) kill() {
	p.Process.Kill()
	p.Wait()
	p.in.Close()
}

// TestCardKilled kills the process that holds the card, in the midst of a write to its
// memory or of a command. A new one goes on with the same memory.
func TestCardKilled(t *testing.T) {
	t.Parallel()
	daemon(t)
	cardKilled(t, []int{1, 9, 18, 27}, 4)
}

func TestCardKilledSoak(t *testing.T) {
	needSoak(t)
	t.Parallel()
	daemon(t)
	var writes []int
	for n := range 31 {
		writes = append(writes, n+1)
	}
	cardKilled(t, writes, 300)
}

func cardKilled(t *testing.T, writes []int, moments int) {
	o := newOffice(t, usualKeys)
	t.Run("killed", func(t *testing.T) {
		for _, n := range writes {
			t.Run(fmt.Sprint("in write ", n), func(t *testing.T) {
				t.Parallel()
				o.kill(t, n, nil)
			})
		}
		for range moments {
			command, delay := 2+rand.IntN(70), time.Duration(rand.IntN(400))*time.Microsecond
			t.Run(fmt.Sprint(delay, " after command ", command), func(t *testing.T) {
				t.Parallel()
				o.kill(t, 0, func(p *process, n int) {
					if n == command {
						time.AfterFunc(delay, func() { p.Process.Kill() })
					}
				})
			})
		}
	})
	o.sound(t)
}

// kill makes a card that dies once meanwhile.
func (o *office) kill(t *testing.T, death int, act func(p *process, n int)) {
	r, path := newReader(t), filepath.Join(t.TempDir(), "chip")
	chip := must(virtual.Create(path, virtual.Config{}))(t)
	check(t, chip.Close())
	who := o.person()
	app := o.approved(t, who, portrait(0))
	p := r.start(path, death)
	w := &tap{Card: r.open(pcsc.Options{})}
	w.act = func(n int) error {
		if act != nil {
			act(p, n)
		}
		return nil
	}
	_, err := o.desk(o.an).Personalise(t.Context(), app, w, o.plan())
	wantError(t, "personalise", err, apdu.ErrRemoved)
	check(t, w.Close())
	p.kill()
	chip = must(virtual.Load(path))(t)
	o.suffered(t, chip, who)
	check(t, chip.Close())

	p = r.start(path, 0)
	again := r.open(pcsc.Options{})
	card, err := o.desk(o.an).Personalise(t.Context(), app, again, o.plan())
	if err != nil {
		wrong(t, &fates.stuck, "resume: %v", err)
		t.FailNow()
	}
	check(t, again.Close())
	p.kill()
	chip = must(virtual.Load(path))(t)
	defer chip.Close()
	issuedOnce(t, o, app, card, chip)
}
