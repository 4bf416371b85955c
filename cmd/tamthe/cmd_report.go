package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/desk"
)

type reportOptions struct {
	from, to string
	by       []string
}

func newReport(p *program) *cobra.Command {
	var o reportOptions
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Count applications by office, reason, age and day",
		Long: `Counts the applications that were opened, approved, refused, withdrawn and ended with a card
between two days, both counted in. Ages come from sealed data; no name or number is printed.
`,
		Example: "  tamthe report --from 2026-09-01 --to 2026-09-30 --by office,reason,age",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runReport(cmd.Context(), p, o) },
	}
	cmd.Flags().StringVar(&o.from, "from", "", "first `DAY`, as 2026-09-01 (else today)")
	cmd.Flags().StringVar(&o.to, "to", "", "last `DAY` (else today)")
	cmd.Flags().StringSliceVar(&o.by, "by", nil, "told apart by office, reason, age, day")
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
