// Package abis asks a biometric register whether it knows the face of an applicant by another
// name, through the ABIS interface of OSIA (ITU-T X.1281; abis 1.6).
//
// A register may answer at once, or later by calling back, or never. Each question is stored
// before it is asked; what comes back is taken for the question that it names, once, however
// often it comes and however late. An answer that nobody asked for is refused.
//
// The register is told of a face, of the name that the ledger has for the person, and of the
// application's; never of a number, a name or a date of birth.
//
// The interface is that of the OSIA initiative, https://github.com/SecureIdentityAlliance/osia,
// Copyright © Secure Identity Alliance (2022), used under its licence
// (https://raw.githubusercontent.com/SecureIdentityAlliance/osia/master/LICENSE).
package abis

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Op is what a register is asked to do.
type Op string

// The operations.
const (
	Insert   Op = "insert"   // keep this face for a person
	Identify Op = "identify" // who of those that you keep looks the same?
	Delete   Op = "delete"   // keep it no longer
)

// State is how a question stands.
type State string

// The states.
const (
	Open      State = "open"      // no answer has come
	Answered  State = "answered"  // one has; nobody has acted on it yet
	Failed    State = "failed"    // the register could not: it is asked again
	Used      State = "used"      // acted on, and the answer wiped
	Abandoned State = "abandoned" // nobody waits for it any more: an answer is refused
)

// Question is one of this office's to the register. It holds no biometric data.
type Question struct {
	ID      string // B-…: the transactionId
	App     string // the application
	Person  string // the ledger's name for whom it is of
	Content [32]byte
	Op      Op
	Token   [32]byte // SHA-256 of the secret in the address to call back at
	Task    string   // the register's name for it; empty before it is known
	State   State
	Digest  [32]byte // of the answer's octets, by which one that comes twice is known
	Sealed  []byte   // the answer; nil before, and after it was acted on
	Asked   time.Time
	Since   time.Time // of the state
}

// Late reports whether nobody waits for an answer any more.
func (q *Question) Late(now time.Time, patience time.Duration) bool {
	return now.Sub(q.Asked) > patience
}

// Candidate is somebody whom the register finds.
type Candidate struct {
	Person    string  `json:"person"`
	Encounter string  `json:"encounter,omitempty"`
	Rank      int     `json:"rank"`
	Score     float64 `json:"score"`
}

var (
	// ErrUnavailable means that the register gave no answer: the same is asked again later.
	ErrUnavailable = errors.New("the biometric register does not answer")
	// ErrAnswer means that what came is no answer of a register.
	ErrAnswer = errors.New("not an answer of the biometric register")
	// ErrUnknown means that there is no such question, person or task.
	ErrUnknown = errors.New("the biometric register was not asked")
	// ErrExists means that the register keeps a face by that name already.
	ErrExists = errors.New("the biometric register has it already")
	// ErrConflict means that a question is open already, or was changed meanwhile.
	ErrConflict = errors.New("the question was changed meanwhile")
	// ErrAnswered means that another answer was taken before.
	ErrAnswered = errors.New("the question was answered otherwise")
)

// RefusedError is a register that does not do what it is asked.
type RefusedError struct {
	Status int // of HTTP
	Code   int // its own; 0: none
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the biometric register refuses: HTTP status %d, code %d", e.Status, e.Code)
}

// Store keeps questions. Several programs may use one at once.
type Store interface {
	// Put stores a question before it is asked. ErrConflict, where one of the same
	// application and operation is open or was answered and not acted on.
	Put(ctx context.Context, q Question) error
	// Last returns the newest question of an application and operation; ErrUnknown.
	Last(ctx context.Context, app string, op Op) (Question, error)
	// Called returns the question whose address has a token; ErrUnknown.
	Called(ctx context.Context, token [32]byte) (Question, error)
	// Task stores the register's name for an open question, unless one is there.
	Task(ctx context.Context, id, task string) error
	// Answer takes an answer, for good, to a question that is open. It reports whether it was
	// taken now; false is the same answer again. ErrAnswered, where another was taken or the
	// question is over.
	Answer(ctx context.Context, q Question, to State, digest [32]byte, sealed []byte, at time.Time) (bool, error)
	// End says that a question is Used or Abandoned, and wipes its answer.
	End(ctx context.Context, id string, to State, at time.Time) error
	// Kept lists the applications whose faces the register was asked to keep, and not asked
	// to forget with success.
	Kept(ctx context.Context) ([]Question, error)
}

// NewQuestion draws the names of a question, and the secret of the address to call back at,
// which is in no store.
func NewQuestion(app, person string, content [32]byte, op Op, now time.Time) (q Question, secret string) {
	var b [26]byte
	rand.Read(b[:])
	secret = hex.EncodeToString(b[10:])
	at := now.UTC().Truncate(time.Microsecond)
	return Question{
		ID: "B-" + hex.EncodeToString(b[:10]), App: app, Person: person, Content: content, Op: op,
		Token: sha256.Sum256([]byte(secret)), State: Open, Asked: at, Since: at,
	}, secret
}
