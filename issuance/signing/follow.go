package signing

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify/receipt"
)

// Log is the ledger as the service uses it. Every store has these.
type Log interface {
	issuance.Ledger
	// Entries calls each for every entry from an index on, in their order, until it errs.
	Entries(ctx context.Context, from int64, each func(index int64, leaf, payload []byte) error) error
	// Checkpoint returns the newest one; the service verifies it itself.
	Checkpoint(ctx context.Context) (*ledger.Checkpoint, error)
	// Prove returns a proof that an entry is in the log, under the newest checkpoint that the
	// witnesses cosigned if there is one that has the entry.
	Prove(ctx context.Context, index int64) (*receipt.Proof, error)
}

// view is what the service knows of the log, because it read and judged every entry of it
// in its order. Of most streams it holds only where they stand, see forget.go.
type view struct {
	pin      Pin
	verifier note.Verifier
	last     *ledger.Checkpoint // one that must lie on the way; nil: none
	book     *issuance.Book
	tree     *ledger.Tree
	forgotten
	roots    map[int64]tlog.Hash    // of the last sizes, to hold proofs against
	claimed  map[short]struct{}     // what no second stream may claim
	signers  []string               // document signers in the order of their making
	used     map[string]int         // the last number of use of each
	issued   map[object]publication // what was issued last under each key
	prepared map[string]logged      // leaves that announce cards not signed yet
	revoked  []revocation           // of keys, in their order
	latest   time.Time              // the latest that an entry was dated
	approval map[string]approval    // of applications that nobody has ended
	places   map[string]places      // by status list
}

// object is a kind of thing that a key issues.
type object struct{ key, kind string }

// publication is what was issued, by its digest, and when.
type publication struct {
	digest string
	index  int64
}

// logged is a leaf with its place.
type logged struct {
	entry [16]byte
	leaf  []byte
	index int64
}

// revocation is when and where a key was revoked.
type revocation struct {
	time  time.Time
	index int64
}

// approval is whose key approved an application, and the latest time that any entry up to it
// was dated: a date can be put back, a place in the log can't.
type approval struct {
	by     issuance.KeyID
	latest time.Time
}

// manyRoots is how far back proofs are taken.
const manyRoots = 4096

func newView(p Pin, most int) (*view, error) {
	v, err := note.NewVerifier(p.LogKey)
	if err != nil {
		return nil, fmt.Errorf("the pinned key of the log: %w", err)
	}
	book := issuance.NewBook(p.Origin)
	book.Whole(issuance.KindOperator) // which are never forgotten
	return &view{
		pin: p, verifier: v, book: book, tree: &ledger.Tree{}, roots: map[int64]tlog.Hash{},
		forgotten: newForgotten(most), claimed: map[short]struct{}{}, used: map[string]int{}, issued: map[object]publication{}, prepared: map[string]logged{},
		approval: map[string]approval{}, places: map[string]places{},
	}, nil
}

// follow reads the log up to its newest checkpoint. What it returns is signed by the log's key,
// is what the entries add up to, and holds no entry that the rules do not allow. After ErrLog
// the view is of no more use. After another error, where the log could not be read to its end,
// nothing may rest on the view until follow has gone on and returned none.
func (v *view) follow(ctx context.Context, l Log) (*ledger.Checkpoint, error) {
	said, err := l.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	now, err := ledger.ParseCheckpoint(said.Note, v.verifier)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrLog, err)
	case now.Size < v.tree.Size() || v.last != nil && now.Size < v.last.Size:
		return nil, fmt.Errorf("%w: it was rolled back to %d entries", ErrLog, now.Size)
	case now.Size == 0:
		return nil, fmt.Errorf("%w: it is empty", ErrLog)
	}
	err = l.Entries(ctx, v.tree.Size(), func(index int64, leaf, payload []byte) error {
		if index >= now.Size {
			return errEnough
		}
		return v.take(ctx, l, index, leaf, payload, now.Size)
	})
	switch {
	case err != nil && !errors.Is(err, errEnough):
		return nil, err
	case v.tree.Size() != now.Size || v.tree.Root() != now.Root:
		return nil, fmt.Errorf("%w: its entries are others than its checkpoint signs", ErrLog)
	}
	if err := v.book.Complete(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLog, err)
	}
	return now, nil
}

var errEnough = errors.New("enough")

// take judges the next entry.
func (v *view) take(ctx context.Context, l Log, index int64, leaf, payload []byte, end int64) error {
	e, err := issuance.ParseEntry(leaf, payload)
	hash := issuance.LeafHash(leaf)
	switch {
	case index != v.tree.Size():
		return fmt.Errorf("%w: entry %d comes after %d", ErrLog, index, v.tree.Size()-1)
	case index == 0 && hash != v.pin.Founding:
		return fmt.Errorf("%w: its first entry is another", ErrLog)
	case index > 0 && e.Act == issuance.Init && err == nil && e.Stream.Kind == issuance.KindOperator:
		return fmt.Errorf("%w: a second first entry at %d", ErrLog, index)
	case err != nil:
		return fmt.Errorf("%w: entry %d: %w", ErrLog, index, err)
	}
	if err := v.need(ctx, l, issuance.About(e)...); err != nil {
		return err
	}
	if err := v.book.Apply(e); err != nil {
		return fmt.Errorf("%w: entry %d: %w", ErrLog, index, err)
	}
	if err := v.claim(&e); err != nil {
		return fmt.Errorf("%w: entry %d: %w", ErrLog, index, err)
	}
	v.note(&e, logged{e.ID, append([]byte(nil), leaf...), index})
	v.tree.Append(hash)
	if size := v.tree.Size(); end-size < manyRoots || v.last != nil && v.last.Size == size {
		root := v.tree.Root()
		v.roots[size] = root
		delete(v.roots, size-manyRoots)
		if v.last != nil && v.last.Size == size && v.last.Root != root {
			return fmt.Errorf("%w: its first %d entries are others than they were", ErrLog, size)
		}
	}
	return nil
}

// unique are the claims that the service counts for itself: a database without its
// constraints could let two cards have one key.
var unique = map[issuance.ClaimKind]bool{
	issuance.ClaimChip: true, issuance.ClaimChipKey: true, issuance.ClaimCardID: true, issuance.ClaimUse: true,
}

func (v *view) claim(e *issuance.Entry) error {
	for _, c := range e.Claims {
		if !unique[c.Kind] {
			continue
		}
		key := v.short(string(c.Kind) + " " + c.Value)
		if _, taken := v.claimed[key]; taken {
			return fmt.Errorf("%s is claimed twice: %w", c.Kind, issuance.ErrConflict)
		}
		v.claimed[key] = struct{}{}
	}
	return nil
}

// note keeps what the rules do not ask for.
func (v *view) note(e *issuance.Entry, at logged) {
	if e.Time.After(v.latest) {
		v.latest = e.Time
	}
	v.place(e)
	switch {
	case e.Stream.Kind == issuance.KindApplication && e.Act == issuance.Approve:
		v.approval[e.Stream.ID] = approval{e.Operator, v.latest}
	case e.Stream.Kind == issuance.KindApplication && (e.Act == issuance.Issue || e.Act == issuance.Reject || e.Act == issuance.Cancel):
		delete(v.approval, e.Stream.ID)
	case e.Stream.Kind == issuance.KindKey && e.Act == issuance.Generate && e.Fields["usage"] == usageSigner:
		v.signers = append(v.signers, e.Stream.ID)
	case e.Stream.Kind == issuance.KindKey && e.Act == issuance.Issue:
		v.issued[object{e.Stream.ID, e.Fields["object"]}] = publication{e.Fields["issued"], at.index}
	case e.Stream.Kind == issuance.KindKey && e.Act == issuance.Revoke:
		v.revoked = append(v.revoked, revocation{e.Time, at.index})
	case e.Stream.Kind == issuance.KindCard && e.Act == issuance.Prepare:
		v.prepared[e.Stream.ID] = at
		for _, c := range e.Claims {
			name, n := useOf(c)
			v.used[name] = max(v.used[name], n)
		}
	case e.Stream.Kind == issuance.KindCard && (e.Act == issuance.Sign || e.Act == issuance.Spoil):
		delete(v.prepared, e.Stream.ID)
	}
}

// usageSigner is what a document signer's key is for, as the log says it.
const usageSigner = "ds"

// useOf reads the claim by which a document signer's uses are counted, NAME:N.
func useOf(c issuance.Claim) (name string, n int) {
	if c.Kind != issuance.ClaimUse {
		return "", 0
	}
	name, number, _ := strings.Cut(c.Value, ":")
	n, _ = strconv.Atoi(number)
	return name, n
}
