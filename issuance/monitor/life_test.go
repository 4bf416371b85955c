package monitor_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/monitor"
)

// TestHonestLife: an office works for months, at random: nothing that it does is an alarm,
// however seldom its log is published and the monitor looks, and whenever that is begun anew.
// TAMTHE_SOAK is how many times as long it goes on.
func TestHonestLife(t *testing.T) {
	turns := 150
	if n, err := strconv.Atoi(os.Getenv("TAMTHE_SOAK")); err == nil && n > 0 {
		turns *= n
	}
	for _, seed := range []uint64{1, 2} {
		l := newLife(t, seed)
		for range turns {
			l.turn(t)
		}
		l.r.export(t)
		l.look(t)
		k, err := known(t, l.r)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("seed %d: %d entries, %d looks, %d cards seen, %d days closed, until %s", seed, k.Size, l.looks, l.seen, l.days, l.r.now.Format(time.DateOnly))
	}
}

// life is an office at random work.
type life struct {
	r      *rig
	a      *authority
	s      *signer
	shelf  *shelf
	rng    *rand.Rand
	closed time.Time
	listed time.Time

	revoked []*signer

	looks, seen, days int
}

func newLife(t *testing.T, seed uint64) *life {
	t.Helper()
	l := &life{rng: rand.New(rand.NewPCG(seed, 0))}
	l.r, l.a, l.s = signed(t)
	l.r.o.Unclosed, l.r.o.Silence, l.r.o.Reread = 0, 10*day, 500
	l.r.o.Sources = append(l.r.o.Sources, monitor.Store("database", l.r.ledger))
	l.r.o.Also = []string{l.r.path("also")}
	put(t, l.r.path("also/none"), firstNote(t, l.r))
	l.r.start()
	l.shelf = newShelf(l.r, "there")
	l.shelf.receive(t, "B-2", 100_000)
	l.closed, l.listed = l.r.office.Pass(0), l.r.office.Pass(0)
	return l
}

func firstNote(t *testing.T, r *rig) []byte {
	t.Helper()
	c, err := r.ledger.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c.Note
}

// turn does something.
func (l *life) turn(t *testing.T) {
	t.Helper()
	r, s := l.r, l.shelf
	switch l.rng.IntN(12) {
	case 0, 1, 2:
		raw := l.a.card(t, l.s, l.s.name)
		if l.rng.IntN(2) == 0 { // it is seen at once, before it is published
			l.seen++
			put(t, r.path(fmt.Sprint("seen/", l.seen)), raw)
		}
	case 3:
		for range 1 + l.rng.IntN(4) {
			s.use(t, "B-2")
		}
	case 4:
		s.spoil(t, "B-2", "torn", 1+l.rng.Uint64N(3))
	case 5:
		s.move(t, "B-2", 1+l.rng.Uint64N(10))
	case 6:
		sum := s.sum()
		if l.rng.IntN(2) == 0 {
			s.use(t, "B-2")
		}
		s.close(t, sum)
		l.days++
	case 7: // a checkpoint that somebody is shown
		put(t, r.path(fmt.Sprint("also/", l.looks)), firstNote(t, r))
	case 8:
		r.office.Must(t, r.office.Enrol(fmt.Sprint("A-open", r.office.Pass(0).Unix()), fmt.Sprint("open", r.office.Pass(0).Unix()), ""))
	case 9, 10:
		r.export(t)
	case 11:
		l.look(t)
	}
	r.office.Pass(time.Duration(l.rng.Int64N(8*3600)) * time.Second)
	if r.office.Pass(0).Sub(l.listed) > 60*day {
		l.list(t)
	}
	if until := l.s.issuer.Certificate.PrivateKeyUsage; until != nil && r.office.Pass(0).AddDate(0, 0, 10).After(until.NotAfter) || l.rng.IntN(60) == 0 {
		l.succeed(t)
	}
}

// list publishes the next revocation list.
func (l *life) list(t *testing.T) {
	t.Helper()
	put(t, l.r.path("pki/csca.crl"), l.a.crl(t, 90, true, l.revoked...))
	l.listed = l.r.office.Pass(0)
	l.r.export(t)
}

// succeed begins a document signer, and revokes the one before.
func (l *life) succeed(t *testing.T) {
	t.Helper()
	before := l.s
	l.s = l.a.signer(t, fmt.Sprint("ds-", 200+len(l.revoked)), true)
	for _, s := range []*signer{before, l.s} {
		put(t, l.r.path("pki/"+s.name+".cer"), s.issuer.Certificate.Raw)
	}
	l.a.revoke(t, before.name)
	l.revoked = append(l.revoked, before)
	l.list(t)
}

// look has the monitor look, sometimes begun anew.
func (l *life) look(t *testing.T) {
	t.Helper()
	l.looks++
	if l.rng.IntN(3) == 0 {
		l.r.start()
	}
	l.r.now = l.r.office.Pass(time.Duration(l.rng.Int64N(60)) * time.Second)
	l.r.quiet(t)
}
