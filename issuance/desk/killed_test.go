package desk

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
)

// point is where a desk kills itself: at the n-th of a kind of moments. The zero point is
// nowhere.
type point struct {
	kind string
	n    int
}

// The kinds of moments.
const (
	beforeCommand = "before the command"
	beforeAnswer  = "before its answer"
	beforeRecord  = "before the record"
	afterRecord   = "after the record"
	beforeWrite   = "before the chip's write"
	inWrite       = "in the chip's write"
)

func (p point) String() string { return fmt.Sprintf("%s:%d", p.kind, p.n) }

func parsePoint(t *testing.T, s string) point {
	t.Helper()
	if s == "" {
		return point{}
	}
	kind, n, _ := strings.Cut(s, ":")
	return point{kind, must(strconv.Atoi(n))(t)}
}

// is says whether this is the moment.
func (p point) is(kind string, n int) bool { return p.kind == kind && p.n == n }

// die ends this process as kill -9 does.
func die() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		p.Kill()
	}
	select {}
}

// arm has the desk of this process die at the point.
func (p point) arm(r *rig, s *slot) *Office {
	torn := false
	s.chip.OnWrite(func(n int) bool {
		if p.is(beforeWrite, n) {
			die()
		}
		torn = torn || p.is(inWrite, n)
		return !torn
	})
	s.exchange = func(ctx context.Context, n int, b []byte) ([]byte, error) {
		if p.is(beforeCommand, n) {
			die()
		}
		a, err := s.chip.Exchange(ctx, b)
		if torn || p.is(beforeAnswer, n) {
			die()
		}
		return a, err
	}
	return r.through(&dying{Store: r.store, p: p})
}

// dying is a ledger at one of whose records the process ends.
type dying struct {
	Store
	p point
	n int
}

func (d *dying) Append(ctx context.Context, at issuance.Head, e ...issuance.Entry) error {
	d.n++
	if d.p.is(beforeRecord, d.n) {
		die()
	}
	err := d.Store.Append(ctx, at, e...)
	if d.p.is(afterRecord, d.n) {
		die()
	}
	return err
}

// TestKilledAtEveryPoint (F1, F2) kills the process of the desk, with ledger and chip in
// files, before and after every record of the journal, at every command and in every write
// to the chip's memory: the next desk makes the card, exactly once.
func TestKilledAtEveryPoint(t *testing.T) {
	t.Parallel()
	stride, least := 12, 35
	if testing.Short() {
		stride, least = 40, 20
	}
	if soak() {
		stride, least = 1, 250
	}
	a := &tally{}
	t.Run("killed", func(t *testing.T) {
		for kind, stride := range map[string]int{
			beforeCommand: stride, beforeAnswer: stride, beforeRecord: 1, afterRecord: 1,
			beforeWrite: (stride + 3) / 4, inWrite: (stride + 3) / 4,
		} {
			t.Run(kind, func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				for n := 1; r.killedAt(t, a, point{kind, n}); n += stride {
				}
				r.sound(t)
			})
		}
	})
	a.settled(t, least)
}

// killedAt has a desk make a card and die at a point, and another one go on. It says whether
// the point came.
func (r *rig) killedAt(t *testing.T, a *tally, p point) bool {
	t.Helper()
	e := enrolment(int(r.size(t)))
	app := r.approved(t, e)
	check(t, must(virtual.Create(r.path(app+".chip"), virtual.Config{}))(t).Close())
	card := r.desk(t, app, 0, p.String())
	c := must(virtual.Load(r.path(app + ".chip")))(t)
	defer c.Close()
	happened := card == ""
	if happened {
		a.add(&a.points)
		r.expire(t)
		r.unusable(t, a, c, e)
		var err error
		if card, err = r.an.Personalise(t.Context(), app, insert(c), r.plan()); err != nil {
			a.add(&a.stuck)
			t.Fatalf("%v: resume: %v", p, err)
		}
	}
	r.count(t, a, app, card, []*virtual.Chip{c})
	r.issuedOnce(t, app, card, c)
	return happened && !t.Failed()
}
