package eddsa

import (
	"crypto/ed25519"
	"sync"

	"filippo.io/edwards25519"
)

const (
	tableFrom = 64   // signatures that a key verifies without a table, which costs as much to make
	maxTables = 32   // half a megabyte each; when there are more, all are given up
	maxKeys   = 4096 // keys whose use is counted, likewise
)

// keys are those that one Verifier has seen.
type keys struct {
	mu     sync.Mutex
	used   map[[ed25519.PublicKeySize]byte]*use
	tables int
}

// use is how often a key verified.
type use struct {
	times int
	once  sync.Once
	table *table // of −A; nil if A is no point
}

// use counts the use of a key and gives its table, if it has one by now.
func (k *keys) use(pub *[ed25519.PublicKeySize]byte) *table {
	k.mu.Lock()
	u := k.used[*pub]
	if u == nil {
		if k.used == nil || len(k.used) == maxKeys {
			k.clear()
		}
		u = new(use)
		k.used[*pub] = u
	}
	u.times++
	if u.times == tableFrom {
		if k.tables == maxTables {
			k.clear()
			k.used[*pub] = u
		}
		k.tables++
	}
	ready := u.times >= tableFrom
	k.mu.Unlock()
	if !ready {
		return nil
	}
	u.once.Do(func() {
		if a, err := new(edwards25519.Point).SetBytes(pub[:]); err == nil {
			u.table = newTable(a.Negate(a))
		}
	})
	return u.table
}

func (k *keys) clear() { k.used, k.tables = map[[ed25519.PublicKeySize]byte]*use{}, 0 }
