package apdu

import (
	"encoding/binary"
	"fmt"
)

// Sizes of ISO/IEC 7816-3 §12.
const (
	MaxLe      = 65536 // the most answer data that a command can ask for, in octets
	MaxData    = 65535 // the most command data, in octets
	MaxShortLe = 256   // as MaxLe, short encoding
	MaxShort   = 255   // as MaxData, short encoding
)

// Command is a command to a card. Its zero value is a valid command of four zero octets.
type Command struct {
	CLA, INS, P1, P2 byte
	Data             []byte // at most MaxData octets
	Le               int    // octets of answer data asked for: 0 = no Le field, 1 to MaxLe
}

// fitsShort says whether c can be encoded with one octet each of Lc and Le.
func (c Command) fitsShort() bool { return len(c.Data) <= MaxShort && c.Le <= MaxShortLe }

// check refuses what no encoding can hold. INS values 6X and 9X would be taken for
// procedure bytes (ISO/IEC 7816-3 §10.3.3), CLA FF is no class (ISO/IEC 7816-4 §5.4.1).
func (c Command) check() error {
	switch {
	case c.INS&0xF0 == 0x60 || c.INS&0xF0 == 0x90:
		return fmt.Errorf("instruction %02X: %w", c.INS, ErrMalformed)
	case c.CLA == 0xFF:
		return fmt.Errorf("class FF: %w", ErrMalformed)
	case c.Le < 0 || c.Le > MaxLe:
		return fmt.Errorf("an Le of %d: %w", c.Le, ErrMalformed)
	case len(c.Data) > MaxData:
		return fmt.Errorf("command data of %d octets: %w", len(c.Data), ErrTooLong)
	}
	return nil
}

// Encode returns the command in short or in extended encoding (ISO/IEC 7816-3 §12.1.3).
// A command without data and Le is the same four octets in both. Short encoding of more
// than MaxShort octets of data or an Le over MaxShortLe is ErrTooLong; a Command whose
// fields are out of range, or whose INS is 6X or 9X, is ErrMalformed.
func (c Command) Encode(extended bool) ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if !extended && !c.fitsShort() {
		return nil, fmt.Errorf("%d octets of data and Le %d in short encoding: %w", len(c.Data), c.Le, ErrTooLong)
	}
	b := make([]byte, 4, 4+3+len(c.Data)+3)
	b[0], b[1], b[2], b[3] = c.CLA, c.INS, c.P1, c.P2
	if !extended {
		if len(c.Data) > 0 {
			b = append(append(b, byte(len(c.Data))), c.Data...)
		}
		if c.Le > 0 {
			b = append(b, byte(c.Le)) // 256 is 00
		}
		return b, nil
	}
	if len(c.Data) > 0 {
		b = append(b, 0, byte(len(c.Data)>>8), byte(len(c.Data)))
		b = append(b, c.Data...)
	} else if c.Le > 0 {
		b = append(b, 0)
	}
	if c.Le > 0 {
		b = append(b, byte(c.Le>>8), byte(c.Le)) // 65536 is 00 00
	}
	return b, nil
}

// ParseCommand reads a command in either encoding. It is total: whatever Encode can't
// produce is ErrMalformed. Data is a part of b.
func ParseCommand(b []byte) (Command, error) {
	if len(b) < 4 {
		return Command{}, fmt.Errorf("command of %d octets: %w", len(b), ErrMalformed)
	}
	c := Command{CLA: b[0], INS: b[1], P1: b[2], P2: b[3]}
	var ok bool
	if body := b[4:]; len(body) >= 3 && body[0] == 0 {
		ok = c.parseExtended(body[1:])
	} else {
		ok = c.parseShort(body)
	}
	if !ok {
		return Command{}, fmt.Errorf("lengths of a command of %d octets: %w", len(b), ErrMalformed)
	}
	if err := c.check(); err != nil {
		return Command{}, err
	}
	return c, nil
}

// parseShort reads cases 1, 2S, 3S and 4S.
func (c *Command) parseShort(body []byte) bool {
	switch n := len(body); {
	case n == 0:
		return true
	case n == 1:
		c.Le = shortLe(body[0])
		return true
	case body[0] == 0:
		return false
	default:
		lc := int(body[0])
		if n < 1+lc || n > 2+lc {
			return false
		}
		c.Data = body[1 : 1+lc : 1+lc]
		if n == 2+lc {
			c.Le = shortLe(body[1+lc])
		}
		return true
	}
}

// parseExtended reads cases 2E, 3E and 4E after their first, zero octet.
func (c *Command) parseExtended(body []byte) bool {
	lc := int(binary.BigEndian.Uint16(body))
	if len(body) == 2 {
		c.Le = extendedLe(body)
		return true
	}
	body = body[2:]
	if lc == 0 || len(body) != lc && len(body) != lc+2 {
		return false
	}
	c.Data = body[:lc:lc]
	if len(body) == lc+2 {
		c.Le = extendedLe(body[lc:])
	}
	return true
}

func shortLe(b byte) int { return int(b-1) + 1 }

func extendedLe(b []byte) int { return int(binary.BigEndian.Uint16(b)-1) + 1 }

// Secured reports whether the class byte indicates secure messaging (ISO/IEC 7816-4 §5.4.1;
// GlobalPlatform's 84 and E0 classes too). A secured command is bound to one place in a
// sequence of counters and must never be sent twice.
func (c Command) Secured() bool {
	if c.CLA&0x40 != 0 {
		return c.CLA&0x20 != 0
	}
	return c.CLA&0x0C != 0
}

// channel is the class of an unsecured, unchained interindustry command on c's logical
// channel (ISO/IEC 7816-4 §5.4.1).
func (c Command) channel() byte {
	if c.CLA&0x40 != 0 {
		return 0x40 | c.CLA&0x0F
	}
	return c.CLA & 0x03
}
