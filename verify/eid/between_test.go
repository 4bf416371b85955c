package eid

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/relay"
	"github.com/tamthe/tamthe/card/lds"
)

// A service that a citizen logs in to stands between their card and another service: what they
// honestly show it, it shows there, without the signature that names it, and has the chip answer
// the other's Chip Authentication. No party of the other takes that for a login of the citizen's.
func TestServiceInBetween(t *testing.T) {
	for _, ask := range []Ask{taxes(), {Party: "shop", Purpose: "bán rượu", Fields: []string{"age_over_18"}}} {
		for what, hide := range map[string]func(*Evidence){
			"no signature":            func(e *Evidence) { e.Signature = nil },
			"no signature and no key": func(e *Evidence) { e.Signature = nil; delete(e.Files, lds.DG15) },
		} {
			r := newRig(t)
			b, agent := r.begin(t, ask), NewNonce()
			if _, err := r.Open("there", b.Code, Commitment(agent)); err != nil {
				t.Fatal(err)
			}
			s := session(t, r.chip)
			e, err := Gather(t.Context(), s, Request{Server: "https://quiz.example", Party: "quiz", Purpose: "đố vui", Fields: []string{"name"}}, NewNonce())
			if err != nil {
				t.Fatal(err)
			}
			e.For = nil
			hide(&e)
			step, err := r.Present(t.Context(), b.Session, agent, e)
			if err == nil && step.Agreement != nil {
				answer, carried := Carry(t.Context(), s, step)
				if carried != nil {
					t.Fatal(carried)
				}
				_, err = r.Answer(t.Context(), b.Session, agent, answer)
			}
			wantCode(t, ask.Party+", "+what, err, CodeUnproven)
		}
	}
}

// keyless is a card that is lent as one without a key to sign with.
type keyless struct{ apdu.Transmitter }

func (k keyless) Transmit(ctx context.Context, c apdu.Command) (apdu.Response, error) {
	if c.CLA == 0 && c.INS == 0xB0 && c.P1 == 0x80|lds.DG15.SFI() {
		return apdu.Response{Status: apdu.FileNotFound}, nil
	}
	return k.Transmitter.Transmit(ctx, c)
}

// So is one who lends on the card that a citizen lends him.
func TestLentOn(t *testing.T) {
	web := httptest.NewUnstartedServer(nil)
	r, bank := relaying(t, web, web.Start)
	b, err := bank.Begin(t.Context(), account())
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&Client{URL: bank.URL}).Open(t.Context(), b.Code)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := l.upgrade(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	last, err := relay.Carry(t.Context(), stream, keyless{session(t, r.chip).Lend()}, l.rules())
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(last) {
		t.Fatalf("%q", last)
	}
	_, err = l.lastWord(last)
	wantCode(t, "a card lent on", err, CodeUnproven)
}
