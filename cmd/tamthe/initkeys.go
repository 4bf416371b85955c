package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"

	"github.com/tamthe/tamthe/issuance/keystore"
)

// logRingName is the name of the log's key in a ring apart from the home's folder.
const logRingName = "log-key"

// keysApart says that keys do not lie in plain files of the home.
func (p *program) keysApart() bool {
	return p.conf.Keys.Sealed || first(p.conf.Keys.URI, "file:"+keysDir) != "file:"+keysDir
}

// newLogKey makes the log's key where the authority's keys are; path then says where.
func (p *program) newLogKey(ctx context.Context, origin, path string) (*keystore.LogKey, error) {
	if p.keysApart() {
		return keystore.GenerateLogIn(ctx, laterRing{p}, logRingName, path, origin)
	}
	return keystore.GenerateLog(path, origin)
}

// chooseKeys settles for good where the keys of a new home are: config.toml says so, or is
// written to say what the flags do. Nothing else is touched yet.
func (p *program) chooseKeys(ctx context.Context, k keysConfig) error {
	if k == (keysConfig{}) {
		return p.newSeal(ctx)
	}
	path := p.home.path(configFile)
	if p.conf.Keys != (keysConfig{}) {
		return usagef("%s says where the keys are; --keys and --seal-keys would say otherwise", path)
	}
	if k.PassphraseFile != "" {
		whole, err := filepath.Abs(k.PassphraseFile)
		if err != nil {
			return err
		}
		k.PassphraseFile = whole // config.toml's begin at the home
	}
	before := p.conf.Keys
	p.conf.Keys = k
	if err := p.checkKeys(); err != nil {
		p.conf.Keys = before
		return err
	}
	if err := p.newSeal(ctx); err != nil {
		return err
	}
	text, err := toml.Marshal(struct {
		Keys keysConfig `toml:"keys"`
	}{k})
	if err != nil {
		return err
	}
	return p.appendConfig(text)
}

// appendConfig adds a table to config.toml.
func (p *program) appendConfig(text []byte) error {
	if err := os.MkdirAll(string(p.home), 0o700); err != nil {
		return err
	}
	path := p.home.path(configFile)
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(b) > 0 {
		b = append(b, '\n')
	}
	return os.WriteFile(path, append(b, text...), 0o600)
}

// checkKeys refuses what cannot be meant, before anything is made.
func (p *program) checkKeys() error {
	k := p.conf.Keys
	r, err := p.keyring(context.Background())
	if err != nil {
		return err
	}
	_, isFolder := r.(keystore.Folder)
	switch {
	case k.PassphraseFile != "" && !k.Sealed:
		return usagef("--keys-passphrase-file goes with --seal-keys")
	case k.Sealed && !isFolder:
		return usagef("--seal-keys is for keys in a folder")
	}
	return nil
}

// newSeal asks for the passphrase of a folder to be sealed, twice where a person types it.
func (p *program) newSeal(ctx context.Context) error {
	if !p.conf.Keys.Sealed || p.conf.Keys.PassphraseFile != "" {
		return nil
	}
	s, err := p.ask(ctx, p.text(wordNewKeysPhrase))
	if errors.Is(err, errNoPrompt) {
		return hintBoth(err, wordGiveFile, "--keys-passphrase-file")
	}
	if err != nil {
		return err
	}
	again, err := p.ask(ctx, p.text(wordRepeat))
	if err == nil && again != s {
		err = hintBoth(errors.New("the two passphrases are not the same"), wordRunAgain)
	}
	if err == nil && s == "" {
		err = fmt.Errorf("seal the keys: %w", keystore.ErrNoPassphrase)
	}
	p.sealPhrase = []byte(s)
	return err
}
