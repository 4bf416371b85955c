package outbox

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// A draft's file is a head of four lines, the length of the wrapped key in two octets, that
// key, and the content under it (AES-256-GCM with a random nonce in front, the head as
// additional data).
const (
	magic      = "tamthe draft v1"
	timeForm   = "2006-01-02T15:04:05.000000Z"
	keySize    = 32
	maxName    = 64
	maxHead    = 256
	maxWrapped = 1 << 10
	overhead   = 12 + 16 // nonce and tag
	maxFile    = maxHead + 2 + maxWrapped + MaxContent + overhead
)

// file is a draft as it lies on the disk.
type file struct {
	Head
	head    []byte // as it stands there
	wrapped []byte
	sealed  []byte
}

// text is the one form of a head.
func (h Head) text() []byte {
	return fmt.Appendf(nil, "%s\n%s\n%s\n%x\n", magic, h.Name, h.Taken.UTC().Format(timeForm), h.Operator)
}

// label binds a wrapped key to its draft.
func (h Head) label() []byte { return []byte("tamthe draft v1 key\x00" + h.Name) }

// validName: a letter or digit, then letters, digits and hyphens. No path is one.
func validName(s string) bool {
	if s == "" || len(s) > maxName || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' {
			return false
		}
	}
	return true
}

// seal makes the file of a draft.
func seal(ctx context.Context, w Wrapper, h Head, content []byte) ([]byte, error) {
	if !validName(h.Name) || len(content) > MaxContent {
		return nil, ErrFormat
	}
	key := make([]byte, keySize)
	defer clear(key)
	rand.Read(key)
	wrapped, err := w.Wrap(ctx, key, h.label())
	if err != nil {
		return nil, err
	}
	if len(wrapped) == 0 || len(wrapped) > maxWrapped {
		return nil, ErrFormat
	}
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	out := h.text()
	head := bytes.Clone(out)
	out = binary.BigEndian.AppendUint16(out, uint16(len(wrapped)))
	return aead.Seal(append(out, wrapped...), nil, content, head), nil
}

// open unseals the content.
func (f file) open(ctx context.Context, w Wrapper) ([]byte, error) {
	key, err := w.Unwrap(ctx, f.wrapped, f.label())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSealed, err)
	}
	defer clear(key)
	aead, err := newAEAD(key)
	if err != nil {
		return nil, ErrSealed
	}
	content, err := aead.Open(nil, nil, f.sealed, f.head)
	if err != nil {
		return nil, ErrSealed
	}
	return content, nil
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// parseFile takes a draft's file apart. The error is ErrFormat.
func parseFile(raw []byte) (file, error) {
	if len(raw) > maxFile {
		return file{}, ErrFormat
	}
	h, size, ok := parseHead(raw)
	if !ok || len(raw) < size+2 {
		return file{}, ErrFormat
	}
	rest := raw[size+2:]
	n := int(binary.BigEndian.Uint16(raw[size:]))
	if n == 0 || n > maxWrapped || len(rest) < n+overhead {
		return file{}, ErrFormat
	}
	return file{Head: h, head: raw[:size], wrapped: rest[:n], sealed: rest[n:]}, nil
}

// parseHead reads a head in its one form, and how long it is.
func parseHead(raw []byte) (h Head, size int, ok bool) {
	lines := strings.SplitN(string(raw[:min(len(raw), maxHead)]), "\n", 5)
	if len(lines) != 5 {
		return Head{}, 0, false
	}
	h.Name = lines[1]
	at, err := time.Parse(timeForm, lines[2])
	if err != nil || !validName(h.Name) {
		return Head{}, 0, false
	}
	h.Taken = at
	if n, err := hex.Decode(h.Operator[:], []byte(lines[3][:min(len(lines[3]), 64)])); err != nil || n != len(h.Operator) {
		return Head{}, 0, false
	}
	text := h.text()
	return h, len(text), bytes.HasPrefix(raw, text)
}
