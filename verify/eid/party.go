package eid

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
)

// Party is a relying party, and what it may do by its agreement. Its Kind bounds that.
type Party struct {
	ID        string
	Name      string // for people
	Kind      string // one of Kinds; individual if empty
	Purposes  []string
	Fields    []string
	Level     Level    // the most that it may ask for; Possession if empty
	Attended  bool     // its counter is attended: whoever has its secret may say that the bearer is the holder
	Proofs    []string // that each login needs, of ProofActive and ProofAgreement; those of its kind if nil, any one if empty; a chip that can sign must
	Rate      int      // logins a minute; that of its kind if 0
	Redirects []string // where browsers may be sent back to; of OpenID Connect
	Secret    [32]byte // SHA-256 of what it signs in with
	Sector    string   // parties of one sector know a citizen by the same name; ID if empty
}

// Knows reports whether the secret is the party's.
func (p *Party) Knows(secret string) bool {
	sum := sha256.Sum256([]byte(secret))
	return secret != "" && subtle.ConstantTimeCompare(sum[:], p.Secret[:]) == 1
}

// may refuses what the party may not ask for.
func (p *Party) may(a *Ask) error {
	switch {
	case !slices.Contains(p.Purposes, a.Purpose):
		return refuse(CodePurpose)
	case a.Level == Holder && p.Level != Holder:
		return refuse(CodeLevel)
	}
	for _, f := range a.Fields {
		if !slices.Contains(p.Fields, f) {
			return refuse(CodeFields)
		}
	}
	return nil
}
