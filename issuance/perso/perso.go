// Package perso makes a card of a blank chip, exactly once: open the chip, give it the
// issuer's keys, let it make its own key pairs, have the caller build and sign over them,
// write, read back, lock, and look at the card as a stranger would.
//
// Each effect on the chip stands in the caller's journal before it happens, and its result
// after. Whatever interrupts a run, a later Run with what the journal says takes the same
// chip on from there: it never signs twice, never makes keys anew once something is
// prepared over them, never takes a half-written file for a whole one, and refuses any
// other chip.
package perso

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
)

var (
	// ErrKeys says that the chip holds neither the issuer's keys nor, where they may still
	// be on it, the transport keys. Nothing was sent that a chip counts as a failure.
	ErrKeys = errors.New("the chip holds none of the keys expected")
	// ErrUsed says that a chip taken for blank holds the issuer's keys already: it belongs
	// to another card.
	ErrUsed = errors.New("the chip is not blank, it holds the issuer's keys")
	// ErrInUse says that the chip is locked although the journal knows of no lock: it is
	// another card, or a finished one.
	ErrInUse = errors.New("the chip is a finished card")
	// ErrChipKey says that the chip's key pair is not the one that the document was
	// prepared over. The card must be spoiled.
	ErrChipKey = errors.New("the chip's key pair is not the recorded one")
	// ErrOpen says that the chip can still be personalised after it was locked.
	ErrOpen = errors.New("the chip is still open after its lock")
	// ErrTestCard says that a driver is for test cards only and the order is for none.
	ErrTestCard = errors.New("the driver is for test cards only: keys cross the reader in the clear")
	// ErrGiveUp says that a card was taken up again too often or too late. It must be
	// spoiled, and another chip begun.
	ErrGiveUp = errors.New("the card was cut short too often or too long ago: it must be spoiled")
	// ErrOrder says that an Order, a State or a Content lacks something or contradicts
	// itself.
	ErrOrder = errors.New("not a complete order")
)

// WrongChipError says that the chip is not the one that the journal names.
type WrongChipError struct{ Want, Got gp.KDD }

// Error names both chips.
func (e *WrongChipError) Error() string {
	return fmt.Sprintf("chip %s is not chip %s that was begun", e.Got, e.Want)
}

// DifferError says that a file read back is not the file written.
type DifferError struct {
	File   lds.File
	Offset int // of the first octet that differs or is missing
}

// Error names the place.
func (e *DifferError) Error() string {
	return fmt.Sprintf("%s read back differs from what was written at offset %d", e.File, e.Offset)
}

// Journal keeps the acts of a personalisation, for good before Record returns. An error
// stops the run before the effect that the record announces.
type Journal interface {
	Record(ctx context.Context, r Record) error
}

// Record is an act of the card's stream. Allocate, Rotate, Write and Lock announce what is
// about to be done to the chip, and Attempt that it is taken up again; Generate, WriteDone
// and LockDone tell what was found done. Of the acts in between, Prepare and Sign, Build
// keeps the record.
type Record struct {
	Act        issuance.Act
	Chip       gp.KDD
	Driver     string    // with Allocate: its name
	KeyVersion byte      // with Rotate: of the issuer's keys, 0 for a driver without
	AA, CA     *dh.Point // with Generate: the chip's public keys, nil for none
	// With Generate: which of them were not made on the chip, "aa", "ca", "aa-ca" or "".
	Imported string
	Attempt  int // with Attempt: 1 for the first

	AAEvidence, CAEvidence *gp.Evidence // with Generate: what proves them
}

// State is what a journal says about a card that was begun. The zero value is a card of
// which nothing was recorded.
type State struct {
	Phase  issuance.Phase // Absent, Allocated, Rotating, Keyed, Prepared, Signed, Writing, Written, Locking or Locked
	Chip   gp.KDD         // from Allocated on
	AA, CA *dh.Point      // from Keyed on
	Signed *Content       // from Signed on: what was signed, and it is never signed again

	Begun    time.Time // when the card was allocated; zero if the journal can't say
	Attempts int       // how often it was taken up again, in vain
}

// Content is all that a card gets. It holds secrets and personal data.
type Content struct {
	Files   map[lds.File][]byte // whole files, EF.SOD among them
	BACSeed []byte              // K_seed, 16 octets (auth.Password.BACSeed); nil for no BAC
	PACEMRZ []byte              // K of the MRZ, 20 octets (auth.Password.PACESecret); nil for none
	PACECAN []byte              // K of the CAN, its digits (auth.Password.PACESecret); nil for none
	Rules   gp.Rules            // drivers with NoRules leave them out

	// BAC is what BACSeed is made of, for drivers that want it.
	BAC *MRZFields
	// Trust are at most two CVCA certificates for Terminal Authentication, and Date is the
	// chip's first date, zero for that of the certificates.
	Trust [][]byte
	Date  cvc.Date
}

// MRZFields are the fields of the MRZ that open a chip, without check digits.
type MRZFields struct{ Document, Birth, Expiry string }

// secrets are what a chip is given beside its files: imported keys, or all that opens it.
type secrets struct {
	AA, CA                    *dh.PrivateKey
	BACSeed, PACEMRZ, PACECAN []byte
	BAC                       *MRZFields
	Rules                     *gp.Rules
	Trust                     [][]byte
	Date                      *cvc.Date
	access                    bool // they open the chip
}

// secrets are what opens the card.
func (c *Content) secrets() *secrets {
	s := &secrets{
		BACSeed: c.BACSeed, PACEMRZ: c.PACEMRZ, PACECAN: c.PACECAN, BAC: c.BAC, Rules: &c.Rules, Trust: c.Trust, access: true,
	}
	if !c.Date.IsZero() {
		s.Date = &c.Date
	}
	return s
}

// PublicKeys are what a chip has made for itself.
type PublicKeys struct {
	Chip   gp.KDD
	AA, CA *dh.Point // nil where the order asks for none
	// The chip's own word for each key, of this session and under the issuer's keys. A chip
	// that does not tell the public half of an imported key has none.
	AAEvidence, CAEvidence *gp.Evidence
}

// Order is what a caller wants made.
type Order struct {
	// Transport are the keys that the chip may bear from its supplier.
	Transport []gp.Keys
	// Issuer returns the issuer's own keys for a chip, always the same. Run destroys them.
	Issuer func(gp.KDD) (gp.Keys, error)
	// AA and CA are the curves of the chip's key pairs, nil for none.
	AA, CA *dh.Curve
	// Import allows key pairs that are made here and put onto the chip, and has them made so
	// even where the chip can make its own. They are wiped at once; the journal is told.
	Import bool
	// Driver is the card's operating system, nil for that of Default.
	Driver *Driver
	// TestCard says that what is made is no real person's card.
	TestCard bool
	// Now is the clock, nil for the system's.
	Now func() time.Time
	// Build makes the content over the chip's keys and signs it, with its own records of
	// Prepare before the signature and Sign after it. It isn't called if the journal has
	// something signed.
	Build func(context.Context, PublicKeys) (*Content, error)
	// Verify looks at the locked card as a stranger does, and proves that it is the one that
	// was signed; it may reset the card. It is the last step, and the first one on a card
	// whose lock went unanswered. With a driver that reads AsStranger it also sees the card
	// before the lock.
	Verify func(context.Context) error
	// Progress, if not nil, is told what is going on.
	Progress func(Progress)
}

// Progress is how far a run has come.
type Progress struct {
	Act         issuance.Act // what is being done, Check for Verify
	Done, Total int          // octets, of Write and of its reading back (WriteDone); else 0
}
