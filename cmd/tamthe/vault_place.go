package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/issuance/vault"
)

// vaultKeys is the vault's database, whichever engine it lies in.
type vaultKeys interface {
	vault.Keys
	KEK() string
	Live(ctx context.Context, class uint32, f func(subject string) error) error
	Rewrap(ctx context.Context, kek string, f func(subject string, class uint32, wrapped []byte) ([]byte, error)) error
	Each(ctx context.Context, f func(subject string, class uint32, wrapped []byte) error) error
	Close() error
}

// errVaultPlace says that config.toml names no database of keys. It does not repeat what it
// names, which may hold a password.
var errVaultPlace = errors.New("[vault] keys is postgres:DSN, without a password: it belongs into ~/.pgpass, or a service file, or make it a certificate")

// vaultPlace is where the vault's keys lie: where config.toml says, else in the home.
func (p *program) vaultPlace() (place, error) {
	if p.conf.Vault.Keys == "" {
		return place{path: p.home.path(subjectsFile)}, nil
	}
	w, err := parsePlace(p.conf.Vault.Keys)
	if err != nil || w.dsn == "" || postgres.HasPassword(w.dsn) {
		return place{}, fmt.Errorf("%s: %w", p.home.path(configFile), errVaultPlace)
	}
	return w, nil
}

// keysThere reports whether there is a database of keys.
func (w place) keysThere(ctx context.Context) (bool, error) {
	if w.dsn != "" {
		return postgres.SubjectsThere(ctx, w.dsn)
	}
	_, err := os.Stat(w.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (w place) openKeys(ctx context.Context, readOnly bool) (vaultKeys, error) {
	if w.dsn != "" {
		return keysOf(postgres.OpenSubjects(ctx, w.dsn, readOnly))
	}
	return keysOf(sqlite.OpenSubjects(ctx, w.path, readOnly))
}

// keysOf are keys, or none: what points to none would be keys that are not nil.
func keysOf[K vaultKeys](k K, err error) (vaultKeys, error) {
	if err != nil {
		return nil, err
	}
	return k, nil
}

func (w place) createKeys(ctx context.Context, kek string) (vaultKeys, error) {
	if w.dsn != "" {
		return keysOf(postgres.CreateSubjects(ctx, w.dsn, kek))
	}
	return keysOf(sqlite.CreateSubjects(ctx, w.path, kek))
}

// copyKeys makes a database of keys there of what another holds.
func (w place) copyKeys(ctx context.Context, from vaultKeys) error {
	if w.dsn != "" {
		return postgres.CopySubjects(ctx, w.dsn, from)
	}
	return sqlite.CopySubjects(ctx, w.path, from)
}

// clearKeys takes away a database of keys that this program made there and that is of no use.
func (w place) clearKeys(ctx context.Context) error {
	if w.dsn != "" {
		return postgres.DiscardSubjects(context.WithoutCancel(ctx), w.dsn)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(w.path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
