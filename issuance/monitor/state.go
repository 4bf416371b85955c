package monitor

import (
	"context"
	"errors"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// ErrUnknown means that there is no such alarm.
var ErrUnknown = errors.New("there is no such alarm")

// ErrState means that what the monitor remembers does not agree with itself.
var ErrState = errors.New("what the monitor remembers does not agree with itself")

// State is what a monitor remembers. Several programs may use it at once.
type State interface {
	// Change does all that f does, or nothing. It is on the disk when Change returns.
	Change(ctx context.Context, f func(Tx) error) error
	// Alarms lists the alarms in the order in which they were raised, those that were
	// acknowledged only if all are asked for.
	Alarms(ctx context.Context, all bool) ([]Alarm, error)
	// Acknowledge says that somebody looked at an alarm; ErrUnknown if there is none.
	Acknowledge(ctx context.Context, id string, at time.Time) error
}

// Tx is one change of a State.
type Tx interface {
	// Log returns what is known of a log; a Known of its origin alone if nothing is.
	Log(origin string) (Known, error)
	SetLog(Known) error
	// Append keeps the nodes that a leaf completed, from its own hash up.
	Append(origin string, index int64, completed []tlog.Hash) error
	// Nodes returns hashes of the tree. One that was not appended is ErrState.
	Nodes(origin string, places []ledger.Node) ([]tlog.Hash, error)

	// AddCard keeps what the log says of a security object before it is signed.
	AddCard(Card) error
	// Card finds it in any log; ok is false if it stands in none.
	Card(id [32]byte) (c Card, ok bool, err error)

	// UseBlank keeps that a card was made of a blank; used is true if one was already.
	UseBlank(origin, batch string, number uint64) (used bool, err error)
	// Used counts the blanks of a range of which cards were made.
	Used(origin, batch string, first, last uint64) (uint64, error)
	// AddStock and Stock keep the entries of batches of blanks, and give them in their order.
	AddStock(origin string, index int64, leaf []byte) error
	Stock(origin string, each func(leaf []byte) error) error

	// Offered is the size of the newest checkpoint that a source showed.
	Offered(source, origin string) (int64, error)
	SetOffered(source, origin string, size int64) error

	// Show keeps a checkpoint that comes from elsewhere. Shown lists those of a log that
	// have not been settled, and Settle takes one off.
	Show(Shown) error
	Shown(origin string) ([]Shown, error)
	Settle(Shown) error

	// See keeps a security object that was seen, unless one of its ID was seen before. Sights
	// lists those that have not been judged, Judged takes one off, and Forget does so as if it
	// had never been seen.
	See(Sight) error
	Sights() ([]Sight, error)
	Judged(id [32]byte) error
	Forget(id [32]byte) error

	// Raise keeps an alarm, unless it was raised before; fresh says which.
	Raise(Alarm) (fresh bool, err error)
	// Retell changes an alarm's index and detail. Acknowledged says whether somebody looked at it.
	Retell(Alarm) error
	Acknowledged(id string) (bool, error)
}

// Known is what is known of a log.
type Known struct {
	Origin string
	Size   int64
	Note   []byte    // the newest checkpoint, nil if there was none
	Since  time.Time // when it was first seen, or the log first followed
	Facts  []byte    // what the entries say, in the monitor's own form
}

// Card is what a log says of a security object.
type Card struct {
	ID     [32]byte // SHA-256 of the LDSSecurityObject
	Origin string
	Index  int64
	Signer string // name of the document signer's key
}

// Shown is a statement about a log from elsewhere: a checkpoint with its note, or what
// another log says of it, without one.
type Shown struct {
	Origin string
	Size   int64
	Root   tlog.Hash
	Note   []byte
	Place  string // where it comes from
	Since  time.Time
}

// Sight is a security object that was seen somewhere.
type Sight struct {
	ID    [32]byte // of what was seen, and whether it was handed in
	SOD   []byte
	Place string
	Since time.Time
}
