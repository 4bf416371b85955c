package monitor

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tamthe/tamthe/issuance"
)

// sum is what became of the blanks of a place since ever.
type sum struct {
	Received, Used, Spoiled, Moved uint64
	Book                           uint64 // how many should be there
}

// placeFacts is what a log says of a place with blanks. All blanks of a place, of whatever
// batch, are one number: a day is closed over all of them.
type placeFacts struct {
	Now     sum
	Batches map[string]uint64 // how many of a batch should be there
	Counts  map[string]count  // that did not agree, by batch
	Closed  sum               // what the closings told, added up; Book is the last
	Open    time.Time         // since when something was done that no day was closed for
	OpenAt  int64

	// Recent are the sums since the last act of the place's days. A closing was computed
	// at one of them: another desk's card may come between the sum and its record.
	Recent []moment
}

// moment is a sum and when it ended.
type moment struct {
	Sum   sum
	Until time.Time
}

// count is a count of a batch that was not what the book says.
type count struct {
	Index        int64
	Book, Number uint64
	Time         time.Time
}

// So many acts, and so much time, may come between a day's sum and its record.
const (
	mostRecent = 256
	summing    = 10 * time.Minute
)

func (f *facts) place(name string) *placeFacts {
	p := f.Places[name]
	if p == nil {
		p = &placeFacts{}
		f.Places[name] = p
	}
	p.Batches, p.Counts = orNew(p.Batches), orNew(p.Counts)
	return p
}

// moved notes that the sum of a place changed.
func (p *placeFacts) moved(index int64, at time.Time, batch string, change func(*sum), book int64) {
	p.Recent = append(p.Recent[max(0, len(p.Recent)+1-mostRecent):], moment{p.Now, at})
	change(&p.Now)
	p.Now.Book += uint64(book) // in two's complement
	p.Batches[batch] += uint64(book)
	if p.Open.IsZero() {
		p.Open, p.OpenAt = at, index
	}
}

func number(field string) uint64 {
	n, _ := strconv.ParseUint(field, 10, 63)
	return n
}

// use takes in that a card is made of a blank.
func (f *facts) use(index int64, e *issuance.Entry, leaf []byte) error {
	batch, n, at := e.Fields["batch"], number(e.Fields["blank"]), e.Fields["at"]
	used, err := f.tx.UseBlank(f.origin, batch, n)
	if err != nil {
		return err
	}
	blanks := f.blanks(batch)
	i := slices.IndexFunc(blanks, func(b issuance.Blanks) bool { return b.First <= n && n <= b.Last })
	subject := fmt.Sprintf("%s %d", batch, n)
	switch {
	case used:
		f.alarm(newAlarm(BlankUsed, f.origin, index, subject, "%s is made of blank %d of batch %s, as another card was", e.Stream, n, batch).with(File{"leaf", leaf}))
		return nil
	case i < 0 || !blanks[i].InStock() || blanks[i].At != at:
		f.alarm(newAlarm(BlankUsed, f.origin, index, subject, "%s is made of blank %d of batch %s, which is not in stock at %s", e.Stream, n, batch, at).with(File{"leaf", leaf}))
		return nil
	}
	f.place(at).moved(index, e.Time, batch, func(s *sum) { s.Used++ }, -1)
	return nil
}

func (f *facts) blanks(batch string) []issuance.Blanks { return f.stock.Blanks(batch) }

// batch takes in an act on blanks.
func (f *facts) batch(index int64, e *issuance.Entry, leaf []byte) error {
	f.stock.Record(*e, issuance.LeafHash(leaf))
	if err := f.tx.AddStock(f.origin, index, leaf); err != nil {
		return err
	}
	batch, n, at := e.Stream.ID, number(e.Fields["count"]), e.Fields["at"]
	var used uint64
	if e.Act == issuance.Move || e.Act == issuance.Spoil {
		var err error
		if used, err = f.tx.Used(f.origin, batch, number(e.Fields["first"]), number(e.Fields["last"])); err != nil {
			return err
		}
	}
	switch e.Act {
	case issuance.Receive:
		f.place(at).moved(index, e.Time, batch, func(s *sum) { s.Received += n }, int64(n))
	case issuance.Move: // the blanks that were used go along
		f.place(at).moved(index, e.Time, batch, func(s *sum) { s.Moved += n; s.Used -= used }, -int64(n-used))
		f.place(e.Fields["to"]).moved(index, e.Time, batch, func(s *sum) { s.Received += n; s.Used += used }, int64(n-used))
	case issuance.Spoil:
		f.place(at).moved(index, e.Time, batch, func(s *sum) { s.Spoiled += n; s.Used -= used }, -int64(n-used))
		if r := e.Fields["reason"]; r == "missing" || r == "lost-in-transit" {
			f.alarm(newAlarm(StockGap, f.origin, index, fmt.Sprintf("%s %s-%s", batch, e.Fields["first"], e.Fields["last"]),
				"%d blanks of batch %s at %s were written off: %s", n, batch, at, r).with(File{"leaf", leaf}))
		}
	}
	return nil
}

// day takes in a count, or holds a closing against what the entries say.
func (f *facts) day(index int64, e *issuance.Entry, leaf []byte) {
	p := f.place(e.Stream.ID)
	switch e.Act {
	case issuance.Count:
		batch, n := e.Fields["batch"], number(e.Fields["count"])
		delete(p.Counts, batch)
		if book := p.Batches[batch]; n != book {
			p.Counts[batch] = count{index, book, n, e.Time}
		}
	case issuance.Close:
		f.closing(index, e, leaf, p)
		p.Counts, p.Open = map[string]count{}, time.Time{}
	}
	p.Recent = nil
}

// closing: what was added since the last closing is what the entries say, as of some moment
// since the act of the day before this one.
func (f *facts) closing(index int64, e *issuance.Entry, leaf []byte, p *placeFacts) {
	said := sum{
		p.Closed.Received + number(e.Fields["received"]), p.Closed.Used + number(e.Fields["used"]),
		p.Closed.Spoiled + number(e.Fields["spoiled"]), p.Closed.Moved + number(e.Fields["moved"]), number(e.Fields["closing"]),
	}
	lately := func(m moment) bool { return m.Sum == said && e.Time.Sub(m.Until) <= summing }
	if said != p.Now && !slices.ContainsFunc(p.Recent, lately) {
		f.alarm(newAlarm(StockGap, f.origin, index, e.Stream.ID+" "+e.Fields["closed"],
			"%s closed %s with %d blanks, %d should be there", e.Stream.ID, e.Fields["closed"], said.Book, p.Now.Book).with(File{"leaf", leaf}))
	}
	p.Closed = said
}

// uncounted finds counts that nobody corrected, and places that did not close their days.
func (f *facts) uncounted(now time.Time, within time.Duration) {
	if within <= 0 {
		return
	}
	for _, name := range sortedKeys(f.Places) {
		p := f.Places[name]
		for _, batch := range sortedKeys(p.Counts) {
			if c := p.Counts[batch]; now.Sub(c.Time) > within {
				f.alarm(newAlarm(StockGap, f.origin, c.Index, fmt.Sprintf("%s %s %d", name, batch, c.Index),
					"%d blanks of batch %s were counted at %s, %d should be there", c.Number, batch, name, c.Book))
			}
		}
		if !p.Open.IsZero() && now.Sub(p.Open) > within {
			f.alarm(newAlarm(DayOpen, f.origin, p.OpenAt, fmt.Sprintf("%s %d", name, p.OpenAt),
				"%s has not closed a day since %s", name, p.Open.Format(time.DateOnly)))
		}
	}
}
