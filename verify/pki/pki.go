// Package pki holds the certificates and revocation lists that an operator trusts,
// builds the chain from a document signer to a state's CSCA, and judges it.
//
// It returns findings of its own and decides no verdict. Chains are built by trial
// of signatures inside a state, not by names: real certificates name their issuers
// too loosely (ICAO Doc 9303-12).
package pki

import (
	"time"

	"github.com/tamthe/tamthe/card/cert"
)

// Level is how one aspect of a chain was found. The zero value says nothing.
type Level uint8

// The levels. Absent means that there is nothing to judge and need not be.
const (
	NotRun Level = iota
	Absent
	Undetermined
	Failed
	Passed
)

// Aspect is one thing that is judged of a signer and its chain.
type Aspect string

// The aspects.
const (
	Structure    Aspect = "structure"     // form of the certificates
	Profiles     Aspect = "profile"       // how well they keep Doc 9303-12, for information
	Usage        Aspect = "usage"         // the signer may sign documents
	DocumentType Aspect = "document-type" // … of this kind, under this anchor
	Strength     Aspect = "strength"      // algorithms and key lengths
	Signature    Aspect = "signature"     // verified up to an anchor
	Authority    Aspect = "authority"     // those above the signer may certify
	Country      Aspect = "country"       // all name the same state
	Validity     Aspect = "validity"      // valid at the time of judgement
	KeyPeriod    Aspect = "key-period"    // the signer's key was in use on the day of issue
	Outlived     Aspect = "outlived"      // a document without expiry that is older than its chain
	Specimen     Aspect = "specimen"      // no test keys
	Known        Aspect = "issuer"        // the operator said what the issuer publishes
	Lists        Aspect = "crl"           // the revocation lists at hand
	Revocation   Aspect = "revocation"    // nothing in the chain is revoked
)

// Aspects lists them in the order of Result.Findings.
var Aspects = []Aspect{
	Structure, Profiles, Usage, DocumentType, Strength, Signature, Authority, Country,
	Validity, KeyPeriod, Outlived, Specimen, Known, Lists, Revocation,
}

// Kind says why an aspect is as it is.
type Kind string

// The kinds of findings.
const (
	CertDefect         Kind = "cert-defect"
	CertAlgorithm      Kind = "cert-algorithm-mismatch"
	CertProfile        Kind = "cert-profile"
	CertCritical       Kind = "cert-critical-extension"
	SignerUsage        Kind = "signer-usage"
	SignerType         Kind = "signer-document-type"
	AnchorType         Kind = "issuer-document-type"
	AlgorithmBroken    Kind = "algorithm-broken"
	AlgorithmWeak      Kind = "algorithm-weak"
	KeyShort           Kind = "key-short"
	KeyFactorable      Kind = "key-factorable"
	CSCAUnknown        Kind = "csca-unknown"
	ChainForged        Kind = "chain-forged"
	CSCAUsage          Kind = "csca-usage"
	PathLength         Kind = "path-length"
	CountryMismatch    Kind = "country-mismatch"
	SignerExpired      Kind = "signer-expired"
	SignerNotYet       Kind = "signer-not-yet-valid"
	CSCAExpired        Kind = "csca-expired"
	CSCANotYet         Kind = "csca-not-yet-valid"
	OutsideKeyPeriod   Kind = "key-period"
	DocumentOutlived   Kind = "outlived"
	TestKeys           Kind = "specimen"
	IssuerUnset        Kind = "issuer-unset"
	CRLIgnored         Kind = "crl-ignored"
	CRLMissing         Kind = "crl-missing"
	CRLStale           Kind = "crl-stale"
	CRLNotPublished    Kind = "crl-not-published"
	CRLOlder           Kind = "crl-rolled-back"
	CertificateRevoked Kind = "signer-revoked"
	SignerBlocked      Kind = "signer-blocked"
)

// Finding is how an aspect was found. Detail is for developers; it may quote
// certificates and is not escaped.
type Finding struct {
	Aspect Aspect
	Level  Level
	Kind   Kind // "" if there is nothing to say
	Detail string
}

// Query is what a chain is judged for. The zero value of a field means that it is
// not known.
type Query struct {
	At           time.Time // the time of judgement
	Country      string    // issuing state as in the MRZ, without fillers: VNM, D, UTO
	DocumentType string    // document code as in the MRZ, without fillers: P, I, ID
	Issued       time.Time // day of issue as signed in the document
	NoExpiry     bool      // the document says, signed, that it never expires
	Specimen     bool      // test keys are welcome

	Lists []*cert.CRL // revocation lists beside those of the store; they count if signed as those must be

	Number string // document number as in the MRZ, without fillers: lists of faulty documents ask for it

	Seen *Memory // what this device has seen of each list: an older one is not relied on. May be nil

	CRLAge time.Duration // a revocation list signed longer ago is stale, whatever it says of itself
}

// Result is a chain judged.
type Result struct {
	Findings []Finding           // one for each aspect, in the order of Aspects
	Path     []*cert.Certificate // from the signer to the anchor; nil if none was found
	Anchor   *Anchor             // where the path ends; nil if none was found
	Issuer   Issuer              // what the operator says of the issuer
	// Deviations are the faults that the issuer, in a signed list, says documents of this
	// signer may have.
	Deviations []Deviation
	List       *cert.CRL // the revocation list that speaks for the signer; nil if none does
}

// Finding returns the finding of an aspect.
func (r Result) Finding(a Aspect) Finding {
	for _, f := range r.Findings {
		if f.Aspect == a {
			return f
		}
	}
	return Finding{Aspect: a}
}
