package keystore

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tamthe/tamthe/card/suite"
	"github.com/tamthe/tamthe/verify/durable"
)

// Folder is the ring of key files in a folder, mode 0600, under the key's name: PKCS #8,
// or a secret. Its signers are those of [Open].
//
// With a passphrase, new files are sealed with it (AES-256-GCM under Argon2id), and sealed
// ones open; plain ones open in any case. Without, a sealed file is ErrSealed.
type Folder struct {
	Dir string
	// Passphrase gives the folder's passphrase each time that a sealed file is opened or
	// written; nil: new files are plain.
	Passphrase func(ctx context.Context) ([]byte, error)
}

// Signer opens a key; errors also as for [Open], ErrSealed and ErrPassphrase.
func (f Folder) Signer(ctx context.Context, name string) (crypto.Signer, error) {
	path, err := f.path(name)
	if err != nil {
		return nil, err
	}
	key, err := f.signer(ctx, path, name)
	if err != nil {
		return nil, fmt.Errorf("open key %s: %w", path, err)
	}
	return key, nil
}

func (f Folder) path(name string) (string, error) {
	return filepath.Join(f.Dir, name), CheckName(name)
}

func (f Folder) signer(ctx context.Context, path, name string) (crypto.Signer, error) {
	raw, err := read(path)
	if err != nil {
		return nil, err
	}
	defer clear(raw)
	if !isSealed(raw) {
		return parseFile(raw)
	}
	der, err := f.unseal(ctx, raw, pemPrivateKey, name, "")
	if err != nil {
		return nil, err
	}
	defer clear(der)
	return parsePKCS8(der)
}

func (f Folder) unseal(ctx context.Context, raw []byte, kind, name, use string) ([]byte, error) {
	if f.Passphrase == nil {
		return nil, ErrSealed
	}
	pass, err := f.Passphrase(ctx)
	if err != nil {
		return nil, err
	}
	return unseal(raw, kind, name, use, pass)
}

// Generate makes a key; see [Generate] for the algorithms.
func (f Folder) Generate(ctx context.Context, name, algorithm string) (crypto.Signer, error) {
	path, err := f.path(name)
	if err != nil {
		return nil, err
	}
	key, err := newKey(algorithm)
	if err != nil {
		return nil, fmt.Errorf("generate key: %w", err)
	}
	der, err := marshal(key)
	if err != nil {
		return nil, fmt.Errorf("generate key: %w", err)
	}
	defer clear(der)
	if err := f.write(ctx, path, pemPrivateKey, name, "", der); err != nil {
		return nil, fmt.Errorf("write key %s: %w", path, err)
	}
	return key, nil
}

// write puts a new file there, sealed if the folder is.
func (f Folder) write(ctx context.Context, path, kind, name, use string, content []byte) error {
	if f.Passphrase == nil {
		var h map[string]string
		if use != "" {
			h = map[string]string{"Use": use}
		}
		return writeBlock(path, kind, h, content)
	}
	pass, err := f.Passphrase(ctx)
	if err != nil {
		return err
	}
	return writeSealed(path, kind, name, use, content, pass)
}

// GenerateSecret makes a secret; errors also as for the function of that name.
func (f Folder) GenerateSecret(ctx context.Context, name string, use Use) error {
	path, err := f.path(name)
	if err != nil {
		return err
	}
	secret := make([]byte, SecretSize)
	defer clear(secret)
	rand.Read(secret)
	if err := f.write(ctx, path, pemSecret, name, string(use), secret); err != nil {
		return fmt.Errorf("write %s key %s: %w", use, path, err)
	}
	return nil
}

// Secret opens a secret of that use; errors also as for [OpenSecret].
func (f Folder) Secret(ctx context.Context, name string, use Use) (*Secret, error) {
	path, err := f.path(name)
	if err != nil {
		return nil, err
	}
	raw, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("open %s key %s: %w", use, path, err)
	}
	defer clear(raw)
	if !isSealed(raw) {
		return OpenSecret(path, use)
	}
	octets, err := f.unseal(ctx, raw, pemSecret, name, string(use))
	if err == nil && len(octets) != SecretSize {
		err = fmt.Errorf("%w: want %d octets", ErrFormat, SecretSize)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s key %s: %w", use, path, err)
	}
	return &Secret{octets}, nil
}

// Wrapper opens a secret of UseVault or UseTransport.
func (f Folder) Wrapper(ctx context.Context, name string) (Wrapper, error) {
	s, err := f.Secret(ctx, name, UseVault)
	if errors.Is(err, ErrFormat) {
		s, err = f.Secret(ctx, name, UseTransport)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Deriver opens a secret of UseCardMaster.
func (f Folder) Deriver(ctx context.Context, name string) (Deriver, error) {
	s, err := f.Secret(ctx, name, UseCardMaster)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Derive is AES-256-CMAC of the input under s.
func (s *Secret) Derive(_ context.Context, input []byte) ([]byte, error) {
	block, err := aes.NewCipher(s.octets)
	if err != nil {
		return nil, errors.New("derive a key: the master key was destroyed")
	}
	return suite.CMAC(block, input), nil
}

// Destroy overwrites the file once and removes it. A file system that keeps old blocks may
// keep them: where that counts, the key belongs into a token.
func (f Folder) Destroy(_ context.Context, name string) error {
	path, err := f.path(name)
	if err != nil {
		return err
	}
	if err := shred(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = ErrMissing
		}
		return fmt.Errorf("destroy key %s: %w", path, err)
	}
	return nil
}

func shred(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: no regular file", ErrFormat)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, min(info.Size(), maxFile)))
	if err := errors.Join(err, f.Sync(), f.Close(), os.Remove(path)); err != nil {
		return err
	}
	return durable.Sync(filepath.Dir(path))
}

// parseFile reads PKCS #8 in PEM or DER.
func parseFile(raw []byte) (crypto.Signer, error) {
	der := raw
	if block, rest := pem.Decode(raw); block != nil {
		if block.Type != pemPrivateKey || !blank(rest) {
			return nil, fmt.Errorf("%w: PEM block %q", ErrFormat, block.Type)
		}
		defer clear(block.Bytes)
		der = block.Bytes
	}
	return parsePKCS8(der)
}
