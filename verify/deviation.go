package verify

import (
	"strings"

	"github.com/tamthe/tamthe/verify/pki"
)

// explained gives the checks that each fault, as an issuer publishes it, is the cause of.
var explained = map[pki.Fault][]string{
	pki.FaultCertOrKey:    {CheckCertStructure, CheckCertUsage, CheckCertDocument, CheckCountry, CheckKeyPeriod},
	pki.FaultDSEncoding:   {CheckCertStructure, CheckCertUsage, CheckCertDocument, CheckCountry, CheckKeyPeriod},
	pki.FaultCSCAEncoding: {CheckCertStructure, CheckCA},
	pki.FaultLDS:          {CheckSODProfile, CheckGroups, CheckUnlisted, CheckCOM, CheckPhoto},
	pki.FaultGroup:        {CheckPhoto, CheckNational},
	pki.FaultSOD:          {CheckSODProfile, CheckGroups, CheckUnlisted},
	pki.FaultCOM:          {CheckCOM},
	pki.FaultMRZ:          {CheckMRZ, CheckMRZDigits, CheckPrint},
	pki.FaultMRZData:      {CheckMRZ, CheckPrint},
	pki.FaultMRZDigit:     {CheckMRZDigits},
}

// compromised gives the proofs that are worth nothing once a chip's keys are known.
var compromised = map[pki.Fault][]string{
	pki.FaultAAKey: {CheckAA},
	pki.FaultCAKey: {CheckCA1, CheckCAM},
}

// applyDeviations applies what the issuer, in a signed list that the operator imported,
// says of faults in genuine documents of this kind, and shows it. A fault explains only
// what a policy could overlook: a wrong signature or a changed group stays refused.
func (a *assessment) applyDeviations() {
	var all []string
	for _, d := range a.chain.Deviations {
		all = append(all, d.String())
		for _, id := range explained[d.Fault] {
			if c := a.checks[id]; c.Outcome == Failed && !c.Reason.Hard() && c.Reason != ReasonDeviation {
				c.Detail = strings.TrimSuffix(string(c.Reason)+": "+c.Detail, ": ")
				c.Reason = ReasonDeviation
				a.checks[id] = c
			}
		}
		for _, id := range compromised[d.Fault] {
			if a.passed(id) {
				a.checks[id] = Check{ID: id, Outcome: Undetermined, Reason: ReasonDeviation, Detail: d.String()}
			}
		}
	}
	if len(all) > 0 {
		a.set(CheckDeviation, Passed, ReasonDeviation, strings.Join(all, "; "))
	}
}
