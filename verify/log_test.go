package verify

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	signednote "golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/receipt"
)

// publicLog is an issuer's log with two witnesses.
type publicLog struct {
	t         testing.TB
	signer    signednote.Signer
	key       string
	witnesses []*receipt.Cosigner
	leaves    [][]byte
}

func newPublicLog(t testing.TB, name string) *publicLog {
	l := &publicLog{t: t}
	key := func(what string) ed25519.PrivateKey {
		return ed25519.NewKeyFromSeed(sha256Of([]byte("tamthe specimen " + name + what)))
	}
	var err error
	if l.signer, l.key, err = receipt.NewLogSigner("example.com/"+name, key("log")); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		w, err := receipt.NewCosigner(fmt.Sprintf("witness-%d.example", i), key(fmt.Sprint("witness", i)))
		if err != nil {
			t.Fatal(err)
		}
		l.witnesses = append(l.witnesses, w)
	}
	for i := range 6 {
		l.leaves = append(l.leaves, fmt.Appendf(nil, "earlier %d", i))
	}
	return l
}

// leafOf is a leaf v1 by hand: what an act of a stream says.
func leafOf(kind, act string, fields ...string) []byte {
	short := func(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }
	b := []byte{1, 0, 2}
	b = short(short(short(b, "example.com/log"), kind), "C-1")
	b = binary.BigEndian.AppendUint64(b, 4)
	b = append(b, make([]byte, 32+16)...)
	b = short(b, act)
	b = binary.BigEndian.AppendUint64(b, uint64(issued.UnixMicro()))
	b = append(b, make([]byte, 32)...)
	b = append(b, 0, byte(len(fields)/2))
	for i := 0; i < len(fields); i += 2 {
		b = short(b, fields[i])
		b = binary.BigEndian.AppendUint16(b, uint16(len(fields[i+1])))
		b = append(b, fields[i+1]...)
	}
	b = append(b, 0)
	b = append(b, make([]byte, 32)...)
	return append(b, 0, 2, 'o', 'k')
}

func prepared(card [32]byte) []byte {
	return leafOf("card", "prepare", "cardid", hex.EncodeToString(card[:]))
}

// prove logs a leaf and proves it, cosigned by the first witnesses.
func (l *publicLog) prove(leaf []byte, witnesses int) lds.LogProof {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(list []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, i := range list {
			out = append(out, stored[i])
		}
		return out, nil
	})
	leaves := append(l.leaves[:len(l.leaves):len(l.leaves)], leaf, []byte("later"))
	for i, leaf := range leaves {
		more, err := tlog.StoredHashes(int64(i), leaf, reader)
		if err != nil {
			l.t.Fatal(err)
		}
		stored = append(stored, more...)
	}
	size, index := int64(len(leaves)), int64(len(l.leaves))
	root, err := tlog.TreeHash(size, reader)
	if err != nil {
		l.t.Fatal(err)
	}
	c := &receipt.Checkpoint{Origin: l.signer.Name(), Size: size, Root: root}
	if c.Note, err = signednote.Sign(&signednote.Note{Text: c.Text()}, l.signer); err != nil {
		l.t.Fatal(err)
	}
	signed := c.Note
	for _, w := range l.witnesses[:witnesses] {
		line, err := w.Cosign(c, issued)
		if err != nil {
			l.t.Fatal(err)
		}
		signed = append(signed, line...)
	}
	hashes, err := tlog.ProveRecord(size, index, reader)
	if err != nil {
		l.t.Fatal(err)
	}
	proof, err := (&receipt.Proof{Index: index, Hashes: hashes, Checkpoint: signed}).MarshalBinary()
	if err != nil {
		l.t.Fatal(err)
	}
	return lds.LogProof{Leaf: leaf, Proof: proof}
}

// TestLogProof: what a card's proof of the issuer's log is worth under what the operator
// knows of that log. The signature of every card here is good: the document signer's key
// is in wrong hands.
func TestLogProof(t *testing.T) {
	log, strange := newPublicLog(t, "log"), newPublicLog(t, "other")
	issuer := pki.Issuer{Country: "VN", Status: pki.None, Log: pki.LogRequired, Logs: []string{log.key}, Quorum: 2}
	for _, w := range log.witnesses {
		issuer.Witnesses = append(issuer.Witnesses, w.String())
	}
	with := func(change func(*pki.Issuer)) pki.Issuer {
		i := issuer
		change(&i)
		return i
	}
	good := func(card [32]byte) lds.LogProof { return log.prove(prepared(card), 2) }
	elsewhere := [32]byte{1}
	none := func([32]byte) lds.LogProof { return lds.LogProof{} }
	for _, c := range []struct {
		name    string
		proof   func([32]byte) lds.LogProof
		issuer  pki.Issuer
		outcome Outcome
		reason  Reason
		verdict Verdict
	}{
		{"good", good, issuer, Passed, "", Accept},
		{"none", none, issuer, Failed, ReasonLogMissing, Refuse},
		{"copied from another card", func([32]byte) lds.LogProof { return log.prove(prepared(elsewhere), 2) }, issuer, Failed, ReasonLogOther, Refuse},
		{"of another act", func(c [32]byte) lds.LogProof {
			return log.prove(leafOf("card", "spoil", "cardid", hex.EncodeToString(c[:])), 2)
		}, issuer, Failed, ReasonLogOther, Refuse},
		{"of another kind of stream", func(c [32]byte) lds.LogProof {
			return log.prove(leafOf("key", "prepare", "cardid", hex.EncodeToString(c[:])), 2)
		}, issuer, Failed, ReasonLogOther, Refuse},
		{"a new leaf over a copied proof", func(c [32]byte) lds.LogProof {
			p := log.prove(prepared(elsewhere), 2)
			p.Leaf = prepared(c)
			return p
		}, issuer, Failed, ReasonLogForged, Refuse},
		{"an invented index", func(c [32]byte) lds.LogProof {
			p := good(c)
			p.Proof[8]--
			return p
		}, issuer, Failed, ReasonLogForged, Refuse},
		{"a log of the thief's own", func(c [32]byte) lds.LogProof { return strange.prove(prepared(c), 2) }, issuer, Failed, ReasonLogForged, Refuse},
		{"the log's key stolen too, no witness", func(c [32]byte) lds.LogProof { return log.prove(prepared(c), 0) }, issuer, Failed, ReasonLogUnwitnessed, Refuse},
		{"one witness of two", func(c [32]byte) lds.LogProof { return log.prove(prepared(c), 1) }, issuer, Failed, ReasonLogUnwitnessed, Refuse},
		{"one witness of two suffices", func(c [32]byte) lds.LogProof { return log.prove(prepared(c), 1) }, with(func(i *pki.Issuer) { i.Quorum = 1 }), Passed, "", Accept},
		{"rubbish", func([32]byte) lds.LogProof { return lds.LogProof{Leaf: []byte{1}, Proof: []byte{1}} }, issuer, Failed, ReasonLogMalformed, Refuse},
		{"no keys are pinned", good, with(func(i *pki.Issuer) { i.Logs = nil }), Undetermined, ReasonLogUnset, Refer},
		{"none, no keys are pinned", none, with(func(i *pki.Issuer) { i.Logs = nil }), Undetermined, ReasonLogUnset, Refer},
		{"the signer is older than the log", none, with(func(i *pki.Issuer) { i.LogFrom = issued }), Absent, ReasonLogEarlier, Accept},
		{"the signer began with the log", none, with(func(i *pki.Issuer) { i.LogFrom = issued.AddDate(0, -1, 0) }), Failed, ReasonLogMissing, Refuse},
		{"a false one, though the signer is older", func(c [32]byte) lds.LogProof { return strange.prove(prepared(c), 2) }, with(func(i *pki.Issuer) { i.LogFrom = issued }), Failed, ReasonLogForged, Refuse},
		{"the issuer has no log", none, with(func(i *pki.Issuer) { i.Log = pki.LogNone }), Absent, ReasonLogNotPublished, Accept},
		{"nothing is said of a log", good, with(func(i *pki.Issuer) { i.Log = pki.LogUnset }), NotRun, ReasonLogUnset, Accept},
	} {
		o := newOffice(t, "CSCA")
		o.attributes = func(card [32]byte) []cms.Attribute {
			p := c.proof(card)
			if p.Leaf == nil {
				return nil
			}
			a, err := p.Attribute()
			o.must(err)
			return []cms.Attribute{a}
		}
		options := o.options("archive")
		options.Trust = pki.NewStore([]pki.Material{{Cert: o.cscaCert}}, nil, []pki.Issuer{c.issuer})
		r := judgeOne(t, o.usual().files, options)
		got := r.Check(CheckLog)
		if got.Outcome != c.outcome || got.Reason != c.reason || r.Verdict != c.verdict {
			t.Errorf("%s: %s %q (%s), %v; want %s %q, %v", c.name, got.Outcome, got.Reason, got.Detail, r.Verdict, c.outcome, c.reason, c.verdict)
		}
	}
}

// TestLogProofSoftens: no policy overlooks a proof that is missing or false.
func TestLogProofSoftens(t *testing.T) {
	for _, r := range []Reason{ReasonLogMissing, ReasonLogForged, ReasonLogOther, ReasonLogUnwitnessed, ReasonLogMalformed} {
		if !r.Hard() {
			t.Errorf("%s is not hard", r)
		}
	}
}

// TestLogProofCost states what the proof adds to a SOD: a log of 100 million cards, three
// witnesses.
func TestLogProofCost(t *testing.T) {
	l := newPublicLog(t, "log")
	p := l.prove(prepared([32]byte{}), 2)
	parsed, err := receipt.ParseBinary(p.Proof)
	if err != nil {
		t.Fatal(err)
	}
	parsed.Hashes = make([]tlog.Hash, 31) // 1.6 · 10⁹ entries
	b, err := parsed.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	p = lds.LogProof{Leaf: bytes.Repeat([]byte{1}, 520), Proof: b}
	a, err := p.Attribute()
	if err != nil {
		t.Fatal(err)
	}
	size := len(a.Values[0])
	t.Logf("%d octets: %d more READ BINARY of 223 octets, or one at extended length", size, (size+222)/223)
	if size > 2100 {
		t.Errorf("the attribute has %d octets", size)
	}
	if strings.Count(string(parsed.Checkpoint), "\n— ") != 3 {
		t.Error("not a log with two witnesses")
	}
}
