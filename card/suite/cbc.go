package suite

import (
	"crypto/cipher"
	"crypto/subtle"
	"fmt"
)

// Pad returns a copy of data with the padding of ISO/IEC 9797-1 method 2: the octet 80
// and as few zeros as fill whole blocks.
func Pad(data []byte, blockSize int) []byte {
	n := (len(data)/blockSize + 1) * blockSize
	p := make([]byte, n)
	copy(p, data)
	p[len(data)] = 0x80
	return p
}

// Unpad returns the part of data before the padding of method 2. Data that don't fill
// whole blocks, or whose last block holds no padding, are ErrPadding. Its running time
// doesn't depend on where the padding begins.
func Unpad(data []byte, blockSize int) ([]byte, error) {
	if len(data) == 0 || len(data)%blockSize != 0 {
		return nil, ErrPadding
	}
	at, found, good := 0, 0, 1
	for i := len(data) - 1; i >= len(data)-blockSize; i-- {
		marker := subtle.ConstantTimeByteEq(data[i], 0x80) &^ found
		zero := subtle.ConstantTimeByteEq(data[i], 0)
		at = subtle.ConstantTimeSelect(marker, i, at)
		good &= found | marker | zero
		found |= marker
	}
	if good&found != 1 {
		return nil, ErrPadding
	}
	return data[:at:at], nil
}

// Encrypt returns data in CBC mode under a key of KeySize octets. The initial block has
// BlockSize octets; nil stands for zeros. Data must fill whole blocks.
func (c Cipher) Encrypt(key, iv, data []byte) ([]byte, error) {
	return c.cbc(key, iv, data, cipher.NewCBCEncrypter)
}

// Decrypt is the inverse of Encrypt.
func (c Cipher) Decrypt(key, iv, data []byte) ([]byte, error) {
	return c.cbc(key, iv, data, cipher.NewCBCDecrypter)
}

func (c Cipher) cbc(key, iv, data []byte, mode func(cipher.Block, []byte) cipher.BlockMode) ([]byte, error) {
	b, err := c.Block(key)
	if err != nil {
		return nil, err
	}
	if iv == nil {
		iv = make([]byte, b.BlockSize())
	}
	if len(iv) != b.BlockSize() || len(data)%b.BlockSize() != 0 {
		return nil, fmt.Errorf("%d octets after an initial block of %d for %v", len(data), len(iv), c)
	}
	out := make([]byte, len(data))
	mode(b, iv).CryptBlocks(out, data)
	return out, nil
}
