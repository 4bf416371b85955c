package desk

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/card/picture"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance/printjob"
)

var (
	// ErrPortrait means that a portrait cannot go onto a chip: no JPEG, too few or too
	// many pixels, or too many octets.
	ErrPortrait = errors.New("the portrait cannot be used")
	// ErrFingers means that what was taken of fingers is no DG3 with a finger in it, or too
	// large, or that there is no CVCA whose terminals could read it.
	ErrFingers = errors.New("the fingers cannot be used")
	// ErrProfile means that this desk makes no cards of a profile.
	ErrProfile = errors.New("the desk makes no cards of this profile")
)

// MaxPortrait is the largest portrait in octets. A larger one would make every check of
// the card slow.
const MaxPortrait = 60_000

// MaxFingers is the largest DG3 in octets.
const MaxFingers = 30_000

// Profile is what this desk makes cards of, and DocumentType what those are in the
// ledger's holds: a person has one of a type in force.
const (
	Profile      = "vn-cccd-2021"
	DocumentType = "vn-cccd"
)

// Draft is what an application asks to be made. It is sealed in the ledger and rebuilt
// from there, never from what is on somebody's screen. It holds personal data and does
// not print them.
type Draft struct {
	Profile  string
	Reason   string
	Person   vn.Person
	Portrait []byte
	Fingers  []byte    `json:",omitempty"` // the whole of DG3; nil for none
	Issued   time.Time // the day that is signed as the day of issue, midnight in UTC
	Serial   string    // sixteen characters of the card's own
	Salt     [32]byte  // of the commitment
	Form     int       // of the commitment: 2; 0 in what was enrolled before there was a second
}

// newDraft takes an application in and sets what the office adds to it.
func newDraft(n Enrolment, now time.Time) (*Draft, error) {
	if n.Profile != Profile {
		return nil, fmt.Errorf("%w: %q", ErrProfile, n.Profile)
	}
	if err := n.Person.Check(); err != nil {
		return nil, err
	}
	if err := checkPortrait(n.Portrait); err != nil {
		return nil, err
	}
	if err := checkFingers(n.Fingers); err != nil {
		return nil, err
	}
	d := &Draft{Profile: n.Profile, Reason: n.Reason, Person: n.Person, Portrait: n.Portrait, Fingers: n.Fingers, Issued: dayOf(now), Form: 2}
	rand.Read(d.Salt[:])
	var serial [8]byte
	rand.Read(serial[:])
	d.Serial = strings.ToUpper(hex.EncodeToString(serial[:]))
	return d, nil
}

// dayOf is the calendar day where the clock stands, as midnight in UTC.
func dayOf(now time.Time) time.Time {
	y, m, d := now.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// String says what it is and nothing of the person.
func (*Draft) String() string { return "draft of a card (personal data)" }

// GoString is String.
func (d *Draft) GoString() string { return d.String() }

// Format is String for every verb.
func (d *Draft) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, d.String()) }

// LogValue is String.
func (d *Draft) LogValue() slog.Value { return slog.StringValue(d.String()) }

// checkPortrait refuses before anybody decodes it what no card should hold.
func checkPortrait(b []byte) error {
	c, w, h := picture.Sniff(b)
	switch {
	case c != picture.JPEG:
		return fmt.Errorf("%w: it is no JPEG", ErrPortrait)
	case len(b) > MaxPortrait:
		return fmt.Errorf("%w: %d octets, at most %d fit", ErrPortrait, len(b), MaxPortrait)
	case w < 200 || h < 200 || w*h > picture.MaxPixels:
		return fmt.Errorf("%w: %d by %d pixels", ErrPortrait, w, h)
	}
	if _, err := picture.Decode(context.Background(), b, picture.Options{}); err != nil {
		return fmt.Errorf("%w: %w", ErrPortrait, err)
	}
	return nil
}

// checkFingers refuses what is no DG3 by ISO/IEC 19794-4 or 39794-4 with a finger in it.
func checkFingers(dg3 []byte) error {
	if dg3 == nil {
		return nil
	}
	if len(dg3) > MaxFingers {
		return fmt.Errorf("%w: %d octets, at most %d fit", ErrFingers, len(dg3), MaxFingers)
	}
	b, err := lds.ParseBiometrics(lds.DG3, dg3)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFingers, err)
	}
	if len(b.Samples) == 0 {
		return fmt.Errorf("%w: there is none", ErrFingers)
	}
	return nil
}

// expiry is when the card expires.
func (d *Draft) expiry() vn.Expiry { return d.Person.ExpiryAt(d.Issued) }

// zone is the printed MRZ.
func (d *Draft) zone() (*mrz.MRZ, error) { return vn.WriteMRZ(d.Person, d.expiry()) }

// groups are the data groups that the person decides.
func (d *Draft) groups() (map[lds.File][]byte, error) {
	zone, err := d.zone()
	if err != nil {
		return nil, err
	}
	_, w, h := lds.Picture(d.Portrait)
	dg2, err := lds.EncodeDG2(lds.Face{Image: d.Portrait, Coding: lds.JPEG, Width: w, Height: h})
	if err != nil {
		return nil, err
	}
	dg13, err := vn.EncodeDG13(d.Person, vn.Issue{Issued: d.Issued, Expiry: d.expiry(), Serial: d.Serial})
	if err != nil {
		return nil, err
	}
	groups := map[lds.File][]byte{lds.DG1: lds.EncodeDG1(zone), lds.DG2: dg2, lds.DG13: dg13}
	if d.Fingers != nil {
		groups[lds.DG3] = d.Fingers
	}
	return groups, nil
}

// body is what the card's body shows.
func (d *Draft) body() printjob.Card {
	return printjob.Card{Design: d.Profile, Person: d.Person, Issued: d.Issued, Expiry: d.expiry(), Portrait: d.Portrait, Specimen: true}
}

// print is what the card's body shows in machine readable form.
func (d *Draft) print() (string, error) {
	return d.body().Machine()
}
