package pki

import (
	"container/list"
	"slices"
	"sync"

	"github.com/tamthe/tamthe/card/cert"
)

// maxChains is how many signers a store remembers the chains of. A state has some
// hundred in use; with its certificate one takes about 10 KiB.
const maxChains = 1024

// chainCache remembers the chains that were looked for last. The zero value is empty.
type chainCache struct {
	mu    sync.Mutex
	known map[[32]byte]*list.Element // of *cached
	used  list.List                  // the last one used first
}

type cached struct {
	print [32]byte
	chain *Chain
}

func (c *chainCache) get(print [32]byte) *Chain {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.known[print]
	if !ok {
		return nil
	}
	c.used.MoveToFront(e)
	return e.Value.(*cached).chain
}

func (c *chainCache) put(print [32]byte, chain *Chain) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.known[print]; ok {
		e.Value.(*cached).chain = chain
		return
	}
	if c.known == nil {
		c.known = map[[32]byte]*list.Element{}
	}
	c.known[print] = c.used.PushFront(&cached{print, chain})
	if c.used.Len() > maxChains {
		last := c.used.Back()
		c.used.Remove(last)
		delete(c.known, last.Value.(*cached).print)
	}
}

// memo remembers the judgements of one chain for the queries asked last. Documents that
// are judged together ask one question of their signer.
type memo struct {
	mu   sync.Mutex
	next int
	made [4]struct {
		query  Query
		result Result
		valid  bool
	}
}

func (m *memo) get(q Query) (Result, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.made {
		if m.made[i].valid && m.made[i].query.equal(q) {
			return m.made[i].result, true
		}
	}
	return Result{}, false
}

// equal compares all of two queries; those that bring lists along are equal to none.
func (q Query) equal(o Query) bool {
	return q.At == o.At && q.Country == o.Country && q.DocumentType == o.DocumentType && q.Issued == o.Issued &&
		q.NoExpiry == o.NoExpiry && q.Specimen == o.Specimen && q.CRLAge == o.CRLAge &&
		q.Number == o.Number && q.Seen == o.Seen && len(q.Lists) == 0 && len(o.Lists) == 0
}

func (m *memo) put(q Query, r Result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.made[m.next].query, m.made[m.next].result, m.made[m.next].valid = q, r, true
	m.next = (m.next + 1) % len(m.made)
}

// listedBy is the question whether a key of the store signed a list of it.
type listedBy struct {
	list *cert.CRL
	by   *entry
}

// signedList says whether a revocation list verifies by the key of an entry. The answer is
// kept as long as the store is: every judgement asks.
func (s *Store) signedList(l *cert.CRL, by *entry) bool {
	if answer, ok := s.signedLists.Load(listedBy{l, by}); ok {
		return answer.(bool)
	}
	answer := l.CheckSignature(by.cert.PublicKey) == nil
	if by.kept && slices.Contains(s.crls, l) {
		s.signedLists.Store(listedBy{l, by}, answer)
	}
	return answer
}
