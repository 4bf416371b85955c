package issuance

import (
	"crypto"
	"fmt"
	"maps"
	"slices"
)

// Book is the working copy of a State that stores and audits use: it changes in place.
// It must not be used by two goroutines at once. After an error from Load or Apply it
// must be thrown away.
type Book struct {
	origin   string
	founded  bool     // the log has an entry
	root     StreamID // stream of the log's first entry, if known
	partial  bool     // a stream that is not held may exist all the same
	subjects map[StreamID]*Subject
	read     Head
	due      []due
	number   uint16        // of the newest rule book that was seen
	whole    map[Kind]bool // of these kinds every stream was read
	keys     *keyring      // shared with copies of the book
}

// NewBook is the book of an empty ledger, in which no stream exists. An empty origin is
// taken from the first entry. Once Load has read into it, it knows only what was read.
func NewBook(origin string) *Book {
	return &Book{origin: origin, subjects: map[StreamID]*Subject{}, read: Head{}, keys: new(keyring)}
}

func (b *Book) clone() *Book {
	c := *b
	c.subjects = maps.Clone(b.subjects) // subjects themselves are never changed once in a book
	c.due = slices.Clone(b.due)
	c.whole = maps.Clone(b.whole)
	return &c
}

// Whole tells the book that of a kind it has read every stream that there is.
func (b *Book) Whole(kind Kind) {
	if b.whole == nil {
		b.whole = map[Kind]bool{}
	}
	b.whole[kind] = true
}

// Founded tells the book that the log has a first entry, though it was not read.
func (b *Book) Founded() { b.founded, b.partial = true, true }

// Len is the number of streams held.
func (b *Book) Len() int { return len(b.subjects) }

// Stands says where a stream stands: its phase, the number of its last entry and the
// hash of that leaf. A stream that does not exist or was not read is Absent.
func (b *Book) Stands(id StreamID) (p Phase, seq uint64, last [32]byte) {
	if s, ok := b.subjects[id]; ok {
		return s.Phase, s.Seq, s.Last
	}
	return Absent, 0, [32]byte{}
}

// Claimed are the claims of a kind that a stream has, as far as the book knows it.
func (b *Book) Claimed(id StreamID, kind ClaimKind) []Claim {
	s, ok := b.subjects[id]
	if !ok {
		return nil
	}
	var list []Claim
	for _, c := range s.Claimed {
		if c.Kind == kind {
			list = append(list, c)
		}
	}
	return list
}

// subject gives what was read of a stream. To judge by a stream that was not read would
// be to take it for absent.
func (b *Book) subject(id StreamID) (*Subject, error) {
	if s, ok := b.subjects[id]; ok {
		return s, nil
	}
	if !b.partial {
		return &Subject{Stream: id}, nil
	}
	return nil, fmt.Errorf("%w: %s was not read", ErrLink, id)
}

// Apply checks entries one after the other and records each that holds; see
// [State.Apply] for the rules. What is new is written under the present rule book: an entry
// of another is ErrEntry. Signatures are verified side by side when there are many.
func (b *Book) Apply(entries ...Entry) error {
	signed := b.verifyAll(entries)
	for i := range entries {
		if n := entries[i].Rules; n != RuleBook {
			return fmt.Errorf("%w: rule book %d is not the present one", ErrEntry, n)
		}
		leaf, err := entries[i].Leaf()
		if err != nil {
			return err
		}
		if err := b.apply(&entries[i], LeafHash(leaf), signed[i]); err != nil {
			return err
		}
	}
	return nil
}

// Follow checks entries that were made elsewhere, in the log of the book's origin: as Apply,
// but each by the rule book that it names.
func (b *Book) Follow(entries ...Entry) error {
	signed := b.verifyAll(entries)
	for i := range entries {
		leaf, err := entries[i].Leaf()
		if err != nil {
			return err
		}
		if err := b.apply(&entries[i], LeafHash(leaf), signed[i]); err != nil {
			return err
		}
	}
	return nil
}

// Audit judges entries as Apply does, but goes on after one that does not hold: bad is
// told, and the entry is recorded all the same. Each is judged by the rule book that it
// names; a log may go on to a newer one and never back. hashes are those of the entries'
// leaves as the tree has them.
func (b *Book) Audit(entries []Entry, hashes [][32]byte, bad func(i int, err error)) {
	signed := b.verifyAll(entries)
	for i := range entries {
		if err := b.apply(&entries[i], hashes[i], signed[i]); err != nil {
			bad(i, err)
			b.Record(entries[i], hashes[i])
		}
	}
}

// Record takes an entry without judging it. Only an audit does so, to go on after it
// has found fault with the entry.
func (b *Book) Record(e Entry, leaf [32]byte) {
	s, ok := b.subjects[e.Stream]
	if !ok {
		s = &Subject{Stream: e.Stream}
	}
	to := Absent
	if r := ruleFor(e.Rules, e.Stream.Kind, e.Act); r != nil {
		b.settle(r, &e)
		to = r.after(s.Phase)
	}
	b.record(s, &e, to, leaf)
}

func (b *Book) apply(e *Entry, leaf [32]byte, signed bool) error {
	s, err := b.subject(e.Stream)
	if err != nil {
		return err
	}
	if err := b.follows(s, e); err != nil {
		return err
	}
	rules := books[e.Rules]
	r := rules.rule(e.Stream.Kind, e.Act)
	if r == nil {
		return &TransitionError{e.Stream, s.Phase, e.Act, Possible(e.Stream.Kind, s.Phase)}
	}
	if err := b.mayAct(r, s, e, signed); err != nil {
		return err
	}
	if !r.follows(s.Phase) {
		return &TransitionError{e.Stream, s.Phase, e.Act, Possible(e.Stream.Kind, s.Phase)}
	}
	if err := b.fourEyes(r, s, e); err != nil {
		return err
	}
	if err := r.carries(rules.remarks, s, e); err != nil {
		return err
	}
	if r.check != nil {
		if err := r.check(b, s, e); err != nil {
			return err
		}
	}
	b.settle(r, e)
	b.record(s, e, r.after(s.Phase), leaf)
	return nil
}

func (b *Book) record(s *Subject, e *Entry, to Phase, leaf [32]byte) {
	after := s.clone()
	after.record(e, to, leaf)
	b.subjects[e.Stream] = after
	b.founded = true
	b.number = max(b.number, e.Rules)
	if b.origin == "" {
		b.origin = e.Origin
	}
}

// follows: the entry is the next of its stream, made in this log under rules we have.
func (b *Book) follows(s *Subject, e *Entry) error {
	switch {
	case b.origin != "" && e.Origin != b.origin:
		return fmt.Errorf("%w: made in log %q, not %q", ErrEntry, e.Origin, b.origin)
	case books[e.Rules] == nil:
		return fmt.Errorf("%w: rule book %d is not known", ErrEntry, e.Rules)
	case e.Rules < b.number:
		return fmt.Errorf("%w: rule book %d after book %d", ErrEntry, e.Rules, b.number)
	case e.Seq != s.Seq+1 || e.Prev != s.Last:
		return fmt.Errorf("%s stands at entry %d: %w", e.Stream, s.Seq, ErrConflict)
	}
	return nil
}

// mayAct: the operators are enrolled, hold the role, are two persons if they are two or
// must be, and signed.
func (b *Book) mayAct(r *rule, s *Subject, e *Entry, signed bool) error {
	if e.Act == Init {
		pub, _, err := parseKeyField(e.Fields["key"])
		if err != nil {
			return err
		}
		if !e.Second.IsZero() {
			return fmt.Errorf("%w: nobody else is enrolled yet", ErrOperator)
		}
		return e.verify(pub, nil)
	}
	var keys [2]crypto.PublicKey
	var persons [2]string
	for i, k := range []KeyID{e.Operator, e.Second} {
		if k.IsZero() {
			continue
		}
		by, err := b.acting(k, e)
		if err != nil {
			return err
		}
		op := by.operator()
		if !op.Active {
			return fmt.Errorf("%w: %s was revoked", ErrOperator, op.Name)
		}
		if !slices.ContainsFunc(r.role, op.May) {
			return fmt.Errorf("%w: %s is not %s", ErrRole, op.Name, r.role[0])
		}
		if keys[i] = b.keys.of(by, k); keys[i] == nil && !signed {
			if keys[i], _, err = parseKeyField(by.Fields["key"]); err != nil {
				return err
			}
		}
		persons[i] = op.Person
	}
	if persons[0] == persons[1] {
		return fmt.Errorf("%s of %s: %w: both keys are one person's", e.Act, e.Stream, ErrFourEyes)
	}
	if e.Second.IsZero() && r.needsTwo(s, e) {
		return fmt.Errorf("%s of %s: %w: two sign it", e.Act, e.Stream, ErrFourEyes)
	}
	if signed {
		return nil
	}
	return e.verify(keys[0], keys[1])
}

// needsTwo asks the rule's condition of what the stream says with the entry.
func (r *rule) needsTwo(s *Subject, e *Entry) bool {
	if r.two == nil {
		return false
	}
	fields := maps.Clone(s.Fields)
	if fields == nil {
		fields = map[string]string{}
	}
	maps.Copy(fields, e.Fields)
	return r.two.holds(fields)
}

// acting is the stream of a key that acts. The second of two founders signs its own
// enrolment: what stands there is what it will be.
func (b *Book) acting(k KeyID, e *Entry) (*Subject, error) {
	if k == e.Second && b.isMate(e) {
		return &Subject{Stream: e.Stream, Phase: Enrolled, Fields: e.Fields}, nil
	}
	return b.operator(k)
}

func (b *Book) operator(k KeyID) (*Subject, error) {
	s, err := b.subject(OperatorStream(k))
	if err != nil {
		return nil, err
	}
	if s.Phase == Absent {
		return nil, fmt.Errorf("%w: key %s", ErrOperator, k)
	}
	return s, nil
}

// fourEyes: nobody behind this act is behind one that another person must have done.
func (b *Book) fourEyes(r *rule, s *Subject, e *Entry) error {
	if err := b.differ(s, r.apart, e); err != nil {
		return err
	}
	if len(r.apartBy) == 0 {
		return nil
	}
	id := s.Fields["application"]
	if s.Phase == Absent {
		id = e.Fields["application"]
	}
	a, err := b.subject(Application(id))
	if err != nil {
		return err
	}
	return b.differ(a, r.apartBy, e)
}

func (b *Book) differ(s *Subject, acts []Act, e *Entry) error {
	for _, act := range acts {
		for _, before := range s.Actors[act] {
			one, err := b.operator(before)
			if err != nil {
				return err
			}
			for _, now := range []KeyID{e.Operator, e.Second} {
				if now.IsZero() {
					continue
				}
				other, err := b.operator(now)
				if err != nil {
					return err
				}
				if one.Fields["person"] == other.Fields["person"] {
					return fmt.Errorf("%s of %s: %w: the same person did %s of %s", e.Act, e.Stream, ErrFourEyes, act, s.Stream)
				}
			}
		}
	}
	return nil
}

// settle strikes off what this entry was due for and adds what it makes due.
func (b *Book) settle(r *rule, e *Entry) {
	b.due = slices.DeleteFunc(b.due, func(d due) bool { return d == due{e.Stream, e.Act} })
	if r.owes != nil {
		b.due = append(b.due, r.owes(e)...)
	}
}

// Complete reports whether acts that go together are all there; see [State.Complete].
func (b *Book) Complete() error {
	if len(b.due) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s of %s must come with it", ErrLink, b.due[0].act, b.due[0].stream)
}
