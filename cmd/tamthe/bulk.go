package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"sync"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/bulk"
)

// paper is one document among many: its files, or why they cannot be had.
type paper struct {
	path   string
	files  verify.Files
	err    error
	bundle []byte // in place of files
	size   int64  // of the files of a stream
}

// many are documents as they come. What is passed over without being a document is
// counted in skipped while the sequence runs.
type many struct {
	papers  iter.Seq[paper]
	skipped int
	read    int   // lines of a stream
	broken  error // what ended the sequence before its end
}

// judgedPaper is one line of the result of judging many.
type judgedPaper struct {
	Schema  string          `json:"schema"`
	Path    string          `json:"path"`
	Verdict *verify.Verdict `json:"verdict"`
	Reasons []verify.Reason `json:"reasons"`
	Card    string          `json:"card_id"`
	Error   string          `json:"error,omitempty"`
}

// tally is the last line.
type tally struct {
	Documents  int `json:"documents"`
	Accept     int `json:"accept"`
	Refuse     int `json:"refuse"`
	Refer      int `json:"refer"`
	Unreadable int `json:"unreadable"`
	Skipped    int `json:"skipped"`
}

const schemaBulk = "tamthe/judge-bulk/1"

// maxWorkers bounds the documents that are held at once.
const maxWorkers = 256

// judgeMany judges documents with so many workers, and prints a line for each in their
// order and a summary. The worst verdict is the exit status.
func (p *program) judgeMany(ctx context.Context, m *many, opts verify.Options, b *bundles, workers int) error {
	switch {
	case workers < 0 || workers > maxWorkers:
		return usagef("--workers is 1 to %d", maxWorkers)
	case workers == 0:
		workers = runtime.GOMAXPROCS(0)
	}
	status, done := p.statusSource(ctx, opts.Status)
	defer done()
	defer p.remember(opts)
	opts.Status, b.options.Verify.Status = status, status
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var sum tally
	progress := p.progress()
	defer progress.end()
	for line := range p.judgeInOrder(ctx, m, bulk.New(opts), b, workers) {
		sum.count(line)
		progress.show(fmt.Sprintf(p.text(wordJudged), sum.Documents), 0, 0)
		if err := p.printPaper(line); err != nil {
			return err
		}
	}
	progress.end()
	if err := errors.Join(ctx.Err(), m.broken); err != nil {
		return err
	}
	if sum.Documents == 0 {
		return hint(errNoFiles, "an EF folder holds EF.SOD.bin, DG1.bin and so on")
	}
	sum.Skipped = m.skipped
	if err := p.printTally(sum); err != nil {
		return err
	}
	return sum.status()
}

// judgeInOrder hands documents to workers and gives the lines in the order of the
// documents. At most four a worker are held at a time.
func (p *program) judgeInOrder(ctx context.Context, m *many, judge *bulk.Judge, b *bundles, workers int) iter.Seq[judgedPaper] {
	type job struct {
		paper
		line chan judgedPaper
	}
	return func(yield func(judgedPaper) bool) {
		ctx, cancel := context.WithCancel(ctx)
		jobs, order := make(chan job), make(chan job, 4*workers)
		var all sync.WaitGroup
		defer all.Wait()
		defer cancel()
		for range workers {
			all.Go(func() {
				for j := range jobs {
					j.line <- judgePaper(ctx, judge, b, j.paper)
				}
			})
		}
		all.Go(func() {
			defer close(order)
			defer close(jobs)
			for d := range m.papers {
				j := job{d, make(chan judgedPaper, 1)}
				for _, queue := range []chan job{order, jobs} {
					select {
					case queue <- j:
					case <-ctx.Done():
						return
					}
				}
			}
		})
		for j := range order {
			select {
			case line := <-j.line:
				if !yield(line) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

func judgePaper(ctx context.Context, judge *bulk.Judge, b *bundles, d paper) judgedPaper {
	line := judgedPaper{Schema: schemaBulk, Path: d.path, Reasons: []verify.Reason{}}
	var r bulk.Result
	err := d.err
	switch {
	case err != nil:
	case d.bundle != nil:
		r, err = b.judgeOne(ctx, d.bundle)
	default:
		r, err = judge.Files(ctx, d.files)
	}
	if err != nil {
		line.Error = err.Error()
		return line
	}
	line.Verdict, line.Reasons = &r.Verdict, append(line.Reasons, r.Reasons...)
	if r.Card != (verify.CardID{}) {
		line.Card = r.Card.String()
	}
	return line
}

func (t *tally) count(line judgedPaper) {
	t.Documents++
	switch {
	case line.Verdict == nil:
		t.Unreadable++
	case *line.Verdict == verify.Accept:
		t.Accept++
	case *line.Verdict == verify.Refuse:
		t.Refuse++
	default:
		t.Refer++
	}
}

// status is the worst: refused, then unreadable, then referred.
func (t tally) status() error {
	switch {
	case t.Refuse > 0:
		return verdictError(exitRefused)
	case t.Unreadable > 0:
		return verdictError(exitError)
	case t.Refer > 0:
		return verdictError(exitRefer)
	}
	return nil
}

func (p *program) printPaper(line judgedPaper) error {
	if p.json {
		return p.document(line)
	}
	word, why := p.text(wordUnreadable), line.Error
	if line.Verdict != nil {
		reasons := make([]string, len(line.Reasons))
		for i, r := range line.Reasons {
			reasons[i] = string(r)
		}
		word, why = p.text(wordVerdicts[*line.Verdict]), strings.Join(reasons, ", ")
	}
	wide := 12
	if p.lang == "vi" {
		wide = 17
	}
	text := strings.TrimRight(fmt.Sprintf("%-*s %s  %s", wide, word, verify.Escape(line.Path), verify.Escape(why)), " ")
	_, err := fmt.Fprintln(p.out, text)
	return err
}

func (p *program) printTally(t tally) error {
	if p.json {
		return json.NewEncoder(p.out).Encode(struct {
			Schema  string `json:"schema"`
			Summary tally  `json:"summary"`
		}{schemaBulk, t})
	}
	_, err := fmt.Fprintf(p.out, p.text(wordTally)+"\n", t.Documents, t.Accept, t.Refuse, t.Refer, t.Unreadable, t.Skipped)
	return err
}
