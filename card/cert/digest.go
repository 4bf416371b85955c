package cert

import (
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
)

// maxDigest is the length of the longest digest, that of SHA-512.
const maxDigest = 64

// AppendDigest appends the digest of a message to dst, and nothing for a hash that is not
// among those of Doc 9303-12 §4.1.6. It makes no garbage where dst has room.
func AppendDigest(dst []byte, h crypto.Hash, message []byte) []byte {
	switch h {
	case crypto.SHA1:
		d := sha1.Sum(message)
		return append(dst, d[:]...)
	case crypto.SHA224:
		d := sha256.Sum224(message)
		return append(dst, d[:]...)
	case crypto.SHA256:
		d := sha256.Sum256(message)
		return append(dst, d[:]...)
	case crypto.SHA384:
		d := sha512.Sum384(message)
		return append(dst, d[:]...)
	case crypto.SHA512:
		d := sha512.Sum512(message)
		return append(dst, d[:]...)
	}
	return dst
}
