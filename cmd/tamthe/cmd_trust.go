package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

func newTrust(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "See and change whom this checkpoint trusts",
		Long: `Shows whom this checkpoint trusts, and takes in lists. A trust folder holds certificates
and revocation lists; imports.toml, which says what was imported; blocked.toml, which names
document signers to refuse; and issuers.toml, which says per issuer what it has:

  [[issuer]]
  country = "VN"
  documents = ["I"]      # document codes of the MRZ; "I" is all that begin with I
  crl = "required"       # required, optional or none
  crl_grace_days = 2     # how long a list is used after its time
  status = "required"    # of single cards: required or none
  chip = "required"      # chips prove a key of their own: required or none
  anchors = ["57ab…"]    # SHA-256 of the only anchors for these documents
  status_keys = ["…"]    # SHA-256 of the keys that sign its lists of card status
  log = "required"       # a proof of its public log inside the signature: required or none
  log_from = 2026-12-01  # only of signers whose certificate begins on that day or later
  logs = ["NAME+…"]      # keys of its log, as ` + "`tamthe init`" + ` printed them
  witnesses = ["NAME+…"] # keys of those who watch it; quorum = N of them, else all
`,
		Example: "  tamthe trust list\n  tamthe trust import DE_ML_2026-05-28.ml",
	}
	cmd.AddCommand(newTrustImport(p), newTrustUpdate(p), newTrustList(p))
	return family(cmd)
}

func newTrustList(p *program) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List whom we trust and why, and how old the lists are",
		Long: `Lists the anchors of a trust folder: subject, end of validity, SHA-256 fingerprint, and
what it is trusted for. A self-signed certificate that lies there is one; so are those of
an imported master list. Then come the lists with their ages. Files that are no use there
are named on standard error.
`,
		Example: "  tamthe trust list --trust /etc/tamthe/trust",
		Args:    exactly(0),
		RunE:    func(*cobra.Command, []string) error { return runTrustList(p, dir) },
	}
	cmd.Flags().StringVar(&dir, "trust", "", "`FOLDER` (else the home's)")
	return cmd
}

func runTrustList(p *program, dir string) error {
	s, err := p.trust(dir)
	if err != nil {
		return err
	}
	folder, err := p.folder(dir)
	if err != nil {
		return err
	}
	x, err := folder.Index()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	t := trustList{Schema: "tamthe/trust-list/1", Anchors: []anchorJSON{}, CRLs: len(s.CRLs()), Skipped: []skippedJSON{}, Lists: []importedJSON{}, Revoked: []crlJSON{}}
	t.gather(p, s, x)
	for _, f := range t.Skipped {
		p.say("%s is not used: %s", f.File, f.Why)
	}
	if p.documents {
		return p.document(t)
	}
	if len(t.Anchors) == 0 {
		p.say("there is no anchor: put the certificates of CSCAs into the folder, after comparing their fingerprints")
	}
	return t.print(p)
}

type anchorJSON struct {
	Subject     string   `json:"subject"`
	Fingerprint string   `json:"fingerprint"`
	NotAfter    string   `json:"not_after"`
	Specimen    bool     `json:"specimen"`
	Source      string   `json:"source"`
	Why         string   `json:"why"`
	Documents   []string `json:"documents"`
	Stale       bool     `json:"stale"`
}

type skippedJSON struct {
	File string `json:"file"`
	Why  string `json:"why"`
}

type importedJSON struct {
	importJSON
	Days  int  `json:"days"`
	Stale bool `json:"stale"`

	name string
}

type crlJSON struct {
	Issuer string `json:"issuer"`
	Signed string `json:"signed"`
	Next   string `json:"next"`
	Days   int    `json:"days"`
	Stale  bool   `json:"stale"`
}

// trustList is what a trust folder holds.
type trustList struct {
	Schema     string         `json:"schema"`
	Anchors    []anchorJSON   `json:"anchors"`
	CRLs       int            `json:"crls"`
	Skipped    []skippedJSON  `json:"skipped"`
	Store      string         `json:"store"`
	Lists      []importedJSON `json:"lists"`
	Revoked    []crlJSON      `json:"revocation_lists"`
	Generation uint64         `json:"generation"`
}

// listLife is how long a master list is taken for a new one: their issuers bring one out
// every few weeks.
const listLife = 180 * 24 * time.Hour

// gather takes all from the store and the index of its folder.
func (t *trustList) gather(p *program, s *pki.Store, x pki.Index) {
	now := p.now()
	days := func(from time.Time) int { return int(now.Sub(from) / (24 * time.Hour)) }
	for _, a := range s.Anchors() {
		j := anchorJSON{
			Subject: a.Cert.Subject.String(), Fingerprint: a.String(), NotAfter: moment(a.Cert.NotAfter), Specimen: a.Specimen,
			Source: a.Source, Why: "file", Documents: []string{}, Stale: now.After(a.Cert.NotAfter),
		}
		if a.Import != nil {
			j.Why, j.Documents = first(a.Import.List, "pin"), notNil(a.Import.Documents)
		}
		t.Anchors = append(t.Anchors, j)
	}
	for _, f := range s.Skipped() {
		t.Skipped = append(t.Skipped, skippedJSON{f.Path, f.Why})
	}
	for _, i := range x.Imports {
		l := importedJSON{importJSON: importDocument(i), name: p.listName(i)}
		if !i.Signed.IsZero() {
			l.Days, l.Stale = days(i.Signed), now.Sub(i.Signed) > listLife
		}
		t.Lists = append(t.Lists, l)
	}
	for _, l := range s.CRLs() {
		t.Revoked = append(t.Revoked, crlJSON{
			l.Issuer.String(), moment(l.ThisUpdate), moment(l.NextUpdate), days(l.ThisUpdate), l.NextUpdate.IsZero() || now.After(l.NextUpdate),
		})
	}
	store := s.Digest()
	t.Generation, t.Store = x.Generation, digestText(store)
}

// print writes the officer's view: anchors, then what was imported, then revocation lists.
func (t *trustList) print(p *program) error {
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	stale := func(yes bool) string {
		if yes {
			return "  " + p.text(wordStale)
		}
		return ""
	}
	for _, a := range t.Anchors {
		why := p.text(listNames[a.Why])
		if len(a.Documents) > 0 {
			why += " (" + strings.Join(a.Documents, ", ") + ")"
		}
		if a.Specimen {
			why += "  SPECIMEN"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s%s\n", verify.Escape(a.Subject), a.NotAfter[:len(time.DateOnly)], a.Fingerprint, why, stale(a.Stale))
	}
	for n, l := range t.Lists {
		if n == 0 {
			heading(w, p.text(wordImports))
		}
		by := ""
		if l.Operator != "" {
			by = fmt.Sprintf(" (%s)", l.Operator)
		}
		fmt.Fprintf(w, "%s\t%s\t%s%s\t%s%s\n", verify.Escape(l.name), ageOf(p, l.Signed, l.Days), l.Imported, verify.Escape(by), verify.Escape(l.File), stale(l.Stale))
	}
	for n, l := range t.Revoked {
		if n == 0 {
			heading(w, p.text(wordRevocations))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s%s\n", verify.Escape(l.Issuer), l.Signed, ageOf(p, l.Signed, l.Days), l.Next, stale(l.Stale))
	}
	return w.Flush()
}

func heading(w io.Writer, text string) { fmt.Fprintf(w, "\n%s\n", text) }

// ageOf is how old a list is in days, "-" if it has no time.
func ageOf(p *program, signed string, days int) string {
	if signed == "" {
		return "-"
	}
	return fmt.Sprintf(p.text(wordDays), days)
}
