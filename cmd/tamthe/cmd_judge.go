package main

import (
	"bufio"
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence"
)

func newJudge(p *program) *cobra.Command {
	var o verifyOptions
	var workers int
	var b bundleOptions
	cmd := &cobra.Command{
		Use:   "judge PATH",
		Short: "Judge files that were read before",
		Long: `Judges an EF folder (EF.SOD.bin, DG1.bin …) as verify does a card, without the chip's
own proof. A file is a bundle that verify --evidence wrote: it is judged again by one's own
trust and time, and told on what each claim rests and whether third parties may rest on it,
too. What only the device saw counts in the card's favour with its --device alone.

Of another folder every EF folder in it is judged, however deep, and of - a tar stream of
such on standard input, in which the files of one folder stand together. Then a line is
printed for each as it comes (with --json an object), at last a summary, without which the
result is not whole; the exit status is that of the worst: refused, then unreadable
(status 1), then referred. Links are not followed. Files *.evidence are judged as well, and
on standard input bundles, one a line, in place of a tar stream.
`,
		Example: `  tamthe judge ./card --trust ./trust --at 2026-07-01T00:00:00Z
  tar c ./archive | tamthe judge - --trust ./trust --json --workers 4`,
		Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runJudge(cmd.Context(), p, args[0], o, b, workers)
		},
	}
	o.judgeFlags(cmd, "archive, for a bundle its own")
	o.pageFlag(cmd)
	b.flags(cmd)
	cmd.Flags().IntVar(&workers, "workers", 0, "`NUMBER` of documents to judge at once (else one a processor)")
	return cmd
}

// errNoFiles says that a folder is no EF folder.
var errNoFiles = errors.New("there are no files of a card")

func runJudge(ctx context.Context, p *program, path string, o verifyOptions, b bundleOptions, workers int) error {
	opts, err := o.options(p, "archive")
	if err != nil {
		return err
	}
	if err := o.pageFree(); err != nil {
		return err
	}
	if path == "-" && o.html != "" {
		return usagef("--html is for one document")
	}
	judging, err := b.prepare(p, opts)
	if err != nil {
		return err
	}
	if o.policy == "" { // each bundle by its own
		judging.options.Verify.Policy = verify.Policy{}
	}
	if path == "-" {
		return p.judgeStream(ctx, opts, judging, workers)
	}
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if st.IsDir() {
		return p.judgeFolder(ctx, path, opts, judging, o, workers)
	}
	text, err := readBundle(os.DirFS(filepath.Dir(path)), filepath.Base(path))
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() || !evidence.Is(text) {
		return usagef("%s is no folder and no bundle of evidence", path)
	}
	return p.judgeBundle(ctx, text, judging, o)
}

// judgeStream judges what comes on standard input: bundles, one a line, or a tar stream.
func (p *program) judgeStream(ctx context.Context, opts verify.Options, b *bundles, workers int) error {
	stream, done := p.stream(ctx)
	defer done()
	in := bufio.NewReader(stream)
	m := tarred(in)
	if begin, _ := in.Peek(1); string(begin) == "{" {
		m = bundleLines(in)
	}
	return p.judgeMany(ctx, m, opts, b, workers)
}

// judgeFolder judges an EF folder, or of another all that are in it.
func (p *program) judgeFolder(ctx context.Context, path string, opts verify.Options, b *bundles, o verifyOptions, workers int) error {
	files, err := verify.ReadFiles(os.DirFS(path))
	if err != nil {
		return err
	}
	if len(files) == 0 && o.html != "" {
		return usagef("--html is for one document, and %s is no EF folder", path)
	}
	if len(files) == 0 {
		root, err := os.OpenRoot(path)
		if err != nil {
			return err
		}
		defer root.Close()
		return p.judgeMany(ctx, tree(root), opts, b, workers)
	}
	status, done := p.statusSource(ctx, opts.Status)
	defer done()
	opts.Status = status
	report, err := verify.JudgeFiles(ctx, files, opts)
	if err != nil {
		return err
	}
	p.remember(opts)
	if err := o.page(ctx, p, report); err != nil {
		return err
	}
	return p.judged(report, verify.RenderOptions{All: o.all})
}
