package receipt

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Continuation is a statement that a log continues what an older checkpoint of it signed, in
// the form in which C2SP tlog-witness has a log ask its witnesses.
type Continuation struct {
	Old        int64       // leaves under the older checkpoint
	Hashes     []tlog.Hash // RFC 6962 §2.1.2; none if there is nothing new
	Checkpoint []byte      // the newer signed checkpoint, verbatim
}

// ErrContinuation means that the log does not continue what the older checkpoint signed: it
// was rewritten, or cut off.
var ErrContinuation = errors.New("the log does not continue the older checkpoint")

// MarshalText returns the statement as text. Errors wrap ErrFormat.
func (c *Continuation) MarshalText() ([]byte, error) {
	if c.Old < 0 || len(c.Hashes) > MaxHashes || len(c.Checkpoint) > MaxCheckpoint {
		return nil, ErrFormat
	}
	b := fmt.Appendf(nil, "old %d\n", c.Old)
	for _, h := range c.Hashes {
		b = append(base64.StdEncoding.AppendEncode(b, h[:]), '\n')
	}
	return append(append(b, '\n'), c.Checkpoint...), nil
}

// ParseContinuation reads the text of a statement. It is total: what is not in the one form is
// ErrFormat. It verifies nothing.
func ParseContinuation(text []byte) (*Continuation, error) {
	first, rest, ok := bytes.Cut(text, []byte("\n"))
	size, is := bytes.CutPrefix(first, []byte("old "))
	if len(text) > MaxProof || !ok || !is {
		return nil, fmt.Errorf("%w: it does not begin with the old size", ErrFormat)
	}
	c := new(Continuation)
	var err error
	if c.Old, err = ParseSize(string(size)); err != nil {
		return nil, err
	}
	hashes, signed, err := ReadHashes(string(rest))
	if err != nil {
		return nil, err
	}
	if _, err := ParseCheckpoint([]byte(signed)); err != nil {
		return nil, err
	}
	c.Hashes, c.Checkpoint = hashes, []byte(signed)
	return c, nil
}

// Verify checks that the log, as its newer checkpoint signs it, continues the older one. Both
// are signed as the policy asks, the older one by the log alone. It returns the newer
// checkpoint. Errors wrap ErrFormat, ErrLog, ErrQuorum or ErrContinuation.
func (c *Continuation) Verify(older []byte, policy Policy) (*Proven, error) {
	before, _, err := Policy{Logs: policy.Logs}.Open(older)
	if err != nil {
		return nil, fmt.Errorf("older checkpoint: %w", err)
	}
	now, cosigned, err := policy.Open(c.Checkpoint)
	if err != nil {
		return nil, err
	}
	switch {
	case now.Origin != before.Origin:
		return nil, fmt.Errorf("%w: it is another log's", ErrContinuation)
	case c.Old != before.Size:
		return nil, fmt.Errorf("%w: the proof is for %d leaves, not %d", ErrContinuation, c.Old, before.Size)
	case before.Size > now.Size:
		return nil, fmt.Errorf("%w: it has %d leaves, and had %d", ErrContinuation, now.Size, before.Size)
	case before.Size == now.Size && before.Root != now.Root:
		return nil, fmt.Errorf("%w: it has other leaves", ErrContinuation)
	case (before.Size == 0 || before.Size == now.Size) && len(c.Hashes) > 0:
		return nil, fmt.Errorf("%w: hashes where nothing is to be proven", ErrFormat)
	}
	if before.Size > 0 && before.Size < now.Size {
		if err := tlog.CheckTree(c.Hashes, now.Size, now.Root, before.Size, before.Root); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrContinuation, err)
		}
	}
	return &Proven{Checkpoint: *now, Index: -1, Witnesses: cosigned}, nil
}
