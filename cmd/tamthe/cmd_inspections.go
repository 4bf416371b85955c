package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence"
	"github.com/tamthe/tamthe/verify/evidence/record"
)

func newInspections(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inspections",
		Short: "Look at the record of this checkpoint's inspections",
		Long: `Every verify and read appends an entry to the record in inspections/ of the home: when,
by which device and officer, why, how the chip was opened, the card's CardID, each check with
its outcome and reason, the verdict, the lists with their ages and the trust store's digest.
It names no person. Each entry holds the hash of the one before, and the device signs how far
the record reaches.
`,
		Example: "  tamthe inspections verify",
	}
	cmd.AddCommand(newInspectionsVerify(p), newInspectionsList(p), newInspectionsExport(p), newInspectionsDevice(p), newInspectionsSlip(p))
	return family(cmd)
}

// maxExport bounds a file that verify --against looks for a head in, in octets.
const maxExport = 1 << 30

func newInspectionsVerify(p *program) *cobra.Command {
	var against string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check that nobody changed the record",
		Long: `Reads the record from its beginning, and refuses it (exit status 3) if an entry was
changed, added, deleted, moved or cut off below the head that the device signed. Who puts back
an older record with its older head is found by --against: a file that export wrote, kept
elsewhere.
`,
		Example: "  tamthe inspections verify --against last-week.jsonl",
		Args:    exactly(0),
		RunE:    func(*cobra.Command, []string) error { return runInspectionsVerify(p, against) },
	}
	cmd.Flags().StringVar(&against, "against", "", "an older `FILE` of export, - for standard input")
	return cmd
}

func runInspectionsVerify(p *program, against string) error {
	var kept *record.Head
	if against != "" {
		head, err := p.keptHead(against)
		if err != nil {
			return fmt.Errorf("%s: %w", against, err)
		}
		kept = &head
	}
	id, err := p.ownDevice()
	if err != nil {
		return err
	}
	s, err := record.Verify(p.home.path(inspectionsDir), id, kept)
	tampered, wrong := errors.AsType[*record.TamperError](err)
	if err != nil && !wrong {
		return err
	}
	doc := struct {
		Schema  string `json:"schema"`
		Whole   bool   `json:"whole"`
		Entries uint64 `json:"entries"`
		Hash    string `json:"hash"`
		Torn    bool   `json:"torn"`
		Entry   uint64 `json:"wrong_entry,omitempty"`
		Why     string `json:"why,omitempty"`
	}{"tamthe/inspections-verify/1", !wrong, s.Head.Entries, hex.EncodeToString(s.Head.Hash), s.Torn, 0, ""}
	text := fmt.Sprintf(p.text(wordRecordWhole), s.Head.Entries)
	switch {
	case wrong:
		doc.Entry, doc.Why = tampered.Entry, tampered.Error()
		text = fmt.Sprintf(p.text(wordRecordTampered), verify.Escape(tampered.Error()))
	case s.Torn:
		text += "\n" + p.text(wordRecordTorn)
	}
	if err := p.result(doc, "", text); err != nil || !wrong {
		return err
	}
	return verdictError(exitRefused)
}

// ownDevice is the pseudonym of this home's device, whose key must be there.
func (p *program) ownDevice() ([32]byte, error) {
	signer, err := keystore.Open("file:" + p.home.path(keysDir, deviceKeyName))
	if errors.Is(err, keystore.ErrMissing) {
		if _, err := os.Stat(p.home.path(inspectionsDir)); errors.Is(err, fs.ErrNotExist) {
			return [32]byte{}, record.ErrMissing
		}
	}
	if err != nil {
		return [32]byte{}, err
	}
	d, err := evidence.NewDevice(signer)
	if err != nil {
		return [32]byte{}, err
	}
	return d.ID(), nil
}

// keptHead is the last line of an export.
func (p *program) keptHead(path string) (record.Head, error) {
	text, err := p.input(path, maxExport)
	if err != nil {
		return record.Head{}, err
	}
	text = bytes.TrimSuffix(text, []byte("\n"))
	return record.ParseHead(text[bytes.LastIndexByte(text, '\n')+1:])
}

func newInspectionsList(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the inspections",
		Long:    "Lists the inspections of the record, the oldest first, one a line.\n",
		Example: "  tamthe inspections list",
		Args:    exactly(0),
		RunE:    func(*cobra.Command, []string) error { return runInspectionsList(p) },
	}
}

func runInspectionsList(p *program) error {
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	entries := []json.RawMessage{}
	for line, err := range record.Entries(p.home.path(inspectionsDir)) {
		if err != nil {
			return err
		}
		e, err := record.ParseEntry(line)
		if err != nil {
			return hint(fmt.Errorf("entry %d: %w", len(entries)+1, err), "`tamthe inspections verify` says what is wrong with the record")
		}
		entries = append(entries, bytes.Clone(line))
		card := e.Card
		if len(card) > 16 {
			card = card[:16]
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Number, e.Time.Format(time.RFC3339), verify.Escape(e.Verb), p.text(wordVerdicts[e.Verdict]), verify.Escape(card), verify.Escape(e.Access), verify.Escape(e.Purpose))
	}
	if p.documents {
		return p.document(struct {
			Schema  string            `json:"schema"`
			Entries []json.RawMessage `json:"entries"`
		}{"tamthe/inspections-list/1", entries})
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := p.out.Write(out.Bytes())
	return err
}

func newInspectionsExport(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "export",
		Short: "Print the record as JSONL, with its signed head",
		Long: `Prints the record as it is: one entry a line (schema tamthe/inspection/1), and on the last
line the head that the device signed (tamthe/inspection-head/1), with which verify --against
finds a record that was put back. A record that was tampered with is not exported.
`,
		Example: "  tamthe inspections export > $(date +%F).jsonl",
		Args:    exactly(0),
		RunE:    func(*cobra.Command, []string) error { return runInspectionsExport(p) },
	}
}

func runInspectionsExport(p *program) error {
	dir := p.home.path(inspectionsDir)
	id, err := p.ownDevice()
	if err != nil {
		return err
	}
	s, err := record.Verify(dir, id, nil)
	if err != nil {
		return err
	}
	n := uint64(0)
	for line, err := range record.Entries(dir) {
		if err != nil {
			return err
		}
		if n == s.Head.Entries { // the others were written since
			break
		}
		if _, err := fmt.Fprintf(p.out, "%s\n", line); err != nil {
			return err
		}
		n++
	}
	if n < s.Head.Entries { // torn off; it may have been mended since
		if _, err := fmt.Fprintf(p.out, "%s\n", s.Head.Line()); err != nil {
			return err
		}
	}
	return json.NewEncoder(p.out).Encode(s.Head)
}

func newInspectionsDevice(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "device",
		Short: "Print the public key that seals this checkpoint's evidence",
		Long: `Prints the public key of this device (PEM), which it makes on first use. Whoever is to take
its word for what cannot be seen any more judges bundles with --device FILE.
`,
		Example: "  tamthe inspections device > checkpoint-7.pem",
		Args:    exactly(0),
		RunE: func(*cobra.Command, []string) error {
			d, err := p.device("")
			if err != nil {
				return err
			}
			id := d.ID()
			if p.documents {
				return p.document(struct {
					Schema string `json:"schema"`
					Device string `json:"device"`
					Key    string `json:"key"`
				}{"tamthe/inspections-device/1", hex.EncodeToString(id[:]), string(d.PublicPEM())})
			}
			_, err = p.out.Write(d.PublicPEM())
			return err
		},
	}
}
