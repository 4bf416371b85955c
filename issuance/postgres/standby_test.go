//go:build unix

package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
)

// sequencerOf tells a re-executed test binary to sequence in a database.
const sequencerOf = "TAMTHE_TEST_SEQUENCER"

const shortLease = time.Second

// TestSequencerProcess is what such a binary does. It says whenever it takes the queue over
// or leaves it, and ends with its input.
func TestSequencerProcess(t *testing.T) {
	dsn := os.Getenv(sequencerOf)
	if dsn == "" {
		t.Skip("not a child")
	}
	key, _ := ledgertest.LogKey(t)
	l, err := Open(t.Context(), dsn, Options{Signer: key, Busy: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		bufio.NewReader(os.Stdin).ReadByte()
		cancel()
	}()
	last := int64(-1)
	err = l.Sequence(ctx, Sequencing{Lease: shortLease, Round: func(r Round) {
		if errors.Is(r.Err, ledger.ErrFenced) {
			fmt.Println("sequencer fenced")
		}
		if r.Epoch != last {
			last = r.Epoch
			fmt.Println("sequencer epoch", r.Epoch)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// process is a sequencer in a process of its own.
type process struct {
	cmd  *exec.Cmd
	said chan string
}

func (q *queue) process(dsn string) *process {
	q.t.Helper()
	p := &process{cmd: exec.Command(os.Args[0], "-test.run=^TestSequencerProcess$", "-test.v"), said: make(chan string, 1000)}
	p.cmd.Env = append(os.Environ(), sequencerOf+"="+dsn)
	in, err := p.cmd.StdinPipe()
	if err != nil {
		q.t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		q.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		q.t.Fatal(err)
	}
	go func() {
		defer close(p.said)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if line, ok := strings.CutPrefix(lines.Text(), "sequencer "); ok {
				p.said <- line
			}
		}
	}()
	q.t.Cleanup(func() {
		p.cmd.Process.Signal(syscall.SIGCONT)
		in.Close()
		p.cmd.Wait()
	})
	return p
}

// waits until the process says something.
func (p *process) waits(t *testing.T, what string) {
	t.Helper()
	for deadline := time.After(time.Minute); ; {
		select {
		case line, ok := <-p.said:
			if !ok {
				t.Fatalf("it ended, and never said %q", what)
			}
			if strings.HasPrefix(line, what) {
				return
			}
		case <-deadline:
			t.Fatalf("it never said %q", what)
		}
	}
}

// TestStandby stops the sequencer that works, again and again, while desks go on: the other
// takes over, the stopped one finds itself fenced when it goes on, and every act that a desk
// was told to be done is there once.
func TestStandby(t *testing.T) {
	q := newQueue(t)
	_, dsn := q.role("tamthe_sequencer")
	active, standby := q.process(dsn), q.process(dsn)
	active.waits(t, "epoch")
	standby.waits(t, "epoch")
	q.office.Must(t, q.office.Enrol("A-0", "zoe", "")) // one of the two works
	if !q.works(active) {
		active, standby = standby, active
	}
	ctx, stop := context.WithCancel(t.Context())
	var desks sync.WaitGroup
	done := make([][]issuance.StreamID, 4)
	for d := range done {
		desk := q.desk(30 * time.Second)
		desks.Go(func() { done[d] = enrolMany(ctx, t, desk, d) })
	}
	for range 3 {
		time.Sleep(time.Second)
		if err := active.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		standby.takesOver(t)
		time.Sleep(500 * time.Millisecond)
		if err := active.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		active.waits(t, "fenced")
		active, standby = standby, active
	}
	stop()
	desks.Wait()
	total := 0
	for _, list := range done {
		for _, s := range list {
			total++
			if e, err := q.log.Stream(t.Context(), s); err != nil || len(e) != 1 {
				t.Errorf("%s: %d entries, %v", s, len(e), err)
			}
		}
	}
	if total == 0 {
		t.Error("no desk did anything")
	}
	t.Logf("%d acts of 4 desks while the sequencer was stopped 3 times", total)
}

// works reports whether a process holds the queue.
func (q *queue) works(p *process) bool {
	q.t.Helper()
	c := q.connect(q.dsn)
	defer c.Close(context.Background())
	var holder string
	if err := c.QueryRow(q.t.Context(), "SELECT holder FROM queue").Scan(&holder); err != nil {
		q.t.Fatal(err)
	}
	return strings.Contains(holder, fmt.Sprintf("/%d/", p.cmd.Process.Pid))
}

// takesOver waits until it says an epoch that is not 0.
func (p *process) takesOver(t *testing.T) {
	t.Helper()
	for deadline := time.After(time.Minute); ; {
		select {
		case line := <-p.said:
			if strings.HasPrefix(line, "epoch") && line != "epoch 0" {
				return
			}
		case <-deadline:
			t.Fatal("nobody took over")
		}
	}
}

// enrolMany enrols until ctx ends, and returns what was acknowledged.
func enrolMany(ctx context.Context, t *testing.T, desk *Ledger, d int) (done []issuance.StreamID) {
	o := ledgertest.NewOffice(t, desk)
	for i := 0; ctx.Err() == nil; i++ {
		app := fmt.Sprintf("A-%d-%d", d, i)
		if err := o.Do(context.Background(), o.Enrol(app, app, "")); err != nil {
			t.Errorf("%s: %v", app, err)
			return done
		}
		done = append(done, issuance.Application(app))
	}
	return done
}
