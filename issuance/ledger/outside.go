package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/verify/receipt"
)

// CheckpointFile is the name of the newest checkpoint that is kept outside the store.
const CheckpointFile = "checkpoint"

// CosignedFile is the name of the newest checkpoint that witnesses cosigned, in
// Outside.Checkpoints. Whoever asks the witnesses keeps it there.
const CosignedFile = "cosigned"

// Outside says where checkpoints are kept outside the store, so that an older copy of the
// store put in its place is noticed.
type Outside struct {
	Checkpoints string // folder that gets the newest checkpoint; empty: no copy is kept
	Second      string // folder on another medium that gets it too; it must be there to append
}

// Cosigned returns the checkpoint of a log in CosignedFile; nil if there is none. It verifies
// nothing.
func (o Outside) Cosigned(origin string) *Checkpoint {
	if o.Checkpoints == "" {
		return nil
	}
	octets, err := os.ReadFile(filepath.Join(o.Checkpoints, CosignedFile))
	if err != nil {
		return nil
	}
	c, err := receipt.ParseCheckpoint(octets)
	if err != nil || c.Origin != origin {
		return nil
	}
	return c
}

// Kept is a checkpoint that lies outside the store.
type Kept struct {
	path   string
	octets []byte
}

// Read returns what is kept. It must be read before the store is, or an append between the
// two looks like a store rolled back.
func (o Outside) Read() []Kept {
	var list []Kept
	for _, name := range []struct{ folder, file string }{
		{o.Checkpoints, CheckpointFile}, {o.Checkpoints, CosignedFile}, {o.Second, CheckpointFile},
	} {
		if name.folder == "" {
			continue
		}
		path := filepath.Join(name.folder, name.file)
		if octets, err := os.ReadFile(path); err == nil {
			list = append(list, Kept{path, octets})
		}
	}
	return list
}

// checkpoint reads what is kept. It is nil where that is no checkpoint, or one of no entries:
// a cut in the middle of a copy may leave such a thing, and it proves nothing. A whole one that
// the log's key, nil if the log is empty, did not sign is ErrRolledBack: it is of the log that
// was here before, for a log has one key as long as it lives.
func (k Kept) checkpoint(v note.Verifier) (*Checkpoint, error) {
	c, err := receipt.ParseCheckpoint(k.octets)
	if err != nil || c.Size == 0 {
		return nil, nil
	}
	if v == nil {
		return nil, fmt.Errorf("%w: %s signs %d entries, the ledger has none", ErrRolledBack, k.path, c.Size)
	}
	if c, err = ParseCheckpoint(k.octets, v); err != nil {
		return nil, fmt.Errorf("%w: %s is not signed by the key of this log: %w", ErrRolledBack, k.path, err)
	}
	return c, nil
}

// Continues refuses a log of that size that does not continue what is kept of it: ErrRolledBack.
// v is the verifier of its key, nil if it is empty; rootAt tells the root that its tree had at
// an earlier size.
func Continues(known []Kept, size int64, v note.Verifier, rootAt func(size int64) (tlog.Hash, error)) error {
	for _, k := range known {
		last, err := k.checkpoint(v)
		if err != nil {
			return err
		}
		if last == nil {
			continue
		}
		if last.Size > size {
			return fmt.Errorf("%w: %s signs %d entries, the ledger has %d", ErrRolledBack, k.path, last.Size, size)
		}
		root, err := rootAt(last.Size)
		if err != nil {
			return err
		}
		if root != last.Root {
			return fmt.Errorf("%w: its first %d entries are others than %s signs", ErrRolledBack, last.Size, k.path)
		}
	}
	return nil
}

// SignsFor refuses to append to a log of that size with another key than its own: nobody would
// believe what that signs. ErrRolledBack.
func SignsFor(s note.Signer, size int64, v note.Verifier) error {
	if s == nil || size == 0 || s.Name() == v.Name() && s.KeyHash() == v.KeyHash() {
		return nil
	}
	return fmt.Errorf("%w: the log is that of another key", ErrRolledBack)
}

// ShownKept turns what is kept into what an audit holds the log against; foreign says which of
// it is not this log's.
func ShownKept(known []Kept, v note.Verifier) (shown []*Older, foreign []error) {
	for _, k := range known {
		switch c, err := k.checkpoint(v); {
		case err != nil:
			foreign = append(foreign, err)
		case c != nil:
			shown = append(shown, ShownCheckpoint("an older checkpoint", c))
		}
	}
	return shown, foreign
}

// folders are where copies go. The second medium must be there: an empty folder that is
// made in its place would know of nothing.
func (o Outside) folders() ([]string, error) {
	var list []string
	if o.Checkpoints != "" {
		if err := os.MkdirAll(o.Checkpoints, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		list = append(list, o.Checkpoints)
	}
	if o.Second != "" {
		if info, err := os.Stat(o.Second); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("%w: the second medium %s is not there", ErrCopy, o.Second)
		}
		list = append(list, o.Second)
	}
	return list, nil
}
