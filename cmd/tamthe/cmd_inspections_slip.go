package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence"
	"github.com/tamthe/tamthe/verify/evidence/record"
	"github.com/tamthe/tamthe/verify/evidence/slip"
)

func newInspectionsSlip(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "slip FILE",
		Short: "Say whether a citizen's slip is genuine",
		Long: `Reads the code at the end of a citizen's slip, page or text, - for standard input, and says
whether this device sealed it and the record has the entry that it names. What the code says
counts, and not what is printed above it: it is printed again. Exit status 3 says that the slip is
not genuine, or not of this device.
`,
		Example: "  tamthe inspections slip slip.html",
		Args:    exactly(1),
		RunE:    func(_ *cobra.Command, args []string) error { return runInspectionsSlip(p, args[0]) },
	}
}

// maxSlip bounds a slip, in octets.
const maxSlip = 256 << 10

// Why a slip is not believed.
const (
	slipMalformed = "malformed"
	slipSeal      = "seal"
	slipDevice    = "other-device"
	slipRecord    = "not-on-record"
)

func runInspectionsSlip(p *program, file string) error {
	text, err := p.input(file, maxSlip)
	if err != nil {
		return err
	}
	own, err := p.ownDevice()
	if err != nil {
		return err
	}
	s, device, err := slip.Parse(text)
	why := ""
	switch {
	case errors.Is(err, evidence.ErrSeal), errors.Is(err, evidence.ErrDeviceKey):
		why = slipSeal
	case err != nil:
		why = slipMalformed
	case device != own:
		why = slipDevice
	default:
		dir := p.home.path(inspectionsDir)
		if _, err := record.Verify(dir, own, nil); err != nil {
			return err
		}
		if err := s.Recorded(dir); errors.Is(err, slip.ErrUnknown) {
			why = slipRecord
		} else if err != nil {
			return err
		}
	}
	doc := struct {
		Schema  string    `json:"schema"`
		Genuine bool      `json:"genuine"`
		Why     string    `json:"why,omitempty"`
		Entry   uint64    `json:"entry"`
		Hash    string    `json:"hash"`
		Time    time.Time `json:"time"`
		Purpose string    `json:"purpose"`
		Verdict string    `json:"verdict"`
		Files   []string  `json:"files"`
	}{"tamthe/inspections-slip/1", why == "", why, s.Entry, hex.EncodeToString(s.Hash), s.Time, s.Purpose, s.Verdict, append([]string{}, s.Files...)}
	said := fmt.Sprintf(p.text(wordSlipGenuine), s.Entry, s.Time.Format(time.RFC3339), verify.Escape(s.Purpose), p.verdictOf(s.Verdict))
	if why != "" {
		said = p.text(wordSlipForged[why])
	}
	if err := p.result(doc, "", said); err != nil || why == "" {
		return err
	}
	return verdictError(exitRefused)
}

// verdictOf says the word of a record for a verdict; one that has no verdict's word as it is.
func (p *program) verdictOf(word string) string {
	for v, t := range wordVerdicts {
		if v.String() == word {
			return p.text(t)
		}
	}
	return word
}
