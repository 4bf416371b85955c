package signing

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify/receipt"
)

// TestPriceOfProof holds the figures that the package's comment states: octets of EF.SOD
// without the proof, and with one and a cosignature from logs of a million and of a billion
// leaves.
func TestPriceOfProof(t *testing.T) {
	r := newRig(t)
	r.watched()
	c := r.keyed()
	s := r.service()
	raw := must(s.Sign(t.Context(), c.request))(t)
	check(t, s.follow(t.Context()))
	a := must(s.approve(t.Context(), c.request))(t)
	issuer := must(s.issuer(must(s.signs("ds-001", c.request.Issued))(t)))(t)
	signed := func(p *lds.LogProof) int {
		q := a.object(r.now)
		q.Status, q.LogProof = must(statusOf(a.card))(t), p
		return len(must(must(issuer.PrepareSOD(q))(t).Issue(r.keys["ds-001"]))(t))
	}
	p, _, _ := sodOf(t, raw).LogProof()
	proof := must(receipt.ParseBinary(p.Proof))(t)
	with := func(hashes int) *lds.LogProof {
		proof.Hashes = make([]tlog.Hash, hashes)
		return &lds.LogProof{Leaf: p.Leaf, Proof: must(proof.MarshalBinary())(t)}
	}
	for name, n := range map[string]struct{ octets, least, most int }{
		"without":             {signed(nil), 1500, 1580},
		"of a million leaves": {signed(with(20)), 2800, 2950},
		"of a billion leaves": {signed(with(30)), 3120, 3270},
	} {
		if n.octets < n.least || n.octets > n.most {
			t.Errorf("%s: %d octets, not %d to %d", name, n.octets, n.least, n.most)
		}
		t.Logf("%s: %d octets", name, n.octets)
	}
	t.Logf("leaf %d octets, proof with %d hashes %d octets", len(p.Leaf), len(proof.Hashes), len(with(20).Proof))
}

// TestProofIsPassedOver: OpenSSL, which knows nothing of logs, takes a security object with
// the proof as it takes any other.
func TestProofIsPassedOver(t *testing.T) {
	path, err := exec.LookPath("openssl")
	if err != nil {
		testdata.Missing(t, "openssl", "openssl is not installed")
	}
	r := newRig(t)
	r.watched()
	c := r.keyed()
	raw := must(r.service().Sign(t.Context(), c.request))(t)
	s := sodOf(t, raw)
	dir := t.TempDir()
	file, content, signer := filepath.Join(dir, "cms"), filepath.Join(dir, "content"), filepath.Join(dir, "signer")
	check(t, os.WriteFile(file, raw[4:], 0o600)) // without 77 82 xx xx
	check(t, os.WriteFile(signer, s.Signed.Certificates[0].Raw, 0o600))
	// Chains with explicit parameters are beyond OpenSSL; the signature over all signed
	// attributes, the unknown one among them, is not.
	out, err := exec.Command(path, "cms", "-verify", "-inform", "DER", "-in", file, "-noverify", "-binary", "-out", content).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := must(os.ReadFile(content))(t); !bytes.Equal(got, s.Signed.Content) {
		t.Errorf("openssl gives %x", got)
	}
	raw[bytes.Index(raw, []byte("prepare"))]++ // one octet of the proof's leaf
	check(t, os.WriteFile(file, raw[4:], 0o600))
	if out, err := exec.Command(path, "cms", "-verify", "-inform", "DER", "-in", file, "-noverify", "-binary", "-out", content).CombinedOutput(); err == nil {
		t.Errorf("openssl takes an altered proof: %s", out)
	}
}
