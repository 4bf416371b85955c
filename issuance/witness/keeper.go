package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/receipt"
)

var (
	// ErrUnwitnessed means that too few witnesses cosigned the log lately, or at all.
	ErrUnwitnessed = errors.New("too few witnesses have cosigned the log")
	// ErrContradicted means that a witness has seen another log under this name: the
	// ledger was rolled back, rewritten or forked, or it lies in two places.
	ErrContradicted = errors.New("a witness has seen another log than this")
)

// Log is the ledger that is watched.
type Log interface {
	Checkpoint(ctx context.Context) (*receipt.Checkpoint, error)
	Consistency(ctx context.Context, older, newer int64) ([]tlog.Hash, error)
}

// Peer is a witness and where it listens: http:// or https:// and the prefix of its
// address, or unix: and the path of a socket.
type Peer struct {
	Key *receipt.WitnessKey
	URL string
}

// Keeper fetches cosignatures for a log and keeps the newest checkpoint that has them.
// One goroutine may use it at a time. A nil Keeper, and one without peers, asks nobody
// and is content.
type Keeper struct {
	Log    Log
	Key    note.Verifier // of the log
	Peers  []Peer
	Quorum int           // how many must cosign; 0 is all
	Within time.Duration // how old their newest cosignatures may be; 0 is any age
	File   string        // where the cosigned checkpoint is kept
	Now    func() time.Time
	Client *http.Client // nil: one that waits ten seconds
}

// Fresh asks the witnesses for the newest checkpoint, and is content if enough of them
// cosigned this one or an earlier one no longer ago than Within. ErrUnwitnessed if not:
// personalising must stop. ErrContradicted, at once, if a witness has seen another log.
func (k *Keeper) Fresh(ctx context.Context) error {
	if k.idle() {
		return nil
	}
	asked := k.refresh(ctx)
	if errors.Is(asked, ErrContradicted) {
		return asked
	}
	_, seen, err := k.kept()
	if err != nil {
		return errors.Join(err, asked)
	}
	enough := 0
	for _, s := range seen {
		if k.Within == 0 || k.Now().Sub(s.Time) <= k.Within {
			enough++
		}
	}
	if enough < k.quorum() {
		return errors.Join(fmt.Errorf("%w within %s: %d of %d", ErrUnwitnessed, k.Within, enough, k.quorum()), asked)
	}
	return nil
}

// Cover asks the witnesses until enough of them cosigned a checkpoint of at least so many
// entries. Errors are those of Fresh.
func (k *Keeper) Cover(ctx context.Context, size int64) error {
	if k.idle() {
		return nil
	}
	if c, seen, err := k.kept(); err == nil && c.Size >= size && len(seen) >= k.quorum() {
		return nil
	}
	if err := k.refresh(ctx); err != nil {
		return err
	}
	c, seen, err := k.kept()
	if err != nil {
		return err
	}
	if c.Size < size || len(seen) < k.quorum() {
		return fmt.Errorf("%w: %d of %d, of %d entries", ErrUnwitnessed, len(seen), k.quorum(), c.Size)
	}
	return nil
}

func (k *Keeper) idle() bool { return k == nil || len(k.Peers) == 0 }

func (k *Keeper) quorum() int {
	if k.Quorum > 0 {
		return min(k.Quorum, len(k.Peers))
	}
	return len(k.Peers)
}

func (k *Keeper) policy() receipt.Policy {
	p := receipt.Policy{Logs: []note.Verifier{k.Key}}
	for _, peer := range k.Peers {
		p.Witnesses = append(p.Witnesses, peer.Key)
	}
	return p
}

// kept reads the cosigned checkpoint; one of no entries if there is none.
func (k *Keeper) kept() (*receipt.Checkpoint, []receipt.Cosigned, error) {
	signed, err := os.ReadFile(k.File)
	if errors.Is(err, os.ErrNotExist) {
		return &receipt.Checkpoint{}, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the cosigned checkpoint: %w", err)
	}
	c, seen, err := k.policy().Open(signed)
	if err != nil { // of another key or torn: it proves nothing
		return &receipt.Checkpoint{}, nil, nil
	}
	return c, seen, nil
}

// refresh asks every witness that has not cosigned the newest checkpoint yet, and keeps
// what it gets if there is a quorum, or if nothing was kept before.
func (k *Keeper) refresh(ctx context.Context) error {
	c, err := k.Log.Checkpoint(ctx)
	if err != nil {
		return err
	}
	before, seen, err := k.kept()
	if err != nil {
		return err
	}
	signed := bytes.Clone(c.Note)
	if before.Size == c.Size && before.Root == c.Root {
		signed = before.Note
	} else {
		seen = nil
	}
	var failed error
	got := len(seen)
	for _, peer := range k.Peers {
		if has(seen, peer) && !k.ages(seen, peer) {
			continue
		}
		line, err := k.ask(ctx, peer, c, before.Size)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("witness %s: %w", peer.Key.Name(), err))
			continue
		}
		signed = append(without(signed, peer), line...)
		got++
	}
	if got >= k.quorum() || before.Note == nil && got > 0 {
		if err := durable.Replace(k.File, signed, 0o600); err != nil {
			return fmt.Errorf("keep the cosigned checkpoint: %w", err)
		}
		if !errors.Is(failed, ErrContradicted) {
			return nil
		}
	}
	return failed
}

func has(seen []receipt.Cosigned, p Peer) bool {
	for _, s := range seen {
		if s.Witness == p.Key.Name() {
			return true
		}
	}
	return false
}

// ages says whether a cosignature is past half of the time it is good for.
func (k *Keeper) ages(seen []receipt.Cosigned, p Peer) bool {
	for _, s := range seen {
		if s.Witness == p.Key.Name() && k.Within > 0 && k.Now().Sub(s.Time) > k.Within/2 {
			return true
		}
	}
	return false
}

// without takes a witness's line out, to be replaced by a newer one.
func without(signed []byte, p Peer) []byte {
	var b []byte
	for line := range bytes.Lines(signed) {
		if !bytes.HasPrefix(line, []byte("— "+p.Key.Name()+" ")) {
			b = append(b, line...)
		}
	}
	return b
}

// ask has one witness cosign the checkpoint, beginning at the size that it should have
// seen, and again at the size that it says it has.
func (k *Keeper) ask(ctx context.Context, p Peer, c *receipt.Checkpoint, old int64) ([]byte, error) {
	for range 4 {
		proof, err := k.Log.Consistency(ctx, old, c.Size)
		if err != nil {
			return nil, err
		}
		line, err := k.post(ctx, p, (&request{old, proof, c}).text())
		refused, is := errors.AsType[*Refusal](err)
		switch {
		case err == nil:
			return k.own(p, c, line)
		case is && refused.Status == Conflict && refused.Size > c.Size:
			return nil, fmt.Errorf("%w: it cosigned %d entries, the ledger has %d", ErrContradicted, refused.Size, c.Size)
		case is && refused.Status == Conflict && refused.Size != old:
			old = refused.Size
		case is && refused.Status == Unprocessable:
			return nil, fmt.Errorf("%w: the first %d entries are others", ErrContradicted, old)
		default:
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: it moves on while it is asked", ErrUnwitnessed)
}

// own picks the witness's line out of its answer and verifies it.
func (k *Keeper) own(p Peer, c *receipt.Checkpoint, answer []byte) ([]byte, error) {
	for line := range bytes.Lines(answer) {
		signed := append(bytes.Clone(c.Note), line...)
		policy := receipt.Policy{Logs: []note.Verifier{k.Key}, Witnesses: []*receipt.WitnessKey{p.Key}, Quorum: 1}
		if _, _, err := policy.Open(signed); err == nil {
			return bytes.Clone(line), nil
		}
	}
	return nil, fmt.Errorf("%w: its answer is not its cosignature", ErrUnwitnessed)
}

// post sends the request; an answer that is no cosignature is a *Refusal.
func (k *Keeper) post(ctx context.Context, p Peer, body []byte) ([]byte, error) {
	address, client := p.URL, k.Client
	if client == nil {
		client = &http.Client{Timeout: 10 * time.Second}
	}
	if socket, ok := strings.CutPrefix(address, "unix:"); ok {
		address = "http://witness"
		client = &http.Client{Timeout: client.Timeout, Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Clean(socket))
			},
		}}
	}
	in, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(address, "/")+"/add-checkpoint", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	out, err := client.Do(in)
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(out.Body, receipt.MaxCheckpoint))
	if err != nil {
		return nil, err
	}
	if out.StatusCode == http.StatusOK {
		return answer, nil
	}
	refused := &Refusal{Status: out.StatusCode, Why: strings.TrimSpace(string(answer[:min(len(answer), 200)]))}
	if out.StatusCode == Conflict {
		if refused.Size, err = receipt.ParseSize(strings.TrimSuffix(string(answer), "\n")); err != nil {
			return nil, err
		}
	}
	return nil, refused
}
