package verify

import (
	"context"
	"encoding/hex"
	"time"
)

// CardID names one card for good: the SHA-256 of the octets of its signed
// LDSSecurityObject. The document number does not: it may repeat on every reissue.
type CardID [32]byte

// String returns the name as 64 lower-case hexadecimal digits.
func (c CardID) String() string { return hex.EncodeToString(c[:]) }

// State is what the issuer says about a card. The zero value says nothing.
type State uint8

// The states of a card.
const (
	StateUnknown     State = iota // the source has no record of the card
	StateUndelivered              // made, not yet in the holder's hands
	StateActive
	StateSuspended
	StateSuperseded // replaced by a newer card
	StateRevoked
)

// StatusSource tells what an issuer says about a card, and as of when. An error
// means that there was no answer; no record is StateUnknown.
type StatusSource interface {
	Status(ctx context.Context, id CardID) (State, time.Time, error)
}

// Holder is what the officer saw when comparing the bearer with the portrait.
type Holder uint8

// The officer's answers; the zero value is none.
const (
	HolderNotCompared Holder = iota
	HolderMatch
	HolderMismatch
	HolderUnsure
)
