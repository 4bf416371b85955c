// Package receipt reads and checks what a transparency log gives out: checkpoints
// (C2SP tlog-checkpoint over signed-note), the cosignatures of witnesses
// (tlog-cosignature, the Ed25519 kind) and proofs that a leaf is in the log (tlog-proof).
//
// A proof is checked without a network and without the log: against the keys of logs and
// witnesses that the verifier pinned. Everything is bounded, and one statement has one
// encoding: a proof that was changed in any octet is refused.
//
// The package returns findings of its own; package verify maps them to checks.
package receipt

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Bounds of what is read.
const (
	MaxCheckpoint = 16 << 10 // octets of a signed checkpoint
	MaxProof      = 96 << 10 // octets of a proof as text
	MaxExtra      = 1 << 16  // octets of extra data
	MaxSignatures = 16       // on a checkpoint (C2SP signed-note asks for at least as many)
	MaxHashes     = 63       // of an inclusion or consistency proof
	maxName       = 255
)

// Why a proof is refused.
var (
	// ErrFormat means that octets are not what they should be, or not in their one form.
	ErrFormat = errors.New("not a well-formed proof")
	// ErrLog means that no pinned log key signed the checkpoint, or a signature is false.
	ErrLog = errors.New("not signed by a log that is trusted")
	// ErrQuorum means that too few of the pinned witnesses cosigned the checkpoint.
	ErrQuorum = errors.New("too few witnesses cosigned the checkpoint")
	// ErrInclusion means that the checkpoint does not cover the leaf at that place.
	ErrInclusion = errors.New("the leaf is not in the log that the checkpoint signs")
)

// Policy says whom to believe. The zero Policy believes nobody.
type Policy struct {
	Logs      []note.Verifier // keys of logs, each named as its log's origin
	Witnesses []*WitnessKey
	Quorum    int // how many of the witnesses must have cosigned; 0 asks for none
}

// Proof is a statement that a leaf is in a log, C2SP tlog-proof v1.
type Proof struct {
	Index      int64
	Hashes     []tlog.Hash // from the leaf's sibling up (RFC 6962 §2.1.1)
	Checkpoint []byte      // the signed checkpoint, verbatim
	Extra      []byte      // nobody vouches for it; nil if there is none
}

// Cosigned is one witness's statement: it saw a log that is consistent with all it saw
// before, up to this checkpoint, at that time.
type Cosigned struct {
	Witness string
	Time    time.Time
}

// Proven is what a good proof shows.
type Proven struct {
	Checkpoint
	Index     int64
	Witnesses []Cosigned // of the policy, in the policy's order
}

// Verify checks that the leaf is in a log of the policy, at the proof's index, under a
// checkpoint that the log and enough witnesses signed. Errors wrap one of ErrFormat,
// ErrLog, ErrQuorum, ErrInclusion, and nothing else is told with them.
func Verify(p *Proof, leaf []byte, policy Policy) (*Proven, error) {
	c, witnesses, err := policy.Open(p.Checkpoint)
	if err != nil {
		return nil, err
	}
	if p.Index < 0 || p.Index >= c.Size || len(p.Hashes) > MaxHashes {
		return nil, fmt.Errorf("%w: entry %d of %d", ErrInclusion, p.Index, c.Size)
	}
	if err := tlog.CheckRecord(p.Hashes, c.Size, c.Root, p.Index, tlog.RecordHash(leaf)); err != nil {
		return nil, fmt.Errorf("%w: entry %d", ErrInclusion, p.Index)
	}
	return &Proven{*c, p.Index, witnesses}, nil
}

// Open verifies a signed checkpoint under the policy. Signatures by keys that the policy
// does not name are passed over; a false one by a key that it names refuses the whole.
func (p Policy) Open(signed []byte) (*Checkpoint, []Cosigned, error) {
	if _, err := ParseCheckpoint(signed); err != nil {
		return nil, nil, err
	}
	keys := append([]note.Verifier(nil), p.Logs...)
	for _, w := range p.Witnesses {
		keys = append(keys, w)
	}
	n, err := note.Open(signed, note.VerifierList(keys...))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrLog, err)
	}
	c, err := parseText(n.Text)
	if err != nil {
		return nil, nil, err
	}
	if !c.signedBy(n, p.Logs) {
		return nil, nil, fmt.Errorf("%w: the log %q", ErrLog, c.Origin)
	}
	c.Note = append([]byte(nil), signed...)
	seen := p.cosigned(n)
	if len(seen) < p.Quorum {
		return nil, nil, fmt.Errorf("%w: %d of %d", ErrQuorum, len(seen), p.Quorum)
	}
	return c, seen, nil
}

func (c *Checkpoint) signedBy(n *note.Note, logs []note.Verifier) bool {
	for _, v := range logs {
		if v.Name() != c.Origin {
			continue
		}
		for _, s := range n.Sigs {
			if s.Name == v.Name() && s.Hash == v.KeyHash() {
				return true
			}
		}
	}
	return false
}

func (p Policy) cosigned(n *note.Note) []Cosigned {
	var list []Cosigned
	seen := map[string]bool{}
	for _, w := range p.Witnesses {
		for _, s := range n.Sigs {
			if s.Name != w.Name() || s.Hash != w.KeyHash() || seen[string(w.key)] {
				continue
			}
			if at, ok := cosignedAt(s); ok {
				seen[string(w.key)] = true // one key under two names is one witness
				list = append(list, Cosigned{w.Name(), at})
			}
		}
	}
	return list
}
