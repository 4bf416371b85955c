// Package bulk judges many documents as verify.JudgeFiles judges one, and faster where a
// signer comes again.
//
// What the package knows of a signer it has learned from a document that JudgeFiles judged.
// Of a further document that differs from that one only in what is compared here, octet by
// octet or by a rule that admits less than JudgeFiles does, it says what was said then.
// Every other document goes through JudgeFiles.
package bulk

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/tamthe/tamthe/verify"
)

// Judge judges documents one after the other under the same options, and so at one time
// and by one trust store: whoever loads another store makes another judge. It is safe for
// concurrent use, and keeps at most 256 signers.
type Judge struct {
	options verify.Options
	learns  bool // the options leave nothing to be asked about a single document

	mu      sync.RWMutex
	signers map[[32]byte]*signer // by the SHA-256 of their certificates
	clock   atomic.Int64         // counts uses, for forgetting who was not met for longest
	quick   atomic.Int64         // documents that did not go through JudgeFiles
}

// Result is what became of a document. Verdict and Reasons are always those of the report
// that verify.JudgeFiles makes of the same files under the same options.
type Result struct {
	Verdict verify.Verdict
	Reasons []verify.Reason // shared with other results: not to be changed
	Card    verify.CardID   // zero if there is no readable SOD
}

// New returns a judge. Without a time in the options every document is an error.
func New(o verify.Options) *Judge {
	if o.Policy.Name == "" && len(o.Policy.Need) == 0 {
		o.Policy, _ = verify.PolicyByName("archive")
	}
	return &Judge{options: o, learns: plainOptions(o), signers: map[[32]byte]*signer{}}
}

// plainOptions says whether nothing is compared that is another for each document, and
// nobody asked but a source of status.
func plainOptions(o verify.Options) bool {
	return !o.At.IsZero() && o.Trust != nil && o.Printed == nil && o.QR == "" && o.Face == nil &&
		o.Terminal == nil && !o.Policy.Chip && o.Challenge == nil && len(o.Signers) == 0 && len(o.Lists) == 0
}

// Files judges one document. The errors are those of verify.JudgeFiles.
func (j *Judge) Files(ctx context.Context, files verify.Files) (Result, error) {
	var d document
	plain := j.learns && d.read(files)
	if plain {
		r, known, err := j.recall(ctx, &d)
		if err != nil {
			return Result{}, err
		}
		if known {
			j.quick.Add(1)
			return r, nil
		}
	}
	report, err := verify.JudgeFiles(ctx, files, j.options)
	if err != nil {
		return Result{}, err
	}
	if plain {
		j.learn(&d, report)
	}
	return Of(report), nil
}

// Quick is how many documents were judged so far without going through JudgeFiles.
func (j *Judge) Quick() int64 { return j.quick.Load() }

// Of is the result that a report holds.
func Of(r *verify.Report) Result {
	return Result{Verdict: r.Verdict, Reasons: r.Reasons(), Card: r.Document.Card}
}
