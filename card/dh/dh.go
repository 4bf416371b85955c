// Package dh holds the groups of chip cards, elliptic curves and those modulo a prime:
// Diffie-Hellman, the mappings of PACE, ECDSA and pseudonymous signatures, over the domain
// parameters of BSI TR-03110-3 table 4 and over any base point on them.
//
// One engine serves every curve y² = x³ + ax + b of prime order: field elements of fixed
// length in Montgomery form, complete addition formulas, a fixed window that reads its
// whole table. What meets a secret takes no branch and no index from it. Only the
// verification of signatures, whose input is public, runs in variable time.
//
// Encodings on curves have fixed length: a coordinate takes [Curve.Size] octets, a scalar
// [Curve.OrderSize], leading zeros kept. So does a secret modulo a prime; a public value
// there has none (Doc 9303-11 §9.4.1).
package dh

import "errors"

var (
	// ErrUnknownCurve reports domain parameters that are none of the curves of this
	// package, or differ from one of them in any value.
	ErrUnknownCurve = errors.New("unknown elliptic curve")
	// ErrPoint reports octets that are no point: of the wrong length, compressed, with a
	// coordinate outside the field, off the curve, or the point at infinity.
	ErrPoint = errors.New("not a point on the curve")
	// ErrScalar reports a private key that is zero, not below the order of the curve, or
	// of the wrong length.
	ErrScalar = errors.New("private key out of range")
	// ErrCurve reports keys of two different curves in one operation.
	ErrCurve = errors.New("points are on different curves")
	// ErrInfinity reports a result that is the point at infinity, which ends the protocol.
	ErrInfinity = errors.New("result is the point at infinity")
	// ErrDestroyed reports the use of a private key after Destroy.
	ErrDestroyed = errors.New("private key was destroyed")
	// ErrDigest reports a digest that is empty or not as long as the hash function's.
	ErrDigest = errors.New("digest has the wrong length")
	// ErrBase reports a signature asked of a key whose base is not the generator.
	ErrBase = errors.New("key is not on the generator of its curve")
)
