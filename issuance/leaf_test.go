package issuance

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func testKey(fill byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{fill}, ed25519.SeedSize))
}

func keyID(t testing.TB, k ed25519.PrivateKey) KeyID {
	t.Helper()
	id, err := KeyIDOf(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// goldenEntry uses every part of leaf v1.
func goldenEntry(t testing.TB) Entry {
	t.Helper()
	one, two := testKey(1), testKey(2)
	e := Entry{
		Origin: "ledger.test", Rules: 1, Stream: Card("C-7Q"), Seq: 2,
		Prev: sha256.Sum256([]byte("before")), ID: [16]byte{0: 0x01, 15: 0x10}, Act: Check,
		Time:        time.Date(2026, 3, 2, 8, 0, 0, 1000, time.UTC),
		Operator:    keyID(t, one),
		Second:      keyID(t, two),
		Fields:      map[string]string{"verdict": "accept", "policy": "desk-qa"},
		Commitments: map[string][32]byte{"content": Commit([32]byte{7}, []byte("made"))},
		Claims:      []Claim{{ClaimChipKey, "b"}, {ClaimChipKey, "a"}, {ClaimChip, "z"}},
		Hold:        []Claim{{HoldCard, "p:id"}},
		Attach:      []Attachment{{Name: "sod", Sealed: []byte("sealed")}, {Name: "report", Sealed: []byte{}}},
	}
	for _, k := range []ed25519.PrivateKey{two, one} {
		if err := e.Sign(k); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// Leaf, payload and hash of goldenEntry were made from the descriptions at Entry.Leaf
// and Entry.Payload by another program (Python's hashlib and struct; keys and signatures
// by `openssl pkey` and `openssl pkeyutl -sign -rawin`), not by this package.
const goldenLeaf = "0100010b6c65646765722e74657374046361726404432d375100000000000000026db7d803e74f1ffa7d8f5adc0bf95b" +
	"3e15bf4c8373fffadf546227cc6c6742cb0100000000000000000000000000001005636865636b00064c05f937e001fd" +
	"110d301d2f077de1414b8f99f441b1403fab207b2052fbd2c065e4ee8e7dc20147dea58ea00fae9417ee19d76755bfef" +
	"690899021132effb04fe1f9e4f0c80590206706f6c69637900076465736b2d7161077665726469637400066163636570" +
	"740107636f6e74656e744b72b9de0e745827a6e4300b3106c05fa6038ce86567c2555a68f579ce2f2dda17d440a9a179" +
	"529efa3b8d2b57fd54ef3409ed0e939e78a8c9444c11577db5200040c334e23f86fbe1d8d6d8a83cb57a9331fa8dbc1e" +
	"c4c3c528144a0c475013f38cbcf9341ffe2fed9b94d205b9bb471e6ced8a736834d78558d1464c39148e1d060040e7fd" +
	"9551b006afc437e9f451fab05aed66791ed93e75356a4a6dc3c0913bec53fcba320672f322b1a8a246cd97aa7ee57fff" +
	"c8aad1b28c1e93ee9db3aa90b405"

const goldenPayload = "0103046368697000017a08636869702d6b657900016108636869702d6b6579000162010b6163746976652d6361726400" +
	"04703a69640002067265706f7274e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8550373" +
	"6f64c9d0036bed6744bcdf692fc980d8717d7e5f5a4f4e8266b4a84982602fb1cd09"

const goldenHash = "6fc7bd0f9ac55898b42bdc65a51ef6dc688d27033519f022368b617112e1c7b3"

func TestLeafGolden(t *testing.T) {
	e := goldenEntry(t)
	leaf, err := e.Leaf()
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(leaf); got != goldenLeaf {
		t.Errorf("leaf\n got %s\nwant %s", got, goldenLeaf)
	}
	payload, err := e.Payload()
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(payload); got != goldenPayload {
		t.Errorf("payload\n got %s\nwant %s", got, goldenPayload)
	}
	if got := LeafHash(leaf); hex.EncodeToString(got[:]) != goldenHash {
		t.Errorf("hash %x", got)
	}
}

func TestParseEntryGolden(t *testing.T) {
	leaf, _ := hex.DecodeString(goldenLeaf)
	payload, _ := hex.DecodeString(goldenPayload)
	e, err := ParseEntry(leaf, payload)
	if err != nil {
		t.Fatal(err)
	}
	want := goldenEntry(t)
	if e.Stream != want.Stream || e.Act != want.Act || !e.Time.Equal(want.Time) || e.Second != want.Second ||
		e.Fields["verdict"] != "accept" || e.Commitments["content"] != want.Commitments["content"] {
		t.Errorf("read %+v", e)
	}
	if len(e.Claims) != 3 || e.Hold[0] != want.Hold[0] || len(e.Attach) != 2 || e.Attach[1].Name != "sod" || e.Attach[1].Sealed != nil {
		t.Errorf("read %+v", e)
	}
	again, err := e.Leaf()
	if err != nil || !bytes.Equal(again, leaf) {
		t.Errorf("the leaf does not survive reading: %v", err)
	}
	if err := e.verify(testKey(1).Public().(ed25519.PublicKey), testKey(2).Public().(ed25519.PublicKey)); err != nil {
		t.Error(err)
	}
	if err := e.verify(testKey(2).Public().(ed25519.PublicKey), testKey(1).Public().(ed25519.PublicKey)); !errors.Is(err, ErrSignature) {
		t.Errorf("exchanged signatures: %v", err)
	}
}

// TestEveryOctetIsSigned: no octet before the signatures may change, payload included.
func TestEveryOctetIsSigned(t *testing.T) {
	leaf, _ := hex.DecodeString(goldenLeaf)
	payload, _ := hex.DecodeString(goldenPayload)
	pub, second := testKey(1).Public().(ed25519.PublicKey), testKey(2).Public().(ed25519.PublicKey)
	for i := range leaf {
		b := bytes.Clone(leaf)
		b[i] ^= 1
		e, err := ParseEntry(b, payload)
		if err == nil {
			err = e.verify(pub, second)
		}
		if err == nil {
			t.Errorf("octet %d of the leaf may change", i)
		}
		if _, _, err := ParseLeaf(leaf[:i]); !errors.Is(err, ErrEntry) {
			t.Errorf("%d octets: %v", i, err)
		}
	}
	for i := range payload {
		b := bytes.Clone(payload)
		b[i] ^= 1
		if _, err := ParseEntry(leaf, b); !errors.Is(err, ErrEntry) {
			t.Errorf("octet %d of the payload may change: %v", i, err)
		}
	}
	if _, _, err := ParseLeaf(append(leaf, 0)); !errors.Is(err, ErrEntry) {
		t.Errorf("a trailing octet: %v", err)
	}
}

func TestLeafBounds(t *testing.T) {
	many := map[string]string{}
	for i := range maxFields + 1 {
		many[strings.Repeat("x", i+1)] = "1"
	}
	for name, change := range map[string]func(*Entry){
		"no origin":            func(e *Entry) { e.Origin = "" },
		"origin with a space":  func(e *Entry) { e.Origin = "a b" },
		"origin with a plus":   func(e *Entry) { e.Origin = "a+b" },
		"long origin":          func(e *Entry) { e.Origin = strings.Repeat("a", maxOrigin+1) },
		"upper-case kind":      func(e *Entry) { e.Stream.Kind = "Card" },
		"stream with a slash":  func(e *Entry) { e.Stream.ID = "a/b" },
		"long stream":          func(e *Entry) { e.Stream.ID = strings.Repeat("a", maxStreamID+1) },
		"no sequence number":   func(e *Entry) { e.Seq = 0 },
		"first with a hash":    func(e *Entry) { e.Seq = 1 },
		"second without":       func(e *Entry) { e.Prev = [32]byte{} },
		"no identity":          func(e *Entry) { e.ID = [16]byte{} },
		"no act":               func(e *Entry) { e.Act = "" },
		"long act":             func(e *Entry) { e.Act = Act(strings.Repeat("a", maxAct+1)) },
		"before 1970":          func(e *Entry) { e.Time = time.Unix(-1, 0) },
		"half a microsecond":   func(e *Entry) { e.Time = e.Time.Add(500) },
		"no time":              func(e *Entry) { e.Time = time.Time{} },
		"no operator":          func(e *Entry) { e.Operator = KeyID{} },
		"twice the same":       func(e *Entry) { e.Second = e.Operator },
		"signature of nobody":  func(e *Entry) { e.Second = KeyID{} },
		"no signature":         func(e *Entry) { e.Signature = nil },
		"no second signature":  func(e *Entry) { e.SecondSignature = nil },
		"long signature":       func(e *Entry) { e.Signature = make([]byte, maxSignature+1) },
		"many fields":          func(e *Entry) { e.Fields = many },
		"field with a space":   func(e *Entry) { e.Fields = map[string]string{"reason": "Nguyen Van"} },
		"field not ASCII":      func(e *Entry) { e.Fields = map[string]string{"reason": "Nguyễn"} },
		"empty field":          func(e *Entry) { e.Fields = map[string]string{"reason": ""} },
		"long field":           func(e *Entry) { e.Fields = map[string]string{"reason": strings.Repeat("a", maxFieldValue+1)} },
		"field name":           func(e *Entry) { e.Fields = map[string]string{"Reason": "a"} },
		"commitment name":      func(e *Entry) { e.Commitments = map[string][32]byte{"": {}} },
		"claim twice":          func(e *Entry) { e.Claims = []Claim{{ClaimChip, "a"}, {ClaimChip, "a"}} },
		"empty claim":          func(e *Entry) { e.Claims = []Claim{{ClaimChip, ""}} },
		"long claim":           func(e *Entry) { e.Claims = []Claim{{ClaimChip, strings.Repeat("a", maxClaimValue+1)}} },
		"attachment twice":     func(e *Entry) { e.Attach = []Attachment{{Name: "a"}, {Name: "a"}} },
		"attachment name":      func(e *Entry) { e.Attach = []Attachment{{Name: "A"}} },
		"oversized attachment": func(e *Entry) { e.Attach = []Attachment{{Name: "a", Sealed: make([]byte, MaxSealed+1)}} },
	} {
		e := goldenEntry(t)
		change(&e)
		if _, err := e.Leaf(); !errors.Is(err, ErrEntry) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLargestLeaf: what the bounds allow fits into a bundle of tiles and is read again.
func TestLargestLeaf(t *testing.T) {
	e := goldenEntry(t)
	e.Origin = strings.Repeat("o", maxOrigin)
	e.Stream = StreamID{Kind(strings.Repeat("k", maxKind)), strings.Repeat("s", maxStreamID)}
	e.Act = Act(strings.Repeat("a", maxAct))
	e.Fields, e.Commitments = map[string]string{}, map[string][32]byte{}
	for i := range maxFields {
		e.Fields[fmt.Sprintf("f%031d", i)] = strings.Repeat("v", maxFieldValue)
	}
	for i := range maxCommitments {
		e.Commitments[fmt.Sprintf("c%031d", i)] = [32]byte{byte(i)}
	}
	e.Signature, e.SecondSignature = make([]byte, maxSignature), make([]byte, maxSignature)
	leaf, err := e.Leaf()
	if err != nil || len(leaf) > maxLeaf {
		t.Fatalf("%d octets, %v", len(leaf), err)
	}
	if _, _, err := ParseLeaf(leaf); err != nil {
		t.Error(err)
	}
}

// FuzzParseLeaf: whatever is read is written back as it was.
func FuzzParseLeaf(f *testing.F) {
	leaf, _ := hex.DecodeString(goldenLeaf)
	f.Add(leaf)
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, payload, err := ParseLeaf(b)
		if err != nil {
			return
		}
		again, err := e.appendBody(nil, payload)
		if err != nil {
			t.Fatal(err)
		}
		if again, err = appendSignature(again, e.Signature); err == nil && !e.Second.IsZero() {
			again, err = appendSignature(again, e.SecondSignature)
		}
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("read %x\nwrote %x\n%v", b, again, err)
		}
	})
}

// FuzzParsePayload: likewise.
func FuzzParsePayload(f *testing.F) {
	payload, _ := hex.DecodeString(goldenPayload)
	f.Add(payload)
	f.Add([]byte{1, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var e Entry
		if e.parsePayload(b) != nil {
			return
		}
		again, err := e.Payload()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("read %x\nwrote %x\n%v", b, again, err)
		}
	})
}

func BenchmarkLeaf(b *testing.B) {
	e := goldenEntry(b)
	for b.Loop() {
		if _, err := e.Leaf(); err != nil {
			b.Fatal(err)
		}
	}
}
