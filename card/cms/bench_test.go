package cms

import (
	"testing"

	"github.com/tamthe/tamthe/testdata"
)

// BenchmarkMasterList reads a list of 588 certificates and verifies its signer.
func BenchmarkMasterList(b *testing.B) {
	raw := testdata.Vectors(b, "pki/master-lists/DE_ML_2026-05-28-08-28-45.ml")
	for b.Loop() {
		d, err := Parse(raw)
		if err != nil {
			b.Fatal(err)
		}
		if err := d.Verify(d.Signers[0], d.SignerCertificates(d.Signers[0])[0].PublicKey); err != nil {
			b.Fatal(err)
		}
		if n := len(contents(b, d.Content)); n != 588 {
			b.Fatal(n)
		}
	}
}
