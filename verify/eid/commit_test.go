package eid

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A server names its nonce before it learns the agent's, so that it cannot look for one that
// makes the challenge that of another login; and an agent reveals what it committed itself to
// and nothing else.
func TestNeitherChoosesTheChallenge(t *testing.T) {
	var h http.Handler
	var bodies [][]byte
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies = append(bodies, b)
		r.Body = io.NopCloser(bytes.NewReader(b))
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	r := newRig(t, func(c *Config) { c.URL = web.URL })
	h = r.Handler()
	b := r.begin(t, taxes())
	l, err := (&Client{URL: web.URL}).Open(t.Context(), b.Code)
	if err != nil {
		t.Fatal(err)
	}
	if len(bodies) != 1 || bytes.Contains(bodies[0], []byte(l.agent)) || !bytes.Contains(bodies[0], []byte(Commitment(l.agent))) {
		t.Fatalf("before the server's nonce the agent says %s", bodies)
	}
	other := *l
	other.agent = NewNonce()
	_, err = other.Show(t.Context(), session(t, r.chip), false)
	wantCode(t, "a nonce drawn after the server's", err, CodeTaken)
	if _, err := l.Show(t.Context(), session(t, r.chip), false); err != nil {
		t.Fatal(err)
	}
	var shown Presented
	if err := json.Unmarshal(bodies[2], &shown); err != nil || Commitment(shown.Agent) != r.table.sessions[b.Session].agent {
		t.Errorf("it reveals %q, %v", shown.Agent, err)
	}
}
