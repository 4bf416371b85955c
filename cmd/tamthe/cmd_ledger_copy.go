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
	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

func newLedgerExport(p *program) *cobra.Command {
	var o datasetOptions
	cmd := &cobra.Command{
		Use:   "export [FOLDER]",
		Short: "Publish the ledger as static files, or whole months as data about nobody",
		Long: `Writes checkpoint, tiles of hashes and bundles of leaves into a folder, to be served as they
lie (C2SP tlog-tiles). Leaves name no person. A folder with an earlier export gets what is new;
one that the ledger does not continue is refused: somebody went back behind what was published.

With --parquet it writes what was done in whole months that are over as rows about nobody, for
a data centre: one row an act of a case, without any name, number, hash or time of day. Each
combination of values of a month stands there at least five times; what is rarer is told less
exactly, or left out. FILE says inside what it is and what it comes from, in Vietnamese and
English. So does FILE.json beside it, with FILE's SHA-256, and FILE.json.sig is the operator's
signature of that, as of ` + "`tamthe report --publish`" + `. FILE is the same octet by octet whenever it
is made; only the ages of people who were shredded since become unknown. --ages opens each
application for the applicant's age, which takes longer.

With --plan it tells how many octets, and how long, rows would take here, up to a billion.
`,
		Example: "  tamthe ledger export /srv/www/log\n  tamthe ledger export --parquet 09.parquet --from 2026-09-01 --to 2026-09-30 --operator an",
		Args: func(cmd *cobra.Command, args []string) error {
			if o.parquet != "" || o.plan {
				return exactly(0)(cmd, args)
			}
			return exactly(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.plan && o.parquet != "":
				return usagef("--plan writes nothing; it goes without --parquet")
			case o.plan:
				return runDatasetPlan(p)
			case o.parquet != "":
				return runDataset(cmd.Context(), p, o)
			}
			return runLedgerExport(cmd.Context(), p, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.parquet, "parquet", "", "write the acts of whole months to this new `FILE`, and FILE.json and FILE.json.sig")
	f.StringVar(&o.from, "from", "", "first `DAY` of the first month, as 2026-09-01")
	f.StringVar(&o.to, "to", "", "last `DAY` of the last month")
	f.BoolVar(&o.ages, "ages", false, "tell ages, too, from sealed data")
	f.BoolVar(&o.plan, "plan", false, "tell what rows would take here, and write nothing")
	p.actingFlags(cmd)
	return cmd
}

func runLedgerExport(ctx context.Context, p *program, dir string) error {
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	added, err := ledger.Export(ctx, dir, office.ledger)
	if err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
		Folder string `json:"folder"`
		Added  int64  `json:"added"`
	}{"tamthe/ledger-export/1", dir, added}, dir, fmt.Sprintf("%s: %d", dir, added))
}

func newLedgerBackup(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the ledger into a new file while it is in use",
		Long: `Copies the ledger as of one moment, reads the copy back and rebuilds it. Personal data in it
are sealed with keys that are not in it. FILE must not exist.
`,
		Example: "  tamthe ledger backup /media/usb/ledger-2026-11-26.db",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runLedgerBackup(cmd.Context(), p, args[0]) },
	}
}

func runLedgerBackup(ctx context.Context, p *program, path string) error {
	l, err := sqlite.Open(ctx, p.ledgerPath(), p.readOnly())
	if err != nil {
		return err
	}
	defer l.Close()
	if err := l.Backup(ctx, path); err != nil {
		return err
	}
	r, err := p.rebuilt(ctx, path)
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return p.copied("backup", path, r)
}

// readOnly are the options to read the home's ledger with.
func (p *program) readOnly() sqlite.Options {
	return sqlite.Options{ReadOnly: true, Checkpoints: p.home.path(checkpointsDir), Second: p.conf.Log.Second}
}

// readOnlyAs are those options, with the key that the log is known by; nil is the key that
// its first entry names.
func (p *program) readOnlyAs(v note.Verifier) sqlite.Options {
	o := p.readOnly()
	o.Verifier = v
	return o
}

// errCopy says that a copy of the ledger is not whole.
var errCopy = errors.New("the copy of the ledger does not agree with itself")

// rebuilt opens a copy and rebuilds all that it says.
func (p *program) rebuilt(ctx context.Context, path string) (*ledger.Report, error) {
	l, err := sqlite.Open(ctx, path, sqlite.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer l.Close()
	r, err := l.Verify(ctx, nil)
	if err != nil {
		return nil, err
	}
	if !r.OK() {
		return nil, fmt.Errorf("%s: %w: %s", path, errCopy, r.Findings[0])
	}
	return r, nil
}

func (p *program) copied(verb, path string, r *ledger.Report) error {
	return p.result(struct {
		Schema string `json:"schema"`
		File   string `json:"file"`
		Size   int64  `json:"size"`
		Root   string `json:"root"`
	}{"tamthe/ledger-" + verb + "/1", path, r.Size, r.Root.String()}, path, fmt.Sprintf("%s: %d %s", path, r.Size, r.Root))
}

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
	r, err := p.rebuilt(ctx, from)
	if err != nil {
		return err
	}
	stamp := p.now().UTC().Format("20060102T150405Z")
	known, err := behind(ctx, from, p.readOnly())
	switch {
	case err != nil && !errors.Is(err, ledger.ErrRolledBack):
		return err
	case err != nil && !lose:
		return hint(err, "find a newer backup; --lose-acts goes back all the same and says what is lost")
	case err != nil:
		p.say("%v", err)
		if err := aside(known, stamp); err != nil {
			return err
		}
	}
	source, err := sqlite.Open(ctx, from, sqlite.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer source.Close()
	path := p.ledgerPath()
	if err := source.Backup(ctx, path+".restoring"); err != nil {
		return err
	}
	if err := aside([]string{path, path + "-wal", path + "-shm"}, stamp); err != nil {
		return err
	}
	if err := os.Rename(path+".restoring", path); err != nil {
		return err
	}
	return p.copied("restore", path, r)
}

// behind opens a file with all checkpoints that are kept outside it. It returns their
// paths, and ledger.ErrRolledBack if the file does not continue them.
func behind(ctx context.Context, path string, o sqlite.Options) (known []string, err error) {
	for _, folder := range []string{o.Checkpoints, o.Second} {
		if folder != "" {
			known = append(known, filepath.Join(folder, ledger.CheckpointFile), filepath.Join(folder, ledger.CosignedFile))
		}
	}
	l, err := sqlite.Open(ctx, path, o)
	if err != nil {
		return known, err
	}
	defer l.Close()
	return known, l.Behind()
}

// aside renames files that are there.
func aside(paths []string, stamp string) error {
	for _, path := range paths {
		if err := os.Rename(path, path+".before-"+stamp); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

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
	o.ReadOnly, o.Signer = false, log
	path := p.ledgerPath()
	l, err := sqlite.Open(ctx, path, o)
	if err != nil {
		return err
	}
	defer l.Close()
	var r *ledger.Report
	err = l.Hold(ctx, func() (err error) {
		if err = l.Backup(ctx, to); err != nil {
			return err
		}
		if r, err = p.rebuilt(ctx, to); err != nil {
			return errors.Join(err, os.Remove(to))
		}
		return os.Rename(path, path+".moved-"+p.now().UTC().Format("20060102T150405Z"))
	})
	if err != nil {
		return err
	}
	if !strings.HasPrefix(to, string(p.home)) || p.ledger != to {
		p.say("the ledger is now named by TAMTHE_LEDGER=sqlite:%s", to)
	}
	return p.copied("move", to, r)
}
