package eid

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

// TestBounds: what a party agreed to, or an operator configured, does not widen what can be
// asked and kept at all.
func TestBounds(t *testing.T) {
	r := newRig(t, func(c *Config) {
		c.Sessions = 2
	})
	unknown, sure := taxes(), taxes()
	unknown.Fields, sure.Level = []string{"portrait"}, "sure"
	_, err := r.Begin("tax-secret", unknown)
	wantCode(t, "a field that no card has", err, CodeFields)
	_, err = r.Begin("tax-secret", sure)
	wantCode(t, "a level that there is not", err, CodeLevel)
	for range 2 {
		r.begin(t, taxes())
	}
	_, err = r.Begin("shop-secret", Ask{Party: "shop", Purpose: "bán rượu", Fields: []string{"age_over_18"}})
	wantCode(t, "a third login", err, CodeRate)

	short := r.c
	short.Pairwise = make([]byte, 31)
	if s, err := New(short); s != nil || err == nil {
		t.Error("names that can be guessed")
	}
	if _, err := Verify(strings.Repeat("x", 1<<16+1), r.keys, "", "", "", r.now); !errors.Is(err, ErrAssertion) {
		t.Error(err)
	}
	if p := problem(errors.New("disk full")).(*Problem); p.status != http.StatusServiceUnavailable || p.Code != CodeOutOfOrder {
		t.Errorf("what is no refusal: %+v", p)
	}
}
