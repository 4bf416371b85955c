package auth

import (
	"crypto/sha1"
	"fmt"
	"io"
	"log/slog"

	"github.com/tamthe/tamthe/card/suite"
)

// The password references of MSE:Set AT (Doc 9303-11 §4.4.4.1).
const (
	RefMRZ byte = 1
	RefCAN byte = 2
	RefPIN byte = 3
	RefPUK byte = 4
)

// Password is a secret that opens a chip. It is never printed, logged or marshalled;
// copies share one secret, which Destroy wipes: none of them is a password any more. The
// zero value is none.
type Password struct {
	ref    byte
	shared *[]byte
	hashed bool // MRZ information, which enters as its hash
}

func newPassword(ref byte, text string, hashed bool) Password {
	b := []byte(text)
	return Password{ref, &b, hashed}
}

// secret is nil once a copy was destroyed.
func (p Password) secret() []byte {
	if p.shared == nil {
		return nil
	}
	return *p.shared
}

// CAN is the card access number, the digits printed on the card.
func CAN(digits string) Password { return newPassword(RefCAN, digits, false) }

// MRZ is the machine readable zone's MRZ information: document number, date of birth and
// date of expiry, each with its check digit (Doc 9303-11 §9.7.2, §9.7.3).
func MRZ(information string) Password { return newPassword(RefMRZ, information, true) }

// PIN is the holder's secret number of the eID application.
func PIN(digits string) Password { return newPassword(RefPIN, digits, false) }

// PUK is the number that unblocks the PIN.
func PUK(digits string) Password { return newPassword(RefPUK, digits, false) }

// At returns the password under another reference, as some cards have it (openpace#66).
// It shares p's secret. What is asked for as an MRZ is hashed under any reference.
func (p Password) At(ref byte) Password { return Password{ref, p.shared, p.hashed} }

// Reference returns the reference of MSE:Set AT, RefMRZ to RefPUK, 0 for no password.
func (p Password) Reference() byte { return p.ref }

// Name returns "MRZ", "CAN", "PIN" or "PUK", another one's reference, "" for no password.
func (p Password) Name() string { return ReferenceName(p.ref) }

// ReferenceName returns the name of a password reference; see Password.Name.
func ReferenceName(ref byte) string {
	switch ref {
	case RefMRZ:
		return "MRZ"
	case RefCAN:
		return "CAN"
	case RefPIN:
		return "PIN"
	case RefPUK:
		return "PUK"
	case 0:
		return ""
	}
	return fmt.Sprintf("password %02X", ref)
}

// ChipID names the chip in Terminal Authentication after BAC: the document number with its
// check digit, of MRZ information; nil for another password. The caller wipes it.
func (p Password) ChipID() []byte {
	const dates = 7 + 7 // birth and expiry with their check digits
	if !p.hashed || len(p.secret()) <= dates {
		return nil
	}
	return append([]byte(nil), p.secret()[:len(p.secret())-dates]...)
}

// Destroy wipes the secret of p and of all its copies.
func (p *Password) Destroy() {
	if p.shared != nil {
		clear(*p.shared)
		*p.shared = nil
	}
	*p = Password{}
}

// PACESecret returns K, from which K_π is derived, for a personaliser to put on a chip:
// SHA-1 of the MRZ information, or the digits of the others (Doc 9303-11 §9.7.3). The
// caller wipes it.
func (p Password) PACESecret() ([]byte, error) {
	switch {
	case len(p.secret()) == 0:
		return nil, fmt.Errorf("PACE: %w", ErrPassword)
	case p.hashed:
		h := sha1.Sum(p.secret())
		return h[:], nil
	}
	return append([]byte(nil), p.secret()...), nil
}

// BACSeed returns K_seed of 16 octets, from which the BAC keys are derived, for a
// personaliser to put on a chip (Doc 9303-11 §9.7.2). The caller wipes it.
func (p Password) BACSeed() ([]byte, error) {
	if !p.hashed || len(p.secret()) == 0 {
		return nil, fmt.Errorf("BAC: %w: it takes the MRZ", ErrPassword)
	}
	h := sha1.Sum(p.secret())
	return h[:seedSize:seedSize], nil
}

const seedSize = 16

// paceKey returns K_π for a suite.
func (p Password) paceKey(c suite.Cipher) ([]byte, error) {
	secret, err := p.PACESecret()
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	return suite.KDF(secret, suite.CounterPACE, c), nil
}

// String returns the kind of password and nothing of the secret.
func (p Password) String() string { return "auth.Password(" + p.Name() + ", redacted)" }

// GoString returns what String does.
func (p Password) GoString() string { return p.String() }

// Format is String for every verb.
func (p Password) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// LogValue returns what String does.
func (p Password) LogValue() slog.Value { return slog.StringValue(p.String()) }

// MarshalJSON returns what String does.
func (p Password) MarshalJSON() ([]byte, error) { return []byte(`"` + p.String() + `"`), nil }
