package main

import (
	"context"
	"encoding/hex"
	"encoding/pem"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
)

func newOperatorKey(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "key NAME",
		Short: "Print an operator's public key",
		Long: `Prints the public key of an operator (PEM), as the ledger has it, to verify what the operator
signed: reports and data sets that left the office. Of a name that somebody had before it is the
key in use, else the newest.
`,
		Example: "  tamthe operator key an > an.pub",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runOperatorKey(cmd.Context(), p, args[0]) },
	}
}

func runOperatorKey(ctx context.Context, p *program, name string) error {
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	list, err := office.Operators(ctx)
	if err != nil {
		return err
	}
	var found *issuance.Operator
	for i, o := range list {
		if o.Name == name && (found == nil || !found.Active) {
			found = &list[i]
		}
	}
	if found == nil {
		return fmt.Errorf("operator %s: %w", name, desk.ErrUnknown)
	}
	state, err := issuance.Load(ctx, office.Store, issuance.OperatorStream(found.Key))
	if err != nil {
		return err
	}
	der, err := hex.DecodeString(state.Subject(issuance.OperatorStream(found.Key)).Fields["key"])
	if err != nil {
		return err
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	if p.documents {
		return p.document(struct {
			Schema   string `json:"schema"`
			Operator string `json:"operator"`
			Active   bool   `json:"active"`
			Key      string `json:"key"`
		}{"tamthe/operator-key/1", name, found.Active, text})
	}
	_, err = fmt.Fprint(p.out, text)
	return err
}
