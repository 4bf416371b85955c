package main

import (
	"fmt"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/receipt"
)

// runContinuationVerify checks that a log continues an older checkpoint, without the log.
func runContinuationVerify(p *program, o receiptOptions) error {
	text, err := p.input(o.verify, receipt.MaxProof)
	if err != nil {
		return err
	}
	older, err := p.input(o.against, receipt.MaxCheckpoint)
	if err != nil {
		return err
	}
	policies, err := p.logPolicies(o)
	if err != nil {
		return err
	}
	proof, err := receipt.ParseContinuation(text)
	if err != nil {
		return p.receiptRefused(err)
	}
	for _, policy := range policies {
		var proven *receipt.Proven
		if proven, err = proof.Verify(older, policy); err == nil {
			return p.continued(proof.Old, proven)
		}
	}
	return p.receiptRefused(err)
}

func (p *program) continued(old int64, proven *receipt.Proven) error {
	if p.documents {
		return p.document(struct {
			Schema string `json:"schema"`
			OK     bool   `json:"ok"`
			Origin string `json:"origin"`
			Old    int64  `json:"old"`
			Size   int64  `json:"size"`
		}{"tamthe/ledger-continuation-verify/1", true, proven.Origin, old, proven.Size})
	}
	_, err := fmt.Fprintf(p.out, p.text(wordContinued)+"\n", verify.Escape(proven.Origin), old, proven.Size)
	return err
}
