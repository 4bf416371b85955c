// Package credential derives a credential from a card: an SD-JWT VC (RFC 9901,
// draft-ietf-oauth-sd-jwt-vc) that a citizen's own device holds and shows without the card.
//
// It is issued to whoever logged in with a card that is active now, to a key of theirs (cnf),
// and tells what the card told: each field is disclosed by its holder alone, one by one. It
// lives no longer than its card: its place in a Token Status List
// (draft-ietf-oauth-status-list) follows the issuer's word on the card, so that it is
// suspended and revoked with it.
//
// A credential proves less than a card. The key of its holder lies wherever their agent keeps
// it, and a copy of that key is a copy of the credential: what is shown is possession of a
// software key, derived from a chip on a day that is told.
//
// Signatures are ES256 and digests SHA-256; nothing else is read or written. Disclosures are
// of members of the credential itself: elements of lists, and disclosures in disclosures, are
// refused.
package credential

import (
	"errors"
	"fmt"
	"time"
)

// Type is the type of the credentials of this package (vct).
const Type = "urn:tamthe:card:1"

// The types of tokens (typ), which keep one from being taken for another.
const (
	typeCredential = "dc+sd-jwt"
	typeOld        = "vc+sd-jwt" // of drafts before November 2024, which some wallets still have
	typeBinding    = "kb+jwt"
	typeStatus     = "statuslist+jwt"
	typeProof      = "openid4vci-proof+jwt"
)

const hashAlgorithm = "sha-256"

// Code is why a credential is not accepted. It is stable.
type Code string

// The codes.
const (
	CodeMalformed   Code = "malformed"          // not an SD-JWT VC of the form that is read here
	CodeAlgorithm   Code = "algorithm"          // another signature algorithm, none among them
	CodeHash        Code = "hash-algorithm"     // digests of another algorithm
	CodeType        Code = "type"               // another kind of token or credential
	CodeIssuer      Code = "issuer"             // nobody whose credentials are taken
	CodeSignature   Code = "signature"          // not signed by the issuer
	CodeExpired     Code = "expired"            // its time is over
	CodeEarly       Code = "not-yet-valid"      // or has not begun
	CodeDisclosure  Code = "disclosure"         // what is disclosed is not what was signed
	CodeUnbound     Code = "key-binding"        // no proof that the holder's key was there
	CodeBinding     Code = "binding-signature"  // one by another key
	CodeAudience    Code = "binding-audience"   // one for somebody else
	CodeNonce       Code = "binding-nonce"      // one of another time, or of before
	CodeTime        Code = "binding-time"       // one that is old, or of the future
	CodePresented   Code = "binding-hash"       // one of another presentation
	CodeRevoked     Code = "revoked"            // the card is out of force
	CodeSuspended   Code = "suspended"          // or for the time being
	CodeStatus      Code = "status-unavailable" // nobody can say
	CodeSpecimen    Code = "specimen"           // of a test card, where they are not welcome
	CodeMissing     Code = "field-missing"      // a field that was asked for is not disclosed
	CodeProof       Code = "holder-proof"       // at issue: no proof of the holder's key
	CodeNotInForce  Code = "card-not-in-force"  // at issue: the card is not active, or nobody can say
	CodeUnknown     Code = "unknown-session"    // at issue: no such login
	CodeOutOfPlaces Code = "list-full"          // at issue: the status lists are full
)

// Codes lists them.
func Codes() []Code {
	return []Code{
		CodeMalformed, CodeAlgorithm, CodeHash, CodeType, CodeIssuer, CodeSignature, CodeExpired, CodeEarly, CodeDisclosure, CodeUnbound, CodeBinding,
		CodeAudience, CodeNonce, CodeTime, CodePresented, CodeRevoked, CodeSuspended, CodeStatus, CodeSpecimen, CodeMissing, CodeProof, CodeNotInForce,
		CodeUnknown, CodeOutOfPlaces,
	}
}

// Refusal is a credential that is not accepted, or not issued. Err says more, and nothing of
// what is in the credential; it may be nil.
type Refusal struct {
	Code Code
	Err  error
}

// Error is the code.
func (r *Refusal) Error() string {
	if r.Err != nil {
		return fmt.Sprintf("credential refused: %s: %v", r.Code, r.Err)
	}
	return "credential refused: " + string(r.Code)
}

// Unwrap is the cause.
func (r *Refusal) Unwrap() error { return r.Err }

func refuse(c Code) error { return &Refusal{Code: c} }

// CodeOf is the code of a refusal, "" for any other error.
func CodeOf(err error) Code {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Code
	}
	return ""
}

// Bounds on what is read.
const (
	maxPresentation = 64 << 10
	maxDisclosures  = 64
	maxStatusToken  = 4 << 20
	maxStatusList   = 4 << 20 // unpacked
)

// leeway is how far clocks may be apart.
const leeway = time.Minute
