package keystore

import (
	"crypto/rand"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// LogKey signs the checkpoints of a transparency log.
type LogKey struct {
	note.Signer
	Verifier string // what others need to check: NAME+HASH+KEY (golang.org/x/mod/sumdb/note)
}

// GenerateLog makes the key of a log and writes it to a new file of mode 0600. Origin
// is the log's name on its checkpoints, without spaces and plus signs. Errors wrap
// ErrExists.
func GenerateLog(path, origin string) (*LogKey, error) {
	private, verifier, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return nil, fmt.Errorf("generate log key: %w", err)
	}
	key, err := newLogKey(private, verifier)
	if err != nil {
		return nil, fmt.Errorf("generate log key for %q: %w", origin, err)
	}
	if err := write(path, []byte(private+"\n"+verifier+"\n")); err != nil {
		return nil, fmt.Errorf("write log key %s: %w", path, err)
	}
	return key, nil
}

// OpenLog reads a key that GenerateLog wrote. Errors wrap ErrMissing, ErrPermissions or
// ErrFormat.
func OpenLog(path string) (*LogKey, error) {
	raw, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("open log key %s: %w", path, err)
	}
	defer clear(raw)
	lines := strings.Split(string(raw), "\n")
	if len(lines) != 3 || lines[2] != "" {
		return nil, fmt.Errorf("open log key %s: %w: want two lines", path, ErrFormat)
	}
	key, err := newLogKey(lines[0], lines[1])
	if err != nil {
		return nil, fmt.Errorf("open log key %s: %w", path, err)
	}
	return key, nil
}

// newLogKey joins both halves and proves that they belong together. Errors of note are
// not passed on: they may quote the key.
func newLogKey(private, verifier string) (*LogKey, error) {
	signer, err := note.NewSigner(private)
	if err != nil {
		return nil, fmt.Errorf("%w: log key", ErrFormat)
	}
	v, err := note.NewVerifier(verifier)
	if err != nil || v.Name() != signer.Name() || v.KeyHash() != signer.KeyHash() {
		return nil, fmt.Errorf("%w: log key and its verifier differ", ErrFormat)
	}
	proof := []byte("tamthe log key\n")
	sig, err := signer.Sign(proof)
	if err != nil || !v.Verify(proof, sig) {
		return nil, fmt.Errorf("%w: log key and its verifier differ", ErrFormat)
	}
	return &LogKey{signer, verifier}, nil
}
