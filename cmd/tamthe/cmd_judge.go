package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/verify"
)

func newJudge(p *program) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "judge PATH",
		Short: "Judge files that were read before",
		Long: `Judges an EF folder (EF.SOD.bin, DG1.bin …) as verify does a card, without the chip's
own proof.
`,
		Example: "  tamthe judge ./card --trust ./trust --at 2026-07-01T00:00:00Z",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runJudge(cmd.Context(), p, args[0], o) },
	}
	o.judgeFlags(cmd, "archive")
	return cmd
}

// errNoFiles says that a folder is no EF folder.
var errNoFiles = errors.New("there are no files of a card")

func runJudge(ctx context.Context, p *program, path string, o verifyOptions) error {
	opts, err := o.options(p, "archive")
	if err != nil {
		return err
	}
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !st.IsDir() {
		return usagef("%s is no folder", path)
	}
	files, err := verify.ReadFiles(os.DirFS(path))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return hint(fmt.Errorf("%s: %w", path, errNoFiles), "an EF folder holds EF.SOD.bin, DG1.bin and so on")
	}
	status, done := p.statusSource(ctx)
	defer done()
	opts.Status = status
	report, err := verify.JudgeFiles(ctx, files, opts)
	if err != nil {
		return err
	}
	return p.judged(report, verify.RenderOptions{All: o.all})
}
