package monitor

import (
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/verify/receipt"
)

// FuzzFork: whatever is shown as evidence of one checkpoint with itself is none.
func FuzzFork(f *testing.F) {
	f.Add([]byte("root CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\nold 1\n\nledger.test\n2\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— ledger.test Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"))
	signer, v := ledgertest.LogKey(f)
	signed, err := note.Sign(&note.Note{Text: "ledger.test\n2\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"}, signer)
	if err != nil {
		f.Fatal(err)
	}
	policy := receipt.Policy{Logs: []note.Verifier{v}}
	f.Fuzz(func(t *testing.T, proof []byte) {
		if CheckFork(signed, signed, proof, policy) == nil {
			t.Error("one checkpoint is a fork")
		}
		if CheckFork(signed, proof, proof, policy) == nil {
			t.Error("what nobody signed is a fork")
		}
	})
}

// FuzzBundle: a bundle is read to its end, and not beyond.
func FuzzBundle(f *testing.F) {
	f.Add([]byte{0, 1, 7, 0, 0, 0, 2, 1})
	f.Fuzz(func(t *testing.T, bundle []byte) {
		rest, n := bundle, 0
		for {
			leaf, after := cutLeaf(rest)
			if leaf == nil {
				break
			}
			n, rest = n+2+len(leaf), after
		}
		if n > len(bundle) {
			t.Errorf("%d octets of %d", n, len(bundle))
		}
	})
}
