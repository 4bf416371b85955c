package gp

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"io"

	"github.com/tamthe/tamthe/card/suite"
)

// Master is an issuer's card master key, which may lie in an HSM. Derive is the one
// operation that diversification wants of it: for KDF3 the AES-CMAC of the input, 16
// octets; for the rules of 3DES the encryption of the input's 16 octets, block by block.
type Master interface {
	Derive(ctx context.Context, input []byte) ([]byte, error)
}

// Rule says how a chip's own keys come from a master key and the chip's KDD.
type Rule byte

// The rules. All but KDF3 make 3DES keys of 16 octets, or AES-128 keys of the same octets.
const (
	// KDF3 is SP 800-108 with AES-CMAC: a counter of one octet, the label 00000001, 00000002
	// or 00000003 for Enc, MAC and DEK, a zero octet, and the KDD.
	KDF3 Rule = iota
	// EMV is that of EMV's Card Personalization Specification 1.1: octets 5 to 10 of the KDD.
	EMV
	// VISA2 takes octets 1, 2 and 5 to 8 of the KDD.
	VISA2
	// VISA takes octets 1 to 4, 9 and 10 of the KDD.
	VISA
)

// places are the octets of the KDD that the rules of 3DES take.
var places = map[Rule][6]int{
	EMV:   {4, 5, 6, 7, 8, 9},
	VISA2: {0, 1, 4, 5, 6, 7},
	VISA:  {0, 1, 2, 3, 8, 9},
}

// Keys derives a chip's key set of a version, with keys of size octets: 16, 24 or 32 by
// KDF3, 16 by the others; else it is ErrKeys. Errors of the master come back.
func (r Rule) Keys(ctx context.Context, m Master, kdd KDD, version byte, size int) (Keys, error) {
	k := Keys{Version: version, Enc: make([]byte, size), MAC: make([]byte, size), DEK: make([]byte, size)}
	_, known := places[r]
	if k.Check() != nil || r != KDF3 && (!known || size != 16) {
		return Keys{}, fmt.Errorf("diversify: keys of %d octets: %w", size, ErrKeys)
	}
	for i, key := range [][]byte{k.Enc, k.MAC, k.DEK} {
		for done := 0; done < size; {
			block, err := m.Derive(ctx, r.input(kdd, byte(i+1), byte(done/aes.BlockSize+1)))
			if err == nil && len(block) != aes.BlockSize {
				err = fmt.Errorf("%d octets from the master key: %w", len(block), ErrKeys)
			}
			if err != nil {
				k.Destroy()
				return Keys{}, fmt.Errorf("diversify: %w", err)
			}
			done += copy(key[done:], block)
			clear(block)
		}
	}
	return k, nil
}

// input is what the master key works on for a block of the key with a number.
func (r Rule) input(kdd KDD, number, block byte) []byte {
	if r == KDF3 {
		return counted(nil, block, append([]byte{0, 0, 0, number, 0}, kdd[:]...))
	}
	out := make([]byte, 0, 16)
	for _, half := range []byte{0xF0, 0x0F} {
		for _, n := range places[r] {
			out = append(out, kdd[n])
		}
		out = append(out, half, number)
	}
	return out
}

// AESMaster is a master key for KDF3 that lies in memory: 16, 24 or 32 octets, which are
// not copied.
type AESMaster []byte

// Derive is the AES-CMAC of input.
func (m AESMaster) Derive(_ context.Context, input []byte) ([]byte, error) {
	if (Keys{Enc: m, MAC: m, DEK: m}).Check() != nil {
		return nil, fmt.Errorf("master key of %d octets: %w", len(m), ErrKeys)
	}
	return suite.CMAC(newAES(m), input), nil
}

// DESMaster is a master key for the other rules that lies in memory: 16 octets, which are
// not copied.
type DESMaster []byte

// Derive is the encryption of whole blocks with 3DES.
func (m DESMaster) Derive(_ context.Context, input []byte) ([]byte, error) {
	if len(m) != legacyKey || len(input)%desSize != 0 {
		return nil, fmt.Errorf("master key of %d octets: %w", len(m), ErrKeys)
	}
	return blockwise(m, input, cipher.Block.Encrypt), nil
}

// Format prints no part of the key.
func (AESMaster) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "gp.AESMaster(redacted)") }

// Format prints no part of the key.
func (DESMaster) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "gp.DESMaster(redacted)") }

// Diversify is KDF3 with a master key in memory, for keys as long as that.
func Diversify(master []byte, kdd KDD, version byte) (Keys, error) {
	return KDF3.Keys(context.Background(), AESMaster(master), kdd, version, len(master))
}
