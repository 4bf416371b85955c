package monitor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify/receipt"
)

// take holds a checkpoint that a source shows against what is known, and reads on.
func (m *Monitor) take(ctx context.Context, s Source, c *receipt.Checkpoint, r *Round) error {
	known, err := m.offered(ctx, s, c, r)
	if err != nil {
		return err
	}
	if c.Size > known.Size {
		var raised []Alarm
		err := m.within(ctx, c.Size-known.Size, func(ctx context.Context) error {
			return m.o.State.Change(ctx, func(tx Tx) (err error) {
				raised, err = m.grow(ctx, tx, s, c)
				return err
			})
		})
		if err != nil {
			return m.ungiven(ctx, s, c, m.contradicted(ctx, s, c, err))
		}
		r.Raised = append(r.Raised, raised...)
	}
	if m.o.Cosign != nil { // what was published of older entries is another matter
		r.fails(m.cosign(ctx, c))
	}
	old := min(c.Size, known.Size)
	return m.within(ctx, min(old, m.o.Reread), func(ctx context.Context) error { return m.reread(ctx, s, c, old) })
}

// offered notes that a source shows a checkpoint, be its entries given or not, and holds it
// against what it showed before, and against what is known before its newer entries are read.
func (m *Monitor) offered(ctx context.Context, s Source, c *receipt.Checkpoint, r *Round) (known Known, err error) {
	var raised []Alarm
	err = m.o.State.Change(ctx, func(tx Tx) error {
		if known, err = m.known(tx, c.Origin); err != nil {
			return err
		}
		before, err := tx.Offered(s.Name(), c.Origin)
		if err != nil {
			return err
		}
		if err := tx.SetOffered(s.Name(), c.Origin, c.Size); err != nil {
			return err
		}
		var found []Alarm
		if c.Size < before {
			newest, err := newestShown(tx, known, before)
			if err != nil {
				return err
			}
			found = append(found, newAlarm(Rollback, c.Origin, c.Size, fmt.Sprintf("%s %d %d", s.Name(), before, c.Size),
				"%s shows %d entries, and showed %d before", s.Name(), c.Size, before).with(File{"newest", newest}, File{"shown", c.Note}))
		}
		if c.Size <= known.Size {
			a, err := m.against(tx, known, c, s.Name())
			if err != nil {
				return err
			}
			if a != nil {
				found = append(found, *a)
			}
		}
		raised, err = m.keep(tx, found)
		return err
	})
	if err == nil {
		r.Raised = append(r.Raised, raised...)
	}
	return known, err
}

// newestShown is a checkpoint of the size that was shown, or the newest that is known.
func newestShown(tx Tx, known Known, size int64) ([]byte, error) {
	list, err := tx.Shown(known.Origin)
	for _, x := range list {
		if x.Size == size && x.Note != nil {
			return x.Note, err
		}
	}
	return known.Note, err
}

// mostUngiven bounds how many checkpoints of a log are kept that a source shows without entries.
const mostUngiven = 100

// ungiven keeps a checkpoint of which a source does not give the entries, unless it was found to
// be of another history already: the log signed it, and has to come to it. It returns why the
// entries are not given.
func (m *Monitor) ungiven(ctx context.Context, s Source, c *receipt.Checkpoint, why error) error {
	found, lied := errors.AsType[*LieError](why)
	if ctx.Err() != nil || lied && found.Code == Fork {
		return why
	}
	err := m.o.State.Change(ctx, func(tx Tx) error {
		list, err := tx.Shown(c.Origin)
		if err != nil {
			return err
		}
		n := 0
		for _, x := range list {
			if x.Place == s.Name() {
				n++
			}
		}
		if n >= mostUngiven {
			return nil
		}
		return tx.Show(Shown{c.Origin, c.Size, c.Root, c.Note, s.Name(), m.o.Now()})
	})
	if err != nil {
		return err
	}
	return why
}

// known is what is known of a log, which is followed from now on if it was not.
func (m *Monitor) known(tx Tx, origin string) (Known, error) {
	k, err := tx.Log(origin)
	if err == nil && k.Since.IsZero() {
		k.Since = m.o.Now()
		err = tx.SetLog(k)
	}
	return k, err
}

// tree restores the tree of a size that is known.
func restore(tx Tx, origin string, size int64) (*ledger.Tree, error) {
	edge, err := tx.Nodes(origin, ledger.Edge(size))
	if err != nil {
		return nil, err
	}
	return ledger.RestoreTree(size, edge)
}

// grow reads the entries that a newer checkpoint signs besides. The tree grows on what is
// known, so that its root proves that nothing of that was changed.
func (m *Monitor) grow(ctx context.Context, tx Tx, s Source, c *receipt.Checkpoint) ([]Alarm, error) {
	known, err := tx.Log(c.Origin)
	if err != nil || c.Size <= known.Size {
		return nil, err
	}
	tree, err := restore(tx, c.Origin, known.Size)
	if err != nil {
		return nil, err
	}
	f, err := openFacts(tx, known)
	if err != nil {
		return nil, err
	}
	f.told = map[Code]map[string]bool{}
	now := m.o.Now()
	err = leaves(ctx, s, c.Size, known.Size, c.Size, func(index int64, leaf []byte) error {
		if err := tx.Append(c.Origin, index, tree.Append(tlog.RecordHash(leaf))); err != nil {
			return err
		}
		return f.read(index, leaf, now)
	})
	if err != nil {
		return nil, err
	}
	if tree.Root() != c.Root {
		return nil, errBroken
	}
	known.Size, known.Note, known.Since = c.Size, c.Note, now
	if known.Facts, err = f.encode(); err != nil {
		return nil, err
	}
	if err := tx.SetLog(known); err != nil {
		return nil, err
	}
	return m.keep(tx, f.alarms)
}

// errBroken means that the entries do not have the root that their checkpoint signs.
var errBroken = errors.New("the entries do not have the root that the checkpoint signs")

// contradicted finds out what a checkpoint that does not continue what is known contradicts.
// What the source gave that could not be an entry is told as it was.
func (m *Monitor) contradicted(ctx context.Context, s Source, c *receipt.Checkpoint, err error) error {
	_, lied := errors.AsType[*LieError](err)
	if !lied && !errors.Is(err, errBroken) {
		return err
	}
	if before := m.forks[c.Origin+" "+c.Root.String()]; before != nil {
		return before // what was signed stays signed
	}
	var known Known
	if e := m.o.State.Change(ctx, func(tx Tx) (err error) { known, err = m.known(tx, c.Origin); return err }); e != nil {
		return e
	}
	var found *LieError
	e := m.within(ctx, c.Size, func(ctx context.Context) (err error) {
		found, err = m.investigate(ctx, s, known, c)
		return err
	})
	switch {
	case e == nil && found != nil:
		if found.Code == Fork {
			m.forks[c.Origin+" "+c.Root.String()] = found
		}
		return found
	case lied:
		return err
	case e != nil && !errors.Is(e, ErrAway): // who gives nothing more has given enough
		return e
	}
	return lie(Rewritten, known.Size, "some entry from here up to %d is not the one that the checkpoint signs", c.Size).
		with(File{"known", known.Note})
}

// investigate reads the whole log again, as the source has it now.
func (m *Monitor) investigate(ctx context.Context, s Source, known Known, c *receipt.Checkpoint) (*LieError, error) {
	p := newPartial(known.Size, c.Size)
	first, changed := int64(-1), []byte(nil)
	err := m.o.State.Change(ctx, func(tx Tx) error {
		return leaves(ctx, s, c.Size, 0, c.Size, func(index int64, leaf []byte) error {
			hash := tlog.RecordHash(leaf)
			p.add(hash)
			if index >= known.Size || first >= 0 {
				return nil
			}
			ours, err := tx.Nodes(c.Origin, []ledger.Node{{Level: 0, Index: index}})
			if err == nil && ours[0] != hash {
				first, changed = index, bytes.Clone(leaf)
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	files := []File{{"known", known.Note}, {"leaf", changed}}
	switch {
	case p.tree.Root() == c.Root && first >= 0:
		evidence, err := p.evidence(known, c)
		if err != nil {
			return nil, err
		}
		return lie(Fork, first, "the log signed %d entries, and now %d of which this is another", known.Size, c.Size).with(append(files, evidence)...), nil
	case first >= 0:
		return lie(Rewritten, first, "it is not the entry that the log signed").with(files...), nil
	}
	return nil, nil
}

// against holds a checkpoint of no more entries than are known against them.
func (m *Monitor) against(tx Tx, known Known, c *receipt.Checkpoint, place string) (*Alarm, error) {
	tree, err := restore(tx, c.Origin, c.Size)
	if err != nil || tree.Root() == c.Root {
		return nil, err
	}
	a := newAlarm(Fork, c.Origin, -1, fmt.Sprintf("%d %x", c.Size, c.Root[:8]),
		"%s has a checkpoint of %d entries with another root than the log's", place, c.Size)
	files := []File{{"known", known.Note}, {"shown", c.Note}}
	if c.Size > 0 && c.Size < known.Size {
		proof, err := tlog.ProveTree(known.Size, c.Size, reader(tx, c.Origin))
		if err != nil {
			return nil, err
		}
		evidence, err := forkFile(c.Size, tree.Root(), proof, known.Note)
		if err != nil {
			return nil, err
		}
		files = append(files, evidence)
	}
	a = a.with(files...)
	return &a, nil
}

// reader reads nodes by x/mod's numbers.
func reader(tx Tx, origin string) tlog.HashReader {
	return tlog.HashReaderFunc(func(numbers []int64) ([]tlog.Hash, error) {
		places := make([]ledger.Node, len(numbers))
		for i, n := range numbers {
			places[i].Level, places[i].Index = tlog.SplitStoredHashIndex(n)
		}
		return tx.Nodes(origin, places)
	})
}

// reread compares some of the older entries of a source, and the hashes published over them,
// with what is known: whatever was changed in place is found, once the rounds have come to it.
func (m *Monitor) reread(ctx context.Context, s Source, c *receipt.Checkpoint, old int64) error {
	return m.o.State.Change(ctx, func(tx Tx) error {
		known, err := tx.Log(c.Origin)
		if err != nil || c.Size > known.Size {
			return err
		}
		list, save, err := m.sources(tx)
		if err != nil {
			return err
		}
		if list[s.Name()] == nil {
			list[s.Name()] = &sourceFacts{}
		}
		f := list[s.Name()]
		from := f.Reread[c.Origin]
		if old <= m.o.Reread || from >= old {
			from = 0
		}
		to := min(from+m.o.Reread, old)
		if err := sameLeaves(ctx, tx, s, c, from, to); err != nil {
			return err
		}
		for _, part := range [][2]int64{{from, to}, {old, c.Size}} {
			if err := sameNodes(ctx, tx, s, c, part[0], part[1]); err != nil {
				return err
			}
		}
		f.Reread = orNew(f.Reread)
		f.Reread[c.Origin] = to
		return save()
	})
}

func sameLeaves(ctx context.Context, tx Tx, s Source, c *receipt.Checkpoint, from, to int64) error {
	if from == to {
		return nil
	}
	var ours []tlog.Hash // from some index on
	first := from
	err := leaves(ctx, s, c.Size, from, to, func(index int64, leaf []byte) (err error) {
		if index >= first+int64(len(ours)) {
			first = index
			if ours, err = tx.Nodes(c.Origin, leavesFrom(index, min(index+tileWidth, to))); err != nil {
				return err
			}
		}
		if ours[index-first] != tlog.RecordHash(leaf) {
			return lie(Rewritten, index, "it is not the entry that the log signed").with(File{"leaf", leaf})
		}
		return nil
	})
	if errors.Is(err, ErrPart) {
		return nil // an excerpt need not have them
	}
	return err
}

// sameNodes compares the hashes above leaves, at the levels that tiles have.
func sameNodes(ctx context.Context, tx Tx, s Source, c *receipt.Checkpoint, from, to int64) error {
	inner, has := s.(nodes)
	if !has || from == to {
		return nil
	}
	var places []ledger.Node
	for level := tileShift; c.Size>>level > 0; level += tileShift {
		for i := from >> level; i < min(c.Size, to+1<<level-1)>>level; i++ {
			places = append(places, ledger.Node{Level: level, Index: i})
		}
	}
	theirs, err := inner.Nodes(ctx, c.Size, places)
	if err != nil || len(places) == 0 {
		return err
	}
	if len(theirs) != len(places) {
		return lie(TileChanged, from, "%d hashes are given, %d are asked for", len(theirs), len(places))
	}
	ours, err := tx.Nodes(c.Origin, places)
	if err != nil {
		return err
	}
	for i, n := range places {
		if ours[i] != theirs[i] {
			return lie(TileChanged, n.Index<<n.Level, "the hash of level %d that begins here is not the one of what it stands over", n.Level).
				with(File{"hash", theirs[i][:]})
		}
	}
	return nil
}

func leavesFrom(from, to int64) []ledger.Node {
	list := make([]ledger.Node, to-from)
	for i := range list {
		list[i].Index = from + int64(i)
	}
	return list
}

// cosign gives a good checkpoint on.
func (m *Monitor) cosign(ctx context.Context, c *receipt.Checkpoint) error {
	return m.o.State.Change(ctx, func(tx Tx) error {
		known, err := tx.Log(c.Origin)
		if err != nil || known.Size != c.Size {
			return err
		}
		good, err := receipt.ParseCheckpoint(known.Note)
		if err != nil || good.Root != c.Root {
			return err
		}
		return m.o.Cosign(c, func(older, newer int64) ([]tlog.Hash, error) {
			if older == 0 || older == newer {
				return nil, nil
			}
			return tlog.ProveTree(newer, older, reader(tx, c.Origin))
		})
	})
}

// settle holds what others were shown against what is known by now.
func (m *Monitor) settle(ctx context.Context, r *Round) {
	for origin := range m.logs {
		var raised []Alarm
		var known Known
		err := m.o.State.Change(ctx, func(tx Tx) (err error) {
			if known, err = m.known(tx, origin); err == nil {
				raised, err = m.settleLog(tx, known)
			}
			return err
		})
		if err != nil {
			r.fails(err)
			continue
		}
		r.Logs, r.Raised = append(r.Logs, known), append(r.Raised, raised...)
	}
}

func (m *Monitor) settleLog(tx Tx, known Known) (raised []Alarm, err error) {
	list, err := tx.Shown(known.Origin)
	if err != nil {
		return nil, err
	}
	for _, x := range list {
		a, done, err := m.settleOne(tx, known, x, list)
		if err != nil {
			return nil, err
		}
		if done {
			if err := tx.Settle(x); err != nil {
				return nil, err
			}
		}
		if a == nil {
			continue
		}
		more, err := m.keep(tx, []Alarm{*a})
		if err != nil {
			return nil, err
		}
		raised = append(raised, more...)
	}
	return raised, nil
}

func (m *Monitor) settleOne(tx Tx, known Known, x Shown, list []Shown) (a *Alarm, done bool, err error) {
	c := &receipt.Checkpoint{Origin: x.Origin, Size: x.Size, Root: x.Root, Note: x.Note}
	switch {
	case x.Size <= known.Size:
		if a, err = m.against(tx, known, c, x.Place); a != nil && x.Note == nil {
			b := newAlarm(SyncFork, x.Origin, -1, a.Subject, "%s says of %d entries another root than the log has", x.Place, x.Size)
			b.Evidence, a = a.Evidence, nil
			a = &b
		}
		return a, true, err
	case m.o.Silence > 0 && m.o.Now().Sub(x.Since) > m.o.Silence && !m.reads(x.Place):
		b := newAlarm(Withheld, x.Origin, -1, fmt.Sprint(x.Size), "%s has a checkpoint of %d entries since %s, the log shows %d",
			x.Place, x.Size, x.Since.Format(time.RFC3339), known.Size).with(File{"shown", x.Note}, File{"known", known.Note})
		return &b, false, nil
	}
	for _, y := range list {
		if y.Size == x.Size && y.Root != x.Root {
			code := Fork
			if x.Note == nil || y.Note == nil {
				code = SyncFork
			}
			low, high := x, y
			if bytes.Compare(low.Root[:], high.Root[:]) > 0 {
				low, high = high, low
			}
			b := newAlarm(code, x.Origin, -1, fmt.Sprintf("%d %x", x.Size, low.Root[:8]), "%s and %s differ in the root of %d entries", low.Place, high.Place, x.Size).
				with(File{"shown", low.Note}, File{"other", high.Note})
			return &b, false, nil
		}
	}
	return nil, false, nil
}

// reads says whether a place is a source: one that does not give the entries of what it shows
// is told as that.
func (m *Monitor) reads(place string) bool {
	return slices.ContainsFunc(m.o.Sources, func(s Source) bool { return s.Name() == place })
}
