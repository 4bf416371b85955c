// Package signing is the signing service: the only place that a document signer's key is
// used. It takes an approved application and digests of what is to be signed, judges for
// itself, from a log that it follows entry by entry, whether that is what two persons
// approved for this chip, writes the leaf that announces the card, builds the
// LDSSecurityObject itself and signs it once, with the proof that it was logged. It has no
// call that signs a digest.
//
// What it believes, it believes because of its own folder: the log's name, key and first
// entry, pinned when the folder was made, and the last checkpoint that it saw. A database
// that was rewritten, rolled back or forked is refused, whoever holds its keys. Whoever
// controls the desk with one officer's key gets no signature for anything unapproved; with
// two, at most as many as the document signers' caps, and each of them stands in the log.
//
// A desk calls it in process, or through [Dial] and [Serve] over TLS with both ends'
// certificates pinned.
//
// # What the proof costs
//
// EF.SOD of a Vietnamese card signed under brainpoolP256r1 with explicit parameters has 1547
// octets without the proof, 2829 with one of a million leaves and 3148 of a billion, each
// with one cosignature: a leaf of 353 octets, 32 for each hash, and some 200 of checkpoint
// and signatures. A reader of short commands of 223 octets sends six or seven more of them
// (of 115), one with commands of 1 KB one or two, and one with extended commands none. A
// reader that knows nothing of logs hashes the attribute and passes over it.
//
// # What it does not prove
//
// Whoever holds the keys of a chip can make up evidence that the chip made its key pairs: a
// desk that has the card master key is believed in this. Where a centre makes the cards it
// has not: see [Service.Making], package perso and desk.NewCentre.
package signing

import (
	"errors"

	"github.com/tamthe/tamthe/issuance"
)

// Why the service refuses, beside the errors of package issuance.
var (
	// ErrNotApproved means that the application does not stand where it must: approved by
	// one person, enrolled by another, and being made into this card by a third.
	ErrNotApproved = errors.New("the card is not one that was approved")
	// ErrEvidence means that the chip is not proven to have made the keys that DG14 and
	// DG15 hold.
	ErrEvidence = errors.New("the chip's keys are not proven")
	// ErrNoSigner means that no document signer can sign: there is none, it was revoked, or
	// its time of use does not hold now and on the day of issue.
	ErrNoSigner = errors.New("no document signer is in use")
	// ErrCap means that the document signers have signed as many cards as they may.
	ErrCap = issuance.ErrCap
	// ErrStaleCRL means that the revocation list is missing, too old, or silent about a
	// revocation of two days ago.
	ErrStaleCRL = errors.New("the revocation list is stale")
	// ErrLog means that the log is not the one that the service follows: another one, one
	// that was rolled back or forked, or one with an entry that the rules do not allow.
	ErrLog = errors.New("not the log that the signing service follows")
	// ErrWitness means that no fresh cosignature of enough witnesses is to be had.
	ErrWitness = errors.New("the witnesses did not cosign the log in time")
	// ErrLost means that the card was signed and that its security object is not in the
	// service's journal any more, or was asked for with another salt. It is never signed
	// again: spoil the card.
	ErrLost = errors.New("the card was signed and its security object is lost")
	// ErrListFull means that the status list has no place that is found by chance.
	ErrListFull = errors.New("the status list has hardly a place left")
)
