package gp

import (
	"crypto/aes"
	"crypto/cipher"

	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/suite"
)

// KeyDGI is a private key for STORE DATA, encrypted under the DEK of the channel's key set
// beyond the channel's own encryption: the reference, and the padded scalar in CBC with a
// zero initial block (Amendment D §6.2.8). It is ErrUnsupported in SCP02.
func (h *Channel) KeyDGI(r KeyRef, scalar []byte) (DGI, error) {
	if h.legacy != nil || h.closed {
		return DGI{}, ErrUnsupported
	}
	b := suite.Pad(scalar, aes.BlockSize)
	cipher.NewCBCEncrypter(newAES(h.dek), make([]byte, aes.BlockSize)).CryptBlocks(b, b)
	return DGI{Tag: DGIKey, Value: append(r.crt(), tlv.Encode(tagOctets, b)...)}, nil
}

// ParseKeyDGI reads the value of DGIKey at the chip's end, within the channel that brought
// it. The caller wipes the scalar.
func (h *Chip) ParseKeyDGI(value []byte) (r KeyRef, scalar []byte, ok bool) {
	s := tlv.String(value)
	var tag tlv.Tag
	var crt, b tlv.String
	if !h.open || h.legacy != nil || !s.Read(&tag, &crt) || !s.ReadTag(tagOctets, &b) || !s.Empty() ||
		len(b) == 0 || len(b)%aes.BlockSize != 0 {
		return KeyRef{}, nil, false
	}
	if r, ok = ParseKeyRef(tlv.Encode(tag, crt)); !ok {
		return KeyRef{}, nil, false
	}
	plain := make([]byte, len(b))
	cipher.NewCBCDecrypter(newAES(h.keys.DEK), make([]byte, aes.BlockSize)).CryptBlocks(plain, b)
	scalar, err := suite.Unpad(plain, aes.BlockSize)
	return r, scalar, err == nil
}
