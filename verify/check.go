package verify

import "strconv"

// Check is one question that was put to a document, and its answer. It holds no
// personal data, so that lists of checks may be logged and kept.
type Check struct {
	ID      string  // stable, family.name: sod.signature
	Claim   Claim   // what it speaks for
	Outcome Outcome // how it ended
	Reason  Reason  // why it did not pass, or a remark; "" if there is nothing to say
	Spec    string  // the clause that asks for it
	Detail  string  // technical facts for the developer: ages, algorithms, fingerprints
	Err     error   // what a protocol or parser said; not in JSON
}

// The identifiers of the checks. New ones are only ever added.
const (
	CheckProtection = "transport.protection"
	CheckAccess     = "transport.access"
	CheckDowngrade  = "transport.downgrade"
	CheckCardAccess = "transport.cardaccess"
	CheckRelay      = "transport.relay"

	CheckSODStructure = "sod.structure"
	CheckSODProfile   = "sod.profile"
	CheckSODSignature = "sod.signature"
	CheckSODAlgorithm = "sod.algorithm"

	CheckCertStructure = "cert.structure"
	CheckCertProfile   = "cert.profile"
	CheckCertUsage     = "cert.usage"
	CheckCertDocument  = "cert.document-type"
	CheckCertAlgorithm = "cert.algorithm"

	CheckChain      = "pki.chain"
	CheckCA         = "pki.ca"
	CheckCountry    = "pki.country"
	CheckValidity   = "pki.validity"
	CheckKeyPeriod  = "pki.key-period"
	CheckOutlived   = "pki.outlived"
	CheckSpecimen   = "pki.specimen"
	CheckIssuer     = "pki.issuer"
	CheckCRLs       = "pki.crl"
	CheckRevocation = "pki.revocation"
	CheckDeviation  = "pki.deviation"
	CheckLog        = "log.proof"

	CheckGroups   = "lds.groups"
	CheckUnlisted = "lds.unlisted"
	CheckCOM      = "lds.com"
	CheckNational = "lds.national"
	CheckPhoto    = "lds.photo"

	CheckMRZ       = "mrz.structure"
	CheckMRZDigits = "mrz.digits"
	CheckExpiry    = "mrz.expiry"

	CheckAA       = "chip.aa"
	CheckCA1      = "chip.ca"
	CheckCAM      = "chip.cam"
	CheckTA       = "chip.ta"
	CheckChipNone = "chip.none"

	CheckStatus = "status.card"
	CheckPrint  = "print.mrz"
	CheckQR     = "print.qr"
	CheckHolder = "holder.face"

	CheckSeal = "evidence.seal"
)

// groupCheck is the identifier of the check of one data group: lds.dg2.
func groupCheck(n int) string { return "lds.dg" + strconv.Itoa(n) }

// kind is what the catalogue knows of a check.
type kind struct {
	id    string
	claim Claim
	role  role
	spec  string
}

// role says what a check contributes to its claim.
type role uint8

const (
	speaks role = iota // it can block the claim, no more
	needed             // the claim needs it passed
	waived             // the claim needs it passed or rightly absent
	oneOf              // one such check carries the claim
)

// catalogue holds every check but those of single data groups, in the order in
// which reports list them; the groups come before lds.groups.
var catalogue = []kind{
	{CheckProtection, Integrity, speaks, "ICAO 9303-11 9.8"},
	{CheckAccess, Original, speaks, "ICAO 9303-11 4.2"},
	{CheckDowngrade, Original, speaks, "ICAO 9303-11 4.2"},
	{CheckCardAccess, Original, speaks, "BSI TR-03105-5.1 LDS_J"},
	{CheckRelay, Original, speaks, "beyond ICAO 9303-11"},

	{CheckSODStructure, Authentic, speaks, "ICAO 9303-10 4.6.2"},
	{CheckSODProfile, Authentic, speaks, "ICAO 9303-10 4.6.2"},
	{CheckSODSignature, Authentic, needed, "ICAO 9303-11 5.1"},
	{CheckSODAlgorithm, Authentic, speaks, "ICAO 9303-12 4.4"},

	{CheckCertStructure, Authentic, speaks, "ICAO 9303-12 7.1"},
	{CheckCertProfile, Authentic, speaks, "ICAO 9303-12 7.1.1"},
	{CheckCertUsage, Authentic, speaks, "ICAO 9303-12 7.1.1"},
	{CheckCertDocument, Authentic, speaks, "ICAO 9303-12 7.1.1"},
	{CheckCertAlgorithm, Authentic, speaks, "ICAO 9303-12 4.4"},

	{CheckChain, Authentic, needed, "ICAO 9303-11 5.1"},
	{CheckCA, Authentic, speaks, "ICAO 9303-12 7.1.1"},
	{CheckCountry, Authentic, speaks, "ICAO 9303-12 7.1.1"},
	{CheckValidity, Authentic, speaks, "ICAO 9303-12 4.2"},
	{CheckKeyPeriod, Authentic, speaks, "ICAO 9303-12 7.1.1"},
	{CheckOutlived, Authentic, speaks, "ICAO 9303-12 4.2"},
	{CheckSpecimen, Authentic, speaks, "tamthe trust store"},
	{CheckIssuer, InForce, speaks, "tamthe trust store"},
	{CheckCRLs, InForce, speaks, "ICAO 9303-12 7.1.4"},
	{CheckRevocation, InForce, waived, "ICAO 9303-12 7.1.4"},
	{CheckDeviation, Authentic, speaks, "ICAO 9303-3 7.3"},
	{CheckLog, Authentic, speaks, "C2SP tlog-proof"},

	{groupCheck(1), Integrity, needed, "ICAO 9303-11 5.1"},
	{CheckGroups, Integrity, speaks, "ICAO 9303-10 4.6.2"},
	{CheckUnlisted, Integrity, speaks, "ICAO 9303-10 4.6.2"},
	{CheckCOM, Integrity, speaks, "ICAO 9303-10 4.6.1"},
	{CheckNational, Integrity, speaks, "national profile"},
	{CheckPhoto, Integrity, speaks, "ICAO 9303-10 4.7.2"},

	{CheckMRZ, Integrity, speaks, "ICAO 9303-10 4.7.1"},
	{CheckMRZDigits, Integrity, speaks, "ICAO 9303-3 4.9"},
	{CheckExpiry, InForce, needed, "ICAO 9303-3 4.9"},

	{CheckAA, Original, oneOf, "ICAO 9303-11 6.1"},
	{CheckCA1, Original, oneOf, "ICAO 9303-11 6.2"},
	{CheckCAM, Original, oneOf, "ICAO 9303-11 4.4.3.5"},
	{CheckTA, Original, speaks, "ICAO 9303-11 7.1"},
	{CheckChipNone, Original, oneOf, "tamthe trust store"},

	{CheckStatus, InForce, waived, "tamthe status"},
	{CheckPrint, HolderBound, speaks, "BSI TR-03135-1 5.7.2"},
	{CheckQR, HolderBound, speaks, "BSI TR-03135-1 5.7.5"},
	{CheckHolder, HolderBound, needed, "BSI TR-03135-1 3.6"},

	{CheckSeal, Integrity, speaks, "tamthe evidence"},
}
