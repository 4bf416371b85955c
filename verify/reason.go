package verify

import (
	"maps"
	"slices"
)

// Reason is a stable code that says why a check ended as it did. The set is closed:
// Reasons lists it, and every member has its words in every language.
type Reason string

// The reasons, by the part of the inspection that finds them.
const (
	// The signed list (EF.SOD).
	ReasonSODMissing      Reason = "sod-missing"
	ReasonSODMalformed    Reason = "sod-malformed"
	ReasonSODProfile      Reason = "sod-profile"
	ReasonSODAttributes   Reason = "sod-attributes"
	ReasonSODDigest       Reason = "sod-digest"
	ReasonSODSignature    Reason = "sod-signature"
	ReasonSODUntrusted    Reason = "sod-untrusted"
	ReasonSignerMissing   Reason = "signer-missing"
	ReasonSignerMismatch  Reason = "signer-mismatch"
	ReasonSignerKey       Reason = "signer-key"
	ReasonAlgorithmBroken Reason = "algorithm-broken"
	ReasonAlgorithmWeak   Reason = "algorithm-weak"
	ReasonKeyShort        Reason = "key-short"
	ReasonKeyFactorable   Reason = "key-factorable"

	// The data groups.
	ReasonGroupHash      Reason = "group-hash"
	ReasonGroupWithheld  Reason = "group-withheld"
	ReasonGroupNotRead   Reason = "group-not-read"
	ReasonGroupProtected Reason = "group-protected"
	ReasonGroupUnlisted  Reason = "group-unlisted"
	ReasonGroupsMissing  Reason = "groups-missing"
	ReasonGroupsUnusual  Reason = "groups-unusual"
	ReasonCOMMismatch    Reason = "com-mismatch"
	ReasonPhotoMissing   Reason = "photo-missing"
	ReasonPhotoExempt    Reason = "photo-exempt"
	ReasonPhotoUnread    Reason = "photo-unreadable"

	// The MRZ, the dates and what a country adds.
	ReasonMRZMalformed     Reason = "mrz-malformed"
	ReasonMRZDigits        Reason = "mrz-digits"
	ReasonDocumentExpired  Reason = "document-expired"
	ReasonDocumentEarly    Reason = "document-not-yet-issued"
	ReasonDateUnreadable   Reason = "date-unreadable"
	ReasonNoExpiry         Reason = "no-expiry"
	ReasonNationalRule     Reason = "national-rule"
	ReasonNationalMismatch Reason = "national-mismatch"

	// The signer's certificate.
	ReasonCertMalformed Reason = "cert-malformed"
	ReasonCertDefect    Reason = "cert-defect"
	ReasonCertProfile   Reason = "cert-profile"
	ReasonCertAlgorithm Reason = "cert-algorithm-mismatch"
	ReasonCertCritical  Reason = "cert-critical-extension"
	ReasonSignerUsage   Reason = "signer-usage"
	ReasonSignerType    Reason = "signer-document-type"

	// The chain to the state.
	ReasonCSCAUnknown     Reason = "csca-unknown"
	ReasonChainForged     Reason = "chain-forged"
	ReasonCSCAUsage       Reason = "csca-usage"
	ReasonPathLength      Reason = "path-length"
	ReasonCountry         Reason = "country-mismatch"
	ReasonSignerExpired   Reason = "signer-expired"
	ReasonSignerEarly     Reason = "signer-not-yet-valid"
	ReasonCSCAExpired     Reason = "csca-expired"
	ReasonCSCAEarly       Reason = "csca-not-yet-valid"
	ReasonKeyPeriod       Reason = "key-period"
	ReasonOutlived        Reason = "outlived"
	ReasonSignerRevoked   Reason = "signer-revoked"
	ReasonCRLMissing      Reason = "crl-missing"
	ReasonCRLStale        Reason = "crl-stale"
	ReasonCRLNotPublished Reason = "crl-not-published"
	ReasonCRLIgnored      Reason = "crl-ignored"
	ReasonSpecimen        Reason = "specimen"
	ReasonIssuerUnset     Reason = "issuer-unset"
	ReasonIssuerDocument  Reason = "issuer-document-type"
	ReasonClockBehind     Reason = "clock-behind"
	ReasonCRLOlder        Reason = "crl-rolled-back"
	ReasonSignerBlocked   Reason = "signer-blocked"
	ReasonDeviation       Reason = "deviation-known"

	// The issuer's log.
	ReasonLogMissing      Reason = "log-proof-missing"
	ReasonLogMalformed    Reason = "log-proof-malformed"
	ReasonLogForged       Reason = "log-proof-false"
	ReasonLogUnwitnessed  Reason = "log-unwitnessed"
	ReasonLogOther        Reason = "log-proof-of-another"
	ReasonLogUnset        Reason = "log-keys-unset"
	ReasonLogNotPublished Reason = "log-not-published"
	ReasonLogEarlier      Reason = "log-signer-earlier"

	// The chip.
	ReasonChipKeyMismatch  Reason = "chip-key-mismatch"
	ReasonChipKeyMalformed Reason = "chip-key-malformed"
	ReasonChipRefused      Reason = "chip-refused"
	ReasonChipKeyUncovered Reason = "chip-key-uncovered"
	ReasonChipProofMissing Reason = "chip-proof-missing"
	ReasonChipNotOffered   Reason = "chip-not-offered"
	ReasonChipNotAsked     Reason = "chip-not-asked"
	ReasonChipUnsupported  Reason = "chip-unsupported"
	ReasonChipDeviates     Reason = "chip-deviates"
	ReasonCardSecurity     Reason = "cardsecurity-signature"
	ReasonTerminalRefused  Reason = "terminal-refused"

	// The card's status.
	ReasonCardRevoked        Reason = "card-revoked"
	ReasonCardSuspended      Reason = "card-suspended"
	ReasonCardSuperseded     Reason = "card-superseded"
	ReasonCardUndelivered    Reason = "card-undelivered"
	ReasonStatusUnknown      Reason = "status-unknown"
	ReasonStatusUnavailable  Reason = "status-unavailable"
	ReasonStatusStale        Reason = "status-stale"
	ReasonStatusProbable     Reason = "status-probable"
	ReasonStatusRollback     Reason = "status-rollback"
	ReasonStatusNotPublished Reason = "status-not-published"
	ReasonStatusNotAsked     Reason = "status-not-asked"

	// What is printed, and the bearer.
	ReasonPrintMismatch     Reason = "print-mismatch"
	ReasonPrintUnreadable   Reason = "print-unreadable"
	ReasonPrintNotGiven     Reason = "print-not-given"
	ReasonPrintCAN          Reason = "print-can-only"
	ReasonHolderMismatch    Reason = "holder-mismatch"
	ReasonHolderUnsure      Reason = "holder-unsure"
	ReasonHolderDisputed    Reason = "holder-disputed"
	ReasonHolderPrint       Reason = "holder-print-only"
	ReasonHolderNotCompared Reason = "holder-not-compared"
	ReasonFaceUnavailable   Reason = "face-unavailable"

	// The way to the chip.
	ReasonProtection     Reason = "protection-violated"
	ReasonDowngrade      Reason = "access-downgrade"
	ReasonAccessMismatch Reason = "access-mismatch"
	ReasonAccessPlain    Reason = "access-plain"
	ReasonAccessBAC      Reason = "access-bac"
	ReasonRelay          Reason = "relay-possible"

	// What a record of an inspection is worth.
	ReasonRecorded           Reason = "recorded-only"
	ReasonBundleAltered      Reason = "bundle-altered"
	ReasonBundleInconsistent Reason = "bundle-inconsistent"
)

// grade says how far a policy may overlook a reason.
type grade uint8

const (
	hard grade = iota // always refuses; the grade of every code that is not in the table
	soft              // refuses unless the policy softens it
	note              // a remark: never refuses by itself
)

// grades holds every reason there is.
var grades = map[Reason]grade{
	ReasonSODMissing: soft, ReasonSODMalformed: hard, ReasonSODProfile: soft,
	ReasonSODAttributes: hard, ReasonSODDigest: hard, ReasonSODSignature: hard,
	ReasonSODUntrusted: hard, ReasonSignerMissing: soft, ReasonSignerKey: hard,
	ReasonSignerMismatch:  hard,
	ReasonAlgorithmBroken: hard, ReasonAlgorithmWeak: soft, ReasonKeyShort: soft,
	ReasonKeyFactorable: hard,

	ReasonGroupHash: hard, ReasonGroupWithheld: hard, ReasonGroupNotRead: soft,
	ReasonGroupProtected: soft, ReasonGroupUnlisted: soft, ReasonGroupsMissing: soft,
	ReasonGroupsUnusual: soft,
	ReasonCOMMismatch:   soft, ReasonPhotoMissing: soft,
	ReasonPhotoExempt: note, ReasonPhotoUnread: soft,

	ReasonMRZMalformed: soft, ReasonMRZDigits: soft, ReasonDocumentExpired: soft,
	ReasonDocumentEarly: soft, ReasonDateUnreadable: soft, ReasonNoExpiry: note,
	ReasonNationalRule: note, ReasonNationalMismatch: note,

	ReasonCertMalformed: hard, ReasonCertDefect: note, ReasonCertProfile: note, ReasonCertAlgorithm: soft,
	ReasonCertCritical: soft, ReasonSignerUsage: soft, ReasonSignerType: soft,

	ReasonCSCAUnknown: soft, ReasonChainForged: hard, ReasonCSCAUsage: soft,
	ReasonPathLength: soft, ReasonCountry: soft, ReasonSignerExpired: soft,
	ReasonSignerEarly: soft, ReasonCSCAExpired: soft, ReasonCSCAEarly: soft,
	ReasonKeyPeriod: soft, ReasonOutlived: soft, ReasonSignerRevoked: soft,
	ReasonCRLMissing: soft, ReasonCRLStale: soft, ReasonCRLNotPublished: note,
	ReasonCRLIgnored: note, ReasonSpecimen: hard, ReasonIssuerUnset: soft,
	ReasonIssuerDocument: soft, ReasonClockBehind: soft,
	ReasonCRLOlder: soft, ReasonSignerBlocked: soft, ReasonDeviation: soft,

	ReasonLogMissing: hard, ReasonLogMalformed: hard, ReasonLogForged: hard, ReasonLogOther: hard,
	ReasonLogUnwitnessed: hard, ReasonLogUnset: soft, ReasonLogNotPublished: note, ReasonLogEarlier: note,

	ReasonChipKeyMismatch: hard, ReasonChipKeyMalformed: hard, ReasonChipRefused: hard,
	ReasonChipKeyUncovered: hard, ReasonChipProofMissing: soft,
	ReasonChipNotOffered: note, ReasonChipNotAsked: soft,
	ReasonChipUnsupported: soft, ReasonChipDeviates: note,
	ReasonCardSecurity: hard, ReasonTerminalRefused: note,

	ReasonCardRevoked: soft, ReasonCardSuspended: soft, ReasonCardSuperseded: soft,
	ReasonCardUndelivered: soft, ReasonStatusUnknown: soft, ReasonStatusUnavailable: soft,
	ReasonStatusStale: soft, ReasonStatusProbable: soft, ReasonStatusRollback: soft,
	ReasonStatusNotPublished: note, ReasonStatusNotAsked: soft,

	ReasonPrintMismatch: soft, ReasonPrintUnreadable: soft, ReasonPrintNotGiven: soft, ReasonPrintCAN: note,
	ReasonHolderMismatch: hard, ReasonHolderUnsure: soft, ReasonHolderDisputed: soft, ReasonHolderPrint: soft,
	ReasonHolderNotCompared: soft, ReasonFaceUnavailable: soft,

	ReasonProtection: hard, ReasonDowngrade: soft, ReasonAccessMismatch: soft,
	ReasonAccessPlain: note, ReasonAccessBAC: note, ReasonRelay: note,
	ReasonRecorded: note, ReasonBundleAltered: hard, ReasonBundleInconsistent: hard,
}

// Reasons returns every reason there is, in alphabetical order.
func Reasons() []Reason { return slices.Sorted(maps.Keys(grades)) }

// Hard reports whether no policy can overlook the reason: integrity, signatures, the
// chip's key, the secure channel, another person's face, and every code that is not in
// Reasons.
func (r Reason) Hard() bool { return grades[r] == hard }

// Note reports whether the reason is a remark that never refuses by itself, such as a
// disagreement inside data that the state has signed.
func (r Reason) Note() bool { return grades[r] == note }
