package receipt_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"filippo.io/torchwood"
	formats "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/verify/receipt"
)

const origin = "example.com/specimen-log"

var at = time.Unix(1_764_000_000, 0).UTC()

// key is a test key that its name makes.
func key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("tamthe specimen " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// rig is a log with its witnesses.
type rig struct {
	hashes  []tlog.Hash // stored, in x/mod's order
	leaves  [][]byte
	signer  note.Signer
	logKey  string
	cosigns []*receipt.Cosigner
}

func newRig(t testing.TB, leaves, witnesses int) *rig {
	r := new(rig)
	var err error
	if r.signer, r.logKey, err = receipt.NewLogSigner(origin, key("log")); err != nil {
		t.Fatal(err)
	}
	for i := range witnesses {
		c, err := receipt.NewCosigner(fmt.Sprintf("witness-%d.example", i), key(fmt.Sprint("witness ", i)))
		if err != nil {
			t.Fatal(err)
		}
		r.cosigns = append(r.cosigns, c)
	}
	for i := range leaves {
		r.grow(t, fmt.Appendf(nil, "leaf %d", i))
	}
	return r
}

func (r *rig) grow(t testing.TB, leaf []byte) {
	more, err := tlog.StoredHashes(int64(len(r.leaves)), leaf, r)
	if err != nil {
		t.Fatal(err)
	}
	r.hashes, r.leaves = append(r.hashes, more...), append(r.leaves, leaf)
}

// ReadHashes implements [tlog.HashReader].
func (r *rig) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var list []tlog.Hash
	for _, i := range indexes {
		list = append(list, r.hashes[i])
	}
	return list, nil
}

func (r *rig) checkpoint(t testing.TB, size int64) []byte {
	root, err := tlog.TreeHash(size, r)
	if err != nil {
		t.Fatal(err)
	}
	c := &receipt.Checkpoint{Origin: origin, Size: size, Root: root}
	signed, err := note.Sign(&note.Note{Text: c.Text()}, r.signer)
	if err != nil {
		t.Fatal(err)
	}
	c.Note = signed
	for _, w := range r.cosigns {
		line, err := w.Cosign(c, at)
		if err != nil {
			t.Fatal(err)
		}
		signed = append(signed, line...)
	}
	return signed
}

func (r *rig) prove(t testing.TB, size, index int64) *receipt.Proof {
	hashes, err := tlog.ProveRecord(size, index, r)
	if err != nil {
		t.Fatal(err)
	}
	return &receipt.Proof{Index: index, Hashes: hashes, Checkpoint: r.checkpoint(t, size)}
}

func (r *rig) policy(t testing.TB, quorum int) receipt.Policy {
	v, err := receipt.ParseLogKey(r.logKey)
	if err != nil {
		t.Fatal(err)
	}
	p := receipt.Policy{Logs: []note.Verifier{v}, Quorum: quorum}
	for _, c := range r.cosigns {
		w, err := receipt.ParseWitnessKey(c.String())
		if err != nil {
			t.Fatal(err)
		}
		p.Witnesses = append(p.Witnesses, w)
	}
	return p
}

// The verifier of another hand takes every proof of ours and reads every octet alike, for
// every leaf of every tree up to 300 leaves.
func TestProofsAgainstTorchwood(t *testing.T) {
	const most = 300
	r := newRig(t, most, 0)
	policy := r.policy(t, 0)
	theirs := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(origin), torchwood.SingleVerifierPolicy(policy.Logs[0]))
	for size := int64(1); size <= most; size++ {
		signed := r.checkpoint(t, size)
		for index := range size {
			hashes, err := tlog.ProveRecord(size, index, r)
			if err != nil {
				t.Fatal(err)
			}
			p := &receipt.Proof{Index: index, Hashes: hashes, Checkpoint: signed}
			text, err := p.MarshalText()
			if err != nil {
				t.Fatal(err)
			}
			if want := torchwood.FormatProof(index, hashes, signed); !bytes.Equal(text, want) {
				t.Fatalf("leaf %d of %d: %q, torchwood writes %q", index, size, text, want)
			}
			if size > 50 && (index+size)%7 > 0 && os.Getenv("TAMTHE_SOAK") == "" {
				continue // signatures take their time
			}
			if err := torchwood.VerifyProof(theirs, tlog.RecordHash(r.leaves[index]), text); err != nil {
				t.Fatalf("leaf %d of %d: torchwood: %v", index, size, err)
			}
			if _, err := receipt.Verify(p, r.leaves[index], policy); err != nil {
				t.Fatalf("leaf %d of %d: %v", index, size, err)
			}
			if _, err := receipt.Verify(p, r.leaves[(index+1)%most], policy); !errors.Is(err, receipt.ErrInclusion) {
				t.Fatalf("leaf %d of %d stands for its neighbour: %v", index, size, err)
			}
		}
	}
}

// Cosignatures are those of two other implementations, both ways.
func TestCosignaturesAgainstOthers(t *testing.T) {
	r := newRig(t, 5, 2)
	signed := r.checkpoint(t, 5)
	for _, c := range r.cosigns {
		tw, err := torchwood.NewCosignatureVerifier(c.String())
		if err != nil {
			t.Fatal(err)
		}
		fm, err := formats.NewVerifierForCosignatureV1(c.String())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []note.Verifier{tw, fm} {
			n, err := note.Open(signed, note.VerifierList(v))
			if err != nil {
				t.Fatalf("%T: %v", v, err)
			}
			if got, err := torchwood.CosignatureTimestamp(n.Sigs[0]); err != nil || got != at.Unix() {
				t.Errorf("timestamp %d, %v", got, err)
			}
		}
	}
	theirs, err := torchwood.NewCosignatureSigner("other.example", key("other"))
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(signed, note.VerifierList(r.policy(t, 0).Logs...))
	if err != nil {
		t.Fatal(err)
	}
	signed, err = note.Sign(n, theirs)
	if err != nil {
		t.Fatal(err)
	}
	w, err := receipt.ParseWitnessKey(theirs.Verifier().String())
	if err != nil {
		t.Fatal(err)
	}
	policy := r.policy(t, 1)
	policy.Witnesses = []*receipt.WitnessKey{w}
	n, err = note.Open(signed, note.VerifierList(theirs.Verifier()))
	if err != nil {
		t.Fatal(err)
	}
	at, err := torchwood.CosignatureTimestamp(n.Sigs[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, seen, err := policy.Open(signed); err != nil || len(seen) != 1 || seen[0].Time.Unix() != at {
		t.Errorf("cosigned by %v, at %d: %v", seen, at, err)
	}
}

// Our text and that of a third implementation are one.
func TestTextAgainstFormats(t *testing.T) {
	r := newRig(t, 9, 1)
	p := r.prove(t, 9, 3)
	p.Extra = []byte("leaf 3")
	text, err := p.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	var other proof.TLogProof
	if err := other.Unmarshal(text); err != nil {
		t.Fatal(err)
	}
	if other.Index != 3 || string(other.ExtraData) != "leaf 3" || !bytes.Equal(other.Marshal(), text) {
		t.Errorf("it reads %+v", other)
	}
	back, err := receipt.Parse(other.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := receipt.Verify(back, back.Extra, r.policy(t, 1)); err != nil {
		t.Error(err)
	}
}

// A receipt that was changed in any bit of any octet is refused, and so is one that lost
// or gained an octet.
func TestEveryOctetCounts(t *testing.T) {
	r := newRig(t, 77, 2)
	policy := r.policy(t, 2)
	whole := r.prove(t, 77, 42)
	whole.Extra = r.leaves[42]
	text, err := whole.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := whole.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []struct {
		name   string
		octets []byte
		parse  func([]byte) (*receipt.Proof, error)
		leaf   func(*receipt.Proof) []byte
	}{
		{"text", text, receipt.Parse, func(p *receipt.Proof) []byte { return p.Extra }},
		{"binary", binary, receipt.ParseBinary, func(*receipt.Proof) []byte { return r.leaves[42] }},
	} {
		check := func(b []byte) error {
			p, err := form.parse(b)
			if err == nil {
				_, err = receipt.Verify(p, form.leaf(p), policy)
			}
			return err
		}
		if err := check(form.octets); err != nil {
			t.Fatalf("%s: %v", form.name, err)
		}
		for i := range form.octets {
			for bit := range 8 {
				b := bytes.Clone(form.octets)
				b[i] ^= 1 << bit
				if check(b) == nil {
					t.Errorf("%s: octet %d with bit %d changed is taken", form.name, i, bit)
				}
			}
			if check(form.octets[:i]) == nil || check(append(bytes.Clone(form.octets[:i]), form.octets[i+1:]...)) == nil {
				t.Errorf("%s: without octet %d it is taken", form.name, i)
			}
		}
		if check(append(bytes.Clone(form.octets), '\n')) == nil || check(append(bytes.Clone(form.octets), 0)) == nil {
			t.Errorf("%s: with an octet more it is taken", form.name)
		}
	}
}

func TestBinaryIsLossless(t *testing.T) {
	r := newRig(t, 20, 3)
	for index := range int64(20) {
		p := r.prove(t, 20, index)
		b, err := p.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		back, err := receipt.ParseBinary(b)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := p.MarshalText()
		if got, _ := back.MarshalText(); !bytes.Equal(got, want) {
			t.Errorf("leaf %d: %q, not %q", index, got, want)
		}
	}
}

// What the policy does not cover is refused, each for its own reason.
func TestPolicyRefuses(t *testing.T) {
	r := newRig(t, 12, 3)
	p := r.prove(t, 12, 5)
	stranger, _, _ := receipt.NewLogSigner(origin, key("stranger"))
	forged := r.prove(t, 12, 5)
	ours, _ := receipt.ParseCheckpoint(forged.Checkpoint)
	forged.Checkpoint, _ = note.Sign(&note.Note{Text: ours.Text()}, stranger)

	bare := r.prove(t, 12, 5)
	bare.Checkpoint = bare.Checkpoint[:bytes.LastIndex(bare.Checkpoint, []byte("— witness-2"))]
	nobody := r.policy(t, 0)
	nobody.Logs = nil
	alias, _ := receipt.NewCosigner("alias.example", key("witness 0"))
	again := r.prove(t, 12, 5)
	line, _ := alias.Cosign(&receipt.Checkpoint{Note: again.Checkpoint}, at)
	again.Checkpoint = append(again.Checkpoint, line...)
	twice := r.policy(t, 2)
	twice.Witnesses = []*receipt.WitnessKey{twice.Witnesses[0], alias.WitnessKey}
	other := newRig(t, 12, 0)
	for _, c := range []struct {
		name   string
		proof  *receipt.Proof
		leaf   []byte
		policy receipt.Policy
		want   error
	}{
		{"good", p, r.leaves[5], r.policy(t, 3), nil},
		{"a stranger's key", forged, r.leaves[5], r.policy(t, 0), receipt.ErrLog},
		{"no log is pinned", p, r.leaves[5], nobody, receipt.ErrLog},
		{"the zero policy", p, r.leaves[5], receipt.Policy{}, receipt.ErrLog},
		{"one witness too few", bare, r.leaves[5], r.policy(t, 3), receipt.ErrQuorum},
		{"two of three are enough", bare, r.leaves[5], r.policy(t, 2), nil},
		{"one key under two names", again, r.leaves[5], twice, receipt.ErrQuorum},
		{"another leaf", p, r.leaves[6], r.policy(t, 3), receipt.ErrInclusion},
		{"an index beyond the tree", &receipt.Proof{Index: 12, Checkpoint: p.Checkpoint}, r.leaves[5], r.policy(t, 0), receipt.ErrInclusion},
		{"no cosignature at all", other.prove(t, 12, 5), r.leaves[5], r.policy(t, 1), receipt.ErrQuorum},
	} {
		proven, err := receipt.Verify(c.proof, c.leaf, c.policy)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if err == nil && (proven.Size != 12 || proven.Index != 5 || len(proven.Witnesses) < c.policy.Quorum || !proven.Witnesses[0].Time.Equal(at)) {
			t.Errorf("%s: it shows %+v", c.name, proven)
		}
	}
}

// The examples of the specifications (C2SP signed-note and tlog-cosignature).
func TestSpecificationExamples(t *testing.T) {
	v, err := receipt.ParseLogKey("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open([]byte("This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"), note.VerifierList(v)); err != nil {
		t.Error(err)
	}
	c, err := receipt.ParseCheckpoint([]byte("example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n" +
		"— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n" +
		"— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"))
	if err != nil || c.Origin != "example.com/behind-the-sofa" || c.Size != 20852163 {
		t.Errorf("%+v, %v", c, err)
	}
}

func FuzzParse(f *testing.F) {
	r := newRig(f, 9, 2)
	for index := range int64(3) {
		p := r.prove(f, 9, index)
		text, _ := p.MarshalText()
		f.Add(text)
		b, _ := p.MarshalBinary()
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := receipt.Parse(b); err == nil {
			if again, err := p.MarshalText(); err != nil || !bytes.Equal(again, b) {
				t.Errorf("text %q is also %q: %v", b, again, err)
			}
		}
		if p, err := receipt.ParseBinary(b); err == nil {
			if again, err := p.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
				t.Errorf("binary %x is also %x: %v", b, again, err)
			}
		}
		_, _ = receipt.ParseCheckpoint(b)
		_, _ = receipt.ParseLeaf(b)
		_, _ = receipt.ParseWitnessKey(string(b))
	})
}
