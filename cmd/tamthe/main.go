// Tamthe issues, reads and verifies chip ID cards; see `tamthe --help`.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// version is set by the build.
var version = "unknown"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run is the whole program: it returns the exit status and never ends the process.
func run(ctx context.Context, args []string, in io.Reader, out, errw io.Writer) int {
	p := &program{in: in, out: out, err: errw, now: time.Now, connect: connectPCSC}
	root := newRoot(p)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errw)
	err := root.ExecuteContext(ctx)
	if ctx.Err() != nil && err != nil {
		err = errInterrupted
	}
	return p.finish(err)
}

// The groups of `tamthe --help`.
const (
	groupCheckpoint = "checkpoint"
	groupDesk       = "desk"
	groupAuthority  = "authority"
	groupDeveloper  = "developer"
)

func newRoot(p *program) *cobra.Command {
	root := &cobra.Command{
		Use:           "tamthe",
		Short:         "Issue, read and verify chip ID cards",
		SilenceUsage:  true,
		SilenceErrors: true,
		Long: `Tamthe issues chip ID cards, reads them over PC/SC and verifies them, and keeps
every act of issuing in a tamper-evident ledger.
` + exitHelp,
		Example: "  tamthe demo",
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return p.configure()
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddGroup(
		&cobra.Group{ID: groupCheckpoint, Title: "Checkpoint:"},
		&cobra.Group{ID: groupDesk, Title: "Desk:"},
		&cobra.Group{ID: groupAuthority, Title: "Authority:"},
		&cobra.Group{ID: groupDeveloper, Title: "Developer:"},
	)
	f := root.PersistentFlags()
	f.StringVar(&p.langFlag, "lang", "", "language of texts: en or vi (else the locale)")
	f.StringVar(&p.readerFlag, "reader", "", "the reader whose name holds this `TEXT` (else TAMTHE_READER, else the only one with a card)")
	f.BoolVar(&p.json, "json", false, "print JSON on standard output")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })

	for _, g := range []struct {
		id   string
		cmds []*cobra.Command
	}{
		{groupCheckpoint, []*cobra.Command{newVerify(p), newRead(p), newJudge(p), newTrust(p)}},
		{groupDesk, []*cobra.Command{
			newInit(p), newOperator(p), newEnrol(p), newApprove(p), newPersonalise(p), newCheck(p),
			newDeliver(p), newCard(p), newLedger(p),
		}},
		{groupAuthority, []*cobra.Command{newPKI(p)}},
		{groupDeveloper, []*cobra.Command{newDemo(p), newReaders(p), newDoctor(p), newVirtual(p), newVersion(p)}},
	} {
		for _, c := range g.cmds {
			c.GroupID = g.id
			root.AddCommand(c)
		}
	}
	return root
}

// exactly wraps cobra's argument check so that a wrong count is a usage error.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := cobra.ExactArgs(n)(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}
