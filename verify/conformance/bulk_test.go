package conformance

import (
	"crypto"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/bulk"
)

// TestBulkAgrees judges the files of every card one after the other, as bulk judging does,
// among sound cards of the same signer: each verdict and each reason is that of JudgeFiles.
// The issuer signs by RSA (PKCS #1), so that its certificates are the same each time.
func TestBulkAgrees(t *testing.T) {
	signed := func() *blueprint {
		b := standard()
		b.keys(rsaKey("csca", 65537), rsaKey("ds", 65537), pkcs1(crypto.SHA256))
		b.algorithm = pkcs1(crypto.SHA256)
		return b
	}
	first := signed()
	sound, made, err := first.card()
	if err != nil {
		t.Fatal(err)
	}
	options := first.options
	options.Policy, _ = verify.PolicyByName("archive")
	options.Trust = first.store(made)
	judge := bulk.New(options)
	cards, accepted := 0, 0
	for _, p := range plays() {
		if p.base().kind != "standard" {
			continue
		}
		b := signed()
		p.change(b)
		files, _, err := b.card()
		if err != nil || b.play != nil {
			continue
		}
		cards++
		for _, f := range []verify.Files{sound, files, files} {
			want, err := verify.JudgeFiles(t.Context(), f, options)
			if err != nil {
				t.Fatal(err)
			}
			got, err := judge.Files(t.Context(), f)
			if err != nil || got.Verdict != want.Verdict || !slices.Equal(got.Reasons, want.Reasons()) || got.Card != want.Document.Card {
				t.Errorf("%s: %v %v, %v; one by one %v %v", p.id, got.Verdict, got.Reasons, err, want.Verdict, want.Reasons())
			}
			if want.Verdict == verify.Accept {
				accepted++
			}
		}
	}
	t.Logf("%d cards, %d judgements ended in accept, %d were quick", cards, accepted, judge.Quick())
	if cards < 200 || judge.Quick() < int64(cards) {
		t.Error("too few")
	}
}
