package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

// What an earlier version made stays good: its ledger opens and agrees with itself, its
// chip is read and accepted as on the day when its report was written, and the report
// says what it said. Each folder of testdata/history is what the program left at the
// end of a piece of work; they are never changed.
func TestHistory(t *testing.T) {
	folders, err := fs.ReadDir(testdata.FS, "history")
	if err != nil || len(folders) == 0 {
		t.Fatal("no history", err)
	}
	for _, f := range folders {
		t.Run(f.Name(), func(t *testing.T) { testHistory(t, "history/"+f.Name()) })
	}
}

func testHistory(t *testing.T, from string) {
	dir := t.TempDir()
	for _, name := range []string{"ledger.db", "can.chip"} {
		if err := os.WriteFile(filepath.Join(dir, name), testdata.Read(t, from+"/"+name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var old struct {
		Schema, Verdict string
		At              time.Time
		Checks          []struct{ ID, Outcome string }
		Document        struct {
			Card string `json:"card_id"`
		}
		Session struct{ APDUs int }
	}
	if err := json.Unmarshal(testdata.Read(t, from+"/can.json"), &old); err != nil {
		t.Fatal(err)
	}

	l, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), sqlite.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	audit, err := l.Verify(t.Context(), nil)
	if err != nil || !audit.OK() || audit.Size == 0 {
		t.Fatalf("the ledger does not agree: %+v, %v", audit, err)
	}

	chip, err := virtual.Load(filepath.Join(dir, "can.chip"))
	if err != nil {
		t.Fatal(err)
	}
	defer chip.Close()
	folder, err := fs.Sub(testdata.FS, from+"/trust")
	if err != nil {
		t.Fatal(err)
	}
	trust, err := pki.LoadStore(folder, pki.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	policy, err := verify.PolicyByName("checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return old.At }
	report, err := verify.Inspect(t.Context(), apdu.Over(chip, apdu.Limits{}), verify.Options{
		Trust: trust, Policy: policy, At: old.At, Specimen: true, Status: &desk.Office{Store: l, Now: now},
		Passwords: []auth.Password{auth.CAN(citizens()[0].person.Number.CAN())},
	})
	if err != nil {
		t.Fatal(err)
	}
	if report.Verdict.String() != old.Verdict || report.Document.Card.String() != old.Document.Card {
		t.Errorf("verdict %s on card %s, was %s on %s", report.Verdict, report.Document.Card, old.Verdict, old.Document.Card)
	}
	for _, c := range old.Checks {
		if got := report.Check(c.ID).Outcome.String(); got != c.Outcome {
			t.Errorf("check %s is %s, was %s", c.ID, got, c.Outcome)
		}
	}
	if old.Schema != "tamthe/verify/1" || old.Session.APDUs == 0 {
		t.Errorf("the report's fields have other names: %+v", old)
	}
}
