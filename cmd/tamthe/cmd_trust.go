package main

import (
	"encoding/hex"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

func newTrust(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "See whom this checkpoint trusts",
		Long: `Shows whom this checkpoint trusts. A trust folder holds certificates and revocation
lists, and issuers.toml, which says per issuer what it has:

  [[issuer]]
  country = "VN"
  documents = ["I"]      # document codes of the MRZ; "I" is all that begin with I
  crl = "required"       # required, optional or none
  crl_grace_days = 2     # how long a list is used after its time
  status = "required"    # of single cards: required or none
  chip = "required"      # chips prove a key of their own: required or none
  status_keys = ["…"]    # SHA-256 of the keys that sign its lists of card status
`,
		Example: "  tamthe trust list",
	}
	cmd.AddCommand(newTrustList(p))
	return family(cmd)
}

func newTrustList(p *program) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the anchors with their fingerprints",
		Long: `Lists the anchors of a trust folder: subject, end of validity, SHA-256 fingerprint. A
self-signed certificate that lies there is one; anything else is only material. Files that
are no use there are named on standard error.
`,
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
	cmd.Flags().StringVar(&dir, "trust", "", "`FOLDER` (else the home's)")
	return cmd
}

type anchorJSON struct {
	Subject     string `json:"subject"`
	Fingerprint string `json:"fingerprint"`
	NotAfter    string `json:"not_after"`
	Specimen    bool   `json:"specimen"`
	Source      string `json:"source"`
}

type skippedJSON struct {
	File string `json:"file"`
	Why  string `json:"why"`
}

func listTrust(p *program, s *pki.Store) error {
	anchors, skipped := []anchorJSON{}, []skippedJSON{}
	for _, a := range s.Anchors() {
		anchors = append(anchors, anchorJSON{
			a.Cert.Subject.String(), hex.EncodeToString(a.Fingerprint[:]), a.Cert.NotAfter.UTC().Format(time.RFC3339), a.Specimen, a.Source,
		})
	}
	for _, f := range s.Skipped() {
		skipped = append(skipped, skippedJSON{f.Path, f.Why})
		p.say("%s is not used: %s", f.Path, f.Why)
	}
	digest := s.Digest()
	if p.documents {
		return p.document(struct {
			Schema  string        `json:"schema"`
			Anchors []anchorJSON  `json:"anchors"`
			CRLs    int           `json:"crls"`
			Skipped []skippedJSON `json:"skipped"`
			Store   string        `json:"store"`
		}{"tamthe/trust-list/1", anchors, len(s.CRLs()), skipped, hex.EncodeToString(digest[:])})
	}
	if len(anchors) == 0 {
		p.say("there is no anchor: put the certificates of CSCAs into the folder, after comparing their fingerprints")
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, r := range anchors {
		mark := ""
		if r.Specimen {
			mark = "SPECIMEN"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", verify.Escape(r.Subject), r.NotAfter[:len(time.DateOnly)], r.Fingerprint, mark)
	}
	if err := w.Flush(); err != nil || len(anchors) == 0 {
		return err
	}
	_, err := fmt.Fprintf(p.out, "store %x\n", digest)
	return err
}
