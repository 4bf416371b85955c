package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/verify/durable"
)

func newPrint(p *program) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "print CARD",
		Short: "Make the print job of a finished card: front and back as PDF at true size",
		Long: `Writes FOLDER/CARD.pdf with the front and the back of the card, 85.60 by 53.98 mm, and
prints its path. Portrait, texts, QR code and MRZ come from what was approved, as the chip's
data do. The ledger records that the body is printed: from then on "tamthe check" passes the
card only with a reading of both sides. The file holds personal data: remove it once it is
printed.
`,
		Example: "  tamthe print C-1M5V0QXW3Z --out jobs --operator an",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runPrint(cmd.Context(), p, args[0], out) },
	}
	cmd.Flags().StringVar(&out, "out", ".", "`FOLDER` for the job; it is made if it is not there")
	p.actingFlags(cmd)
	return cmd
}

func runPrint(ctx context.Context, p *program, id, out string) error {
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	job, err := office.Print(ctx, id)
	if err != nil {
		return err
	}
	path, err := writeJob(out, id, job)
	if err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
		Card   string `json:"card"`
		File   string `json:"file"`
	}{"tamthe/print/1", id, path}, path, path)
}

// writeJob writes a print job in a folder: an older one of the same card is
// replaced, whole or not at all.
func writeJob(folder, id string, job []byte) (string, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(folder, filepath.Base(id)+".pdf")
	return path, durable.Replace(path, job, 0o600)
}
