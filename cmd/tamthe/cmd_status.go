package main

import (
	"context"
	"encoding/hex"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/status"
)

func newStatus(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Look cards up in lists of their status; make, publish and fetch such lists",
		Long: `Says how single cards stand: active, suspended, superseded, revoked or undelivered. Lists
are signed by a key that issuers.toml of the trust folder pins (status_keys), and lie as
*.status in the folder status/ of the trust folder, where verify and judge find them by
themselves. What is older than this device has seen is not used.

An issuer publishes into a folder that any web server hands out, and its devices fetch from
there what they lack.
`,
		Example: "  tamthe status lookup\n  tamthe status fetch http://status.example.org/vn/\n  tamthe status build --out cards.status --operator an",
	}
	cmd.AddCommand(newStatusLookup(p), newStatusFetch(p), newStatusBuild(p), newStatusPublish(p))
	return family(cmd)
}

type buildOptions struct {
	out, base, kind, list, country string
	documents                      []string
	hours                          int
}

func newStatusBuild(p *program) *cobra.Command {
	var o buildOptions
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Sign a list of how the cards of the ledger stand; prints its file",
		Long: `Signs a list of how the cards of this ledger stand with the key keys/status, whose
fingerprint a checkpoint pins as status_keys in its issuers.toml. Its kinds:

  index   by the index that the cards carry, every card that was issued
  exact   names of the cards that are not in force and of their chips' keys
  filter  the same, smaller: a card that it hits may be another one, until the
          exact list has confirmed it

With --delta-from it holds only what changed since that snapshot, and works beside it.
`,
		Example: "  tamthe status build --out cards.status --operator an\n" +
			"  tamthe status build --out hour.status --delta-from cards.status --operator an",
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return runStatusBuild(cmd.Context(), p, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.out, "out", "", "new `FILE` for the list; its name ends in "+status.Extension+" in a trust folder")
	f.StringVar(&o.base, "delta-from", "", "snapshot `FILE` of kind index or exact, to say only what changed since")
	f.StringVar(&o.kind, "kind", "", "its `KIND`: index, exact or filter (else index, or that of the snapshot)")
	o.listFlags(cmd)
	p.actingFlags(cmd)
	return cmd
}

// listFlags say what a list speaks of.
func (o *buildOptions) listFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.list, "list", statusList, "`URI` of the list")
	f.StringVar(&o.country, "country", "VN", "`STATE` that issued the cards, two letters")
	f.StringSliceVar(&o.documents, "documents", []string{"I"}, "document `CODES` of the MRZ that it speaks of; I is all that begin with I")
	f.IntVar(&o.hours, "hours", 24, "`HOURS` until the next list, 1 to 8784")
}

// kinds are the words of --kind.
var kinds = map[string]status.Sort{"": 0, "index": status.Index, "exact": status.Exact, "filter": status.Filter}

func (o buildOptions) header(now time.Time) (status.Header, error) {
	sort, known := kinds[o.kind]
	switch {
	case o.out == "":
		return status.Header{}, usagef("--out names the file to write")
	case !known:
		return status.Header{}, usagef("--kind is index, exact or filter, not %q", o.kind)
	case o.hours < 1 || o.hours > 8784:
		return status.Header{}, usagef("--hours is 1 to 8784, not %d", o.hours)
	case !letters(o.country, 2, 2):
		return status.Header{}, usagef("--country is two capital letters")
	}
	if sort == 0 && o.base == "" {
		sort = status.Index
	}
	return status.Header{
		Sort: sort, Country: o.country, Documents: o.documents, URI: o.list, NextUpdate: now.Add(time.Duration(o.hours) * time.Hour),
	}, nil
}

func runStatusBuild(ctx context.Context, p *program, o buildOptions) error {
	h, err := o.header(p.now())
	if err != nil {
		return err
	}
	var base []byte
	if o.base != "" {
		if base, err = readList(o.base); err != nil {
			return err
		}
	}
	if _, err := os.Lstat(o.out); err == nil {
		return &os.PathError{Op: "write", Path: o.out, Err: os.ErrExist}
	}
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	b, err := office.MakeStatus(ctx, h, base)
	if err != nil {
		return err
	}
	key, err := office.Authority.StatusKeyID(ctx)
	if err != nil {
		return err
	}
	l, err := status.Parse(b, anyKey(key))
	if err != nil {
		return err
	}
	if err := durable.Export(o.out, b, 0o600); err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
		File   string `json:"file"`
		listJSON
	}{"tamthe/status-build/1", o.out, listOf(l)}, o.out, o.out)
}

// listJSON is a list as JSON tells it.
type listJSON struct {
	Kind           string   `json:"kind"`
	List           string   `json:"list"`
	Country        string   `json:"country"`
	Documents      []string `json:"documents"`
	Number         uint64   `json:"number"`
	Base           uint64   `json:"base,omitempty"`
	Signed         string   `json:"signed"`
	NextUpdate     string   `json:"next_update"`
	Cards          uint64   `json:"cards"`
	FalsePositives float64  `json:"false_positives,omitempty"`
	Key            string   `json:"key"`
	SHA256         string   `json:"sha256"`
}

func listOf(l *status.List) listJSON {
	return listJSON{
		l.Sort.String(), l.URI, l.Country, l.Documents, l.Sequence, l.Base, l.Signed.UTC().Format(time.RFC3339), l.NextUpdate.UTC().Format(time.RFC3339),
		l.Cards(), l.FalsePositives(), hex.EncodeToString(l.Key[:]), hex.EncodeToString(l.Digest[:]),
	}
}
