package perso

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
)

// Errand is what a desk asks a centre to make. The octets that [Desk.Ask] sends are what
// its operator signs.
type Errand struct {
	Application string
	Card        string
	Batch       string // of the blank
	Operator    issuance.KeyID
	Limits      apdu.Limits // of card and reader
	Driver      string
	Import      bool
	AA, CA      int            // curves of the chip's key pairs by their number (dh.ByID), 0 for none
	Keys        [2][]byte      // the chip's public keys, AA and CA, from Keyed on
	Signed      *errandContent `json:",omitempty"`
}

// errandContent is a Content on its way.
type errandContent struct {
	Files                     map[lds.File][]byte
	BACSeed, PACEMRZ, PACECAN []byte     `json:",omitempty"`
	BAC                       *MRZFields `json:",omitempty"`
	Rules                     gp.Rules
	Trust                     [][]byte `json:",omitempty"`
	Date                      []byte   `json:",omitempty"`
}

func contentOut(c *Content) *errandContent {
	if c == nil {
		return nil
	}
	out := &errandContent{c.Files, c.BACSeed, c.PACEMRZ, c.PACECAN, c.BAC, c.Rules, c.Trust, nil}
	if !c.Date.IsZero() {
		out.Date = c.Date.Bytes()
	}
	return out
}

func (c *errandContent) in() (*Content, error) {
	if c == nil {
		return nil, nil
	}
	in := &Content{Files: c.Files, BACSeed: c.BACSeed, PACEMRZ: c.PACEMRZ, PACECAN: c.PACECAN, BAC: c.BAC, Rules: c.Rules, Trust: c.Trust}
	if c.Date == nil {
		return in, nil
	}
	digits := make([]byte, len(c.Date))
	for i, b := range c.Date {
		digits[i] = b + '0'
	}
	var err error
	in.Date, err = cvc.ParseDate(digits)
	return in, err
}

// errandKeys are public keys of a chip on their way, or a record that tells them.
type errandKeys struct {
	Act        issuance.Act `json:",omitempty"`
	Chip       gp.KDD
	Driver     string    `json:",omitempty"`
	KeyVersion byte      `json:",omitempty"`
	Imported   string    `json:",omitempty"`
	Attempt    int       `json:",omitempty"`
	Points     [2][]byte // AA and CA, nil for none
	Evidence   [2][]byte
}

func (k *errandKeys) out(aa, ca *dh.Point, proofs ...*gp.Evidence) error {
	for i, p := range []*dh.Point{aa, ca} {
		if p != nil {
			k.Points[i] = p.Bytes()
		}
	}
	for i, e := range proofs {
		if e == nil {
			continue
		}
		var err error
		if k.Evidence[i], err = e.MarshalBinary(); err != nil {
			return err
		}
	}
	return nil
}

func (k *errandKeys) in(e *Errand) (keys PublicKeys, err error) {
	keys.Chip = k.Chip
	if keys.AA, keys.CA, err = e.points(k.Points); err != nil {
		return PublicKeys{}, err
	}
	for i, to := range []**gp.Evidence{&keys.AAEvidence, &keys.CAEvidence} {
		if k.Evidence[i] == nil {
			continue
		}
		if *to, err = gp.ParseEvidence(k.Evidence[i]); err != nil {
			return PublicKeys{}, err
		}
	}
	return keys, nil
}

// points reads public keys on the errand's curves.
func (e *Errand) points(b [2][]byte) (aa, ca *dh.Point, err error) {
	for i, to := range []**dh.Point{&aa, &ca} {
		if b[i] == nil {
			continue
		}
		c, err := e.curve([]int{e.AA, e.CA}[i])
		if err != nil {
			return nil, nil, err
		}
		if c == nil {
			return nil, nil, fmt.Errorf("a key that was not ordered: %w", ErrOrder)
		}
		if *to, err = c.ParsePoint(b[i]); err != nil {
			return nil, nil, err
		}
	}
	return aa, ca, nil
}

func (*Errand) curve(id int) (*dh.Curve, error) {
	if id == 0 {
		return nil, nil
	}
	return dh.ByID(id)
}

// What goes between the ends: frames, whose first octet says what they are. Scripts and
// answers have forms of their own; what else there is has JSON behind that octet.
const (
	saysNonce   = 'N' // centre: sign the errand with this in front
	saysErrand  = 'O' // desk: the errand and its signature
	saysRecord  = 'R' // centre: record this act
	saysBuild   = 'B' // centre: build and have it signed, over these keys
	saysContent = 'C' // desk: that is what was signed
	saysVerify  = 'V' // centre: look at the card
	saysDone    = 'K' // desk: it is done
	saysFailed  = 'F' // desk: it failed, and the desk knows why
	saysEnd     = 'E' // centre: how it ended
)

// signedErrand is an errand as it goes over.
type signedErrand struct{ Errand, Signature []byte }

// ending is how a centre's work ended: the number of an error, 0 for none, and its text.
type ending struct {
	Error int
	Text  string `json:",omitempty"`
}

// maxText bounds the text of an ending.
const maxText = 1 << 10

// line is one end of the conversation.
type line struct{ conn net.Conn }

func (l line) say(what byte, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeFrame(l.conn, append([]byte{what}, b...))
}

// hear returns the next frame. Before the first octet of one it is io.EOF.
func (l line) hear() ([]byte, error) { return readFrame(l.conn) }

// wait returns the next frame, which must be of a kind; one that says that the other end
// failed is errDesk.
func (l line) wait(what byte, v any) error {
	b, err := l.hear()
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", ErrFrame, io.ErrUnexpectedEOF)
	}
	switch {
	case err != nil:
		return err
	case b[0] == saysFailed:
		return errDesk
	case b[0] != what:
		return fmt.Errorf("%w: %q instead of %q", ErrFrame, b[0], what)
	}
	return read(b, v)
}

// read reads the JSON of a frame into v: all of it, and nothing that v does not know.
func read(frame []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(frame[1:]))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", ErrFrame, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something behind it", ErrFrame)
	}
	return nil
}

// errDesk says that the desk could not do what it was asked for; it knows why.
var errDesk = errors.New("the desk could not do it")
