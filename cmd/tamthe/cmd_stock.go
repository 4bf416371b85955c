package main

import (
	"context"
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
)

func newStock(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "stock",
		Short: "Account for the blank cards",
		Long: `Blank cards come in batches, each with a number. A card is made of a blank that is in stock
where the desk stands, and of which no other was made. Batches are taken in, moved, spoiled and
destroyed by ranges of numbers, and a day is closed only when every blank is accounted for.
`,
		Example: "  tamthe stock receive B-2026-1 1-5000 --operator chi\n  tamthe stock count B-2026-1 4980 --operator chi && tamthe stock close-day --operator chi",
	}
	cmd.AddCommand(newStockReceive(p), newStockMove(p), newStockSpoil(p), newStockDestroy(p), newStockList(p),
		newStockCount(p), newStockReconcile(p), newStockClose(p), newStockReport(p))
	return family(cmd)
}

// rangeVerb is a verb about a range of blanks of a batch.
func rangeVerb(p *program, cmd *cobra.Command, run func(context.Context, *office, desk.Range) error) *cobra.Command {
	cmd.Args = exactly(2)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return p.changeStock(cmd.Context(), args[0], args[1], cmd.Name(), run)
	}
	p.pairFlags(cmd)
	return cmd
}

// stockJSON is what the verbs that change the stock print.
type stockJSON struct {
	Schema string `json:"schema"`
	Batch  string `json:"batch"`
	At     string `json:"at"`
	First  uint64 `json:"first"`
	Last   uint64 `json:"last"`
}

func (p *program) changeStock(ctx context.Context, batch, numbers, verb string, run func(context.Context, *office, desk.Range) error) error {
	span, err := desk.ParseSpan(numbers)
	if err != nil {
		return usageError{err}
	}
	o, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer o.done()
	r := desk.Range{Batch: batch, First: span.First, Last: span.Last, At: o.Place}
	if err := run(ctx, o, r); errors.Is(err, issuance.ErrLink) {
		return hintBoth(err, wordSeeStock)
	} else if err != nil {
		return err
	}
	p.say(p.text(wordStockDone), verb, r.Len(), batch, r.At)
	return p.result(stockJSON{"tamthe/stock-" + verb + "/1", batch, r.At, r.First, r.Last}, batch, "")
}

func newStockReceive(p *program) *cobra.Command {
	var transport string
	cmd := rangeVerb(p, &cobra.Command{
		Use:   "receive BATCH FIRST-LAST",
		Short: "Take blank cards into stock",
		Long: `Takes blank cards with these numbers into stock where the desk stands. A batch is new with
its first cards, and keeps the transport key with which they came.
`,
		Example: "  tamthe stock receive B-2026-1 1-5000 --operator chi",
	}, func(ctx context.Context, o *office, r desk.Range) error { return o.ReceiveBlanks(ctx, r, transport) })
	cmd.Flags().StringVar(&transport, "transport", "", "`NAME` of the transport key that `tamthe keys components` made (else published test keys)")
	return cmd
}

func newStockMove(p *program) *cobra.Command {
	var to string
	cmd := rangeVerb(p, &cobra.Command{
		Use:     "move BATCH FIRST-LAST",
		Short:   "Hand unused blanks over to another place",
		Long:    "Hands unused blanks over to another place, where they are in stock from then on.\n",
		Example: "  tamthe stock move B-2026-1 4001-5000 --to danang --operator chi",
	}, func(ctx context.Context, o *office, r desk.Range) error {
		if err := checkWord("--to", to); err != nil {
			return err
		}
		return o.MoveBlanks(ctx, r, to)
	})
	cmd.Flags().StringVar(&to, "to", "", "`PLACE` that they go to, as its config.toml names it")
	return cmd
}

func newStockSpoil(p *program) *cobra.Command {
	var reason string
	cmd := rangeVerb(p, &cobra.Command{
		Use:   "spoil BATCH FIRST-LAST",
		Short: "Take unused blanks out of stock that are no good, or not there",
		Long: `Takes unused blanks out of stock, for a reason. That blanks are missing takes two: whoever
says so alone may be the one who took them.
`,
		Example: "  tamthe stock spoil B-2026-1 17 --reason torn --operator chi",
	}, func(ctx context.Context, o *office, r desk.Range) error { return o.SpoilBlanks(ctx, r, reason) })
	cmd.Flags().StringVar(&reason, "reason", "torn", "`WORD` that says why")
	return cmd
}

func newStockDestroy(p *program) *cobra.Command {
	return rangeVerb(p, &cobra.Command{
		Use:     "destroy BATCH FIRST-LAST",
		Short:   "Record that two saw spoiled blanks destroyed",
		Long:    "Records that spoiled blanks were destroyed before the eyes of two stock keepers.\n",
		Example: "  tamthe stock destroy B-2026-1 17 --operator chi --second dung",
	}, func(ctx context.Context, o *office, r desk.Range) error { return o.DestroyBlanks(ctx, r) })
}

func newStockCount(p *program) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "count BATCH [N]",
		Short: "Record how many blanks of a batch were found today",
		Long: `Records that N blanks of a batch are there. With --numbers, a list of the numbers that were
found, they are counted for you, and the ledger keeps the list's digest.
`,
		Example: "  tamthe stock count B-2026-1 4980 --operator chi",
		Args: func(cmd *cobra.Command, args []string) error {
			if file != "" {
				return exactly(1)(cmd, args)
			}
			return exactly(2)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runStockCount(cmd.Context(), p, args[0], args[1:], file)
		},
	}
	cmd.Flags().StringVar(&file, "numbers", "", "`FILE` with the numbers found, a number or a range a line, - for standard input")
	p.actingFlags(cmd)
	return cmd
}

func runStockCount(ctx context.Context, p *program, batch string, count []string, file string) error {
	var n uint64
	var text []byte
	var err error
	if file != "" {
		if text, err = p.input(file, desk.MaxNumbers); err != nil {
			return err
		}
		found, err := desk.ParseNumbers(text)
		if err != nil {
			return err
		}
		n = desk.Total(found)
	} else if n, err = strconv.ParseUint(count[0], 10, 48); err != nil {
		return usageBoth(wordNoNumber, count[0])
	}
	o, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer o.done()
	if err := o.Count(ctx, batch, n, text); err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
		Batch  string `json:"batch"`
		At     string `json:"at"`
		Count  uint64 `json:"count"`
	}{"tamthe/stock-count/1", batch, o.Place, n}, batch, "")
}
