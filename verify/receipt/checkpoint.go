package receipt

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is a statement of a log: so many leaves, and this root over them.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
	Note   []byte // the signed note that says so
}

// Text is the body that log and witnesses sign.
func (c *Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
}

// ParseCheckpoint reads a signed checkpoint and verifies nothing: it is for what has to
// be told before a key is known. Errors wrap ErrFormat.
func ParseCheckpoint(signed []byte) (*Checkpoint, error) {
	n, err := readNote(signed)
	if err != nil {
		return nil, err
	}
	c, err := parseText(n.Text)
	if err != nil {
		return nil, err
	}
	c.Note = append([]byte(nil), signed...)
	return c, nil
}

// readNote reads a signed note whose lines are in the one form that they can have: the
// base64 of a signature leaves bits that nobody signs.
func readNote(signed []byte) (*note.Note, error) {
	if len(signed) > MaxCheckpoint {
		return nil, fmt.Errorf("%w: a checkpoint of %d octets", ErrFormat, len(signed))
	}
	_, err := note.Open(signed, note.VerifierList())
	unverified, ok := errors.AsType[*note.UnverifiedNoteError](err)
	if !ok {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	n := unverified.Note
	if len(n.UnverifiedSigs) > MaxSignatures {
		return nil, fmt.Errorf("%w: %d signatures", ErrFormat, len(n.UnverifiedSigs))
	}
	var again strings.Builder
	again.WriteString(n.Text + "\n")
	for _, s := range n.UnverifiedSigs {
		raw, err := base64.StdEncoding.Strict().DecodeString(s.Base64)
		if err != nil || len(s.Name) > maxName || len(raw) > maxSignature {
			return nil, fmt.Errorf("%w: the signature of %q", ErrFormat, s.Name)
		}
		again.WriteString(signatureLine(s.Name, raw))
	}
	if again.String() != string(signed) {
		return nil, fmt.Errorf("%w: the note is not in its one form", ErrFormat)
	}
	return n, nil
}

const maxSignature = 5000 // octets of one, post-quantum ones included (C2SP signed-note)

// signatureLine is a note's line of a signature, which begins with the key's number.
func signatureLine(name string, raw []byte) string {
	return "— " + name + " " + base64.StdEncoding.EncodeToString(raw) + "\n"
}

func parseText(text string) (*Checkpoint, error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 3 {
		return nil, fmt.Errorf("%w: a checkpoint of %d lines", ErrFormat, len(lines))
	}
	size, err := ParseSize(lines[1])
	if err != nil {
		return nil, err
	}
	root, err := parseHash(lines[2])
	if err != nil {
		return nil, err
	}
	if slices.Contains(lines, "") {
		return nil, fmt.Errorf("%w: an empty line", ErrFormat)
	}
	if size == 0 && root != emptyRoot() {
		return nil, fmt.Errorf("%w: the root of an empty tree", ErrFormat)
	}
	return &Checkpoint{Origin: lines[0], Size: size, Root: root}, nil
}

func emptyRoot() tlog.Hash {
	root, _ := tlog.TreeHash(0, nil)
	return root
}

// ParseSize reads a size or index as logs write them: decimal, without sign and leading
// zeroes. Errors wrap ErrFormat.
func ParseSize(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != s {
		return 0, fmt.Errorf("%w: the number %.20q", ErrFormat, s)
	}
	return n, nil
}

func parseHash(s string) (tlog.Hash, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != tlog.HashSize || strings.ContainsAny(s, "\r\n") {
		return tlog.Hash{}, fmt.Errorf("%w: the hash %.48q", ErrFormat, s)
	}
	return tlog.Hash(b), nil
}
