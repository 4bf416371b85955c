package eid

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"text/tabwriter"
)

// expectedKinds is the matrix of what parties may agree to: a letter for each field in the
// order of Fields, + for yes.
var expectedKinds = []struct {
	kind, fields     string
	holder, attended bool
	rate, most       int
	proofs           string
}{
	{"individual", "++++-++---+", false, false, 6, 60, ""},
	{"organisation", "++++-++++++", true, true, 60, 100_000, ""},
	{"state", "+++++++++++", true, true, 60, 1_000_000, "active agreement"},
}

// Each kind of party can agree to what the matrix says and to nothing else; and what it did
// not agree to, a login does not get.
func TestPolicyMatrix(t *testing.T) {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "kind\t"+strings.Join(Fields(), "\t")+"\tholder\tattended\trate\tat most\tproofs")
	for _, want := range expectedKinds {
		agree := func(change func(*Party)) (*Server, error) {
			p := Party{ID: "p", Kind: want.kind, Purposes: []string{"thử"}, Secret: sha("s")}
			change(&p)
			c := newRig(t).c
			c.Parties = []Party{p}
			return New(c)
		}
		may := func(what string, expected bool, change func(*Party)) string {
			_, err := agree(change)
			if (err == nil) != expected || err != nil && !errors.Is(err, ErrParty) {
				t.Errorf("%s, %s: %v, want %v", want.kind, what, err, expected)
			}
			return map[bool]string{true: "+", false: "-"}[err == nil]
		}
		row := []string{want.kind}
		for i, f := range Fields() {
			row = append(row, may(f, want.fields[i] == '+', func(p *Party) { p.Fields = []string{f} }))
			s, err := agree(func(*Party) {})
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Begin("s", Ask{Party: "p", Purpose: "thử", Fields: []string{f}})
			wantCode(t, want.kind+" that did not agree to "+f, err, CodeFields)
		}
		row = append(row, may("holder", want.holder, func(p *Party) { p.Level = Holder }))
		row = append(row, may("attended", want.attended, func(p *Party) { p.Attended = true }))
		may("no logins a minute", false, func(p *Party) { p.Rate = -1 })
		may("the most", true, func(p *Party) { p.Rate = want.most })
		may("more than the most", false, func(p *Party) { p.Rate = want.most + 1 })
		may("a proof that there is not", false, func(p *Party) { p.Proofs = []string{"oath"} })
		may("a level that there is not", false, func(p *Party) { p.Level = "sure" })
		may("a field that no card has", false, func(p *Party) { p.Fields = []string{"portrait"} })
		s, err := agree(func(*Party) {})
		if err != nil {
			t.Fatal(err)
		}
		p, _ := s.Party("p")
		if p.Rate != want.rate || strings.Join(p.Proofs, " ") != want.proofs || p.Level != Possession {
			t.Errorf("%s, where nothing is agreed: %+v", want.kind, p)
		}
		for i := range want.rate + 1 {
			if _, err := s.Begin("s", Ask{Party: "p", Purpose: "thử"}); (err == nil) != (i < want.rate) {
				t.Errorf("%s: login %d of a minute: %v", want.kind, i+1, err)
			}
		}
		fmt.Fprintln(w, strings.Join(append(row, fmt.Sprint(p.Rate), fmt.Sprint(want.most), strings.Join(p.Proofs, "+")), "\t"))
	}
	w.Flush()
	t.Logf("\n%s", out.String())
	if k := Kinds(); len(k) != len(expectedKinds) {
		t.Errorf("%d kinds", len(k))
	}
	r := newRig(t)
	c := r.c
	c.Parties = []Party{{ID: "p", Kind: "church"}}
	if _, err := New(c); !errors.Is(err, ErrParty) {
		t.Errorf("a kind that there is not: %v", err)
	}
}

// A login needs the proofs of its party, and of another's any one; where the chip can sign, its
// signature, which alone is of this login.
func TestProofs(t *testing.T) {
	for _, c := range []struct {
		needs  []string
		signed bool
		proof  string // recorded
		want   Code
	}{
		{nil, true, "active agreement", ""}, // of a state body
		{nil, false, "agreement", CodeUnproven},
		{[]string{}, true, "active", ""},
		{[]string{}, false, "agreement", CodeUnproven},
		{[]string{ProofActive}, true, "active", ""},
		{[]string{ProofActive}, false, "agreement", CodeUnproven},
		{[]string{ProofAgreement}, true, "active agreement", ""},
		{[]string{ProofAgreement}, false, "agreement", CodeUnproven},
	} {
		r := newRig(t, func(k *Config) { k.Parties[0].Proofs = c.needs })
		b := r.begin(t, taxes())
		_, err := r.present(t, b, r.chip, func(e *Evidence) {
			if !c.signed {
				e.Signature = nil
			}
		})
		wantCode(t, fmt.Sprint(c), err, c.want)
		if got := r.store.kept[0]; got.Proof != c.proof || got.Code != c.want {
			t.Errorf("%v: kept %s %s", c, got.Proof, got.Code)
		}
	}
}
