package main

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/vault"
)

// defaultOrigin names the log of a home whose config.toml names none.
const defaultOrigin = "specimen.tamthe.example/log"

type initOptions struct {
	name, second       string
	roles, secondRoles []string
	origin             string
	keys               keysConfig

	invitation, invitationPass string
	invited                    *invitation // nil where the office is this one
}

func newInit(p *program) *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make the home, the ledger and the first two operators",
		Long: `Makes the folder of this desk with its keys and an empty ledger, and prints the public
key of the log. The first entries of the ledger name that key and two operators, each with
a passphrase of their own, who enrol all others together: two people stand behind every
critical act from the first moment on. What is there already is never overwritten.

The authority's keys are files of the home, open to its owner alone, unless --keys names a
token or a helper program; --seal-keys seals the files with one more passphrase, which each
later command that signs then asks for, or reads from --keys-passphrase-file. The choice
is written to config.toml.

Enrol a third administrator soon: if one of two loses the key, nobody can be enrolled or
revoked any more.
`,
		Example: "  tamthe init --operator an --second binh",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runInit(cmd.Context(), p, o) },
	}
	cmd.Flags().StringVar(&o.name, "operator", "", "`NAME` of the first operator, small letters, digits and hyphens")
	cmd.Flags().StringSliceVar(&o.roles, "roles", nil, "what the first operator may do (else everything)")
	cmd.Flags().StringVar(&o.second, "second", "", "`NAME` of the second operator, another person")
	cmd.Flags().StringSliceVar(&o.secondRoles, "second-roles", nil, "what the second operator may do (else everything)")
	cmd.Flags().StringVar(&o.origin, "origin", "", "`NAME` of the log, some 50 octets at most, for it stands in receipts (else config.toml's, else "+defaultOrigin+")")
	cmd.Flags().StringVar(&p.passphraseFile, "passphrase-file", "", "`FILE` with a passphrase for the operator's key, - for standard input (else it is asked)")
	cmd.Flags().StringVar(&p.secondPassFile, "second-passphrase-file", "", "`FILE` with a passphrase for the second operator's key (else it is asked)")
	cmd.Flags().StringVar(&o.keys.URI, "keys", "", "`URI` of the authority's keys: file:DIR, pkcs11:token=…?module-path=…, exec:PROGRAM (else config.toml's, else file:keys)")
	cmd.Flags().StringVar(&o.invitation, "invitation", "", "`FILE` that tamthe desk invite wrote: this is a desk of that office, in a ledger of its own")
	cmd.Flags().StringVar(&o.invitationPass, "invitation-passphrase-file", "", "`FILE` with the passphrase of the invitation (else it is asked)")
	cmd.Flags().BoolVar(&o.keys.Sealed, "seal-keys", false, "seal key files with a passphrase of their own")
	cmd.Flags().StringVar(&o.keys.PassphraseFile, "keys-passphrase-file", "", "`FILE` that holds that passphrase now and later (else it is asked each time)")
	return cmd
}

// allRoles are those of people: no person is a signing service.
func allRoles() []string {
	var names []string
	for _, r := range issuance.Roles() {
		if r != issuance.Signer {
			names = append(names, string(r))
		}
	}
	return names
}

func parseRoles(names []string) ([]issuance.Role, error) {
	var roles []issuance.Role
	for _, n := range names {
		known := false
		for _, r := range issuance.Roles() {
			if string(r) == n {
				roles, known = append(roles, r), true
			}
		}
		if !known {
			return nil, usageBoth(wordNoRole, n, issuance.Roles())
		}
	}
	return roles, nil
}

// founders reads who founds the log.
func (o *initOptions) founders() (founders [2]desk.Founder, err error) {
	if o.name == "" || o.second == "" {
		return founders, usageBoth(wordTwoFirst)
	}
	if o.name == o.second {
		return founders, usageError{errSamePerson}
	}
	for i, f := range []struct {
		flag, name string
		roles      []string
	}{{"--operator", o.name, o.roles}, {"--second", o.second, o.secondRoles}} {
		if err := checkWord(f.flag, f.name); err != nil {
			return founders, err
		}
		if len(f.roles) == 0 {
			f.roles = allRoles()
		}
		roles, err := parseRoles(f.roles)
		if err != nil {
			return founders, err
		}
		if !slices.Contains(roles, issuance.Admin) {
			return founders, usageBoth(wordFirstAdmin)
		}
		founders[i] = desk.Founder{Name: f.name, Roles: roles}
	}
	return founders, nil
}

func runInit(ctx context.Context, p *program, o initOptions) error {
	founders, err := o.founders()
	if err != nil {
		return err
	}
	where := p.ledgerPlace()
	switch there, err := where.there(ctx); {
	case err != nil:
		return err
	case there:
		return hintBoth(fmt.Errorf("%s: %w", where, errLedgerThere), wordLedgerThere)
	}
	if _, err := os.Stat(p.home.path(keysDir, logKeyName)); err == nil {
		if moved := where.mustBeThere(ctx); errors.Is(moved, ledger.ErrMoved) {
			return moved
		}
		return hintBoth(fmt.Errorf("%s holds the keys of a ledger that is not there", p.home.path(keysDir)), wordKeysThere)
	}
	if err := p.chooseKeys(ctx, o.keys); err != nil {
		return err
	}
	if err := receiptFits(p.originOf(o), first(p.conf.Office.Name, defaultPlace), roomForWitnesses()); err != nil {
		return err
	}
	var pass [2]string
	if pass[0], err = p.newPassphrase(ctx, p.passphraseFile, "--passphrase-file", o.name); err != nil {
		return err
	}
	if pass[1], err = p.newPassphrase(ctx, p.secondPassFile, "--second-passphrase-file", o.second); err != nil {
		return err
	}
	if o.invitation != "" {
		if o.invited, err = p.openInvitation(ctx, o.invitation, o.invitationPass); err != nil {
			return err
		}
		defer clear(o.invited.Keys)
	}
	log, err := p.found(ctx, o, where, pass, founders)
	if err != nil {
		return err
	}
	if o.invited != nil {
		if err := p.writeDeskConfig(o.invited); err != nil {
			return err
		}
	}
	p.say(p.text(wordHomeMade), p.home, o.name, o.second)
	return p.result(struct {
		Schema   string `json:"schema"`
		Home     string `json:"home"`
		Ledger   string `json:"ledger"`
		Operator string `json:"operator"`
		Second   string `json:"second"`
		LogKey   string `json:"log_key"`
	}{"tamthe/init/1", string(p.home), where.String(), o.name, o.second, log.Verifier}, string(p.home), log.Verifier)
}

func (p *program) originOf(o initOptions) string {
	return first(o.origin, p.conf.Log.Origin, defaultOrigin)
}

// errLedgerThere says that there is nothing to found.
var errLedgerThere = errors.New("there is a ledger already")

// found makes folders, keys and ledger. After an error what it made is gone again.
func (p *program) found(ctx context.Context, o initOptions, where place, pass [2]string, founders [2]desk.Founder) (_ *keystore.LogKey, err error) {
	sealed, err := p.vaultPlace()
	if err != nil {
		return nil, err
	}
	var made, madeKeys []string
	var undo []func(context.Context) error
	keys := laterRing{p}
	defer func() {
		if err != nil {
			for _, f := range undo {
				err = errors.Join(err, f(ctx))
			}
			for _, name := range made {
				_ = os.Remove(name)
			}
			for _, name := range madeKeys {
				_ = keys.Destroy(context.WithoutCancel(ctx), name)
			}
		}
	}()
	make := func(name string) string {
		made = append(made, p.home.path(keysDir, name))
		return p.home.path(keysDir, name)
	}
	for _, dir := range []string{"", keysDir, pkiDir, trustDir, checkpointsDir} {
		if err := os.MkdirAll(p.home.path(dir), 0o700); err != nil {
			return nil, err
		}
	}
	origin := p.originOf(o)
	office := &desk.Office{Now: p.now}
	for i, signer := range []*crypto.Signer{&office.Signer, &office.Second} {
		name := operatorPrefix + founders[i].Name
		key, err := keystore.GenerateOperator(p.home.path(keysDir, name), []byte(pass[i]))
		if err != nil {
			return nil, err
		}
		make(name)
		defer key.Destroy()
		*signer = key
	}
	log, err := p.newLogKey(ctx, origin, make(logKeyName))
	if err != nil {
		return nil, err
	}
	if p.keysApart() {
		madeKeys = append(madeKeys, logRingName)
	}
	for _, s := range []struct {
		name string
		use  keystore.Use
	}{{vaultKeyName, keystore.UseVault}, {masterKeyName, keystore.UseCardMaster}} {
		if err := keys.GenerateSecret(ctx, s.name, s.use); err != nil {
			return nil, err
		}
		madeKeys = append(madeKeys, s.name)
	}
	kek, err := keys.Wrapper(ctx, vaultKeyName)
	if err != nil {
		return nil, err
	}
	defer forget(kek)
	err = makeVault(ctx, sealed, vaultKeyName, func(keys vault.Keys) (*vault.Vault, error) {
		if o.invited != nil {
			return vault.Join(ctx, keys, kek, o.invited.Keys)
		}
		return vault.Create(ctx, keys, kek)
	})
	if err != nil {
		return nil, err
	}
	undo = append(undo, sealed.clearKeys)
	if _, err := keys.Generate(ctx, desk.StatusKey, "P-256"); err != nil {
		return nil, err
	}
	madeKeys = append(madeKeys, desk.StatusKey)
	l, err := where.create(ctx, origin, storeOptions{signer: log, checkpoints: p.home.path(checkpointsDir)})
	if err != nil {
		return nil, err
	}
	undo = append(undo, where.clear)
	made = append(made, p.home.path(checkpointsDir, ledger.CheckpointFile))
	office.Store = l
	err = office.Found(ctx, origin, log.Verifier, founders[0], founders[1])
	if err == nil {
		made = append(made, p.home.path(keysDir, signerKeyName))
		err = enrolService(ctx, office, laterRing{p}, p.home.path(signerDir))
	}
	return log, errors.Join(err, l.Close())
}
