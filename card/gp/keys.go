package gp

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
)

// Keys is a static key set of a security domain: three AES keys of 16, 24 or 32 octets
// each. It is never printed, logged or marshalled. Who is given Keys owns the slices.
type Keys struct {
	Version       byte // the key version number, 01 to 7F
	Enc, MAC, DEK []byte
}

// TransportKeys returns the key set of version 30 that GlobalPlatform publishes for
// tests: each key is 40 41 42 … 4F. Chips leave some factories with it; no card may
// leave a desk with it.
func TransportKeys() Keys {
	k := make([]byte, 16)
	for i := range k {
		k[i] = 0x40 + byte(i)
	}
	return Keys{Version: 0x30, Enc: append([]byte(nil), k...), MAC: append([]byte(nil), k...), DEK: k}
}

// Check returns ErrKeys unless the three keys are AES keys of one length.
func (k Keys) Check() error {
	n := len(k.Enc)
	if (n != 16 && n != 24 && n != 32) || len(k.MAC) != n || len(k.DEK) != n {
		return ErrKeys
	}
	return nil
}

// Clone returns the set in slices of its own.
func (k Keys) Clone() Keys {
	return Keys{
		Version: k.Version,
		Enc:     append([]byte(nil), k.Enc...),
		MAC:     append([]byte(nil), k.MAC...),
		DEK:     append([]byte(nil), k.DEK...),
	}
}

// CheckValues are the key check values of Enc, MAC and DEK, 3 octets each, which may be
// published: the head of the encryption of a block of 01 (Amendment D §7.2).
func (k Keys) CheckValues() ([3][3]byte, error) {
	if err := k.Check(); err != nil {
		return [3][3]byte{}, err
	}
	return [3][3]byte{checkValue(k.Enc), checkValue(k.MAC), checkValue(k.DEK)}, nil
}

func checkValue(key []byte) [3]byte {
	block := make([]byte, aes.BlockSize)
	for i := range block {
		block[i] = 0x01
	}
	newAES(key).Encrypt(block, block)
	return [3]byte(block)
}

// Destroy wipes the keys. It may be called more than once.
func (k *Keys) Destroy() {
	clear(k.Enc)
	clear(k.MAC)
	clear(k.DEK)
	k.Enc, k.MAC, k.DEK = nil, nil, nil
}

const redacted = "gp.Keys(redacted)"

// String returns no part of the keys.
func (Keys) String() string { return redacted }

// GoString returns no part of the keys.
func (Keys) GoString() string { return redacted }

// Format is String for every verb.
func (Keys) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns no part of the keys.
func (Keys) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns no part of the keys.
func (Keys) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// String returns the data in upper-case hexadecimal digits.
func (d KDD) String() string { return hexUpper(d[:]) }

func hexUpper(b []byte) string {
	s := []byte(hex.EncodeToString(b))
	for i, c := range s {
		if c >= 'a' {
			s[i] = c - 'a' + 'A'
		}
	}
	return string(s)
}

// newAES is for keys whose length was checked where they came in.
func newAES(key []byte) cipher.Block {
	b, err := aes.NewCipher(key)
	if err != nil {
		panic("gp: AES key of unchecked length")
	}
	return b
}
