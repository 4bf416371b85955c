package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

type initOptions struct {
	name   string
	roles  []string
	origin string
}

func newInit(p *program) *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make the home, the ledger and the first operator",
		Long: `Makes the folder of this desk with its keys and an empty ledger. The first entry of
the ledger names the log key and the first operator, from whom all others are enrolled.
` + exitHelp,
		Example: "  tamthe init --operator an",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runInit(cmd.Context(), p, o) },
	}
	cmd.Flags().StringVar(&o.name, "operator", "", "`NAME` of the first operator, small letters and digits")
	cmd.Flags().StringSliceVar(&o.roles, "roles", allRoles(), "what the first operator may do")
	cmd.Flags().StringVar(&o.origin, "origin", "", "`NAME` of the log (else config.toml's, else "+defaultOrigin+")")
	cmd.Flags().StringVar(&p.passphraseFile, "passphrase-file", "", "`FILE` with a passphrase for the operator's key, - for standard input (else it is asked)")
	return cmd
}

func allRoles() []string {
	var names []string
	for _, r := range issuance.Roles() {
		names = append(names, string(r))
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
			return nil, usagef("there is no role %q; the roles are %v", n, issuance.Roles())
		}
	}
	return roles, nil
}

func runInit(ctx context.Context, p *program, o initOptions) error {
	if o.name == "" {
		return usagef("--operator names the first operator")
	}
	roles, err := parseRoles(o.roles)
	if err != nil {
		return err
	}
	path, err := p.home.ledger()
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err == nil {
		return hint(fmt.Errorf("there is a ledger already: %s", path), "nothing was changed")
	}
	origin := first(o.origin, p.conf.Log.Origin, defaultOrigin)
	for _, dir := range []string{"", keysDir, pkiDir, trustDir, checkpointsDir} {
		if err := os.MkdirAll(p.home.path(dir), 0o700); err != nil {
			return err
		}
	}
	pass, err := p.passphrase(p.passphraseFile, "new passphrase of operator "+o.name)
	if err != nil {
		return err
	}
	key, err := keystore.GenerateOperator(p.home.path(keysDir, operatorPrefix+o.name), []byte(pass))
	if err != nil {
		return err
	}
	defer key.Destroy()
	log, err := keystore.GenerateLog(p.home.path(keysDir, logKeyName), origin)
	if err != nil {
		return err
	}
	for name, use := range map[string]keystore.Use{vaultKeyName: keystore.UseVault, masterKeyName: keystore.UseCardMaster} {
		secret, err := keystore.GenerateSecret(p.home.path(keysDir, name), use)
		if err != nil {
			return err
		}
		secret.Destroy()
	}
	l, err := sqlite.Create(ctx, path, origin, sqlite.Options{Signer: log, Checkpoints: p.home.path(checkpointsDir)})
	if err != nil {
		return err
	}
	defer l.Close()
	office := &desk.Office{Store: l, Signer: key, Now: p.now}
	if err := office.Found(ctx, origin, log.Verifier, o.name, "", roles...); err != nil {
		return err
	}
	p.say("made %s with operator %s; keep a copy of keys/ in a safe place", p.home, o.name)
	_, err = fmt.Fprintln(p.out, log.Verifier)
	return err
}
