package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"
	"time"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/bulk"
	"github.com/tamthe/tamthe/verify/evidence"
)

// bundleSuffix ends the names of bundles in a tree.
const bundleSuffix = ".evidence"

// readBundle reads a file that may be a bundle, whole.
func readBundle(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, evidence.MaxSize+1))
	if err == nil && len(b) > evidence.MaxSize {
		err = evidence.ErrTooLarge
	}
	return b, err
}

// judgeBundle judges one bundle and says on what each claim rests.
func (p *program) judgeBundle(ctx context.Context, text []byte, b *bundles, o verifyOptions) error {
	status, done := p.statusSource(ctx, b.options.Verify.Status)
	defer done()
	b.options.Verify.Status = status
	bundle, j, err := b.judge(ctx, text)
	if err != nil {
		return err
	}
	p.remember(b.options.Verify)
	if err := o.page(ctx, p, j.Report); err != nil {
		return err
	}
	if p.json {
		err = p.bundleDocument(bundle, j)
	} else if err = p.report(j.Report, verify.RenderOptions{All: o.all}); err == nil {
		err = p.tellBundle(bundle, j)
	}
	if err != nil {
		return err
	}
	return asError(j.Report.Verdict)
}

// judgeOne is a bundle among many documents.
func (b *bundles) judgeOne(ctx context.Context, text []byte) (bulk.Result, error) {
	_, j, err := b.judge(ctx, text)
	if err != nil {
		return bulk.Result{}, err
	}
	return bulk.Of(j.Report), nil
}

// bundleLines reads a stream of bundles, one a line.
func bundleLines(r *bufio.Reader) *many {
	m := &many{}
	m.papers = func(yield func(paper) bool) {
		for line, err := range eachLine(r, evidence.MaxSize) {
			switch {
			case errors.Is(err, evidence.ErrTooLarge):
				yield(paper{path: fmt.Sprint(m.read), err: err})
				m.broken = fmt.Errorf("read the stream: %w", err)
				return
			case err != nil:
				m.broken = fmt.Errorf("read the stream: %w", err)
				return
			}
			m.read++
			if !yield(paper{path: fmt.Sprint(m.read), bundle: line}) {
				return
			}
		}
	}
	return m
}

// eachLine yields lines of at most so many octets, the last with or without its end.
func eachLine(r *bufio.Reader, most int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for {
			var line []byte
			for {
				part, err := r.ReadSlice('\n')
				line = append(line, part...)
				switch {
				case len(line) > most:
					yield(nil, evidence.ErrTooLarge)
					return
				case errors.Is(err, bufio.ErrBufferFull):
					continue
				case err != nil && !errors.Is(err, io.EOF):
					yield(nil, err)
					return
				case err != nil && len(line) == 0:
					return
				}
				break
			}
			if !yield(line, nil) {
				return
			}
		}
	}
}

// The document of a bundle that was judged.
type (
	judgedBundle struct {
		Schema    string          `json:"schema"`
		Verdict   verify.Verdict  `json:"verdict"`
		Sealed    bool            `json:"sealed"`
		Device    judgedDevice    `json:"device"`
		Officer   string          `json:"officer"`
		Case      string          `json:"case"`
		Purpose   string          `json:"purpose"`
		Time      time.Time       `json:"time"`
		Challenge string          `json:"challenge"`
		Recorded  recordedVerdict `json:"recorded"`
		Claims    []judgedClaim   `json:"claims"`
		Changed   []judgedChange  `json:"changed"`
		Report    json.RawMessage `json:"report"`
	}
	judgedDevice struct {
		ID    string `json:"id"`
		Known bool   `json:"known"`
	}
	recordedVerdict struct {
		Verdict verify.Verdict `json:"verdict"`
		Policy  string         `json:"policy"`
		At      time.Time      `json:"at"`
		Store   string         `json:"store"`
	}
	judgedClaim struct {
		Claim      verify.Claim  `json:"claim"`
		Passed     bool          `json:"passed"`
		RestsOn    evidence.Rest `json:"rests_on"`
		ThirdParty bool          `json:"third_party"`
	}
	judgedChange struct {
		ID   string        `json:"id"`
		Then *judgedResult `json:"then"`
		Now  judgedResult  `json:"now"`
	}
	judgedResult struct {
		Outcome verify.Outcome `json:"outcome"`
		Reason  verify.Reason  `json:"reason"`
	}
)

func (p *program) bundleDocument(b *evidence.Bundle, j *evidence.Judgement) error {
	raw, err := j.Report.JSON()
	if err != nil {
		return err
	}
	doc := judgedBundle{
		Schema: "tamthe/judge-evidence/1", Verdict: j.Report.Verdict, Sealed: j.Sealed,
		Device:  judgedDevice{hex.EncodeToString(b.Context.Device[:]), j.Known},
		Officer: pseudonym(b.Officer), Case: b.Context.Case, Purpose: b.Context.Purpose, Time: b.Context.Time, Challenge: challengeOf(b),
		Recorded: recordedVerdict{b.Verdict, b.Policy, b.At, b.Store}, Claims: []judgedClaim{}, Changed: []judgedChange{}, Report: raw,
	}
	for _, c := range j.Claims {
		doc.Claims = append(doc.Claims, judgedClaim{c.Claim, c.Passed, c.Rests, c.ThirdParty})
	}
	for _, c := range j.Changed {
		out := judgedChange{ID: c.ID, Now: judgedResult{c.Now, c.NowWhy}}
		if c.Recorded {
			out.Then = &judgedResult{c.Then, c.ThenWhy}
		}
		doc.Changed = append(doc.Changed, out)
	}
	return p.document(doc)
}

func pseudonym(id [32]byte) string {
	if id == ([32]byte{}) {
		return ""
	}
	return hex.EncodeToString(id[:])
}

func challengeOf(b *evidence.Bundle) string {
	switch a := b.Proofs.Active; {
	case a == nil:
		return ""
	case a.Chosen:
		return "case"
	}
	return "random"
}

// tellBundle says below the report whose bundle it is, on what each claim rests, and what
// was otherwise when it was recorded.
func (p *program) tellBundle(b *evidence.Bundle, j *evidence.Judgement) error {
	var out strings.Builder
	line := func(w phrase, a ...any) { fmt.Fprintf(&out, "  %s\n", verify.Escape(fmt.Sprintf(p.text(w), a...))) }
	switch device := hex.EncodeToString(b.Context.Device[:8]); {
	case !j.Sealed:
		line(wordUnsealed)
	case j.Known:
		line(wordKnownDevice, device)
	default:
		line(wordStranger, device)
	}
	if b.Context.Case != "" {
		line(wordCase, b.Context.Case)
	}
	if b.Context.Purpose != "" {
		line(wordPurpose, b.Context.Purpose)
	}
	line(wordRecorded, p.text(wordVerdicts[b.Verdict]), b.At.UTC().Format(p.text(wordTime)), b.Policy)
	for _, c := range j.Claims {
		third := wordNotThirdParty
		if c.ThirdParty {
			third = wordThirdParty
		}
		text := p.text(wordRests[c.Rests])
		if c.Passed {
			text += "; " + p.text(third)
		}
		fmt.Fprintf(&out, "  %s: %s\n", p.text(wordClaims[c.Claim]), text)
	}
	for _, c := range j.Changed {
		line(wordChanged, c.ID, fmt.Sprintf("%v %s", c.Then, c.ThenWhy), fmt.Sprintf("%v %s", c.Now, c.NowWhy))
	}
	_, err := io.WriteString(p.out, out.String())
	return err
}
