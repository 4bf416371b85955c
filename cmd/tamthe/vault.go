package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/issuance/vault"
)

// openVault opens the vault of the home for an office. A home of an earlier version gets
// its database of keys here.
func (p *program) openVault(ctx context.Context, o *office, readOnly bool) error {
	path := p.home.path(subjectsFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := p.importVault(ctx, path); err != nil {
			return err
		}
	}
	var err error
	if o.subjects, err = sqlite.OpenSubjects(ctx, path, readOnly); err != nil {
		return err
	}
	o.close = append(o.close, func() { _ = o.subjects.Close() })
	kek, err := p.vaultKEK(o.subjects.KEK())
	if err != nil {
		return err
	}
	o.close = append(o.close, kek.Destroy)
	if o.Vault, err = vault.Open(ctx, o.subjects, kek); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	o.close = append(o.close, o.Vault.Destroy)
	return nil
}

// vaultKEK opens the key that wraps the vault's.
func (p *program) vaultKEK(name string) (*keystore.Secret, error) {
	return keystore.OpenSecret(p.home.path(keysDir, name), keystore.UseVault)
}

// nextKEK makes the key that takes over from one; what a rotation that was cut short has
// made is used.
func (p *program) nextKEK(old string) (string, *keystore.Secret, error) {
	n, _ := strconv.Atoi(strings.TrimPrefix(old, vaultPrefix)) // 0 of the oldest, which has no number
	name := fmt.Sprintf("%s%03d", vaultPrefix, n+1)
	kek, err := keystore.GenerateSecret(p.home.path(keysDir, name), keystore.UseVault)
	if errors.Is(err, keystore.ErrExists) {
		kek, err = p.vaultKEK(name)
	}
	return name, kek, err
}

// destroyKEK destroys a key that wraps nothing any more.
func (p *program) destroyKEK(ctx context.Context, name string) error {
	return keystore.Folder{Dir: p.home.path(keysDir)}.Destroy(ctx, name)
}

// importVault makes the database of keys of a home that had one key for everything: what
// it sealed stays readable, and persons keep their pseudonyms.
func (p *program) importVault(ctx context.Context, path string) error {
	kek, err := p.vaultKEK(oldVaultKey)
	if errors.Is(err, keystore.ErrMissing) {
		return hint(fmt.Errorf("%s: %w", path, fs.ErrNotExist), "no personal data open without it: put a copy back with `tamthe vault restore`")
	}
	if err != nil {
		return err
	}
	defer kek.Destroy()
	return makeVault(ctx, path, oldVaultKey, func(s *sqlite.Subjects) (*vault.Vault, error) {
		return vault.Import(ctx, s, kek, kek.Bytes())
	})
}

// makeVault makes a database of keys, whole or not at all.
func makeVault(ctx context.Context, path, kek string, fill func(*sqlite.Subjects) (*vault.Vault, error)) error {
	s, err := sqlite.CreateSubjects(ctx, path, kek)
	if err != nil {
		return err
	}
	v, err := fill(s)
	if err == nil {
		v.Destroy()
	}
	if err = errors.Join(err, s.Close()); err != nil {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(path + suffix)
		}
	}
	return err
}
