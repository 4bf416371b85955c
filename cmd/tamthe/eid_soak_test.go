package main

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tamthe/tamthe/verify/eid"
)

// TestEIDSoak has citizens log in without end, some give up at each step, some be refused,
// and somebody flood the service without a name; and holds memory, goroutines and tables to
// stay what they are. The short form runs for some seconds by a clock that is sixty times as
// fast, the long one for ten minutes.
func TestEIDSoak(t *testing.T) {
	lasts, clients, at := 8*time.Second, 4, freeAddress(t)
	s := newEIDService(t, "--metrics", at)
	s.speed = 60
	if os.Getenv("TAMTHE_SOAK") != "" {
		lasts, clients, s.speed = 10*time.Minute, 8, 1
	}
	s.start(t)
	metrics := "http://" + at + "/metrics"
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	before := sample(t, metrics)
	var all sync.WaitGroup
	work := soak{began: time.Now()}
	for i := range clients {
		b, party := newBearer(t), []string{"bank", "tax"}[i%2]
		all.Go(func() { work.run(ctx, t, s, b, party, i) })
	}
	all.Go(func() { work.flood(ctx, t, s.url) })
	var seen []map[string]float64
	for ctx.Err() == nil {
		time.Sleep(lasts / 200)
		seen = append(seen, sample(t, metrics))
	}
	all.Wait()
	http.DefaultClient.CloseIdleConnections()
	after := settled(t, metrics, before)
	quarter := len(seen) / 4
	of := func(name string, part []map[string]float64) float64 {
		var list []float64
		for _, m := range part {
			list = append(list, m[name])
		}
		return slices.Max(list)
	}
	const live, open, ended, goroutines = "go_gc_heap_live_bytes", "tamthe_eid_logins_open", "tamthe_eid_logins_remembered", "go_goroutines"
	early, late := of(live, seen[2*quarter:3*quarter]), of(live, seen[3*quarter:])
	t.Logf("%v: %d logins, %d given up, %d refused, %d requests of a flood; open at most %.0f of %.0f, ended at most %.0f; live heap %.1f MB in the third quarter, %.1f MB in the last; goroutines %.0f before, at most %.0f, %.0f after",
		lasts, work.logins.Load(), work.left.Load(), work.refused.Load(), work.floods.Load(), of(open, seen), before["tamthe_eid_logins_most"], of(ended, seen),
		early/1e6, late/1e6, before[goroutines], of(goroutines, seen), after[goroutines])
	if late > 1.3*early+2e6 {
		t.Errorf("the heap grows from %.1f to %.1f MB", early/1e6, late/1e6)
	}
	if after[goroutines] > before[goroutines]+2 {
		t.Errorf("%.0f goroutines before, %.0f after", before[goroutines], after[goroutines])
	}
	if of(open, seen) > before["tamthe_eid_logins_most"] || of(ended, seen) > 4*before["tamthe_eid_logins_most"] {
		t.Error("a table is not bounded")
	}
	if work.logins.Load() == 0 || work.left.Load() == 0 || work.refused.Load() == 0 || work.floods.Load() == 0 {
		t.Error("there was nothing to see")
	}
	s.end(t, os.Interrupt)
}

// soak counts what was done.
type soak struct {
	logins, left, refused, floods atomic.Int64
	began                         time.Time
}

// mayLeave reports whether one more login may be given up: twenty a second, which the table
// bears, for each stays there for five minutes.
func (w *soak) mayLeave() bool {
	if float64(w.left.Load()) > 20*time.Since(w.began).Seconds() {
		return false
	}
	w.left.Add(1)
	return true
}

// run is one citizen after the other with the same card.
func (w *soak) run(ctx context.Context, t *testing.T, s *eidService, b *bearer, party string, n int) {
	c := newCaller(s.url, party)
	defer c.web.CloseIdleConnections()
	for ; ctx.Err() == nil; n++ {
		var err error
		switch what := n % 8; {
		case what == 1 && w.mayLeave(): // the portal's page is closed
			err = c.call(ctx, "/eid/v1/logins", map[string]any{"purpose": "nộp tờ khai thuế", "fields": []string{"name"}}, &eid.Begun{})
		case what == 3 && w.mayLeave(): // the citizen does not finish
			if err = b.insert(ctx); err == nil {
				_, err = c.show(ctx, b)
			}
		case what == 5: // somebody guesses
			err = c.call(ctx, "/eid/v2/agent/nobody/present", eid.Presented{Agent: "x"}, nil)
			if eid.CodeOf(err) == eid.CodeUnknown {
				err = nil
			}
			w.refused.Add(1)
		default:
			var done *shown
			if err = b.insert(ctx); err == nil {
				if done, err = c.show(ctx, b); err == nil {
					_, err = c.redeem(ctx, done)
				}
			}
			w.logins.Add(1)
		}
		if err != nil && ctx.Err() == nil {
			t.Error(err)
			return
		}
	}
}

// flood asks for logins by OpenID Connect as anybody may.
func (w *soak) flood(ctx context.Context, t *testing.T, service string) {
	web := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer web.CloseIdleConnections()
	ask := service + "/authorize?" + url.Values{
		"client_id": {"tax"}, "response_type": {"code"}, "redirect_uri": {"https://tax.example/back"}, "scope": {"openid eid:name"}, "state": {"s"},
		"code_challenge": {strings.Repeat("x", 43)}, "code_challenge_method": {"S256"},
	}.Encode()
	for ; ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, ask, nil)
		if err != nil {
			t.Error(err)
			return
		}
		resp, err := web.Do(q)
		if err != nil {
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				t.Error(err)
			}
			return
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusFound {
			t.Errorf("the flood is answered by %d", resp.StatusCode)
			return
		}
		w.floods.Add(1)
	}
}

// sample is what /metrics says, of what has no labels.
func sample(t testing.TB, address string) map[string]float64 {
	t.Helper()
	_, text := fetch(t, address)
	all := map[string]float64{}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), " "); ok && !strings.HasPrefix(name, "#") {
			if v, err := strconv.ParseFloat(value, 64); err == nil {
				all[name] = v
			}
		}
	}
	if all["go_gc_heap_live_bytes"] == 0 && all["go_goroutines"] == 0 {
		t.Fatalf("no counts in %s", text)
	}
	return all
}

// settled is what /metrics says once the connections of those that are gone are gone.
func settled(t testing.TB, address string, before map[string]float64) (m map[string]float64) {
	t.Helper()
	for range 100 {
		if m = sample(t, address); m["go_goroutines"] <= before["go_goroutines"] {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return m
}
