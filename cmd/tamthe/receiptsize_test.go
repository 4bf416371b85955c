package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"rsc.io/qr"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/verify/receipt"
)

// The last card of a log of 2³¹ entries, handed over by a key of P-384, under the longest
// names that `tamthe init` and config.toml let in: the receipt has at most 2,500 octets,
// fits a QR code, and verifies here and elsewhere.
func TestLargestReceipt(t *testing.T) {
	room := roomForWitnesses()
	origin := strings.Repeat("o", longest(func(n int) error { return receiptFits(strings.Repeat("o", n), defaultPlace, room) }))
	other := strings.Repeat("w", usualWitnessName)
	name := strings.Repeat("v", longest(func(n int) error {
		return receiptFits(origin, defaultPlace, []string{other, strings.Repeat("v", n)})
	}))
	t.Logf("a log's name of %d octets, witnesses' of %d and %d", len(origin), len(other), len(name))
	if len(origin) < len(defaultOrigin) || len(name) < usualWitnessName {
		t.Error("too little room for names")
	}
	if err := receiptFits(origin+"o", defaultPlace, room); !errors.Is(err, errReceiptSize) {
		t.Errorf("a longer name: %v", err)
	}

	l := newHugeLog(t, origin, other, name)
	text, err := receiptText(l.proof, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d octets", len(text))
	if len(text) > 2500 || len(text) < 2400 {
		t.Errorf("%d octets: too large, or not the largest", len(text))
	}
	if code, err := qr.Encode(string(text), qr.L); err != nil || code.Size > 177 { // version 40
		t.Errorf("QR code: %v", err)
	}
	l.taken(t, text, 2)
}

// What is larger is refused, or goes without the cosignatures that nobody needs.
func TestReceiptTooLarge(t *testing.T) {
	long := strings.Repeat("w", 200)
	l := newHugeLog(t, defaultOrigin, "first.example", "second.example", long)
	for _, quorum := range []int{0, 3} {
		if _, err := receiptText(l.proof, quorum); !errors.Is(err, errReceiptSize) {
			t.Errorf("quorum %d: %v", quorum, err)
		}
	}
	text, err := receiptText(l.proof, 2)
	if err != nil || len(text) > 2500 || strings.Contains(string(text), long) {
		t.Fatalf("%d octets, %v", len(text), err)
	}
	l.witnesses = l.witnesses[:2]
	l.taken(t, text, 2)
	if got := neededWitnesses(l.policy.Witnesses, 2); len(got) != 2 || got[0] != long || got[1] != "second.example" {
		t.Errorf("of three the longest two are %q", got)
	}
}

// longest is the largest n, at most 255, that fits.
func longest(fits func(n int) error) int {
	n := 1
	for n < 255 && fits(n+1) == nil {
		n++
	}
	return n
}

// hugeLog is a log of 2³¹ entries, of which only the last is known.
type hugeLog struct {
	leaf      []byte
	proof     *receipt.Proof
	policy    receipt.Policy
	witnesses []torchwood.Policy
}

func newHugeLog(t *testing.T, origin string, witnesses ...string) *hugeLog {
	t.Helper()
	l := &hugeLog{leaf: deliveredBy(t, origin)}
	const size = 1 << 31
	root := tlog.RecordHash(l.leaf)
	p := &receipt.Proof{Index: size - 1, Extra: l.leaf}
	for range 31 { // the last leaf is the right child all the way up
		var sibling tlog.Hash
		rand.Read(sibling[:])
		root, p.Hashes = tlog.NodeHash(sibling, root), append(p.Hashes, sibling)
	}
	signer, vkey, err := receipt.NewLogSigner(origin, edKey("log"))
	if err != nil {
		t.Fatal(err)
	}
	c := &receipt.Checkpoint{Origin: origin, Size: size, Root: root}
	if c.Note, err = note.Sign(&note.Note{Text: c.Text()}, signer); err != nil {
		t.Fatal(err)
	}
	v, err := receipt.ParseLogKey(vkey)
	if err != nil {
		t.Fatal(err)
	}
	l.policy.Logs, p.Checkpoint = []note.Verifier{v}, c.Note
	for _, name := range witnesses {
		w, err := receipt.NewCosigner(name, edKey(name))
		if err != nil {
			t.Fatal(err)
		}
		line, err := w.Cosign(c, time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := torchwood.NewCosignatureVerifier(w.String())
		if err != nil {
			t.Fatal(err)
		}
		p.Checkpoint = append(p.Checkpoint, line...)
		l.policy.Witnesses = append(l.policy.Witnesses, w.WitnessKey)
		l.witnesses = append(l.witnesses, torchwood.SingleVerifierPolicy(theirs))
	}
	l.proof = p
	return l
}

func edKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("tamthe specimen " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// deliveredBy is the signed leaf of a handover.
func deliveredBy(t *testing.T, origin string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id, err := issuance.KeyIDOf(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	e := issuance.Entry{
		Origin: origin, Rules: issuance.RuleBook, Stream: issuance.Card("C-ICTNDGJV1E"), Seq: 12, Prev: [32]byte{1}, ID: issuance.NewID(),
		Act: issuance.Deliver, Time: time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC), Operator: id,
		Fields: map[string]string{"application": "A-EKUKTNTWOH", "desk": defaultPlace, "holder": "match"},
	}
	if err := e.Sign(key); err != nil {
		t.Fatal(err)
	}
	leaf, err := e.Leaf()
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

// taken verifies a receipt here, with as many witnesses, and by another hand.
func (l *hugeLog) taken(t *testing.T, text []byte, quorum int) {
	t.Helper()
	p, err := receipt.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	policy := l.policy
	policy.Quorum = quorum
	if _, err := receipt.Verify(p, p.Extra, policy); err != nil {
		t.Error(err)
	}
	parts := append([]torchwood.Policy{torchwood.OriginPolicy(l.policy.Logs[0].Name()), torchwood.SingleVerifierPolicy(l.policy.Logs[0])}, l.witnesses...)
	theirs := torchwood.ThresholdPolicy(len(parts), parts...)
	if err := torchwood.VerifyProof(theirs, tlog.RecordHash(l.leaf), text); err != nil {
		t.Errorf("torchwood: %v", err)
	}
	if err := torchwood.VerifyProof(theirs, tlog.RecordHash([]byte("another")), text); err == nil {
		t.Error("torchwood takes it for another leaf")
	}
}
