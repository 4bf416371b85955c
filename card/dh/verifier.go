package dh

import "sync/atomic"

// tableAfter is how many uses of a key it takes to pay for its table.
const tableAfter = 16

// A Verifier checks signatures of one public key, in variable time. It hands out no
// multiple of its point, so that a secret has no use for it. From its sixteenth use on it
// works from a table of multiples of the key, of 90 KB on curves of 256 bits and 470 KB
// on P-521: whoever holds many bounds their number. It is safe for concurrent use.
type Verifier struct {
	key    *Point
	uses   atomic.Uint32
	tables atomic.Pointer[tables]
}

// NewVerifier returns a verifier for a public key, without a table yet. The key must not
// be nil.
func NewVerifier(key *Point) *Verifier { return &Verifier{key: key} }

// VerifyDER is the function of that name with the verifier's key.
func (v *Verifier) VerifyDER(digest, sig []byte) bool {
	return verifyDER(v.key, v.prepared(), digest, sig)
}

// VerifyPlain is the function of that name with the verifier's key.
func (v *Verifier) VerifyPlain(digest, rs []byte) bool {
	return verifyPlain(v.key, v.prepared(), digest, rs)
}

// prepared counts a use and returns the tables once they are there. Exactly one use
// makes them; others go on without.
func (v *Verifier) prepared() *tables {
	if t := v.tables.Load(); t != nil {
		return t
	}
	if v.uses.Add(1) == tableAfter {
		v.tables.Store(&tables{base: v.key.curve.comb(), key: newComb(v.key, keyComb)})
	}
	return v.tables.Load()
}
