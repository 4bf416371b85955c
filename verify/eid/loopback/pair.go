package loopback

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// Bounds of pairing.
const (
	maxPairings = 16
	maxWrong    = 5
	lockTime    = time.Minute
	pairingLife = 8 * time.Hour
	loginTime   = 4 * time.Minute
	maxBody     = 1 << 10
)

type pairing struct {
	origin  string
	expires time.Time
}

// renew draws the next pairing code; the caller has the lock, or nobody else has the agent.
func (a *Agent) renew() {
	a.code, a.wrong = digits(8), 0
	a.c.Show(a.code)
}

// digits are n decimal digits.
func digits(n int) string {
	var b []byte
	for len(b) < n {
		var x [1]byte
		if rand.Read(x[:]); x[0] < 250 {
			b = append(b, '0'+x[0]%10)
		}
	}
	return string(b)
}

// pair takes the code that is shown, once, for a page of the origin.
func (a *Agent) pair(_ context.Context, _ *http.Request, origin, code string) (any, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.c.Now()
	if now.Before(a.locked) {
		return nil, refusal(CodeLocked)
	}
	if !same(code, a.code) {
		if a.wrong++; a.wrong >= maxWrong {
			a.locked = now.Add(lockTime)
			a.renew()
		}
		return nil, refusal(CodePairing)
	}
	a.renew()
	var b [32]byte
	rand.Read(b[:])
	token := hex.EncodeToString(b[:])
	a.admit(token, pairing{origin, now.Add(pairingLife)})
	return struct {
		Pairing string `json:"pairing"`
	}{token}, nil
}

// admit remembers a pairing, and forgets the one that ends first where there are too many.
func (a *Agent) admit(token string, p pairing) {
	for len(a.pairings) >= maxPairings {
		var first [32]byte
		for k, q := range a.pairings {
			if f, ok := a.pairings[first]; !ok || q.expires.Before(f.expires) {
				first = k
			}
		}
		delete(a.pairings, first)
	}
	a.pairings[sha256.Sum256([]byte(token))] = p
}

// paired reports whether a request is of a page that was paired, of the same origin as then.
func (a *Agent) paired(r *http.Request, origin string) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.pairings[sha256.Sum256([]byte(token))]
	return ok && p.origin == origin && a.c.Now().Before(p.expires)
}

// same compares codes by their digests, which take as long whatever is in them.
func same(a, b string) bool {
	return sha256.Sum256([]byte(a)) == sha256.Sum256([]byte(b))
}
