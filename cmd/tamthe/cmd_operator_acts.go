package main

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/keystore"
)

func newOperatorActs(p *program) *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use:   "acts NAME",
		Short: "List what an operator's key ever signed",
		Long: `Lists what was ever signed with the keys that bore a name, in the order of the log, revoked
keys too. Acts from when on the key counts as stolen are marked: what the revocation says, or
--from. An act counts as from then on, too, if it stands in the log behind anybody else's act
from then on, whatever its own date says.
`,
		Example: "  tamthe operator acts binh --from 2026-09-01T08:00:00+07:00",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runOperatorActs(cmd.Context(), p, args[0], from)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "since when the key may have been another's")
	return cmd
}

// deedJSON is a line of `operator acts --json`.
type deedJSON struct {
	Index   int64  `json:"index"`
	Time    string `json:"time"`
	Act     string `json:"act"`
	Stream  string `json:"stream"`
	Second  bool   `json:"second"`
	Suspect bool   `json:"suspect"`
}

// fromFlag reads a time; none is the zero one.
func fromFlag(text string) (from time.Time, err error) {
	if text == "" {
		return from, nil
	}
	if from, err = time.Parse(time.RFC3339, text); err != nil {
		return from, usagef("--from is a time such as 2026-09-01T08:00:00+07:00")
	}
	return from, nil
}

func runOperatorActs(ctx context.Context, p *program, name, text string) error {
	from, err := fromFlag(text)
	if err != nil {
		return err
	}
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	list, err := office.Deeds(ctx, name, from)
	if err != nil {
		return err
	}
	if p.documents {
		rows := []deedJSON{}
		for _, d := range list {
			rows = append(rows, deedJSON{d.Index, d.Time.UTC().Format(time.RFC3339), string(d.Act), d.Stream.String(), d.Second, d.Suspect})
		}
		return p.document(struct {
			Schema   string     `json:"schema"`
			Operator string     `json:"operator"`
			Acts     []deedJSON `json:"acts"`
		}{"tamthe/operator-acts/1", name, rows})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, d := range list {
		mark := ""
		if d.Suspect {
			mark = p.text(wordSuspect)
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", d.Index, d.Time.Local().Format(time.DateTime), d.Act, d.Stream, mark)
	}
	return w.Flush()
}

func newOperatorPair(p *program) *cobra.Command {
	var o operatorOptions
	cmd := &cobra.Command{
		Use:   "pair NAME",
		Short: "Give the only administrator of an older ledger a second one",
		Long: `Makes a key for a second administrator and enrols it with the signatures of both, where a
ledger that an older version founded has one administrator only. Where there is another, two
enrol a third with operator add.
`,
		Example: "  tamthe operator pair binh --operator an",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			return runOperatorPair(cmd.Context(), p, o)
		},
	}
	p.actingFlags(cmd)
	cmd.Flags().StringSliceVar(&o.roles, "roles", nil, "what the second one may do (else everything)")
	cmd.Flags().StringVar(&o.newPass, "new-passphrase-file", "", "`FILE` with the second one's passphrase, - for standard input (else it is asked)")
	return cmd
}

func runOperatorPair(ctx context.Context, p *program, o operatorOptions) error {
	if len(o.roles) == 0 {
		o.roles = allRoles()
	}
	roles, err := parseRoles(o.roles)
	if err != nil {
		return err
	}
	if err := checkWord("NAME", o.name); err != nil {
		return err
	}
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	pass, err := p.newPassphrase(ctx, o.newPass, "--new-passphrase-file", o.name)
	if err != nil {
		return err
	}
	path := p.home.path(keysDir, operatorPrefix+o.name)
	key, err := keystore.GenerateOperator(path, []byte(pass))
	if err != nil {
		return err
	}
	defer key.Destroy()
	office.Second = crypto.Signer(key)
	if err := office.Pair(ctx, desk.Founder{Name: o.name, Roles: roles}); err != nil {
		return errors.Join(err, os.Remove(path)) // nobody knows this key
	}
	return p.result(struct {
		Schema   string `json:"schema"`
		Operator string `json:"operator"`
	}{"tamthe/operator-pair/1", o.name}, "operator "+o.name, "")
}
