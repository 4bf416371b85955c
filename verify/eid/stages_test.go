package eid

import (
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/verify"
)

// The code that ends a login ends none that was not decided, whoever came to know it; and
// evidence is taken once.
func TestStages(t *testing.T) {
	r := newRig(t)
	b := r.begin(t, taxes())
	l := r.table.session(b.Session)
	early := func(when string) {
		t.Helper()
		_, _, err := r.Redeem("tax-secret", b.Session, b.Browser, l.finish)
		wantCode(t, when, err, CodeTaken)
	}
	early("before an agent has it")
	agent := NewNonce()
	req, err := r.Open("here", b.Code, Commitment(agent))
	if err != nil {
		t.Fatal(err)
	}
	early("before the card is shown")
	s := session(t, r.chip)
	e, err := Gather(t.Context(), s, *req, agent)
	if err != nil {
		t.Fatal(err)
	}
	step, err := r.Present(t.Context(), b.Session, agent, e)
	if err != nil || step.Agreement == nil || step.Finish != "" {
		t.Fatalf("%+v %v", step, err)
	}
	early("before the chip answered")
	_, err = r.Present(t.Context(), b.Session, agent, e)
	wantCode(t, "evidence again, before the chip answered", err, CodeTaken)
	if len(r.store.kept) != 0 {
		t.Error("a login under way is on the record")
	}
	answer, err := Carry(t.Context(), s, step)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = r.Answer(t.Context(), b.Session, agent, answer); err != nil {
		t.Fatal(err)
	}
	_, err = r.Answer(t.Context(), b.Session, agent, answer)
	wantCode(t, "the answer again", err, CodeTaken)
	if _, _, err = r.Redeem("tax-secret", b.Session, b.Browser, l.finish); err != nil {
		t.Error(err)
	}
	if l.record.Files != nil || l.claims != nil || l.finish != "" || l.request.Nonce != "" {
		t.Error("a login that is over remembers what was shown")
	}
}

// Each field is told as itself, whatever stands beside it, and what is not asked is not told.
func TestDisclose(t *testing.T) {
	at := time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)
	i := verify.Identity{
		Number: "003190000017", Surname: "NGUYEN", Given: "THU", Birth: "1990-02-15", Sex: "F", Nationality: "VNM", Expiry: "2030-02-15",
		Fields: []verify.Field{{Name: "ethnicity", Value: "Kinh"}, {Name: "religion", Value: "Không"}, {Name: "origin", Value: "Mẫu"}, {Name: "residence", Value: "Phố Thử"}},
	}
	want := map[string]string{
		"age_over_14": "true", "age_over_18": "true", "birth": "1990-02-15", "document_expiry": "2030-02-15", "ethnicity": "Kinh", "name": "NGUYEN THU",
		"nationality": "VNM", "number": "003190000017", "origin": "Mẫu", "residence": "Phố Thử", "sex": "F",
	}
	if len(want) != len(Fields()) {
		t.Fatal("a field is untested")
	}
	for f, v := range want {
		if got := disclose(i, []string{f}, at); len(got) != 1 || got[f] != v {
			t.Errorf("%s: %v, want %s", f, got, v)
		}
		if got := disclose(verify.Identity{}, []string{f}, at); len(got) != 0 && !(f == "name" && strings.TrimSpace(got[f]) == "") {
			t.Errorf("of nobody: %v", got)
		}
	}
	if got := disclose(i, nil, at); len(got) != 0 {
		t.Errorf("not asked: %v", got)
	}
}

// What an agent sends as evidence is taken whole or not at all.
func TestPresented(t *testing.T) {
	good := Presented{Agent: NewNonce(), Files: map[string]string{"DG1": "6100"}, Signature: "0102", Present: true}
	e, err := good.evidence()
	if err != nil || len(e.Files) != 1 || len(e.Signature) != 2 || !e.Present {
		t.Fatalf("%+v %v", e, err)
	}
	for what, spoil := range map[string]func(*Presented){
		"a signature that is none":   func(p *Presented) { p.Signature = "01x" },
		"half an octet":              func(p *Presented) { p.Signature = "010" },
		"a long signature":           func(p *Presented) { p.Signature = strings.Repeat("00", 1025) },
		"a long nonce":               func(p *Presented) { p.Agent = strings.Repeat("0", 65) },
		"a file of no card":          func(p *Presented) { p.Files = map[string]string{"DG99": "00"} },
		"a file that is none":        func(p *Presented) { p.Files = map[string]string{"DG1": "0g"} },
		"a file by two of its names": func(p *Presented) { p.Files = map[string]string{"DG1": "00", "dg1": "00"} },
	} {
		p := good
		spoil(&p)
		if e, err := p.evidence(); CodeOf(err) != CodeEvidence || e.Files != nil || e.Signature != nil {
			t.Errorf("%s: %+v %v", what, e, err)
		}
	}
}
