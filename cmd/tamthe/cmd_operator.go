package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/keystore"
)

type operatorOptions struct {
	name    string
	roles   []string
	person  string
	newPass string
	reason  string
}

func newOperator(p *program) *cobra.Command {
	cmd := &cobra.Command{Use: "operator", Short: "Enrol, list and revoke the people who act"}
	var o operatorOptions
	add := &cobra.Command{
		Use:   "add NAME",
		Short: "Make a key for a new operator and enrol it",
		Long: `Makes a key for a new operator, sealed with a passphrase of their own, and enrols it
with the acting administrator's signature. Four eyes compares the persons behind keys:
a second key of one person is enrolled with --person.
` + exitHelp,
		Example: "  tamthe operator add binh --roles approver,inspector,clerk,revoker --operator an",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			return runOperatorAdd(cmd.Context(), p, o)
		},
	}
	p.actingFlags(add)
	add.Flags().StringSliceVar(&o.roles, "roles", nil, "what the operator may do: "+strings.Join(allRoles(), ", "))
	add.Flags().StringVar(&o.person, "person", "", "the person behind the key, as `operator list` shows it (else a new one)")
	add.Flags().StringVar(&o.newPass, "new-passphrase-file", "", "`FILE` with the new operator's passphrase (else it is asked)")
	list := &cobra.Command{
		Use: "list", Short: "List the operators", Long: "Lists the operators, revoked ones too.\n" + exitHelp,
		Example: "  tamthe operator list", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return runOperatorList(cmd.Context(), p) },
	}
	revoke := &cobra.Command{
		Use: "revoke NAME", Short: "End the use of an operator's key",
		Long:    "Ends the use of an operator's key. What it signed before stays valid.\n" + exitHelp,
		Example: "  tamthe operator revoke binh --reason left --operator an", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			office, done, err := p.openOffice(cmd.Context(), acting)
			if err != nil {
				return err
			}
			defer done()
			return office.RevokeOperator(cmd.Context(), args[0], o.reason)
		},
	}
	p.actingFlags(revoke)
	revoke.Flags().StringVar(&o.reason, "reason", "left", "why, in small letters: left, lost, misuse …")
	cmd.AddCommand(add, list, revoke)
	return cmd
}

func runOperatorAdd(ctx context.Context, p *program, o operatorOptions) error {
	roles, err := parseRoles(o.roles)
	if err != nil {
		return err
	}
	if len(roles) == 0 {
		return usagef("--roles says what the operator may do")
	}
	office, done, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer done()
	pass, err := p.passphrase(o.newPass, "new passphrase of operator "+o.name)
	if err != nil {
		return err
	}
	key, err := keystore.GenerateOperator(p.home.path(keysDir, operatorPrefix+o.name), []byte(pass))
	if err != nil {
		return err
	}
	defer key.Destroy()
	return office.AddOperator(ctx, key.Public(), o.name, o.person, roles...)
}

func runOperatorList(ctx context.Context, p *program) error {
	office, done, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer done()
	list, err := office.Operators(ctx)
	if err != nil {
		return err
	}
	if p.json {
		type row struct {
			Name   string   `json:"name"`
			Person string   `json:"person"`
			Key    string   `json:"key"`
			Roles  []string `json:"roles"`
			Active bool     `json:"active"`
		}
		rows := []row{}
		for _, o := range list {
			r := row{o.Name, o.Person, o.Key.String(), []string{}, o.Active}
			for _, role := range o.Roles {
				r.Roles = append(r.Roles, string(role))
			}
			rows = append(rows, r)
		}
		return json.NewEncoder(p.out).Encode(struct {
			Schema    string `json:"schema"`
			Operators []row  `json:"operators"`
		}{"tamthe/operator-list/1", rows})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, o := range list {
		state := "active"
		if !o.Active {
			state = "revoked"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%v\n", o.Name, o.Person, state, o.Roles)
	}
	return w.Flush()
}
