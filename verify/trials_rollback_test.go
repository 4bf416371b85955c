package verify

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// rollbacks are where each roll-back is tried, through the command line.
var rollbacks = []struct{ what, answer, file, proof string }{
	{"an older signed list of certificates is imported", "nothing is taken, exit status 1", "testdata/trust.txtar", "masterlist of UT: that of .* was seen before"},
	{"an older trust folder lies in the place of the newer", "not used, exit status 1", "testdata/trust.txtar", "was seen before number"},
	{"an older revocation list is imported, or lies in the folder", "not imported; `crl-rolled-back`, refer", "testdata/rollback.txtar", "crl-rolled-back"},
	{"an older snapshot of card status lies in the folder", "`status-rollback`, refer", "testdata/status.txtar", "status-rollback"},
	{"the clock stands before the newest list seen", "`clock-behind`, refer", "rollback_test.go", "TestClockRolledBack"},
}

// TestRollbackTrial tells which roll-backs are tried and holds the table to tests that
// exist.
func TestRollbackTrial(t *testing.T) {
	var b strings.Builder
	b.WriteString("Tried through the command line, in `cmd/tamthe`.\n\n| what happens | answer | test |\n|---|---|---|\n")
	for _, r := range rollbacks {
		text, err := os.ReadFile("../cmd/tamthe/" + r.file)
		if err != nil || !strings.Contains(string(text), r.proof) {
			t.Errorf("%s: %v: nothing about %q", r.file, err, r.proof)
		}
		fmt.Fprintf(&b, "| %s | %s | `%s` |\n", r.what, r.answer, r.file)
	}
	trial(t, "Roll-backs", b.String())
}
