package desk

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/vault"
)

// ErrPortrait means that a portrait cannot go onto a chip: no JPEG, too many pixels, or
// too many octets.
var ErrPortrait = errors.New("the portrait cannot be used")

// MaxPortrait is the largest portrait in octets. A larger one would make every check of
// the card slow.
const MaxPortrait = 60_000

// DocumentType is what the profile's cards are, as in holds of the ledger.
const DocumentType = "vn-cccd"

// Draft is what an application asks to be made. It is sealed in the ledger and rebuilt
// from there, never from what is on somebody's screen.
type Draft struct {
	Profile  string
	Reason   string
	Person   vn.Person
	Portrait []byte
	Issued   time.Time // the day that is signed as the day of issue
	Serial   string    // sixteen characters of the card's own
	Salt     [32]byte
}

// newDraft takes an application in and sets what the office adds to it.
func newDraft(p vn.Person, portrait []byte, profile, reason string, now time.Time) (*Draft, error) {
	d := &Draft{Profile: profile, Reason: reason, Person: p, Portrait: portrait, Issued: now.UTC().Truncate(24 * time.Hour)}
	rand.Read(d.Salt[:])
	var serial [8]byte
	rand.Read(serial[:])
	d.Serial = strings.ToUpper(hex.EncodeToString(serial[:]))
	if err := p.Check(); err != nil {
		return nil, err
	}
	if err := checkPortrait(portrait); err != nil {
		return nil, err
	}
	if _, err := d.groups(); err != nil {
		return nil, err
	}
	return d, nil
}

// checkPortrait refuses before anybody decodes it what no card should hold.
func checkPortrait(b []byte) error {
	c, w, h := lds.Picture(b)
	switch {
	case c != lds.JPEG:
		return fmt.Errorf("%w: it is no JPEG", ErrPortrait)
	case len(b) > MaxPortrait:
		return fmt.Errorf("%w: %d octets, at most %d fit", ErrPortrait, len(b), MaxPortrait)
	case w < 200 || h < 200 || w*h > lds.MaxPixels:
		return fmt.Errorf("%w: %d by %d pixels", ErrPortrait, w, h)
	}
	if _, err := lds.DecodePicture(b); err != nil {
		return fmt.Errorf("%w: %w", ErrPortrait, err)
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
	return map[lds.File][]byte{lds.DG1: lds.EncodeDG1(zone), lds.DG2: dg2, lds.DG13: dg13}, nil
}

// print is what the card's body shows in machine readable form.
func (d *Draft) print() (string, error) {
	zone, err := d.zone()
	if err != nil {
		return "", err
	}
	return strings.Join(zone.Lines, "\n") + "\n" + vn.EncodeQR(d.Person, "", d.Issued), nil
}

// commitment is the number that an approval signs: to the data groups, what is printed,
// expiry, reason, document type and profile, each with its length in front.
func (d *Draft) commitment() ([32]byte, error) {
	groups, err := d.groups()
	if err != nil {
		return [32]byte{}, err
	}
	print, err := d.print()
	if err != nil {
		return [32]byte{}, err
	}
	var b []byte
	for _, part := range [][]byte{
		groups[lds.DG1], groups[lds.DG2], groups[lds.DG13], []byte(print), []byte(d.expiry().Text()), []byte(d.Reason),
		[]byte(DocumentType), []byte(d.Profile),
	} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return issuance.Commit(d.Salt, b), nil
}

// seal puts v, as JSON, into an attachment of the entry.
func (o *Office) seal(e *issuance.Entry, name string, v any) error {
	if o.Vault == nil {
		return ErrNoVault
	}
	plain, err := json.Marshal(v)
	if err != nil {
		return err
	}
	sealed, err := o.Vault.Seal(place(e.ID, name), plain)
	clear(plain)
	if err != nil {
		return err
	}
	e.Attach = append(e.Attach, issuance.Attachment{Name: name, Sealed: sealed})
	return nil
}

// ErrNoVault means that personal data are needed and the vault's key is not here.
var ErrNoVault = errors.New("the vault's key is needed")

func place(entry [16]byte, name string) vault.Place {
	return vault.Place{Table: "attachment", Row: hex.EncodeToString(entry[:]), Column: name}
}
