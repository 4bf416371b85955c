package issuance

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
	"time"
)

// operatorRules: a log has two administrators from its first moment, and keeps two. Init
// names the second founder, whose enrolment stands in the same append and is signed by
// both. From then on two administrators enrol and revoke, neither of whom is the one
// revoked, so that those who are left are never fewer than two.
var operatorRules = []rule{
	{
		kind: KindOperator, act: Init, to: Enrolled,
		need: []string{"key", "person", "name", "roles", "logkey", "with"}, hold: []ClaimKind{HoldName}, check: isFirst, owes: owesMate,
	},
	{
		kind: KindOperator, act: Enrol, to: Enrolled, role: []Role{Admin}, two: always,
		need: []string{"key", "person", "name", "roles"}, hold: []ClaimKind{HoldName}, check: isItsKey,
	},
	{
		kind: KindOperator, act: Pair, from: []Phase{Enrolled}, to: Enrolled, role: []Role{Admin},
		need: []string{"with"}, check: isAlone, owes: owesMate,
	},
	{
		kind: KindOperator, act: Revoke, from: []Phase{Enrolled}, to: Revoked, role: []Role{Admin}, two: always,
		need: []string{"reason"}, extra: []string{"from"}, only: map[string][]string{"reason": operatorReasons},
		release: []ClaimKind{HoldName}, check: revokesAnother,
	},
}

// operatorReasons say why a key is used no more.
var operatorReasons = []string{"left", "moved", "lost", "stolen", "misuse", "mistake", "replaced"}

// owesMate: the second administrator is enrolled with the act that names them.
func owesMate(e *Entry) []due {
	return []due{{StreamID{KindOperator, e.Fields["with"]}, Enrol}}
}

// isMate reports whether an enrolment is of the key that the operator's own stream names
// as its second, in the append that says so. Only such a key is enrolled with its own
// signature as the second.
func (b *Book) isMate(e *Entry) bool {
	by := b.subjects[OperatorStream(e.Operator)]
	return e.Act == Enrol && e.Stream == OperatorStream(e.Second) && by != nil && by.Fields["with"] == e.Second.String() &&
		slices.Contains(b.due, due{e.Stream, Enrol})
}

// isAlone: a log that was founded under book 1 may have one administrator only, whom
// nobody could join under the rules for two. Such a one, and no other, may take a second
// one, once. Whoever judges it must have read every operator's stream.
func isAlone(b *Book, s *Subject, e *Entry) error {
	if OperatorStream(e.Operator) != e.Stream {
		return fmt.Errorf("%w: only for oneself", ErrOperator)
	}
	if !e.Second.IsZero() {
		return fmt.Errorf("%w: two can enrol others without it", ErrOperator)
	}
	if b.partial && !b.whole[KindOperator] {
		return fmt.Errorf("%w: not every operator was read", ErrLink)
	}
	for id, other := range b.subjects {
		if id.Kind != KindOperator || other.Fields["person"] == s.Fields["person"] {
			continue
		}
		if other.operator().May(Admin) {
			return fmt.Errorf("%w: %s is an administrator too", ErrFourEyes, other.Fields["name"])
		}
	}
	return nil
}

// revokesAnother: nobody has a hand in their own revocation. The time from which the key
// counts as another's is not after the revocation.
func revokesAnother(b *Book, s *Subject, e *Entry) error {
	for _, k := range []KeyID{e.Operator, e.Second} {
		by, err := b.operator(k)
		if err != nil {
			return err
		}
		if by.Stream == s.Stream || by.Fields["person"] == s.Fields["person"] {
			return fmt.Errorf("%w: %s cannot revoke a key of their own", ErrFourEyes, by.Fields["name"])
		}
	}
	return isPast(e)
}

// isPast: "from", if there is one, is not after the act.
func isPast(e *Entry) error {
	text, ok := e.Fields["from"]
	if !ok {
		return nil
	}
	from, err := time.Parse(time.RFC3339, text)
	if err != nil || from.After(e.Time) {
		return fmt.Errorf("%w: %s from %s, which is to come", ErrEntry, e.Act, text)
	}
	return nil
}

// isFirst: the first entry of a log is signed by the key that it enrols.
func isFirst(b *Book, s *Subject, e *Entry) error {
	if b.founded {
		return fmt.Errorf("%w: the log has a first entry already", ErrLink)
	}
	if !slices.Contains(strings.Split(e.Fields["roles"], ","), string(Admin)) {
		return fmt.Errorf("%w: the first operator must be %s", ErrEntry, Admin)
	}
	if OperatorStream(e.Operator) != e.Stream {
		return fmt.Errorf("%w: the first operator signs its own enrolment", ErrOperator)
	}
	return isItsKey(b, s, e)
}

// isItsKey: an operator's stream bears the name of its key.
func isItsKey(_ *Book, _ *Subject, e *Entry) error {
	pub, id, err := parseKeyField(e.Fields["key"])
	if err != nil {
		return err
	}
	if _, ok := pub.(ed25519.PublicKey); !ok && e.Rules == 1 {
		return fmt.Errorf("%w: rule book 1 knows Ed25519 keys only", ErrEntry)
	}
	if OperatorStream(id) != e.Stream {
		return fmt.Errorf("%w: %s is not the stream of key %s", ErrEntry, e.Stream, id)
	}
	return nil
}
