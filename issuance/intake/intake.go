// Package intake takes in applications that citizens made at a portal, before they come to a
// desk (Law 26/2023 Art. 23: a request may be made through the public service portal), and
// tells the portal how each goes on.
//
// A portal sends messages: one files a case, one amends it, one withdraws it. Each is JSON,
// signed whole by the portal's key, and answered by a receipt that the office signs. A message
// has a name of its portal's own: the same octets under the same name have the same receipt,
// however often and however late they come, and other octets under it are refused. Messages of
// one case may come in any order; what comes of them is the same.
//
// What a message says of a person is sealed before it is stored. A receipt leaves only after
// its message was stored for good. How a case stands, from the desk on, is read off the
// ledger: nobody has to tell the portal.
package intake

import (
	"context"
	"errors"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
)

// State is how a case stands, as the portal and the citizen learn it.
type State string

// The states.
const (
	Waiting   State = "waiting"   // amended before it was filed: nothing is done before that comes
	Received  State = "received"  // the citizen is to come to the desk
	AtDesk    State = "at-desk"   // the desk has taken it over
	Approved  State = "approved"  // a card is being made
	Ready     State = "ready"     // the card can be fetched
	Delivered State = "delivered" // the citizen has it
	Refused   State = "refused"   // with a reason
	Withdrawn State = "withdrawn" // by the portal, before the desk had it
	Cancelled State = "cancelled" // at the desk, with a reason
)

// States lists them.
func States() []State {
	return []State{Waiting, Received, AtDesk, Approved, Ready, Delivered, Refused, Withdrawn, Cancelled}
}

// Over reports whether nothing more comes of a case.
func (s State) Over() bool {
	return s == Delivered || s == Refused || s == Withdrawn || s == Cancelled
}

// Open reports whether the portal may still amend or withdraw a case.
func (s State) Open() bool { return s == Waiting || s == Received }

// Case is what came of a portal's messages about one procedure of one citizen. It holds no
// personal data in clear.
type Case struct {
	Code     string // what the citizen has in hand; nobody guesses it
	Portal   string
	Name     string // the portal's own name for it
	Version  int    // how often it was changed; 0: it is not stored yet
	State    State
	Why      string // the reason of an end, one word
	Filed    bool   // the message that files it has come
	Revision int    // of the newest content; 0: none
	Reason   string // why a card is asked for, as of that
	Person   string // of whom, as the vault names persons: the desk sees who filed twice
	App      string // the application that it becomes in the ledger; empty before the desk has it
	Officer  string // who took it over, or refused it
	Received time.Time
	Since    time.Time // of the state
}

// Kept is a message as it is stored. What it says lies sealed in it.
type Kept struct {
	Portal    string
	Request   string
	Code      string // of the case
	Act       Act
	Revision  int // of the content; 0: it has none
	Received  time.Time
	Digest    [32]byte // SHA-256 of its octets
	Signature string   // the portal's
	Sealed    []byte   // its octets; nil where there is no content, or the case is over
	Receipt   Signed
}

// Event is a change of a case's state.
type Event struct {
	Seq   int64     `json:"seq"`
	Case  string    `json:"case" doc:"the portal's own name of it"`
	Code  string    `json:"code"`
	State State     `json:"state"`
	Why   string    `json:"why,omitempty" doc:"the reason of an end"`
	At    time.Time `json:"at"`
}

var (
	// ErrUnknown means that there is no such message or case.
	ErrUnknown = errors.New("no such case was filed")
	// ErrConflict means that a case was changed by somebody else since it was read.
	ErrConflict = errors.New("the case was changed meanwhile")
	// ErrRevision means that another message has that revision of the case.
	ErrRevision = errors.New("another message has that revision")
	// ErrWaiting means that a case was amended before it was filed.
	ErrWaiting = errors.New("the application itself has not come yet")
	// ErrClosed means that the portal's case is at the desk already, or over.
	ErrClosed = errors.New("the case is not open any more")
	// ErrTaken means that another officer has taken the case over.
	ErrTaken = errors.New("another officer has taken the case over")
)

// Store keeps messages and cases. Several programs may use one at once.
type Store interface {
	// Message returns a portal's message by its name; ErrUnknown.
	Message(ctx context.Context, portal, request string) (*Kept, error)
	// Content returns the message that has a revision of a case; ErrUnknown.
	Content(ctx context.Context, code string, revision int) (*Kept, error)
	// Case returns a case by its code; ErrUnknown.
	Case(ctx context.Context, code string) (Case, error)
	// Named returns a case by what its portal calls it; ErrUnknown.
	Named(ctx context.Context, portal, name string) (Case, error)
	// Of returns the case that became an application; ErrUnknown.
	Of(ctx context.Context, app string) (Case, error)
	// Cases lists the cases in some states, all without, oldest first.
	Cases(ctx context.Context, in ...State) ([]Case, error)
	// Keep stores the next version of a case, and the message that changed it, if one did; a
	// change of state is an event. It is on the disk when Keep returns. ErrConflict, where
	// the case is at another version or the message is there; ErrRevision.
	Keep(ctx context.Context, c Case, m *Kept) error
	// Events returns a portal's events after one, in their order.
	Events(ctx context.Context, portal string, after int64, most int) ([]Event, error)
	// Followed tells up to where the ledger was followed.
	Followed(ctx context.Context) (int64, error)
	// Follow stores cases as the ledger says that they stand, and that it was followed so
	// far. ErrConflict, where it was not followed up to from, or a case was changed.
	Follow(ctx context.Context, from, to int64, changed []Case) error
	// Sealed lists the cases that have sealed content though the portal can change nothing
	// of them any more.
	Sealed(ctx context.Context) ([]Case, error)
	// Forget wipes the sealed content of a case.
	Forget(ctx context.Context, code string) error
}

// Vault seals what messages say of persons, each case under a key of its own. It may be used
// by several goroutines at once.
type Vault interface {
	Seal(ctx context.Context, code, request string, plain []byte) ([]byte, error)
	// Shred destroys a case's key.
	Shred(ctx context.Context, code string) error
	// Person names a person without telling who it is.
	Person(n vn.Number) (string, error)
}

// Step is what the ledger says that an application has come to.
type Step struct {
	App   string
	State State
	Why   string // the reason of an end
	At    time.Time
}

// Ledger is what cases become at the desk. It may be used by several goroutines at once.
type Ledger interface {
	// Steps tells what the ledger's entries from an index on say of applications, in their
	// order, and the index after the last that it looked at.
	Steps(ctx context.Context, from int64) (steps []Step, next int64, err error)
	// Has reports whether there is an application of that name.
	Has(ctx context.Context, app string) (bool, error)
}
