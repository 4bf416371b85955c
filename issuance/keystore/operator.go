package keystore

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

const pemOperator = "TAMTHE OPERATOR KEY"

// ErrNoPassphrase says that an operator's key was to be sealed with nothing.
var ErrNoPassphrase = errors.New("the passphrase is empty")

// argon holds the parameters of Argon2id; memory in KiB.
type argon struct {
	time, memory, threads uint64
}

// newArgon is what new files get: a tenth of a second on a desk computer.
var newArgon = argon{time: 3, memory: 64 << 10, threads: 2}

// within bounds what a file may make its reader do.
func (a argon) within() bool {
	return a.time >= 1 && a.time <= 16 && a.memory >= 8<<10 && a.memory <= 512<<10 && a.threads >= 1 && a.threads <= 16
}

func (a argon) key(passphrase, salt []byte) []byte {
	return argon2.IDKey(passphrase, salt, uint32(a.time), uint32(a.memory), uint8(a.threads), 32)
}

// Operator is an operator's unsealed Ed25519 key. It must not be copied; Destroy
// forgets it.
type Operator struct {
	private ed25519.PrivateKey
	public  ed25519.PublicKey
}

// Public is the operator's ed25519.PublicKey.
func (o *Operator) Public() crypto.PublicKey { return o.public }

// Sign signs a message itself, not its digest: opts must have no hash.
func (o *Operator) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if len(o.private) == 0 {
		return nil, errors.New("operator key was destroyed")
	}
	return o.private.Sign(nil, message, opts)
}

// Destroy forgets the private key. It may be called again.
func (o *Operator) Destroy() {
	clear(o.private)
	o.private = nil
}

// String names the key by its public half.
func (o *Operator) String() string { return "operator key " + hex.EncodeToString(o.public) }

// GoString is String.
func (o *Operator) GoString() string { return o.String() }

// Format is String for every verb.
func (o *Operator) Format(f fmt.State, _ rune) { io.WriteString(f, o.String()) }

// GenerateOperator makes an operator's key and writes it to a new file, sealed with
// AES-256-GCM under Argon2id of the passphrase. Errors wrap ErrNoPassphrase or ErrExists.
func GenerateOperator(path string, passphrase []byte) (*Operator, error) {
	if len(passphrase) == 0 {
		return nil, fmt.Errorf("generate operator key: %w", ErrNoPassphrase)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate operator key: %w", err)
	}
	salt := make([]byte, 16)
	rand.Read(salt)
	h := operatorHeaders(newArgon, salt, public)
	aead, err := newAEAD(newArgon, passphrase, salt)
	if err != nil {
		return nil, fmt.Errorf("generate operator key: %w", err)
	}
	seed := private.Seed()
	defer clear(seed)
	if err := writeBlock(path, pemOperator, h, aead.Seal(nil, nil, seed, bound(h))); err != nil {
		return nil, fmt.Errorf("write operator key %s: %w", path, err)
	}
	return &Operator{private, public}, nil
}

func operatorHeaders(a argon, salt, public []byte) map[string]string {
	return map[string]string{
		"Kdf":    fmt.Sprintf("argon2id t=%d m=%d p=%d", a.time, a.memory, a.threads),
		"Salt":   hex.EncodeToString(salt),
		"Public": hex.EncodeToString(public),
	}
}

// bound is what the seal covers beside the key.
func bound(h map[string]string) []byte {
	return []byte(strings.Join([]string{pemOperator, h["Kdf"], h["Salt"], h["Public"]}, "\n"))
}

func newAEAD(a argon, passphrase, salt []byte) (cipher.AEAD, error) {
	key := a.key(passphrase, salt)
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// OpenOperator unseals an operator's key. Errors wrap ErrMissing, ErrPermissions,
// ErrFormat or ErrPassphrase; a file that was tampered with is ErrPassphrase too.
func OpenOperator(path string, passphrase []byte) (*Operator, error) {
	o, err := openOperator(path, passphrase)
	if err != nil {
		return nil, fmt.Errorf("open operator key %s: %w", path, err)
	}
	return o, nil
}

func openOperator(path string, passphrase []byte) (*Operator, error) {
	block, a, salt, public, err := readOperator(path)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(a, passphrase, salt)
	if err != nil {
		return nil, err
	}
	seed, err := aead.Open(nil, nil, block.Bytes, bound(block.Headers))
	if err != nil {
		return nil, ErrPassphrase
	}
	defer clear(seed)
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%w: key of %d octets", ErrFormat, len(seed))
	}
	private := ed25519.NewKeyFromSeed(seed)
	if !public.Equal(private.Public()) {
		return nil, fmt.Errorf("%w: private and public key differ", ErrFormat)
	}
	return &Operator{private, public}, nil
}

// OperatorPublic reads the public half, which needs no passphrase and is not proven by
// one. Errors as for OpenOperator.
func OperatorPublic(path string) (crypto.PublicKey, error) {
	_, public, err := readToken(path)
	if errors.Is(err, ErrFormat) {
		_, _, _, public, err = readOperator(path)
	}
	if err != nil {
		return nil, fmt.Errorf("open operator key %s: %w", path, err)
	}
	return public, nil
}

func readOperator(path string) (block *pem.Block, a argon, salt []byte, public ed25519.PublicKey, err error) {
	if block, err = readBlock(path, pemOperator); err != nil {
		return nil, argon{}, nil, nil, err
	}
	a, ok := parseArgon(block.Headers["Kdf"])
	salt, err1 := hex.DecodeString(block.Headers["Salt"])
	public, err2 := hex.DecodeString(block.Headers["Public"])
	if !ok || err1 != nil || err2 != nil || len(salt) < 16 || len(public) != ed25519.PublicKeySize {
		return nil, argon{}, nil, nil, fmt.Errorf("%w: headers", ErrFormat)
	}
	return block, a, salt, public, nil
}

func parseArgon(s string) (a argon, ok bool) {
	fields := strings.Fields(s)
	if len(fields) != 4 || fields[0] != "argon2id" {
		return argon{}, false
	}
	for i, f := range []struct {
		name  string
		value *uint64
	}{{"t=", &a.time}, {"m=", &a.memory}, {"p=", &a.threads}} {
		digits, found := strings.CutPrefix(fields[i+1], f.name)
		var err error
		if *f.value, err = strconv.ParseUint(digits, 10, 32); err != nil || !found {
			return argon{}, false
		}
	}
	return a, a.within()
}
