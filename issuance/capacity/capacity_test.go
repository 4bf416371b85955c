package capacity_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/issuance/capacity"
)

// TestDocument: CAPACITY.md says what the model says. Where they differ the test prints the
// tables as they should be.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../CAPACITY.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{coefficients(), needs()} {
		if !strings.Contains(string(text), table) {
			t.Errorf("CAPACITY.md lacks:\n%s", table)
		}
	}
}

func coefficients() string {
	var b strings.Builder
	b.WriteString("| coefficient | value | measured by |\n|---|---:|---|\n")
	for _, c := range capacity.Coefficients() {
		fmt.Fprintf(&b, "| %s | %.0f | `%s` |\n", c.Name, c.Value, c.Measured)
	}
	return b.String()
}

func needs() string {
	columns := make([][]string, 0, 4)
	for cards := 1e5; cards <= 1e8; cards *= 10 {
		n := capacity.Of(capacity.Demand{Cards: cards})
		columns = append(columns, []string{
			number(cards), number(n.PerDay), number(n.Entries), number(n.Rows),
			octets(n.Database), octets(n.Sealed), octets(n.JournalDay), fmt.Sprintf("%.1f", n.PerSecond), fmt.Sprintf("%.2f", n.Cores),
			fmt.Sprintf("%.2g %%", 100*n.Share), duration(n.Verify), duration(n.Hashes), octets(n.SigningView),
		})
	}
	var b strings.Builder
	for i, name := range []string{
		"cards", "cards of the busiest day", "entries", "rows", "database", "sealed data", "write-ahead log of that day",
		"entries a second in its busiest hour", "cores in that hour", "of what one sequencer can do", "whole audit", "audit of hashes", "memory of the signing service",
	} {
		fmt.Fprintf(&b, "| %s |", name)
		for _, c := range columns {
			fmt.Fprintf(&b, " %s |", c[i])
		}
		b.WriteString("\n")
		if i == 0 {
			b.WriteString("|---|---:|---:|---:|---:|\n")
		}
	}
	return b.String()
}

// number is n with commas.
func number(n float64) string {
	s := fmt.Sprintf("%.0f", n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func octets(n float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}} {
		if n >= unit.size {
			return fmt.Sprintf("%.3g %s", n/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%.0f", n)
}

func duration(seconds float64) string {
	if seconds < 3600 {
		return fmt.Sprintf("%.1f min", seconds/60)
	}
	return fmt.Sprintf("%.1f h", seconds/3600)
}

// TestOf: the arithmetic is that of the numbers, worked by hand for one card a day.
func TestOf(t *testing.T) {
	v := capacity.Value
	n := capacity.Of(capacity.Demand{Cards: 10, PerDay: 1, Hours: 1, Portrait: 1000})
	if want := 10 * v(capacity.Entries); n.Entries != want {
		t.Errorf("%v entries, not %v", n.Entries, want)
	}
	if want := 2 * v(capacity.Entries) / 3600; n.PerSecond != want {
		t.Errorf("%v a second, not %v", n.PerSecond, want)
	}
	more := capacity.Of(capacity.Demand{Cards: 10, PerDay: 1, Hours: 1, Portrait: 2000})
	if got, want := more.Sealed-n.Sealed, 10*v(capacity.Portraits)*1000; got != want {
		t.Errorf("larger portraits take %v more, not %v", got, want)
	}
	for _, c := range capacity.Coefficients() {
		if c.Value <= 0 || c.Measured == "" {
			t.Errorf("%+v", c)
		}
	}
}
