package suite

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

// The counters of the key derivation function (Doc 9303-11 §9.7.1).
const (
	CounterEnc  = 1 // K_Enc
	CounterMAC  = 2 // K_MAC
	CounterPACE = 3 // K_π
)

// KDF derives a key of c.KeySize octets from a shared secret: the leading octets of
// SHA-1(secret‖counter) for 3DES and AES-128, of SHA-256 for the longer keys. The parity
// bits of 3DES keys are set (Doc 9303-11 §9.7.1).
func KDF(secret []byte, counter uint32, c Cipher) []byte {
	in := binary.BigEndian.AppendUint32(append(make([]byte, 0, len(secret)+4), secret...), counter)
	defer clear(in)
	if c == AES192 || c == AES256 {
		h := sha256.Sum256(in)
		return h[:c.KeySize():c.KeySize()]
	}
	h := sha1.Sum(in)
	key := h[:c.KeySize():c.KeySize()]
	if c == TDES {
		setParity(key)
	}
	return key
}

// setParity makes every octet's number of ones odd, by its lowest bit.
func setParity(key []byte) {
	for i, b := range key {
		key[i] = b&^1 | byte(bits.OnesCount8(b&^1)+1)&1
	}
}
