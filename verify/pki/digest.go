package pki

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"
	"slices"
	"sync"
)

// digestDomain begins what a store's digest is made over; a change of the form changes it.
const digestDomain = "tamthe/store/1\n"

// Digest names what the store holds: the SHA-256 over the fingerprints of its
// certificates, each with its marks, and of its revocation lists, both sorted, and over
// what the operator says of the issuers. Two stores of one digest judge alike; where and
// in what files the certificates lay does not count.
func (s *Store) Digest() [32]byte { return s.digested() }

func (s *Store) digest() [32]byte {
	h := sha256.New()
	h.Write([]byte(digestDomain))
	certs := make([][33]byte, len(s.records))
	for i := range s.records {
		r := &s.records[i]
		copy(certs[i][:], r.print[:])
		certs[i][32] = r.flags & (isSpecimen | isMaterial)
	}
	slices.SortFunc(certs, func(a, b [33]byte) int { return bytes.Compare(a[:], b[:]) })
	count(h, len(certs))
	for _, r := range certs {
		h.Write(r[:])
	}
	lists := make([][32]byte, 0, len(s.crls))
	for _, l := range s.crls {
		lists = append(lists, sha256.Sum256(l.Raw))
	}
	slices.SortFunc(lists, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	lists = slices.Compact(lists)
	count(h, len(lists))
	for _, r := range lists {
		h.Write(r[:])
	}
	_ = json.NewEncoder(h).Encode(s.issuers) // of numbers and texts only: it cannot fail
	s.digestDocuments(h)
	s.adverse.digest(h)
	return [32]byte(h.Sum(nil))
}

// digestDocuments adds which certificates were imported for some documents only.
func (s *Store) digestDocuments(h hash.Hash) {
	var lines []string
	for i := range s.records {
		r := &s.records[i]
		if from := s.sources[r.source].listed; from != nil && len(from.Documents) > 0 && r.flags&(isMaterial|mayVouch) == mayVouch {
			lines = append(lines, fmt.Sprintf("%x %q\n", r.print, from.Documents))
		}
	}
	slices.Sort(lines)
	for _, l := range lines {
		h.Write([]byte(l))
	}
}

func count(h hash.Hash, n int) {
	h.Write([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

func onceDigest(s *Store) func() [32]byte { return sync.OnceValue(s.digest) }
