package gp

import (
	"crypto/cipher"

	"github.com/tamthe/tamthe/card/suite"
)

// Derivation constants of Amendment D table 4-1.
const (
	derivCardCryptogram = 0x00
	derivHostCryptogram = 0x01
	derivCardChallenge  = 0x02
	derivEnc            = 0x04
	derivMAC            = 0x06
	derivRMAC           = 0x07
)

// counterKDF fills n octets by SP 800-108 in counter mode over AES-CMAC; the counter of
// one octet stands between before and after.
func counterKDF(b cipher.Block, before, after []byte, n int) []byte {
	out := make([]byte, 0, (n+15)/16*16)
	for i := byte(1); len(out) < n; i++ {
		out = append(out, suite.CMAC(b, counted(before, i, after))...)
	}
	clear(out[n:])
	return out[:n:n]
}

func counted(before []byte, i byte, after []byte) []byte {
	return append(append(append([]byte(nil), before...), i), after...)
}

// derive is the data derivation of Amendment D §4.1.5: n octets for a purpose.
func derive(key []byte, constant byte, n int, context ...[]byte) []byte {
	before := make([]byte, 15)
	before[11] = constant
	before[13], before[14] = byte(n*8>>8), byte(n*8)
	var after []byte
	for _, c := range context {
		after = append(after, c...)
	}
	return counterKDF(newAES(key), before, after, n)
}

// session are the keys of one channel and the two challenges' cryptograms.
type session struct {
	enc, mac, rmac []byte
	host, card     []byte // cryptograms
	size           int    // of challenges, cryptograms and codes: 8, or 16 in S16 mode
}

func newSession(k Keys, hostChallenge, cardChallenge []byte) *session {
	n := len(k.MAC)
	s := &session{
		size: len(hostChallenge),
		enc:  derive(k.Enc, derivEnc, n, hostChallenge, cardChallenge),
		mac:  derive(k.MAC, derivMAC, n, hostChallenge, cardChallenge),
		rmac: derive(k.MAC, derivRMAC, n, hostChallenge, cardChallenge),
	}
	s.host = derive(s.mac, derivHostCryptogram, s.size, hostChallenge, cardChallenge)
	s.card = derive(s.mac, derivCardCryptogram, s.size, hostChallenge, cardChallenge)
	return s
}

func (s *session) destroy() {
	clear(s.enc)
	clear(s.mac)
	clear(s.rmac)
	clear(s.host)
	clear(s.card)
}

// pseudoRandom is the card's challenge of some size as a function of its key, its counter
// and the application that answers (Amendment D §6.2.2.1).
func pseudoRandom(k Keys, sequence uint32, aid []byte, size int) []byte {
	seq := []byte{byte(sequence >> 16), byte(sequence >> 8), byte(sequence)}
	return derive(k.Enc, derivCardChallenge, size, seq, aid)
}
