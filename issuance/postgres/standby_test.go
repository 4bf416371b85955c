//go:build unix

package postgres

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
)

// sequencerOf tells a re-executed test binary to sequence in a database.
const sequencerOf = "TAMTHE_TEST_SEQUENCER"

const shortLease = 2 * time.Second // long enough for a machine that does much else

// TestSequencerProcess is what such a binary does. It says when it leaves the queue,
// and ends with its input.
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
	err = l.Sequence(ctx, Sequencing{Lease: shortLease, Round: func(r Round) {
		if r.Err != nil {
			fmt.Println("sequencer left")
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

// says waits until the process says something.
func (p *process) says(t *testing.T, what string) {
	t.Helper()
	for deadline := time.After(time.Minute); ; {
		select {
		case line, ok := <-p.said:
			if !ok {
				t.Fatalf("it ended, and never said %q", what)
			}
			if line == what {
				return
			}
		case <-deadline:
			t.Fatalf("it never said %q", what)
		}
	}
}

// TestStandby stops the sequencer that works, again and again, while desks go on: the other
// takes over, the stopped one leaves the queue when it goes on, and every act that a desk
// was told to be done is there once.
func TestStandby(t *testing.T) {
	q := newQueue(t)
	_, dsn := q.role("tamthe_sequencer")
	both := []*process{q.process(dsn), q.process(dsn)}
	q.office.Must(t, q.office.Enrol("A-0", "zoe", "")) // one of the two works
	ctx, stop := context.WithCancel(t.Context())
	var desks sync.WaitGroup
	done := make([][]issuance.StreamID, 4)
	for d := range done {
		desk := q.desk(30 * time.Second)
		desks.Go(func() { done[d] = enrolMany(ctx, t, desk, d) })
	}
	for range 3 {
		time.Sleep(time.Second)
		works := q.works(both)
		if err := works.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		for q.works(both) == works {
			time.Sleep(shortLease / 10)
		}
		time.Sleep(shortLease / 2)
		if err := works.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		works.says(t, "left")
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
	if r, err := q.log.Verify(t.Context(), nil); err != nil || !r.OK() {
		t.Errorf("%v, %v", r, err)
	}
	t.Logf("%d acts of 4 desks while the sequencer was stopped 3 times", total)
}

// works is the one of the processes that holds the queue.
func (q *queue) works(list []*process) *process {
	q.t.Helper()
	c := q.connect(q.dsn)
	defer c.Close(context.Background())
	var holder string
	if err := c.QueryRow(q.t.Context(), "SELECT holder FROM queue").Scan(&holder); err != nil {
		q.t.Fatal(err)
	}
	for _, p := range list {
		if strings.Contains(holder, fmt.Sprintf("/%d/", p.cmd.Process.Pid)) {
			return p
		}
	}
	q.t.Fatalf("%s holds the queue", holder)
	return nil
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
