package main

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/keystore"
)

type operatorOptions struct {
	name    string
	roles   []string
	person  string
	newPass string
	key     string
	reason  string
	from    string
	service bool
}

func newOperator(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "operator",
		Short:   "Enrol, list and revoke the people who act",
		Long:    "Enrols, lists and revokes the operators of this desk.\n",
		Example: "  tamthe operator list",
	}
	cmd.AddCommand(newOperatorAdd(p), newOperatorList(p), newOperatorKey(p), newOperatorRevoke(p), newOperatorActs(p), newOperatorPair(p), newOperatorInvite(p))
	return family(cmd)
}

func newOperatorAdd(p *program) *cobra.Command {
	var o operatorOptions
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Make a key for a new operator and enrol it",
		Long: `Makes a key for a new operator, sealed with a passphrase of their own, and enrols it
with the signatures of two administrators. Four eyes compares the persons behind keys:
a second key of one person is enrolled with --person. With --key it is one that the
person's own token holds, Ed25519, P-256 or P-384, and the token asks for its PIN.

With --service it enrols no person but this home's signing service, which alone uses the
document signers' keys. A home that was made by an earlier version has none. Run
` + "`tamthe ledger verify`" + ` before: the service believes this ledger from then on.
`,
		Example: "  tamthe operator add dung --roles approver,inspector,clerk,revoker --operator an --second chi",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			return runOperatorAdd(cmd.Context(), p, o)
		},
	}
	p.pairFlags(cmd)
	cmd.Flags().BoolVar(&o.service, "service", false, "enrol this home's signing service, named signer, in place of a person")
	cmd.Flags().StringSliceVar(&o.roles, "roles", nil, "what the operator may do: "+strings.Join(allRoles(), ", "))
	cmd.Flags().StringVar(&o.person, "person", "", "the person behind the key, as `operator list` shows it (else a new one)")
	cmd.Flags().StringVar(&o.key, "key", "", "pkcs11: `URI` of a key in the person's own token or PIV card, instead of a new key in a file")
	cmd.Flags().StringVar(&o.newPass, "new-passphrase-file", "", "`FILE` with the new operator's passphrase, - for standard input (else it is asked)")
	return cmd
}

func newOperatorList(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the operators",
		Long:    "Lists the operators with person, state and roles, revoked ones too.\n",
		Example: "  tamthe operator list",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runOperatorList(cmd.Context(), p) },
	}
}

func newOperatorRevoke(p *program) *cobra.Command {
	var o operatorOptions
	cmd := &cobra.Command{
		Use:     "revoke NAME",
		Short:   "End the use of an operator's key",
		Long:    "Ends the use of an operator's key, with the signatures of two administrators, neither of\nthem its owner. What it signed before stays valid; --from says since when a stolen key\ncounts as another's: cards that it approved from then on are not signed any more.\n",
		Example: "  tamthe operator revoke dung --reason left --operator an --second chi",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			return runOperatorRevoke(cmd.Context(), p, o)
		},
	}
	p.pairFlags(cmd)
	cmd.Flags().StringVar(&o.reason, "reason", "left", "why: left, moved, lost, stolen, misuse, mistake or replaced")
	cmd.Flags().StringVar(&o.from, "from", "", "since when the key counts as stolen, as 2026-09-01T08:00:00+07:00")
	return cmd
}

// operatorJSON is an operator of `operator list --json`.
type operatorJSON struct {
	Name   string   `json:"name"`
	Person string   `json:"person"`
	Key    string   `json:"key"`
	Roles  []string `json:"roles"`
	Active bool     `json:"active"`
}

// addService makes the home's signing service.
func addService(ctx context.Context, p *program, o operatorOptions) error {
	if o.name != signerKeyName || len(o.roles) > 0 || o.person != "" || o.newPass != "" {
		return usagef("a signing service is named %s and has no roles, person or passphrase", signerKeyName)
	}
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	if err := enrolService(ctx, office.Office, office.Authority.Keys, p.home.path(signerDir)); err != nil {
		return err
	}
	return p.result(struct {
		Schema   string `json:"schema"`
		Operator string `json:"operator"`
	}{"tamthe/operator-add/1", o.name}, "operator "+o.name, "")
}

func runOperatorAdd(ctx context.Context, p *program, o operatorOptions) error {
	if o.service {
		return addService(ctx, p, o)
	}
	roles, err := parseRoles(o.roles)
	if err != nil {
		return err
	}
	if len(roles) == 0 {
		return usageBoth(wordNoRoles)
	}
	if err := checkWord("NAME", o.name); err != nil {
		return err
	}
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	path := p.home.path(keysDir, operatorPrefix+o.name)
	key, err := p.newOperatorKey(ctx, o, path)
	if err != nil {
		return err
	}
	defer forget(key)
	if err := office.AddOperator(ctx, key.Public(), o.name, o.person, roles...); err != nil {
		return errors.Join(err, os.Remove(path)) // nobody knows this key
	}
	id, err := issuance.KeyIDOf(key.Public())
	if err != nil {
		return err
	}
	return p.result(struct {
		Schema   string `json:"schema"`
		Operator string `json:"operator"`
		Key      string `json:"key"`
	}{"tamthe/operator-add/1", o.name, "operator key " + id.String()}, "operator "+o.name, "")
}

// newOperatorKey makes a key, or looks up the one in the person's own token; path then says
// where that is.
func (p *program) newOperatorKey(ctx context.Context, o operatorOptions, path string) (crypto.Signer, error) {
	if o.key != "" {
		key, err := p.tokenKey(ctx, o.key)
		if err != nil {
			return nil, err
		}
		return key, keystore.StoreOperatorToken(path, o.key, key.Public())
	}
	pass, err := p.newPassphrase(ctx, o.newPass, "--new-passphrase-file", o.name)
	if err != nil {
		return nil, err
	}
	return keystore.GenerateOperator(path, []byte(pass))
}

func runOperatorRevoke(ctx context.Context, p *program, o operatorOptions) error {
	if err := errors.Join(checkWord("NAME", o.name), checkWord("--reason", o.reason)); err != nil {
		return err
	}
	from, err := fromFlag(o.from)
	if err != nil {
		return err
	}
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	if err := office.RevokeOperator(ctx, o.name, o.reason, from); err != nil {
		return err
	}
	return p.result(struct {
		Schema   string `json:"schema"`
		Operator string `json:"operator"`
	}{"tamthe/operator-revoke/1", o.name}, "operator "+o.name, "")
}

func runOperatorList(ctx context.Context, p *program) error {
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	list, err := office.Operators(ctx)
	if err != nil {
		return err
	}
	rows := []operatorJSON{}
	for _, o := range list {
		r := operatorJSON{o.Name, o.Person, o.Key.String(), []string{}, o.Active}
		for _, role := range o.Roles {
			r.Roles = append(r.Roles, string(role))
		}
		rows = append(rows, r)
	}
	if p.documents {
		return p.document(struct {
			Schema    string         `json:"schema"`
			Operators []operatorJSON `json:"operators"`
		}{"tamthe/operator-list/1", rows})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		state := "active"
		if !r.Active {
			state = "revoked"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.Name, r.Person, state, strings.Join(r.Roles, ","))
	}
	return w.Flush()
}
