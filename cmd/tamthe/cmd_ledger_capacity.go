package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/capacity"
)

func newLedgerCapacity(p *program) *cobra.Command {
	var d capacity.Demand
	cmd := &cobra.Command{
		Use:   "capacity",
		Short: "Tell what a ledger of so many cards needs",
		Long: `Tells what a ledger on PostgreSQL needs for a hundred thousand to a hundred million cards, or
for --cards: rows, octets, the load of the busiest hour, and how long an audit takes. It is
arithmetic on a few figures, each measured by a test; issuance/CAPACITY.md names them, and says
what is too small first. Nothing of a home or a ledger is read.
`,
		Example: "  tamthe ledger capacity --cards 3000000 --per-day 5000",
		Args:    exactly(0),
		RunE:    func(*cobra.Command, []string) error { return runLedgerCapacity(p, d) },
	}
	cmd.Flags().Float64Var(&d.Cards, "cards", 0, "how many `CARDS` were issued in all years (else a row for each power of ten)")
	cmd.Flags().Float64Var(&d.PerDay, "per-day", 0, "how many `CARDS` the busiest day makes (else 0.4 % of all)")
	cmd.Flags().Float64Var(&d.Hours, "hours", 0, "how many `HOURS` a day has (else 8)")
	cmd.Flags().Float64Var(&d.Portrait, "portrait", 0, "how many `OCTETS` a portrait has (else 25000)")
	return cmd
}

type capacityRow struct {
	Cards         float64 `json:"cards"`
	PerDay        float64 `json:"per_day"`
	Entries       float64 `json:"entries"`
	Rows          float64 `json:"rows"`
	Database      float64 `json:"database_octets"`
	Sealed        float64 `json:"sealed_octets"`
	JournalDay    float64 `json:"journal_octets_a_day"`
	PerSecond     float64 `json:"entries_a_second"`
	Share         float64 `json:"share_of_one_sequencer"`
	VerifySeconds float64 `json:"verify_seconds"`
	HashSeconds   float64 `json:"audit_seconds"`
	SigningView   float64 `json:"signing_memory_octets"`
}

func runLedgerCapacity(p *program, d capacity.Demand) error {
	if d.Cards < 0 || d.PerDay < 0 || d.Portrait < 0 || d.Hours < 0 || d.Hours > 24 {
		return usagef("--cards, --per-day, --portrait and --hours are not negative, and a day has 24 hours")
	}
	demands := []capacity.Demand{d}
	if d.Cards == 0 {
		demands = nil
		for cards := 1e5; cards <= 1e8; cards *= 10 {
			demands = append(demands, capacity.Demand{Cards: cards, PerDay: d.PerDay, Hours: d.Hours, Portrait: d.Portrait})
		}
	}
	rows := []capacityRow{}
	for _, d := range demands {
		n := capacity.Of(d)
		rows = append(rows, capacityRow{
			n.Cards, n.PerDay, n.Entries, n.Rows, n.Database, n.Sealed, n.JournalDay, n.PerSecond, n.Share, n.Verify, n.Hashes, n.SigningView,
		})
	}
	if p.documents {
		return p.document(struct {
			Schema string        `json:"schema"`
			Rows   []capacityRow `json:"rows"`
		}{"tamthe/ledger-capacity/1", rows})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, p.text(wordCapacity))
	for _, r := range rows {
		fmt.Fprintf(w, "%.0f\t%.0f\t%.0f\t%.0f\t%.1f\t%.1f\t%.1f\t%.0f\t%.2f\t%.1f\t%.1f\t\n",
			r.Cards, r.PerDay, r.Entries, r.Rows, r.Database/1e9, r.Sealed/1e9, r.JournalDay/1e9, r.PerSecond, 100*r.Share, r.VerifySeconds/3600, r.SigningView/1e9)
	}
	return w.Flush()
}
