// Tamthe issues, reads and verifies chip ID cards; see `tamthe --help`.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// version is set by the build.
var version = "unknown"

func main() { os.Exit(start(connectPCSC)) }

// start runs the program for the process that it is in, with that way to a card, and
// returns the exit status. The first signal interrupts what is going on, a second one
// ends the process.
func start(connect connector) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	p := &program{in: os.Stdin, out: os.Stdout, err: os.Stderr, now: time.Now, connect: connect}
	return p.run(ctx, os.Args[1:])
}

// run does what the command line says and returns the exit status; it never ends the
// process.
func (p *program) run(ctx context.Context, args []string) int {
	root := newRoot(p)
	root.SetArgs(args)
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	cmd, err := root.ExecuteContextC(ctx)
	if _, ok := errors.AsType[usageError](err); ok {
		if _, hinted := errors.AsType[hintError](err); !hinted {
			err = hint(err, "`%s --help` explains", cmd.CommandPath())
		}
	}
	if ctx.Err() != nil && err != nil {
		err = interruptedError{err}
	}
	if !p.json && slices.Contains(args, "--json") {
		p.json = true // what stands behind a flag that is wrong was not parsed
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
`,
		Example: "  tamthe demo\n  tamthe verify --can-file can.txt",
		PersistentPreRunE: func(*cobra.Command, []string) error {
			return p.configure()
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddGroup(
		&cobra.Group{ID: groupCheckpoint, Title: "CHECKPOINT"},
		&cobra.Group{ID: groupDesk, Title: "DESK"},
		&cobra.Group{ID: groupAuthority, Title: "AUTHORITY"},
		&cobra.Group{ID: groupDeveloper, Title: "DEVELOPER"},
	)
	f := root.PersistentFlags()
	f.StringVar(&p.langFlag, "lang", "", "`LANGUAGE` of texts, en or vi (else TAMTHE_LANG, config.toml, the locale)")
	f.StringVar(&p.readerFlag, "reader", "", "the reader whose name holds this `TEXT` (else TAMTHE_READER, config.toml, the only one with a card)")
	f.BoolVar(&p.json, "json", false, "print JSON")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.SetHelpFunc(help)
	root.SetHelpCommand(newHelp())

	for _, g := range []struct {
		id   string
		cmds []*cobra.Command
	}{
		{groupCheckpoint, []*cobra.Command{newVerify(p), newRead(p), newJudge(p), newInspections(p), newTrust(p), newStatus(p)}},
		{groupDesk, []*cobra.Command{
			newInit(p), newOperator(p), newEnrol(p), newApprove(p), newCancel(p), newPersonalise(p), newCheck(p),
			newDeliver(p), newCard(p), newLedger(p),
		}},
		{groupAuthority, []*cobra.Command{newPKI(p)}},
		{groupDeveloper, []*cobra.Command{newDemo(p), newReaders(p), newDoctor(p), newVirtual(p), newConform(p), newVersion(p)}},
	} {
		for _, c := range g.cmds {
			c.GroupID = g.id
			root.AddCommand(c)
		}
	}
	return family(root)
}
