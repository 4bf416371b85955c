package issuance

import (
	"fmt"
	"strconv"
)

// stockRules are those of a batch of blank cards. An act is about a range of their
// numbers: an entry a range, not a blank. A card that is made of a blank claims it.
var stockRules = []rule{
	{
		kind: KindStock, act: Receive, from: []Phase{Absent, InStock}, to: InStock, role: []Role{StockKeeper},
		need: []string{"at", "first", "last", "count"}, extra: []string{"transport", "supplier"}, check: checks(keepsBlanks, keepsTransport),
	},
	{
		kind: KindStock, act: Move, from: []Phase{InStock}, to: InStock, role: []Role{StockKeeper},
		need: []string{"at", "to", "first", "last", "count"}, extra: []string{"shipment"}, check: keepsBlanks,
	},
	{
		kind: KindStock, act: Spoil, from: []Phase{InStock}, to: InStock, role: []Role{StockKeeper}, two: asMissing,
		need: []string{"at", "first", "last", "count", "reason"}, only: map[string][]string{"reason": spoilReasons}, check: keepsBlanks,
	},
	{
		kind: KindStock, act: Destroy, from: []Phase{InStock}, to: InStock, role: []Role{StockKeeper}, two: always,
		need: []string{"at", "first", "last", "count"}, extra: []string{"report"}, check: keepsBlanks,
	},
}

// asMissing: whoever says that blanks are missing may be the one who took them.
var asMissing = &condition{"as missing", func(fields map[string]string) bool { return fields["reason"] == "missing" }}

// keepsBlanks: the numbers are a range, and its blanks are where and what the act needs
// them to be.
func keepsBlanks(_ *Book, s *Subject, e *Entry) error {
	_, err := s.blanksAfter(e)
	return err
}

// keepsTransport: all blanks of a batch come with one key.
func keepsTransport(_ *Book, s *Subject, e *Entry) error {
	if now, ok := e.Fields["transport"]; ok && s.Phase != Absent && now != s.Fields["transport"] {
		return fmt.Errorf("%w: batch %s came with another transport key", ErrLink, e.Stream.ID)
	}
	return nil
}

// blanksAfter are the blanks of a batch after an act.
func (s *Subject) blanksAfter(e *Entry) ([]Blanks, error) {
	r, err := rangeOf(e.Fields)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrEntry, e.Act, err)
	}
	switch e.Act {
	case Receive:
		return addBlanks(s.Blanks, r)
	case Move:
		if e.Fields["to"] == r.At {
			return nil, fmt.Errorf("%w: blanks are moved to where they are", ErrEntry)
		}
		return changeBlanks(s.Blanks, r, []Act{""}, func(b *Blanks) { b.At = e.Fields["to"] })
	case Spoil:
		return changeBlanks(s.Blanks, r, []Act{""}, func(b *Blanks) { b.Fate = Spoil })
	case Destroy:
		return changeBlanks(s.Blanks, r, []Act{Spoil}, func(b *Blanks) { b.Fate = Destroy })
	}
	return s.Blanks, nil
}

// rangeOf reads which blanks an act is about.
func rangeOf(fields map[string]string) (Blanks, error) {
	var n [3]uint64
	for i, name := range []string{"first", "last", "count"} {
		var err error
		if n[i], err = strconv.ParseUint(fields[name], 10, 63); err != nil || !isNumber(fields[name]) {
			return Blanks{}, fmt.Errorf("%q is no number", name)
		}
	}
	b := Blanks{First: n[0], Last: n[1], At: fields["at"]}
	if b.First > b.Last || b.Last > MaxBlank || b.Len() != n[2] {
		return Blanks{}, fmt.Errorf("blanks %d to %d are not %d", n[0], n[1], n[2])
	}
	return b, nil
}

// isOfBatch: the blank that a card is made of is in stock where the card is made, and is
// the one that it claims.
func isOfBatch(b *Book, _ *Subject, e *Entry) error {
	batch, err := b.subject(Stock(e.Fields["batch"]))
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(e.Fields["blank"], 10, 63)
	if err != nil || n > MaxBlank || valueOf(e.Claims, ClaimBlank) != ClaimOfBlank(batch.Stream.ID, n).Value {
		return fmt.Errorf("%w: %s does not claim blank %s of batch %s", ErrEntry, e.Act, e.Fields["blank"], batch.Stream.ID)
	}
	i, found := findBlanks(batch.Blanks, n)
	if !found || !batch.Blanks[i].InStock() || batch.Blanks[i].At != e.Fields["at"] {
		return fmt.Errorf("%w: blank %d of batch %s is not in stock at %s", ErrLink, n, batch.Stream.ID, e.Fields["at"])
	}
	return nil
}

// dayRules: at each place the blanks of a batch are counted, and a day is closed when
// everything is accounted for: what was there when the last one was closed, and what came
// and went since, is what was counted. A day is never closed again, and no day before it.
var dayRules = []rule{
	{
		kind: KindDay, act: Count, from: []Phase{Absent, Closed, Counting}, to: Counting, role: []Role{StockKeeper},
		need: []string{"batch", "day", "count"}, extra: []string{"serials"}, check: isLaterDay,
	},
	{
		kind: KindDay, act: Close, from: []Phase{Absent, Closed, Counting}, to: Closed, role: []Role{StockKeeper},
		need: []string{"closed", "opening", "received", "used", "spoiled", "moved", "closing"}, extra: []string{"size", "tree", "report"},
		check: checks(isLaterDay, addsUp),
	},
}

// isLaterDay: the days of a place are closed in their order.
func isLaterDay(_ *Book, s *Subject, e *Entry) error {
	day := e.Fields["closed"]
	if e.Act == Count {
		day = e.Fields["day"]
	}
	if last := s.Fields["closed"]; last != "" && day <= last {
		return fmt.Errorf("%w: day %s of %s is closed already", ErrLink, last, e.Stream.ID)
	}
	return nil
}

// addsUp: the sum of a day has no gap, and begins with what the day before ended with.
func addsUp(_ *Book, s *Subject, e *Entry) error {
	n := map[string]uint64{}
	for _, name := range []string{"opening", "received", "used", "spoiled", "moved", "closing"} {
		var err error
		if n[name], err = strconv.ParseUint(e.Fields[name], 10, 60); err != nil || !isNumber(e.Fields[name]) {
			return fmt.Errorf("%w: %s: %q is no number", ErrEntry, e.Act, name)
		}
	}
	before := "0"
	if s.Fields["closing"] != "" {
		before = s.Fields["closing"]
	}
	if e.Fields["opening"] != before {
		return fmt.Errorf("%w: the day before ended with %s blanks at %s, this one begins with %s", ErrGap, before, e.Stream.ID, e.Fields["opening"])
	}
	if in, out := n["opening"]+n["received"], n["used"]+n["spoiled"]+n["moved"]+n["closing"]; in != out {
		return fmt.Errorf("%w: %d blanks were at %s, %d are accounted for", ErrGap, in, e.Stream.ID, out)
	}
	return nil
}
