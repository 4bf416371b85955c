package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance/ledger"
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
are sealed with keys that are not in it. FILE must not exist. It is an SQLite file, whatever the
ledger lies in: the other verbs take it by TAMTHE_LEDGER=sqlite:FILE.
`,
		Example: "  tamthe ledger backup /media/usb/ledger-2026-11-26.db",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runLedgerBackup(cmd.Context(), p, args[0]) },
	}
}

func runLedgerBackup(ctx context.Context, p *program, path string) error {
	l, err := p.ledgerPlace().open(ctx, p.readOnly())
	if err != nil {
		return err
	}
	defer l.Close()
	r, err := p.filled(ctx, l, place{path: path})
	if err != nil {
		return err
	}
	return p.copied("backup", path, r)
}

// readOnlyAs are those options, with the key that the log is known by; nil is the key that
// its first entry names.
func (p *program) readOnlyAs(v note.Verifier) storeOptions {
	o := p.readOnly()
	o.verifier = v
	return o
}

// errCopy says that a copy of the ledger is not whole.
var errCopy = errors.New("the copy of the ledger does not agree with itself")

// rebuilt opens a copy and rebuilds all that it says.
func (p *program) rebuilt(ctx context.Context, where place) (*ledger.Report, error) {
	l, err := where.open(ctx, storeOptions{readOnly: true, still: true})
	if err != nil {
		return nil, err
	}
	defer l.Close()
	r, err := l.VerifyAgainst(ctx)
	if err != nil {
		return nil, err
	}
	if !r.OK() {
		return nil, fmt.Errorf("%s: %w: %s", where, errCopy, r.Findings[0])
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
