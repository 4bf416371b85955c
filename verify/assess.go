package verify

import (
	"slices"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile"
	"github.com/tamthe/tamthe/verify/pki"
)

// assessment turns what an inspection learned into checks. Nothing is read or asked
// while it runs, but the status of the card once it is known whose document it is.
type assessment struct {
	o        Options
	ev       *evidence
	checks   map[string]Check
	document Document
	profile  *profile.Profile

	sod     *lds.SOD          // nil if there is none that can be read
	signer  *cert.Certificate // the signer's, once it is known
	signed  bool              // the signature over the SOD is right
	trusted bool              // … and a chain leads to an anchor
	intact  [17]bool          // groups that match a trusted SOD
	chain   pki.Result
	facts   facts

	compared comparison
}

// set records the outcome of a check. Where a check has several answers the worst
// stays.
func (a *assessment) set(id string, o Outcome, r Reason, detail string) {
	a.record(Check{ID: id, Outcome: o, Reason: r, Detail: detail})
}

// fail records a failure with what a parser or protocol said.
func (a *assessment) fail(id string, r Reason, err error) {
	c := Check{ID: id, Outcome: Failed, Reason: r, Err: err}
	if err != nil {
		c.Detail = err.Error()
	}
	a.record(c)
}

func (a *assessment) record(c Check) {
	old, again := a.checks[c.ID]
	if !again || old.Outcome == NotRun && old.Reason == "" || c.Outcome.worseThan(old.Outcome) && c.Outcome != NotRun {
		a.checks[c.ID] = c
	}
}

// passed says whether a check has passed so far.
func (a *assessment) passed(id string) bool { return a.checks[id].Outcome == Passed }

// listed says whether the SOD lists the data group.
func (a *assessment) listed(n int) bool {
	if a.sod == nil {
		return false
	}
	_, ok := a.sod.Object.GroupHash(n)
	return ok
}

// list returns the checks in the order of the catalogue, with claims and clauses;
// those that nobody ran are NotRun. Groups have a check where they are signed.
func (a *assessment) list() []Check {
	var list []Check
	for _, k := range catalogue {
		if k.id == groupCheck(1) {
			for n := 1; n <= 16; n++ {
				if c, ok := a.checks[groupCheck(n)]; ok || n == 1 {
					c.ID, c.Claim, c.Spec = groupCheck(n), Integrity, k.spec
					list = append(list, c)
				}
			}
			continue
		}
		c := a.checks[k.id]
		if _, ok := a.checks[k.id]; !ok && ((a.ev.chip == nil || a.ev.chip.recorded != nil) && chipOnly[k.id] || onlyWhereMet[k.id]) {
			continue
		}
		c.ID, c.Claim, c.Spec = k.id, k.claim, k.spec
		list = append(list, c)
	}
	return list
}

// onlyWhereMet are the checks that a report names only where there was something to check.
var onlyWhereMet = map[string]bool{CheckRelay: true, CheckQR: true, CheckChipNone: true, CheckCAM: true, CheckTA: true, CheckSeal: true, CheckDeviation: true, CheckLog: true}

// chipOnly are the checks that need a chip to be there.
var chipOnly = map[string]bool{CheckProtection: true, CheckAccess: true, CheckDowngrade: true, CheckCardAccess: true}

// groups returns the numbers of the data groups that the SOD lists, rising.
func (a *assessment) groups() []int {
	if a.sod == nil {
		return nil
	}
	var list []int
	for _, g := range a.sod.Object.Hashes {
		list = append(list, g.Number)
	}
	slices.Sort(list)
	return list
}
