package receipt

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const binaryVersion = 1

// MarshalBinary returns the proof without its extra data in a form of two thirds of the
// octets, for chips. It holds all of the text: what ParseBinary makes of it has the same
// text octet for octet. Integers are unsigned and big-endian; a short text is one octet
// of length and that many octets.
//
//	1       version, 1
//	8       index of the leaf
//	1       number of hashes, at most 63; 32 octets each
//	2       octets of the checkpoint's body; the body, but for its root line
//	32      root
//	2       octets of extension lines; the lines
//	1       number of signatures, at most 16; for each:
//	  short name; empty if it is the origin
//	  2     octets of the signature; the signature, which begins with the key's number
func (p *Proof) MarshalBinary() ([]byte, error) {
	if err := p.wellFormed(); err != nil {
		return nil, err
	}
	n, err := readNote(p.Checkpoint)
	if err != nil {
		return nil, err
	}
	c, err := parseText(n.Text)
	if err != nil {
		return nil, err
	}
	b := []byte{binaryVersion}
	b = binary.BigEndian.AppendUint64(b, uint64(p.Index))
	b = append(b, byte(len(p.Hashes)))
	for _, h := range p.Hashes {
		b = append(b, h[:]...)
	}
	b = append16(b, c.Origin)
	b = binary.BigEndian.AppendUint64(b, uint64(c.Size))
	b = append(b, c.Root[:]...)
	b = append16(b, strings.TrimPrefix(n.Text, c.Text()))
	b = append(b, byte(len(n.UnverifiedSigs)))
	for _, s := range n.UnverifiedSigs {
		raw, err := base64.StdEncoding.DecodeString(s.Base64)
		if err != nil {
			return nil, fmt.Errorf("%w: the signature of %q", ErrFormat, s.Name)
		}
		name := s.Name
		if name == c.Origin {
			name = ""
		}
		b = append(append(b, byte(len(name))), name...)
		b = append16(b, string(raw))
	}
	return b, nil
}

func append16(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// ParseBinary reads what MarshalBinary wrote, and nothing else: any other octets are
// ErrFormat. It verifies nothing.
func ParseBinary(b []byte) (*Proof, error) {
	r := &octets{rest: b}
	if len(b) > MaxProof || r.uint(1) != binaryVersion {
		return nil, fmt.Errorf("%w: not a proof of version %d", ErrFormat, binaryVersion)
	}
	p := &Proof{Index: int64(r.uint(8))}
	n := r.uint(1)
	r.bad = r.bad || n > MaxHashes
	for range n {
		p.Hashes = append(p.Hashes, tlog.Hash(r.take(tlog.HashSize)))
		if r.bad {
			break
		}
	}
	c := Checkpoint{Origin: string(r.take(int(r.uint(2)))), Size: int64(r.uint(8)), Root: tlog.Hash(r.take(tlog.HashSize))}
	var text strings.Builder
	text.WriteString(c.Text())
	text.Write(r.take(int(r.uint(2))))
	text.WriteByte('\n')
	for range r.uint(1) {
		name := string(r.take(int(r.uint(1))))
		r.bad = r.bad || name == c.Origin
		if name == "" {
			name = c.Origin
		}
		text.WriteString(signatureLine(name, r.take(int(r.uint(2)))))
		if r.bad || text.Len() > MaxCheckpoint {
			break
		}
	}
	if r.bad || len(r.rest) > 0 {
		return nil, fmt.Errorf("%w: it ends too early or too late", ErrFormat)
	}
	p.Checkpoint = []byte(text.String())
	if err := p.wellFormed(); err != nil {
		return nil, err
	}
	return p, nil
}

// octets takes from the front; after the first octet that is missing it gives zeros.
type octets struct {
	rest []byte
	bad  bool
}

func (r *octets) take(n int) []byte {
	if r.bad || len(r.rest) < n {
		r.bad = true
		return make([]byte, min(n, 64))
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// uint reads an unsigned number of n octets.
func (r *octets) uint(n int) uint64 {
	var v uint64
	for _, o := range r.take(n) {
		v = v<<8 | uint64(o)
	}
	return v
}
