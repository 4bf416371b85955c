// Package suite holds the symmetric cryptography of chip documents: the 3DES and AES
// suites with their key derivation, padding, encryption and message authentication
// codes (Doc 9303-11 §9.7 and §9.8, BSI TR-03110-3 Annex E and F).
//
// Keys and plain text are the caller's to keep and to wipe: nothing here holds on to
// a slice.
package suite

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/hmac"
	"errors"
	"fmt"
)

// ErrPadding reports data that don't end in the padding of ISO/IEC 9797-1 method 2, or
// don't fill whole blocks.
var ErrPadding = errors.New("padding is wrong")

// Cipher is a suite: a block cipher in CBC mode for secrecy, and a message
// authentication code over the same cipher. The zero value is no suite.
type Cipher uint8

// The suites of Doc 9303-11 and TR-03110-3.
const (
	TDES   Cipher = iota + 1 // two-key 3DES, retail MAC
	AES128                   // AES and CMAC, as the two below
	AES192
	AES256
)

// MACSize is the length in octets of every suite's MAC.
const MACSize = 8

// String returns the suite's name in the standards, such as "AES-CBC-CMAC-128".
func (c Cipher) String() string {
	switch c {
	case TDES:
		return "3DES-CBC-CBC"
	case AES128:
		return "AES-CBC-CMAC-128"
	case AES192:
		return "AES-CBC-CMAC-192"
	case AES256:
		return "AES-CBC-CMAC-256"
	}
	return fmt.Sprintf("Cipher(%d)", uint8(c))
}

// Valid reports whether c is one of the four suites. All other methods but String take
// that for granted.
func (c Cipher) Valid() bool { return c >= TDES && c <= AES256 }

// KeySize returns the octets of each of the suite's keys: 16, 16, 24 or 32.
func (c Cipher) KeySize() int {
	switch c {
	case AES192:
		return 24
	case AES256:
		return 32
	}
	return 16
}

// BlockSize returns the octets of a block: 8 for 3DES, 16 for AES.
func (c Cipher) BlockSize() int {
	if c == TDES {
		return des.BlockSize
	}
	return aes.BlockSize
}

// Block returns the block cipher under a key of KeySize octets.
func (c Cipher) Block(key []byte) (cipher.Block, error) {
	if !c.Valid() || len(key) != c.KeySize() {
		return nil, fmt.Errorf("key of %d octets for %v", len(key), c)
	}
	if c == TDES {
		three := append(append(make([]byte, 0, 24), key...), key[:8]...)
		defer clear(three)
		return des.NewTripleDESCipher(three)
	}
	return aes.NewCipher(key)
}

// MAC returns the 8 octet code of message under the suite: the retail MAC with padding
// for 3DES, otherwise CMAC cut to its first 8 octets (Doc 9303-11 §9.8.5). The key has
// KeySize octets.
func (c Cipher) MAC(key, message []byte) ([]byte, error) {
	if c == TDES {
		return RetailMAC(key, message)
	}
	b, err := c.Block(key)
	if err != nil {
		return nil, err
	}
	return CMAC(b, message)[:MACSize], nil
}

// Verify reports in constant time whether mac is the whole code of message. A code of
// another length than MACSize is wrong.
func (c Cipher) Verify(key, message, mac []byte) bool {
	want, err := c.MAC(key, message)
	return err == nil && len(mac) == MACSize && hmac.Equal(want, mac)
}
