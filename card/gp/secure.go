package gp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/suite"
)

// secure is the state that both ends of a channel keep in step: the session keys, the
// chaining value of the C-MAC and the counter of commands. Neither value ever depends on
// an answer (Amendment D §6.2).
type secure struct {
	*session
	chain   [aes.BlockSize]byte
	counter uint64
	onData  bool // the counter stands still for a command without data to encrypt
}

// advance moves the counter on before a command (Amendment D §6.2.6), or leaves it as some
// shipping cards do.
func (s *secure) advance(c apdu.Command) {
	if !s.onData || len(c.Data) > 0 {
		s.counter++
	}
}

// header is what a C-MAC covers before the data: the first four octets, with the class
// that says secure messaging, and Lc in the form that the command will have.
func header(c apdu.Command, lc int) []byte {
	h := []byte{c.CLA, c.INS, c.P1, c.P2}
	if lc > apdu.MaxShort || c.Le > apdu.MaxShortLe {
		return append(h, 0, byte(lc>>8), byte(lc))
	}
	return append(h, byte(lc))
}

// commandMAC moves the chaining value on over c, whose data are those to be sent without
// the code, and returns the code.
func (s *secure) commandMAC(c apdu.Command) []byte {
	in := append([]byte(nil), s.chain[:]...)
	in = append(in, header(c, len(c.Data)+s.size)...)
	copy(s.chain[:], suite.CMAC(newAES(s.mac), append(in, c.Data...)))
	return s.chain[:s.size]
}

// sign appends the C-MAC.
func (s *secure) sign(c apdu.Command) apdu.Command {
	c.CLA |= protected
	mac := s.commandMAC(c)
	c.Data = append(append(make([]byte, 0, len(c.Data)+s.size), c.Data...), mac...)
	return c
}

// verify removes and checks the C-MAC of a command as it came.
func (s *secure) verify(c apdu.Command) (apdu.Command, bool) {
	n := len(c.Data) - s.size
	if n < 0 || c.CLA&protected == 0 {
		return c, false
	}
	got := c.Data[n:]
	c.Data = c.Data[:n:n]
	return c, subtle.ConstantTimeCompare(s.commandMAC(c), got) == 1
}

// responseMAC is the R-MAC of the answer to the last command (Amendment D §6.2.5).
func (s *secure) responseMAC(data []byte, status apdu.Status) []byte {
	in := append(append([]byte(nil), s.chain[:]...), data...)
	in = append(in, byte(status>>8), byte(status))
	return suite.CMAC(newAES(s.rmac), in)[:s.size]
}

// Initial blocks of the two directions: the counter, in answers with its first bit set
// (Amendment D §6.2.6 and §6.2.7).
const (
	ivCommand  = 0x00
	ivResponse = 0x80
)

func (s *secure) iv(direction byte) (cipher.Block, []byte) {
	b := newAES(s.enc)
	iv := make([]byte, aes.BlockSize)
	iv[0] = direction
	binary.BigEndian.PutUint64(iv[8:], s.counter)
	b.Encrypt(iv, iv)
	return b, iv
}

func (s *secure) encrypt(direction byte, data []byte) []byte {
	out := suite.Pad(data, aes.BlockSize)
	b, iv := s.iv(direction)
	cipher.NewCBCEncrypter(b, iv).CryptBlocks(out, out)
	return out
}

func (s *secure) decrypt(direction byte, data []byte) ([]byte, bool) {
	if len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, false
	}
	out := make([]byte, len(data))
	b, iv := s.iv(direction)
	cipher.NewCBCDecrypter(b, iv).CryptBlocks(out, data)
	out, err := suite.Unpad(out, aes.BlockSize)
	return out, err == nil
}

// authenticated says whether an answer with this status carries an R-MAC: success and
// warnings do, errors don't (Amendment D §6.2.5).
func authenticated(s apdu.Status) bool {
	return s == apdu.OK || s>>8 == 0x62 || s>>8 == 0x63
}
