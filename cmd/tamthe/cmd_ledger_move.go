package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/ledger"
)

func newLedgerMove(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "move FILE",
		Short: "Move the ledger to another file",
		Long: `Copies the ledger into FILE while nothing can be appended, rebuilds the copy, and moves the
old file aside, so that two ledgers never go on from one point. TAMTHE_LEDGER must name the new
file from then on.
`,
		Example: "  tamthe ledger move /srv/tamthe/ledger.db",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runLedgerMove(cmd.Context(), p, args[0]) },
	}
}

func runLedgerMove(ctx context.Context, p *program, to string) error {
	to, err := filepath.Abs(to)
	if err != nil {
		return err
	}
	log, err := keystore.OpenLogIn(ctx, p.home.path(keysDir, logKeyName), laterRing{p})
	if err != nil {
		return err
	}
	o := p.readOnly()
	o.readOnly, o.signer = false, log
	path := p.ledgerPlace().path
	l, err := p.ledgerPlace().open(ctx, o)
	if err != nil {
		return err
	}
	defer l.Close()
	var r *ledger.Report
	err = l.Hold(ctx, func() (err error) {
		if err = copyOf(ctx, l, to); err != nil {
			return err
		}
		if r, err = p.rebuilt(ctx, place{path: to}); err != nil {
			return errors.Join(err, os.Remove(to))
		}
		return os.Rename(path, path+".moved-"+p.now().UTC().Format("20060102T150405Z"))
	})
	if err != nil {
		return err
	}
	if !strings.HasPrefix(to, string(p.home)) || p.ledger.path != to {
		p.say("the ledger is now named by TAMTHE_LEDGER=sqlite:%s", to)
	}
	return p.copied("move", to, r)
}
