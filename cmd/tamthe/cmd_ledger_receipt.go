package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"rsc.io/qr"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/receipt"
)

type receiptOptions struct {
	act, qr, verify, trust string
	against                string
	logs, witnesses        []string
	quorum                 int
}

func newLedgerReceipt(p *program) *cobra.Command {
	var o receiptOptions
	cmd := &cobra.Command{
		Use:   "receipt [CARD|APP]",
		Short: "Give a citizen the proof that a card stands in the ledger, or check one",
		Long: `Prints a receipt: the newest act of a card or an application, and the proof that it stands
in the ledger (C2SP tlog-proof v1, at most 2,500 octets), with the cosignatures of witnesses
where there are any: if it were larger, those beyond the quorum of config.toml are left out,
and one that is still too large is refused. It names no person. With --verify checks one,
without a network, a ledger or a home: against the keys given, else those that issuers.toml of
the trust folder pins. With --against checks a .tlog-continuation, which the console's audit
gives out: that the ledger continues the older checkpoint in that file. What proves nothing has
exit status 3. The ledger cannot be
rewritten without that the receipts that were given out contradict it:
` + "`tamthe ledger verify --against`" + ` takes them.
`,
		Example: "  tamthe ledger receipt C-7K3QX2MB4D --qr receipt.png > C-7K3QX2MB4D.tlog-proof\n  tamthe ledger receipt --verify C-7K3QX2MB4D.tlog-proof --log-key KEY",
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.quorum < 0 || !cmd.Flags().Changed("quorum") {
				o.quorum = len(o.witnesses)
			}
			switch {
			case o.against != "" && o.verify != "" && len(args) == 0:
				return runContinuationVerify(p, o)
			case o.verify != "" && len(args) == 0:
				return runReceiptVerify(p, o)
			case o.verify == "" && o.against == "" && len(args) == 1:
				return runReceipt(cmd.Context(), p, args[0], o)
			}
			return usagef("name one card or application, or a receipt with --verify")
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.act, "act", "", "the newest `ACT` of that name, such as prepare (else the newest of all)")
	f.StringVar(&o.qr, "qr", "", "also draw the receipt as a QR code into this PNG `FILE`")
	f.StringVar(&o.verify, "verify", "", "check the receipt in `FILE`, - for standard input")
	f.StringVar(&o.against, "against", "", "what --verify names is a .tlog-continuation of the older checkpoint in this `FILE`")
	f.StringVar(&o.trust, "trust", "", "trust `FOLDER` whose issuers.toml names logs and witnesses (else the home's)")
	f.StringArrayVar(&o.logs, "log-key", nil, "public `KEY` of a log; may be repeated")
	f.StringArrayVar(&o.witnesses, "witness", nil, "public `KEY` of a witness; may be repeated")
	f.IntVar(&o.quorum, "quorum", 0, "how many of the witnesses must have cosigned (else all)")
	return cmd
}

// streamNamed is the stream of a card or an application by its name.
func streamNamed(name string) (issuance.StreamID, error) {
	switch {
	case strings.HasPrefix(name, "C-"):
		return issuance.Card(name), nil
	case strings.HasPrefix(name, "A-"):
		return issuance.Application(name), nil
	}
	return issuance.StreamID{}, usagef("%q is neither a card (C-…) nor an application (A-…)", name)
}

func runReceipt(ctx context.Context, p *program, name string, o receiptOptions) error {
	stream, err := streamNamed(name)
	if err != nil {
		return err
	}
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	proof, leaf, err := makeReceipt(ctx, office.ledger, stream, issuance.Act(o.act))
	if err != nil {
		return err
	}
	text, err := receiptText(proof, p.conf.Log.Quorum)
	if err != nil {
		return err
	}
	if o.qr != "" {
		if err := writeQR(o.qr, text); err != nil {
			return err
		}
	}
	if p.documents {
		read, err := receipt.ParseLeaf(leaf)
		if err != nil {
			return err
		}
		return p.document(proofJSON{"tamthe/ledger-receipt/1", read.Stream, read.Act, read.Time.Format(time.RFC3339), proof.Index, string(text)})
	}
	_, err = p.out.Write(text)
	return err
}

type proofJSON struct {
	Schema string `json:"schema"`
	Stream string `json:"stream"`
	Act    string `json:"act"`
	Time   string `json:"time"`
	Index  int64  `json:"index"`
	Proof  string `json:"proof"`
}

// makeReceipt proves the newest entry of a stream, or the newest of one act.
func makeReceipt(ctx context.Context, l store, s issuance.StreamID, act issuance.Act) (*receipt.Proof, []byte, error) {
	entries, err := l.Stream(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	slices.Reverse(entries)
	i := slices.IndexFunc(entries, func(e issuance.Entry) bool { return act == "" || e.Act == act })
	if i < 0 {
		return nil, nil, fmt.Errorf("%s %s: %w", s.Kind, s.ID, desk.ErrUnknown)
	}
	leaf, err := entries[i].Leaf()
	if err != nil {
		return nil, nil, err
	}
	index, err := l.IndexOf(ctx, entries[i].ID)
	if err != nil {
		return nil, nil, err
	}
	proof, err := l.Prove(ctx, index)
	if err != nil {
		return nil, nil, err
	}
	proof.Extra = leaf
	return proof, leaf, nil
}

// writeQR draws a receipt with the least correction, which the largest codes need.
func writeQR(path string, text []byte) error {
	code, err := qr.Encode(string(text), qr.L)
	if err != nil {
		return fmt.Errorf("draw the QR code: %w", err)
	}
	code.Scale = 4
	return durable.Export(path, code.PNG(), 0o600)
}

func runReceiptVerify(p *program, o receiptOptions) error {
	text, err := p.input(o.verify, receipt.MaxProof)
	if err != nil {
		return err
	}
	policies, err := p.logPolicies(o)
	if err != nil {
		return err
	}
	proof, err := receipt.Parse(text)
	if err != nil {
		return p.receiptRefused(err)
	}
	leaf, err := receipt.ParseLeaf(proof.Extra)
	if err != nil {
		return p.receiptRefused(err)
	}
	for _, policy := range policies {
		var proven *receipt.Proven
		if proven, err = receipt.Verify(proof, proof.Extra, policy); err == nil {
			return p.receiptTaken(leaf, proven)
		}
	}
	return p.receiptRefused(err)
}

// logPolicies is whom to believe: the keys of the flags, else those of issuers.toml.
func (p *program) logPolicies(o receiptOptions) ([]receipt.Policy, error) {
	list := []pki.Issuer{{Logs: o.logs, Witnesses: o.witnesses, Quorum: o.quorum}}
	if len(o.logs) == 0 {
		dir := first(o.trust, p.home.path(trustDir))
		b, err := os.ReadFile(filepath.Join(dir, pki.IssuersFile))
		if err != nil {
			return nil, hint(fmt.Errorf("no key of a log is known: %w", err), "give it with --log-key, as `tamthe init` printed it")
		}
		if list, err = pki.ParseIssuers(b); err != nil {
			return nil, err
		}
	}
	var policies []receipt.Policy
	for _, i := range list {
		policy := i.LogPolicy()
		switch {
		case len(policy.Logs) != len(i.Logs):
			return nil, usagef("--log-key is the public key of a log, NAME+HASH+KEY")
		case len(policy.Witnesses) != len(i.Witnesses):
			return nil, usagef("--witness is the public key of a witness, NAME+HASH+KEY")
		case policy.Quorum > len(policy.Witnesses):
			return nil, usagef("--quorum asks for more witnesses than are named")
		case len(policy.Logs) > 0:
			policies = append(policies, policy)
		}
	}
	if len(policies) == 0 {
		return nil, hint(fmt.Errorf("no key of a log is known: %w", fs.ErrNotExist), "give it with --log-key, or put it into logs of issuers.toml")
	}
	return policies, nil
}

func (p *program) receiptRefused(why error) error {
	var err error
	if p.documents {
		err = p.document(struct {
			Schema string `json:"schema"`
			OK     bool   `json:"ok"`
			Why    string `json:"why"`
		}{"tamthe/ledger-receipt-verify/1", false, why.Error()})
	} else {
		_, err = fmt.Fprintf(p.out, "%s: %s\n", p.text(wordReceiptRefused), verify.Escape(why.Error()))
	}
	if err != nil {
		return err
	}
	return verdictError(exitRefused)
}

type witnessJSON struct {
	Name string `json:"name"`
	Time string `json:"time"`
}

func (p *program) receiptTaken(leaf *receipt.Leaf, proven *receipt.Proven) error {
	witnesses := []witnessJSON{}
	for _, w := range proven.Witnesses {
		witnesses = append(witnesses, witnessJSON{w.Witness, w.Time.Format(time.RFC3339)})
	}
	if p.documents {
		return p.document(struct {
			Schema    string        `json:"schema"`
			OK        bool          `json:"ok"`
			Origin    string        `json:"origin"`
			Index     int64         `json:"index"`
			Size      int64         `json:"size"`
			Kind      string        `json:"kind"`
			Stream    string        `json:"stream"`
			Act       string        `json:"act"`
			Time      string        `json:"time"`
			Witnesses []witnessJSON `json:"witnesses"`
		}{
			"tamthe/ledger-receipt-verify/1", true, proven.Origin, proven.Index, proven.Size,
			leaf.Kind, leaf.Stream, leaf.Act, leaf.Time.Format(time.RFC3339), witnesses,
		})
	}
	fmt.Fprintf(p.out, p.text(wordReceiptTaken)+"\n", verify.Escape(leaf.Kind+" "+leaf.Stream+" "+leaf.Act), leaf.Time.Format(time.RFC3339),
		proven.Index, proven.Size, verify.Escape(proven.Origin))
	for _, w := range witnesses {
		fmt.Fprintf(p.out, p.text(wordReceiptWitness)+"\n", verify.Escape(w.Name), w.Time)
	}
	return nil
}
