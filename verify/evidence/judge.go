package evidence

import (
	"context"
	"crypto/subtle"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/verify"
)

// Options say how to judge a bundle. The zero value trusts no device and no state.
type Options struct {
	// Verify has the judge's own trust store, time and source of card status. A Policy
	// without a name is the one that the bundle names, or checkpoint if there is none such
	// or it needs less and the device is not known.
	Verify verify.Options
	// Devices are the devices whose word the judge takes; see Device.ID.
	Devices [][32]byte
}

// Judgement is what a bundle is worth today.
type Judgement struct {
	// Report is the bundle judged again: with evidence.seal as its last check, and what
	// cannot be seen any more as the device recorded it.
	Report  *verify.Report
	Sealed  bool // the seal is right: nobody but the device's key changed anything
	Known   bool // … and the device is one of Options.Devices
	Bound   bool // … and the chip's challenge follows from the case
	Claims  []Claim
	Changed []Change // checks that ended otherwise when they were recorded, and were looked at again
}

// Claim says on what a claim rests.
type Claim struct {
	Claim  verify.Claim
	Passed bool
	Rests  Rest
	// ThirdParty says that somebody who does not trust the device may rest on it too.
	ThirdParty bool
}

// Rest is what a claim rests on.
type Rest string

// What a claim may rest on. Of these only RestDevice is anybody's word.
const (
	RestNothing Rest = "nothing"          // it is not passed
	RestIssuer  Rest = "issuer-signature" // the state's signature over the data
	RestChip    Rest = "chip-signature"   // the chip's, over a challenge of the case
	RestStore   Rest = "trust-store"      // what the judge's own store and lists say
	RestDevice  Rest = "device"           // the word of a device that the judge trusts
)

// Change is a check that ended differently when the device recorded it.
type Change struct {
	ID       string
	Then     verify.Outcome
	ThenWhy  verify.Reason
	Now      verify.Outcome
	NowWhy   verify.Reason
	Recorded bool // the device named this check at all
}

// Judge judges the bundle as of Options.Verify.At, by the trust of who asks. What others
// signed is verified again; what only the device saw counts if it speaks against the card,
// and in its favour only if the device is known. A bundle that was changed, or that
// contradicts itself, is refused whatever else it holds. The errors are those of
// verify.JudgeFiles.
func (b *Bundle) Judge(ctx context.Context, o Options) (*Judgement, error) {
	j := &Judgement{}
	seal := b.seal(j)
	for _, d := range o.Devices {
		j.Known = j.Known || j.Sealed && subtle.ConstantTimeCompare(d[:], b.Context.Device[:]) == 1
	}
	if o.Verify.Policy.Name == "" && len(o.Verify.Policy.Need) == 0 {
		o.Verify.Policy = b.policy(j.Known)
	}
	o.Verify.Signers, o.Verify.Lists = slices.Concat(o.Verify.Signers, b.Certificates), slices.Clone(o.Verify.Lists)
	for _, l := range b.Lists {
		if l.Contents != nil {
			o.Verify.Lists = append(o.Verify.Lists, l.Contents)
		}
	}
	alone, err := b.judge(ctx, o.Verify, verify.Record{Bound: j.Bound}, seal)
	if err != nil {
		return nil, err
	}
	j.Report = alone
	if j.Known {
		if j.Report, err = b.judge(ctx, o.Verify, verify.Record{Bound: j.Bound, Vouched: true}, seal); err != nil {
			return nil, err
		}
	}
	if j.Report.Check(verify.CheckSeal).Outcome != verify.Passed { // a right seal over what contradicts itself
		j.Sealed, j.Known, j.Bound = false, false, false
	}
	for c := verify.Integrity; c <= verify.HolderBound; c++ {
		j.Claims = append(j.Claims, rests(c, j.Report, alone))
	}
	j.Changed = b.changes(j.Report)
	return j, nil
}

// policy is what the bundle is judged by where the judge does not say. A device that is not
// known may have named one that needs next to nothing.
func (b *Bundle) policy(known bool) verify.Policy {
	least, _ := verify.PolicyByName("checkpoint")
	named, err := verify.PolicyByName(b.Policy)
	needs := func(c verify.Claim) bool { return slices.Contains(named.Need, c) }
	if err != nil || !known && slices.ContainsFunc(least.Need, func(c verify.Claim) bool { return !needs(c) }) {
		return least
	}
	return named
}

// judge judges once, believing the device or not.
func (b *Bundle) judge(ctx context.Context, o verify.Options, rec verify.Record, seal verify.Check) (*verify.Report, error) {
	rec.Files, rec.Proofs = b.Files, b.Proofs
	r, err := verify.JudgeRecord(ctx, rec, o)
	if err != nil {
		return nil, err
	}
	if seal.Outcome == verify.Passed && r.Document.Card != b.Card {
		seal = contradiction("the files are another card's")
	}
	r.Checks = append(b.withRecorded(r.Checks, rec.Vouched), seal)
	r.Verdict = r.Policy.Judge(r.Checks)
	return r, nil
}

// seal judges the seal and whether the bundle agrees with itself.
func (b *Bundle) seal(j *Judgement) verify.Check {
	body, err := b.body()
	if err == nil {
		err = b.Seal.Verify(body)
	}
	if err != nil {
		return sealCheck(verify.Failed, verify.ReasonBundleAltered, err.Error())
	}
	if b.Seal.Device() != b.Context.Device {
		return contradiction("the seal is another device's")
	}
	active, challenge := b.Proofs.Active, b.Context.Challenge()
	for _, c := range b.Checks {
		if c.ID == verify.CheckAA && c.Outcome == verify.Passed && active == nil {
			return contradiction("Active Authentication passed without a signature")
		}
	}
	if active != nil && active.Chosen && (challenge == nil || !slices.Equal(challenge, active.Challenge[:])) {
		return contradiction("the challenge does not follow from the case")
	}
	j.Sealed, j.Bound = true, active != nil && active.Chosen
	return sealCheck(verify.Passed, "", "")
}

func contradiction(what string) verify.Check {
	return sealCheck(verify.Failed, verify.ReasonBundleInconsistent, what)
}

func sealCheck(o verify.Outcome, r verify.Reason, detail string) verify.Check {
	return verify.Check{ID: verify.CheckSeal, Claim: verify.Integrity, Outcome: o, Reason: r, Detail: detail, Spec: "tamthe evidence"}
}

// rests says on what a claim rests, from the judgement that counts and the one that believes
// no device.
func rests(c verify.Claim, r, alone *verify.Report) Claim {
	out := Claim{Claim: c, Passed: r.Passed(c), Rests: RestNothing, ThirdParty: alone.Passed(c)}
	switch {
	case !out.Passed || r.Check(verify.CheckSeal).Outcome != verify.Passed:
		out.Passed, out.ThirdParty = false, false
	case !out.ThirdParty:
		out.Rests = RestDevice
	case c == verify.Integrity || c == verify.Authentic:
		out.Rests = RestIssuer
	case c == verify.Original && alone.Check(verify.CheckAA).Outcome == verify.Passed:
		out.Rests = RestChip
	default:
		out.Rests = RestStore
	}
	return out
}

// changes lists the checks that ended otherwise then, in the order of the report.
func (b *Bundle) changes(r *verify.Report) []Change {
	var list []Change
	for _, now := range r.Checks {
		i := slices.IndexFunc(b.Checks, func(c verify.Check) bool { return c.ID == now.ID })
		if now.ID == verify.CheckSeal || now.Reason == verify.ReasonRecorded || i >= 0 && b.Checks[i].Outcome == now.Outcome && (b.Checks[i].Reason == now.Reason || now.Outcome == verify.Passed || now.Outcome == verify.NotRun) {
			continue
		}
		c := Change{ID: now.ID, Now: now.Outcome, NowWhy: now.Reason, Recorded: i >= 0}
		if i >= 0 {
			c.Then, c.ThenWhy = b.Checks[i].Outcome, b.Checks[i].Reason
		}
		list = append(list, c)
	}
	return list
}

// seen are the families of checks of which only the device saw what they rest on, and the
// one that a group decides which bundles seldom keep.
func seen(id string) bool {
	if id == verify.CheckKeyPeriod {
		return true
	}
	for _, family := range []string{"transport.", "chip.", "print.", "holder.", "lds."} {
		if strings.HasPrefix(id, family) {
			return true
		}
	}
	return false
}

// withRecorded completes today's checks by what the device recorded: what speaks against the
// card stays, unless it was looked at again and passed; what speaks for it and cannot be seen
// any more counts if the device is vouched for.
func (b *Bundle) withRecorded(checks []verify.Check, vouched bool) []verify.Check {
	out := slices.Clone(checks)
	next := 0 // where a check belongs that today's list has not
	for _, then := range b.Checks {
		i := slices.IndexFunc(out, func(c verify.Check) bool { return c.ID == then.ID })
		if i < 0 {
			i = next
			out = slices.Insert(out, i, verify.Check{ID: then.ID, Claim: then.Claim, Spec: then.Spec})
			if then.Outcome != verify.Passed {
				out[i].Outcome, out[i].Reason, out[i].Detail = then.Outcome, then.Reason, then.Detail
			}
		}
		now := &out[i]
		next = i + 1
		switch {
		case now.Outcome == verify.Passed || now.Outcome == verify.Failed:
		case then.Outcome == verify.Failed, then.Outcome == verify.Undetermined && now.Outcome != verify.Undetermined && seen(then.ID):
			now.Outcome, now.Reason, now.Detail, now.Err = then.Outcome, then.Reason, then.Detail, nil
		case then.Outcome == verify.Passed && now.Outcome == verify.NotRun && seen(then.ID):
			now.Reason, now.Detail, now.Err = verify.ReasonRecorded, then.Detail, nil
			if vouched {
				now.Outcome = verify.Passed
			}
		}
	}
	return out
}
