package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/verify"
)

// TestEveryCase plays all cases: expected verdict and reason come out, and no attack and
// nothing that the guideline wants refused is accepted, unless the case says why.
func TestEveryCase(t *testing.T) {
	results, err := Run(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, r := range results {
		counts[r.mark()]++
		for _, o := range r.Outcomes {
			if !o.Pass {
				t.Errorf("%s, %s: expected %s %s; got %s %v (%s); the sound card: %s", r.ID, o.ID, o.Expected, o.Reason, o.Got.Verdict, o.Got.Reasons, o.Got.Detail, o.Sound)
			}
			if r.Wanted == "fail" && o.Got.Verdict == accept && r.Note == "" {
				t.Errorf("%s: %s is accepted, and no note says why", r.ID, o.ID)
			}
		}
	}
	t.Log(counts)
}

func (r Result) mark() string {
	switch {
	case len(r.Plays) == 0:
		return "not applicable"
	case r.Pass():
		return "pass"
	}
	return "FAIL"
}

// TestTables holds the data together: every case is there once, every play belongs to a
// case, and what is not played says why.
func TestTables(t *testing.T) {
	list, err := cases()
	if err != nil {
		t.Fatal(err)
	}
	var ids, used []string
	table := map[string]play{}
	for _, p := range plays() {
		if _, twice := table[p.id]; twice {
			t.Errorf("play %s is there twice", p.id)
		}
		if p.what == "" || p.base == nil || p.change == nil || !slices.Contains([]string{accept, refuse, refer, none}, p.verdict) {
			t.Errorf("play %s is not whole", p.id)
		}
		table[p.id] = p
	}
	for _, c := range list {
		ids = append(ids, c.ID)
		if (len(c.Plays) == 0) != (c.NA != "") || c.Title == "" || c.Clause == "" || c.Area == "" {
			t.Errorf("%s: %d plays, not applicable because of %q", c.ID, len(c.Plays), c.NA)
		}
		for _, id := range c.Plays {
			if _, ok := table[id]; !ok {
				t.Errorf("%s: there is no play %s", c.ID, id)
			}
			used = append(used, id)
		}
	}
	slices.Sort(ids)
	own := 0
	for _, id := range ids {
		if id[0] == 'T' {
			own++
		}
	}
	if n := len(slices.Compact(ids)); n != len(list) || n-own != 84+338 {
		t.Errorf("%d cases, of them %d of our own", n, own)
	}
	for n := 1; n <= 84; n++ {
		if id := fmt.Sprintf("N%02d", n); !slices.Contains(ids, id) {
			t.Errorf("%s is missing", id)
		}
	}
	for id := range table {
		if !slices.Contains(used, id) {
			t.Errorf("no case is played by %s", id)
		}
	}
}

// TestReasonsAreKnown wants every expected reason to be one that a report can give, or one
// of this package's own.
func TestReasonsAreKnown(t *testing.T) {
	own := []verify.Reason{"", reasonNoAccess, reasonProtocol, reasonWrongPassword, reasonBlocked, reasonTimeout, reasonStatus, reasonError, reasonShown, reasonMalformed, reasonChannel, reasonList, reasonRollback}
	for _, p := range plays() {
		if !slices.Contains(own, p.reason) && !slices.Contains(verify.Reasons(), p.reason) {
			t.Errorf("%s: reason %q", p.id, p.reason)
		}
	}
}

// TestCoveringTestsExist holds the names of tests that stand in for a case to tests that
// there are.
func TestCoveringTestsExist(t *testing.T) {
	list, err := cases()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		if c.Test == "" {
			continue
		}
		folder, name, _ := strings.Cut(c.Test, " ")
		found := false
		files, err := os.ReadDir("../../" + folder)
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
			continue
		}
		for _, f := range files {
			if !strings.HasSuffix(f.Name(), "_test.go") {
				continue
			}
			src, err := os.ReadFile("../../" + folder + "/" + f.Name())
			if err != nil {
				t.Fatal(err)
			}
			found = found || regexp.MustCompile(`(?m)^func `+regexp.QuoteMeta(name)+`\(`).Match(src)
		}
		if !found {
			t.Errorf("%s: there is no test %s", c.ID, c.Test)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	if _, err := Run(t.Context(), []string{"N99"}, nil); !errors.Is(err, ErrCase) {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ended, []string{"N26"}, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	var done, total int
	results, err := Run(t.Context(), []string{"n26", "LDS_I"}, func(d, n int) { done, total = d, n })
	if err != nil || len(results) != 4 || done != total || total != 5 {
		t.Errorf("%d results, %d of %d plays, %v", len(results), done, total, err)
	}
}

// TestFaultsAreSeen turns the judgement around: a station that trusts the forger, or whose
// policy overlooks the fault, makes the play fail.
func TestFaultsAreSeen(t *testing.T) {
	r := runner{sound: map[string]Got{}}
	for _, p := range []play{
		{"unchanged", "a sound card passed off as a forged one", standard, refuse, verify.ReasonGroupHash, func(*blueprint) {}},
		{"other reason", "a wrong signature", standard, refuse, verify.ReasonGroupHash, func(b *blueprint) { b.signature = func(s []byte) []byte { return flipped(s, -1) } }},
		{"tool that refuses all", "a station that trusts nobody", func() *blueprint {
			b := standard()
			b.kind, b.trust = "nobody", trusting(func(*issuer) []*cert.Certificate { return nil })
			return b
		}, refer, verify.ReasonCSCAUnknown, func(*blueprint) {}},
	} {
		o, err := r.run(t.Context(), p)
		if err != nil || o.Pass {
			t.Errorf("%s: %+v, %v", p.id, o, err)
		}
	}
}
