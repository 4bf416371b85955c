package signing

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"github.com/tamthe/tamthe/issuance"
)

// forgotten is where streams stand that the book has forgotten. Each entry names the hash of the
// one before it, so that the hash of the last holds the whole stream: what is forgotten is asked
// of the log again, and is what was judged or is refused. A national log has three streams a
// card, of which all but those of cards in the making are looked at again every few years.
type forgotten struct {
	stands map[short]stand
	secret [16]byte
	begun  bool // the book knows only what it was given since
	kept   int  // streams that the book held after it forgot the others
	most   int  // how many more it may hold
}

// short stands for a text. Nobody who does not know the secret of the process finds two texts
// that one stands for.
type short [16]byte

// stand is where a stream stands.
type stand struct {
	seq  uint32
	last [32]byte // hash of the leaf
}

// maxHeld is how many streams the book holds before it forgets: half a gigabyte, and the cards
// in the making of a day.
const maxHeld = 1 << 16

func newForgotten(most int) forgotten {
	f := forgotten{stands: map[short]stand{}, most: most}
	rand.Read(f.secret[:])
	return f
}

func (f *forgotten) short(text string) (s short) {
	sum := sha256.Sum256(append(f.secret[:], text...))
	copy(s[:], sum[:])
	return s
}

// forget lets the book forget applications, cards and persons where it holds many streams.
func (v *view) forget() {
	if v.book.Len() > v.kept+v.most {
		v.forgetNow()
	}
}

func (v *view) forgetNow() {
	v.book.Forget(func(id issuance.StreamID, _ issuance.Phase, seq uint64, last [32]byte) {
		v.stands[v.short(id.String())] = stand{uint32(seq), last}
	}, issuance.KindOperator, issuance.KindKey, issuance.KindStock, issuance.KindCeremony)
	v.begun, v.kept = true, v.book.Len()
}

// need has the book know streams, and what judging them rests on, though it forgot them. After
// an error that is not ErrLog it may be asked again.
func (v *view) need(ctx context.Context, l Log, ids ...issuance.StreamID) error {
	v.forget()
	if !v.begun {
		return nil
	}
	return v.book.Recall(ctx, recaller{v, l}, ids...)
}

// recaller reads from the log what the view has judged before.
type recaller struct {
	v *view
	l Log
}

// Recall implements [issuance.Recaller].
func (r recaller) Recall(ctx context.Context, id issuance.StreamID) ([]issuance.Entry, [][32]byte, error) {
	at, ok := r.v.stands[r.v.short(id.String())]
	if !ok {
		return nil, nil, nil // there was no entry of it so far
	}
	entries, err := r.l.Stream(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	if uint64(len(entries)) < uint64(at.seq) {
		return nil, nil, fmt.Errorf("%w: %s has %d entries, and had %d", ErrLog, id, len(entries), at.seq)
	}
	entries = entries[:at.seq] // what came since is judged in its turn
	hashes := make([][32]byte, len(entries))
	for i := range entries {
		e := &entries[i]
		leaf, err := e.Leaf()
		if err != nil || e.Stream != id || e.Seq != uint64(i)+1 || i > 0 && e.Prev != hashes[i-1] {
			return nil, nil, fmt.Errorf("%w: entry %d of %s is another than it was", ErrLog, i+1, id)
		}
		hashes[i] = issuance.LeafHash(leaf)
	}
	if hashes[at.seq-1] != at.last {
		return nil, nil, fmt.Errorf("%w: %s is another than it was", ErrLog, id)
	}
	return entries, hashes, nil
}
