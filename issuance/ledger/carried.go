package ledger

import (
	"crypto/sha256"
	"fmt"

	"github.com/tamthe/tamthe/issuance"
)

// An excerpt is taken in pieces of so many entries and about so many octets at most.
const (
	someEntries = 1024
	someOctets  = 8 << 20
)

// Some reads the next entries, most at most and few enough to be held in memory, each parsed
// and with the octets of its attachments: all that it binds, and no others. Errors as Next's,
// and those of issuance.ParseEntry.
func (x *ExcerptReader) Some(most int64) ([]issuance.Encoded, error) {
	var list []issuance.Encoded
	for octets := 0; int64(len(list)) < min(most, someEntries) && octets < someOctets; {
		c, err := x.Next()
		if err != nil {
			return nil, err
		}
		e, err := issuance.ParseEntry(c.Leaf, c.Payload)
		if err != nil {
			return nil, err
		}
		if err := attach(&e, c.Attach); err != nil {
			return nil, fmt.Errorf("%s of %s: %w", e.Act, e.Stream, err)
		}
		list = append(list, issuance.Encoded{Entry: e, Leaf: c.Leaf, Payload: c.Payload})
		octets += len(c.Leaf) + len(c.Payload)
		for _, a := range c.Attach {
			octets += len(a.Sealed)
		}
	}
	return list, nil
}

// attach gives the entry the octets of its attachments, in the order in which they are kept,
// which is not that of the payload.
func attach(e *issuance.Entry, carried []issuance.Attachment) error {
	if len(e.Attach) != len(carried) {
		return fmt.Errorf("%w: %d attachments, not %d", ErrExcerpt, len(carried), len(e.Attach))
	}
	bound := map[string][32]byte{}
	for _, a := range e.Attach {
		bound[a.Name] = a.Digest
	}
	for i, a := range carried {
		digest, ok := bound[a.Name]
		if delete(bound, a.Name); !ok || sha256.Sum256(a.Sealed) != digest {
			return fmt.Errorf("%w: attachment %q is not the one that the entry binds", ErrExcerpt, a.Name)
		}
		e.Attach[i] = issuance.Attachment{Name: a.Name, Digest: digest, Sealed: a.Sealed}
	}
	return nil
}
