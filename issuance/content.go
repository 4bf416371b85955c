package issuance

import (
	"fmt"
	"slices"
	"strings"
)

// Part is one part of what an approval is for, by the SHA-256 of its octets: a data group,
// what is printed, a word of the application.
type Part struct {
	Name   string // a word of small letters, digits and hyphens, at most 32
	Digest [32]byte
}

// MaxParts bounds the parts of one content.
const MaxParts = 32

// contentForm marks form 2 of a content. Form 1, which ledgers begun before it hold, is a
// row of whole parts, each behind its length in four octets, and so begins with a zero.
const contentForm = "tamthe content v2\x00"

// CommitParts returns form 2 of the commitment [Content]: [Commit] to
// "tamthe content v2", a zero octet and, in ascending order of names, for each part its
// name behind one octet of length and its digest.
//
// Whoever is shown salt and digests can tell that they are what was approved, and is told
// nothing else about the person: so a signer compares the hashes of data groups with an
// approval and never sees the groups. A name twice, or out of form, is ErrEntry.
func CommitParts(salt [32]byte, parts ...Part) ([32]byte, error) {
	if len(parts) == 0 || len(parts) > MaxParts {
		return [32]byte{}, fmt.Errorf("%w: a content of %d parts", ErrEntry, len(parts))
	}
	parts = slices.Clone(parts)
	slices.SortFunc(parts, func(a, b Part) int { return strings.Compare(a.Name, b.Name) })
	b := []byte(contentForm)
	for i, p := range parts {
		if !validWord(p.Name, maxFieldName) || i > 0 && parts[i-1].Name == p.Name {
			return [32]byte{}, fmt.Errorf("%w: part %q of a content", ErrEntry, p.Name)
		}
		b = appendShort(b, p.Name)
		b = append(b, p.Digest[:]...)
	}
	return Commit(salt, b), nil
}
