package main

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify/pki"
)

// purpose says what an office is opened for.
type purpose int

const (
	looking    purpose = iota // read only, no key at all
	glancing                  // as looking, but a ledger that is away is not waited for
	opening                   // read only, with the vault's keys
	sweeping                  // read only, but keys of the vault may be destroyed
	acting                    // as the operator who signs in
	certifying                // as acting, for the authority's keys: the vault stays closed
	serving                   // as the signing service, whom no operator signs in
	hosting                   // as acting, for operators who sign in later: the console
)

// office is a desk whose ledger is open.
type office struct {
	*desk.Office
	ledger   store
	subjects vaultKeys // the vault's keys; nil where the vault is not open
	close    []func()
}

// openOffice opens the ledger of the home, for looking or for an operator's acts. What it
// returns must be closed: that closes the ledger and forgets the keys.
func (p *program) openOffice(ctx context.Context, why purpose) (*office, error) {
	o := &office{Office: &desk.Office{
		Now: p.now, Authority: desk.Authority{Keys: laterRing{p}, PKI: p.home.path(pkiDir)},
		Calendar: desk.Calendar{Holidays: p.conf.Office.Holidays}, Place: first(p.conf.Office.Name, defaultPlace),
		KeepBiometrics: p.conf.Vault.KeepBiometrics,
	}}
	err := p.hide()
	if err == nil && (why == acting || why == hosting) {
		o.Register, err = p.register()
	}
	if err == nil && (why == acting || why == hosting) {
		o.Biometric, err = p.biometric(ctx, o)
	}
	if err == nil {
		err = p.fillOffice(ctx, o, why)
	}
	if err != nil {
		o.done()
		return nil, err
	}
	return o, nil
}

func (p *program) fillOffice(ctx context.Context, o *office, why purpose) (err error) {
	where := p.ledgerPlace()
	options := p.readOnly()
	options.readOnly = why != acting && why != certifying && why != serving && why != hosting
	if why == glancing {
		options.busy = 2 * time.Second
	}
	if !options.readOnly {
		// A secret is asked for only where there is something to use it on.
		if err := where.mustBeThere(ctx); err != nil {
			return err
		}
		if options.signer, err = p.logKey(ctx, where); err != nil {
			return err
		}
		if why != serving && why != hosting {
			err = p.signIn(ctx, o)
		}
		if err != nil {
			return err
		}
	}
	if o.ledger, err = where.open(ctx, options); err != nil {
		return err
	}
	o.Store = o.ledger
	err = p.watched(ctx, o, !options.readOnly)
	o.close = append(o.close, func() { _ = o.ledger.Close() })
	if err != nil {
		return err
	}
	if err := p.openApart(ctx, o); err != nil {
		return err
	}
	if why == looking || why == glancing || why == certifying || why == serving || p.signedIn != nil {
		return nil
	}
	return p.openVault(ctx, o, why == opening)
}

// logKey opens the key of the log; nil where this home has none and another program adds to the
// log what is handed in.
func (p *program) logKey(ctx context.Context, where place) (note.Signer, error) {
	path := p.home.path(keysDir, logKeyName)
	if _, err := os.Stat(path); where.sequenced() && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	key, err := keystore.OpenLogIn(ctx, path, laterRing{p})
	if err != nil {
		return nil, err // a nil *keystore.LogKey would be a signer that is not nil
	}
	return key, nil
}

// watched lets the desk ask the witnesses that config.toml names, and shows them what was
// appended once the desk is done. That they could not be asked then is said, no more: the
// acts stand in the ledger, and the next card waits for their word.
func (p *program) watched(ctx context.Context, o *office, acting bool) error {
	k, err := p.keeper(ctx, o.ledger, p.home.path(checkpointsDir, ledger.CosignedFile))
	if err != nil || k == nil {
		return err
	}
	o.Witnesses = k
	before, err := o.ledger.Checkpoint(ctx)
	if err != nil || !acting {
		return err
	}
	o.close = append(o.close, func() {
		if now, err := o.ledger.Checkpoint(ctx); err != nil || now.Size == before.Size {
			return
		}
		if err := k.Fresh(ctx); err != nil {
			p.say("%v", err)
		}
	})
	return nil
}

// done closes the ledger and forgets the keys.
func (o *office) done() {
	for _, c := range o.close {
		c()
	}
}

// errOperator says that nobody said who acts.
var errOperator = errors.New("it is not said who acts")

// errSamePerson says that one key was named twice.
var errSamePerson = errors.New("--second is somebody else than --operator")

// fillSecond unseals the second person's key, where one is named.
func (p *program) fillSecond(ctx context.Context, o *office) error {
	if p.secondFlag == "" {
		return nil
	}
	if p.secondFlag == first(p.operatorFlag, os.Getenv("TAMTHE_OPERATOR")) {
		return usageError{errSamePerson}
	}
	key, err := p.unseal(ctx, "--second", p.secondFlag, "--second-passphrase-file", p.secondPassFile)
	if err != nil {
		return err
	}
	o.close = append(o.close, func() { forget(key) })
	o.Second = key
	return nil
}

// signIn unseals the keys of those who act, unless they stand there already, as in a
// ceremony.
func (p *program) signIn(ctx context.Context, o *office) error {
	if len(p.signedIn) > 1 {
		o.Signer, o.Second = p.signedIn[0], p.signedIn[1]
		return nil
	}
	key, err := p.operator(ctx)
	if err != nil {
		return err
	}
	if !p.keeps {
		o.close = append(o.close, func() { forget(key) })
	}
	o.Signer = key
	return p.fillSecond(ctx, o)
}

// operator unseals the acting operator's key: --operator or TAMTHE_OPERATOR, a name or a
// file: URI, never the login name. A run that keeps what it takes in may need it once more when
// the office turned out to be away: nobody is asked twice.
func (p *program) operator(ctx context.Context) (crypto.Signer, error) {
	if p.taker != nil {
		return p.taker, nil
	}
	name := first(p.operatorFlag, os.Getenv("TAMTHE_OPERATOR"))
	if name == "" {
		return nil, hintBoth(usageError{errOperator}, wordNameOperator)
	}
	key, err := p.unseal(ctx, "--operator", name, "--passphrase-file", p.passphraseFile)
	if err == nil && p.keeps {
		p.taker = key
	}
	return key, err
}

// unseal opens an operator's key: that of a name in this home, which may lie in a token, of
// a file: URI, or of a pkcs11: URI.
func (p *program) unseal(ctx context.Context, flag, name, fileFlag, file string) (crypto.Signer, error) {
	if strings.HasPrefix(name, "pkcs11:") {
		return p.tokenKey(ctx, name)
	}
	path, ok := strings.CutPrefix(name, "file:")
	if !ok {
		if err := checkWord(flag, name); err != nil {
			return nil, err
		}
		path = p.home.path(keysDir, operatorPrefix+name)
	}
	uri, err := keystore.OperatorToken(path)
	switch {
	case err != nil:
		return nil, err
	case uri != "":
		return p.tokenKey(ctx, uri)
	}
	pass, err := p.passphrase(ctx, file, fileFlag, filepath.Base(name))
	if err != nil {
		return nil, err
	}
	return keystore.OpenOperator(path, []byte(pass))
}

// pairFlags adds the flags of a verb whose act may need a second person.
func (p *program) pairFlags(cmd *cobra.Command) {
	p.actingFlags(cmd)
	cmd.Flags().StringVar(&p.secondFlag, "second", "", "who signs too: the `NAME` of an operator, or file:PATH or pkcs11:… of the key")
	cmd.Flags().StringVar(&p.secondPassFile, "second-passphrase-file", "", "`FILE` with the second operator's passphrase (else it is asked)")
}

// actingFlags adds the flags of a verb that signs.
func (p *program) actingFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.operatorFlag, "operator", "", "who acts: the `NAME` of an operator, or file:PATH or pkcs11:… of the key (else TAMTHE_OPERATOR)")
	cmd.Flags().StringVar(&p.passphraseFile, "passphrase-file", "", "`FILE` with the operator's passphrase, - for standard input (else it is asked)")
}

// checkWord refuses what could stand in no leaf of the ledger as a name or reason: a word
// of small letters, digits and hyphens that begins with a letter.
func checkWord(flag, s string) error {
	good := s != "" && len(s) <= 32 && s[0] >= 'a' && s[0] <= 'z'
	for _, r := range s {
		good = good && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-')
	}
	if !good {
		return usageBoth(wordOneWord, flag)
	}
	return nil
}

// ofSpecimens reports whether a folder lies in one named specimen, or is it, by whatever way
// it is named: pki sees the names below it only.
func ofSpecimens(dir string) bool {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	if whole, err := filepath.Abs(dir); err == nil {
		dir = whole
	}
	return slices.ContainsFunc(strings.Split(filepath.ToSlash(dir), "/"), func(name string) bool {
		return strings.EqualFold(name, "specimen")
	})
}

// trust reads a trust folder, by default that of the home; without one nobody is trusted.
// The officer's view says nothing of files that are no use there: `tamthe trust list` does.
func (p *program) trust(dir string) (*pki.Store, error) {
	if dir == "" {
		dir = p.home.path(trustDir)
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return pki.NewStore(nil, nil, nil), nil
		}
	}
	folder, err := p.folder(dir)
	if err != nil {
		return nil, err
	}
	s, err := folder.Load()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return s, nil
}

// seen is the record of the lists that this device has seen. A home without one has seen
// none.
func (p *program) seen() (*pki.Memory, error) { return pki.OpenMemory(p.home.path(seenFile)) }
