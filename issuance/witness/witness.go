// Package witness watches transparency logs for others, and asks such witnesses.
//
// A witness cosigns a log's checkpoint only if it continues the newest that it cosigned
// before (C2SP tlog-witness). Whoever holds the log's key and its database can still
// rewrite it, but no longer get a cosignature for what contradicts the past. A [Witness]
// keeps nothing but the newest checkpoint of each log; a [Keeper] is the log's side.
package witness

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/receipt"
)

// ErrState means that the witness's own folder cannot be used: another program holds it,
// or what lies there is not what this witness wrote. It cosigns nothing then.
var ErrState = errors.New("the state of the witness cannot be used")

// Witness cosigns the checkpoints of logs. Several goroutines may use it at once; no
// other process may have its folder open.
type Witness struct {
	// Refused is told of each checkpoint that its log signed and that is not shown to continue
	// what was cosigned before, be it that it does not, or that the proof is nonsense: whoever
	// asks may have it told the same one again and again. What was cosigned itself is not told.
	// It is set before the witness is used; nil is told nothing.
	Refused func(*receipt.Checkpoint)

	dir    string
	key    *receipt.Cosigner
	logs   map[string][]note.Verifier // by origin
	now    func() time.Time
	unlock func()

	mu sync.Mutex // from reading the newest checkpoint to having the next on the disk
}

// Open opens the folder of a witness, which is made if it is not there, for the logs of
// the given keys, each named as its log's origin. Errors wrap ErrState where another
// program has the folder.
func Open(dir string, key *receipt.Cosigner, now func() time.Time, logs ...note.Verifier) (*Witness, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the witness %s: %w", dir, err)
	}
	unlock, err := durable.Lock(filepath.Join(dir, "lock"), 0)
	if err != nil {
		return nil, fmt.Errorf("open the witness %s: %w: %w", dir, ErrState, err)
	}
	w := &Witness{dir: dir, key: key, logs: map[string][]note.Verifier{}, now: now, unlock: unlock}
	for _, v := range logs {
		w.logs[v.Name()] = append(w.logs[v.Name()], v)
	}
	return w, nil
}

// Close gives the folder up.
func (w *Witness) Close() { w.unlock() }

// Refusal is why a checkpoint was not cosigned, by the status that C2SP tlog-witness has
// for it.
type Refusal struct {
	Status int
	Size   int64 // for 409: the size of the newest checkpoint that was cosigned
	Why    string
}

// Error tells the status and why.
func (r *Refusal) Error() string { return fmt.Sprintf("not cosigned: %s (%d)", r.Why, r.Status) }

// The statuses of a Refusal.
const (
	BadRequest    = 400 // it cannot be read, or its old size is beyond its size
	Forbidden     = 403 // not signed by a key that the witness knows for the origin
	NotFound      = 404 // the witness does not watch this log
	Conflict      = 409 // the old size is not that of the newest cosigned checkpoint
	Unprocessable = 422 // it does not continue what was cosigned before
)

// Add takes the body of an add-checkpoint request and returns the line of the
// cosignature, once the checkpoint is on the disk as the newest of its log. What it does
// not cosign is a *Refusal; any other error is the witness's own trouble.
func (w *Witness) Add(body []byte) ([]byte, error) {
	r, err := parseRequest(body)
	if err != nil {
		return nil, &Refusal{Status: BadRequest, Why: err.Error()}
	}
	keys, ok := w.logs[r.checkpoint.Origin]
	if !ok {
		return nil, &Refusal{Status: NotFound, Why: "this log is not watched"}
	}
	c, _, err := receipt.Policy{Logs: keys}.Open(r.checkpoint.Note)
	if err != nil {
		return nil, &Refusal{Status: Forbidden, Why: err.Error()}
	}
	if r.old > c.Size {
		return nil, &Refusal{Status: BadRequest, Why: fmt.Sprintf("old size %d of %d", r.old, c.Size)}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	newest, err := w.newest(c.Origin)
	if err != nil {
		return nil, err
	}
	if newest.Size != r.old {
		return nil, &Refusal{Status: Conflict, Size: newest.Size, Why: fmt.Sprintf("the newest that was cosigned has %d entries", newest.Size)}
	}
	if err := continues(newest, c, r.proof); err != nil {
		if w.Refused != nil && (c.Size != newest.Size || c.Root != newest.Root) {
			w.Refused(c)
		}
		return nil, &Refusal{Status: Unprocessable, Why: err.Error()}
	}
	return w.cosign(c)
}

// Continue cosigns a checkpoint of a log that the witness's owner has read itself. prove
// proves that the log of one size continues that of another. It returns as Add does.
func (w *Witness) Continue(c *receipt.Checkpoint, prove func(older, newer int64) ([]tlog.Hash, error)) ([]byte, error) {
	w.mu.Lock()
	newest, err := w.newest(c.Origin)
	w.mu.Unlock()
	if err != nil {
		return nil, err
	}
	r := &request{old: newest.Size, checkpoint: c}
	if newest.Size < c.Size {
		if r.proof, err = prove(newest.Size, c.Size); err != nil {
			return nil, err
		}
	}
	return w.Add(r.text())
}

// continues checks that a checkpoint continues the newest one.
func continues(newest, c *receipt.Checkpoint, proof []tlog.Hash) error {
	switch {
	case newest.Size == 0:
		if len(proof) > 0 {
			return errors.New("a proof from an empty log")
		}
		return nil
	case newest.Size == c.Size:
		if newest.Root != c.Root || len(proof) > 0 {
			return errors.New("another root at the same size")
		}
		return nil
	}
	if err := tlog.CheckTree(proof, c.Size, c.Root, newest.Size, newest.Root); err != nil {
		return errors.New("the proof of consistency does not verify")
	}
	return nil
}

// cosign writes the checkpoint down as the newest, with the cosignature, and only then
// gives the cosignature away. Signatures of strangers are not kept.
func (w *Witness) cosign(c *receipt.Checkpoint) ([]byte, error) {
	line, err := w.key.Cosign(c, w.now())
	if err != nil {
		return nil, err
	}
	n, err := note.Open(c.Note, note.VerifierList(w.logs[c.Origin]...))
	if err != nil {
		return nil, err
	}
	n.UnverifiedSigs = nil
	kept, err := note.Sign(n)
	if err != nil {
		return nil, err
	}
	folder := w.folder(c.Origin)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	if err := durable.Replace(filepath.Join(folder, checkpointFile), append(kept, line...), 0o600); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	return line, nil
}

const checkpointFile = "checkpoint"

// folder is that of one log, named as in the address of C2SP tlog-witness's monitors.
func (w *Witness) folder(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return filepath.Join(w.dir, hex.EncodeToString(sum[:]))
}

// Newest returns the newest checkpoint of a log with the signatures of the log and the
// witness; fs.ErrNotExist if it never cosigned one.
func (w *Witness) Newest(origin string) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, err := w.newest(origin)
	if err == nil && c.Note == nil {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	return c.Note, nil
}

// newest reads the newest checkpoint, of size 0 if there is none. One that this witness
// did not sign is an error: to take it for none would be to begin the log anew.
func (w *Witness) newest(origin string) (*receipt.Checkpoint, error) {
	signed, err := os.ReadFile(filepath.Join(w.folder(origin), checkpointFile))
	if errors.Is(err, fs.ErrNotExist) {
		return &receipt.Checkpoint{Origin: origin}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	policy := receipt.Policy{Logs: w.logs[origin], Witnesses: []*receipt.WitnessKey{w.key.WitnessKey}, Quorum: 1}
	c, _, err := policy.Open(signed)
	if err != nil || c.Origin != origin {
		return nil, fmt.Errorf("%w: the checkpoint of %s: %w", ErrState, origin, err)
	}
	return c, nil
}

// request is the body of an add-checkpoint call.
type request struct {
	old        int64
	proof      []tlog.Hash
	checkpoint *receipt.Checkpoint
}

// MaxRequest is the largest request in octets.
const MaxRequest = receipt.MaxCheckpoint + 64*45 + 64

func (r *request) text() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "old %d\n", r.old)
	for _, h := range r.proof {
		b.WriteString(h.String() + "\n")
	}
	b.WriteByte('\n')
	b.Write(r.checkpoint.Note)
	return []byte(b.String())
}

// parseRequest is total and bounded.
func parseRequest(body []byte) (*request, error) {
	first, rest, ok := bytes.Cut(body, []byte("\n"))
	size, is := bytes.CutPrefix(first, []byte("old "))
	if len(body) > MaxRequest || !ok || !is {
		return nil, errors.New("it does not begin with the old size")
	}
	r := new(request)
	var err error
	if r.old, err = receipt.ParseSize(string(size)); err != nil {
		return nil, err
	}
	hashes, signed, err := receipt.ReadHashes(string(rest))
	if err != nil {
		return nil, err
	}
	r.proof = hashes
	if r.checkpoint, err = receipt.ParseCheckpoint([]byte(signed)); err != nil {
		return nil, err
	}
	return r, nil
}
