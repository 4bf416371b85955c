package verify

import (
	"os"
	"strings"
	"testing"
)

// trials is the file that tells how the vectors of other projects, mutations and other
// implementations came out. Each trial writes a section of it and is held to what stands
// there; -update writes them.
const trials = "TRIALS.md"

// trial compares a section of the file, by its title, with what came out now.
func trial(t *testing.T, title, text string) {
	t.Helper()
	b, err := os.ReadFile(trials)
	if err != nil {
		t.Fatal(err)
	}
	file := string(b)
	head := "\n## " + title + "\n\n"
	text = strings.TrimRight(text, "\n") + "\n"
	before, rest, found := strings.Cut(file, head)
	if !found {
		before, rest = strings.TrimRight(file, "\n")+"\n", ""
	}
	section, after := rest, ""
	if i := strings.Index(rest, "\n## "); i >= 0 {
		section, after = rest[:i], rest[i:]
	}
	if section == text {
		return
	}
	if *update {
		if err := os.WriteFile(trials, []byte(before+head+text+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s, %q differs; got:\n%s", trials, title, text)
}

// long skips a trial where tests are to be short: under the race detector it takes minutes.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("a trial takes time")
	}
}
