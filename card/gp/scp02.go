package gp

import (
	"bytes"
	"crypto/cipher"
	"crypto/des"
	"crypto/subtle"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/suite"
)

// SCP02 (Card Specification 2.3.1, appendix E) is deprecated: 3DES, no protection of
// answers, and an encryption whose constant initial block tells equal commands apart from
// others. It is here for cards that know nothing else, in the variants i=15 and i=55, and
// only for who asks for it at both ends.

// Legacy is a variant of SCP02, the i parameter that such a card's data sheet names. Its
// zero value allows none.
type Legacy byte

// The variants of SCP02.
const (
	SCP02Random       Legacy = 0x15 // the card's challenge is random
	SCP02PseudoRandom Legacy = 0x55 // it comes from the key and the counter
)

const (
	protocol02     = 0x02
	desSize        = des.BlockSize // of codes and cryptograms
	sixOctets      = 6             // of the card's challenge
	legacyInit     = 28            // octets of the answer to INITIALIZE UPDATE
	keyTypeDES     = 0x80
	legacyKey      = 16 // octets of a key
	derivLegacyMAC = 0x0101
	derivLegacyDEK = 0x0181
	derivLegacyEnc = 0x0182
)

// legacy is the state of a channel of SCP02.
type legacy struct {
	enc, mac, dek []byte
	host, card    []byte // cryptograms
	icv           []byte // of the next C-MAC
}

// newLegacy derives the session from keys of 16 octets, which Keys.Check has seen.
func newLegacy(k Keys, sequence uint16, host, card []byte) *legacy {
	derive := func(key []byte, constant uint16) []byte {
		in := make([]byte, 16)
		in[0], in[1], in[2], in[3] = byte(constant>>8), byte(constant), byte(sequence>>8), byte(sequence)
		out, err := suite.TDES.Encrypt(key, make([]byte, desSize), in)
		if err != nil {
			panic("gp: 3DES key of unchecked length")
		}
		return out
	}
	s := &legacy{
		enc: derive(k.Enc, derivLegacyEnc), mac: derive(k.MAC, derivLegacyMAC), dek: derive(k.DEK, derivLegacyDEK),
		icv: make([]byte, desSize),
	}
	seq := []byte{byte(sequence >> 8), byte(sequence)}
	s.card = s.cryptogram(host, seq, card)
	s.host = s.cryptogram(seq, card, host)
	return s
}

// cryptogram is the last block of the encryption of the parts (appendix E.4.3).
func (s *legacy) cryptogram(parts ...[]byte) []byte {
	out := s.encrypt(bytes.Join(parts, nil))
	return out[len(out)-desSize:]
}

// encrypt pads data and encrypts them with a zero initial block.
func (s *legacy) encrypt(data []byte) []byte {
	out, err := suite.TDES.Encrypt(s.enc, make([]byte, desSize), suite.Pad(data, desSize))
	if err != nil {
		panic("gp: " + err.Error())
	}
	return out
}

// challenge is the card's in the variant i=55 (appendix E.4.2.3).
func (s *legacy) challenge(aid []byte) []byte {
	code, _ := suite.RetailMAC(s.mac, aid)
	return code[:sixOctets]
}

// code moves on over a command whose data are in the clear and without code, and returns
// its C-MAC (appendix E.4.4, E.4.5). Its initial block is the last code encrypted.
func (s *legacy) code(c apdu.Command) []byte {
	first, last := desBlock(s.mac[:desSize]), desBlock(s.mac[desSize:])
	mac := bytes.Clone(s.icv)
	for p := suite.Pad(append(header(c, len(c.Data)+desSize), c.Data...), desSize); len(p) > 0; p = p[desSize:] {
		subtle.XORBytes(mac, mac, p[:desSize])
		first.Encrypt(mac, mac)
	}
	last.Decrypt(mac, mac)
	first.Encrypt(mac, mac)
	first.Encrypt(s.icv, mac)
	return mac
}

func desBlock(key []byte) cipher.Block {
	b, err := des.NewCipher(key)
	if err != nil {
		panic("gp: DES key of unchecked length")
	}
	return b
}

// wrap protects a command.
func (s *legacy) wrap(c apdu.Command, encrypt bool) apdu.Command {
	c.CLA |= protected
	mac := s.code(c)
	if encrypt && len(c.Data) > 0 {
		c.Data = s.encrypt(c.Data)
	}
	c.Data = append(bytes.Clone(c.Data), mac...)
	return c
}

// open is wrap at the chip's end.
func (s *legacy) open(c apdu.Command, encrypted bool) (apdu.Command, bool) {
	n := len(c.Data) - desSize
	if n < 0 || c.CLA&protected == 0 {
		return c, false
	}
	got := c.Data[n:]
	c.Data = c.Data[:n:n]
	if encrypted && n > 0 {
		plain, err := suite.TDES.Decrypt(s.enc, make([]byte, desSize), c.Data)
		if err == nil {
			plain, err = suite.Unpad(plain, desSize)
		}
		if err != nil {
			return c, false
		}
		c.Data = plain
	}
	return c, subtle.ConstantTimeCompare(s.code(c), got) == 1
}

func (s *legacy) destroy() {
	for _, b := range [][]byte{s.enc, s.mac, s.dek, s.host, s.card, s.icv} {
		clear(b)
	}
}

// initializeLegacy is Initialize in SCP02.
func (h *Chip) initializeLegacy(k Keys, host []byte) apdu.Response {
	if len(k.Enc) != legacyKey {
		return apdu.Response{Status: apdu.ReferenceNotFound}
	}
	n, ok := h.o.Sequence()
	if !ok || n > 0xFFFF {
		return apdu.Response{Status: apdu.ConditionsNotSatisfied}
	}
	card := random(sixOctets)
	if h.o.Legacy == SCP02PseudoRandom {
		s := newLegacy(k, uint16(n), host, card)
		card = s.challenge(h.o.AID)
		s.destroy()
	}
	h.keys, h.legacy = k.Clone(), newLegacy(k, uint16(n), host, card)
	out := append(h.o.KDD[:len(h.o.KDD):len(h.o.KDD)], k.Version, protocol02, byte(n>>8), byte(n))
	return apdu.Response{Data: append(append(out, card...), h.legacy.card...), Status: apdu.OK}
}

// authenticateLegacy is Authenticate in SCP02.
func (h *Chip) authenticateLegacy(c apdu.Command) apdu.Response {
	l := Level(c.P1)
	if c.CLA != claSecure || c.P2 != 0 || len(c.Data) != 2*desSize || l != NoSecurity && l != CMAC && l != CMACEnc {
		h.Close()
		return apdu.Response{Status: apdu.WrongP1P2}
	}
	plain, ok := h.legacy.open(c, false)
	if !ok || subtle.ConstantTimeCompare(plain.Data, h.legacy.host) != 1 {
		h.Close()
		return apdu.Response{Status: apdu.AuthenticationFailed}
	}
	h.level, h.open = l, true
	return apdu.Response{Status: apdu.OK}
}

// Key data of PUT KEY for 3DES (Card Specification §11.8.2.3): the key encrypted under the
// session's DEK, block by block, and its check value, the head of the encryption of zeros.

func desKeyBlock(dek, key []byte) []byte {
	b := append([]byte{keyTypeDES, legacyKey}, blockwise(dek, key, cipher.Block.Encrypt)...)
	kcv := desCheckValue(key)
	return append(append(b, byte(len(kcv))), kcv[:]...)
}

func parseDESKeyBlock(dek, b []byte) (key, rest []byte, ok bool) {
	const size = 2 + legacyKey + 1 + 3
	if len(b) < size || b[0] != keyTypeDES || b[1] != legacyKey || b[2+legacyKey] != 3 {
		return nil, nil, false
	}
	key = blockwise(dek, b[2:2+legacyKey], cipher.Block.Decrypt)
	kcv := desCheckValue(key)
	return key, b[size:], subtle.ConstantTimeCompare(kcv[:], b[size-3:size]) == 1
}

func blockwise(key, data []byte, f func(cipher.Block, []byte, []byte)) []byte {
	b := tripleDES(key)
	out := make([]byte, len(data))
	for n := 0; n < len(data); n += desSize {
		f(b, out[n:], data[n:n+desSize])
	}
	return out
}

func desCheckValue(key []byte) [3]byte {
	block := make([]byte, desSize)
	tripleDES(key).Encrypt(block, block)
	return [3]byte(block)
}

func tripleDES(key []byte) cipher.Block {
	b, err := suite.TDES.Block(key)
	if err != nil {
		panic("gp: 3DES key of unchecked length")
	}
	return b
}
