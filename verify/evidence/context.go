package evidence

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"github.com/tamthe/tamthe/verify"
)

// ErrContext says that a case, a purpose or a time cannot stand in a bundle.
var ErrContext = errors.New("a case and a purpose are one printable line each, of at most 200 octets")

// maxText bounds what people write into a bundle, in octets.
const maxText = 200

// Context is the occasion of an inspection.
type Context struct {
	Case    string    // what the inspection belongs to, as its authority names it; "" for none
	Purpose string    // why; may be ""
	Device  [32]byte  // see Device.ID
	Time    time.Time // by the device's clock, to the second
	Nonce   [32]byte  // drawn by the device
}

// NewContext draws a nonce. Errors are ErrContext.
func NewContext(caseID, purpose string, d *Device, now time.Time) (Context, error) {
	c := Context{Case: caseID, Purpose: purpose, Device: d.ID(), Time: now.UTC().Truncate(time.Second)}
	_, _ = rand.Read(c.Nonce[:]) // never fails
	return c, c.check()
}

func (c Context) check() error {
	for _, s := range []string{c.Case, c.Purpose} {
		if len(s) > maxText || verify.Escape(s) != s {
			return ErrContext
		}
	}
	if y := c.Time.UTC().Year(); y < 1 || y > 9999 {
		return ErrContext
	}
	return nil
}

// challengeDomain begins what a challenge is derived from.
const challengeDomain = "tamthe/evidence/challenge/1"

// Challenge is what the chip is to sign for this occasion: the first eight octets of the
// SHA-256 of six lines, each with its line end: tamthe/evidence/challenge/1, the case, the
// purpose, the device and the nonce in hexadecimal, the time (RFC 3339, UTC). Without a case
// there is nothing to bind to, and it is nil: the challenge is then drawn.
func (c Context) Challenge() []byte {
	if c.Case == "" {
		return nil
	}
	h := sha256.New()
	for _, line := range []string{
		challengeDomain, c.Case, c.Purpose, hex.EncodeToString(c.Device[:]), hex.EncodeToString(c.Nonce[:]),
		c.Time.UTC().Format(time.RFC3339),
	} {
		_, _ = io.WriteString(h, line+"\n")
	}
	return h.Sum(nil)[:8]
}
