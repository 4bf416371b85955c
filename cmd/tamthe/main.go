// Tamthe issues, reads and verifies chip ID cards; see `tamthe --help`.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// version is set by the build.
var version = "unknown"

func main() { os.Exit(start(connectPCSC, time.Now)) }

// start runs the program for the process that it is in, with that way to a card and that
// clock, and returns the exit status. The first signal interrupts what is going on, a second
// one ends the process.
func start(connect connector, now func() time.Time) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	p := &program{in: os.Stdin, out: os.Stdout, err: os.Stderr, now: now, connect: connect, guard: hideMemory}
	if err := noCores(); err != nil {
		return p.finish(fmt.Errorf("switch core files off: %w", err))
	}
	return p.run(ctx, os.Args[1:])
}

// run does what the command line says and returns the exit status; it never ends the
// process.
func (p *program) run(ctx context.Context, args []string) int {
	defer p.letGo()
	root := newRoot(p, args...)
	root.SetArgs(args)
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	cmd, err := root.ExecuteContextC(ctx)
	if _, ok := errors.AsType[usageError](err); ok {
		if _, hinted := errors.AsType[hintError](err); !hinted {
			err = hintBoth(err, wordExplains, cmd.CommandPath())
		}
	}
	if ctx.Err() != nil && err != nil {
		err = interruptedError{err}
	}
	if !p.json && slices.Contains(args, "--json") {
		p.json = true // what stands behind a flag that is wrong was not parsed
	}
	if err != nil && !p.settled { // the verb was not reached, and its error speaks the language all the same
		p.langFlag = first(p.langFlag, langOf(args))
		_ = p.configure()
	}
	return p.finish(err)
}

// langOf is what --lang says in a command line that was not understood.
func langOf(args []string) string {
	for i, a := range args {
		if lang, ok := strings.CutPrefix(a, "--lang="); ok {
			return lang
		}
		if a == "--lang" && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

// The groups of `tamthe --help`.
const (
	groupCheckpoint = "checkpoint"
	groupDesk       = "desk"
	groupAuthority  = "authority"
	groupDeveloper  = "developer"
)

// verb is one of the words that follow `tamthe`.
type verb struct {
	group, name string
	command     func(*program) *cobra.Command
}

// verbTable is what `tamthe --help` lists, by group and in that order.
var verbTable = []verb{
	{groupCheckpoint, "verify", newVerify},
	{groupCheckpoint, "read", newRead},
	{groupCheckpoint, "judge", newJudge},
	{groupCheckpoint, "inspections", newInspections},
	{groupCheckpoint, "trust", newTrust},
	{groupCheckpoint, "status", newStatus},
	{groupDesk, "init", newInit},
	{groupDesk, "operator", newOperator},
	{groupDesk, "enrol", newEnrol},
	{groupDesk, "intake", newIntake},
	{groupDesk, "order", newOrder},
	{groupDesk, "approve", newApprove},
	{groupDesk, "cancel", newCancel},
	{groupDesk, "application", newApplication},
	{groupDesk, "person", newPerson},
	{groupDesk, "register", newRegister},
	{groupDesk, "personalise", newPersonalise},
	{groupDesk, "print", newPrint},
	{groupDesk, "check", newCheck},
	{groupDesk, "deliver", newDeliver},
	{groupDesk, "card", newCard},
	{groupDesk, "report", newReport},
	{groupDesk, "ledger", newLedger},
	{groupDesk, "stock", newStock},
	{groupDesk, "vault", newVault},
	{groupDesk, "desk", newDesk},
	{groupAuthority, "pki", newPKI},
	{groupAuthority, "keys", newKeys},
	{groupAuthority, "serve", newServe},
	{groupDeveloper, "demo", newDemo},
	{groupDeveloper, "readers", newReaders},
	{groupDeveloper, "doctor", newDoctor},
	{groupDeveloper, "virtual", newVirtual},
	{groupDeveloper, "conform", newConform},
	{groupDeveloper, "agent", newAgent},
	{groupDeveloper, "train", newTrain},
	{groupDeveloper, "version", newVersion},
}

// newRoot makes the commands of the program; where the first argument is a verb, of those
// only that one: to make them all takes longer than many a verb.
func newRoot(p *program, args ...string) *cobra.Command {
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

	only := ""
	if len(args) > 0 && slices.ContainsFunc(verbTable, func(v verb) bool { return v.name == args[0] }) {
		only = args[0]
	}
	for _, v := range verbTable {
		if only != "" && v.name != only {
			continue
		}
		c := v.command(p)
		c.GroupID = v.group
		root.AddCommand(c)
	}
	return family(root)
}
