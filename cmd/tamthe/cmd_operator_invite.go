package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
)

// invitationTime is how long an invitation to the console is good for.
const invitationTime = time.Hour

func newOperatorInvite(p *program) *cobra.Command {
	forget := false
	cmd := &cobra.Command{
		Use:   "invite NAME",
		Short: "Print a code with which an operator registers a passkey at the console",
		Long: `Prints a code with which an operator registers a passkey at the console (see serve console),
once, within an hour, with the passphrase of the operator's key. With --forget the passkeys
that were registered so far are forgotten, as when one was lost; no code is printed.
`,
		Example: "  tamthe operator invite an\n  tamthe operator invite an --forget",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runOperatorInvite(cmd.Context(), p, args[0], forget)
		},
	}
	cmd.Flags().BoolVar(&forget, "forget", false, "forget the operator's passkeys instead")
	return cmd
}

func runOperatorInvite(ctx context.Context, p *program, name string, forget bool) error {
	if err := checkWord("NAME", name); err != nil {
		return err
	}
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	list, err := office.Operators(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(o issuance.Operator) bool { return o.Name == name && o.Active }) {
		return fmt.Errorf("operator %s: %w", name, desk.ErrUnknown)
	}
	accounts, err := p.accounts(ctx)
	if err != nil {
		return err
	}
	defer accounts.Close()
	if forget {
		n, err := accounts.Remove(ctx, name)
		if err != nil {
			return err
		}
		return p.result(struct {
			Schema   string `json:"schema"`
			Operator string `json:"operator"`
			Passkeys int64  `json:"passkeys"`
		}{"tamthe/operator-forget/1", name, n}, name, fmt.Sprint(n))
	}
	code := rand.Text()
	until := p.now().Add(invitationTime)
	if err := accounts.Invite(ctx, name, sha256.Sum256([]byte(strings.ToUpper(code))), p.now(), until); err != nil {
		return err
	}
	return p.result(struct {
		Schema   string    `json:"schema"`
		Operator string    `json:"operator"`
		Code     string    `json:"code"`
		Until    time.Time `json:"until"`
	}{"tamthe/operator-invite/1", name, code, until.UTC().Truncate(time.Second)}, name, code)
}
