package witness

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/receipt"
)

// OpenKey reads the key of a witness, Ed25519 as PKCS #8 in PEM, and makes it, readable
// by its owner only, if the file is not there. Errors wrap ErrState where it is no such
// key, or others may read it.
func OpenKey(path, name string) (*receipt.Cosigner, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		b, err = makeKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("open the witness's key: %w", err)
	}
	defer clear(b)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("open the witness's key %s: %w: others may read it", path, ErrState)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("open the witness's key %s: %w: it is no key", path, ErrState)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		return nil, fmt.Errorf("open the witness's key %s: %w: it is no key", path, ErrState)
	}
	return receipt.NewCosigner(name, signer)
}

func makeKey(path string) ([]byte, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	b := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := durable.Export(path, b, 0o600); err != nil {
		return nil, err
	}
	return b, nil
}
