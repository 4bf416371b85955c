package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/osia/cms"
)

func newOrder(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "order",
		Short: "Do what systems of others want done to cards, or refuse it",
		Long: `Does what systems of others want done to cards (see serve cms), or refuses it. An officer who puts
cards out of force does so, whose act it is in the ledger: a system has no key.
`,
		Example: "  tamthe order list",
	}
	cmd.AddCommand(newOrderList(p), newOrderDo(p), newOrderRefuse(p), newOrderBackup(p))
	return family(cmd)
}

func newOrderList(p *program) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the orders that wait for an officer",
		Long:    "Lists the orders that wait for an officer, oldest first.\n",
		Example: "  tamthe order list\n  tamthe order list --all",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runOrderList(cmd.Context(), p, all) },
	}
	cmd.Flags().BoolVar(&all, "all", false, "those too that were done or refused")
	return cmd
}

// orderJSON is an order as `order list` tells it.
type orderJSON struct {
	Order     string `json:"order"`
	System    string `json:"system"`
	Card      string `json:"card"`
	Act       string `json:"act"`
	Reason    string `json:"reason"`
	Requester string `json:"requester,omitempty"`
	State     string `json:"state"`
	Why       string `json:"why,omitempty"`
	Officer   string `json:"officer,omitempty"`
	Received  string `json:"received"`
	Since     string `json:"since"`
}

func runOrderList(ctx context.Context, p *program, all bool) error {
	store, err := p.openOSIA(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	in := []cms.CommandState{cms.Waiting}
	if all {
		in = nil
	}
	list, err := store.Commands(ctx, in...)
	if err != nil {
		return err
	}
	if p.documents {
		rows := []orderJSON{}
		for _, k := range list {
			rows = append(rows, orderJSON{
				k.ID, k.System, k.Card, k.Act, k.Reason, k.Requester, string(k.State), k.Why, k.Officer, k.At.Format(time.RFC3339), k.Since.Format(time.RFC3339),
			})
		}
		return p.document(struct {
			Schema string      `json:"schema"`
			Orders []orderJSON `json:"orders"`
		}{"tamthe/order-list/1", rows})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, k := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.State, k.Act, k.Card, k.Reason, strings.TrimSpace(k.System+" "+k.Requester))
	}
	return w.Flush()
}

func newOrderDo(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "do ORDER",
		Short: "Do what an order says, as its officer's own act",
		Long: `Does what an order says, in the name of the operator, a revoker. One that was cut short is done
again: it is one act in the ledger.
`,
		Example: "  tamthe order do O-7K3QX2MB4D --operator binh",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onOrder(cmd.Context(), "tamthe/order-do/1", args[0], func(c *desk.Commands) error { return c.Do(cmd.Context(), args[0]) })
		},
	}
	p.actingFlags(cmd)
	return cmd
}

func newOrderRefuse(p *program) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:     "refuse ORDER",
		Short:   "Refuse an order",
		Long:    "Refuses an order, for a reason: " + strings.Join(desk.CommandReasons(), ", ") + ".\n",
		Example: "  tamthe order refuse O-7K3QX2MB4D --reason not-proven --operator binh",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onOrder(cmd.Context(), "tamthe/order-refuse/1", args[0], func(c *desk.Commands) error { return c.Refuse(cmd.Context(), args[0], reason) })
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, one `WORD`")
	p.actingFlags(cmd)
	return cmd
}

// onOrder decides on an order.
func (p *program) onOrder(ctx context.Context, schema, id string, act func(*desk.Commands) error) error {
	store, err := p.openOSIA(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	if err := act(&desk.Commands{Office: office.Office, Store: store}); err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
		Order  string `json:"order"`
	}{schema, id}, id, "")
}

func newOrderBackup(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy what other systems asked to a new file",
		Long: `Copies osia.db to a new file while the service runs. Put back, it opens with the vault's keys (see
vault backup), but for what was destroyed since.
`,
		Example: "  tamthe order backup /media/usb/osia.db",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := p.openOSIA(cmd.Context())
			if err != nil {
				return err
			}
			defer store.Close()
			if err := store.Backup(cmd.Context(), args[0]); err != nil {
				return err
			}
			return p.result(struct {
				Schema string `json:"schema"`
				File   string `json:"file"`
			}{"tamthe/order-backup/1", args[0]}, args[0], "")
		},
	}
}
