package verify

import "github.com/tamthe/tamthe/verify/pki"

// aspectChecks gives the check of each aspect of a chain.
var aspectChecks = map[pki.Aspect]string{
	pki.Structure: CheckCertStructure, pki.Profiles: CheckCertProfile, pki.Usage: CheckCertUsage, pki.DocumentType: CheckCertDocument,
	pki.Strength: CheckCertAlgorithm, pki.Signature: CheckChain, pki.Authority: CheckCA, pki.Country: CheckCountry,
	pki.Validity: CheckValidity, pki.KeyPeriod: CheckKeyPeriod, pki.Outlived: CheckOutlived, pki.Specimen: CheckSpecimen,
	pki.Known: CheckIssuer, pki.Lists: CheckCRLs, pki.Revocation: CheckRevocation,
}

// levels gives the outcome of each level of a finding.
var levels = [...]Outcome{
	pki.NotRun: NotRun, pki.Absent: Absent, pki.Undetermined: Undetermined, pki.Failed: Failed, pki.Passed: Passed,
}

// reasonOf gives the reason of each kind of finding about a chain.
var reasonOf = map[pki.Kind]Reason{
	"":                  "",
	pki.CertDefect:      ReasonCertDefect,
	pki.CertProfile:     ReasonCertProfile,
	pki.CertAlgorithm:   ReasonCertAlgorithm,
	pki.CertCritical:    ReasonCertCritical,
	pki.SignerUsage:     ReasonSignerUsage,
	pki.SignerType:      ReasonSignerType,
	pki.AnchorType:      ReasonIssuerDocument,
	pki.AlgorithmBroken: ReasonAlgorithmBroken, pki.AlgorithmWeak: ReasonAlgorithmWeak, pki.KeyShort: ReasonKeyShort,
	pki.KeyFactorable: ReasonKeyFactorable,
	pki.CSCAUnknown:   ReasonCSCAUnknown, pki.ChainForged: ReasonChainForged,
	pki.CSCAUsage: ReasonCSCAUsage, pki.PathLength: ReasonPathLength, pki.CountryMismatch: ReasonCountry,
	pki.SignerExpired: ReasonSignerExpired, pki.SignerNotYet: ReasonSignerEarly,
	pki.CSCAExpired: ReasonCSCAExpired, pki.CSCANotYet: ReasonCSCAEarly,
	pki.OutsideKeyPeriod: ReasonKeyPeriod, pki.DocumentOutlived: ReasonOutlived, pki.TestKeys: ReasonSpecimen,
	pki.IssuerUnset: ReasonIssuerUnset, pki.CRLIgnored: ReasonCRLIgnored, pki.CRLMissing: ReasonCRLMissing,
	pki.CRLStale: ReasonCRLStale, pki.CRLNotPublished: ReasonCRLNotPublished, pki.CertificateRevoked: ReasonSignerRevoked,
	pki.CRLOlder: ReasonCRLOlder, pki.SignerBlocked: ReasonSignerBlocked,
}
