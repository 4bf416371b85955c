package monitor

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Code says what an alarm is about. Codes are stable.
type Code string

// The codes of alarms.
const (
	// About the log.
	Fork          Code = "fork"           // the log signed two histories
	Rollback      Code = "rollback"       // a source shows less than it showed before
	Rewritten     Code = "leaf-rewritten" // a leaf is not the one that the log signed
	Missing       Code = "leaf-missing"   // the checkpoint signs entries that are not to be had
	TileChanged   Code = "tile-changed"   // a published hash is not the one of what it stands over
	Unreadable    Code = "leaf-unreadable"
	Unsigned      Code = "entry-unsigned" // no enrolled operator signed an entry: the log's key may be stolen
	Damaged       Code = "log-damaged"    // a ledger cannot be read as one
	OtherKey      Code = "key-other"      // a checkpoint of the log is signed by a key that is not the log's
	BadCheckpoint Code = "checkpoint-bad" // what should be a checkpoint is none
	Misbehaves    Code = "log-misbehaves" // the log's server sends too much, too slowly, or elsewhere
	Silent        Code = "silent"         // no new checkpoint for too long
	Withheld      Code = "withheld"       // somebody has a checkpoint that the log does not come to, or entries are not given out
	ClockAhead    Code = "clock-ahead"    // an entry is of a time to come
	SyncFork      Code = "sync-fork"      // what a centre took over of a desk's log is not what the desk's log has
	SyncBack      Code = "sync-back"      // a centre took over less of a desk's log than before

	// About cards and the keys that sign them.
	Unlogged      Code = "sod-unlogged"         // a document signer signed a card that is not in the log
	OtherSigner   Code = "sod-other-signer"     // a card is signed by another document signer than the log says
	OverCap       Code = "signer-over-cap"      // a document signer signed more cards than it may
	Outlived      Code = "signer-outlived"      // a key signed past its period of use
	StrangeObject Code = "certificate-unlogged" // the CSCA signed a certificate or list that is not in the log
	CSCAUnknown   Code = "csca-unknown"         // a CSCA may have signed what is not in the log, and is not at hand to tell
	Embargoed     Code = "embargo"              // a new CSCA signed before other states could know it
	ListStale     Code = "list-stale"           // a published list is past its time
	ListDue       Code = "list-due"             // a published list is past four fifths of its time
	ListOverdue   Code = "crl-overdue"          // a revocation is not told by a list within 48 hours
	ListOld       Code = "list-old"             // an older list is published than the newest that was signed
	ListGone      Code = "list-gone"            // a list that was published is not any more

	DropFull Code = "drop-full" // what readers hand in will soon not be taken

	// About blank cards.
	StockGap  Code = "stock-gap"  // blanks are not accounted for
	DayOpen   Code = "day-open"   // a place did not close its days
	BlankUsed Code = "blank-used" // a card was made of a blank that was not there
)

// Alarm is something that somebody has to look at. It stands until it is acknowledged.
type Alarm struct {
	ID      string // of code, log and subject: the same thing is one alarm
	Code    Code
	Origin  string // of the log; empty if it is of none
	Index   int64  // of the entry, -1 if it is about none
	Subject string // what it is about, without personal data
	Detail  string // in English, without personal data

	Raised       time.Time
	Acknowledged time.Time // zero: not yet

	Evidence []File // as it was raised; a store does not give it back
}

// File is a piece of evidence.
type File struct {
	Name   string
	Octets []byte
}

// newAlarm names an alarm by what it is about.
func newAlarm(code Code, origin string, index int64, subject, format string, args ...any) Alarm {
	h := sha256.Sum256([]byte(strings.Join([]string{string(code), origin, subject}, "\x00")))
	return Alarm{
		ID: hex.EncodeToString(h[:8]), Code: code, Origin: origin, Index: index, Subject: subject,
		Detail: fmt.Sprintf(format, args...),
	}
}

// with adds evidence; of two pieces of one name the first counts. The octets may be a source's
// own, and a small part of what pins much more: what is kept is a copy.
func (a Alarm) with(files ...File) Alarm {
	for _, f := range files {
		if len(f.Octets) > 0 && !slices.ContainsFunc(a.Evidence, func(g File) bool { return g.Name == f.Name }) {
			a.Evidence = append(a.Evidence, File{f.Name, bytes.Clone(f.Octets)})
		}
	}
	return a
}

// String names the place, then what is wrong.
func (a Alarm) String() string {
	where := a.Origin
	if a.Index >= 0 {
		where += fmt.Sprintf(" entry %d", a.Index)
	}
	return strings.TrimSpace(fmt.Sprintf("%s: %s: %s", where, a.Code, a.Detail))
}

// Codes lists the codes of alarms.
func Codes() []Code {
	return []Code{
		Fork, Rollback, Rewritten, Missing, TileChanged, Unreadable, Unsigned, Damaged, OtherKey, BadCheckpoint,
		Misbehaves, Silent, Withheld, ClockAhead, SyncFork, SyncBack, Unlogged, OtherSigner, OverCap,
		Outlived, StrangeObject, CSCAUnknown, Embargoed, ListStale, ListDue, ListOverdue, ListOld, ListGone, DropFull, StockGap, DayOpen, BlankUsed,
	}
}
