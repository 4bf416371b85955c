package issuance

import (
	"crypto"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/tamthe/tamthe/card/eddsa"
)

// keyring remembers public keys that were read from fields. Several goroutines may use
// it at once.
type keyring struct {
	mu   sync.RWMutex
	keys map[string]namedKey

	often eddsa.Verifier // of the keys that sign most
}

type namedKey struct {
	pub crypto.PublicKey
	id  KeyID
}

// maxKeyring is how many keys are remembered before it begins anew.
const maxKeyring = 1024

// of reads the key of an operator's stream, which must be the one that names it; nil if
// there is none.
func (r *keyring) of(s *Subject, k KeyID) crypto.PublicKey {
	if s == nil {
		return nil
	}
	text := s.Fields["key"]
	r.mu.RLock()
	key, ok := r.keys[text]
	r.mu.RUnlock()
	if !ok {
		pub, id, err := parseKeyField(text)
		if err != nil {
			return nil
		}
		key = namedKey{pub, id}
		r.mu.Lock()
		if r.keys == nil || len(r.keys) >= maxKeyring {
			r.keys = map[string]namedKey{}
		}
		r.keys[text] = key
		r.mu.Unlock()
	}
	if key.id != k {
		return nil
	}
	return key.pub
}

// Judge checks entries as Apply does, while their operators' signatures are still being
// verified side by side: the caller may go on with what it will throw away if a signature
// is bad. leaves are the entries' own, as Leaf makes them. wait must be called, whatever
// err is; it returns ErrSignature of an entry whose signature is bad, if there is one, once it
// is known. After an error of
// either the book must be thrown away.
func (b *Book) Judge(entries []Entry, leaves [][]byte) (wait func() error, err error) {
	known := make([]bool, len(entries))
	v := &verifying{ring: b.keys, entries: entries, leaves: leaves, keys: make([][2]crypto.PublicKey, len(entries))}
	for i := range entries {
		known[i] = v.look(b, i)
	}
	wait = v.start()
	for i := range entries {
		if n := entries[i].Rules; n != RuleBook {
			return wait, fmt.Errorf("%w: rule book %d is not the present one", ErrEntry, n)
		}
		if err := b.apply(&entries[i], LeafHash(leaves[i]), known[i]); err != nil {
			return wait, err
		}
	}
	return wait, nil
}

// verifying is the work of verifying signatures of entries, by as many goroutines as
// there are processors.
type verifying struct {
	ring    *keyring
	entries []Entry
	leaves  [][]byte
	keys    [][2]crypto.PublicKey
	next    atomic.Int64
	bad     atomic.Int64 // an entry with a bad signature, plus one; 0 if none is known
	work    sync.WaitGroup
}

// look finds the keys of an entry. One whose keys the book does not know yet is left to
// whoever judges it.
func (v *verifying) look(b *Book, i int) bool {
	e := &v.entries[i]
	for j, k := range []KeyID{e.Operator, e.Second} {
		if k.IsZero() {
			continue
		}
		key := b.keys.of(b.subjects[OperatorStream(k)], k)
		if key == nil {
			v.keys[i] = [2]crypto.PublicKey{}
			return false
		}
		v.keys[i][j] = key
	}
	return e.Act != Init
}

func (v *verifying) start() (wait func() error) {
	for range min(runtime.GOMAXPROCS(0), (len(v.entries)+chunk-1)/chunk) {
		v.work.Go(v.run)
	}
	return func() error {
		v.work.Wait()
		if i := v.bad.Load(); i > 0 {
			e := &v.entries[i-1]
			return fmt.Errorf("%s of %s: %w", e.Act, e.Stream, ErrSignature)
		}
		return nil
	}
}

// chunk is how many entries a goroutine verifies at a time.
const chunk = 32

func (v *verifying) run() {
	for {
		from := v.next.Add(chunk) - chunk
		to := min(from+chunk, int64(len(v.entries)))
		if from >= to || v.bad.Load() > 0 {
			return
		}
		if i := v.firstBad(from, to); i >= 0 {
			v.bad.CompareAndSwap(0, i+1)
		}
	}
}

// firstBad verifies the signatures of some entries over their leaves without them; -1 if
// all are good.
func (v *verifying) firstBad(from, to int64) int64 {
	list := make([]signed, 0, 2*chunk)
	of := make([]int64, 0, 2*chunk)
	for i := from; i < to; i++ {
		e, keys := &v.entries[i], v.keys[i]
		if keys[0] == nil {
			continue // left to whoever judges it
		}
		msg, ok := signedOctets(e, v.leaves[i])
		if !ok {
			return i
		}
		list, of = append(list, signed{keys[0], msg, e.Signature}), append(of, i)
		if !e.Second.IsZero() {
			list, of = append(list, signed{keys[1], msg, e.SecondSignature}), append(of, i)
		}
	}
	for n, good := range v.ring.verify(list) {
		if !good {
			return of[n]
		}
	}
	return -1
}

// signedOctets are what the operators of an entry sign: its leaf without the signatures, in
// its context.
func signedOctets(e *Entry, leaf []byte) (msg []byte, ok bool) {
	body := len(leaf) - 2 - len(e.Signature)
	if !e.Second.IsZero() {
		body -= 2 + len(e.SecondSignature)
	}
	if body < 0 {
		return nil, false
	}
	return append(append(make([]byte, 0, len(signedContext)+body), signedContext...), leaf[:body]...), true
}

// Presume tells the book that a stream does not exist, though it was not read. Whoever
// says so finds out before the entries that rest on it are kept.
func (b *Book) Presume(id StreamID) {
	if _, ok := b.subjects[id]; !ok {
		b.subjects[id] = &Subject{Stream: id}
	}
}
