package issuance

import (
	"context"
	"time"
)

// Ledger keeps entries for good.
type Ledger interface {
	// Append adds the entries in their order, all or none, if every stream of at still
	// ends at the given sequence number. It checks the rules again over what it holds.
	// An entry whose ID and bytes are in the ledger already is success and adds
	// nothing, so that a caller who lost the answer may repeat. Errors: ErrConflict,
	// *DuplicateError, those of State.Apply, and the store's own.
	Append(ctx context.Context, at Head, e ...Entry) error
	// Stream returns the entries of a stream in order, none if there is no such
	// stream. The sealed octets of attachments are left out.
	Stream(ctx context.Context, s StreamID) ([]Entry, error)
}

// Reader is the half of a Ledger that decisions read.
type Reader interface {
	Stream(ctx context.Context, s StreamID) ([]Entry, error)
}

// BatchReader is a Reader that reads several streams at once, which is quicker where each
// question is a journey. A stream that does not exist is not in the map.
type BatchReader interface {
	Reader
	Read(ctx context.Context, s ...StreamID) (map[StreamID][]Entry, error)
}

// Head says up to where each stream was read when a decision was taken: the sequence
// number of its last entry, 0 for a stream that did not exist. It holds the streams
// that were only read too: an operator who is revoked meanwhile, or a card that is
// revoked, makes the append fail.
type Head map[StreamID]uint64

// Summary is a line of a store's list of streams.
type Summary struct {
	Stream StreamID
	Phase  Phase
	Seq    uint64    // of the last entry
	Since  time.Time // of the last entry
}
