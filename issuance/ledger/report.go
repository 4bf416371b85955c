package ledger

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
)

// Code says in what way a ledger is not what it should be. Codes are stable.
type Code string

// The codes of findings.
const (
	LeafMissing     Code = "leaf-missing"     // a row is gone from the middle
	LeafChanged     Code = "leaf-changed"     // a leaf is not the one that was hashed into the tree
	LeafUnreadable  Code = "leaf-unreadable"  // a leaf is hashed into the tree but is no leaf
	ColumnChanged   Code = "column-changed"   // a column does not repeat what the leaf says
	PayloadChanged  Code = "payload-changed"  // claims or digests are not those that the leaf binds
	AttachmentLost  Code = "attachment-lost"  // sealed data are gone
	AttachmentAdded Code = "attachment-added" // sealed data that no entry has
	AttachmentOther Code = "attachment-changed"
	TreeChanged     Code = "tree-changed"    // a stored node is not the hash of its children
	SequenceBroken  Code = "sequence-broken" // an entry does not follow the one before it in its stream
	SignatureBad    Code = "signature-bad"   // an operator's signature does not verify
	RuleBroken      Code = "rule-broken"     // the rules did not allow the act
	Duplicate       Code = "duplicate"       // something unique stands in the log twice
	ClaimsChanged   Code = "claims-changed"  // the table of what is taken is not what the log says
	StreamsChanged  Code = "streams-changed" // the table of streams is not what the log says
	StatusChanged   Code = "status-changed"  // the table of how cards stand is not what the log says
	CheckpointBad   Code = "checkpoint-bad"  // the stored checkpoint is not signed by the log, or not of this log
	RootDiffers     Code = "root-differs"    // the checkpoint signs another root than the leaves have
	Truncated       Code = "truncated"       // the checkpoint signs more leaves than there are
	Unsigned        Code = "unsigned"        // there are more leaves than the checkpoint signs
	RolledBack      Code = "rolled-back"     // an older checkpoint signs more leaves than there are
	Rewritten       Code = "rewritten"       // an older checkpoint signs other leaves than these
	StoreDamaged    Code = "store-damaged"   // the engine's own check of its file fails
)

// Finding is one place where a ledger does not say what it should.
type Finding struct {
	Code   Code
	Index  int64             // of the leaf, from 0; -1 if the finding has no place in the tree
	Stream issuance.StreamID // zero if none is known
	Detail string            // in English, without personal data
}

// String names the place, then what was found.
func (f Finding) String() string {
	where := "ledger"
	if f.Index >= 0 {
		where = fmt.Sprintf("entry %d", f.Index)
	}
	if !f.Stream.IsZero() {
		where += " (" + f.Stream.String() + ")"
	}
	return fmt.Sprintf("%s: %s: %s", where, f.Code, f.Detail)
}

// Report is the outcome of an audit.
type Report struct {
	Origin    string
	Size      int64     // leaves found
	Root      tlog.Hash // over them
	Findings  []Finding // at most MaxFindings
	Truncated bool      // there were more
}

// MaxFindings is where a report stops listing.
const MaxFindings = 1000

// OK reports whether nothing was found.
func (r *Report) OK() bool { return len(r.Findings) == 0 }
