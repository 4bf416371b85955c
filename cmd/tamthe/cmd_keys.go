package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/keystore"
)

func newKeys(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "List, look at and destroy the authority's keys; bring in transport keys",
		Long: `Lists the authority's keys, looks whether one is where it is kept, destroys one that is
done, and makes a supplier's transport key of its components. Where the keys are is said
under [keys] of config.toml: uri = "file:keys", "pkcs11:token=…?module-path=…" or
"exec:PROGRAM".
`,
		Example: "  tamthe keys list",
	}
	cmd.AddCommand(newKeysList(p), newKeysShow(p), newKeysDestroy(p), newKeysComponents(p))
	return family(cmd)
}

func newKeysList(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the keys",
		Long: `Lists the keys as the ledger has them: name, use, algorithm, state, how often a document
signer was used and may be, and until when it signs.
`,
		Example: "  tamthe keys list",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runKeysList(cmd.Context(), p) },
	}
}

func newKeysShow(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Look whether a key is where it is kept, and is the one that was made",
		Long: `Opens a signing key where it is kept and compares it with the one that the ledger names.
A token asks for its PIN.
`,
		Example: "  tamthe keys show csca",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runKeysShow(cmd.Context(), p, args[0]) },
	}
}

func newKeysDestroy(p *program) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "destroy NAME",
		Short: "Destroy a key that is done",
		Long: `Destroys a key: the ledger says so first, with the signatures of two custodians, then it
is erased where it is kept. If that was cut short, run it again. Copies elsewhere, such as
backups of a folder of key files, are yours to destroy.
`,
		Example: "  tamthe keys destroy ds-001 --reason spent --operator an --second binh",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runKeysDestroy(cmd.Context(), p, args[0], reason)
		},
	}
	p.pairFlags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "spent", "why: spent, expired, superseded, compromised, abandoned …")
	return cmd
}

// keyJSON is a key of `keys list --json` and `keys show --json`.
type keyJSON struct {
	Name      string  `json:"name"`
	Usage     string  `json:"usage"`
	Algorithm string  `json:"algorithm"`
	State     string  `json:"state"`
	Where     string  `json:"where"`
	Public    string  `json:"public"`
	KCV       string  `json:"kcv"`
	Used      uint64  `json:"used"`
	Cap       uint64  `json:"cap"`
	From      *string `json:"from"`
	To        *string `json:"to"`
}

func (p *program) keyJSON(k desk.KeyInfo) keyJSON {
	stamp := func(t time.Time) *string {
		if t.IsZero() {
			return nil
		}
		s := t.UTC().Format(time.RFC3339)
		return &s
	}
	return keyJSON{
		k.Name, k.Usage, k.Algorithm, string(k.Phase), p.whereKeysAre(), k.Public, k.KCV, k.Used, k.Cap, stamp(k.From), stamp(k.To),
	}
}

// whereKeysAre names the ring without the source of its PIN.
func (p *program) whereKeysAre() string {
	where, _, _ := strings.Cut(first(p.conf.Keys.URI, "file:"+keysDir), "?")
	return where
}

func runKeysList(ctx context.Context, p *program) error {
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	list, err := office.Keys(ctx)
	if err != nil {
		return err
	}
	rows := []keyJSON{}
	for _, k := range list {
		rows = append(rows, p.keyJSON(k))
	}
	if p.documents {
		return p.document(struct {
			Schema string    `json:"schema"`
			Keys   []keyJSON `json:"keys"`
		}{"tamthe/keys-list/1", rows})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		uses, until := "", ""
		if r.Cap > 0 {
			uses = fmt.Sprintf("%d/%d", r.Used, r.Cap)
		}
		if r.To != nil {
			until = *r.To
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, r.Usage, first(r.Algorithm, r.KCV), r.State, uses, until)
	}
	return w.Flush()
}

func runKeysShow(ctx context.Context, p *program, name string) error {
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	k, err := office.Key(ctx, name)
	if err != nil {
		return err
	}
	there, failure := true, error(nil)
	if k.Public != "" {
		failure = office.CheckKey(ctx, name)
		there = failure == nil
		if errors.Is(failure, keystore.ErrMissing) {
			failure = nil
		}
	}
	if failure != nil {
		return failure
	}
	held := p.text(wordKeyHeld)
	if !there {
		held = p.text(wordKeyGone)
	}
	r := p.keyJSON(k)
	return p.result(struct {
		Schema string `json:"schema"`
		keyJSON
		Held bool `json:"held"`
	}{"tamthe/keys-show/1", r, there}, name, fmt.Sprintf("%s  %s  %s  %s  %s  %s", r.Name, r.Usage, first(r.Algorithm, r.KCV), r.State, r.Where, held))
}

func runKeysDestroy(ctx context.Context, p *program, name, reason string) error {
	if err := checkWord("--reason", reason); err != nil {
		return err
	}
	office, err := p.openOffice(ctx, certifying)
	if err != nil {
		return err
	}
	defer office.done()
	if err := office.DestroyKey(ctx, name, reason); err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
		Key    string `json:"key"`
	}{"tamthe/keys-destroy/1", name}, "key "+name, "")
}
