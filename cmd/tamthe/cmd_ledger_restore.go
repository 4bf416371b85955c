package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/ledger"
)

func newLedgerRestore(p *program) *cobra.Command {
	var lose bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of the ledger",
		Long: `Rebuilds a backup, which is a file whatever the ledger lies in, holds it against all that is
known of the ledger (the checkpoints in the home, on the second medium, and those that witnesses
cosigned) and puts it in its place. What lies there is moved aside, never deleted; in a database
that is the schema tamthe. A backup that is behind what is known is refused: acts would be lost
for which cards and receipts exist. --lose-acts does it all the same, says how many are lost, and
moves the known checkpoints aside; witnesses will go on refusing the ledger, and a new log must be
begun.
`,
		Example: "  tamthe ledger restore /media/usb/ledger-2026-11-26.db",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runLedgerRestore(cmd.Context(), p, args[0], lose)
		},
	}
	cmd.Flags().BoolVar(&lose, "lose-acts", false, "go back behind known checkpoints")
	return cmd
}

func runLedgerRestore(ctx context.Context, p *program, from string, lose bool) error {
	file, to := place{path: from}, p.ledgerPlace()
	switch _, err := p.rebuilt(ctx, file); {
	case errors.Is(err, ledger.ErrMissing):
		return hintBoth(err, wordNoCopy)
	case err != nil:
		return err
	}
	o := p.readOnly()
	o.still = true
	known, err := behind(ctx, file, o)
	switch {
	case err != nil && !errors.Is(err, ledger.ErrRolledBack):
		return err
	case err != nil && !lose:
		return hintBoth(err, wordNewerCopy)
	case err != nil:
		p.say("%v", err)
		if err := aside(known, ".before-"+p.now().UTC().Format(stampForm)); err != nil {
			return err
		}
	}
	source, err := file.open(ctx, storeOptions{readOnly: true, still: true})
	if err != nil {
		return err
	}
	defer source.Close()
	r, err := p.restored(ctx, source, to)
	if err != nil {
		return mayOwn(err)
	}
	return p.copied("restore", to.String(), r)
}

// restored puts a copy of a ledger where it is to lie; what lies there is moved aside. A file is
// whole before it comes into its place.
func (p *program) restored(ctx context.Context, source store, to place) (*ledger.Report, error) {
	arriving := to
	if to.path != "" {
		arriving.path += ".restoring"
	} else if err := p.makeRoom(ctx, to); err != nil {
		return nil, err
	}
	r, err := p.filled(ctx, source, arriving)
	if err != nil || to.path == "" {
		return r, err
	}
	if err := p.makeRoom(ctx, to); err != nil {
		return nil, err
	}
	return r, os.Rename(arriving.path, to.path)
}

// makeRoom moves what lies in a place aside.
func (p *program) makeRoom(ctx context.Context, w place) error {
	there, err := w.there(ctx)
	if err != nil || !there {
		return err
	}
	return w.aside(ctx, "before", p.now())
}

// behind opens a file with all checkpoints that are kept outside it. It returns their
// paths, and ledger.ErrRolledBack if the file does not continue them.
func behind(ctx context.Context, where place, o storeOptions) (known []string, err error) {
	for _, folder := range []string{o.checkpoints, o.second} {
		if folder != "" {
			known = append(known, filepath.Join(folder, ledger.CheckpointFile), filepath.Join(folder, ledger.CosignedFile))
		}
	}
	l, err := where.open(ctx, o)
	if err != nil {
		return known, err
	}
	defer l.Close()
	return known, l.Behind()
}
