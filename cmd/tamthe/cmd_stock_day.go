package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/desk"
)

func newStockList(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List where the blanks of every batch are",
		Long:    "Lists how many blanks of every batch are where, and what became of the others.\n",
		Example: "  tamthe stock list",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runStockList(cmd.Context(), p) },
	}
}

type holdingJSON struct {
	Batch     string `json:"batch"`
	At        string `json:"at"`
	InStock   uint64 `json:"in_stock"`
	Used      uint64 `json:"used"`
	Spoiled   uint64 `json:"spoiled"`
	Destroyed uint64 `json:"destroyed"`
}

func runStockList(ctx context.Context, p *program) error {
	o, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer o.done()
	holdings, err := o.Holdings(ctx)
	if err != nil {
		return err
	}
	list, text := []holdingJSON{}, []string{}
	for _, h := range holdings {
		list = append(list, holdingJSON(h))
		text = append(text, fmt.Sprintf("%-20s %-16s %8d in stock %8d used %6d spoiled %6d destroyed", h.Batch, h.At, h.InStock, h.Used, h.Spoiled, h.Destroyed))
	}
	return p.result(struct {
		Schema   string        `json:"schema"`
		Holdings []holdingJSON `json:"holdings"`
	}{"tamthe/stock-list/1", list}, "", strings.Join(text, "\n"))
}

func newStockReconcile(p *program) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "reconcile BATCH",
		Short: "Name the blanks that are missing, or too many",
		Long: `Compares the numbers of the blanks that were found here with those that should be here, and
names what does not agree; the exit status is 3 then. Without --numbers compares only what the
ledger says with itself.
`,
		Example: "  tamthe stock reconcile B-2026-1 --numbers scanned.txt",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runReconcile(cmd.Context(), p, args[0], file) },
	}
	cmd.Flags().StringVar(&file, "numbers", "", "`FILE` with the numbers found, a number or a range a line, - for standard input")
	return cmd
}

func runReconcile(ctx context.Context, p *program, batch, file string) error {
	var found []desk.Span
	if file != "" {
		text, err := p.input(file, desk.MaxNumbers)
		if err != nil {
			return err
		}
		if found, err = desk.ParseNumbers(text); err != nil {
			return err
		}
		if found == nil {
			found = []desk.Span{} // nothing was found, which is not the same as not looked for
		}
	}
	o, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer o.done()
	r, err := o.Reconcile(ctx, batch, found)
	if err != nil {
		return err
	}
	if err := p.result(reconcileJSON(r), batch, reconcileText(r)); err != nil {
		return err
	}
	if !r.OK() {
		return verdictError(exitRefused)
	}
	return nil
}

func spans(list []desk.Span) []string {
	text := []string{}
	for _, s := range list {
		text = append(text, s.String())
	}
	return text
}

func reconcileJSON(r *desk.Reconciliation) any {
	return struct {
		Schema  string   `json:"schema"`
		Batch   string   `json:"batch"`
		At      string   `json:"at"`
		OK      bool     `json:"ok"`
		Book    uint64   `json:"book"`
		Missing []string `json:"missing"`
		Surplus []string `json:"surplus"`
		Wrong   []string `json:"wrong"`
	}{"tamthe/stock-reconcile/1", r.Batch, r.At, r.OK(), desk.Total(r.Book), spans(r.Missing), spans(r.Surplus), append([]string{}, r.Wrong...)}
}

func reconcileText(r *desk.Reconciliation) string {
	var lines []string
	for _, s := range r.Missing {
		lines = append(lines, fmt.Sprintf("missing %s", s))
	}
	for _, s := range r.Surplus {
		lines = append(lines, fmt.Sprintf("too many %s", s))
	}
	lines = append(lines, r.Wrong...)
	state := "agrees"
	if !r.OK() {
		state = "does not agree"
	}
	return strings.Join(append(lines, fmt.Sprintf("batch %s at %s: %d blanks should be there: %s", r.Batch, r.At, desk.Total(r.Book), state)), "\n")
}

func newStockClose(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "close-day",
		Short: "Close the day, if every blank is accounted for",
		Long: `Closes the day where the desk stands: what was there, and what came since, is what was made
into cards, spoiled, moved away and counted today. With a gap the day is not closed: count
again, name the blank with ` + "`tamthe stock reconcile`" + `, and say what became of it.
`,
		Example: "  tamthe stock close-day --operator chi",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runStockClose(cmd.Context(), p) },
	}
	p.actingFlags(cmd)
	return cmd
}

type sumJSON struct {
	Schema   string `json:"schema"`
	At       string `json:"at"`
	Opening  uint64 `json:"opening"`
	Received uint64 `json:"received"`
	Used     uint64 `json:"used"`
	Spoiled  uint64 `json:"spoiled"`
	Moved    uint64 `json:"moved"`
	Closing  uint64 `json:"closing"`
}

func runStockClose(ctx context.Context, p *program) error {
	o, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer o.done()
	s, err := o.CloseDay(ctx)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s: %d + %d received - %d used - %d spoiled - %d moved = %d", o.Place, s.Opening, s.Received, s.Used, s.Spoiled, s.Moved, s.Closing)
	return p.result(sumJSON{"tamthe/stock-close-day/1", o.Place, s.Opening, s.Received, s.Used, s.Spoiled, s.Moved, s.Closing}, o.Place, text)
}

func newStockReport(p *program) *cobra.Command {
	var day string
	cmd := &cobra.Command{
		Use:     "report",
		Short:   "List what was spoiled on a day, by operator and reason",
		Long:    "Lists what was spoiled on a day, by operator and reason: blanks here, and cards.\n",
		Example: "  tamthe stock report --day 2026-09-01",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runStockReport(cmd.Context(), p, day) },
	}
	cmd.Flags().StringVar(&day, "day", "", "`YYYY-MM-DD` (else today)")
	return cmd
}

type spoilageJSON struct {
	Operator string `json:"operator"`
	Reason   string `json:"reason"`
	Blanks   uint64 `json:"blanks"`
	Cards    uint64 `json:"cards"`
}

func runStockReport(ctx context.Context, p *program, day string) error {
	if day == "" {
		day = p.now().Format(time.DateOnly)
	}
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return usagef("--day is YYYY-MM-DD, not %q", day)
	}
	o, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer o.done()
	spoiled, err := o.Spoilage(ctx, day)
	if err != nil {
		return err
	}
	list, text := []spoilageJSON{}, []string{}
	for _, s := range spoiled {
		list = append(list, spoilageJSON(s))
		text = append(text, fmt.Sprintf("%-16s %-18s %6d blanks %6d cards", s.Operator, s.Reason, s.Blanks, s.Cards))
	}
	return p.result(struct {
		Schema  string         `json:"schema"`
		Day     string         `json:"day"`
		At      string         `json:"at"`
		Spoiled []spoilageJSON `json:"spoiled"`
	}{"tamthe/stock-report/1", day, o.Place, list}, "", strings.Join(text, "\n"))
}
