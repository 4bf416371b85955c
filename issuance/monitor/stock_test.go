package monitor_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/monitor"
)

// shelf is a place with blanks, and what the office's own desk would say of them.
type shelf struct {
	r              *rig
	at             string
	received, used uint64
	spoiled, moved uint64
	closed         [4]uint64
	closing        uint64
	books          map[string]uint64
	day            time.Time
	next           map[string]uint64 // blank of a batch
	cards          int
}

func newShelf(r *rig, at string) *shelf {
	return &shelf{r: r, at: at, books: map[string]uint64{}, next: map[string]uint64{}, day: r.office.Pass(0)}
}

func (s *shelf) step(batch string, act issuance.Act, first, n uint64, more map[string]string) ledgertest.Step {
	fields := map[string]string{"at": s.at, "first": fmt.Sprint(first), "last": fmt.Sprint(first + n - 1), "count": fmt.Sprint(n)}
	for k, v := range more {
		fields[k] = v
	}
	step := ledgertest.Step{Stream: issuance.Stock(batch), Act: act, By: s.r.office.Keeper, Fields: fields}
	if more["reason"] == "missing" {
		step.Second = &s.r.office.KeeperMate
	}
	return step
}

// receive takes in blanks of a batch, from number 1 on.
func (s *shelf) receive(t testing.TB, batch string, n uint64) {
	s.r.office.Must(t, s.step(batch, issuance.Receive, 1, n, nil))
	s.books[batch], s.received, s.next[batch] = n, s.received+n, 1
}

func (s *shelf) spoil(t testing.TB, batch, reason string, n uint64) {
	s.r.office.Must(t, s.step(batch, issuance.Spoil, s.next[batch], n, map[string]string{"reason": reason}))
	s.books[batch], s.spoiled, s.next[batch] = s.books[batch]-n, s.spoiled+n, s.next[batch]+n
}

// move sends blanks away, and some along of which cards were made.
func (s *shelf) move(t testing.TB, batch string, n uint64) {
	first := s.next[batch]
	s.r.office.Must(t, s.step(batch, issuance.Move, first, n, map[string]string{"to": "elsewhere"}))
	s.books[batch], s.moved, s.next[batch] = s.books[batch]-n, s.moved+n, first+n
}

// use begins a card of the next blank.
func (s *shelf) use(t testing.TB, batch string) {
	s.cards++
	app, card := fmt.Sprint("A-s", s.cards), fmt.Sprint("C-s", s.cards)
	o := s.r.office
	o.Must(t, o.Enrol(app, "of-"+card, ""))
	o.Must(t, o.Approve(app))
	steps := o.Begin(app, card)
	n := s.next[batch]
	steps[1].Fields["batch"], steps[1].Fields["blank"], steps[1].Fields["at"] = batch, fmt.Sprint(n), s.at
	steps[1].Claims[1] = issuance.ClaimOfBlank(batch, n)
	o.Must(t, steps...)
	s.books[batch], s.used, s.next[batch] = s.books[batch]-1, s.used+1, n+1
}

func (s *shelf) count(t testing.TB, batch string, n uint64) {
	s.r.office.Must(t, ledgertest.Step{
		Stream: issuance.Days(s.at), Act: issuance.Count, By: s.r.office.Keeper,
		Fields: map[string]string{"batch": batch, "day": s.day.Format(time.DateOnly), "count": fmt.Sprint(n)},
	})
}

// sum is what a desk closes the day with.
func (s *shelf) sum() map[string]string {
	now := [4]uint64{s.received, s.used, s.spoiled, s.moved}
	fields := map[string]string{"opening": fmt.Sprint(s.closing), "closed": s.day.Format(time.DateOnly)}
	for i, name := range []string{"received", "used", "spoiled", "moved"} {
		fields[name] = fmt.Sprint(now[i] - s.closed[i])
	}
	var book uint64
	for _, n := range s.books {
		book += n
	}
	fields["closing"] = fmt.Sprint(book)
	s.closed, s.closing = now, book
	return fields
}

func (s *shelf) close(t testing.TB, sum map[string]string) {
	s.r.office.Must(t, ledgertest.Step{Stream: issuance.Days(s.at), Act: issuance.Close, By: s.r.office.Keeper, Fields: sum})
	s.day = s.day.AddDate(0, 0, 1)
}

// closeDay counts all and closes.
func (s *shelf) closeDay(t testing.TB) {
	for batch, n := range s.books {
		s.count(t, batch, n)
	}
	s.close(t, s.sum())
}

func (s *shelf) publish(t testing.TB) {
	s.r.export(t)
	s.r.now = s.r.office.Pass(time.Second)
}

func stocked(t *testing.T) (*rig, *shelf) {
	r := newRig(t)
	r.o.Unclosed = 72 * time.Hour
	r.start()
	s := newShelf(r, "there")
	s.receive(t, "B-2", 100)
	for range 3 {
		s.use(t, "B-2")
	}
	s.spoil(t, "B-2", "torn", 2)
	s.use(t, "B-2")
	s.move(t, "B-2", 10)
	s.closeDay(t)
	s.publish(t)
	r.quiet(t)
	return r, s
}

// TestForgedDay: a day is closed with a sum that adds up and is not what the entries say: a
// blank was spoiled of which no entry says so; a card of today is left for tomorrow.
func TestForgedDay(t *testing.T) {
	for _, left := range []bool{false, true} {
		r, s := stocked(t)
		sum := s.sum()
		if left {
			s.use(t, "B-2")
			r.office.Pass(time.Hour)
		} else {
			spoiled, _ := strconv.Atoi(sum["spoiled"])
			closing, _ := strconv.Atoi(sum["closing"])
			sum["spoiled"], sum["closing"] = strconv.Itoa(spoiled+1), strconv.Itoa(closing-1)
		}
		s.close(t, sum)
		s.publish(t)
		r.alarms(t, monitor.StockGap)
	}
}

// TestMiscount: a count that is wrong is alarmed about if nobody counts again.
func TestMiscount(t *testing.T) {
	r, s := stocked(t)
	s.count(t, "B-2", 5)
	s.publish(t)
	r.quiet(t)
	s.closeDay(t) // counted again
	s.publish(t)
	r.quiet(t)
	s.count(t, "B-2", 5)
	s.publish(t)
	r.now = r.office.Pass(73 * time.Hour)
	r.alarms(t, monitor.StockGap, monitor.DayOpen) // the other place never closed one
}

// TestWrittenOff: blanks are missing, and two persons say so.
func TestWrittenOff(t *testing.T) {
	r, s := stocked(t)
	s.spoil(t, "B-2", "missing", 7)
	s.closeDay(t)
	s.publish(t)
	r.alarms(t, monitor.StockGap)
}

// TestDayOpen: a place goes on and closes no day.
func TestDayOpen(t *testing.T) {
	r, s := stocked(t)
	r.o.Unclosed = 0
	r.start()
	r.now = r.office.Pass(80 * time.Hour)
	r.quiet(t)
	r.o.Unclosed = 72 * time.Hour
	r.start()
	if a := r.alarms(t, monitor.DayOpen); len(a) != 2 { // where the office founded its stock, and where some were moved
		t.Error(a)
	}
	s.use(t, "B-2")
	s.publish(t)
	r.quiet(t)
	r.now = r.office.Pass(73 * time.Hour)
	if a := r.alarms(t, monitor.DayOpen); len(a) != 1 || a[0].Subject[:5] != "there" {
		t.Error(a)
	}
	s.closeDay(t)
	s.publish(t)
	r.quiet(t)
}

// TestBlankUsed: the log says that two cards were made of one blank, and one of a blank that
// nobody received. The rules would not let it: the log is forged.
func TestBlankUsed(t *testing.T) {
	r, s := stocked(t)
	f := r.copied(t)
	for i, blank := range []uint64{1, 5000} {
		f.leaves = append(f.leaves, leaf(t, r, issuance.Card(fmt.Sprint("C-f", i)), issuance.Allocate,
			map[string]string{"application": "A-x", "plan": ledgertest.Digest("x"), "batch": "B-2", "blank": fmt.Sprint(blank), "at": s.at}))
	}
	f.hash(t)
	r.anew(t, f)
	if a := r.alarms(t, monitor.BlankUsed); len(a) != 2 {
		t.Error(a)
	}
}

// TestSumBeforeCard: another desk's card comes between a day's sum and its record.
func TestSumBeforeCard(t *testing.T) {
	r, s := stocked(t)
	for restart := range 2 {
		s.use(t, "B-2")
		s.count(t, "B-2", s.books["B-2"])
		sum := s.sum()
		s.use(t, "B-2")
		if restart == 1 {
			s.publish(t)
			r.quiet(t)
			r.start()
		}
		s.close(t, sum)
		s.publish(t)
		r.quiet(t)
		s.closeDay(t)
		s.publish(t)
		r.quiet(t)
	}
}
