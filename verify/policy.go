package verify

import (
	"slices"
	"time"
)

// Policy says which claims a situation needs and what it is ready to overlook. It is
// data: the same checks are judged differently at a checkpoint and in an archive.
type Policy struct {
	Name   string
	Need   []Claim     // claims that have to be passed for Accept; none at all refers
	Groups []int       // data groups that have to be read if the SOD lists them
	Demand []string    // checks that have to be passed for their claim, whatever the issuer lacks
	Soften []Softening // reasons that do not refuse here
	Chip   bool        // ask the chip for its data and its proof
	Photo  bool        // read DG2
	COM    bool        // compare EF.COM with the SOD

	StatusAge time.Duration // how old an answer about the card's status may be; zero means any
	CRLAge    time.Duration // how old a revocation list may be, whatever it says of itself; zero means any
}

// Softening names the verdict of a check that did not pass for this reason, where
// it would otherwise refuse. Hard reasons ignore it: see Reason.Hard.
type Softening struct {
	Reason Reason
	To     Verdict
}

// Judge applies the policy to the checks. It is pure.
//
// A failed check refuses unless its reason is softened. A needed claim is passed
// when its constitutive checks passed and none of its checks is undetermined or
// failed; one that is not passed refers. A policy that needs nothing, and an empty
// list, refer. Making any outcome worse never makes the verdict better.
func (p Policy) Judge(checks []Check) Verdict {
	v := Accept
	for _, c := range checks {
		switch {
		case c.Outcome == Failed:
			v = worse(v, p.failure(c.Reason))
		case c.Outcome > Passed: // no outcome at all
			v = Refuse
		}
	}
	if len(p.Need) == 0 || len(checks) == 0 {
		v = worse(v, Refer)
	}
	for _, claim := range p.Need {
		if !p.passed(claim, checks) {
			v = worse(v, Refer)
		}
	}
	return v
}

// failure is the verdict that a failed check with this reason leads to.
func (p Policy) failure(r Reason) Verdict {
	if r.Hard() {
		return Refuse
	}
	for _, s := range p.Soften {
		if s.Reason == r {
			return s.To
		}
	}
	if r.Note() {
		return Accept
	}
	return Refuse
}

// blocks says whether the check keeps its claim from being passed.
func (p Policy) blocks(c Check) bool {
	switch c.Outcome {
	case NotRun, Absent, Passed:
		return false
	case Undetermined, Failed:
		return p.failure(c.Reason) != Accept
	}
	return true // no outcome at all
}

// passed says whether the checks carry the claim.
func (p Policy) passed(claim Claim, checks []Check) bool {
	for _, c := range checks {
		if c.Claim == claim && p.blocks(c) {
			return false
		}
	}
	return constituted(claim, checks) && p.demanded(claim, checks) && (claim != Integrity || p.groupsRead(checks))
}

// constituted says whether the claim's constitutive checks are all met.
func constituted(claim Claim, checks []Check) bool {
	outcome := make(map[string]Outcome, len(checks))
	for _, c := range checks {
		if o, again := outcome[c.ID]; !again || c.Outcome.worseThan(o) {
			outcome[c.ID] = c.Outcome
		}
	}
	some, one := false, false // has the claim alternatives, and is one met
	if int(claim) >= len(claimNames) {
		return false
	}
	for _, k := range catalogue {
		if k.claim != claim {
			continue
		}
		switch o := outcome[k.id]; k.role {
		case needed:
			if o != Passed {
				return false
			}
		case waived:
			if o != Passed && o != Absent {
				return false
			}
		case oneOf:
			some, one = true, one || o == Passed || (o == Absent && k.id == CheckChipNone)
		}
	}
	return !some || one
}

// demanded says whether the checks that the policy insists on were passed, as far as they
// speak for the claim.
func (p Policy) demanded(claim Claim, checks []Check) bool {
	for _, k := range catalogue {
		if k.claim != claim || !slices.Contains(p.Demand, k.id) {
			continue
		}
		met := false
		for _, c := range checks {
			if c.ID == k.id && c.Outcome != Passed {
				return false
			}
			met = met || c.ID == k.id
		}
		if !met {
			return false
		}
	}
	return true
}

// groupsRead says whether each data group that the policy asks for and the SOD
// lists was read and found intact.
func (p Policy) groupsRead(checks []Check) bool {
	for _, n := range p.Groups {
		i := slices.IndexFunc(checks, func(c Check) bool { return c.ID == groupCheck(n) })
		if i >= 0 && checks[i].Outcome != Passed {
			return false
		}
	}
	return true
}
