package signing

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/verify/durable"
)

// Pin is what the service is told once, before it signs anything: which log it serves.
type Pin struct {
	Origin   string
	LogKey   string   // verifier key (golang.org/x/mod/sumdb/note)
	Founding [32]byte // LeafHash of the log's first entry, which names its first administrators
}

// The files of the service's folder.
const (
	pinFile        = "pin.json"
	checkpointFile = "checkpoint"
	cardsDir       = "cards"
)

// PinOf is the pin of a log whose first entry is read from a store that is trusted now:
// at the log's foundation, or after an audit.
func PinOf(first issuance.Entry) (Pin, error) {
	leaf, err := first.Leaf()
	if err != nil {
		return Pin{}, err
	}
	if first.Act != issuance.Init {
		return Pin{}, fmt.Errorf("%w: %s is no first entry", ErrLog, first.Act)
	}
	return Pin{first.Origin, first.Fields["logkey"], issuance.LeafHash(leaf)}, nil
}

// Create makes the service's folder with its pin. A folder that has one is fs.ErrExist:
// a pin is never changed.
func Create(dir string, p Pin) error {
	if err := os.MkdirAll(filepath.Join(dir, cardsDir), 0o700); err != nil {
		return fmt.Errorf("make the signing service's folder: %w", err)
	}
	b, err := json.Marshal(struct{ Origin, LogKey, Founding string }{p.Origin, p.LogKey, hex.EncodeToString(p.Founding[:])})
	if err != nil {
		return err
	}
	if err := durable.Create(filepath.Join(dir, pinFile), b, 0o600); err != nil {
		return fmt.Errorf("make the signing service's folder: %w", err)
	}
	return nil
}

func readPin(dir string) (p Pin, err error) {
	b, err := os.ReadFile(filepath.Join(dir, pinFile))
	if err != nil {
		return Pin{}, fmt.Errorf("open the signing service's folder: %w", err)
	}
	var text struct{ Origin, LogKey, Founding string }
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&text); err != nil {
		return Pin{}, fmt.Errorf("open the signing service's folder: %s: %w", pinFile, err)
	}
	founding, err := issuance.ParseKeyID(text.Founding)
	if err != nil {
		return Pin{}, fmt.Errorf("open the signing service's folder: %s: %w", pinFile, err)
	}
	return Pin{text.Origin, text.LogKey, founding}, nil
}

// intent is what will be signed for a card, for good before it is signed, and what was.
type intent struct {
	Entry  [16]byte // identity of the entry that announces the card
	CardID [32]byte
	Signer string
	At     time.Time
	Proof  lds.LogProof
	SOD    []byte // nil until it is signed
}

// The records of a card, in the order of their making.
const (
	begunSuffix  = ".begun"  // it will be announced by that entry; by any other it is not ours
	intentSuffix = ".intent" // this will be signed
	sodSuffix    = ".sod"    // this was
)

// journal keeps the records of cards. They are sealed under the salt of the application's
// content, which only the vault has: with the salt's end, the record ends.
type journal struct{ dir string }

// put writes a record that is not there yet: fs.ErrExist if it is.
func (j journal) put(card string, salt [32]byte, suffix string, i intent) error {
	aead, err := sealer(card, salt, suffix)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(i)
	if err != nil {
		return err
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	rand.Read(nonce)
	return durable.Create(j.path(card, suffix), aead.Seal(nonce, nonce, plain, nil), 0o600)
}

// get reads a record: fs.ErrNotExist if there is none, ErrLost if it does not open.
func (j journal) get(card string, salt [32]byte, suffix string) (*intent, error) {
	b, err := os.ReadFile(j.path(card, suffix))
	if err != nil {
		return nil, err
	}
	aead, err := sealer(card, salt, suffix)
	if err != nil {
		return nil, err
	}
	if len(b) < aead.NonceSize() {
		return nil, ErrLost
	}
	plain, err := aead.Open(nil, b[:aead.NonceSize()], b[aead.NonceSize():], nil)
	if err != nil {
		return nil, ErrLost
	}
	var i intent
	if err := json.Unmarshal(plain, &i); err != nil {
		return nil, ErrLost
	}
	return &i, nil
}

func (j journal) path(card, suffix string) string {
	return filepath.Join(j.dir, cardsDir, card+suffix)
}

func sealer(card string, salt [32]byte, suffix string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, salt[:], nil, "tamthe signing journal v1 "+suffix+" "+card, chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	return chacha20poly1305.NewX(key)
}

// lastCheckpoint reads the checkpoint that the service saw last, nil if it saw none.
func lastCheckpoint(dir string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(dir, checkpointFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}
