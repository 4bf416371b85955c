package verify

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// sound returns the checks of a card with which everything is in order.
func sound() []Check {
	var list []Check
	for _, k := range catalogue {
		o := Passed
		if k.id == CheckCA1 {
			o = NotRun
		}
		if onlyWhereMet[k.id] {
			continue
		}
		list = append(list, Check{ID: k.id, Claim: k.claim, Outcome: o})
	}
	return append(list, Check{ID: "lds.dg2", Claim: Integrity, Outcome: Passed})
}

// with returns the checks with some of them ended otherwise.
func with(changes ...Check) []Check {
	list := sound()
	for _, c := range changes {
		found := false
		for i := range list {
			if list[i].ID == c.ID {
				list[i].Outcome, list[i].Reason, found = c.Outcome, c.Reason, true
			}
		}
		if !found {
			list = append(list, c)
		}
	}
	return list
}

func TestJudgeTruthTable(t *testing.T) {
	policy := func(name string) Policy {
		p, err := PolicyByName(name)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	checkpoint, quick, archive, qa := policy("checkpoint"), policy("quick"), policy("archive"), policy("desk-qa")
	online := policy("online")
	chip := func(o Outcome, r Reason) Check { return Check{ID: CheckAA, Outcome: o, Reason: r} }
	tests := []struct {
		name   string
		policy Policy
		checks []Check
		want   Verdict
	}{
		{"all passed", checkpoint, sound(), Accept},
		{"no check", checkpoint, nil, Refer},
		{"no need", Policy{}, sound(), Refer},
		{"no need, one failed", Policy{}, with(Check{ID: CheckChain, Outcome: Failed, Reason: ReasonChainForged}), Refuse},
		{"signature failed", archive, with(Check{ID: CheckSODSignature, Outcome: Failed, Reason: ReasonSODSignature}), Refuse},
		{"signature not run", archive, with(Check{ID: CheckSODSignature, Outcome: NotRun}), Refer},
		{"signature absent", archive, with(Check{ID: CheckSODSignature, Outcome: Absent}), Refer},
		{"unknown CSCA", archive, with(Check{ID: CheckChain, Outcome: Undetermined, Reason: ReasonCSCAUnknown}), Refer},
		{"failed without a reason", archive, with(Check{ID: CheckCOM, Outcome: Failed}), Refuse},
		{"failed for an unheard-of reason", archive, with(Check{ID: CheckCOM, Outcome: Failed, Reason: "cosmic-rays"}), Refuse},
		{"no outcome at all", archive, with(Check{ID: CheckCOM, Outcome: 99}), Refuse},
		{"group hash", archive, with(Check{ID: "lds.dg2", Outcome: Failed, Reason: ReasonGroupHash}), Refuse},
		{"photo not read", checkpoint, with(Check{ID: "lds.dg2", Outcome: NotRun, Reason: ReasonGroupNotRead}), Refer},
		{"photo not read, quick", quick, with(Check{ID: "lds.dg2", Outcome: NotRun, Reason: ReasonGroupNotRead}), Accept},
		{"other group not read", checkpoint, with(Check{ID: "lds.dg12", Claim: Integrity, Outcome: NotRun, Reason: ReasonGroupNotRead}), Accept},
		{"clone", checkpoint, with(chip(Failed, ReasonChipKeyMismatch)), Refuse},
		{"clone in an archive", archive, with(chip(Failed, ReasonChipKeyMismatch)), Refuse},
		{"no proof", checkpoint, with(chip(Absent, "")), Refer},
		{"no proof, archive", archive, with(chip(NotRun, ReasonChipNotAsked)), Accept},
		{"CA instead of AA", checkpoint, with(chip(Absent, ""), Check{ID: CheckCA1, Outcome: Passed}), Accept},
		{"CA passed, AA failed", checkpoint, with(chip(Failed, ReasonChipRefused), Check{ID: CheckCA1, Outcome: Passed}), Refuse},
		{"CAM instead of AA", checkpoint, with(chip(Absent, ""), Check{ID: CheckCAM, Claim: Original, Outcome: Passed}), Accept},
		{"CAM passed, AA failed", checkpoint, with(chip(Failed, ReasonChipRefused), Check{ID: CheckCAM, Claim: Original, Outcome: Passed}), Refuse},
		{"CAM failed, AA passed", checkpoint, with(Check{ID: CheckCAM, Claim: Original, Outcome: Failed, Reason: ReasonChipKeyMismatch}), Refuse},
		{"CAM under no trusted signature", checkpoint, with(chip(Absent, ""), Check{ID: CheckCAM, Claim: Original, Outcome: Undetermined, Reason: ReasonChipKeyUncovered}), Refer},
		{"no rights for the terminal", checkpoint, with(Check{ID: CheckTA, Claim: Original, Outcome: NotRun, Reason: ReasonTerminalRefused}), Accept},
		{"issuer gives chips no key", checkpoint, with(chip(Absent, ""), Check{ID: CheckChipNone, Claim: Original, Outcome: Absent, Reason: ReasonChipNotOffered}), Accept},
		{"status not published", checkpoint, with(Check{ID: CheckStatus, Outcome: Absent, Reason: ReasonStatusNotPublished}), Accept},
		{"status not asked", checkpoint, with(Check{ID: CheckStatus, Outcome: NotRun, Reason: ReasonStatusNotAsked}), Refer},
		{"status stale", checkpoint, with(Check{ID: CheckStatus, Outcome: Undetermined, Reason: ReasonStatusStale}), Refer},
		{"card revoked", checkpoint, with(Check{ID: CheckStatus, Outcome: Failed, Reason: ReasonCardRevoked}), Refuse},
		{"CRL stale", checkpoint, with(Check{ID: CheckRevocation, Outcome: Undetermined, Reason: ReasonCRLStale}), Refer},
		{"CRL stale, archive", archive, with(Check{ID: CheckRevocation, Outcome: Undetermined, Reason: ReasonCRLStale}), Accept},
		{"expired", checkpoint, with(Check{ID: CheckExpiry, Outcome: Failed, Reason: ReasonDocumentExpired}), Refuse},
		{"outlived", checkpoint, with(Check{ID: CheckOutlived, Outcome: Failed, Reason: ReasonOutlived}), Accept},
		{"outlived at the desk", qa, with(Check{ID: CheckOutlived, Outcome: Failed, Reason: ReasonOutlived}), Refuse},
		{"SHA-1", checkpoint, with(Check{ID: CheckSODAlgorithm, Outcome: Failed, Reason: ReasonAlgorithmWeak}), Accept},
		{"MD5", archive, with(Check{ID: CheckSODAlgorithm, Outcome: Failed, Reason: ReasonAlgorithmBroken}), Refuse},
		{"national finding", qa, with(Check{ID: CheckNational, Outcome: Failed, Reason: ReasonNationalMismatch}), Accept},
		{"print differs", checkpoint, with(Check{ID: CheckPrint, Outcome: Failed, Reason: ReasonPrintMismatch}), Refer},
		{"another face", checkpoint, with(Check{ID: CheckHolder, Outcome: Failed, Reason: ReasonHolderMismatch}), Refuse},
		{"unsure", checkpoint, with(Check{ID: CheckHolder, Outcome: Failed, Reason: ReasonHolderUnsure}), Refer},
		{"not compared", checkpoint, with(Check{ID: CheckHolder, Outcome: NotRun, Reason: ReasonHolderNotCompared}), Accept},
		{"officer and engine disagree", checkpoint, with(Check{ID: CheckHolder, Outcome: Failed, Reason: ReasonHolderDisputed}), Refer},
		{"online", online, sound(), Accept},
		{"online, status not published", online, with(Check{ID: CheckStatus, Outcome: Absent, Reason: ReasonStatusNotPublished}), Refer},
		{"online, status not asked", online, with(Check{ID: CheckStatus, Outcome: NotRun, Reason: ReasonStatusNotAsked}), Refer},
		{"online, card revoked", online, with(Check{ID: CheckStatus, Outcome: Failed, Reason: ReasonCardRevoked}), Refuse},
		{"online, print differs", online, with(Check{ID: CheckPrint, Outcome: Failed, Reason: ReasonPrintMismatch}), Refuse},
		{"online, SHA-1", online, with(Check{ID: CheckSODAlgorithm, Outcome: Failed, Reason: ReasonAlgorithmWeak}), Refuse},
		{"online, outlived", online, with(Check{ID: CheckOutlived, Outcome: Failed, Reason: ReasonOutlived}), Accept},
		{"online, photo not read", online, with(Check{ID: "lds.dg2", Outcome: NotRun, Reason: ReasonGroupNotRead}), Accept},
		{"specimen", archive, with(Check{ID: CheckSpecimen, Outcome: Undetermined, Reason: ReasonSpecimen}), Refer},
		{"passed and failed under one id", archive, append(sound(), Check{ID: "lds.dg1", Claim: Integrity, Outcome: NotRun}), Refer},
	}
	for _, tt := range tests {
		if got := tt.policy.Judge(tt.checks); got != tt.want {
			t.Errorf("%s, %s: %v, want %v", tt.policy.Name, tt.name, got, tt.want)
		}
	}
}

// descending lists the outcomes from the best to the worst.
var descending = []Outcome{Passed, Absent, NotRun, Undetermined, Failed}

func TestJudgeWorseIsNeverBetter(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 9303))
	reasons := append(Reasons(), "", "cosmic-rays")
	ids := make([]kind, 0, len(catalogue)+3)
	ids = append(ids, catalogue...)
	ids = append(ids, kind{id: "lds.dg2", claim: Integrity}, kind{id: "lds.dg13", claim: Integrity}, kind{id: "x.y", claim: InForce})
	for range 20_000 {
		p := randomPolicy(rng, reasons)
		var checks []Check
		for _, k := range ids {
			if rng.IntN(8) == 0 {
				continue
			}
			o := Passed
			if rng.IntN(4) == 0 {
				o = descending[rng.IntN(len(descending))]
			}
			checks = append(checks, Check{ID: k.id, Claim: k.claim, Outcome: o, Reason: reasons[rng.IntN(len(reasons))]})
		}
		if len(checks) == 0 {
			continue
		}
		before := p.Judge(checks)
		c := &checks[rng.IntN(len(checks))]
		old := c.Outcome
		for _, o := range descending {
			if !o.worseThan(old) {
				continue
			}
			c.Outcome = o
			if after := p.Judge(checks); worse(before, after) != after {
				t.Fatalf("%s (%s) from %v to %v: verdict from %v to %v\npolicy %+v", c.ID, c.Reason, old, o, before, after, p)
			}
		}
	}
}

func TestJudgeIgnoresSofteningOfHardReasons(t *testing.T) {
	for _, r := range append(Reasons(), "", "cosmic-rays") {
		p := Policy{Need: []Claim{Integrity}, Soften: []Softening{{r, Accept}}}
		list := with(Check{ID: CheckPhoto, Outcome: Failed, Reason: r})
		want := Accept
		if r.Hard() {
			want = Refuse
		}
		if got := p.Judge(list); got != want {
			t.Errorf("%s, hard %v: %v", r, r.Hard(), got)
		}
	}
	for _, r := range []Reason{ReasonGroupHash, ReasonSODSignature, ReasonSODDigest, ReasonChainForged, ReasonChipKeyMismatch, ReasonProtection, ReasonHolderMismatch} {
		if !r.Hard() {
			t.Errorf("%s can be softened", r)
		}
	}
}

func randomPolicy(rng *rand.Rand, reasons []Reason) Policy {
	var p Policy
	for c := Integrity; c <= HolderBound; c++ {
		if rng.IntN(3) == 0 {
			p.Need = append(p.Need, c)
		}
	}
	for range rng.IntN(60) {
		p.Soften = append(p.Soften, Softening{reasons[rng.IntN(len(reasons))], Verdict(rng.IntN(3))})
	}
	for n := 1; n <= 16; n++ {
		if rng.IntN(8) == 0 {
			p.Groups = append(p.Groups, n)
		}
	}
	for _, k := range catalogue {
		if rng.IntN(16) == 0 {
			p.Demand = append(p.Demand, k.id)
		}
	}
	return p
}

func TestOutcomeZeroValuesAreCautious(t *testing.T) {
	var c Check
	var v Verdict
	if c.Outcome != NotRun || v != Refer || (Policy{}).Judge([]Check{c}) != Refer {
		t.Error("a zero value speaks for a document")
	}
}

func TestNamesRoundTrip(t *testing.T) {
	for o := NotRun; o <= Passed; o++ {
		b, err := o.MarshalText()
		var back Outcome
		if err != nil || back.UnmarshalText(b) != nil || back != o {
			t.Errorf("%v: %s %v", o, b, back)
		}
	}
	if _, err := Verdict(9).MarshalText(); err == nil {
		t.Error("a verdict that is none has a word")
	}
	var v Verdict
	if v.UnmarshalText([]byte("acceptable")) == nil {
		t.Error("an unknown word is taken")
	}
	if s := fmt.Sprint(Claim(77)); s != "invalid(77)" {
		t.Error(s)
	}
}

// TestPoliciesAreTheCallers: what one caller changes in a built-in policy, or appends to
// it, no other caller gets.
func TestPoliciesAreTheCallers(t *testing.T) {
	for _, p := range Policies() {
		get := func() Policy {
			q, err := PolicyByName(p.Name)
			if err != nil {
				t.Fatal(err)
			}
			return q
		}
		before, a, b := get(), get(), get()
		a.Soften = append(a.Soften, Softening{ReasonSignerMissing, Accept})
		b.Soften = append(b.Soften, Softening{ReasonGroupUnlisted, Refer})
		if got := a.Soften[len(a.Soften)-1].Reason; got != ReasonSignerMissing {
			t.Errorf("%s: one caller's softening became %s", p.Name, got)
		}
		a.Soften[0], a.Need[0], a.Groups[0] = Softening{}, HolderBound, 16
		if after := get(); !slices.Equal(after.Soften, before.Soften) || !slices.Equal(after.Need, before.Need) || !slices.Equal(after.Groups, before.Groups) {
			t.Errorf("%s was changed from outside", p.Name)
		}
	}
}

// TestUnknownClaim: a policy that needs what is no claim needs what nothing can give.
func TestUnknownClaim(t *testing.T) {
	for _, need := range [][]Claim{{77}, {Integrity, HolderBound + 1}} {
		if v := (Policy{Name: "x", Need: need}).Judge(sound()); v == Accept {
			t.Errorf("need %v: %v", need, v)
		}
	}
}
