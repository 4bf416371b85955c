// Package bulk judges many documents as verify.JudgeFiles judges one, and faster where a
// signer comes again.
package bulk

import (
	"context"

	"github.com/tamthe/tamthe/verify"
)

// Judge judges documents one after the other under the same options, and so at one time
// and by one trust store. It is safe for concurrent use.
type Judge struct {
	options verify.Options
}

// Result is what became of a document. Verdict and Reasons are always those of the report
// that verify.JudgeFiles makes of the same files under the same options.
type Result struct {
	Verdict verify.Verdict
	Reasons []verify.Reason
	Card    verify.CardID // zero if there is no readable SOD
}

// New returns a judge. Without a time in the options every document is an error.
func New(o verify.Options) *Judge { return &Judge{options: o} }

// Files judges one document. The errors are those of verify.JudgeFiles.
func (j *Judge) Files(ctx context.Context, files verify.Files) (Result, error) {
	r, err := verify.JudgeFiles(ctx, files, j.options)
	if err != nil {
		return Result{}, err
	}
	return Of(r), nil
}

// Of is the result that a report holds.
func Of(r *verify.Report) Result {
	return Result{Verdict: r.Verdict, Reasons: r.Reasons(), Card: r.Document.Card}
}
