package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/receipt"
)

// branchesDir has the mirrors of the desks' ledgers at the office, ackFile the office's last
// receipt at a desk.
const (
	branchesDir = "desks"
	ackFile     = "desk.ack"
)

func newDeskExport(p *program) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "export FILE",
		Short: "At a desk: write what was done since the last receipt",
		Long: `Writes the acts that the office has not confirmed yet, with all that is sealed beside
them, to a new file. It holds personal data, sealed, and goes to the office. --all writes the
whole ledger.
`,
		Example: "  tamthe desk export /media/usb/hn-01.acts",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runDeskExport(cmd.Context(), p, args[0], all) },
	}
	cmd.Flags().BoolVar(&all, "all", false, "write the whole ledger")
	return cmd
}

func runDeskExport(ctx context.Context, p *program, file string, all bool) error {
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	var from int64
	if a, err := p.lastAck(); err == nil && !all {
		from = a.size
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(office.ledger.Excerpt(ctx, f, from), f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	return p.result(struct {
		Schema string `json:"schema"`
		File   string `json:"file"`
		From   int64  `json:"from"`
	}{"tamthe/desk-export/1", file, from}, file, "")
}

func newDeskSync(p *program) *cobra.Command {
	var ack string
	cmd := &cobra.Command{
		Use:   "sync NAME FILE",
		Short: "At the office: take over what a desk did",
		Long: `Takes over the acts that tamthe desk export wrote at the desk: each is judged by the rules,
and all of them are held against the desk's own checkpoint and the logs of all other desks.
They stay as they are. What contradicts another log, or goes beyond the grant, is listed and
waits for a person. --ack writes the receipt that the desk keeps: without a fresh one it stops.
`,
		Example: "  tamthe desk sync hn-01 /media/usb/hn-01.acts --ack /media/usb/hn-01.ack --operator an",
		Args:    exactly(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDeskSync(cmd.Context(), p, args[0], args[1], ack)
		},
	}
	p.actingFlags(cmd)
	cmd.Flags().StringVar(&ack, "ack", "", "new `FILE` for the receipt")
	return cmd
}

func runDeskSync(ctx context.Context, p *program, name, file, ack string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	x, err := ledger.OpenExcerpt(f)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	b, err := office.Branch(ctx, name)
	if err != nil {
		return err
	}
	m, err := p.openMirror(ctx, b, true)
	if err != nil {
		return err
	}
	defer m.Close()
	others, closeAll, err := p.otherLogs(ctx, office, name)
	defer closeAll()
	if err != nil {
		return err
	}
	done, err := office.SyncBranch(ctx, name, m, x, others...)
	if err != nil {
		return err
	}
	if ack != "" {
		if err := writeAck(ctx, office, done, ack); err != nil {
			return err
		}
	}
	return reportSync(p, name, done)
}

func reportSync(p *program, name string, done *desk.Synced) error {
	rows := []conflictJSON{}
	for _, c := range done.Conflicts {
		r := conflictJSON{ID: c.ID(), Object: c.Object, Left: c.Sides[0].String()}
		if len(c.Sides) > 1 {
			r.Right = c.Sides[1].String()
		}
		rows = append(rows, r)
	}
	if p.documents {
		return p.document(struct {
			Schema    string         `json:"schema"`
			Desk      string         `json:"desk"`
			Size      int64          `json:"size"`
			Conflicts []conflictJSON `json:"conflicts"`
		}{"tamthe/desk-sync/1", name, done.Size, rows})
	}
	if len(rows) > 0 {
		p.say("%d conflicts wait for a person; see `tamthe desk conflicts`", len(rows))
	}
	return printConflicts(p, rows)
}

// openMirror opens the copy of a desk's ledger; with fresh it is made if it is not there.
func (p *program) openMirror(ctx context.Context, b *desk.Branch, fresh bool) (*sqlite.Ledger, error) {
	v, err := note.NewVerifier(b.LogKey)
	if err != nil {
		return nil, fmt.Errorf("log key of desk %s: %w", b.Name, issuance.ErrEntry)
	}
	path := p.home.path(branchesDir, b.Name+".db")
	m, err := sqlite.OpenMirror(ctx, path, v, sqlite.Options{ReadOnly: !fresh})
	if !errors.Is(err, ledger.ErrMissing) || !fresh {
		return m, err
	}
	if err := os.MkdirAll(p.home.path(branchesDir), 0o700); err != nil {
		return nil, err
	}
	return sqlite.CreateMirror(ctx, path, v, sqlite.Options{})
}

// openApart opens the mirrors of the desks that work apart, if there are any.
func (p *program) openApart(ctx context.Context, o *office) error {
	if _, err := os.Stat(p.home.path(branchesDir)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	list, err := o.Branches(ctx)
	if err != nil {
		return err
	}
	for _, b := range list {
		if b.Size == 0 {
			continue
		}
		m, err := p.openMirror(ctx, &b, false)
		if err != nil {
			return fmt.Errorf("desk %s: %w", b.Name, err)
		}
		o.close = append(o.close, func() { _ = m.Close() })
		o.Apart = append(o.Apart, m)
	}
	return nil
}

// otherLogs are the office's own ledger and the mirrors of all desks but one.
func (p *program) otherLogs(ctx context.Context, o *office, but string) (logs []desk.Log, closeAll func(), err error) {
	var open []*sqlite.Ledger
	closeAll = func() {
		for _, m := range open {
			_ = m.Close()
		}
	}
	list, err := o.Branches(ctx)
	if err != nil {
		return nil, closeAll, err
	}
	logs = append(logs, desk.Log{Origin: o.ledger.Origin(), Store: o.ledger})
	for _, b := range list {
		if b.Name == but || b.Size == 0 {
			continue
		}
		m, err := p.openMirror(ctx, &b, false)
		if err != nil {
			return nil, closeAll, err
		}
		open = append(open, m)
		logs = append(logs, desk.Log{Origin: b.Origin, Store: m})
	}
	return logs, closeAll, nil
}

// writeAck writes the proof that the sync stands in the office's log.
func writeAck(ctx context.Context, o *office, done *desk.Synced, file string) error {
	index, err := o.ledger.IndexOf(ctx, done.Entry)
	if err != nil {
		return err
	}
	proof, err := o.ledger.Prove(ctx, index)
	if err != nil {
		return err
	}
	if proof.Extra, err = o.ledger.Leaf(ctx, index); err != nil {
		return err
	}
	text, err := proof.MarshalText()
	if err != nil {
		return err
	}
	return durable.Export(file, text, 0o600)
}

func newDeskAck(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "ack FILE",
		Short: "At a desk: keep the office's receipt",
		Long: `Checks the receipt that tamthe desk sync wrote, under the office's log key in config.toml,
and keeps it: the desk may go on until it is older than config.toml allows.

  [desk]
  name = "hn-01"
  office = "specimen.tamthe.example/log+…"    # as tamthe init printed it there
  hours = 72
`,
		Example: "  tamthe desk ack /media/usb/hn-01.ack",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runDeskAck(p, args[0]) },
	}
}

func runDeskAck(p *program, file string) error {
	text, err := p.input(file, receipt.MaxProof)
	if err != nil {
		return err
	}
	a, err := p.openAck(text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if last, err := p.lastAck(); err == nil && last.size > a.size {
		return fmt.Errorf("%s: the office had confirmed %d acts before, this receipt says %d: %w", file, last.size, a.size, issuance.ErrConflict)
	}
	if err := durable.Replace(p.home.path(ackFile), text, 0o600); err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
		Size   int64  `json:"size"`
		Time   string `json:"time"`
	}{"tamthe/desk-ack/1", a.size, a.at.Format(time.RFC3339)}, file, fmt.Sprintf("%d acts confirmed", a.size))
}

// ack is what the office confirmed.
type ack struct {
	size int64
	at   time.Time
}

var (
	// errNotApart says that this home is no desk that works apart.
	errNotApart = errors.New("config.toml has no [desk] with name and office")
	// errAck says that a receipt is of something else.
	errAck = errors.New("it is no receipt for this desk")
	// errApart says that a desk has been apart for longer than it may.
	errApart = errors.New("the office has confirmed nothing for too long")
)

func (p *program) lastAck() (ack, error) {
	text, err := os.ReadFile(p.home.path(ackFile))
	if err != nil {
		return ack{}, err
	}
	return p.openAck(text)
}

// openAck verifies a receipt under the pinned key of the office's log.
func (p *program) openAck(text []byte) (ack, error) {
	c := p.conf.Desk
	if c.Name == "" || c.Office == "" {
		return ack{}, errNotApart
	}
	v, err := receipt.ParseLogKey(c.Office)
	if err != nil {
		return ack{}, err
	}
	proof, err := receipt.Parse(text)
	if err != nil {
		return ack{}, err
	}
	if _, err := receipt.Verify(proof, proof.Extra, receipt.Policy{Logs: []note.Verifier{v}}); err != nil {
		return ack{}, err
	}
	e, _, err := issuance.ParseLeaf(proof.Extra)
	if err != nil {
		return ack{}, err
	}
	size, err := strconv.ParseInt(e.Fields["size"], 10, 64)
	if err != nil || e.Stream != issuance.Desk(c.Name) || e.Act != issuance.Sync {
		return ack{}, errAck
	}
	return ack{size, e.Time}, nil
}

// notApartTooLong refuses where a desk must have been confirmed and was not.
func (p *program) notApartTooLong() error {
	c := p.conf.Desk
	if c.Hours == 0 {
		return nil
	}
	last, err := p.lastAck()
	if err != nil {
		return fmt.Errorf("%w: %w", errApart, err)
	}
	if age := p.now().Sub(last.at); age > time.Duration(c.Hours)*time.Hour {
		return fmt.Errorf("%w: the last receipt is %d hours old, at most %d are allowed", errApart, int(age.Hours()), c.Hours)
	}
	return nil
}
