package keystore

import (
	"context"
	"crypto"
	"crypto/ed25519"
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

// inRing begins the first line of a log's key file whose private half is in a ring.
const inRing = "ring:"

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

// GenerateLogIn makes the key of a log in a ring, under the name, and writes to a new file
// of mode 0600 where it is. Errors wrap ErrExists, and ErrAlgorithm where the ring makes no
// Ed25519 keys.
func GenerateLogIn(ctx context.Context, ring Ring, name, path, origin string) (*LogKey, error) {
	signer, err := ring.Generate(ctx, name, Ed25519)
	if err != nil {
		return nil, fmt.Errorf("generate log key: %w", err)
	}
	key, err := logKeyOf(signer, origin)
	if err != nil {
		return nil, fmt.Errorf("generate log key for %q: %w", origin, err)
	}
	if err := write(path, []byte(inRing+name+"\n"+key.Verifier+"\n")); err != nil {
		return nil, fmt.Errorf("write log key %s: %w", path, err)
	}
	return key, nil
}

// OpenLog reads a key that GenerateLog wrote. Errors wrap ErrMissing, ErrPermissions or
// ErrFormat.
func OpenLog(path string) (*LogKey, error) { return OpenLogIn(context.Background(), path, nil) }

// OpenLogIn reads a key that GenerateLog wrote, or GenerateLogIn, whose private half then
// is taken from the ring. Errors are also the ring's.
func OpenLogIn(ctx context.Context, path string, ring Ring) (*LogKey, error) {
	key, err := openLog(ctx, path, ring)
	if err != nil {
		return nil, fmt.Errorf("open log key %s: %w", path, err)
	}
	return key, nil
}

func openLog(ctx context.Context, path string, ring Ring) (*LogKey, error) {
	raw, err := read(path)
	if err != nil {
		return nil, err
	}
	defer clear(raw)
	lines := strings.Split(string(raw), "\n")
	if len(lines) != 3 || lines[2] != "" {
		return nil, fmt.Errorf("%w: want two lines", ErrFormat)
	}
	name, ok := strings.CutPrefix(lines[0], inRing)
	if !ok {
		return newLogKey(lines[0], lines[1])
	}
	v, err := note.NewVerifier(lines[1])
	if err != nil {
		return nil, fmt.Errorf("%w: the log's verifier", ErrFormat)
	}
	if ring == nil {
		return nil, fmt.Errorf("%w: the log's key is in a ring", ErrMissing)
	}
	signer, err := ring.Signer(ctx, name)
	if err != nil {
		return nil, err
	}
	key, err := logKeyOf(signer, v.Name())
	if err != nil {
		return nil, err
	}
	if key.Verifier != lines[1] {
		return nil, fmt.Errorf("%w: log key and its verifier differ", ErrFormat)
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

// held is a log's key that somebody else keeps; it is a note.Signer.
type held struct {
	crypto.Signer
	name string
	hash uint32
}

// logKeyOf makes a log's key of an Ed25519 signer.
func logKeyOf(signer crypto.Signer, origin string) (*LogKey, error) {
	public, ok := signer.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: a log's key is Ed25519, not %T", ErrAlgorithm, signer.Public())
	}
	verifier, err := note.NewEd25519VerifierKey(origin, public)
	if err != nil {
		return nil, err
	}
	v, err := note.NewVerifier(verifier)
	if err != nil {
		return nil, err
	}
	return &LogKey{&held{signer, v.Name(), v.KeyHash()}, verifier}, nil
}

// Name is the log's origin.
func (h *held) Name() string { return h.name }

// KeyHash is note's name of the key.
func (h *held) KeyHash() uint32 { return h.hash }

// Sign signs the text of a note.
func (h *held) Sign(msg []byte) ([]byte, error) {
	return h.Signer.Sign(nil, msg, crypto.Hash(0))
}
