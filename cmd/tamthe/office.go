package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/issuance/vault"
	"github.com/tamthe/tamthe/verify/pki"
)

// The parts of a home.
const (
	keysDir        = "keys"
	pkiDir         = "pki"
	trustDir       = "trust"
	checkpointsDir = "checkpoints"
	logKeyName     = "log"
	vaultKeyName   = "vault"
	masterKeyName  = "card-master"
	operatorPrefix = "operator-"
)

// defaultOrigin names the log of a home whose config.toml names none.
const defaultOrigin = "specimen.tamthe.example/log"

// purpose says what an office is opened for.
type purpose int

const (
	looking purpose = iota // read only, no key at all
	opening                // read only, with the vault's key
	acting                 // as the operator who signs in
)

// openOffice opens the ledger of the home, for looking or for an operator's acts. What is
// returned with it closes the ledger and forgets the keys.
func (p *program) openOffice(ctx context.Context, why purpose) (_ *desk.Office, _ func(), err error) {
	path, err := p.home.ledger()
	if err != nil {
		return nil, nil, err
	}
	var closers []func()
	done := func() {
		for _, c := range closers {
			c()
		}
	}
	defer func() {
		if err != nil {
			done()
		}
	}()
	o := &desk.Office{Now: p.now, Authority: desk.Authority{Keys: p.home.path(keysDir), PKI: p.home.path(pkiDir)}}
	options := sqlite.Options{ReadOnly: why != acting, Checkpoints: p.home.path(checkpointsDir)}
	if why == acting {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, nil, sqlite.ErrMissing
		}
		log, err := keystore.OpenLog(p.home.path(keysDir, logKeyName))
		if err != nil {
			return nil, nil, err
		}
		options.Signer = log
		key, err := p.operator()
		if err != nil {
			return nil, nil, err
		}
		closers = append(closers, key.Destroy)
		o.Signer = key
	}
	store, err := sqlite.Open(ctx, path, options)
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", path, err)
	}
	closers = append(closers, func() { _ = store.Close() })
	o.Store = store
	if why == looking {
		return o, done, nil
	}
	secret, err := keystore.OpenSecret(p.home.path(keysDir, vaultKeyName), keystore.UseVault)
	if err != nil {
		return nil, nil, err
	}
	if o.Vault, err = vault.NewKey(1, secret.Bytes()); err != nil {
		return nil, nil, err
	}
	closers = append(closers, o.Vault.Destroy)
	return o, done, nil
}

// store is the ledger behind an office that openOffice opened.
func store(o *desk.Office) *sqlite.Ledger { return o.Store.(*sqlite.Ledger) }

// errOperator says that nobody said who acts.
var errOperator = errors.New("it is not said who acts")

// operator unseals the acting operator's key: --operator or TAMTHE_OPERATOR, a name or a
// file: URI, never the login name.
func (p *program) operator() (*keystore.Operator, error) {
	name := first(p.operatorFlag, os.Getenv("TAMTHE_OPERATOR"))
	if name == "" {
		return nil, hint(errOperator, "name the operator with --operator or TAMTHE_OPERATOR; `tamthe operator list` lists them")
	}
	path, ok := strings.CutPrefix(name, "file:")
	if !ok {
		path = p.home.path(keysDir, operatorPrefix+filepath.Base(name))
	}
	if _, err := keystore.OperatorPublic(path); err != nil {
		return nil, err
	}
	pass, err := p.passphrase(p.passphraseFile, "passphrase of operator "+name)
	if err != nil {
		return nil, err
	}
	return keystore.OpenOperator(path, []byte(pass))
}

// passphrase reads a passphrase from a file, or asks.
func (p *program) passphrase(file, question string) (string, error) {
	if file != "" {
		return p.readSecretFile(file)
	}
	s, err := p.ask(question)
	if errors.Is(err, errNoPrompt) {
		return "", hint(err, "give it with --passphrase-file FILE (- is standard input)")
	}
	return s, err
}

// actingFlags adds the flags of a verb that signs.
func (p *program) actingFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.operatorFlag, "operator", "", "who acts: the `NAME` of an operator or file:PATH of the key (else TAMTHE_OPERATOR)")
	cmd.Flags().StringVar(&p.passphraseFile, "passphrase-file", "", "`FILE` with the operator's passphrase, - for standard input (else it is asked)")
}

// trust reads a trust folder, by default that of the home.
func (p *program) trust(dir string) (*pki.Store, error) {
	if dir == "" {
		dir = p.home.path(trustDir)
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return pki.NewStore(nil, nil, nil), nil
		}
	}
	s, err := pki.LoadStore(os.DirFS(dir), pki.LoadOptions{})
	if err != nil {
		return nil, fmt.Errorf("read trust folder %s: %w", dir, err)
	}
	for _, skipped := range s.Skipped() {
		p.say("trust folder: %v is not used", skipped)
	}
	return s, nil
}

// homeLine says for doctor what there is of a home.
func (p *program) homeLine() string {
	path, err := p.home.ledger()
	if err != nil {
		return err.Error()
	}
	if _, err := os.Stat(path); err != nil {
		return string(p.home) + "  no ledger (tamthe init makes one)"
	}
	return string(p.home) + "  ledger " + path
}
