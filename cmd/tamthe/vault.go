package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/vault"
)

// openVault opens the vault of the home for an office. A home of an earlier version gets
// its database of keys here.
func (p *program) openVault(ctx context.Context, o *office, readOnly bool) error {
	where, err := p.vaultPlace()
	if err != nil {
		return err
	}
	if there, err := where.keysThere(ctx); err == nil && !there {
		err = p.importVault(ctx, where)
		if err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	keys, err := where.openKeys(ctx, readOnly)
	if err != nil {
		return err
	}
	o.subjects = keys
	o.close = append(o.close, func() { _ = keys.Close() })
	kek, err := p.vaultRing().Wrapper(ctx, o.subjects.KEK())
	if err != nil {
		return err
	}
	o.close = append(o.close, func() { forget(kek) })
	if o.Vault, err = vault.Open(ctx, o.subjects, &one{w: kek}); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	o.close = append(o.close, o.Vault.Destroy)
	return nil
}

// vaultRing is where the keys are that wrap the vault's: where all of the home's are.
func (p *program) vaultRing() ring { return laterRing{p} }

// forget wipes a key that is held in memory.
func forget(key any) {
	if k, ok := key.(interface{ Destroy() }); ok {
		k.Destroy()
	}
}

// nextKEK makes the key that takes over from one; what a rotation that was cut short has
// made is used.
func (p *program) nextKEK(ctx context.Context, old string) (string, keystore.Wrapper, error) {
	n, _ := strconv.Atoi(strings.TrimPrefix(old, vaultPrefix)) // 0 of the oldest, which has no number
	name := fmt.Sprintf("%s%03d", vaultPrefix, n+1)
	err := p.vaultRing().GenerateSecret(ctx, name, keystore.UseVault)
	if err != nil && !errors.Is(err, keystore.ErrExists) {
		return "", nil, err
	}
	kek, err := p.vaultRing().Wrapper(ctx, name)
	return name, kek, err
}

// importVault makes the database of keys of a home that had one key for everything: what
// it sealed stays readable, and persons keep their pseudonyms.
func (p *program) importVault(ctx context.Context, where place) error {
	kek, err := keystore.OpenSecret(p.home.path(keysDir, oldVaultKey), keystore.UseVault)
	if errors.Is(err, keystore.ErrMissing) {
		return hint(fmt.Errorf("%s: %w", where, fs.ErrNotExist), "no personal data open without it: put a copy back with `tamthe vault restore`")
	}
	if err != nil {
		return err
	}
	defer kek.Destroy()
	return makeVault(ctx, where, oldVaultKey, func(s vault.Keys) (*vault.Vault, error) {
		return vault.Import(ctx, s, kek, kek.Bytes())
	})
}

// makeVault makes a database of keys, whole or not at all.
func makeVault(ctx context.Context, where place, kek string, fill func(vault.Keys) (*vault.Vault, error)) error {
	s, err := where.createKeys(ctx, kek)
	if err != nil {
		return err
	}
	v, err := fill(s)
	if err == nil {
		v.Destroy()
	}
	if err = errors.Join(err, s.Close()); err != nil {
		return errors.Join(err, where.clearKeys(ctx))
	}
	return nil
}
