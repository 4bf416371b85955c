package status

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
)

// MaxPatch bounds a patch, in octets.
const MaxPatch = 16 << 20

const patchMagic = "TSTC\x01"

// Patch is what makes one index snapshot of another, octet for octet, signature and all, in
// as many octets as the cards that changed take. It is not signed: what it makes is.
type Patch struct {
	Base, Target [32]byte // SHA-256 of the lists

	head, tail []byte // of the target, before the payload and after it
	changed    *indexes
}

// ErrRevived says that a card which was out of force for good is in force again in a later list:
// no office can do that, so that somebody has changed what the list was made of.
var ErrRevived = errors.New("a card that was out of force for good is in force again")

// MakePatch makes the patch from one index snapshot to a later one of the same list, of which
// it is given the octets. Lists that do not belong together are ErrBase, and those between
// which a revoked or superseded card has come back are ErrRevived.
func MakePatch(base, target *List, octets []byte) ([]byte, error) {
	from, ok := base.payload.(*indexes)
	to, also := target.payload.(*indexes)
	if !ok || !also || base.Sort != Index || target.Sort != Index || base.URI != target.URI || base.Sequence >= target.Sequence ||
		sha256.Sum256(octets) != target.Digest {
		return nil, ErrBase
	}
	changed, err := changesOf(to.cards(), from.cards(), final)
	if err != nil {
		return nil, err
	}
	e, err := open(octets)
	if err != nil {
		return nil, err
	}
	head, tail := e.around()
	var b cryptobyte.Builder
	b.AddBytes([]byte(patchMagic))
	b.AddBytes(base.Digest[:])
	b.AddBytes(target.Digest[:])
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(head) })
	b.AddUint32LengthPrefixed(func(b *cryptobyte.Builder) { indexesOf(changed.cards, true).marshal(b) })
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(tail) })
	return b.Bytes()
}

// final says whether a state may follow another: what ends a card is for ever, or gets graver.
func final(index uint64, was, is State) error {
	if (was == Superseded || was == Revoked) && graver(was, is) == was {
		return fmt.Errorf("%w: card %d was %s and is %s", ErrRevived, index, was, is)
	}
	return nil
}

// ParsePatch reads a patch and keeps the octets; ErrMalformed if they are none.
func ParsePatch(b []byte) (*Patch, error) {
	p, s := &Patch{}, cryptobyte.String(b)
	var start []byte
	var head, changed, tail cryptobyte.String
	ok := len(b) <= MaxPatch && s.ReadBytes(&start, len(patchMagic)) && string(start) == patchMagic &&
		s.CopyBytes(p.Base[:]) && s.CopyBytes(p.Target[:]) &&
		s.ReadUint16LengthPrefixed(&head) && readLong(&s, &changed) && s.ReadUint16LengthPrefixed(&tail) && s.Empty()
	if !ok {
		return nil, fmt.Errorf("%w: patch", ErrMalformed)
	}
	p.head, p.tail = head, tail
	payload, err := decode(IndexDelta, changed)
	if err != nil {
		return nil, err
	}
	p.changed = payload.(*indexes)
	return p, nil
}

// Apply makes a list of its base and of the patches from there on, each of which begins where
// the one before it ends, and returns the octets: those of the target of the last, else
// ErrBase. Whether they may be used, Parse says.
func Apply(base *List, patches ...*Patch) ([]byte, error) {
	from, ok := base.payload.(*indexes)
	if !ok || base.Sort != Index || len(patches) == 0 {
		return nil, ErrBase
	}
	at := base.Digest
	changed := &Rows{}
	for i, p := range patches {
		if p.Base != at {
			return nil, fmt.Errorf("%w: patch %d is one of another list", ErrBase, i+1)
		}
		at = p.Target
		var err error
		if changed, err = rowsBy(overlay(changed.cards(), p.changed.cards())); err != nil {
			return nil, err
		}
	}
	last := patches[len(patches)-1]
	made := indexesOf(func() walker { return overlay(from.cards(), changed.cards()) }, false)
	b := cryptobyte.NewBuilder(make([]byte, 0, len(last.head)+4+made.octets()+len(last.tail)))
	b.AddBytes(last.head)
	b.AddUint32LengthPrefixed(made.marshal)
	b.AddBytes(last.tail)
	list, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	if sha256.Sum256(list) != last.Target {
		return nil, fmt.Errorf("%w: the patches do not make the list that they say", ErrBase)
	}
	return list, nil
}

func rowsBy(cards walker) (*Rows, error) {
	r := &Rows{}
	for v, s := cards.next(); v != none; v, s = cards.next() {
		if err := r.Add(uint32(v), s); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// octets is how many the payload takes.
func (x *indexes) octets() int {
	n := 8 + 1
	for _, s := range written {
		n += 8 + 1 + 4 + len(x.sets[s].code)
	}
	return n
}

// around are the octets of the list before the payload, without its length, and after it.
func (e *envelope) around() (head, tail []byte) {
	at := len(e.tbs) - len(e.key) - 2 - len(e.payload) - 4
	return e.tbs[:at], e.whole[at+4+len(e.payload):]
}
