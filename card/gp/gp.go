// Package gp speaks GlobalPlatform's Secure Channel Protocol 03 to a card's security
// domain (Card Specification 2.3.1, Amendment D 1.1.1) and the commands that
// personalise a chip over it: INSTALL, PUT KEY, GENERATE ASYMMETRIC KEY PAIR, STORE DATA,
// GET DATA and SET STATUS. Both ends are here. SCP02 is there for who asks for it.
//
// A card allows few failed authentications in its whole life. Therefore the card's
// cryptogram is checked first, for it costs nothing, and EXTERNAL AUTHENTICATE is sent
// at most once for a handshake, by the holder of a key set that has proven right.
// A channel closes at its first failure of protection and forgets its keys.
package gp

import (
	"errors"

	"github.com/tamthe/tamthe/apdu"
)

var (
	// ErrCryptogram says that the card's cryptogram does not come from these keys. Nothing
	// was sent after INITIALIZE UPDATE, so the card has counted no failure.
	ErrCryptogram = errors.New("the card does not hold these keys")
	// ErrProtection says that an answer, or at the chip's end a command, is not protected
	// as it must be. The channel is closed.
	ErrProtection = errors.New("SCP03: protection failed")
	// ErrClosed says that the channel was closed, by its owner or by a failure.
	ErrClosed = errors.New("SCP03: the channel is closed")
	// ErrUnsupported says that the card's protocol or its options are none of these: SCP03,
	// and response protection where the level asks for it.
	ErrUnsupported = errors.New("SCP03: not supported")
	// ErrWeak says that a security level is below CMACEncRMAC and that the caller has not
	// asked for such a one by name.
	ErrWeak = errors.New("SCP03: security level below 13")
	// ErrSpent says that a handshake has already sent its EXTERNAL AUTHENTICATE.
	ErrSpent = errors.New("SCP03: this handshake has been used")
	// ErrKeys says that static keys are not three AES keys of one length.
	ErrKeys = errors.New("SCP03: not three AES keys of one length")
	// ErrAnswer says that a card's answer has not the form of its command's, or that its
	// check values belong to other keys than those sent.
	ErrAnswer = errors.New("the card's answer has the wrong form")
)

// Level is what a channel protects, P1 of EXTERNAL AUTHENTICATE (Amendment D §7.1.2.1).
type Level byte

// The security levels that a channel can be opened with. Those below CMACEncRMAC are for
// cards that know no better, and have to be asked for with Start.Weak.
const (
	NoSecurity   Level = 0x00 // both ends are authenticated, and nothing after that
	CMAC         Level = 0x01 // commands are authenticated
	CMACEnc      Level = 0x03 // commands are authenticated and encrypted
	CMACRMAC     Level = 0x11 // as CMAC, answers are authenticated
	CMACEncRMAC  Level = 0x13 // as CMACEnc, answers are authenticated
	FullSecurity Level = 0x33 // commands and answers are authenticated and encrypted
)

// Valid reports whether l is one of the six levels.
func (l Level) Valid() bool {
	switch l {
	case NoSecurity, CMAC, CMACEnc, CMACRMAC, CMACEncRMAC, FullSecurity:
		return true
	}
	return false
}

func (l Level) cmac() bool { return l&0x01 != 0 }
func (l Level) weak() bool { return l != CMACEncRMAC && l != FullSecurity }
func (l Level) cenc() bool { return l&0x02 != 0 }
func (l Level) rmac() bool { return l&0x10 != 0 }
func (l Level) renc() bool { return l&0x20 != 0 }

// offeredBy says whether a card with the options i can keep up the level.
func (l Level) offeredBy(i byte) bool {
	return (!l.rmac() || i&OptionRMAC != 0) && (!l.renc() || i&OptionRENC != 0)
}

// Options of a card's SCP03, the i parameter (Amendment D §5.1).
const (
	OptionS16          = 0x01 // challenges, cryptograms and codes of 16 octets rather than 8
	OptionPseudoRandom = 0x10 // the card's challenge comes from its key and a counter
	OptionRMAC         = 0x20
	OptionRENC         = 0x40 // with OptionRMAC
)

// KDD are the key diversification data of a chip, its name for life.
type KDD [10]byte

// Info is what INITIALIZE UPDATE tells of a card (Amendment D §7.1.1.6). It is not
// authenticated before the channel is open, and KDD not even then: GET DATA reads it
// under protection.
type Info struct {
	KDD        KDD
	KeyVersion byte
	I          byte   // options
	Sequence   uint32 // the counter behind a pseudo-random challenge, else 0
}

// INS octets that this package sends and serves.
const (
	insInitializeUpdate = 0x50
	insExternalAuth     = 0x82
	insGenerate         = 0x46
	insGetData          = 0xCA
	insPutKey           = 0xD8
	insStoreData        = 0xE2
	insSetStatus        = 0xF0
	insInstall          = 0xE6
)

const (
	claPlain  = 0x80
	claSecure = 0x84
	protected = 0x04 // the class bit of GlobalPlatform's secure messaging
)

// refused is nil for OK and names the command otherwise.
func refused(c apdu.Command, r apdu.Response) error { return c.Refused(r.Status) }
