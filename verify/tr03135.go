package verify

import "strings"

// TR03135 is a check as BSI TR-03135-1 (version 2.5) names it, for inspection systems that
// log by that guideline.
type TR03135 struct {
	Clause string // 5.6.4.4.2
	Check  string // the clause's title
	Result string // the guideline's word for the outcome: successful, identical …
}

// tr03135Checks gives the clause and title in part 1 of the guideline for each check that it
// knows. Data groups share one clause.
var tr03135Checks = map[string]TR03135{
	CheckProtection:    {Clause: "5.6.3", Check: "Chip access protocols"},
	CheckAccess:        {Clause: "5.6.3.1", Check: "Chip access performing BAC or PACE"},
	CheckTA:            {Clause: "5.6.3.2", Check: "Additional chip access performing Terminal Authentication"},
	CheckChipNone:      {Clause: "5.6.4.1", Check: "Checking chip authenticity"},
	CheckAA:            {Clause: "5.6.4.1.1", Check: "Checking chip authenticity with AA"},
	CheckCA1:           {Clause: "5.6.4.1.2", Check: "Checking chip authenticity with CA"},
	CheckCAM:           {Clause: "5.6.4.1.3", Check: "Checking chip authenticity with PACE-CAM"},
	CheckSODStructure:  {Clause: "5.6.4.2.2", Check: "Verification of a security object"},
	CheckSODSignature:  {Clause: "5.6.4.2.2", Check: "Verification of the security object's signature"},
	CheckCertStructure: {Clause: "5.6.4.3.2", Check: "Individual issuer check"},
	CheckCertUsage:     {Clause: "5.6.4.3.2", Check: "Individual issuer check"},
	CheckCA:            {Clause: "5.6.4.3.2", Check: "Individual issuer check"},
	CheckChain:         {Clause: "5.6.4.3.3", Check: "Verification of the DS certificate signature"},
	CheckValidity:      {Clause: "5.6.4.3.4", Check: "Checking the validity of CSCA and DS certificates"},
	CheckRevocation:    {Clause: "5.6.4.3.5", Check: "Checking the revocation state of the DS certificate"},
	CheckCOM:           {Clause: "5.6.4.4.1", Check: "Comparing EF.SOD with EF.COM"},
	groupPrefix:        {Clause: "5.6.4.4.2", Check: "Individual data group integrity check"},
	CheckCountry:       {Clause: "5.6.4.5", Check: "Comparison of the issuing state (EF.DG1 and DS certificate)"},
	CheckExpiry:        {Clause: "5.7.1", Check: "Checking the expiration of the documents"},
	CheckPrint:         {Clause: "5.7.2", Check: "Checking the optical biographic data against the electronic biographic data"},
	CheckQR:            {Clause: "5.7.5", Check: "Comparison of the personalization contents"},
}

// groupPrefix begins the identifiers of the checks of single data groups.
const groupPrefix = "lds.dg"

// The guideline's words for outcomes (§3.5.2), and for those of data groups (table 5.42). A
// check that was not run has no result there.
var (
	tr03135Results = map[Outcome]string{
		Passed: "successful", Failed: "failed", Undetermined: "undetermined", Absent: "not supported",
	}
	tr03135Groups = map[Outcome]string{
		Passed: "identical", Failed: "not identical", Undetermined: "identical", NotRun: "present", Absent: "not present",
	}
)

// TR03135 returns the check as the guideline names it; false if it knows no such check or,
// other than for data groups, the check was not run.
func (c Check) TR03135() (TR03135, bool) {
	id, results := c.ID, tr03135Results
	if strings.HasPrefix(id, groupPrefix) {
		id, results = groupPrefix, tr03135Groups
	}
	t, ok := tr03135Checks[id]
	t.Result = results[c.Outcome]
	if c.Reason == ReasonGroupWithheld {
		t.Result = "aborted"
	}
	return t, ok && t.Result != ""
}
