package issuance

import (
	"maps"
	"slices"
	"strings"
)

// Subject is one stream as its entries leave it. It is a copy: changing it changes
// nothing else.
type Subject struct {
	Stream      StreamID
	Phase       Phase // Absent if there is no entry
	Seq         uint64
	Last        [32]byte            // hash of the last leaf
	Fields      map[string]string   // the newest value of every field
	Commitments map[string][32]byte // likewise
	Actors      map[Act][]KeyID     // who did each act, second operators included
	Claimed     []Claim
	Held        []Claim
	Gave        []Claim // released

	Blanks []Blanks // of a batch, in the order of their numbers; never changed in place
}

func (s *Subject) clone() *Subject {
	c := *s
	c.Fields = maps.Clone(s.Fields)
	c.Commitments = maps.Clone(s.Commitments)
	c.Actors = make(map[Act][]KeyID, len(s.Actors))
	for act, keys := range s.Actors {
		c.Actors[act] = slices.Clone(keys)
	}
	c.Claimed, c.Held, c.Gave = slices.Clone(s.Claimed), slices.Clone(s.Held), slices.Clone(s.Gave)
	return &c
}

// record adds an entry to the subject; whether it may be there was asked before.
func (s *Subject) record(e *Entry, to Phase, leaf [32]byte) {
	if e.Stream.Kind == KindStock {
		if after, err := s.blanksAfter(e); err == nil { // else it was not judged: an audit goes on
			s.Blanks = after
		}
	}
	s.Phase, s.Seq, s.Last = to, e.Seq, leaf
	for name, value := range e.Fields {
		if s.Fields == nil {
			s.Fields = map[string]string{}
		}
		s.Fields[name] = value
	}
	for name, value := range e.Commitments {
		if s.Commitments == nil {
			s.Commitments = map[string][32]byte{}
		}
		s.Commitments[name] = value
	}
	if s.Actors == nil {
		s.Actors = map[Act][]KeyID{}
	}
	for _, k := range []KeyID{e.Operator, e.Second} {
		if !k.IsZero() && !slices.Contains(s.Actors[e.Act], k) {
			s.Actors[e.Act] = append(s.Actors[e.Act], k)
		}
	}
	s.Claimed = append(s.Claimed, e.Claims...)
	s.Held = slices.DeleteFunc(append(s.Held, e.Hold...), func(c Claim) bool { return slices.Contains(e.Release, c) })
	s.Gave = append(s.Gave, e.Release...)
}

// points adds the streams that a subject's rules may look at, by its fields, to a list.
func points(to []StreamID, fields map[string]string) []StreamID {
	for _, ref := range [...]struct {
		field string
		kind  Kind
	}{
		{"application", KindApplication},
		{"card", KindCard},
		{"replaces", KindCard},
		{"successor", KindCard},
		{"subject", KindPerson},
		{"ds", KindKey},
		{"batch", KindStock},
	} {
		if id, ok := fields[ref.field]; ok {
			to = append(to, StreamID{ref.kind, id})
		}
	}
	return to
}

// Operator is a key by which a person acts.
type Operator struct {
	Key    KeyID
	Name   string // what the desk calls it
	Person string // who stands behind it: four-eyes compares this
	Roles  []Role
	Active bool // false once revoked
}

// May reports whether the operator is active and holds the role.
func (o Operator) May(r Role) bool { return o.Active && slices.Contains(o.Roles, r) }

func (s *Subject) operator() Operator {
	op := Operator{Name: s.Fields["name"], Person: s.Fields["person"], Active: s.Phase == Enrolled}
	op.Key, _ = ParseKeyID(s.Stream.ID)
	for name := range strings.SplitSeq(s.Fields["roles"], ",") {
		op.Roles = append(op.Roles, Role(name))
	}
	return op
}
