package perso

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/virtual"
)

// An accident happens to one run.
type accident func(r *rig, p *pull)

// recover repeats the run until it succeeds and checks the outcome. It reports whether
// the accident happened at all.
func (r *rig) suffer(t *testing.T, accidents ...accident) (happened bool) {
	t.Helper()
	for _, a := range accidents {
		p := &pull{}
		a(r, p)
		err := r.run(t, p)
		r.chip.OnWrite(nil)
		r.journal.n, r.journal.crash = 0, 0
		if err == nil {
			return happened
		}
		happened = true
		if !errors.Is(err, apdu.ErrRemoved) && !errors.Is(err, errCrash) {
			t.Errorf("accident: %v", err)
		}
	}
	if err := r.run(t, &pull{}); err != nil {
		t.Errorf("resume: %v", err)
		return happened
	}
	r.issuedOnce(t)
	return happened
}

func removal(at int, after bool) accident {
	return func(_ *rig, p *pull) { p.at, p.after = at, after }
}

func tear(at int) accident {
	return func(r *rig, _ *pull) { r.chip.OnWrite(func(n int) bool { return n < at }) }
}

func crash(at int, after bool) accident {
	return func(r *rig, _ *pull) { r.journal.crash, r.journal.after = at, after }
}

// enumerate has each accident of a kind happen to a fresh chip, until one comes too late.
// step is the distance from one to the next.
func enumerate(t *testing.T, step int, fresh func(*testing.T) *rig, kind func(n int) accident) int {
	t.Helper()
	for n := 1; ; n += step {
		happened := false
		t.Run(fmt.Sprint(n), func(t *testing.T) { happened = fresh(t).suffer(t, kind(n)) })
		if t.Failed() {
			t.Fatalf("at %d", n)
		}
		if !happened {
			return (n - 1) / step
		}
	}
}

// TestEveryAccident removes the card at every command, before it and after it, tears every
// write to the chip's memory, and ends the process before and after every record: each
// time the next run must issue the card, once.
func TestEveryAccident(t *testing.T) {
	total := 0
	for _, k := range []struct {
		name string
		kind func(n int) accident
	}{
		{"removed before command", func(n int) accident { return removal(n, false) }},
		{"answer lost", func(n int) accident { return removal(n, true) }},
		{"torn write", tear},
		{"crash before record", func(n int) accident { return crash(n, false) }},
		{"crash after record", func(n int) accident { return crash(n, true) }},
	} {
		t.Run(k.name, func(t *testing.T) {
			n := enumerate(t, 1, func(*testing.T) *rig { return newRig() }, k.kind)
			if n < 5 {
				t.Errorf("only %d", n)
			}
			t.Logf("%s: %d points", k.name, n)
			total += n
		})
	}
	t.Logf("%d points", total)
}

// stride is how far the enumerations of the same thing in other surroundings step: through
// every point with TAMTHE_SOAK=1.
func stride() int {
	if os.Getenv("TAMTHE_SOAK") == "1" {
		return 1
	}
	return 5
}

// TestRowsOfAccidents has several accidents in a row happen to one card.
func TestRowsOfAccidents(t *testing.T) {
	random := rand.New(rand.NewPCG(9303, 11))
	rounds := 150
	if testing.Short() {
		rounds = 20
	}
	for i := range rounds {
		var row []accident
		for range 2 + random.IntN(4) {
			switch random.IntN(4) {
			case 0:
				row = append(row, tear(1+random.IntN(40)))
			case 1:
				row = append(row, crash(1+random.IntN(9), random.IntN(2) == 0))
			default:
				row = append(row, removal(1+random.IntN(120), random.IntN(2) == 0))
			}
		}
		if newRig().suffer(t, row...); t.Failed() {
			t.Fatalf("row %d", i)
		}
	}
}

// TestAccidentsOfAChipInAFile tears writes of a chip whose memory is a file, and takes it
// up again from the file, as after kill -9.
func TestAccidentsOfAChipInAFile(t *testing.T) {
	for _, n := range []int{1, 2, 3, 5, 8, 13, 21, 28} {
		path := t.TempDir() + "/chip"
		c, err := virtual.Create(path, virtual.Config{})
		if err != nil {
			t.Fatal(err)
		}
		r := newRig()
		r.chip = c
		c.OnWrite(func(i int) bool { return i < n })
		if err := r.run(t, &pull{}); !errors.Is(err, apdu.ErrRemoved) {
			t.Fatalf("write %d: %v", n, err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if r.chip, err = virtual.Load(path); err != nil {
			t.Fatal(err)
		}
		if err := r.run(t, &pull{}); err != nil {
			t.Fatalf("write %d: resume: %v", n, err)
		}
		r.issuedOnce(t)
		r.chip.Close()
	}
}
