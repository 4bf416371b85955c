package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/durable"
)

type approveOptions struct {
	show     bool
	portrait string
}

func newApprove(p *program) *cobra.Command {
	var o approveOptions
	cmd := &cobra.Command{
		Use:   "approve APP",
		Short: "Say that what an application asks for may be made",
		Long: `Signs that exactly what the application asks for may be made: the data of the chip,
what is printed, expiry and reason. Whoever enrolled it cannot approve it. Look at it first
with --show, which signs nothing and needs no operator.
`,
		Example: "  tamthe approve A-7K3QX2MB4D --show --portrait face.jpg\n  tamthe approve A-7K3QX2MB4D --operator binh",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.show {
				return runApproveShow(cmd.Context(), p, args[0], o.portrait)
			}
			if o.portrait != "" {
				return usagef("--portrait goes with --show")
			}
			return runApprove(cmd.Context(), p, args[0])
		},
	}
	cmd.Flags().BoolVar(&o.show, "show", false, "show what would be approved")
	cmd.Flags().StringVar(&o.portrait, "portrait", "", "with --show: also write the portrait to this new `FILE`")
	p.actingFlags(cmd)
	return cmd
}

func runApprove(ctx context.Context, p *program, app string) error {
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	if err := office.Approve(ctx, app); err != nil {
		return err
	}
	return p.result(struct {
		Schema      string `json:"schema"`
		Application string `json:"application"`
	}{"tamthe/approve/1", app}, app, "")
}

// draftJSON is what an application asks for, as `approve --show --json` tells it. It holds
// personal data.
type draftJSON struct {
	Schema      string       `json:"schema"`
	Application string       `json:"application"`
	Profile     string       `json:"profile"`
	Reason      string       `json:"reason"`
	Person      vn.Person    `json:"person"`
	Issued      string       `json:"issued"`
	Expires     string       `json:"expires"`
	Portrait    portraitJSON `json:"portrait"`
}

type portraitJSON struct {
	Octets int    `json:"octets"`
	SHA256 string `json:"sha256"`
}

func runApproveShow(ctx context.Context, p *program, app, portrait string) error {
	office, err := p.openOffice(ctx, opening)
	if err != nil {
		return err
	}
	defer office.done()
	d, err := office.Draft(ctx, app)
	if err != nil {
		return err
	}
	if portrait != "" {
		if err := durable.Export(portrait, d.Portrait, 0o600); err != nil {
			return err
		}
	}
	if p.documents {
		sum := sha256.Sum256(d.Portrait)
		return p.document(draftJSON{
			"tamthe/approve-show/1", app, d.Profile, d.Reason, d.Person, vn.DateOf(d.Issued).String(), expires(d),
			portraitJSON{len(d.Portrait), hex.EncodeToString(sum[:])},
		})
	}
	return showDraft(p, app, d)
}

// expires is the day of expiry, as YYYY-MM-DD, or never.
func expires(d *desk.Draft) string {
	if e := d.Person.ExpiryAt(d.Issued); !e.Never() {
		return e.Date.String()
	}
	return "never"
}

func showDraft(p *program, app string, d *desk.Draft) error {
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"application", app},
		{"profile", d.Profile},
		{"reason", d.Reason},
		{"number", string(d.Person.Number)},
		{"surname", d.Person.Surname},
		{"given", d.Person.Given},
		{"sex", d.Person.Sex},
		{"birth", d.Person.Birth.String()},
		{"nationality", d.Person.Nationality},
		{"origin", d.Person.Origin},
		{"residence", d.Person.Residence},
		{"ethnicity", d.Person.Ethnicity},
		{"religion", d.Person.Religion},
		{"features", d.Person.Features},
		{"father", d.Person.Father},
		{"mother", d.Person.Mother},
		{"spouse", d.Person.Spouse},
		{"issued", vn.DateOf(d.Issued).String()},
		{"expires", expires(d)},
		{"portrait", fmt.Sprintf("JPEG of %d octets", len(d.Portrait))},
	} {
		if row[1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", row[0], verify.Escape(row[1]))
		}
	}
	return w.Flush()
}
