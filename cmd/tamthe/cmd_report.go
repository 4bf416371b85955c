package main

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/verify/durable"
)

type reportOptions struct {
	from, to, publish, logins string
	by                        []string
}

func newReport(p *program) *cobra.Command {
	var o reportOptions
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Count applications by office, reason, age and day",
		Long: `Counts the applications that were opened, approved, refused, withdrawn and ended with a card
between two days, both counted in. Ages come from sealed data; no name or number is printed.

With --publish it writes what may leave the office of whole months that are over, each month by
itself: the counts by office, reason, age, kind of document and day; refusals, cards revoked and
answers of the population register with their reasons; how many working days cards took, against
the seven of the law; how old the revocation and status lists were; what this device inspected,
if it did; and with --logins the logins of a service of e-authentication. It is JSON, and FILE.sig
beside it is the operator's signature of FILE's octets. All counts of people are rounded to fives,
so that nobody is found by a small one, nor by what is left of a large one, nor by the difference
of two periods. The file is the same octet by octet whenever it is made; only the ages of people
who were shredded since become unknown. An Ed25519 signature is verified, with the key that
` + "`tamthe operator key NAME`" + ` prints, by

  openssl pkeyutl -verify -rawin -pubin -inkey operator.pub -in FILE -sigfile FILE.sig
`,
		Example: "  tamthe report --from 2026-09-01 --to 2026-09-30 --by office,reason,age\n  tamthe report --from 2026-09-01 --to 2026-09-30 --publish september.json --operator an",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case o.publish != "":
				return runPublish(cmd.Context(), p, o)
			case o.logins != "":
				return usagef("--logins goes with --publish")
			}
			return runReport(cmd.Context(), p, o)
		},
	}
	cmd.Flags().StringVar(&o.from, "from", "", "first `DAY`, as 2026-09-01 (else today)")
	cmd.Flags().StringVar(&o.to, "to", "", "last `DAY` (else today)")
	cmd.Flags().StringSliceVar(&o.by, "by", nil, "told apart by office, reason, age, day")
	cmd.Flags().StringVar(&o.publish, "publish", "", "write what may leave the office to this new `FILE`, and FILE.sig")
	cmd.Flags().StringVar(&o.logins, "logins", "", "`FOLDER` of a service of e-authentication whose logins are published too")
	p.actingFlags(cmd)
	return cmd
}

// countJSON is a line of `report --json`.
type countJSON struct {
	Office    string `json:"office,omitempty"`
	Reason    string `json:"reason,omitempty"`
	Age       string `json:"age,omitempty"`
	Day       string `json:"day,omitempty"`
	Enrolled  int    `json:"enrolled"`
	Approved  int    `json:"approved"`
	Rejected  int    `json:"rejected"`
	Cancelled int    `json:"cancelled"`
	Issued    int    `json:"issued"`
}

func (o reportOptions) sorts() (desk.Sorts, error) {
	for _, s := range o.by {
		if !slices.Contains([]string{"office", "reason", "age", "day"}, s) {
			return desk.Sorts{}, usagef("--by takes office, reason, age and day, not %q", s)
		}
	}
	has := func(s string) bool { return slices.Contains(o.by, s) }
	return desk.Sorts{Office: has("office"), Reason: has("reason"), Age: has("age"), Day: has("day")}, nil
}

// dayFlag reads a day, where the clock stands; none is today.
func (p *program) dayFlag(flag, text string) (time.Time, error) {
	if text == "" {
		return p.now(), nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, p.now().Location())
	if err != nil {
		return day, usagef("%s is a day such as 2026-09-01", flag)
	}
	return day, nil
}

func runReport(ctx context.Context, p *program, o reportOptions) error {
	by, err := o.sorts()
	if err != nil {
		return err
	}
	from, err := p.dayFlag("--from", o.from)
	if err != nil {
		return err
	}
	to, err := p.dayFlag("--to", o.to)
	if err != nil {
		return err
	}
	why := looking
	if by.Age {
		why = opening
	}
	office, err := p.openOffice(ctx, why)
	if err != nil {
		return err
	}
	defer office.done()
	counts, err := office.Statistics(ctx, from, to, by)
	if err != nil {
		return err
	}
	if p.documents {
		rows := []countJSON{}
		for _, c := range counts {
			rows = append(rows, countJSON(c))
		}
		return p.document(struct {
			Schema string      `json:"schema"`
			From   string      `json:"from"`
			To     string      `json:"to"`
			Counts []countJSON `json:"counts"`
		}{"tamthe/report/1", from.Format(time.DateOnly), to.Format(time.DateOnly), rows})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(append(columns(by), "enrolled", "approved", "rejected", "cancelled", "issued"), "\t"))
	for _, c := range counts {
		for _, s := range []struct {
			asked bool
			text  string
		}{{by.Day, c.Day}, {by.Office, c.Office}, {by.Reason, c.Reason}, {by.Age, c.Age}} {
			if s.asked {
				fmt.Fprintf(w, "%s\t", s.text)
			}
		}
		fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\n", c.Enrolled, c.Approved, c.Rejected, c.Cancelled, c.Issued)
	}
	return w.Flush()
}

// columns names what the counts are told apart by, in the order of their columns.
func columns(by desk.Sorts) (names []string) {
	for _, s := range []struct {
		asked bool
		name  string
	}{{by.Day, "day"}, {by.Office, "office"}, {by.Reason, "reason"}, {by.Age, "age"}} {
		if s.asked {
			names = append(names, s.name)
		}
	}
	return names
}

// runPublish writes the indicators of a period, signed.
func runPublish(ctx context.Context, p *program, o reportOptions) error {
	if len(o.by) > 0 {
		return usagef("--publish tells all sorts; --by goes without it")
	}
	from, to, err := p.wholeMonths("--publish", o.from, o.to)
	if err != nil {
		return err
	}
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	sources, done, err := p.reportSources(ctx, o)
	if err != nil {
		return err
	}
	defer done()
	i, err := office.Indicators(ctx, from, to, sources...)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(struct {
		Schema string `json:"schema"`
		*desk.Indicators
	}{"tamthe/indicators/2", i}, "", " ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	signature, err := signOctets(office.Signer, text)
	if err != nil {
		return err
	}
	if err := durable.Export(o.publish, text, 0o600); err != nil {
		return err
	}
	if err := durable.Export(o.publish+".sig", signature, 0o600); err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
		File   string `json:"file"`
	}{"tamthe/report-publish/1", o.publish}, o.publish, o.publish)
}

// signOctets signs a file: Ed25519 its octets, ECDSA their SHA-256.
func signOctets(key crypto.Signer, octets []byte) ([]byte, error) {
	h := crypto.Hash(0)
	if _, ok := key.Public().(ed25519.PublicKey); !ok {
		h = crypto.SHA256
		sum := sha256.Sum256(octets)
		octets = sum[:]
	}
	signature, err := key.Sign(rand.Reader, octets, h)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return signature, nil
}
