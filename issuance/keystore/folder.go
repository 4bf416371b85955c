package keystore

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Folder is the ring of key files in a folder: PKCS #8, mode 0600, under the key's name.
// Its signers are those of [Open].
type Folder struct {
	Dir string
}

// Signer opens a key; errors also as for [Open].
func (f Folder) Signer(_ context.Context, name string) (crypto.Signer, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	return Open("file:" + filepath.Join(f.Dir, name))
}

// Generate makes a key; see [Generate] for the algorithms.
func (f Folder) Generate(_ context.Context, name, algorithm string) (crypto.Signer, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	return Generate(filepath.Join(f.Dir, name), algorithm)
}

// Destroy overwrites the file once and removes it. A file system that keeps old blocks may
// keep them: where that counts, the key belongs into a token.
func (f Folder) Destroy(_ context.Context, name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	path := filepath.Join(f.Dir, name)
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
	return syncDir(filepath.Dir(path))
}
