package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/virtual"
)

type virtualOptions struct {
	chip, vpcd, from string
	short            bool
	extended         int
}

func newVirtual(p *program) *cobra.Command {
	var o virtualOptions
	cmd := &cobra.Command{
		Use:   "virtual",
		Short: "Put a software chip into a virtual reader",
		Long: `Holds a software chip into a virtual reader of the vpcd driver. FILE is the chip's
memory: a blank chip is made if it is not there, and --from fills it with an EF folder.
Prints "ready NAME" once the reader has seen the card, and takes the lines insert, remove,
reset and quit on standard input.
` + exitHelp,
		Example: "  tamthe virtual --chip card.chip",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runVirtual(cmd.Context(), p, o) },
	}
	cmd.Flags().StringVar(&o.chip, "chip", "", "the chip's memory `FILE`")
	cmd.Flags().StringVar(&o.vpcd, "vpcd", "127.0.0.1:35963", "`HOST:PORT` of the virtual reader")
	cmd.Flags().StringVar(&o.from, "from", "", "fill a new chip with the files of this EF `FOLDER`")
	cmd.Flags().BoolVar(&o.short, "short", false, "take short APDUs only (the default)")
	cmd.Flags().IntVar(&o.extended, "extended", 0, "take APDUs of up to `N` octets")
	cmd.MarkFlagsMutuallyExclusive("short", "extended")
	return cmd
}

func runVirtual(ctx context.Context, p *program, o virtualOptions) error {
	if o.chip == "" {
		return usagef("--chip names the chip's memory")
	}
	chip, err := openChip(o)
	if err != nil {
		return fmt.Errorf("chip %s: %w", o.chip, err)
	}
	defer chip.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	control := make(chan virtual.Event)
	go steer(ctx, p, control, cancel)
	err = virtual.Serve(ctx, chip, virtual.ServeOptions{
		Addr: o.vpcd, Control: control, Ready: func() { fmt.Fprintln(p.out, "ready", o.chip) },
	})
	if err != nil && ctx.Err() == nil {
		return hint(fmt.Errorf("virtual reader %s: %w", o.vpcd, err), "is a pcscd with the vpcd driver running there?")
	}
	return nil
}

func openChip(o virtualOptions) (*virtual.Chip, error) {
	limits := apdu.Limits{}
	if o.extended > 0 {
		limits = apdu.Limits{Command: o.extended, Response: o.extended}
	}
	if o.from != "" {
		return virtual.FromFolder(os.DirFS(o.from), virtual.FolderOptions{Path: o.chip, Limits: limits})
	}
	chip, err := virtual.Load(o.chip)
	if errors.Is(err, fs.ErrNotExist) {
		return virtual.Create(o.chip, virtual.Config{Limits: limits})
	}
	if err == nil {
		chip.Limit(limits)
	}
	return chip, err
}

// steer turns lines of standard input into what a hand does to the card. At the end of
// the input the card stays where it is.
func steer(ctx context.Context, p *program, control chan<- virtual.Event, quit func()) {
	lines := bufio.NewScanner(p.in)
	for lines.Scan() {
		var e virtual.Event
		switch lines.Text() {
		case "insert":
			e = virtual.Insert
		case "remove":
			e = virtual.Remove
		case "reset":
			e = virtual.PowerCycle
		case "quit":
			quit()
			return
		default:
			p.say("insert, remove, reset or quit, not %q", lines.Text())
			continue
		}
		select {
		case control <- e:
		case <-ctx.Done():
			return
		}
	}
}
