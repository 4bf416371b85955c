package bulk

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/card/profile"
	"github.com/tamthe/tamthe/verify"
)

// rule says when a check of a judged document is as it will be of every document of the
// same form and situation that passes this package's comparison.
type rule uint8

const (
	unknownCheck rule = iota // one that this package does not know: nothing is learned
	constant                 // follows from form, situation and options
	passing                  // is looked at for each document, and passes
	unasked                  // nobody asked, and nobody will
	varying                  // may end otherwise, which must not matter
)

// rules holds every check that JudgeFiles makes. A check that is not here keeps every
// document whose report has it from the quick way.
var rules = map[string]rule{
	verify.CheckSODStructure: constant, verify.CheckSODProfile: constant, verify.CheckSODSignature: passing, verify.CheckSODAlgorithm: constant,
	verify.CheckCertStructure: constant, verify.CheckCertProfile: constant, verify.CheckCertUsage: constant,
	verify.CheckCertDocument: constant, verify.CheckCertAlgorithm: constant,
	verify.CheckChain: constant, verify.CheckCA: constant, verify.CheckCountry: constant, verify.CheckValidity: constant,
	verify.CheckKeyPeriod: constant, verify.CheckOutlived: constant, verify.CheckSpecimen: constant,
	verify.CheckIssuer: constant, verify.CheckCRLs: constant, verify.CheckRevocation: constant,
	verify.CheckLog:    unasked, // a proof is of one card: none is learned
	verify.CheckGroups: constant, verify.CheckUnlisted: constant, verify.CheckCOM: constant,
	verify.CheckNational: varying, verify.CheckPhoto: passing,
	verify.CheckMRZ: passing, verify.CheckMRZDigits: passing, verify.CheckExpiry: passing,
	verify.CheckAA: unasked, verify.CheckCA1: varying, verify.CheckChipNone: constant,
	verify.CheckStatus: varying, verify.CheckPrint: unasked, verify.CheckHolder: constant,
}

// ruleOf is the rule of a check; groups have one of their own, for their digests are
// compared.
func ruleOf(id string) rule {
	if strings.HasPrefix(id, "lds.dg") {
		return constant
	}
	return rules[id]
}

// learn notes what was said of a document, if that will hold of others like it.
func (j *Judge) learn(d *document, r *verify.Report) {
	p, err := profile.ByName(r.Document.Profile)
	if j.options.Profile != nil {
		p, err = j.options.Profile, nil
	}
	if err != nil || r.Document.Signer != hex.EncodeToString(d.signer[:]) {
		return
	}
	for _, c := range r.Checks {
		if !holds(d, c) {
			return
		}
	}
	if out := Of(r); steady(r, out, j.options.Status != nil) {
		j.keep(d, p, r.Chain.Issuer.Country, out)
	}
}

// holds says whether the check will end in the same way.
func holds(d *document, c verify.Check) bool {
	switch ruleOf(c.ID) {
	case constant:
		return c.Reason != verify.ReasonGroupHash && c.Reason != verify.ReasonClockBehind
	case passing:
		if c.ID == verify.CheckPhoto && !d.covered(2) {
			return c.Outcome == verify.NotRun && d.outline.Groups[1] != nil
		}
		return c.Outcome == verify.Passed
	case unasked:
		return c.Outcome == verify.NotRun || c.Outcome == verify.Absent
	case varying:
		return true
	case unknownCheck:
	}
	return false
}

// variants are the ways in which the checks that vary can end.
var variants = map[string][]verify.Check{
	verify.CheckNational: {
		{Outcome: verify.NotRun},
		{Outcome: verify.Passed},
		{Outcome: verify.Failed, Reason: verify.ReasonNationalRule},
		{Outcome: verify.Failed, Reason: verify.ReasonNationalMismatch},
	},
	verify.CheckStatus: {
		{Outcome: verify.NotRun, Reason: verify.ReasonStatusNotAsked},
		{Outcome: verify.Absent, Reason: verify.ReasonStatusNotPublished},
		{Outcome: verify.Passed},
		{Outcome: verify.Undetermined, Reason: verify.ReasonStatusUnknown},
		{Outcome: verify.Undetermined, Reason: verify.ReasonStatusUnavailable},
		{Outcome: verify.Undetermined, Reason: verify.ReasonStatusStale},
		{Outcome: verify.Undetermined, Reason: verify.ReasonStatusRollback},
	},
	verify.CheckCA1: {{Outcome: verify.NotRun, Reason: verify.ReasonChipNotAsked}, {Outcome: verify.Absent}},
}

// steady says whether verdict and reasons stay, however those checks end. Status varies
// only where somebody is asked.
func steady(r *verify.Report, want Result, asked bool) bool {
	for id, list := range variants {
		if id == verify.CheckStatus && !asked {
			if c := r.Check(id); c.Outcome == verify.NotRun || c.Outcome == verify.Absent {
				continue
			}
		}
		i := slices.IndexFunc(r.Checks, func(c verify.Check) bool { return c.ID == id })
		if i < 0 {
			continue
		}
		if !slices.ContainsFunc(list, func(v verify.Check) bool { return v.Outcome == r.Checks[i].Outcome && v.Reason == r.Checks[i].Reason }) {
			return false
		}
		for _, v := range list {
			other := *r
			other.Checks = slices.Clone(r.Checks)
			other.Checks[i].Outcome, other.Checks[i].Reason = v.Outcome, v.Reason
			other.Verdict = other.Policy.Judge(other.Checks)
			if other.Verdict != want.Verdict || !slices.Equal(other.Reasons(), want.Reasons) {
				return false
			}
		}
	}
	return true
}
