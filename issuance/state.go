package issuance

import "context"

// State is what the ledger says about the streams that a decision rests on. The zero
// State is that of an empty ledger. A State does not change: Apply returns another.
type State struct{}

// Subject is one stream as its entries leave it.
type Subject struct {
	Stream      StreamID
	Phase       Phase
	Seq         uint64   // of the last entry
	Last        [32]byte // hash of the last leaf
	Fields      map[string]string
	Commitments map[string][32]byte
	Actors      map[Act][]KeyID // who did each act, second operators included
	Claimed     []Claim
	Held        []Claim
}

// Load reads the streams named, those that they point to, and the operators behind
// them, and verifies the operators' signatures.
func Load(ctx context.Context, r Reader, streams ...StreamID) (State, error) { panic("todo") }

// Subject returns what is known of a stream; its Phase is Absent if there is none.
func (s State) Subject(id StreamID) Subject { panic("todo") }

// Operator returns what is known of a key; ok is false if it was never enrolled.
func (s State) Operator(k KeyID) (op Operator, ok bool) { panic("todo") }

// Head says up to where the streams were read by Load; entries applied since do not
// move it.
func (s State) Head() Head { panic("todo") }

// Next begins the entry that would follow on a stream: Origin, Rules, Stream, Seq,
// Prev and Act are set.
func (s State) Next(id StreamID, act Act) (Entry, error) { panic("todo") }

// Apply checks one entry against the rules and returns the state after it.
func (s State) Apply(e Entry) (State, error) { panic("todo") }

// Complete reports whether acts that go together are all there. A store asks it at
// the end of every append.
func (s State) Complete() error { panic("todo") }

// Operator is a key by which a person acts.
type Operator struct {
	Key    KeyID
	Name   string // what the desk calls it
	Person string // who stands behind it; four-eyes compares this
	Roles  []Role
	Active bool // false once revoked
}

// Operators lists the operators that the given streams tell of, in the order given.
func Operators(ctx context.Context, r Reader, streams ...StreamID) ([]Operator, error) {
	panic("todo")
}
