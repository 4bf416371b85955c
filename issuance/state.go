package issuance

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
)

// State is what the ledger says about the streams that a decision rests on. The zero
// State is that of an empty ledger. A State does not change: Apply returns another.
type State struct{ book *Book }

// Begin is the state of an empty ledger of the given origin, for its first entry.
func Begin(origin string) State { return State{NewBook(origin)} }

// Load reads the streams named, the streams that those point to, and every operator
// behind their acts, and verifies the operators' signatures on all of them.
//
// Name every stream that will get an entry or that an entry will point to, new ones
// too, and the acting operator's: Apply refuses to judge by a stream that was not read.
// Load proves that the acts it read were signed by operators whom an administrator
// enrolled; that the ledger as a whole is sound is for the store's Verify to say.
func Load(ctx context.Context, r Reader, streams ...StreamID) (State, error) {
	b := NewBook("")
	if err := b.Load(ctx, r, streams...); err != nil {
		return State{}, err
	}
	return State{b}, nil
}

// LoadAll is Load of the streams and of all, which the caller says are every stream of the
// kind. Only the act Pair rests on that.
func LoadAll(ctx context.Context, r Reader, kind Kind, all []StreamID, streams ...StreamID) (State, error) {
	b := NewBook("")
	if err := b.Load(ctx, r, slices.Concat(all, streams)...); err != nil {
		return State{}, err
	}
	b.Whole(kind)
	return State{b}, nil
}

// Subject returns what is known of a stream; its Phase is Absent if there is no such
// stream or it was not read.
func (s State) Subject(id StreamID) Subject {
	if s.book != nil {
		if sub, ok := s.book.subjects[id]; ok {
			return *sub.clone()
		}
	}
	return Subject{Stream: id}
}

// Operator returns what is known of a key; ok is false if it was never enrolled or its
// stream was not read.
func (s State) Operator(k KeyID) (op Operator, ok bool) {
	sub := s.Subject(OperatorStream(k))
	return sub.operator(), sub.Phase != Absent
}

// Operators lists the operators that were read, by name, then key.
func (s State) Operators() []Operator {
	var list []Operator
	if s.book != nil {
		for id, sub := range s.book.subjects {
			if id.Kind == KindOperator && sub.Phase != Absent {
				list = append(list, sub.operator())
			}
		}
	}
	slices.SortFunc(list, func(a, b Operator) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), slices.Compare(a.Key[:], b.Key[:]))
	})
	return list
}

// Head says up to where the streams were read by Load; entries applied since do not
// move it.
func (s State) Head() Head {
	if s.book == nil {
		return Head{}
	}
	return maps.Clone(s.book.read)
}

// Next begins the entry that would follow on a stream: Origin, Rules, Stream, Seq, Prev
// and Act are set. The stream must have been read (else ErrLink), and so must the stream
// of an enrolled operator, which tells the name of the log (else ErrOperator).
func (s State) Next(id StreamID, act Act) (Entry, error) {
	b := s.book
	if b == nil {
		b = NewBook("")
	}
	sub, err := b.subject(id)
	if err != nil {
		return Entry{}, err
	}
	if b.origin == "" {
		return Entry{}, fmt.Errorf("%w: none of those asked for is enrolled", ErrOperator)
	}
	return Entry{Origin: b.origin, Rules: RuleBook, Stream: id, Seq: sub.Seq + 1, Prev: sub.Last, Act: act}, nil
}

// Apply checks one entry against the rules and returns the state after it. In this
// order: the leaf is well formed and follows the last of its stream; the operators are
// enrolled, hold the role and signed; the act may follow the phase
// (*TransitionError); the persons behind it are others than the rules forbid
// (ErrFourEyes); it carries what it must (ErrEntry, ErrChanged); and the streams that it
// touches agree (ErrLink).
func (s State) Apply(e Entry) (State, error) {
	b := NewBook("")
	if s.book != nil {
		b = s.book.clone()
	}
	if err := b.Apply(e); err != nil {
		return s, err
	}
	return State{b}, nil
}

// Complete reports whether acts that go together are all there: a card is allocated
// with the act that begins personalising, an application issued with the delivery, a
// card superseded with the delivery of its successor. A store asks it at the end of
// every append. The error is ErrLink and names what is missing.
func (s State) Complete() error {
	if s.book == nil {
		return nil
	}
	return s.book.Complete()
}
