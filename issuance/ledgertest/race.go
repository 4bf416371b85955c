package ledgertest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// RaceStore is what a race asks of a store.
type RaceStore interface {
	Store
	Entries(ctx context.Context, from int64, each func(index int64, leaf, payload []byte) error) error
	Rehash(ctx context.Context, shown ...*ledger.Older) (*ledger.Report, error)
}

// Race has processes claim applications, each of which one alone may have. The processes
// are this test binary, started again with the one test that calls Run, which must do
// nothing else.
type Race struct {
	Open func(t testing.TB, place string) RaceStore // the ledger at a place, and makes it there the first time

	Processes, Applications int
	Claims                  int // on each application, at most as many as there are processes
	Window                  int // applications that are claimed before any beyond them
}

// TheRace is 16 processes with a million claims on a hundred thousand applications where
// TAMTHE_SOAK asks for it, or as many claims as that says if it says more than one; else 4
// processes with 2,000 on 500.
func TheRace(open func(t testing.TB, place string) RaceStore) Race {
	if soak := os.Getenv("TAMTHE_SOAK"); soak != "" {
		r := Race{Open: open, Processes: 16, Applications: 100_000, Claims: 10, Window: 100}
		if n, err := strconv.Atoi(soak); err == nil && n > 1 {
			r.Applications = n / r.Claims
		}
		return r
	}
	return Race{Open: open, Processes: 4, Applications: 500, Claims: 4, Window: 25}
}

// Racing tells whether this process was started to claim: then Run does that and needs no
// place.
func Racing() bool { return os.Getenv(racerPlace) != "" }

// The variables of the environment that make the test binary a process of a race.
const (
	racerPlace  = "TAMTHE_RACE_PLACE"
	racerNumber = "TAMTHE_RACE_NUMBER"
)

// Run makes the applications, has them claimed, and checks who has what.
func (r Race) Run(t *testing.T, place string) {
	if Racing() {
		r.claim(t, os.Getenv(racerPlace), os.Getenv(racerNumber))
		return
	}
	store := r.Open(t, place)
	defer store.Close()
	begin := time.Now()
	r.prepare(t, store)
	t.Logf("%d applications approved in %s", r.Applications, time.Since(begin).Round(time.Millisecond))
	racers := make([]*racer, r.Processes)
	for i := range racers {
		racers[i] = r.start(t, place, i)
	}
	begin = time.Now()
	for first := 0; first < r.Applications; first += r.Window {
		for _, p := range racers {
			p.tell(t, first)
		}
		for _, p := range racers {
			p.hear(t)
		}
	}
	took := time.Since(begin)
	ends := make([]raced, len(racers))
	for i, p := range racers {
		ends[i] = p.end(t)
	}
	r.judge(t, store, ends, took)
}

// prepare has the applications enrolled and approved.
func (r Race) prepare(t *testing.T, store RaceStore) {
	o := NewOffice(t, store)
	o.Found(t)
	const many = 50
	for first := 0; first < r.Applications; first += many {
		n := min(many, r.Applications-first)
		enrol, approve := make([]Step, n), make([]Step, n)
		for i := range n {
			app := applicationOf(first + i)
			enrol[i], approve[i] = o.Enrol(app, app, ""), o.Approve(app)
		}
		o.Must(t, enrol...)
		o.Must(t, approve...)
	}
}

func applicationOf(n int) string { return fmt.Sprintf("A-%07d", n) }

// racer is a process of the race, as the one that holds it sees it.
type racer struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner
	said []string
}

func (r Race) start(t *testing.T, place string, n int) *racer {
	t.Helper()
	p := &racer{cmd: exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=0")}
	p.cmd.Env = append(os.Environ(), racerPlace+"="+place, fmt.Sprintf("%s=%d", racerNumber, n))
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewScanner(out)
	p.out.Buffer(nil, 64<<20)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.in.Close()
		p.cmd.Process.Kill()
		p.cmd.Wait()
	})
	p.hear(t) // that the ledger is open
	return p
}

// tell starts a window.
func (p *racer) tell(t *testing.T, first int) {
	if _, err := fmt.Fprintln(p.in, first); err != nil {
		t.Fatalf("a process of the race is gone: %v\n%q", err, p.said)
	}
}

// hear waits for the process to say that it is ready.
func (p *racer) hear(t *testing.T) raced {
	t.Helper()
	for p.out.Scan() {
		var end raced
		if json.Unmarshal(p.out.Bytes(), &end) == nil {
			return end
		}
		p.said = append(p.said, p.out.Text())
	}
	t.Fatalf("a process of the race ended: %q", p.said)
	return raced{}
}

// end lets the process end, and returns what became of its claims.
func (p *racer) end(t *testing.T) raced {
	t.Helper()
	p.in.Close()
	end := p.hear(t)
	for p.out.Scan() {
		p.said = append(p.said, p.out.Text())
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("%v: %q", err, p.said)
	}
	return end
}
