package card

import (
	"context"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

// plain is a file without a header that says how long it is.
type plain struct {
	fid  uint16
	sfi  byte // 0 for none
	le   int  // what to ask for at once
	most int  // octets after which no more is asked for
	once bool // a card that denies the short identifier is not asked again
}

// read reads the file by its short identifier or, on a card that refuses that, by its own.
// A refusal is an apdu.StatusError, ErrFileAbsent among them.
func (f plain) read(ctx context.Context, t apdu.Transmitter) ([]byte, error) {
	if f.sfi != 0 {
		data, err := f.blocks(ctx, t, 0x80|f.sfi)
		if !isRefusal(err) || f.once && errors.Is(err, ErrFileAbsent) {
			return data, err
		}
	}
	c := apdu.Command{INS: 0xA4, P1: 0x02, P2: 0x0C, Data: []byte{byte(f.fid >> 8), byte(f.fid)}}
	_, status, err := apdu.Do(ctx, t, c)
	if err == nil {
		err = absent(c.Refused(status))
	}
	if err != nil {
		return nil, err
	}
	return f.blocks(ctx, t, 0)
}

// blocks reads block after block until the card gives no more. p1 is the first one's.
func (f plain) blocks(ctx context.Context, t apdu.Transmitter, p1 byte) ([]byte, error) {
	var data []byte
	for le, n := f.le, 0; len(data) < f.most && n < spare+len(data)/leastBlock; n++ {
		c := apdu.Command{INS: 0xB0, P1: p1, Le: le}
		if len(data) > 0 {
			c.P1, c.P2 = byte(len(data)>>8), byte(len(data))
		}
		block, status, err := apdu.Do(ctx, t, c)
		if err != nil {
			return nil, err
		}
		smaller := 0
		switch {
		case (status == apdu.OK || status == apdu.EndOfFile) && len(block) > 0:
			data = append(data, block...)
			continue
		case errors.Is(status, apdu.WrongLe):
			smaller = int(byte(status))
		case status == apdu.WrongLength, status == apdu.WrongOffset && f.most > f.le: // beyond the end
			smaller = below(le)
		}
		if smaller > 0 && smaller < le {
			le = smaller
			continue
		}
		if len(data) == 0 && status != apdu.OK && status != apdu.EndOfFile {
			return nil, absent(c.Refused(status))
		}
		break
	}
	return data, nil
}

// maxPlain bounds EF.DIR and EF.ATR/INFO, in octets.
const maxPlain = 4 << 10

// ReadMaster reads lds.DIR or lds.ATRInfoFile, of which 4,096 octets or a block more count.
// They lie in the master file, which is selected, and the application left: Select comes
// back to it. Nothing vouches for them. The errors are those of ReadFile.
func (s *Session) ReadMaster(ctx context.Context, f lds.File) ([]byte, error) {
	if s.channel == nil {
		return nil, fmt.Errorf("read %s: %w", f.Name(), sm.ErrClosed)
	}
	s.ahead = nil
	c := apdu.Command{INS: 0xA4, P2: 0x0C, Data: []byte{0x3F, 0x00}}
	_, status, err := apdu.Do(ctx, s.channel, c)
	if err == nil { // where it is refused, the short identifiers are other files'
		err = c.Refused(status)
	}
	var raw []byte
	if err == nil {
		raw, err = plain{fid: f.FID(), sfi: f.SFI(), le: s.le, most: maxPlain}.read(ctx, s.channel)
	}
	if err == nil && len(raw) == 0 {
		err = ErrFileEmpty
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	return raw, nil
}
