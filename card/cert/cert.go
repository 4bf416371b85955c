// Package cert reads X.509 certificates and revocation lists as passport authorities
// really issue them, writes them as ICAO Doc 9303-12 wants them, and makes or checks
// one signature at a time.
//
// Reading is lenient where the meaning is beyond doubt: what a certificate does wrong
// is listed in its Defects and left to the caller's judgement. Nothing in this package
// decides about trust, time or revocation. Writing is strict DER.
package cert

import "errors"

// What callers branch on. Every error of this package wraps exactly one of these.
var (
	// ErrMalformed says that the bytes are no certificate, list, key or algorithm,
	// or that a template cannot be encoded.
	ErrMalformed = errors.New("malformed")
	// ErrAlgorithm says that an algorithm is unknown, forbidden (MD5 and older) or
	// does not belong to the key.
	ErrAlgorithm = errors.New("algorithm not accepted")
	// ErrKey says that a public key cannot be used: unknown domain parameters, a
	// point off its curve, an even modulus, an exponent out of range.
	ErrKey = errors.New("public key not accepted")
	// ErrSignature says that a signature does not fit message and key.
	ErrSignature = errors.New("signature does not verify")
)

// Largest inputs that the parsers take, in bytes.
const (
	MaxCertificate = 64 << 10
	MaxCRL         = 8 << 20
)
