package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/card/profile/vn"
)

func newPerson(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "person",
		Short:   "Give people other numbers",
		Long:    "Gives people other numbers, where their number was re-established.\n",
		Example: "  tamthe person renumber before.json after.json --reason birth --operator an --second chi",
	}
	cmd.AddCommand(newPersonRenumber(p))
	return family(cmd)
}

func newPersonRenumber(p *program) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "renumber BEFORE.json AFTER.json",
		Short: "Record that a person has another number from now on",
		Long: `Records that the person whose number stands in BEFORE.json has the number of AFTER.json
from now on; both are files as enrol reads them. The person stays one person, with one card in
force, and nobody ever gets the old number again. A registrar or approver signs, and a second.
`,
		Example: "  tamthe person renumber before.json after.json --reason birth --operator an --second chi",
		Args:    exactly(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRenumber(cmd.Context(), p, args[0], args[1], reason)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, one `WORD`: birth, sex or wrong-number")
	p.pairFlags(cmd)
	return cmd
}

func (p *program) numberIn(file string) (vn.Number, error) {
	b, err := p.input(file, maxPersonFile)
	if err != nil {
		return "", err
	}
	person, err := vn.ParsePerson(b)
	if err != nil {
		return "", hintBoth(fmt.Errorf("%s: %w", file, err), wordCorrectPerson)
	}
	return person.Number, nil
}

func runRenumber(ctx context.Context, p *program, before, after, reason string) error {
	if err := checkWord("--reason", reason); err != nil {
		return err
	}
	from, err := p.numberIn(before)
	if err != nil {
		return err
	}
	to, err := p.numberIn(after)
	if err != nil {
		return err
	}
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	if err := office.Renumber(ctx, from, to, reason); err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
	}{"tamthe/person-renumber/1"}, "the person's new number", "")
}
