package ledger

import (
	"strconv"

	"github.com/tamthe/tamthe/issuance"
)

// Tables compares the store's tables with what the log says. Ask for it after the last row.
func (a *Audit) Tables() {
	a.judge()
	a.book.Forget(a.stands)
	table := func(kind recordKind) func(Taken) error {
		return func(t Taken) error {
			return a.spool.add(record{
				kind: kind, key: a.spool.hash(string(t.Claim.Kind), t.Claim.Value),
				value: a.spool.word(t.Stream.String()), index: t.Index,
			})
		}
	}
	for _, err := range []error{
		a.source.EachStream(a.ctx, func(s Stands) error {
			return a.spool.add(record{
				kind: tableStream, key: a.spool.hash(s.Stream.String()), index: int64(s.Seq),
				value: a.spool.word(string(s.Phase), strconv.FormatUint(s.Seq, 10), string(s.Last)),
			})
		}),
		a.source.EachClaim(a.ctx, table(tableClaim)),
		a.source.EachHold(a.ctx, table(tableHold)),
		a.places(),
	} {
		if err != nil {
			a.failed(err)
			return
		}
	}
	odd := &odd{streams: map[[16]byte]bool{}, claims: map[[16]byte]string{}, holds: map[[16]byte]string{}, places: map[[16]byte]bool{}}
	if err := a.spool.each(func(list []record) error { a.settle(list, odd); return nil }); err != nil {
		a.failed(err)
	}
	a.name(odd)
}

// odd are the keys of rows that the log does not bear out; the tables are read again for
// their names.
type odd struct {
	streams       map[[16]byte]bool
	claims, holds map[[16]byte]string // what is wrong
	places        map[[16]byte]bool
}

// place is who has a claim since when.
type place struct {
	stream uint64
	index  int64
}

// settle replays what the log says of claims, holds and streams and takes off what the
// tables say: nothing may be left.
func (a *Audit) settle(list []record, odd *odd) {
	claims, holds, streams, places := map[[16]byte]place{}, map[[16]byte]place{}, map[[16]byte]record{}, map[[16]byte]place{}
	for _, r := range list {
		switch r.kind {
		case logClaim:
			a.taking(claims, r)
		case logHold:
			a.taking(holds, r)
		case logRelease:
			delete(holds, r.key)
		case logStream:
			streams[r.key] = r
		case tableClaim:
			a.tabled(claims, r, "claim", odd.claims)
		case tableHold:
			a.tabled(holds, r, "hold", odd.holds)
		case tableStream:
			if streams[r.key].value != r.value {
				odd.streams[r.key] = true
			}
			delete(streams, r.key)
		case logPlace:
			places[r.key] = place{r.value, r.index}
		case tablePlace:
			if places[r.key] != (place{r.value, r.index}) {
				odd.places[r.key] = true
			}
			delete(places, r.key)
		}
	}
	for key, p := range claims {
		a.lacks(key, p, "claim")
	}
	for key, p := range holds {
		a.lacks(key, p, "hold")
	}
	for key := range streams {
		odd.streams[key] = false
	}
	for _, p := range places {
		a.lacksPlace(p)
	}
}

// taking notes who has a claim now, if nobody has it.
func (a *Audit) taking(taken map[[16]byte]place, r record) {
	before, ok := taken[r.key]
	if !ok {
		taken[r.key] = place{r.value, r.index}
		return
	}
	e, c := a.claim(r.index, r.key)
	first, _ := a.claim(before.index, r.key)
	a.Find(Duplicate, r.index, e.Stream, "%s is taken by %s since entry %d", c.Kind, first.Stream, before.index)
}

// tabled takes a row of a table off.
func (a *Audit) tabled(taken map[[16]byte]place, r record, what string, odd map[[16]byte]string) {
	want, ok := taken[r.key]
	switch {
	case !ok:
		odd[r.key] = "the table has a " + what + " that the log has not"
	case want != place{r.value, r.index}:
		e, c := a.claim(want.index, r.key)
		a.Find(ClaimsChanged, want.index, e.Stream, "the table gives its %s of %s to another", what, c.Kind)
	}
	delete(taken, r.key)
}

func (a *Audit) lacks(key [16]byte, p place, what string) {
	e, c := a.claim(p.index, key)
	a.Find(ClaimsChanged, p.index, e.Stream, "the table lacks its %s of %s", what, c.Kind)
}

// claim finds the entry and the claim of a key.
func (a *Audit) claim(index int64, key [16]byte) (issuance.Entry, issuance.Claim) {
	e, err := a.source.Entry(a.ctx, index)
	if err != nil {
		a.failed(err)
		return e, issuance.Claim{}
	}
	for _, list := range [][]issuance.Claim{e.Claims, e.Hold} {
		for _, c := range list {
			if a.spool.hash(string(c.Kind), c.Value) == key {
				return e, c
			}
		}
	}
	return e, issuance.Claim{}
}

// name reads the tables again where there are rows that the log does not bear out.
func (a *Audit) name(odd *odd) {
	for _, t := range []struct {
		keys map[[16]byte]string
		each func(func(Taken) error) error
	}{
		{odd.claims, func(f func(Taken) error) error { return a.source.EachClaim(a.ctx, f) }},
		{odd.holds, func(f func(Taken) error) error { return a.source.EachHold(a.ctx, f) }},
	} {
		if len(t.keys) == 0 {
			continue
		}
		err := t.each(func(row Taken) error {
			if why, ok := t.keys[a.spool.hash(string(row.Claim.Kind), row.Claim.Value)]; ok {
				a.Find(ClaimsChanged, row.Index, row.Stream, "%s, of %s", why, row.Claim.Kind)
			}
			return nil
		})
		if err != nil {
			a.failed(err)
		}
	}
	if len(odd.streams) > 0 {
		a.nameStreams(odd.streams)
	}
	if len(odd.places) > 0 {
		a.namePlaces(odd.places)
	}
}

// nameStreams names the streams whose rows differ (true) and those that have none (false).
func (a *Audit) nameStreams(keys map[[16]byte]bool) {
	err := a.source.EachStream(a.ctx, func(s Stands) error {
		key := a.spool.hash(s.Stream.String())
		if _, ok := keys[key]; ok {
			a.Find(StreamsChanged, -1, s.Stream, "the table says %s after entry %d, the log does not", s.Phase, s.Seq)
			delete(keys, key)
		}
		return nil
	})
	if err != nil {
		a.failed(err)
	}
	for key := range keys {
		s, err := a.source.StreamOf(a.ctx, func(s issuance.StreamID) bool { return a.spool.hash(s.String()) == key })
		if err != nil {
			a.failed(err)
		}
		a.Find(StreamsChanged, -1, s, "the table does not list it")
	}
}
