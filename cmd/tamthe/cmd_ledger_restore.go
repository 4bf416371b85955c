package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

func newLedgerRestore(p *program) *cobra.Command {
	var lose bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of the ledger",
		Long: `Rebuilds a backup, holds it against all that is known of the ledger (the checkpoints in the
home, on the second medium, and those that witnesses cosigned) and puts it in its place. What
lies there is moved aside, never deleted. A backup that is behind what is known is refused:
acts would be lost for which cards and receipts exist. --lose-acts does it all the same, says
how many are lost, and moves the known checkpoints aside; witnesses will go on refusing the
ledger, and a new log must be begun.
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
	r, err := p.rebuilt(ctx, place{path: from})
	if err != nil {
		return err
	}
	before := ".before-" + p.now().UTC().Format(stampForm)
	known, err := behind(ctx, place{path: from}, p.readOnly())
	switch {
	case err != nil && !errors.Is(err, ledger.ErrRolledBack):
		return err
	case err != nil && !lose:
		return hint(err, "find a newer backup; --lose-acts goes back all the same and says what is lost")
	case err != nil:
		p.say("%v", err)
		if err := aside(known, before); err != nil {
			return err
		}
	}
	source, err := sqlite.Open(ctx, from, sqlite.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer source.Close()
	path := p.ledgerPlace().path
	if err := source.Backup(ctx, path+".restoring"); err != nil {
		return err
	}
	if err := aside([]string{path, path + "-wal", path + "-shm"}, before); err != nil {
		return err
	}
	if err := os.Rename(path+".restoring", path); err != nil {
		return err
	}
	return p.copied("restore", path, r)
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

// aside renames files that are there.
func aside(paths []string, suffix string) error {
	for _, path := range paths {
		if err := os.Rename(path, path+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
