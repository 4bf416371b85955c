package desk

import (
	"crypto"
	"crypto/sha256"
	"fmt"
	"os"
	"testing"

	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

// TestStolenSignerKey: a document signer's key in a thief's hands signs what it likes. An
// ordinary reader takes it; a checkpoint whose operator pinned the issuer's log refuses it
// offline: without a proof, with one copied from a genuine card, and with one made up.
func TestStolenSignerKey(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	who := enrolment(1)
	_, chip := r.issued(t, who, r.plan())
	genuine := r.checkpoint(t, chip, true, canOf(who.Person)).Files
	proof, _, ok := must(lds.ParseSOD(genuine[lds.SODFile]))(t).LogProof()
	if !ok {
		t.Fatal("the genuine card has no proof")
	}
	trust := r.trust
	log := must(r.an.pin(ctx))(t).LogKey
	issuers := fmt.Sprintf("[[issuer]]\ncountry = \"VN\"\ndocuments = [\"I\"]\ncrl = \"required\"\nstatus = \"none\"\nchip = \"required\"\nlog = \"required\"\nlogs = [%q]\n", log)
	check(t, os.WriteFile(r.path("pki", pki.IssuersFile), []byte(issuers), 0o600))
	pinned := must(pki.LoadStore(os.DirFS(r.path("pki")), pki.LoadOptions{}))(t)

	archive := must(verify.PolicyByName("archive"))(t)
	judge := func(s *pki.Store, files verify.Files) *verify.Report {
		return must(verify.JudgeFiles(ctx, files, verify.Options{Trust: s, At: r.now, Specimen: true, Policy: archive}))(t)
	}
	wantVerdict(t, judge(trust, genuine), verify.Accept)
	wantVerdict(t, judge(pinned, genuine), verify.Accept)

	other := proof
	other.Proof = append([]byte(nil), proof.Proof...)
	other.Proof[len(other.Proof)-1] ^= 1
	for name, k := range map[string]struct {
		proof *lds.LogProof
		want  verify.Reason
	}{
		"no proof":     {nil, verify.ReasonLogMissing},
		"copied proof": {&proof, verify.ReasonLogOther},
		"made up":      {&lds.LogProof{Leaf: proof.Leaf, Proof: []byte{0, 0, 0, 42}}, verify.ReasonLogMalformed},
		"altered":      {&other, verify.ReasonLogForged},
	} {
		forged := r.forged(t, genuine, k.proof)
		wantVerdict(t, judge(trust, forged), verify.Accept)
		report := judge(pinned, forged)
		if c := report.Check(verify.CheckLog); c.Outcome != verify.Failed || c.Reason != k.want || report.Verdict == verify.Accept {
			t.Errorf("%s: %v, %v because of %v", name, report.Verdict, c.Outcome, c.Reason)
		}
	}
}

// forged are a card's files with another portrait, signed with the stolen key.
func (r *rig) forged(t *testing.T, genuine verify.Files, proof *lds.LogProof) verify.Files {
	t.Helper()
	files := verify.Files{}
	for f, b := range genuine {
		files[f] = b
	}
	files[lds.DG2] = must(lds.EncodeDG2(lds.Face{Image: portrait(9), Coding: lds.JPEG, Width: 209, Height: 209}))(t)
	object := lds.SecurityObject{Version: 1, Hash: crypto.SHA256, LDSVersion: "0108", UnicodeVersion: "040000"}
	for n := 1; n <= 16; n++ {
		if b := files[lds.Group(n)]; b != nil {
			sum := sha256.Sum256(b)
			object.Hashes = append(object.Hashes, lds.GroupHash{Number: n, Hash: sum[:]})
		}
	}
	m := cms.Message{ContentType: cms.OIDLDSSecurityObject, Content: must(lds.EncodeSecurityObject(object))(t)}
	m.Certificate = must(r.an.certificate(t.Context(), "ds-001"))(t)
	if proof != nil {
		m.Attributes = append(m.Attributes, must(proof.Attribute())(t))
	}
	stolen := must(keystore.Folder{Dir: r.path("keys")}.Signer(t.Context(), "ds-001"))(t)
	files[lds.SODFile] = lds.WrapSOD(must(cms.Sign(m, stolen))(t))
	return files
}
