package verify

import (
	"context"
	"encoding/hex"
	"log/slog"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/card/profile"
	"github.com/tamthe/tamthe/verify/pki"
)

// Options say how to inspect. The zero value trusts nobody and so accepts nothing.
type Options struct {
	Trust    *pki.Store   // whom to trust; nil is nobody
	Policy   Policy       // zero: checkpoint for a chip, archive for files
	At       time.Time    // the time of judgement; it must be set. Its location says which day it is
	Seen     *pki.Memory  // what this device has seen of each revocation list: an older one is not relied on; nil is nothing
	Newest   time.Time    // the latest time at which a list that this device has seen was signed: an earlier At is a clock that is behind. Zero where At was given by hand
	Status   StatusSource // whom to ask about the card; nil is nobody
	Specimen bool         // test keys are welcome
	Printed  *mrz.MRZ     // the printed zone, to compare; nil if it was not read
	QR       string       // the text of the printed QR code, to compare; "" if it was not read
	Holder   Holder       // what the officer saw
	Face     FaceMatcher  // compares the portrait with the bearer, once it is proven; nil leaves that to the officer

	// Profile is the kind of document; nil takes what fits its machine readable zone,
	// and opens a chip as any ICAO document.
	Profile *profile.Profile

	// Signers and Lists came with the evidence: certificates that may be the document
	// signer's, and revocation lists. They count as far as the store's anchors vouch for them.
	Signers []*cert.Certificate
	Lists   []*cert.CRL

	Recurring *Recurring // document signers that come again, for who judges many cards; nil works each out anew

	// For a chip only.
	Passwords []auth.Password                                           // tried in order; see card.Options
	Ask       func(context.Context, card.Prompt) (auth.Password, error) // where Passwords has none that fits
	AllowBAC  bool                                                      // BAC although the chip offers PACE; see card.Options
	Reader    apdu.Limits                                               // what the reader bears; see card.Options
	Claimed   bool                                                      // the card claims extended length; see card.Options
	Block     int                                                       // most file octets at once; see card.Options
	Terminal  *auth.TerminalKey                                         // opens DG3 and DG4 on chips that know its authority, and asks the chip whatever the policy; nil leaves them
	Interim   func(*Report)                                             // called once signature and chip are judged, before the personal data; may be nil
	Progress  func(f lds.File, done, total int)                         // called while files are read; may be nil
	Save      func(lds.File, []byte) error                              // called with each file as read; may be nil
	Protected bool                                                      // ask for DG3 and DG4 without Terminal Authentication too
	Patience  time.Duration                                             // how long the opened chip may be read; 0 is three minutes
	Directory bool                                                      // read EF.DIR and EF.ATR/INFO too, at the end; nothing vouches for them
	Have      Files                                                     // groups read before: not read again if the SOD lists their digests; may be nil
	Challenge []byte                                                    // of Active Authentication, eight octets derived from the case; nil draws them. See evidence.Context
	Log       *slog.Logger                                              // nil is silent
}

func (o Options) withDefaults(policy string) Options {
	if o.Trust == nil {
		o.Trust = pki.NewStore(nil, nil, nil)
	}
	if o.Policy.Name == "" && len(o.Policy.Need) == 0 {
		o.Policy, _ = PolicyByName(policy)
	}
	if o.Patience <= 0 {
		o.Patience = 3 * time.Minute // the largest files on the slowest reader take two
	}
	if o.Terminal != nil { // whose rights are bound to Chip Authentication
		o.Policy.Chip = true
	}
	return o
}

func (o Options) cardOptions() card.Options {
	c := card.Options{Passwords: o.Passwords, Ask: o.Ask, AllowBAC: o.AllowBAC, Log: o.Log}
	c.Profile, c.Reader, c.Claimed, c.Block = o.Profile, o.Reader, o.Claimed, o.Block
	return c
}

// CardID names one card for good: the SHA-256 of the octets of its signed
// LDSSecurityObject. The document number does not: it may repeat on every reissue.
type CardID [32]byte

// String returns the name as 64 lower-case hexadecimal digits.
func (c CardID) String() string { return hex.EncodeToString(c[:]) }
