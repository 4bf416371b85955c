package suite

import (
	"crypto/cipher"
	"crypto/des"
	"crypto/subtle"
	"fmt"
)

// CMAC returns the code of message over any block cipher with blocks of 8 or 16 octets
// (NIST SP 800-38B), a whole block long. Who needs a shorter one cuts its tail.
func CMAC(b cipher.Block, message []byte) []byte {
	n := b.BlockSize()
	subkey := make([]byte, n)
	b.Encrypt(subkey, subkey)
	double(subkey)
	mac := make([]byte, n)
	for len(message) > n {
		subtle.XORBytes(mac, mac, message[:n])
		b.Encrypt(mac, mac)
		message = message[n:]
	}
	subtle.XORBytes(mac, mac, message)
	if len(message) < n {
		double(subkey)
		mac[len(message)] ^= 0x80
	}
	subtle.XORBytes(mac, mac, subkey)
	b.Encrypt(mac, mac)
	clear(subkey)
	return mac
}

// double multiplies by x in GF(2⁶⁴) or GF(2¹²⁸), without a branch on secret bits.
func double(b []byte) {
	const poly64, poly128 = 0x1B, 0x87
	poly := byte(poly128)
	if len(b) == 8 {
		poly = poly64
	}
	carry := byte(0)
	for i := len(b) - 1; i >= 0; i-- {
		b[i], carry = b[i]<<1|carry, b[i]>>7
	}
	b[len(b)-1] ^= poly & -carry
}

// RetailMAC returns the 8 octet code of message under a two-key 3DES key of 16 octets:
// ISO/IEC 9797-1 MAC algorithm 3 with DES, padding method 2 and a zero initial block
// (Doc 9303-11 §9.8.5). It pads message itself.
func RetailMAC(key, message []byte) ([]byte, error) {
	if len(key) != 16 {
		return nil, fmt.Errorf("retail MAC key of %d octets", len(key))
	}
	first, err := des.NewCipher(key[:8])
	if err != nil {
		return nil, err
	}
	second, err := des.NewCipher(key[8:])
	if err != nil {
		return nil, err
	}
	mac := make([]byte, des.BlockSize)
	for p := Pad(message, des.BlockSize); len(p) > 0; p = p[des.BlockSize:] {
		subtle.XORBytes(mac, mac, p[:des.BlockSize])
		first.Encrypt(mac, mac)
	}
	second.Decrypt(mac, mac)
	first.Encrypt(mac, mac)
	return mac, nil
}
