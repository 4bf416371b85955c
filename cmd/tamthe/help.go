package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// exitHelp tells the exit statuses at the end of every verb's help.
const exitHelp = `
EXIT STATUS
  0 done or accepted   1 error   2 wrong usage   3 refused   4 refer to an officer
  10 no reader, or more than one with a card   11 no card, or it was removed
  12 wrong MRZ, CAN or PIN   13 blocked   14 not allowed in this state, or four eyes needed
  15 the ledger is away, elsewhere or in use, or somebody else changed it first
  130 interrupted
`

const environmentHelp = `
ENVIRONMENT
  TAMTHE_HOME      the folder of this desk or checkpoint
  TAMTHE_LEDGER    its ledger, sqlite:PATH or postgres:DSN
  TAMTHE_OPERATOR  who acts, as --operator
  TAMTHE_READER    the reader, as --reader
  TAMTHE_LANG      the language, as --lang
`

// help prints what a verb does, its flags, the exit statuses and an example, in this order.
func help(cmd *cobra.Command, _ []string) {
	var b strings.Builder
	b.WriteString(cmd.Long)
	fmt.Fprintf(&b, "\nUSAGE\n  %s\n", usageLine(cmd))
	helpVerbs(&b, cmd)
	helpFlags(&b, "FLAGS", cmd.LocalNonPersistentFlags())
	helpFlags(&b, "FLAGS OF EVERY VERB", cmd.Root().PersistentFlags())
	if !cmd.HasParent() {
		b.WriteString(environmentHelp)
	}
	b.WriteString(exitHelp)
	fmt.Fprintf(&b, "\nEXAMPLE\n%s\n", cmd.Example)
	_, _ = io.WriteString(cmd.OutOrStdout(), b.String())
}

func usageLine(cmd *cobra.Command) string {
	if cmd.HasAvailableSubCommands() {
		return cmd.CommandPath() + " VERB [flags]"
	}
	return cmd.UseLine()
}

// helpVerbs lists the verbs under a verb, by their groups.
func helpVerbs(b *strings.Builder, cmd *cobra.Command) {
	groups := cmd.Groups()
	if len(groups) == 0 {
		groups = []*cobra.Group{{Title: "VERBS"}}
	}
	if !cmd.HasAvailableSubCommands() {
		return
	}
	for _, g := range groups {
		fmt.Fprintf(b, "\n%s\n", g.Title)
		for _, c := range cmd.Commands() {
			if c.GroupID == g.ID && c.IsAvailableCommand() {
				fmt.Fprintf(b, "  %-12s %s\n", c.Name(), c.Short)
			}
		}
	}
}

func helpFlags(b *strings.Builder, title string, flags *pflag.FlagSet) {
	if text := flags.FlagUsagesWrapped(100); text != "" {
		fmt.Fprintf(b, "\n%s\n%s", title, text)
	}
}

func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [VERB]",
		Short:   "Explain a verb",
		Long:    "Explains a verb, as --help behind it does.\n",
		Example: "  tamthe help card replace",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usageBoth(wordNoVerb, strings.Join(args, " "))
			}
			c.InitDefaultHelpFlag()
			help(c, nil)
			return nil
		},
	}
}

// family lets a verb that only has verbs under it say so, instead of doing nothing with
// success.
func family(cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.ArbitraryArgs
	cmd.SuggestionsMinimumDistance = 2
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 && !cmd.HasParent() {
			help(cmd, nil)
			return nil
		}
		if len(args) == 0 {
			return usageBoth(wordNeedsVerb, cmd.CommandPath(), strings.Join(verbs(cmd), ", "))
		}
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			return usageBoth(wordNearVerb, cmd.CommandPath(), args[0], strings.Join(near, " or "))
		}
		return usageBoth(wordHasNoVerb, cmd.CommandPath(), args[0])
	}
	return cmd
}

func verbs(cmd *cobra.Command) []string {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}

// exactly wraps cobra's argument check so that a wrong count is a usage error.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return usageBoth(wordsOfCount(n), cmd.CommandPath(), n, len(args))
	}
}

// atLeast wants so many arguments or more.
func atLeast(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= n {
			return nil
		}
		return usageBoth(wordAtLeast, cmd.CommandPath(), n, len(args))
	}
}

func wordsOfCount(n int) phrase {
	switch n {
	case 0:
		return wordTakesNone
	case 1:
		return wordTakesOne
	}
	return wordTakes
}
