package main

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/keystore/pkcs11"
)

// keysConfig is [keys] of config.toml: where the authority's keys are.
type keysConfig struct {
	URI            string `toml:"uri,omitempty"`             // file:DIR, pkcs11:… or exec:PROGRAM; else file:keys
	Sealed         bool   `toml:"sealed,omitempty"`          // file: new keys are sealed with a passphrase
	PassphraseFile string `toml:"passphrase_file,omitempty"` // holds that passphrase; else it is asked
	Exposed        bool   `toml:"exposed,omitempty"`         // pkcs11: take keys that the token would give out
}

// ring is where the authority's keys are, its secrets with them.
type ring interface {
	keystore.Ring
	keystore.Secrets
}

// helpedRing is the ring of a helper program, which signs; secrets stay in the folder.
type helpedRing struct {
	folder keystore.Folder
	*keystore.Exec
}

func (h helpedRing) Wrapper(ctx context.Context, name string) (keystore.Wrapper, error) {
	return h.folder.Wrapper(ctx, name)
}

func (h helpedRing) Deriver(ctx context.Context, name string) (keystore.Deriver, error) {
	return h.folder.Deriver(ctx, name)
}

func (h helpedRing) GenerateSecret(ctx context.Context, name string, use keystore.Use) error {
	return h.folder.GenerateSecret(ctx, name, use)
}

// Destroy ends a signing key, or a secret.
func (h helpedRing) Destroy(ctx context.Context, name string) error {
	err := h.Exec.Destroy(ctx, name)
	if errors.Is(err, keystore.ErrMissing) {
		err = h.folder.Destroy(ctx, name)
	}
	return err
}

// laterRing is the ring of this home, which is opened when the first key is needed: a token
// then asks for its PIN, and verbs that only look ask for none.
type laterRing struct{ p *program }

func (l laterRing) Signer(ctx context.Context, name string) (crypto.Signer, error) {
	r, err := l.p.keyring(ctx)
	if err != nil {
		return nil, err
	}
	return r.Signer(ctx, name)
}

func (l laterRing) Generate(ctx context.Context, name, algorithm string) (crypto.Signer, error) {
	r, err := l.p.keyring(ctx)
	if err != nil {
		return nil, err
	}
	return r.Generate(ctx, name, algorithm)
}

func (l laterRing) Destroy(ctx context.Context, name string) error {
	r, err := l.p.keyring(ctx)
	if err != nil {
		return err
	}
	return r.Destroy(ctx, name)
}

func (l laterRing) Wrapper(ctx context.Context, name string) (keystore.Wrapper, error) {
	r, err := l.p.keyring(ctx)
	if err != nil {
		return nil, err
	}
	return r.Wrapper(ctx, name)
}

func (l laterRing) Deriver(ctx context.Context, name string) (keystore.Deriver, error) {
	r, err := l.p.keyring(ctx)
	if err != nil {
		return nil, err
	}
	return r.Deriver(ctx, name)
}

func (l laterRing) GenerateSecret(ctx context.Context, name string, use keystore.Use) error {
	r, err := l.p.keyring(ctx)
	if err != nil {
		return err
	}
	return r.GenerateSecret(ctx, name, use)
}

// keyring opens the ring that config.toml names, once a run.
func (p *program) keyring(ctx context.Context) (ring, error) {
	if p.ring != nil {
		return p.ring, nil
	}
	r, err := p.openRing(ctx)
	if err != nil {
		return nil, fmt.Errorf("the keys of this home: %w", err)
	}
	p.ring = r
	return r, nil
}

func (p *program) openRing(ctx context.Context) (ring, error) {
	scheme, rest, _ := strings.Cut(first(p.conf.Keys.URI, "file:"+keysDir), ":")
	switch scheme {
	case "file":
		return p.keyFolder(p.inHome(rest)), nil
	case "pkcs11":
		return p.token(ctx, p.conf.Keys.URI, p.conf.Keys.Exposed)
	case "exec":
		x := &keystore.Exec{Program: rest, Stderr: p.err}
		p.closers = append(p.closers, func() { _ = x.Close() })
		return helpedRing{p.keyFolder(p.home.path(keysDir)), x}, nil
	}
	return nil, keystore.ErrScheme
}

// inHome is a path of config.toml: a relative one begins at the home.
func (p *program) inHome(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return p.home.path(path)
}

// keyFolder is a folder of key files, sealed where config.toml says so. Its passphrase is
// read, or asked for, when it is first needed.
func (p *program) keyFolder(dir string) keystore.Folder {
	f := keystore.Folder{Dir: dir}
	if !p.conf.Keys.Sealed {
		return f
	}
	p.closers = append(p.closers, func() { clear(p.sealPhrase); p.sealPhrase = nil })
	f.Passphrase = func(ctx context.Context) ([]byte, error) {
		if p.sealPhrase != nil {
			return p.sealPhrase, nil
		}
		s, err := p.folderPassphrase(ctx)
		if err == nil {
			p.sealPhrase = []byte(s)
		}
		return p.sealPhrase, err
	}
	return f
}

func (p *program) folderPassphrase(ctx context.Context) (string, error) {
	if path := p.conf.Keys.PassphraseFile; path != "" {
		return p.secretFile(p.inHome(path))
	}
	s, err := p.ask(ctx, p.text(wordKeysPassphrase))
	if errors.Is(err, errNoPrompt) {
		err = hint(err, "passphrase_file under [keys] of config.toml can name a file with the passphrase of the keys")
	}
	return s, err
}

// token opens a PKCS #11 token. Several of one module share it.
func (p *program) token(ctx context.Context, uri string, exposed bool) (*pkcs11.Token, error) {
	u, err := pkcs11.ParseURI(uri)
	if err != nil {
		return nil, err
	}
	if p.modules == nil {
		m := &pkcs11.Modules{}
		p.modules = m
		p.closers = append(p.closers, func() { _ = m.Close(); p.modules = nil })
	}
	return p.modules.Open(ctx, u, pkcs11.Options{Exposed: exposed, PIN: p.askPIN})
}

// tokenKey opens the key that a PKCS #11 URI names: a person's own. It is not taken if it
// could be read out of its token.
func (p *program) tokenKey(ctx context.Context, uri string) (crypto.Signer, error) {
	t, err := p.token(ctx, uri, false)
	if err != nil {
		return nil, err
	}
	return t.Key(ctx)
}

// askPIN asks for a token's PIN.
func (p *program) askPIN(ctx context.Context, token string) ([]byte, error) {
	s, err := p.ask(ctx, fmt.Sprintf(p.text(wordPIN), token))
	if errors.Is(err, errNoPrompt) {
		err = hint(err, "pin-source in the token's URI can name a file with its PIN: pin-source=file:PATH")
	}
	return bytes.Clone([]byte(s)), err
}

// letGo closes what a run has opened: tokens, helpers, passphrases.
func (p *program) letGo() {
	for _, c := range p.closers {
		c()
	}
	p.closers, p.ring = nil, nil
}
