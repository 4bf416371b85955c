package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/verify/eid"
)

// given is what clients of a service were given, before and after it was killed.
type given struct {
	mu      sync.Mutex
	shown   map[string]*shown // a code that ends the login: the service said that it accepted
	tokens  map[string]int    // assertions, by login
	refused map[eid.Code]int
	wrong   []error
}

// run logs in until the service is no more. Two want each assertion at once.
func (g *given) run(ctx context.Context, b *bearer, c, rival *caller) {
	for ctx.Err() == nil {
		if err := b.insert(ctx); err != nil && ctx.Err() != nil {
			return
		} else if err != nil {
			g.note(func() { g.wrong = append(g.wrong, err) })
			return
		}
		s, err := c.show(ctx, b)
		if eid.CodeOf(err) != "" {
			g.note(func() { g.wrong = append(g.wrong, err) })
		}
		if err != nil {
			return // it was killed
		}
		g.note(func() { g.shown[s.session] = s })
		var both sync.WaitGroup
		for _, c := range []*caller{c, rival} {
			both.Go(func() { g.redeem(ctx, c, s) })
		}
		both.Wait()
	}
}

func (g *given) redeem(ctx context.Context, c *caller, s *shown) {
	token, err := c.redeem(ctx, s)
	g.note(func() {
		switch code := eid.CodeOf(err); {
		case err == nil:
			g.tokens[loginOf(token)]++
		case code != "":
			g.refused[code]++
		}
	})
}

func (g *given) note(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f()
}

// loginOf is the login that an assertion is of.
func loginOf(token string) string {
	var claims eid.Claims
	parts := strings.Split(token, ".")
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(body, &claims) != nil {
		return "unreadable: " + token
	}
	return claims.ID
}

// TestEIDKilled kills the service while citizens log in, again and again. No assertion is of
// a login that is not on the record, none is given out twice, neither by one service nor by
// the next, and the next opens what the last one left.
func TestEIDKilled(t *testing.T) {
	kills, clients := 10, 4
	if os.Getenv("TAMTHE_SOAK") != "" {
		kills = 100
	}
	s := newEIDService(t)
	var bearers []*bearer
	for range clients {
		bearers = append(bearers, newBearer(t))
	}
	g := &given{shown: map[string]*shown{}, tokens: map[string]int{}, refused: map[eid.Code]int{}}
	var before []*shown
	for i := range kills {
		s.start(t)
		for _, old := range before {
			if _, err := newCaller(s.url, "bank").redeem(t.Context(), old); eid.CodeOf(err) != eid.CodeUnknown {
				t.Errorf("kill %d: a login of the service before is redeemed: %v", i, err)
			}
		}
		known := len(g.shown)
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for n, b := range bearers {
			party := []string{"bank", "tax"}[n%2]
			all.Go(func() { g.run(ctx, b, newCaller(s.url, party), newCaller(s.url, party)) })
		}
		for began := time.Now(); ; time.Sleep(time.Millisecond) { // in mid-flow
			g.mu.Lock()
			n := len(g.shown)
			g.mu.Unlock()
			if n > known+rand.IntN(8) || time.Since(began) > 20*time.Second {
				break
			}
		}
		time.Sleep(time.Duration(rand.IntN(20_000)) * time.Microsecond)
		s.end(t, os.Kill)
		cancel()
		all.Wait()
		before = g.onRecord(t, s, i)
	}
	s.start(t)
	s.end(t, os.Interrupt)
	if len(g.wrong) > 0 {
		t.Errorf("%d refused: %v", len(g.wrong), g.wrong[0])
	}
	if len(g.tokens) < kills {
		t.Errorf("%d assertions in %d lives of a service: it was killed too early to tell", len(g.tokens), kills)
	}
	t.Logf("%d kills: %d logins accepted, %d assertions, twins refused %v", kills, len(g.shown), len(g.tokens), g.refused)
}

// onRecord compares what clients were given with the record, and returns the logins that a
// new service might be asked for again.
func (g *given) onRecord(t *testing.T, s *eidService, kill int) []*shown {
	t.Helper()
	l, err := sqlite.OpenLogins(t.Context(), s.path("eid/"+eidLogins))
	if err != nil {
		t.Fatalf("kill %d: %v", kill, err)
	}
	defer l.Close()
	accepted := map[string]bool{}
	check(t, l.Each(t.Context(), time.Time{}, time.Now().AddDate(100, 0, 0), func(d eid.Decision) error {
		if d.Code == "" {
			accepted[d.Session] = true
			return nil
		}
		return fmt.Errorf("%s was refused: %s", d.Session, d.Code)
	}))
	g.mu.Lock()
	defer g.mu.Unlock()
	var again []*shown
	for id, known := range g.shown {
		if !accepted[id] {
			t.Errorf("kill %d: an agent was told that login %s is accepted, and the record does not know it", kill, id)
		}
		again = append(again, known)
	}
	for id, n := range g.tokens {
		if !accepted[id] || n != 1 {
			t.Errorf("kill %d: login %s has %d assertions; on the record: %v", kill, id, n, accepted[id])
		}
	}
	return again[max(0, len(again)-20):]
}
