// Package cms lets systems of others order cards of the office, and learn how they stand,
// through the Credential Management System interface of OSIA (ITU-T X.1281; cms 1.3).
//
// A request for a credential becomes a case that waits for the desk, as one of a portal does:
// who applies comes in person, one officer enrols, another approves. Nothing that a system
// sends makes a card. To suspend, let go or revoke a card is a command that waits for an
// officer whose role it is: the answer 204 says that it was taken in, and the credential says
// when it was done. A system holds no operator's key, so that one that was broken into puts no
// card in or out of force.
//
// Every call names a transaction. The same call again is the same act, with the same answer,
// however often and however late it comes; another one under its name is refused. An answer
// leaves only after what it says is stored for good.
//
// The interface is that of the OSIA initiative, https://github.com/SecureIdentityAlliance/osia,
// Copyright © Secure Identity Alliance (2022), used under its licence
// (https://raw.githubusercontent.com/SecureIdentityAlliance/osia/master/LICENSE).
package cms

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// The scopes of the interface.
const (
	RequestRead     = "cms.request.read"
	RequestWrite    = "cms.request.write"
	CredentialRead  = "cms.credential.read"
	CredentialWrite = "cms.credential.write"
	ProfileRead     = "cms.profile.read"
)

// Scopes lists them.
func Scopes() []string {
	return []string{RequestRead, RequestWrite, CredentialRead, CredentialWrite, ProfileRead}
}

var (
	// ErrUnknown means that there is no such request, credential or call.
	ErrUnknown = errors.New("there is no such record")
	// ErrExists means that a request has that name already.
	ErrExists = errors.New("there is a request of that name already")
	// ErrClosed means that the desk has a request already, or that a credential does not stand
	// so that it could be done.
	ErrClosed = errors.New("it can't be done any more")
	// ErrConflict means that something was changed meanwhile.
	ErrConflict = errors.New("it was changed meanwhile")
)

// Problem is what is wrong with what a system sent: it is told so, and nothing was stored.
type Problem struct {
	Code    int
	Message string // nothing of what was sent is in it, but for names of the interface
}

func (p *Problem) Error() string { return p.Message }

// The codes of problems.
const (
	CodeFormat      = 1  // not what the interface says
	CodeTransaction = 2  // the transactionId is missing, or was used for something else
	CodeName        = 3  // a name that can't be one
	CodePerson      = 4  // the person's data
	CodeBiometric   = 5  // biometric data that are not taken
	CodeProfile     = 6  // no such credential profile
	CodeDemand      = 7  // what the request demands of the credential is not done
	CodeReason      = 8  // a reason that is none
	CodeSearch      = 9  // a search that is not answered, or finds too many
	CodeProtection  = 10 // encryption or integrity blocks, which are not read
	CodeRate        = 11 // too many calls
	CodeDown        = 12 // the office's own trouble: send it again
)

// Act is what a message does to its case.
type Act string

// The acts.
const (
	Create Act = "create"
	Update Act = "update"
	Cancel Act = "cancel"
)

// Filing is a request for a credential on its way to the desk. It holds personal data.
type Filing struct {
	System   string
	ID       string // the system's name for the request
	Name     string // of the message
	Act      Act
	Revision int
	Purpose  string
	Person   json.RawMessage // as `tamthe enrol` reads one; nil with Cancel
	Reason   string
	At       time.Time
	Salt     string
}

// Request is how a request stands at the desk.
type Request struct {
	Code     string // of the case, by which the person comes
	Message  string // the name of the message with the newest content
	Revision int
	Status   string // PENDING, ISSUED, CANCELLED or FAILED
	Step     string // the office's own word
	Why      string // the reason of an end
	Open     bool   // the system may still change it
	Person   json.RawMessage
	Cards    []string
}

// Card is what a system may know of one.
type Card struct {
	ID       string
	Status   string // NEW, ACTIVE, SUSPENDED, REVOKED or OTHER
	Other    string // the office's own word
	System   string // whose request it came of; empty: it came of none
	Request  string
	Message  string
	Person   string // the ledger's random name
	Profile  string
	Issued   time.Time // handed over; zero before
	Reason   string    // of the last suspension or revocation
	Possible []string  // which commands its state allows: suspend, unsuspend, revoke
}

// Office is where requests become cases. It may be used by several goroutines at once.
type Office interface {
	// MAC is of a text, under a key of the vault.
	MAC(text string) (string, error)
	// CheckPortrait says what is wrong with a picture for a card.
	CheckPortrait(jpeg []byte) error
	// Take makes a case of a request, or changes one, and returns its code. The same Filing
	// may be taken again. ErrClosed, ErrConflict where another has the revision, *Problem.
	Take(ctx context.Context, f Filing) (code string, err error)
	// SealPortrait seals a portrait under the case's key, with which it is destroyed.
	SealPortrait(ctx context.Context, code, name string, jpeg []byte) ([]byte, error)
	// Request tells how a system's request stands; ErrUnknown.
	Request(ctx context.Context, system, id string) (Request, error)
	// Card tells how a card stands; ErrUnknown.
	Card(ctx context.Context, id string) (Card, error)
}

// Call is one of a system's that changes something, as it is stored.
type Call struct {
	System   string
	Name     string // of its transaction
	Op       string
	Target   string
	MAC      string // of what was sent
	At       time.Time
	Salt     string // of the case's message; empty once that is stored
	Revision int
	Meta     json.RawMessage // of a request: see meta
	Done     bool
}

// CommandState is how a command stands.
type CommandState string

// The states.
const (
	Waiting CommandState = "waiting"
	Done    CommandState = "done"
	Refused CommandState = "refused"
)

// Command is what a system wants done to a card, for an officer to do.
type Command struct {
	ID        string // O-…
	System    string
	Name      string // of its transaction
	Card      string
	Act       string // suspend, unsuspend or revoke
	Reason    string
	Requester string
	State     CommandState
	Why       string // it was refused
	Officer   string
	At        time.Time
	Since     time.Time
}

// Store keeps calls, portraits and commands. Several programs may use one at once.
type Store interface {
	// Call returns a call of a system by its name; ErrUnknown.
	Call(ctx context.Context, system, name string) (Call, error)
	// Begin stores a call before anything is done of it; ErrConflict.
	Begin(ctx context.Context, c Call) error
	// Revise stores another revision for a call that is not done.
	Revise(ctx context.Context, c Call) error
	// Finish says that a call is done, and wipes its salt.
	Finish(ctx context.Context, system, name string) error
	// Created lists the calls by which a system's requests were made, oldest first; of one
	// person only, if a MAC is given.
	Created(ctx context.Context, system string) ([]Call, error)
	// KeepPortrait stores a sealed portrait, once.
	KeepPortrait(ctx context.Context, system, name, code string, sealed []byte) error
	// Portrait returns one and the code of its case; ErrUnknown.
	Portrait(ctx context.Context, system, name string) (code string, sealed []byte, err error)
	// Portraits lists the codes of the cases of which portraits are kept.
	Portraits(ctx context.Context) ([]string, error)
	// Forget wipes the portraits of a case.
	Forget(ctx context.Context, code string) error
	// Command stores a command, or returns the one that waits for the same already. One of the
	// same transaction is ErrConflict.
	Command(ctx context.Context, c Command) (Command, error)
	// Commanded returns a command by its name; ErrUnknown.
	Commanded(ctx context.Context, id string) (Command, error)
	// Commands lists those in some states, all without, oldest first.
	Commands(ctx context.Context, in ...CommandState) ([]Command, error)
	// Decide ends a command that waits; ErrConflict.
	Decide(ctx context.Context, id string, to CommandState, why, officer string, at time.Time) error
}
