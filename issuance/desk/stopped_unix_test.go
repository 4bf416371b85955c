//go:build linux || darwin

package desk

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// sleeperDir and sleeperApp make the test binary a desk that is to be stopped.
const (
	sleeperDir = "TAMTHE_DESK_SLEEPER"
	sleeperApp = "TAMTHE_DESK_SLEEPER_APP"
)

// sleeperTime is for how long its leases run.
const sleeperTime = 1500 * time.Millisecond

// TestStopped stops the process of a desk (SIGSTOP) in the midst of a card. While its lease
// runs nobody else gets at the card; afterwards another desk spoils it. Woken up, the first
// is told, and neither its chip nor the ledger hears anything more of it.
func TestStopped(t *testing.T) {
	if dir := os.Getenv(sleeperDir); dir != "" {
		sleeper(t, dir, os.Getenv(sleeperApp))
		return
	}
	t.Parallel()
	r := newRig(t)
	app := r.approved(t, enrolment(1))
	path := r.path(app + ".chip")
	check(t, must(virtual.Create(path, virtual.Config{}))(t).Close())
	child := exec.Command(os.Args[0], "-test.run=^TestStopped$", "-test.v")
	child.Env = append(os.Environ(), sleeperDir+"="+r.dir, sleeperApp+"="+app)
	out := must(child.StdoutPipe())(t)
	check(t, child.Start())
	t.Cleanup(func() { child.Process.Kill() })
	lines := bufio.NewScanner(out)
	var said []string
	hear := func(prefix string) string {
		for lines.Scan() {
			if text, ok := strings.CutPrefix(lines.Text(), prefix); ok {
				return text
			}
			said = append(said, lines.Text())
		}
		t.Fatalf("the desk never says %q: %q", prefix, said)
		return ""
	}
	hear("stops")
	var state syscall.WaitStatus
	if _, err := syscall.Wait4(child.Process.Pid, &state, syscall.WUNTRACED, nil); err != nil || !state.Stopped() {
		t.Fatalf("the desk is not stopped: %v %v", state, err)
	}
	card := must(r.an.Application(t.Context(), app))(t).Card
	spoil := func() error { return r.an.Spoil(t.Context(), card, "damaged") }
	for { // a machine that is busy may have left nothing of the lease
		held, left := errors.AsType[*ledger.LeaseError](spoil())
		if !left {
			break
		}
		if held.Lost || held.Left <= 0 || held.Left > sleeperTime {
			t.Fatalf("%+v", held)
		}
		time.Sleep(held.Left/2 + time.Millisecond)
	}
	r.wantPhase(t, issuance.Card(card), issuance.Spoiled)
	size, chip := r.size(t), must(os.ReadFile(path))(t)
	check(t, child.Process.Signal(syscall.SIGCONT))
	if text := hear("woke up: "); !strings.Contains(text, "taken over meanwhile") {
		t.Errorf("it goes on: %s", text)
	}
	for lines.Scan() {
		said = append(said, lines.Text())
	}
	if err := child.Wait(); err != nil {
		t.Fatalf("%v: %q", err, said)
	}
	if after := must(os.ReadFile(path))(t); r.size(t) != size || !bytes.Equal(after, chip) {
		t.Errorf("%d entries more; the chip changed: %v", r.size(t)-size, !bytes.Equal(after, chip))
	}
	r.wantLeases(t, 0)
	r.sound(t)
}

// sleeper is the desk that stops itself before a command of its work.
func sleeper(t *testing.T, dir, app string) {
	r := &rig{dir: dir, now: newClock()}
	r.open(t)
	r.loadTrust(t)
	c := must(virtual.Load(r.path(app + ".chip")))(t)
	defer c.Close()
	s := insert(c)
	r.an.LeaseTime = sleeperTime
	heard := 0
	s.exchange = func(ctx context.Context, n int, b []byte) ([]byte, error) {
		heard = n
		return c.Exchange(ctx, b)
	}
	stop := stopping{slot: s, at: 40}
	_, err := r.an.Personalise(t.Context(), app, &stop, r.plan())
	fmt.Printf("woke up: %v\n", err)
	if heard >= stop.at {
		t.Errorf("the chip heard %d commands, and the desk was stopped before number %d", heard, stop.at)
	}
}

// stopping is a reader whose process is stopped when it has answered the command before one.
type stopping struct {
	*slot
	at int
}

func (s *stopping) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	a, err := s.slot.Exchange(ctx, b)
	if s.n == s.at-1 {
		fmt.Println("stops")
		if err := syscall.Kill(os.Getpid(), syscall.SIGSTOP); err != nil {
			return nil, err
		}
		time.Sleep(100 * time.Millisecond) // the signal may come to another thread first
	}
	return a, err
}
