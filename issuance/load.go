package issuance

import (
	"cmp"
	"context"
	"crypto"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// reach is how far Load follows what streams point to: from a card to its application,
// and from there to the card that it replaces.
const reach = 2

// Load reads streams into the book as [Load] does, leaving those it has.
func (b *Book) Load(ctx context.Context, r Reader, streams ...StreamID) error {
	b.partial = true
	var unverified []Entry
	var seen set
	wave := streams
	for hop := 0; len(wave) > 0; hop++ {
		var next []StreamID
		read, err := b.reads(ctx, r, wave)
		if err != nil {
			return err
		}
		for _, id := range wave {
			if !seen.add(id) {
				continue
			}
			s, ok := b.subjects[id]
			if !ok {
				entries, err := read(id)
				if err != nil {
					return fmt.Errorf("read %s: %w", id, err)
				}
				if s, err = b.replay(id, entries); err != nil {
					return err
				}
				unverified = append(unverified, entries...)
			}
			if hop < reach {
				next = points(next, s.Fields)
			}
			next = operatorsOf(next, s)
		}
		wave = next
	}
	return b.verifyLoaded(unverified)
}

// set is a set of streams, of which there are few most of the time.
type set struct {
	few  []StreamID
	many map[StreamID]bool
}

// add adds a stream; false if it is there.
func (s *set) add(id StreamID) bool {
	if s.many[id] || slices.Contains(s.few, id) {
		return false
	}
	if len(s.few) < 16 {
		s.few = append(s.few, id)
		return true
	}
	if s.many == nil {
		s.many = map[StreamID]bool{}
	}
	s.many[id] = true
	return true
}

// reads returns how to read those of some streams that the book lacks: at once, where the
// reader can.
func (b *Book) reads(ctx context.Context, r Reader, ids []StreamID) (func(StreamID) ([]Entry, error), error) {
	var lacks []StreamID
	var listed set
	for _, id := range ids {
		if _, ok := b.subjects[id]; !ok && listed.add(id) {
			lacks = append(lacks, id)
		}
	}
	many, ok := r.(BatchReader)
	if !ok || len(lacks) == 0 {
		return func(id StreamID) ([]Entry, error) { return r.Stream(ctx, id) }, nil
	}
	found, err := many.Read(ctx, lacks...)
	if err != nil {
		return nil, fmt.Errorf("read %s and others: %w", lacks[0], err)
	}
	return func(id StreamID) ([]Entry, error) { return found[id], nil }, nil
}

// replay folds the entries of one stream without asking who signed them.
func (b *Book) replay(id StreamID, entries []Entry) (*Subject, error) {
	s := &Subject{Stream: id}
	for i := range entries {
		e := &entries[i]
		leaf, err := e.Leaf()
		if err != nil {
			return nil, fmt.Errorf("read %s: entry %d: %w", id, i+1, err)
		}
		rule := ruleFor(e.Rules, id.Kind, e.Act)
		if e.Stream != id || e.Seq != s.Seq+1 || e.Prev != s.Last || rule == nil || !rule.follows(s.Phase) ||
			i > 0 && e.Rules < entries[i-1].Rules {
			return nil, fmt.Errorf("read %s: entry %d does not follow the one before it: %w", id, i+1, ErrLink)
		}
		if b.origin == "" {
			b.origin = e.Origin
		}
		s.record(e, rule.after(s.Phase), LeafHash(leaf))
		b.number = max(b.number, e.Rules)
	}
	b.subjects[id] = s
	b.read[id] = s.Seq
	b.founded = b.founded || s.Seq > 0
	return s, nil
}

// operatorsOf adds those who acted on a stream to a list.
func operatorsOf(list []StreamID, s *Subject) []StreamID {
	for _, keys := range s.Actors {
		for _, k := range keys {
			list = append(list, OperatorStream(k))
		}
	}
	return list
}

// verifyLoaded checks the signatures of entries read, and that whoever enrolled or
// revoked an operator was an administrator, and two where two must be. Whether they were
// so at that time is known only to a replay of the whole log.
func (b *Book) verifyLoaded(entries []Entry) error {
	signed := b.verifyAll(entries)
	for i := range entries {
		e := &entries[i]
		if !signed[i] {
			return fmt.Errorf("read %s: entry %d: %w", e.Stream, e.Seq, ErrSignature)
		}
		if e.Stream.Kind != KindOperator {
			continue
		}
		if e.Act == Init {
			if !b.root.IsZero() && b.root != e.Stream {
				return fmt.Errorf("read %s: a second first entry: %w", e.Stream, ErrLink)
			}
			b.root = e.Stream
			continue
		}
		if err := b.byAdmins(e); err != nil {
			return fmt.Errorf("read %s: %s: %w", e.Stream, e.Act, err)
		}
	}
	return nil
}

// byAdmins: an act on an operator that was read is that of administrators, two persons
// under a rule for two.
func (b *Book) byAdmins(e *Entry) error {
	persons := map[string]bool{}
	for _, k := range []KeyID{e.Operator, e.Second} {
		if k.IsZero() {
			continue
		}
		by, err := b.operator(k)
		if err != nil {
			return err
		}
		if !slices.Contains(by.operator().Roles, Admin) {
			return fmt.Errorf("%s: %w", by.Fields["name"], ErrRole)
		}
		persons[by.Fields["person"]] = true
		if by.Stream == e.Stream && e.Act == Enrol && b.subjects[OperatorStream(e.Operator)].Fields["with"] != k.String() {
			return ErrOperator // it enrolled itself
		}
	}
	if r := ruleFor(e.Rules, e.Stream.Kind, e.Act); r.two != nil && len(persons) < 2 {
		return ErrFourEyes
	}
	return nil
}

// verifyAll says which entries bear good signatures of keys that the book knows. An
// entry whose key it does not know yet counts as not verified.
func (b *Book) verifyAll(entries []Entry) []bool {
	ok := make([]bool, len(entries))
	var next atomic.Int64
	run := func() {
		for {
			from := int(next.Add(chunk)) - chunk
			if from >= len(entries) {
				return
			}
			to := min(from+chunk, len(entries))
			b.verifySome(entries[from:to], ok[from:to])
		}
	}
	var work sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (len(entries)+chunk-1)/chunk) - 1 {
		work.Go(run)
	}
	run()
	work.Wait()
	return ok
}

func (b *Book) verifySome(entries []Entry, ok []bool) {
	list := make([]signed, 0, 2*len(entries))
	of := make([]int, 0, 2*len(entries))
	for i := range entries {
		e := &entries[i]
		body, err := e.body()
		if err != nil {
			continue
		}
		msg := append([]byte(signedContext), body...)
		ok[i] = true
		list, of = append(list, signed{b.keyOf(e.Operator), msg, e.Signature}), append(of, i)
		if !e.Second.IsZero() {
			list, of = append(list, signed{b.keyOf(e.Second), msg, e.SecondSignature}), append(of, i)
		}
	}
	for n, good := range b.keys.verify(list) {
		ok[of[n]] = ok[of[n]] && good
	}
}

// keyOf is an operator's public key, nil if the book does not know it.
func (b *Book) keyOf(k KeyID) crypto.PublicKey {
	return b.keys.of(b.subjects[OperatorStream(k)], k)
}

// About lists the streams that judging entries rests on: theirs, those that they point
// to, and their operators'.
func About(entries ...Entry) []StreamID {
	var list []StreamID
	for i := range entries {
		e := &entries[i]
		list = append(list, e.Stream)
		if e.Act != Init {
			list = append(list, OperatorStream(e.Operator))
			if !e.Second.IsZero() {
				list = append(list, OperatorStream(e.Second))
			}
		}
		list = points(list, e.Fields)
	}
	slices.SortFunc(list, func(a, b StreamID) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
	return slices.Compact(list)
}
