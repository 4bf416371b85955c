package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/receipt"
)

// What an earlier desk gave out stays good: a citizen's receipt is checked with no ledger,
// by the keys that were pinned then, witness included, and the ledger that gave it is still
// the log that it proves.
func TestHistoryOfReceipts(t *testing.T) {
	folders, err := fs.ReadDir(testdata.FS, "history")
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, f := range folders {
		from := "history/" + f.Name()
		if _, err := fs.Stat(testdata.FS, from+"/card.tlog-proof"); errors.Is(err, fs.ErrNotExist) {
			continue // before receipts were kept
		}
		kept++
		t.Run(f.Name(), func(t *testing.T) {
			leaf := receiptOf(t, from)
			ledgerOf(t, from, leaf)
			proofOfCard(t, from)
		})
	}
	if kept == 0 {
		t.Error("no folder holds a receipt")
	}
}

// receiptOf checks the receipt offline and returns its leaf.
func receiptOf(t *testing.T, from string) []byte {
	issuers, err := pki.ParseIssuers(testdata.Read(t, from+"/trust/"+pki.IssuersFile))
	if err != nil || len(issuers) != 1 {
		t.Fatal(issuers, err)
	}
	policy := issuers[0].LogPolicy()
	if len(policy.Logs) != 1 || len(policy.Witnesses) != 1 || policy.Quorum != 1 {
		t.Fatalf("pinned: %+v", policy)
	}
	text := testdata.Read(t, from+"/card.tlog-proof")
	proof, err := receipt.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	proven, err := receipt.Verify(proof, proof.Extra, policy)
	if err != nil || len(proven.Witnesses) != 1 {
		t.Fatalf("%+v, %v", proven, err)
	}
	leaf, err := receipt.ParseLeaf(proof.Extra)
	if err != nil || leaf.Kind != "card" || leaf.Act != "deliver" {
		t.Fatalf("%+v, %v", leaf, err)
	}
	other := bytes.Clone(proof.Extra)
	other[len(other)-1] ^= 1
	if _, err := receipt.Verify(proof, other, policy); !errors.Is(err, receipt.ErrInclusion) {
		t.Errorf("another leaf: %v", err)
	}
	if again, err := proof.MarshalText(); err != nil || !bytes.Equal(again, text) {
		t.Errorf("written anew it is another: %v", err)
	}
	return proof.Extra
}

// ledgerOf audits the ledger against the receipt, as `ledger verify --against` does, and
// finds in it the act of the receipt and the two persons who took each key into use.
func ledgerOf(t *testing.T, from string, leaf []byte) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := os.WriteFile(path, testdata.Read(t, from+"/ledger.db"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := sqlite.Open(t.Context(), path, sqlite.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	proof, err := receipt.Parse(testdata.Read(t, from+"/card.tlog-proof"))
	if err != nil {
		t.Fatal(err)
	}
	older, err := receipt.ParseCheckpoint(proof.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := ledger.ShownReceipt("the receipt", proof, older)
	if err != nil {
		t.Fatal(err)
	}
	if audit, err := l.VerifyAgainst(t.Context(), shown); err != nil || !audit.OK() || audit.Size < older.Size {
		t.Errorf("against the receipt: %+v, %v", audit, err)
	}
	read, err := receipt.ParseLeaf(leaf)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := l.Stream(t.Context(), issuance.Card(read.Stream))
	if err != nil || len(entries) == 0 {
		t.Fatal(entries, err)
	}
	last := entries[len(entries)-1]
	if got, err := last.Leaf(); err != nil || !bytes.Equal(got, leaf) || last.Rules != 2 {
		t.Errorf("the card's newest act is %s under book %d, %v", last.Act, last.Rules, err)
	}
	signers, err := l.List(t.Context(), issuance.KindKey)
	if err != nil || len(signers) == 0 {
		t.Fatal(signers, err)
	}
	for _, s := range signers { // a key comes into use by two persons
		entries, err := l.Stream(t.Context(), s.Stream)
		if err != nil || entries[0].Second == (issuance.KeyID{}) || len(entries[0].SecondSignature) == 0 {
			t.Errorf("%s: one person's, %v", s.Stream, err)
		}
	}
}

// proofOfCard holds the report to its proof: signed, covered and witnessed.
func proofOfCard(t *testing.T, from string) {
	var old struct {
		Checks []struct{ ID, Outcome string }
	}
	if err := json.Unmarshal(testdata.Read(t, from+"/can.json"), &old); err != nil {
		t.Fatal(err)
	}
	for _, c := range old.Checks {
		if c.ID == verify.CheckLog {
			if c.Outcome != verify.Passed.String() {
				t.Errorf("%s was %s", c.ID, c.Outcome)
			}
			return
		}
	}
	t.Error("the report does not speak of the log")
}
