// Package browsertest looks at the web pages as their users do: the real program serves
// them, Debian's Chromium shows them, playwright-core drives it with a virtual passkey, and
// axe-core says what somebody with a keyboard or a screen reader cannot use. What is seen
// is left in .tamthe/screens, for people to look at.
//
// The plays lie in play/; each asks this side for what a hand does beside the browser, such
// as putting a card onto the reader.
package browsertest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu/pcsc/private"
	"github.com/tamthe/tamthe/testdata"
)

// made names, in the environment, the program that was built for the tests.
const made = "TAMTHE_BROWSER_PROGRAM"

// TestMain builds the program while there is a network to fetch modules from, then goes on
// in a network of its own: there a page that asks for anything from elsewhere gets nothing.
func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(made) == "" && !testing.Short() && lacking() == nil {
		program := filepath.Join(root(), ".tamthe", "browser", "tamthe")
		if out, err := exec.Command("go", "build", "-o", program, "../../../cmd/tamthe").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build cmd/tamthe: %v\n%s", err, out)
			os.Exit(1)
		}
		if err := os.Setenv(made, program); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if in, err := private.Enter(); !in {
		fmt.Fprintln(os.Stderr, "the virtual readers' ports are reachable:", err)
	}
	os.Exit(withService(m.Run))
}

// root is the repository's folder.
func root() string {
	dir, err := filepath.Abs("../../..")
	if err != nil {
		panic(err) // there is a working directory in tests
	}
	return dir
}

// lacking says what is not here of what a play needs.
func lacking() error {
	if _, err := exec.LookPath("chromium"); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(root(), ".tamthe/browser/node_modules/playwright-core")); err != nil {
		return errors.New("no playwright-core here: .ci/browser, of make test, unpacks it")
	}
	_, err := node()
	return err
}

// node finds a Node.js that Playwright takes: npm's beside it where the machine's is old.
func node() (string, error) {
	found, err := filepath.Glob(filepath.Join(root(), ".tamthe/browser/node_modules/node-linux-*/bin/node"))
	if err == nil && len(found) == 1 {
		return found[0], nil
	}
	return exec.LookPath("node")
}

// needs skips the test where no browser can be driven, and lets the test cache notice when
// a file of the program changes.
func needs(t *testing.T) (program string) {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes seconds")
	}
	if err := lacking(); err != nil {
		testdata.Missing(t, "chromium", err.Error())
	}
	err := filepath.WalkDir(root(), func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && strings.HasPrefix(e.Name(), ".") && path != root():
			return filepath.SkipDir
		case e.IsDir() || !sources[filepath.Ext(path)]:
			return nil
		}
		_, err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return os.Getenv(made)
}

// sources are the endings of what the program and the plays are made of.
var sources = map[string]bool{".go": true, ".html": true, ".css": true, ".js": true, ".mjs": true, ".toml": true, ".json": true, ".mod": true, ".sql": true}

// hand does something beside the browser for a play, and answers it.
type hand func(arguments []string) (any, error)

// play runs a script of play/ with its configuration, and fails the test with each fault
// that it finds.
func play(t *testing.T, script string, config map[string]any, hands map[string]hand) {
	t.Helper()
	for _, f := range perform(t, script, config, hands) {
		t.Error(f)
	}
}

// perform runs a script until it ends, and returns the faults that it found.
func perform(t *testing.T, script string, config map[string]any, hands map[string]hand) (faults []string) {
	t.Helper()
	program, err := node()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute) // a browser that hangs
	defer cancel()
	cmd := exec.CommandContext(ctx, program, filepath.Join("play", script))
	cmd.Env = append(os.Environ(), "TAMTHE_BROWSER="+filepath.Join(root(), ".tamthe", "browser"), "TAMTHE_SCREENS="+filepath.Join(root(), ".tamthe", "screens"))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	config["chromium"] = "/usr/bin/chromium"
	must(t, json.NewEncoder(in).Encode(config))
	ended, faults := converse(t, out, in, hands)
	in.Close()
	if err := cmd.Wait(); err != nil || !ended {
		faults = append(faults, fmt.Sprintf("%s: it did not come to its end: %v", script, err))
	}
	return faults
}

// said is a line of a play.
type said struct {
	Do    []string `json:"do"`    // what a hand is asked for, and its arguments
	Fault string   `json:"fault"` // what is wrong
	Note  string   `json:"note"`  // for who looks on
	End   bool     `json:"end"`
}

// converse serves a play until its end.
func converse(t *testing.T, out io.Reader, in io.Writer, hands map[string]hand) (ended bool, faults []string) {
	t.Helper()
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var s said
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			faults = append(faults, "a line of the play: "+lines.Text())
			continue
		}
		switch {
		case s.Fault != "":
			faults = append(faults, s.Fault)
		case s.Note != "":
			t.Log(s.Note)
		case s.End:
			ended = true
		case len(s.Do) > 0:
			if err := json.NewEncoder(in).Encode(answer(s.Do, hands)); err != nil {
				return false, append(faults, err.Error())
			}
		}
	}
	return ended, faults
}

func answer(do []string, hands map[string]hand) map[string]any {
	h, ok := hands[do[0]]
	if !ok {
		return map[string]any{"error": "no hand does " + do[0]}
	}
	value, err := h(do[1:])
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	return map[string]any{"value": value}
}
