package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/verify"
)

func newDeskHealth(p *program) *cobra.Command {
	l := healthLimits{blanks: 50, hours: 48}
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Tell whether this desk can work, and what will soon keep it from that",
		Long: `Asks the ledger how far away it is, who appends to it and what waits to be appended, and
looks at what the making of cards rests on: the witnesses' word, the clock, leases that
nobody gave back, the revocation list, the document signers, blanks, room on the disk, the
desks that work apart, and applications that were kept here while the ledger was away. tamthe
doctor looks at readers and cards instead.

Each point is well, look or bad. Bad: no card can be made, or none should be. The exit status
is 0 if all are well, 4 if one is to be looked at, and 3 if one is bad.
`,
		Example: "  tamthe desk health\n  tamthe desk health --json --blanks 200 --sync-hours 12",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDeskHealth(cmd.Context(), p, l) },
	}
	cmd.Flags().Uint64Var(&l.blanks, "blanks", l.blanks, "look where fewer than `N` blanks are left here")
	cmd.Flags().IntVar(&l.hours, "sync-hours", l.hours, "look where a desk apart was not synced for `N` hours")
	return cmd
}

// healthLimits say from when on something is to be looked at.
type healthLimits struct {
	blanks uint64
	hours  int
}

// The states of a point.
const (
	stateWell = "well"
	stateLook = "look"
	stateBad  = "bad"
)

// healthCheck is one point of a desk's health.
type healthCheck struct {
	ID    string `json:"id"`
	State string `json:"state"`
	Text  string `json:"text"`
	vi    string
}

// healthJSON is what `desk health --json` tells.
type healthJSON struct {
	Schema string            `json:"schema"`
	State  string            `json:"state"`
	Checks []healthCheck     `json:"checks"`
	Ledger *healthLedgerJSON `json:"ledger"` // null where it does not answer
	Blanks *uint64           `json:"blanks,omitempty"`
	Room   uint64            `json:"room,omitempty"`   // octets
	Drafts int               `json:"drafts,omitempty"` // applications that wait to be filed
}

// healthLedgerJSON is how the ledger does.
type healthLedgerJSON struct {
	Place   string  `json:"place"`
	Acts    int64   `json:"acts"`
	Last    string  `json:"last,omitempty"`
	TripMS  float64 `json:"trip_ms"`
	ClockMS float64 `json:"clock_ms"` // by which the ledger's is ahead
	Epoch   int64   `json:"epoch,omitempty"`
	Appends string  `json:"appends,omitempty"` // who
	Waiting *int    `json:"waiting,omitempty"`
	Held    int     `json:"leases_held"`
	Over    int     `json:"leases_over"`
}

func runDeskHealth(ctx context.Context, p *program, l healthLimits) error {
	h := &health{p: p, limits: l, doc: healthJSON{Schema: "tamthe/desk-health/1", Checks: []healthCheck{}}}
	h.look(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	exit := h.judge()
	var err error
	if p.documents {
		err = p.document(h.doc)
	} else {
		err = h.print()
	}
	if err == nil && exit != exitOK {
		return verdictError(exit)
	}
	return err
}

// judge is the worst of the states, and its exit status.
func (h *health) judge() int {
	exit := exitOK
	h.doc.State = stateWell
	for _, c := range h.doc.Checks {
		switch {
		case c.State == stateBad:
			h.doc.State, exit = c.State, exitRefused
		case c.State == stateLook && exit == exitOK:
			h.doc.State, exit = c.State, exitRefer
		}
	}
	return exit
}

func (h *health) print() error {
	w := tabwriter.NewWriter(h.p.out, 0, 0, 2, ' ', 0)
	for _, c := range h.doc.Checks {
		id, state, text := c.ID, c.State, c.Text
		if h.p.lang == "vi" {
			id, state, text = first(healthVi[id], id), healthVi[state], c.vi
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", id, state, verify.Escape(text))
	}
	return w.Flush()
}

// howLong is a time ago in the largest unit that says something.
func howLong(d time.Duration) phrase {
	in := func(n float64, en, vi string) phrase {
		return phrase{fmt.Sprintf("%d %s", int(n), en), fmt.Sprintf("%d %s", int(n), vi)}
	}
	switch {
	case d < time.Minute:
		return in(d.Seconds(), "s", "giây")
	case d < 2*time.Hour:
		return in(d.Minutes(), "min", "phút")
	case d < 48*time.Hour:
		return in(d.Hours(), "h", "giờ")
	}
	return in(d.Hours()/24, "d", "ngày")
}
