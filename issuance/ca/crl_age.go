package ca

import "time"

// The times of revocation lists (Doc 9303-12 §4.1.4.2, §4.1.5): the next one is out ListAge
// after the last at the latest, and within ListWithin of a revocation.
const (
	ListAge    = 90 * 24 * time.Hour
	ListWithin = 48 * time.Hour
)

// Freshness is how a list stands that is good from one time to another.
type Freshness string

// A list is due when four fifths of its time have passed: the next one should be made.
const (
	Fresh Freshness = "fresh"
	Due   Freshness = "due"
	Stale Freshness = "stale"
)

// FreshnessOf judges a list by its thisUpdate and nextUpdate; one that says no nextUpdate is
// good for ListAge.
func FreshnessOf(this, next, now time.Time) Freshness {
	if next.IsZero() {
		next = this.Add(ListAge)
	}
	switch {
	case now.After(next):
		return Stale
	case now.Sub(this) >= next.Sub(this)*4/5:
		return Due
	}
	return Fresh
}
