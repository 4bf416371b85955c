package intake

import (
	"cmp"
	"crypto"
	"slices"
	"time"
)

// Portal is one that the office has an agreement with (Decree 69/2024 Art. 18).
type Portal struct {
	ID       string
	Name     string // for people
	Keys     []crypto.PublicKey
	Purposes []string
	Reasons  []string      // for which it may ask for cards; all if empty
	Rate     int           // messages a minute; 120 if 0
	Size     int           // octets of a message at most; 16,384 if 0
	Window   time.Duration // how old a message may be that was never seen; three days if 0
}

func (p *Portal) size() int { return min(cmp.Or(p.Size, 16<<10), MaxMessage) }

// skew is how far a portal's clock may go ahead.
const skew = 5 * time.Minute

// may refuses what the portal's agreement has not.
func (p *Portal) may(m *Message) error {
	switch {
	case !slices.Contains(p.Purposes, m.Purpose):
		return refuse(CodePurpose)
	case m.Reason != "" && len(p.Reasons) > 0 && !slices.Contains(p.Reasons, m.Reason):
		return refuse(CodeReason)
	}
	return nil
}

// within refuses a date that is too old or to come.
func within(at, now time.Time, window time.Duration) error {
	switch {
	case at.After(now.Add(skew)):
		return refuse(CodeEarly)
	case at.Before(now.Add(-window)):
		return refuse(CodeStale)
	}
	return nil
}
