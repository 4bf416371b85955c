//go:build unix

package outbox

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/issuance/keystore"
)

// TestKill kills processes that keep and wipe drafts, wherever they are: what one has said to
// be kept is there whole, what it has said to be wiped is gone, and the next one goes on.
func TestKill(t *testing.T) {
	if dir := os.Getenv("OUTBOX_DIR"); dir != "" {
		toil(t, dir)
		return
	}
	t.Parallel()
	dir := t.TempDir()
	w, err := keystore.GenerateSecret(filepath.Join(dir, "key"), keystore.UseVault)
	check(t, err)
	b := Box{Dir: filepath.Join(dir, "drafts")}
	rounds := 20
	if testing.Short() {
		rounds = 5
	}
	for round := range rounds {
		kept := map[string]bool{}
		for _, line := range killed(t, dir, round, rand.IntN(60)) {
			what, name, _ := strings.Cut(line, " ")
			if kept[name] = what == "kept"; what == "wiping" { // is there, or not
				delete(kept, name)
			}
		}
		for name, there := range kept {
			_, got, err := b.Open(t.Context(), w, name)
			if there && (err != nil || !bytes.Equal(got, content)) {
				t.Errorf("round %d: %s was kept: %v", round, name, err)
			}
			if !there && err == nil {
				t.Errorf("round %d: %s was wiped", round, name)
			}
		}
		list, err := b.List()
		check(t, err)
		for _, i := range list {
			if i.Err != nil {
				t.Errorf("round %d: %s: %v", round, i.Name, i.Err)
			}
			check(t, b.Filed(i.Name))
		}
	}
	check(t, b.Filed(head(0).Name)) // a box that is written to
	if left := files(t, b.Dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// killed is what a process said before it was killed, after so many lines.
func killed(t *testing.T, dir string, round, lines int) (said []string) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestKill$")
	c.Env = append(os.Environ(), "OUTBOX_DIR="+dir, fmt.Sprint("OUTBOX_ROUND=", round))
	out, err := c.StdoutPipe()
	check(t, err)
	check(t, c.Start())
	in := bufio.NewScanner(out)
	for in.Scan() {
		said = append(said, in.Text())
		if len(said) == lines+1 {
			check(t, c.Process.Kill())
		}
	}
	_ = c.Wait()
	if len(said) <= lines {
		t.Fatalf("round %d ended by itself: %q", round, said)
	}
	return said
}

// toil keeps drafts, and wipes every other one, until it is killed. A line that is written
// whole is true; a pipe takes one of this length whole.
func toil(t *testing.T, dir string) {
	w, err := keystore.OpenSecret(filepath.Join(dir, "key"), keystore.UseVault)
	check(t, err)
	b := Box{Dir: filepath.Join(dir, "drafts")}
	for n := 0; ; n++ {
		h := head(n)
		h.Name = fmt.Sprintf("A-%s-%06d", os.Getenv("OUTBOX_ROUND"), n)
		check(t, b.Keep(t.Context(), w, h, content))
		fmt.Printf("kept %s\n", h.Name)
		if n%2 == 1 || n > MaxDrafts/2 {
			fmt.Printf("wiping %s\n", h.Name)
			check(t, b.Filed(h.Name))
			fmt.Printf("wiped %s\n", h.Name)
		}
	}
}
