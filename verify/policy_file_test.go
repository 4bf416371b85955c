package verify

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

const roadside = `
name = "roadside"
base = "checkpoint"
need = ["integrity", "authentic", "original", "in-force", "holder-bound"]
demand = ["status.card", "print.qr"]
status_age = "36h"
crl_age = "720h"
com = true
[soften]
outlived = "refuse"
group-not-read = "accept"
`

func TestParsePolicy(t *testing.T) {
	p, err := ParsePolicy([]byte(roadside))
	if err != nil {
		t.Fatal(err)
	}
	base, _ := PolicyByName("checkpoint")
	if p.Name != "roadside" || len(p.Need) != 5 || !slices.Equal(p.Groups, base.Groups) || p.StatusAge != 36*time.Hour || p.CRLAge != 720*time.Hour || !p.COM || !p.Photo {
		t.Errorf("%+v", p)
	}
	for _, tt := range []struct {
		name   string
		checks []Check
		want   Verdict
	}{
		{"all passed, QR code not given", sound(), Refer},
		{"all passed", with(Check{ID: CheckQR, Claim: HolderBound, Outcome: Passed}), Accept},
		{"outlived", with(Check{ID: CheckQR, Claim: HolderBound, Outcome: Passed}, Check{ID: CheckOutlived, Outcome: Failed, Reason: ReasonOutlived}), Refuse},
		{"bearer not compared", with(Check{ID: CheckQR, Claim: HolderBound, Outcome: Passed}, Check{ID: CheckHolder, Outcome: NotRun, Reason: ReasonHolderNotCompared}), Refer},
		{"photo unread, as in the base", with(Check{ID: CheckQR, Claim: HolderBound, Outcome: Passed}, Check{ID: CheckPhoto, Outcome: Failed, Reason: ReasonPhotoUnread}), Refer},
		{"another face", with(Check{ID: CheckHolder, Outcome: Failed, Reason: ReasonHolderMismatch}), Refuse},
	} {
		if got := p.Judge(tt.checks); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestParsePolicyRefuses(t *testing.T) {
	for name, change := range map[string][2]string{
		"a built-in name":      {`"roadside"`, `"archive"`},
		"a name with an order": {`"roadside"`, `"a\u001b[2J"`},
		"no name":              {`name = "roadside"`, ""},
		"no base":              {`base = "checkpoint"`, ""},
		"an unknown base":      {`"checkpoint"`, `"nothing"`},
		"no need":              {`need = ["integrity", "authentic", "original", "in-force", "holder-bound"]`, "need = []"},
		"an unknown claim":     {`"integrity"`, `"honour"`},
		"a claim by number":    {`"integrity"`, `1`},
		"no claim there is":    {`need = ["integrity", "authentic", "original", "in-force", "holder-bound"]`, "need = [9]"},
		"a verdict by number":  {`= "refuse"`, `= 1`},
		"a word for a list":    {`need = ["integrity", "authentic", "original", "in-force", "holder-bound"]`, `need = "integrity"`},
		"an unknown check":     {`"status.card"`, `"status.car"`},
		"an unknown reason":    {`outlived =`, `outlive =`},
		"an unknown verdict":   {`= "refuse"`, `= "perhaps"`},
		"an unknown key":       {`com =`, `con =`},
		"no duration":          {`"36h"`, `"36"`},
		"a negative duration":  {`"36h"`, `"-36h"`},
		"group 17":             {`com = true`, `groups = [1, 17]`},
		"the face softened":    {`outlived =`, `holder-mismatch =`},
		"the hash softened":    {`outlived =`, `group-hash =`},
		"no TOML":              {`[soften]`, `[soften`},
		"too long":             {`com = true`, "com = true\n#" + strings.Repeat("x", maxPolicy)},
	} {
		text := strings.Replace(roadside, change[0], change[1], 1)
		p, err := ParsePolicy([]byte(text))
		if !errors.Is(err, ErrPolicy) && !errors.Is(err, ErrNoPolicy) || p.Name != "" {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(roadside))
	f.Add([]byte("name = \"x\"\nbase = \"archive\"\nneed = [\"integrity\"]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParsePolicy(text)
		if err != nil {
			if p.Name != "" || p.Need != nil {
				t.Fatal("a part of a policy with an error")
			}
			return
		}
		if len(p.Need) == 0 || p.Judge(with(Check{ID: "lds.dg1", Outcome: Failed, Reason: ReasonGroupHash})) != Refuse ||
			p.Judge(with(Check{ID: CheckAA, Outcome: Failed, Reason: ReasonChipKeyMismatch})) != Refuse || p.Judge(nil) == Accept {
			t.Fatalf("%+v", p)
		}
	})
}
