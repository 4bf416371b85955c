package status

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"

	"github.com/tamthe/tamthe/card/cert"
)

// ErrBase says that a delta cannot be made of that list: it is no snapshot of that sort,
// it is another list's, or it has cards that are not there any more.
var ErrBase = errors.New("not the snapshot of this delta")

// Draft is what will be signed, and only that, so that it can be recorded before.
type Draft struct{ tbs []byte }

// Digest is the SHA-256 of what will be signed.
func (d *Draft) Digest() [32]byte { return sha256.Sum256(message(d.tbs)) }

// Sign signs the draft with the key that it was made for and returns the list.
func (d *Draft) Sign(key crypto.Signer) ([]byte, error) {
	alg, err := cert.DefaultAlgorithm(key.Public())
	if err != nil {
		return nil, err
	}
	sig, err := cert.SignMessage(key, alg, message(d.tbs))
	if err != nil {
		return nil, fmt.Errorf("sign the status list: %w", err)
	}
	b := cryptobyte.NewBuilder(bytes.Clone(d.tbs))
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(sig) })
	list, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	e, err := open(list)
	if err != nil {
		return nil, err
	}
	if err := e.verify(); err != nil {
		return nil, fmt.Errorf("sign the status list: %w", err)
	}
	return list, nil
}

// PrepareIndex makes the snapshot of all cards that carry an index: those in force too, or
// else they are unknown. Sort, edition and base of the header are set by this and the
// other Prepare functions. A header that cannot be is ErrMalformed.
func PrepareIndex(h Header, key crypto.PublicKey, cards Indexes) (*Draft, error) {
	h.Sort, h.Base = Index, 0
	p := encode(newIndexes(once(cards, cmp.Compare), false))
	h.Edition = editionOf(p)
	return prepare(h, key, p)
}

// PrepareIndexDelta makes a delta of a snapshot that PrepareIndex made, else ErrBase.
func PrepareIndexDelta(h Header, key crypto.PublicKey, cards Indexes, snapshot *List) (*Draft, error) {
	base, ok := snapshot.payload.(*indexes)
	if !ok || snapshot.Sort != Index {
		return nil, ErrBase
	}
	h.Sort = IndexDelta
	changed, err := changes(once(cards, cmp.Compare), base.all(), base.state)
	if err != nil {
		return nil, err
	}
	return prepareDelta(h, key, encode(newIndexes(changed, true)), snapshot)
}

// PrepareIndexRows is PrepareIndex of cards that were put in order as they came: it makes the
// same list, in little more memory than rows and list take.
func PrepareIndexRows(h Header, key crypto.PublicKey, cards *Rows) (*Draft, error) {
	h.Sort, h.Base = Index, 0
	p := encode(indexesOf(cards.cards, false))
	h.Edition = editionOf(p)
	return prepare(h, key, p)
}

// PrepareIndexDeltaRows is PrepareIndexDelta likewise.
func PrepareIndexDeltaRows(h Header, key crypto.PublicKey, cards *Rows, snapshot *List) (*Draft, error) {
	base, ok := snapshot.payload.(*indexes)
	if !ok || snapshot.Sort != Index {
		return nil, ErrBase
	}
	changed, err := changesOf(cards.cards(), base.cards(), nil)
	if err != nil {
		return nil, err
	}
	h.Sort = IndexDelta
	return prepareDelta(h, key, encode(indexesOf(changed.cards, true)), snapshot)
}

// PrepareFilter makes the filter of cards that are not in force; of those that are none is
// named.
func PrepareFilter(h Header, key crypto.PublicKey, cards IDs) (*Draft, error) {
	h.Sort, h.Base = Filter, 0
	cards = bad(cards)
	h.Edition = editionOf(encode(newNames(cards)))
	return prepare(h, key, encode(newFilter(cards)))
}

// PrepareExact makes the exact list of the same cards.
func PrepareExact(h Header, key crypto.PublicKey, cards IDs) (*Draft, error) {
	h.Sort, h.Base = Exact, 0
	p := encode(newNames(bad(cards)))
	h.Edition = editionOf(p)
	return prepare(h, key, p)
}

// PrepareExactDelta makes a delta of a snapshot that PrepareExact made, else ErrBase; it
// fits the filter of the same edition too. Cards of the snapshot that are in force again
// must be among those given.
func PrepareExactDelta(h Header, key crypto.PublicKey, cards IDs, snapshot *List) (*Draft, error) {
	base, ok := snapshot.payload.(*names)
	if !ok || snapshot.Sort != Exact {
		return nil, ErrBase
	}
	h.Sort = ExactDelta
	now := once(cards, compareIDs)
	changed, err := changes(now, base.all(), base.state)
	if err != nil {
		return nil, err
	}
	var again [][32]byte // in force, and named by the snapshot as not
	for _, id := range changed[Active] {
		if base.state(id) != Unknown {
			again = append(again, id)
		}
	}
	changed[Active] = again
	return prepareDelta(h, key, encode(newNames(changed)), snapshot)
}

// changes are the cards whose state is another one than before. Cards do not vanish.
func changes[T comparable](now, before States[T], state func(T) State) (States[T], error) {
	var changed States[T]
	known := 0
	for s, list := range now {
		for _, c := range list {
			was := state(c)
			if was != Unknown {
				known++
			}
			if was != State(s) {
				changed[s] = append(changed[s], c)
			}
		}
	}
	for _, list := range before {
		known -= len(list)
	}
	if known < 0 {
		return changed, fmt.Errorf("%w: it has %d cards that are not there now", ErrBase, -known)
	}
	return changed, nil
}

func errVanished(index uint64) error {
	return fmt.Errorf("%w: it has card %d, which is not there now", ErrBase, index)
}

func bad(cards IDs) IDs {
	cards[Active] = nil
	return once(cards, compareIDs)
}

func compareIDs(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) }

func prepareDelta(h Header, key crypto.PublicKey, payload []byte, snapshot *List) (*Draft, error) {
	if h.URI != snapshot.URI || h.Country != snapshot.Country || h.Sequence <= snapshot.Sequence {
		return nil, fmt.Errorf("%w: it is number %d of %s", ErrBase, snapshot.Sequence, snapshot.URI)
	}
	h.Edition, h.Base = snapshot.Edition, snapshot.Sequence
	return prepare(h, key, payload)
}

func prepare(h Header, key crypto.PublicKey, payload []byte) (*Draft, error) {
	if err := h.check(); err != nil {
		return nil, err
	}
	spki, err := cert.MarshalPublicKey(key, false)
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	h.marshal(&b)
	b.AddUint32LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(payload) })
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(spki) })
	tbs, err := b.Bytes()
	if err == nil && len(tbs) > MaxList-maxKey {
		err = fmt.Errorf("%w: larger than %d octets", ErrMalformed, MaxList)
	}
	return &Draft{tbs}, err
}
