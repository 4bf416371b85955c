package pki

import (
	"bytes"
	"slices"
	"sync"

	"github.com/tamthe/tamthe/card/cert"
)

// The bounds of a search. A state that rolls its key over every three years has
// five keys in use at a time, linked one by one.
const (
	maxDepth = 8
	maxPaths = 32
	maxTrial = 256  // signatures tried for one certificate
	maxTried = 2048 // … and for one chain; 34 certificates of one state, the most there are, each with each are 1,156
)

// Chain is what the store knows about the signer's issuers: signatures only. Judge
// says what that is worth.
type Chain struct {
	store  *Store
	signer *cert.Certificate
	paths  []route
	gap    gap // why there is no route

	linted   sync.Once
	breaches string // rules of Doc 9303-12 that the certificates break

	memo memo
}

// route is a verified way from the signer to an anchor, both included.
type route []*entry

// gap says why no certificate of the store verifies the signer.
type gap uint8

const (
	unknown gap = iota // it names a key that we don't hold
	forged             // it names a key that we hold, and no such key made its signature
	broken             // it names a key that we hold, by an algorithm that nobody should trust
)

// Chain looks for the issuers of a document signer. Certificates that lay in the
// document are material only to say what is wrong: no chain through them is trusted.
//
// What was found for a signer is kept: signatures neither age nor depend on a query. The
// octets of signer may be used for something else afterwards.
func (s *Store) Chain(signer *cert.Certificate, fromDocument ...*cert.Certificate) *Chain {
	print := signer.Fingerprint()
	c := s.chains.get(print)
	if c == nil {
		if own, err := cert.Parse(bytes.Clone(signer.Raw)); err == nil {
			signer = own
		}
		c = s.search(signer)
		s.chains.put(print, c)
	}
	if len(c.paths) > 0 || len(fromDocument) == 0 {
		return c
	}
	return s.search(c.signer, strangers(c.signer, fromDocument)...)
}

// search looks for the issuers of a signer, those of its document included.
func (s *Store) search(signer *cert.Certificate, extra ...*entry) *Chain {
	c := &Chain{store: s, signer: signer}
	first := s.find(signer)
	if first == nil {
		first = stranger(signer, "")
	}
	w := newWalk(s, extra...)
	w.from(route{first})
	c.paths = w.found
	if len(c.paths) == 0 {
		c.gap = w.gap(first, map[*entry]bool{})
	}
	return c
}

// stranger makes an entry of a certificate that is not the operator's: it is never
// an anchor.
func stranger(c *cert.Certificate, source string) *entry {
	return &entry{cert: c, source: source, specimen: specimenName(c.Subject), anchor: func() bool { return false }}
}

// strangers makes entries of what a document brings along.
func strangers(signer *cert.Certificate, list []*cert.Certificate) []*entry {
	var out []*entry
	for _, c := range list[:min(len(list), maxDepth)] {
		if !bytes.Equal(c.Raw, signer.Raw) {
			out = append(out, stranger(c, fromDocument))
		}
	}
	return out
}

// fromDocument is the source of certificates that are not the operator's.
const fromDocument = "document"

// stranger says whether a way leads through what the document itself brought.
func (r route) stranger() bool {
	return slices.ContainsFunc(r, func(e *entry) bool { return e.source == fromDocument })
}

func (r route) anchor() *entry { return r[len(r)-1] }

// walk is one search for ways to an anchor. It looks once for the issuers of a certificate
// and does not go again where nothing was found, so that certificates which certify one
// another cost no more than others.
type walk struct {
	store *Store
	extra []*entry
	found []route

	above map[*entry][]*entry // the issuers of those that were looked at
	dead  map[*entry]int      // the shortest way on which an entry led to no anchor
	leads map[*entry]bool     // whether an entry leads to an anchor without the extra ones
	plain map[*entry][]*entry // above, for searches without them
	tried *int                // signatures
}

func newWalk(s *Store, extra ...*entry) *walk {
	w := &walk{store: s, extra: extra, above: map[*entry][]*entry{}, dead: map[*entry]int{}, leads: map[*entry]bool{}, tried: new(int)}
	if w.plain = w.above; len(extra) > 0 {
		w.plain = map[*entry][]*entry{}
	}
	return w
}

// from follows the signatures above the last certificate of r.
func (w *walk) from(r route) {
	last := r[len(r)-1]
	if last.anchor() {
		w.found = append(w.found, slices.Clone(r))
		return
	}
	if shortest, ok := w.dead[last]; len(r) > maxDepth || ok && len(r) >= shortest {
		return
	}
	before := len(w.found)
	for _, e := range w.issuers(last) {
		if len(w.found) >= maxPaths {
			return
		}
		if !slices.Contains(r, e) {
			w.from(append(slices.Clip(r), e))
		}
	}
	if len(w.found) == before {
		w.dead[last] = len(r)
	}
}

// issuers returns every certificate for the key that made the signature of e's, the
// likeliest first. There is one such key at most.
func (w *walk) issuers(e *entry) []*entry {
	found, known := w.above[e]
	if !known {
		found = w.search(e.cert)
		w.above[e] = found
	}
	return found
}

func (w *walk) search(c *cert.Certificate) []*entry {
	candidates := append(w.store.candidates(c), w.extra...)
	var key *cert.PublicKey
	var found []*entry
	tried := 0
	for _, e := range candidates {
		if e.cert.KeyErr != nil {
			continue
		}
		switch {
		case key != nil:
			if e.cert.PublicKey.Equal(*key) {
				found = append(found, e)
			}
		case tried < maxTrial && *w.tried < maxTried:
			tried++
			*w.tried++
			if c.CheckSignature(e.cert.PublicKey) == nil {
				key = &e.cert.PublicKey
				found = append(found, e)
			}
		}
	}
	return found
}

// candidates returns those who may have issued c, the likeliest first: by the key
// that it names, by name, then the whole state, since real certificates are loose
// about both. Those that do not even say that they may certify are looked at only where
// they are named: a state has hundreds of document signers.
func (s *Store) candidates(c *cert.Certificate) []*entry {
	var byKey, byName, rest []*entry
	if len(c.AuthorityKeyID) > 0 {
		byKey = s.withKeyID(c.AuthorityKeyID)
	}
	for _, country := range []string{canonical(c.Issuer.Country()), canonical(c.Subject.Country())} {
		for _, e := range s.ofState(country) {
			switch {
			case slices.Contains(byKey, e) || slices.Contains(byName, e) || slices.Contains(rest, e):
			case e.cert.Subject.Equal(c.Issuer):
				byName = append(byName, e)
			default:
				rest = append(rest, e)
			}
		}
	}
	for _, e := range s.ofSubject(c.Issuer.Raw) {
		if !slices.Contains(byKey, e) {
			byName = append(byName, e)
		}
	}
	return slices.Concat(byKey, byName, rest)
}

// gap says why nothing leads from c to an anchor. Where the issuer of c is at hand,
// the gap lies above it. A self-signed certificate names only itself: as an issuer it
// may be a CSCA that we don't hold, as a signer it has nobody behind it.
func (w *walk) gap(below *entry, seen map[*entry]bool) gap {
	g, c, first := unknown, below.cert, len(seen) == 0
	seen[below] = true
	if c.SelfSigned() {
		if first {
			g = forged
		}
		return g
	}
	for _, e := range w.store.named(c) {
		if e.cert.KeyErr != nil || !w.trusted(e) {
			continue
		}
		if c.CheckSignature(e.cert.PublicKey) != nil {
			g = max(g, forged)
			if _, err := c.Algorithm.Signature(); err != nil {
				return broken
			}
		}
	}
	for _, e := range w.issuers(below) {
		if !seen[e] {
			g = max(g, w.gap(e, seen))
		}
	}
	return g
}

// named returns the entries whose key c names as its issuer's: by key identifier,
// by name only if it has none.
func (s *Store) named(c *cert.Certificate) []*entry {
	if len(c.AuthorityKeyID) > 0 {
		return s.withKeyID(c.AuthorityKeyID)
	}
	var list []*entry
	for _, e := range s.ofState(canonical(c.Issuer.Country())) {
		if e.cert.Subject.Equal(c.Issuer) {
			list = append(list, e)
		}
	}
	return append(list, s.ofSubject(c.Issuer.Raw)...)
}

// trusted says whether the entry is an anchor of the store or leads to one. What was
// found out is kept: a hundred certificates of one key would cost a hundred searches each.
func (w *walk) trusted(e *entry) bool {
	known, ok := w.leads[e]
	if !ok {
		t := &walk{store: w.store, above: w.plain, dead: map[*entry]int{}, tried: w.tried}
		t.from(route{e})
		known = len(t.found) > 0
		w.leads[e] = known
	}
	return known
}

// trusted says whether the entry is an anchor or leads to one.
func (s *Store) trusted(e *entry) bool {
	w := newWalk(s)
	w.from(route{e})
	return len(w.found) > 0
}
