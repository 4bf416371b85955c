package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/status"
	"github.com/tamthe/tamthe/verify/status/dist"
)

func newStatusPublish(p *program) *cobra.Command {
	var o buildOptions
	cmd := &cobra.Command{
		Use:   "publish DIR",
		Short: "Sign the list as it is now into a folder that devices fetch from; prints its head",
		Long: `Signs the index list of this ledger's cards into a folder that any web server or cache may
hand out, or tamthe serve status: devices keep up with it by status fetch. Each time it writes
a snapshot, a patch from the snapshot before, and last of all the head, which says what is the
newest and how older ones become it. Run it as often as devices are to know: hourly, daily.

  head            may be kept by caches for a minute: Cache-Control: public, max-age=60
  N.status        snapshots, never changed: public, max-age=31536000, immutable
  FROM-N.patch    likewise

Everything is signed, so that it may go over plain HTTP. What no device is led to any more is
removed; other files of the folder stay.
`,
		Example: "  tamthe status publish /srv/www/status --operator an --hours 26",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.out = args[0]
			return runStatusPublish(cmd.Context(), p, o)
		},
	}
	o.listFlags(cmd)
	p.actingFlags(cmd)
	return cmd
}

func runStatusPublish(ctx context.Context, p *program, o buildOptions) error {
	if _, err := o.header(p.now()); err != nil {
		return err
	}
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	header := func() status.Header {
		h, _ := o.header(p.now()) // what is wrong with it was said
		return h
	}
	own := keyOf(func() ([32]byte, error) { return office.Authority.StatusKeyID(ctx) })
	publisher := dist.Publisher{
		Dir: o.out, Signers: own,
		Snapshot: func() ([]byte, error) { return office.MakeStatus(ctx, header(), nil) },
		Head: func(l *status.List, size uint64, steps []status.Step) ([]byte, error) {
			return office.MakeStatusHead(ctx, header(), l, size, steps)
		},
	}
	out, err := publisher.Publish()
	if errors.Is(err, status.ErrSigner) {
		return hintBoth(err, wordEmptyFolder)
	}
	if err != nil {
		return err
	}
	head := filepath.Join(o.out, dist.HeadName)
	return p.result(struct {
		Schema string `json:"schema"`
		Folder string `json:"folder"`
		Head   uint64 `json:"head"`
		Patch  int    `json:"patch"`
		Steps  int    `json:"steps"`
		listJSON
	}{"tamthe/status-publish/1", o.out, out.Head.Sequence, out.Patch, len(out.Head.Steps), listOf(out.Snapshot)}, head, head)
}

// keyOf pins the key that a function tells, which may be made meanwhile.
type keyOf func() ([32]byte, error)

// Issuer implements [status.Signers].
func (k keyOf) Issuer(country, document string) (pki.Issuer, bool) {
	id, err := k()
	if err != nil {
		return pki.Issuer{}, false
	}
	return anyKey(id).Issuer(country, document)
}

type fetchOptions struct {
	trust, list string
}

func newStatusFetch(p *program) *cobra.Command {
	var o fetchOptions
	cmd := &cobra.Command{
		Use:   "fetch ADDRESS",
		Short: "Take what is newer of a published list of card status",
		Long: `Takes from an http or https address, at which status publish's folder is handed out, what
the trust folder lacks: patches from the snapshot that it has, or the newest snapshot. A
download that was cut goes on where it was. Until the new list is there whole, is signed by a
key that issuers.toml pins, and is no older than what this device has seen, the list that was
there stays and is used; the transport need not be trusted.

Where what is published is older than its publisher promised, that is said on standard error:
the address, or something before it, holds back what is new.
`,
		Example: "  tamthe status fetch http://status.example.org/vn/",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runStatusFetch(cmd.Context(), p, args[0], o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.trust, "trust", "", "trust `FOLDER` (else the home's); its issuers.toml pins the signers")
	f.StringVar(&o.list, "list", "", "`URI` of the list that must come (else the one that came first from there)")
	return cmd
}

func runStatusFetch(ctx context.Context, p *program, address string, o fetchOptions) error {
	trust, err := p.trust(o.trust)
	if err != nil {
		return err
	}
	seen, err := p.seen()
	if err != nil {
		return err
	}
	c := dist.Client{
		Dir:     filepath.Join(first(o.trust, p.home.path(trustDir)), pki.StatusFolder),
		Signers: trust, Memory: homeless{seen, p.home}, Now: p.now, List: o.list,
	}
	got, err := c.Fetch(ctx, address)
	if err != nil {
		return err
	}
	if got.Overdue {
		p.warn("status-overdue", p.text(wordHeldBack), got.NextUpdate.UTC().Format(time.RFC3339))
	}
	return p.result(struct {
		Schema     string `json:"schema"`
		Address    string `json:"address"`
		List       string `json:"list"`
		From       uint64 `json:"from,omitempty"`
		Number     uint64 `json:"number"`
		Patches    int    `json:"patches"`
		Octets     int64  `json:"octets"`
		NextUpdate string `json:"next_update"`
		Overdue    bool   `json:"overdue"`
	}{
		"tamthe/status-fetch/1", address, got.List, got.From, got.To, got.Steps, got.Octets, got.NextUpdate.UTC().Format(time.RFC3339), got.Overdue,
	}, got.List, p.fetched(got))
}

// fetched says what came.
func (p *program) fetched(f *dist.Fetched) string {
	switch {
	case f.From == f.To:
		return fmt.Sprintf(p.text(wordListKept), f.List, f.To)
	case f.Steps > 0:
		return fmt.Sprintf(p.text(wordListPatched), f.List, f.From, f.To, f.Octets)
	}
	return fmt.Sprintf(p.text(wordListWhole), f.List, f.To, f.Octets)
}
