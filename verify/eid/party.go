package eid

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"sync"
	"time"
)

// Party is a relying party, and what it may do (Decree 69/2024 Art. 18: a written agreement
// says scope and purpose).
type Party struct {
	ID        string
	Name      string // for people
	Kind      string // state, organisation or individual
	Purposes  []string
	Fields    []string
	Level     Level    // the most that it may ask for; Possession if empty
	Attended  bool     // its counter is attended: whoever has its secret may say that the bearer is the holder
	Rate      int      // logins a minute; 60 if 0
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

// meter lets so many pass a minute.
type meter struct {
	mu    sync.Mutex
	since map[string]time.Time
	count map[string]int
	swept time.Time
}

// over reports whether so many have passed in this minute.
func (m *meter) over(who string, most int, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, ok := m.since[who]
	return ok && m.count[who] >= most && now.Sub(t) < time.Minute && !now.Before(t)
}

// sweep forgets minutes that are over: who is nobody's choice but the network's.
func (m *meter) sweep(now time.Time) {
	if age := now.Sub(m.swept); age >= 0 && age < time.Minute {
		return
	}
	m.swept = now
	for who, t := range m.since {
		if age := now.Sub(t); age < 0 || age >= time.Minute {
			delete(m.since, who)
			delete(m.count, who)
		}
	}
}

func (m *meter) pass(who string, most int, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.since == nil {
		m.since, m.count = map[string]time.Time{}, map[string]int{}
	}
	m.sweep(now)
	if t, ok := m.since[who]; !ok || now.Sub(t) >= time.Minute || now.Before(t) {
		m.since[who], m.count[who] = now, 0
	}
	m.count[who]++
	return m.count[who] <= most
}
