// Package issuance holds the words and rules by which cards come to be: streams of
// signed acts, what each act may follow, who may do it, and what it must carry.
//
// The package does no input or output of its own. An [Entry] is one act. A [State] is
// what the ledger says about the streams that a decision rests on; [State.Apply] says
// whether an act may follow and what is so afterwards. A [Ledger] keeps the entries.
// The usual course of a use case is
//
//	s, err := issuance.Load(ctx, l, application, issuance.OperatorStream(me))
//	e, err := s.Next(application, issuance.Approve)
//	e.ID, e.Time, e.Operator = issuance.NewID(), now, me
//	e.Commitments = map[string][32]byte{issuance.Content: made}
//	err = e.Sign(key)
//	after, err := s.Apply(e)          // the rules, before anything is touched
//	err = l.Append(ctx, s.Head(), e)  // all or none
package issuance

import (
	"fmt"
	"strings"
)

// Kind is what a stream is about: lower-case letters, at most 16.
type Kind string

// The kinds of streams that have rules.
const (
	KindOperator    Kind = "operator"    // a key by which a person acts
	KindApplication Kind = "application" // one request for one card
	KindCard        Kind = "card"        // one chip on its way into a holder's hand, and after
	KindKey         Kind = "key"         // a key of the authority: CSCA, document signer
	KindPerson      Kind = "person"      // one human being and their numbers, by a random name
	KindCeremony    Kind = "ceremony"    // what the custodians did together, as they signed it
	KindStock       Kind = "stock"       // a batch of blank cards
	KindDesk        Kind = "desk"        // a desk that may work apart from the others
	KindDay         Kind = "day"         // the days of one place
	KindConflict    Kind = "conflict"    // what two logs cannot both be right about
)

// StreamID names a stream. ID is a letter or digit followed by at most 95 letters,
// digits, dots, hyphens and underscores; it is random or taken from a public fact,
// never derived from a person.
type StreamID struct {
	Kind Kind
	ID   string
}

// Application names the stream of an application.
func Application(id string) StreamID { return StreamID{KindApplication, id} }

// Card names the stream of a card.
func Card(id string) StreamID { return StreamID{KindCard, id} }

// Key names the stream of one of the authority's keys.
func Key(id string) StreamID { return StreamID{KindKey, id} }

// Person names the stream of a human being.
func Person(id string) StreamID { return StreamID{KindPerson, id} }

// Stock names the stream of a batch of blank cards.
func Stock(id string) StreamID { return StreamID{KindStock, id} }

// Desk names the stream of a desk that works apart.
func Desk(name string) StreamID { return StreamID{KindDesk, name} }

// Conflict names the stream of a conflict.
func Conflict(id string) StreamID { return StreamID{KindConflict, id} }

// Days names the stream of the days of a place.
func Days(place string) StreamID { return StreamID{KindDay, place} }

// OperatorStream names the stream of an operator's key.
func OperatorStream(k KeyID) StreamID { return StreamID{KindOperator, k.String()} }

// String gives kind/id.
func (s StreamID) String() string { return string(s.Kind) + "/" + s.ID }

// IsZero reports whether s names nothing.
func (s StreamID) IsZero() bool { return s == StreamID{} }

// ParseStreamID reads what [StreamID.String] wrote.
func ParseStreamID(text string) (StreamID, error) {
	kind, id, _ := strings.Cut(text, "/")
	s := StreamID{Kind(kind), id}
	if !s.valid() {
		return StreamID{}, fmt.Errorf("%w: %q is no stream name", ErrEntry, text)
	}
	return s, nil
}

const (
	maxKind     = 16
	maxStreamID = 96
)

func (s StreamID) valid() bool {
	return validWord(string(s.Kind), maxKind) && validID(s.ID)
}

// Phase is where a stream stands between two acts. The zero value means that the
// stream does not exist.
type Phase string

// The phases of all streams.
const (
	Absent Phase = ""

	Enrolled Phase = "enrolled" // operator, desk: may act; application: open, may be approved
	Revoked  Phase = "revoked"  // operator, card, key, desk: never again

	Differing     Phase = "differing" // the register of the population says otherwise
	Suspected     Phase = "suspected" // the biometric register knows somebody else who looks the same
	Approved      Phase = "approved"
	Personalising Phase = "personalising"
	Issued        Phase = "issued"
	Rejected      Phase = "rejected"
	Cancelled     Phase = "cancelled"
	Disputed      Phase = "disputed" // its holder complains
	Shredded      Phase = "shredded" // nobody can read any more what it was about

	Allocated  Phase = "allocated"  // a chip is bound to the application
	Rotating   Phase = "rotating"   // its keys may be old or new
	Keyed      Phase = "keyed"      // its own key pairs are known
	Prepared   Phase = "prepared"   // what will be signed is stored
	Signed     Phase = "signed"     // the SOD exists
	Writing    Phase = "writing"    // the chip may hold part of the files
	Written    Phase = "written"    // read back, equal
	Locking    Phase = "locking"    // may be open or locked
	Locked     Phase = "locked"     // locked for good
	Printed    Phase = "printed"    // its body bears what was approved
	Checked    Phase = "checked"    // our own checkpoint accepted it
	Failed     Phase = "failed"     // it did not
	InTransit  Phase = "in-transit" // on its way to where it is handed over
	Arrived    Phase = "arrived"    // there
	Active     Phase = "active"     // in its holder's hand
	Suspended  Phase = "suspended"  // held, may become active again
	Superseded Phase = "superseded" // another card took its place
	Spoiled    Phase = "spoiled"    // never left the desk
	Returned   Phase = "returned"   // out of force and taken back
	Destroyed  Phase = "destroyed"  // card: cut up; key: erased

	Generated Phase = "generated" // key: exists, certifies nothing yet
	Preparing Phase = "preparing" // key: what it will sign is stored
	InUse     Phase = "in-use"    // key: certified

	Registered Phase = "registered" // person: known by a number
	InStock    Phase = "in-stock"   // batch: received
	Counting   Phase = "counting"   // day: being counted
	Closed     Phase = "closed"     // day: counted and found to agree
	Invited    Phase = "invited"    // desk: has yet to found its log
	Found      Phase = "found"      // conflict: waits for a person
	Settled    Phase = "settled"    // conflict: two persons decided
)

// Act is what an entry does to its stream: lower-case letters and hyphens, at most 24.
type Act string

// The acts. Which stream and phase each may follow is in the table of rules.
const (
	Init Act = "init" // the first entry of a log: it names the log key and its first operator
	Pair Act = "pair" // operator: the only administrator of an older log takes a second one

	Enrol   Act = "enrol"   // operator: give a key its roles; application: open it; desk: let it work
	Change  Act = "change"  // application: what will be made is now something else; voids an approval
	Confirm Act = "confirm" // application: the register of the population says the same
	Differ  Act = "differ"  // application: it does not
	Accept  Act = "accept"  // application: right all the same
	Search  Act = "search"  // application: the biometric register knows nobody else who looks the same
	Suspect Act = "suspect" // application: it knows somebody
	Clear   Act = "clear"   // application: who is another person
	Approve Act = "approve" // application: this, and nothing else, may be made
	Reject  Act = "reject"  // application: refused
	Cancel  Act = "cancel"  // application: withdrawn
	Issue   Act = "issue"   // application: done; key: signed what was prepared

	Complain Act = "complain" // application: the holder says that the card is not right
	Settle   Act = "settle"   // application: the complaint is answered; conflict: two persons decided
	Shred    Act = "shred"    // application: the key of its personal data was destroyed

	Register Act = "register" // person: known from now on, by this number
	Renumber Act = "renumber" // person: has another number from now on

	Personalise Act = "personalise" // application: a card is being made
	Allocate    Act = "allocate"    // this chip is that card
	Rotate      Act = "rotate"      // about to put our keys onto the chip
	Generate    Act = "generate"    // the chip made these key pairs; key: we made this one
	Prepare     Act = "prepare"     // this will be signed, and only this
	Sign        Act = "sign"        // card: it was signed; ceremony: this is what was done
	Attempt     Act = "attempt"     // a card that was cut short is taken up again
	Write       Act = "write"       // about to write the files
	WriteDone   Act = "written"     // written and read back
	Lock        Act = "lock"        // about to lock the chip for good
	LockDone    Act = "locked"
	Print       Act = "print"     // about to print the card's body
	Check       Act = "check"     // our own checkpoint accepts the card
	Fail        Act = "fail"      // it does not
	Send        Act = "send"      // card: on its way
	Receive     Act = "receive"   // card: arrived; batch: taken in
	Deliver     Act = "deliver"   // handed over
	Suspend     Act = "suspend"   // held back, for a time
	Resume      Act = "resume"    // in force again
	Revoke      Act = "revoke"    // operator, card, key, desk: never again
	Recall      Act = "recall"    // a card of another desk's log: never again
	Supersede   Act = "supersede" // replaced by the card that is delivered with it
	Spoil       Act = "spoil"     // card: will never be delivered; batch: so many are no good
	Return      Act = "return"    // out of force and taken back
	Destroy     Act = "destroy"   // card: cut up; key: erased; batch: so many were destroyed

	Import Act = "import" // key: components were put together
	Move   Act = "move"   // batch: so many are elsewhere now
	Count  Act = "count"  // day: so many of a batch were found
	Invite Act = "invite" // desk: it got what all desks of the office share
	Grant  Act = "grant"  // desk: what it may use while it is apart
	Sync   Act = "sync"   // desk: its acts were taken over up to here
	Close  Act = "close"  // day: everything is accounted for
	Find   Act = "find"   // conflict: two logs contradict each other
)

// Role is what an operator may do.
type Role string

// The roles. An operator holds one or more; the rules say which act needs which, and
// which acts of one matter need different persons.
const (
	Admin        Role = "admin"        // enrols and revokes operators
	Registrar    Role = "registrar"    // opens, changes and cancels applications
	Approver     Role = "approver"     // approves and rejects them
	Personaliser Role = "personaliser" // makes the card
	Inspector    Role = "inspector"    // checks the finished card
	Clerk        Role = "clerk"        // delivers it, takes the old one back
	Revoker      Role = "revoker"      // suspends, resumes and revokes cards
	Custodian    Role = "custodian"    // makes and uses the authority's keys
	StockKeeper  Role = "stock-keeper" // takes in, counts and destroys blank cards
	Signer       Role = "signer"       // the signing service: says what is signed for a card
	Auditor      Role = "auditor"      // reads everything and changes nothing
)

// Roles lists every role in the order of a card's life.
func Roles() []Role {
	return []Role{
		Admin, Registrar, Approver, Personaliser, Inspector, Clerk, Revoker, Custodian, StockKeeper, Signer, Auditor,
	}
}
