package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/issuance/desk"
)

// runNextCSCA announces the next key, or certifies it when it was announced.
func runNextCSCA(ctx context.Context, p *program, o pkiOptions) error {
	if o.urgent != "" {
		if err := checkWord("--urgent", o.urgent); err != nil {
			return err
		}
	}
	office, err := p.openOffice(ctx, certifying)
	if err != nil {
		return err
	}
	defer office.done()
	next := ca.Successor{CommonName: o.rename, From: p.now(), CardYears: o.cardYears, Named: o.named}
	name, err := office.NextCSCA(ctx, next, o.urgent)
	if err == nil {
		return publishTrust(p, "tamthe/pki-csca/1", name+".cer")
	}
	if !errors.Is(err, desk.ErrUnknown) {
		return err
	}
	name, due, err := office.AnnounceCSCA(ctx, o.algorithm)
	if err != nil {
		return err
	}
	text := due.UTC().Format(time.RFC3339)
	return p.result(struct {
		Schema string `json:"schema"`
		Key    string `json:"key"`
		Due    string `json:"due"`
	}{"tamthe/pki-csca-notice/1", name, text}, name, fmt.Sprintf("%s %s", name, text))
}

func newLink(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "link",
		Short: "Have the CSCA's key vouch for the next one; prints the file",
		Long: `Signs the link certificate by which the CSCA's present key vouches for the one that was
certified last, and puts it into this home's trust folder. Two days later the next key
signs everything.
`,
		Example: "  tamthe pki link --operator an --second binh",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			office, err := p.openOffice(cmd.Context(), certifying)
			if err != nil {
				return err
			}
			defer office.done()
			file, err := office.LinkCSCA(cmd.Context())
			if err != nil {
				return err
			}
			return publishTrust(p, "tamthe/pki-link/1", file)
		},
	}
	p.pairFlags(cmd)
	return cmd
}

func newPKIStatus(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say how the authority's keys and lists stand, and what is due",
		Long: `Shows each CSCA key, the signers and the newest revocation list with what is due. Four
fifths into the time of the revocation list, or where a revocation is not in it, that is an
alarm and the exit status is 3.
`,
		Example: "  tamthe pki status",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runPKIStatus(cmd.Context(), p) },
	}
}

type pkiKeyJSON struct {
	Name     string `json:"name"`
	State    string `json:"state"`
	Until    string `json:"until"`
	NotAfter string `json:"not_after,omitempty"`
}

type pkiCRLJSON struct {
	State    string   `json:"state"`
	Number   string   `json:"number,omitempty"`
	Signed   string   `json:"signed,omitempty"`
	Next     string   `json:"next,omitempty"`
	Entries  int      `json:"entries"`
	Unlisted []string `json:"unlisted"`
}

// moment writes a time, nothing for none.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func runPKIStatus(ctx context.Context, p *program) error {
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	s, err := office.PKIStatus(ctx)
	if err != nil {
		return err
	}
	doc := struct {
		Schema string       `json:"schema"`
		CSCA   []pkiKeyJSON `json:"csca"`
		Keys   []pkiKeyJSON `json:"keys"`
		CRL    pkiCRLJSON   `json:"crl"`
	}{"tamthe/pki-status/1", []pkiKeyJSON{}, []pkiKeyJSON{}, crlStateJSON(s.CRL)}
	for _, c := range s.CSCA {
		doc.CSCA = append(doc.CSCA, pkiKeyJSON{c.Name, c.State, instant(c.Until), instant(c.NotAfter)})
	}
	for _, k := range s.Keys {
		doc.Keys = append(doc.Keys, pkiKeyJSON{k.Name, k.State, instant(k.Until), instant(k.NotAfter)})
	}
	if p.documents {
		err = p.document(doc)
	} else {
		w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		for _, k := range append(doc.CSCA, doc.Keys...) {
			fmt.Fprintf(w, "%s\t%s\t%s\n", k.Name, k.State, k.Until)
		}
		fmt.Fprintf(w, "crl\t%s\n", crlLine(s.CRL))
		err = w.Flush()
	}
	if err == nil && s.CRL.Alarm() {
		return verdictError(exitRefused)
	}
	return err
}

func crlStateJSON(c desk.CRLStatus) pkiCRLJSON {
	j := pkiCRLJSON{State: c.State, Number: c.Number, Signed: instant(c.Signed), Next: instant(c.Next), Entries: c.Entries, Unlisted: c.Unlisted}
	if j.Unlisted == nil {
		j.Unlisted = []string{}
	}
	return j
}

// crlLine says how the revocation list stands, for tables.
func crlLine(c desk.CRLStatus) string {
	if c.State == "missing" {
		return c.State
	}
	return fmt.Sprintf("%s\t%s\tnumber %s, %d entries", c.State, instant(c.Next), c.Number, c.Entries)
}
