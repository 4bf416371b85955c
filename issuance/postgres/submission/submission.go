// Package submission is how an append travels from a desk that may not write the ledger to
// the sequencer that does, and how its outcome comes back: two encodings.
package submission

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tamthe/tamthe/issuance"
)

// Bounds of a submission.
const (
	Max        = 32 << 20 // octets of the body
	MaxStreams = 4096     // that the decision rested on
	MaxEntries = 4096
)

// ErrMalformed means that octets are no submission.
var ErrMalformed = errors.New("not a submission")

// Submission is what Append was asked.
type Submission struct {
	Head    issuance.Head
	Entries []issuance.Entry // attachments with Sealed, if they came with it
}

// ID names a submission: SHA-256 of its body.
func ID(body []byte) [32]byte { return sha256.Sum256(body) }

// without stands for the length of octets that did not come.
const without = 1<<32 - 1

const (
	version  = 1
	maxLeaf  = 65535
	maxShort = 255
)

// Marshal returns the one body of a submission: an append that is repeated with the same
// head and entries has the same name. Integers are big-endian.
//
//	1       version, 1
//	2       number of streams of the head; for each, in ascending order of kind, then name:
//	  1     length of the kind, and the kind
//	  1     length of the name, and the name
//	  8     sequence number
//	2       number of entries, at least 1; for each:
//	  2     length of the leaf, and the leaf
//	  4     length of the payload, at most 64 kB, and the payload
//	  for each attachment that the payload names, in its order:
//	    4   length of the sealed octets, at most issuance.MaxSealed, and those; FFFFFFFF for
//	        an attachment that comes without them, as in an entry that was read back
//
// Errors are issuance.ErrEntry: an entry that is not well formed, more than the bounds.
func Marshal(at issuance.Head, entries []issuance.Entry) ([]byte, error) {
	if len(entries) == 0 || len(entries) > MaxEntries || len(at) > MaxStreams {
		return nil, fmt.Errorf("%w: %d entries that rest on %d streams", issuance.ErrEntry, len(entries), len(at))
	}
	b := append(make([]byte, 0, 4096), version)
	b = binary.BigEndian.AppendUint16(b, uint16(len(at)))
	for _, s := range slices.SortedFunc(maps.Keys(at), compare) {
		if !plain(string(s.Kind)) || !plain(s.ID) {
			return nil, fmt.Errorf("%w: stream %q", issuance.ErrEntry, s)
		}
		b = append(append(b, byte(len(s.Kind))), s.Kind...)
		b = append(append(b, byte(len(s.ID))), s.ID...)
		b = binary.BigEndian.AppendUint64(b, at[s])
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(entries)))
	for i := range entries {
		var err error
		if b, err = appendEntry(b, &entries[i]); err != nil {
			return nil, err
		}
		if len(b) > Max {
			return nil, fmt.Errorf("%w: more than %d MB at once", issuance.ErrEntry, Max>>20)
		}
	}
	return b, nil
}

func appendEntry(b []byte, e *issuance.Entry) ([]byte, error) {
	leaf, payload, err := e.Encode()
	if err != nil {
		return nil, err
	}
	if len(leaf) > maxLeaf || len(payload) > maxPayload {
		return nil, fmt.Errorf("%w: a leaf of %d and a payload of %d octets", issuance.ErrEntry, len(leaf), len(payload))
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(leaf)))
	b = append(b, leaf...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
	b = append(b, payload...)
	for _, a := range slices.SortedFunc(slices.Values(e.Attach), func(a, b issuance.Attachment) int { return cmp.Compare(a.Name, b.Name) }) {
		if a.Sealed == nil {
			b = binary.BigEndian.AppendUint32(b, without)
			continue
		}
		b = binary.BigEndian.AppendUint32(b, uint32(len(a.Sealed)))
		b = append(b, a.Sealed...)
	}
	return b, nil
}

const maxPayload = 64 << 10

func compare(a, b issuance.StreamID) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
}

// plain is printable ASCII without spaces: whatever else the name of a stream may be, a store
// can look for it.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= maxShort
}
