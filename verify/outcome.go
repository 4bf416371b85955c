package verify

import "fmt"

// Outcome is how one check ended. The zero value is the cautious one: a check that
// nobody ran proves nothing.
type Outcome uint8

// The outcomes. Absent means that what the check looks for does not exist and, by
// what the operator or the signed data say, need not; Undetermined that it ran and
// could not decide.
const (
	NotRun Outcome = iota
	Absent
	Undetermined
	Failed
	Passed
)

var outcomeNames = [...]string{"not-run", "absent", "undetermined", "failed", "passed"}

// outcomeRank orders the outcomes from the worst to the best.
var outcomeRank = [...]int{NotRun: 2, Absent: 3, Undetermined: 1, Failed: 0, Passed: 4}

// worseThan says whether o speaks more against a document than p does. A value that
// is no outcome is the worst.
func (o Outcome) worseThan(p Outcome) bool {
	if int(o) >= len(outcomeRank) || int(p) >= len(outcomeRank) {
		return int(p) < len(outcomeRank)
	}
	return outcomeRank[o] < outcomeRank[p]
}

// String returns the stable word that JSON uses.
func (o Outcome) String() string { return name(outcomeNames[:], uint8(o)) }

// MarshalText returns the stable word of JSON, or an error for a value that is none.
func (o Outcome) MarshalText() ([]byte, error) { return marshalName(outcomeNames[:], uint8(o)) }

// UnmarshalText takes the words of MarshalText and refuses all others.
func (o *Outcome) UnmarshalText(b []byte) error {
	return unmarshalName(outcomeNames[:], b, (*uint8)(o))
}

// Claim is what a check speaks for: the question that an officer asks of a card.
type Claim uint8

// The claims. Integrity: the data are those that were signed. Authentic: a state
// that we trust signed them. Original: this chip is the one that was issued, no
// copy. InForce: not expired, not revoked. HolderBound: the bearer is the holder.
const (
	Integrity Claim = iota
	Authentic
	Original
	InForce
	HolderBound
)

var claimNames = [...]string{"integrity", "authentic", "original", "in-force", "holder-bound"}

// String returns the stable word that JSON uses.
func (c Claim) String() string { return name(claimNames[:], uint8(c)) }

// MarshalText returns the stable word of JSON, or an error for a value that is none.
func (c Claim) MarshalText() ([]byte, error) { return marshalName(claimNames[:], uint8(c)) }

// UnmarshalText takes the words of MarshalText and refuses all others.
func (c *Claim) UnmarshalText(b []byte) error { return unmarshalName(claimNames[:], b, (*uint8)(c)) }

// Verdict is what a policy makes of a list of checks. The zero value sends the card
// to a second look.
type Verdict uint8

// The verdicts.
const (
	Refer Verdict = iota
	Accept
	Refuse
)

var verdictNames = [...]string{"refer", "accept", "refuse"}

// String returns the stable word that JSON uses.
func (v Verdict) String() string { return name(verdictNames[:], uint8(v)) }

// MarshalText returns the stable word of JSON, or an error for a value that is none.
func (v Verdict) MarshalText() ([]byte, error) { return marshalName(verdictNames[:], uint8(v)) }

// UnmarshalText takes the words of MarshalText and refuses all others.
func (v *Verdict) UnmarshalText(b []byte) error {
	return unmarshalName(verdictNames[:], b, (*uint8)(v))
}

// worse returns the stricter of two verdicts: accept, then refer, then refuse.
func worse(a, b Verdict) Verdict {
	switch {
	case a == Refuse || b == Refuse:
		return Refuse
	case a == Accept && b == Accept:
		return Accept
	}
	return Refer
}

func name(names []string, v uint8) string {
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("invalid(%d)", v)
}

func marshalName(names []string, v uint8) ([]byte, error) {
	if int(v) < len(names) {
		return []byte(names[v]), nil
	}
	return nil, fmt.Errorf("verify: value %d has no name", v)
}

func unmarshalName(names []string, b []byte, v *uint8) error {
	for i, n := range names {
		if n == string(b) {
			*v = uint8(i)
			return nil
		}
	}
	return fmt.Errorf("verify: unknown word %q", b)
}
