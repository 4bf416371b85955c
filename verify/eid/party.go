package eid

import (
	"crypto/sha256"
	"crypto/subtle"
	"maps"
	"slices"
	"sync"
	"time"
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

// meter counts what each does in a minute.
type meter struct {
	mu      sync.Mutex
	minutes map[string]*minute
	swept   time.Time
}

// maxCounted bounds who is counted apart.
const maxCounted = 100_000

// minute is one that began with somebody's first act in it.
type minute struct {
	since time.Time
	count int
}

func (m *minute) over(now time.Time) bool {
	age := now.Sub(m.since)
	return age < 0 || age >= time.Minute
}

// over reports whether so many have passed in this minute.
func (m *meter) over(who string, most int, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.minutes[who]
	if t == nil && len(m.minutes) >= maxCounted {
		t = m.minutes[""]
	}
	return t != nil && !t.over(now) && t.count >= most
}

// pass counts one more, and reports whether it is one of so many.
func (m *meter) pass(who string, most int, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.minutes == nil {
		m.minutes = map[string]*minute{}
	}
	m.sweep(now)
	if len(m.minutes) >= maxCounted && m.minutes[who] == nil {
		who = "" // all for whom there is no room share a count
	}
	t := m.minutes[who]
	if t == nil || t.over(now) {
		t = &minute{since: now}
		m.minutes[who] = t
	}
	t.count++
	return t.count <= most
}

// sweep forgets minutes that are over: who is nobody's choice but the network's.
func (m *meter) sweep(now time.Time) {
	if age := now.Sub(m.swept); age >= 0 && age < time.Minute {
		return
	}
	m.swept = now
	maps.DeleteFunc(m.minutes, func(_ string, t *minute) bool { return t.over(now) })
}
