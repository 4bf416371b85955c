package receipt

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Kinds of keys in a note (C2SP signed-note, "signature types").
const (
	kindEd25519     = 1
	kindCosignature = 4
)

// WitnessKey verifies the cosignatures of one witness (C2SP tlog-cosignature, Ed25519).
type WitnessKey struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

// ParseWitnessKey reads a witness's verifier key, NAME+HASH+KEY with a key of type 4.
// Errors wrap ErrFormat.
func ParseWitnessKey(vkey string) (*WitnessKey, error) {
	name, rest, _ := strings.Cut(vkey, "+")
	hash, encoded, _ := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != kindCosignature {
		return nil, fmt.Errorf("%w: not the key of a witness (type 4, Ed25519)", ErrFormat)
	}
	w, err := newWitnessKey(name, raw[1:])
	if err != nil || hash != fmt.Sprintf("%08x", w.hash) {
		return nil, fmt.Errorf("%w: the witness's key does not match its number", ErrFormat)
	}
	return w, nil
}

func newWitnessKey(name string, key ed25519.PublicKey) (*WitnessKey, error) {
	if !validName(name) {
		return nil, fmt.Errorf("%w: the name %.40q of a key", ErrFormat, name)
	}
	return &WitnessKey{name, keyHash(name, kindCosignature, key), bytes.Clone(key)}, nil
}

// ParseLogKey reads a log's verifier key, NAME+HASH+KEY with an Ed25519 key of type 1.
// Errors wrap ErrFormat.
func ParseLogKey(vkey string) (note.Verifier, error) {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("%w: not the key of a log: %w", ErrFormat, err)
	}
	return v, nil
}

// validName holds a key's name to what a note may carry.
func validName(name string) bool {
	return name != "" && len(name) <= maxName && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == '+' || r > '~' })
}

func keyHash(name string, kind byte, key []byte) uint32 {
	h := sha256.New()
	h.Write([]byte(name + "\n"))
	h.Write([]byte{kind})
	h.Write(key)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

// Name implements [note.Verifier].
func (w *WitnessKey) Name() string { return w.name }

// KeyHash implements [note.Verifier].
func (w *WitnessKey) KeyHash() uint32 { return w.hash }

// Verify implements [note.Verifier].
func (w *WitnessKey) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(sig)
	return at < 1<<63 && ed25519.Verify(w.key, cosignedText(text, at), sig[8:])
}

// String is the verifier key that ParseWitnessKey reads.
func (w *WitnessKey) String() string { return vkey(w.name, w.hash, kindCosignature, w.key) }

func vkey(name string, hash uint32, kind byte, key []byte) string {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], hash)
	return name + "+" + hex.EncodeToString(b[:]) + "+" + base64.StdEncoding.EncodeToString(append([]byte{kind}, key...))
}

func cosignedText(text []byte, at uint64) []byte {
	return append(fmt.Appendf(nil, "cosignature/v1\ntime %d\n", at), text...)
}

// cosignedAt reads the time of a cosignature that verified.
func cosignedAt(s note.Signature) (time.Time, bool) {
	raw, err := base64.StdEncoding.DecodeString(s.Base64)
	if err != nil || len(raw) != 4+8+ed25519.SignatureSize {
		return time.Time{}, false
	}
	return time.Unix(int64(binary.BigEndian.Uint64(raw[4:])), 0).UTC(), true
}

// Cosigner signs checkpoints as a witness.
type Cosigner struct {
	*WitnessKey
	key crypto.Signer
}

// NewCosigner makes a witness of an Ed25519 key, which may lie in a token. The name
// should be an address without its scheme, such as example.com/witness.
func NewCosigner(name string, key crypto.Signer) (*Cosigner, error) {
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: a witness's key is an Ed25519 key, not %T", ErrFormat, key.Public())
	}
	w, err := newWitnessKey(name, pub)
	if err != nil {
		return nil, err
	}
	return &Cosigner{w, key}, nil
}

// Cosign returns the line to be put under a checkpoint. Whoever calls it has verified
// the checkpoint and its consistency with all that the witness cosigned before.
func (c *Cosigner) Cosign(body *Checkpoint, at time.Time) ([]byte, error) {
	seconds := uint64(max(at.Unix(), 1))
	n, err := readNote(body.Note)
	if err != nil {
		return nil, err
	}
	sig, err := c.key.Sign(nil, cosignedText([]byte(n.Text), seconds), crypto.Hash(0))
	if err != nil {
		return nil, fmt.Errorf("cosign %s: %w", body.Origin, err)
	}
	raw := binary.BigEndian.AppendUint32(nil, c.hash)
	raw = binary.BigEndian.AppendUint64(raw, seconds)
	return []byte(signatureLine(c.name, append(raw, sig...))), nil
}

// NewLogSigner makes a log's signer of an Ed25519 key, which may lie in a token, and
// returns it with its verifier key. The name is the log's origin.
func NewLogSigner(origin string, key crypto.Signer) (note.Signer, string, error) {
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok || !validName(origin) {
		return nil, "", fmt.Errorf("%w: a log named %.40q with a key of %T", ErrFormat, origin, key.Public())
	}
	s := &logSigner{origin, keyHash(origin, kindEd25519, pub), key}
	return s, vkey(origin, s.hash, kindEd25519, pub), nil
}

type logSigner struct {
	name string
	hash uint32
	key  crypto.Signer
}

func (s *logSigner) Name() string                     { return s.name }
func (s *logSigner) KeyHash() uint32                  { return s.hash }
func (s *logSigner) Sign(text []byte) ([]byte, error) { return s.key.Sign(nil, text, crypto.Hash(0)) }
