package gp

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
)

// Key data of PUT KEY (Amendment D §7.2).
const (
	keyTypeAES   = 0x88
	firstKey     = 0x01 // key identifier of Enc; MAC and DEK follow
	multipleKeys = 0x80
)

// PutKeys replaces the card's key set of version replaces by k (Card Specification
// §11.8); replaces 0 adds k beside what is there. The keys go encrypted under the DEK of
// this channel's set, and the card's check values are compared. In SCP02 they are 3DES keys
// of 16 octets and go under the session's DEK. When no answer comes,
// the card holds either set. The channel itself goes on under its session keys.
func (h *Channel) PutKeys(ctx context.Context, replaces byte, k Keys) error {
	if h.closed {
		return ErrClosed
	}
	want, err := k.CheckValues()
	if err != nil || h.legacy != nil && len(k.Enc) != legacyKey {
		return ErrKeys
	}
	data := []byte{k.Version}
	for i, key := range [][]byte{k.Enc, k.MAC, k.DEK} {
		if h.legacy != nil {
			want[i] = desCheckValue(key)
			data = append(data, desKeyBlock(h.legacy.dek, key)...)
			continue
		}
		data = append(data, keyBlock(h.dek, key, want[i])...)
	}
	c := apdu.Command{
		CLA: claPlain, INS: insPutKey, P1: replaces, P2: multipleKeys | firstKey,
		Data: data, Le: apdu.MaxShortLe,
	}
	answer, err := h.expect(ctx, c, putKeyAnswer(k.Version, want))
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(answer, putKeyAnswer(k.Version, want)) != 1 {
		return fmt.Errorf("%s: check values: %w", c.Name(), ErrAnswer)
	}
	return nil
}

// keyBlock is one key: type, length, length of the key, its ciphertext, and the check
// value with its length. A key of 24 octets is filled up to whole blocks with random ones.
func keyBlock(dek, key []byte, kcv [3]byte) []byte {
	padded := make([]byte, (len(key)+aes.BlockSize-1)/aes.BlockSize*aes.BlockSize)
	rand.Read(padded[copy(padded, key):])
	cipher.NewCBCEncrypter(newAES(dek), make([]byte, aes.BlockSize)).CryptBlocks(padded, padded)
	b := append([]byte{keyTypeAES, byte(1 + len(padded)), byte(len(key))}, padded...)
	return append(append(b, byte(len(kcv))), kcv[:]...)
}

func putKeyAnswer(version byte, kcv [3][3]byte) []byte {
	b := []byte{version}
	for _, v := range kcv {
		b = append(b, v[:]...)
	}
	return b
}

// PutKeys reads a PUT KEY command that Open returned: the version to be replaced, the new
// set, and the answer's data for the case that the set is stored. It is ErrClosed
// without a channel, and ErrAnswer for anything but three AES keys of one length with
// right check values.
func (h *Chip) PutKeys(c apdu.Command) (replaces byte, k Keys, answer []byte, err error) {
	if !h.open {
		return 0, Keys{}, nil, ErrClosed
	}
	if c.P2 != multipleKeys|firstKey || len(c.Data) == 0 {
		return 0, Keys{}, nil, ErrAnswer
	}
	k.Version = c.Data[0]
	rest, ok := c.Data[1:], k.Version > 0 && k.Version < 0x80
	for _, key := range []*[]byte{&k.Enc, &k.MAC, &k.DEK} {
		switch {
		case ok && h.legacy != nil:
			*key, rest, ok = parseDESKeyBlock(h.legacy.dek, rest)
		case ok:
			*key, rest, ok = parseKeyBlock(h.keys.DEK, rest)
		}
	}
	kcv, err := k.CheckValues()
	if err == nil && h.legacy != nil {
		kcv = [3][3]byte{desCheckValue(k.Enc), desCheckValue(k.MAC), desCheckValue(k.DEK)}
	}
	if !ok || err != nil || len(rest) > 0 {
		k.Destroy()
		return 0, Keys{}, nil, ErrAnswer
	}
	return c.P1, k, putKeyAnswer(k.Version, kcv), nil
}

func parseKeyBlock(dek, b []byte) (key, rest []byte, ok bool) {
	if len(b) < 3 || b[0] != keyTypeAES {
		return nil, nil, false
	}
	n, size := int(b[1])-1, int(b[2])
	switch size {
	case 16, 24, 32:
	default:
		return nil, nil, false
	}
	if n != (size+aes.BlockSize-1)/aes.BlockSize*aes.BlockSize || len(b) < 3+n+4 || b[3+n] != 3 {
		return nil, nil, false
	}
	key = make([]byte, n)
	cipher.NewCBCDecrypter(newAES(dek), make([]byte, aes.BlockSize)).CryptBlocks(key, b[3:3+n])
	key = key[:size]
	kcv := checkValue(key)
	if subtle.ConstantTimeCompare(kcv[:], b[4+n:7+n]) != 1 {
		return nil, nil, false
	}
	return key, b[7+n:], true
}
