package issuance

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrEntry means that an entry is not well formed: a name, size or field that no
	// leaf may hold, or a field that the act must carry is missing.
	ErrEntry = errors.New("not a well-formed entry")
	// ErrWord means that a field which may say one of some words says another: a reason that
	// the law does not know. It is an ErrEntry too.
	ErrWord = errors.New("not one of the words for it")
	// ErrConflict means that the ledger has moved on since the head that the decision
	// rested on, or that the entry's ID is taken by a different entry. Nothing was
	// written: load again and decide again.
	ErrConflict = errors.New("the ledger has moved on")
	// ErrFourEyes means that one person stands behind two acts that need two.
	ErrFourEyes = errors.New("a second person is needed")
	// ErrRole means that the operator lacks the role that the act needs.
	ErrRole = errors.New("the operator lacks the role")
	// ErrOperator means that the acting key is not that of an enrolled operator: never
	// enrolled in this log, or revoked.
	ErrOperator = errors.New("not an enrolled operator")
	// ErrSignature means that a signature of an entry does not verify.
	ErrSignature = errors.New("the operator's signature does not verify")
	// ErrChanged means that what an entry commits to is not what the stream says: the
	// content of a card is not the content that was approved.
	ErrChanged = errors.New("not what was approved")
	// ErrLink means that two streams do not say the same about each other: a card that
	// belongs to no application, a delivery whose old card is still in force, half of
	// two acts that go together.
	ErrLink = errors.New("the streams disagree")
	// ErrGap means that blank cards are not accounted for: a day with such a gap is not
	// closed.
	ErrGap = errors.New("blank cards are not accounted for")
	// ErrCap means that a key has signed as often as it may.
	ErrCap = errors.New("the key has been used as often as it may")
)

// TransitionError means that an act may not follow the stream's present phase.
type TransitionError struct {
	Stream   StreamID
	Phase    Phase
	Act      Act
	Possible []Act // what may follow instead, in the order of the table
}

// Error names the stream, where it stands, and what is possible.
func (e *TransitionError) Error() string {
	where := string(e.Phase)
	if e.Phase == Absent {
		where = "not there"
	}
	possible := "nothing"
	if len(e.Possible) > 0 {
		names := make([]string, len(e.Possible))
		for i, a := range e.Possible {
			names[i] = string(a)
		}
		possible = strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s %s is %s: %s is not possible (possible: %s)", e.Stream.Kind, e.Stream.ID, where, e.Act, possible)
}

// DuplicateError means that something that must be unique is taken already.
type DuplicateError struct {
	Claim  Claim
	Holder StreamID // the stream that has it
}

// Error names what is taken and by whom. The value stays out: it may be a pseudonym.
func (e *DuplicateError) Error() string {
	return fmt.Sprintf("%s is taken by %s", e.Claim.Kind, e.Holder)
}
