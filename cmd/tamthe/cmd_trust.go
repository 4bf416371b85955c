package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/verify/pki"
)

func newTrust(p *program) *cobra.Command {
	cmd := &cobra.Command{Use: "trust", Short: "See whom this checkpoint trusts"}
	var dir string
	list := &cobra.Command{
		Use:   "list",
		Short: "List the anchors with their fingerprints",
		Long: `Lists the anchors of a trust folder. A self-signed certificate that lies there is one;
anything else is only material. What an issuer has, its revocation lists, card status and
chip keys, is said in issuers.toml of that folder.
` + exitHelp,
		Example: "  tamthe trust list --trust /etc/tamthe/trust",
		Args:    exactly(0),
		RunE: func(*cobra.Command, []string) error {
			s, err := p.trust(dir)
			if err != nil {
				return err
			}
			return listTrust(p, s)
		},
	}
	list.Flags().StringVar(&dir, "trust", "", "`FOLDER` (else the home's)")
	cmd.AddCommand(list)
	return cmd
}

type anchorJSON struct {
	Subject     string `json:"subject"`
	Fingerprint string `json:"fingerprint"`
	NotAfter    string `json:"not_after"`
	Specimen    bool   `json:"specimen"`
	Source      string `json:"source"`
}

func listTrust(p *program, s *pki.Store) error {
	rows := []anchorJSON{}
	for _, a := range s.Anchors() {
		rows = append(rows, anchorJSON{
			a.Cert.Subject.String(), hex.EncodeToString(a.Fingerprint[:]), a.Cert.NotAfter.UTC().Format(time.RFC3339), a.Specimen, a.Source,
		})
	}
	if p.json {
		return json.NewEncoder(p.out).Encode(struct {
			Schema  string       `json:"schema"`
			Anchors []anchorJSON `json:"anchors"`
			CRLs    int          `json:"crls"`
		}{"tamthe/trust-list/1", rows, len(s.CRLs())})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		mark := ""
		if r.Specimen {
			mark = "SPECIMEN"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", printable(r.Subject), r.NotAfter[:10], r.Fingerprint, mark)
	}
	return w.Flush()
}
