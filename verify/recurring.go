package verify

import (
	"crypto/sha256"
	"sync"

	"github.com/tamthe/tamthe/card/cert"
)

// Recurring keeps what it takes to verify signatures of document signers that come again and
// again, whatever is thought of them: it makes judging faster, and judges nothing. It keeps
// at most 256 signers. The zero value knows none; it is safe for concurrent use.
type Recurring struct {
	mu    sync.Mutex
	known map[[32]byte]*cert.Verifier // by the SHA-256 of their certificates
}

const maxRecurring = 256

// of is what verifies by a certificate's key; nil where there is nothing to gain.
func (r *Recurring) of(c *cert.Certificate) *cert.Verifier {
	if r == nil {
		return nil
	}
	name := sha256.Sum256(c.Raw)
	r.mu.Lock()
	defer r.mu.Unlock()
	if v := r.known[name]; v != nil {
		return v
	}
	v, err := cert.NewVerifier(c.PublicKey)
	if err != nil {
		return nil
	}
	if r.known == nil {
		r.known = map[[32]byte]*cert.Verifier{}
	}
	for old := range r.known {
		if len(r.known) < maxRecurring {
			break
		}
		delete(r.known, old) // any: who comes again is soon known again
	}
	r.known[name] = v
	return v
}
