package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance/perso"
)

type virtualOptions struct {
	chip, vpcd, from, canFile, os, transportFile string
	short                                        bool
	extended                                     int
}

func newVirtual(p *program) *cobra.Command {
	var o virtualOptions
	cmd := &cobra.Command{
		Use:   "virtual",
		Short: "Put a software chip into a virtual reader",
		Long: `Holds a software chip into a virtual reader of the vpcd driver. FILE is the chip's
memory: a blank chip is made if it is not there, and --from fills it with an EF folder.
Prints "ready FILE" each time that the reader has seen the card go in, and takes the lines
insert, remove, reset and quit on standard input. At the end of the input the card stays.
`,
		Example: "  tamthe virtual --chip card.chip\n  tamthe virtual --chip copy.chip --from ./card",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runVirtual(cmd.Context(), p, o) },
	}
	cmd.Flags().StringVar(&o.chip, "chip", "", "the chip's memory `FILE`")
	cmd.Flags().StringVar(&o.vpcd, "vpcd", "127.0.0.1:35963", "`HOST:PORT` of the virtual reader")
	cmd.Flags().StringVar(&o.from, "from", "", "fill a new chip with the files of this EF `FOLDER`")
	cmd.Flags().StringVar(&o.canFile, "can-file", "", "with --from: `FILE` with the chip's CAN, - for standard input (else PACE takes the MRZ only)")
	cmd.Flags().StringVar(&o.os, "os", "", "operating system of a new blank chip, by the `NAME` of a driver of personalise")
	cmd.Flags().StringVar(&o.transportFile, "transport-file", "", "`FILE` with the transport key of a new blank chip, in hexadecimal digits (else published test keys)")
	cmd.Flags().BoolVar(&o.short, "short", false, "take short APDUs only (the default)")
	cmd.Flags().IntVar(&o.extended, "extended", 0, "take APDUs of up to `N` octets, 262 to 65535")
	return cmd
}

func (o virtualOptions) check() error {
	switch {
	case o.chip == "":
		return usagef("--chip names the chip's memory")
	case o.short && o.extended != 0:
		return usagef("--short and --extended: one of them")
	case o.extended != 0 && (o.extended < 262 || o.extended > 65535):
		return usagef("--extended is 262 to 65535, not %d", o.extended)
	case o.os != "" && o.from != "":
		return usagef("--os and --from: one of them")
	case o.transportFile != "" && o.from != "":
		return usagef("--transport-file and --from: one of them")
	case o.canFile != "" && o.from == "":
		return usagef("--can-file goes with --from")
	}
	return nil
}

func runVirtual(ctx context.Context, p *program, o virtualOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	chip, err := p.openChip(o)
	if err != nil {
		return fmt.Errorf("chip %s: %w", o.chip, err)
	}
	defer chip.Close()
	serving, stop := context.WithCancel(ctx)
	defer stop()
	control := make(chan virtual.Event)
	go steer(serving, p, control)
	err = virtual.Serve(serving, chip, virtual.ServeOptions{
		Addr: o.vpcd, Control: control, Ready: func() { fmt.Fprintln(p.out, "ready", o.chip) },
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return hint(err, "is a pcscd with the vpcd driver running, and listening on %s?", o.vpcd)
	}
	return nil
}

func (p *program) openChip(o virtualOptions) (*virtual.Chip, error) {
	limits := apdu.Limits{Command: o.extended, Response: o.extended}
	if o.from != "" {
		folder := virtual.FolderOptions{Path: o.chip, Limits: limits}
		if o.canFile != "" {
			s, err := p.secretFile(o.canFile)
			if err != nil {
				return nil, err
			}
			if _, err := parseCAN(s); err != nil {
				return nil, err
			}
			folder.CAN = strings.TrimSpace(s)
		}
		return virtual.FromFolder(os.DirFS(o.from), folder)
	}
	dialect, ok := virtual.ParseDialect(o.os)
	if !ok && o.os != "" {
		return nil, usagef("--os %s: one of %s", o.os, strings.Join(perso.Drivers(), ", "))
	}
	chip, err := virtual.Load(o.chip)
	if errors.Is(err, fs.ErrNotExist) {
		keys, err := p.factoryKeys(o.transportFile)
		if err != nil {
			return nil, err
		}
		defer keys.Destroy()
		return virtual.Create(o.chip, virtual.Config{Limits: limits, Dialect: dialect, Keys: keys})
	}
	if err == nil {
		chip.Limit(limits)
	}
	return chip, err
}

// factoryKeys are what a supplier puts onto a chip: the key of a file, or the test keys.
func (p *program) factoryKeys(file string) (gp.Keys, error) {
	if file == "" {
		return gp.TransportKeys(), nil
	}
	s, err := p.secretFile(file)
	if err != nil {
		return gp.Keys{}, err
	}
	key, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	defer clear(key)
	keys := threefold(key)
	if err != nil || keys.Check() != nil {
		return gp.Keys{}, usagef("--transport-file holds an AES key in hexadecimal digits")
	}
	return keys, nil
}

// steer turns lines of standard input into what a hand does to the card; quit closes
// control. It ends with the input or with ctx, at the latest with the process: a read of
// standard input cannot be ended otherwise.
func steer(ctx context.Context, p *program, control chan<- virtual.Event) {
	events := map[string]virtual.Event{"insert": virtual.Insert, "remove": virtual.Remove, "reset": virtual.PowerCycle}
	lines := bufio.NewScanner(p.in)
	for lines.Scan() {
		word := strings.TrimSpace(lines.Text())
		if word == "quit" {
			close(control)
			return
		}
		e, ok := events[word]
		if !ok {
			p.say("insert, remove, reset or quit, not %q", word)
			continue
		}
		select {
		case control <- e:
		case <-ctx.Done():
			return
		}
	}
}
