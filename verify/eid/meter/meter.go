// Package meter counts what each caller of a service over the network does in a minute, in
// bounded memory, so that one caller's flood is not everybody's.
package meter

import (
	"maps"
	"net/netip"
	"sync"
	"time"
)

// Meter counts what each does in a minute that begins with their first act. The zero value has
// counted nothing. It is safe for concurrent use, and must not be copied.
type Meter struct {
	mu      sync.Mutex
	minutes map[string]*minute
	swept   time.Time
}

// most bounds who is counted apart: all for whom there is no room share a count.
const most = 100_000

type minute struct {
	since time.Time
	count int
}

func (m *minute) over(now time.Time) bool {
	age := now.Sub(m.since)
	return age < 0 || age >= time.Minute
}

// Over reports whether so many have passed in this minute. It counts nothing.
func (m *Meter) Over(who string, limit int, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.minutes[who]
	if t == nil && len(m.minutes) >= most {
		t = m.minutes[""]
	}
	return t != nil && !t.over(now) && t.count >= limit
}

// Pass counts one more, and reports whether it is one of so many.
func (m *Meter) Pass(who string, limit int, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.minutes == nil {
		m.minutes = map[string]*minute{}
	}
	m.sweep(now)
	if len(m.minutes) >= most && m.minutes[who] == nil {
		who = ""
	}
	t := m.minutes[who]
	if t == nil || t.over(now) {
		t = &minute{since: now}
		m.minutes[who] = t
	}
	t.count++
	return t.count <= limit
}

// sweep forgets minutes that are over: who is nobody's choice but the network's.
func (m *Meter) sweep(now time.Time) {
	if age := now.Sub(m.swept); age >= 0 && age < time.Minute {
		return
	}
	m.swept = now
	maps.DeleteFunc(m.minutes, func(_ string, t *minute) bool { return t.over(now) })
}

// Network is the part of an address and port that names who may be behind it: the address, or
// of IPv6 the half that names the network. "" is no address.
func Network(remote string) string {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return ""
	}
	bits := 32
	if at.Addr().Unmap().Is6() {
		bits = 64
	}
	p, _ := at.Addr().Unmap().WithZone("").Prefix(bits) // in range
	return p.String()
}
