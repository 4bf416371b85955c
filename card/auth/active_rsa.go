package auth

import (
	"crypto"
	"crypto/rsa"
	_ "crypto/sha1" // old chips sign with it
	"crypto/subtle"
	"fmt"
	"math/big"

	"filippo.io/bigmod"
)

// The octets of ISO/IEC 9796-2 that frame a message of which a part is recovered.
const (
	frameHead    = 0x6A // partial recovery, no padding
	frameBefore  = 0x6B // as above, padding of BB and BA follows
	framePadding = 0xBB
	frameEnd     = 0xBA
	trailerSHA1  = 0xBC // one octet, the hash is agreed
	trailerHash  = 0xCC // the second of two octets, the first is the hash's number
)

// recoveryHashes are the hash functions by their number in ISO/IEC 10118-3.
var recoveryHashes = map[byte]crypto.Hash{
	0x33: crypto.SHA1, 0x38: crypto.SHA224, 0x34: crypto.SHA256, 0x36: crypto.SHA384, 0x35: crypto.SHA512,
}

// verifyRecovery checks a signature by ISO/IEC 9796-2 scheme 1 whose message is a part
// that is recovered, drawn by the chip, and then the challenge (Doc 9303-11 §6.1.2.2). It
// returns the hash that the trailer names.
func verifyRecovery(pub *rsa.PublicKey, challenge, sig []byte) (crypto.Hash, error) {
	size := pub.Size()
	s := new(big.Int).SetBytes(sig)
	if len(sig) != size || s.Cmp(pub.N) >= 0 {
		return 0, fmt.Errorf("%d octets for a key of %d: %w", len(sig), size, ErrSignature)
	}
	f := new(big.Int).Exp(s, big.NewInt(int64(pub.E)), pub.N)
	if f.Bit(0) != 0 || f.Bit(1) != 0 || f.Bit(2) != 1 || f.Bit(3) != 1 { // every trailer ends in C
		f.Sub(pub.N, f)
	}
	frame := f.FillBytes(make([]byte, size)) // leading zeros are part of it
	recovered, digest, h, err := openFrame(frame, pub.N.BitLen())
	if err != nil {
		return 0, err
	}
	if subtle.ConstantTimeCompare(digest, sum(h, append(recovered[:len(recovered):len(recovered)], challenge...))) != 1 {
		return 0, fmt.Errorf("the digest in the signature is another: %w", ErrSignature)
	}
	return h, nil
}

// openFrame takes the representative of a signature under a modulus of so many bits apart.
func openFrame(frame []byte, bits int) (recovered, digest []byte, h crypto.Hash, err error) {
	bad := func(what string) ([]byte, []byte, crypto.Hash, error) {
		return nil, nil, 0, fmt.Errorf("%s: %w", what, ErrSignature)
	}
	body := frame
	n := len(body)
	switch {
	case n >= 2 && body[n-1] == trailerSHA1:
		h, body = crypto.SHA1, body[:n-1]
	case n >= 2 && body[n-1] == trailerHash:
		known, ok := recoveryHashes[body[n-2]]
		if !ok {
			return bad(fmt.Sprintf("trailer %X", body[n-2:]))
		}
		h, body = known, body[:n-2]
	default:
		return bad("the signature has no trailer")
	}
	if body, err = afterPadding(body, bits); err != nil {
		return nil, nil, 0, err
	}
	if len(body) < h.Size() {
		return bad("the signature is too short for its hash")
	}
	at := len(body) - h.Size()
	return body[:at], body[at:], h, nil
}

// afterPadding returns what follows the header 6 and the padding, nibbles B up to an A. A
// modulus of half an octet has the header in its lower half.
func afterPadding(body []byte, bits int) ([]byte, error) {
	refuse := fmt.Errorf("the frame of the signature begins wrong: %w", ErrSignature)
	switch {
	case len(body) == 0:
		return nil, refuse
	case bits%8 == 0 && body[0] == frameHead:
		return body[1:], nil
	case bits%8 == 0 && body[0] != frameBefore, bits%8 == 4 && body[0] != frameBefore>>4, bits%4 != 0:
		return nil, refuse
	}
	for i, b := range body[1:] {
		if b == frameEnd {
			return body[i+2:], nil
		}
		if b != framePadding {
			break
		}
	}
	return nil, refuse
}

// signRecovery is the chip's end: a signature over a drawn part that fills the frame and
// the challenge. The private exponent meets constant-time code only.
func signRecovery(key *rsa.PrivateKey, h crypto.Hash, challenge []byte) ([]byte, error) {
	size := key.Size()
	trailer := []byte{trailerSHA1}
	if h != crypto.SHA1 {
		trailer = nil
		for number, known := range recoveryHashes {
			if known == h {
				trailer = []byte{number, trailerHash}
			}
		}
	}
	room := size - 1 - h.Size() - len(trailer)
	if trailer == nil || room < 1 || key.N.BitLen()%8 != 0 {
		return nil, fmt.Errorf("RSA %d with %v: %w", key.N.BitLen(), h, ErrUnsupported)
	}
	part := draw(nil, room)
	frame := append([]byte{frameHead}, part...)
	frame = append(frame, sum(h, append(part, challenge...))...)
	frame = append(frame, trailer...)
	n, err := bigmod.NewModulus(key.N.Bytes())
	if err != nil {
		return nil, err
	}
	f, err := bigmod.NewNat().SetBytes(frame, n)
	if err != nil {
		return nil, err
	}
	return bigmod.NewNat().Exp(f, key.D.Bytes(), n).Bytes(n), nil
}
