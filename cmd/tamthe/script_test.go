package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary be the program, with chips in the process: see
// connectChip. The tests themselves keep the settings of whoever runs them out.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "tamthe" {
		for _, name := range []string{"TAMTHE_HOME", "TAMTHE_LEDGER", "TAMTHE_OPERATOR", "TAMTHE_READER", "TAMTHE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"} {
			os.Unsetenv(name)
		}
	}
	testscript.Main(m, map[string]func(){
		"tamthe":        func() { os.Exit(start(connectChip, testClock())) },
		"sample-portal": samplePortal,
		"osia-system":   osiaSystem,
	})
}

// testClock is the clock of a script: it stands at TEST_NOW where that is set, or runs on
// from there as many times as fast as TEST_CLOCK says.
func testClock() func() time.Time {
	at, err := time.Parse(time.RFC3339, os.Getenv("TEST_NOW"))
	if err != nil {
		return time.Now
	}
	if n, err := strconv.Atoi(os.Getenv("TEST_CLOCK")); err == nil {
		began := time.Now()
		return func() time.Time { return at.Add(time.Since(began) * time.Duration(n)) }
	}
	return func() time.Time { return at }
}

func TestScripts(t *testing.T) {
	p := scripts(t)
	p.Dir = "testdata"
	testscript.Run(t, p)
}

// scripts is how scripts are run.
func scripts(t *testing.T) testscript.Params {
	desks := newDesks(t)
	return testscript.Params{
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("TAMTHE_HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("XDG_DATA_HOME", filepath.Join(env.WorkDir, "data"))
			env.Setenv("PCSCLITE_CSOCK_NAME", filepath.Join(env.WorkDir, "no-pcscd"))
			env.Setenv("LATER", time.Now().AddDate(6, 0, 0).Format(time.DateOnly))
			year, month, _ := time.Now().Date()
			env.Setenv("MONTH_FIRST", time.Date(year, month, 1, 0, 0, 0, 0, time.Local).Format(time.DateOnly))
			env.Setenv("MONTH_LAST", time.Date(year, month+1, 0, 0, 0, 0, 0, time.Local).Format(time.DateOnly))
			env.Setenv("MONTH_AFTER", time.Date(year, month+1, 1, 12, 0, 0, 0, time.Local).Format(time.RFC3339))
			env.Setenv("GOCOVERDIR", env.WorkDir)
			env.Values["browser"] = newBrowser()
			return desks.people(env.WorkDir)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":      statusCommand,
			"by":          by,
			"both":        both,
			"keep":        keep,
			"desk":        desks.set,
			"chip":        chipCommand,
			"sql":         sqlCommand,
			"lists":       trustFiles,
			"replace":     replaceText,
			"nobody":      nobody,
			"interrupt":   interrupt,
			"vpcd":        vpcdCommand,
			"page":        pageCommand,
			"token":       tokenCommand,
			"party":       partyCommand,
			"browse":      browse,
			"storm":       storm,
			"order-storm": orderStorm,
			"hold":        holdCommand,
		},
	}
}

// statusCommand runs a command and expects exactly that exit status:
//
//	status N tamthe ARGUMENTS
//
// Whatever is run must keep the contract of the streams: see streams.
func statusCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command [arguments]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	if got := exitStatus(ts, err); got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
	streams(ts, want, args[2:], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
}

// exitStatus is how a command ended.
func exitStatus(ts *testscript.TestScript, err error) int {
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return 0
	case ok:
		return exit.ExitCode()
	}
	ts.Fatalf("%v", err)
	return -1
}

// by runs a verb as an officer:
//
//	by NAME N VERB ARGUMENTS
func by(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: by NAME N verb [arguments]")
	}
	flags := []string{"--operator", args[0], "--passphrase-file", ts.MkAbs("passphrase")}
	statusCommand(ts, neg, slices.Concat([]string{args[1], "tamthe"}, args[2:], flags))
}

// both runs a verb as two officers:
//
//	both NAME NAME N VERB ARGUMENTS
func both(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 4 {
		ts.Fatalf("usage: both NAME NAME N verb [arguments]")
	}
	pass := ts.MkAbs("passphrase")
	flags := []string{"--operator", args[0], "--passphrase-file", pass, "--second", args[1], "--second-passphrase-file", pass}
	statusCommand(ts, neg, slices.Concat([]string{args[2], "tamthe"}, args[3:], flags))
}

// judging are the verbs whose result is a verdict, or like one.
var judging = []string{"verify", "read", "judge", "check", "doctor", "train"}

// streams holds the contract of standard output and standard error: a verdict says nothing
// on standard error; a failure says nothing on standard output, and on standard error lines
// that begin with the program's name or the word for a hint, or with --json one document.
func streams(ts *testscript.TestScript, exit int, args []string, stdout, stderr string) {
	verdict := len(args) > 0 && slices.Contains(judging, args[0]) || len(args) > 1 && ((args[0] == "ledger" || args[0] == "inspections") && (args[1] == "verify" || args[1] == "slip") || args[0] == "ledger" && (args[1] == "audit" || args[1] == "watch") || args[0] == "ledger" && args[1] == "receipt" && slices.Contains(args, "--verify") || args[0] == "stock" && args[1] == "reconcile" || args[0] == "register" && args[1] == "ask" || args[0] == "application" && len(args) > 2 && args[1] == "abis" && args[2] == "ask" || args[0] == "pki" && (args[1] == "lint" || args[1] == "status" || len(args) > 2 && args[1] == "ceremony" && args[2] == "verify") || args[0] == "status" && args[1] == "lookup" || args[0] == "agent" && args[1] == "credential" && len(args) > 2 && args[2] == "judge" || args[0] == "trust" && args[1] == "update" || args[0] == "desk" && (args[1] == "health" || args[1] == "send"))
	if exit == 0 || verdict && stdout != "" {
		if verdict && stderr != "" {
			ts.Fatalf("a verdict that says something on standard error")
		}
		return
	}
	if stdout != "" && args[0] != "virtual" { // which says that it was ready before it failed
		ts.Fatalf("a failure that says something on standard output")
	}
	if !slices.Contains(args, "--json") {
		hinted := wordHint.en + ": "
		if slices.Contains(args, "vi") || slices.Contains(args, "--lang=vi") || ts.Getenv("TAMTHE_LANG") == "vi" {
			hinted = wordHint.vi + ": "
		}
		for line := range strings.Lines(stderr) {
			if !strings.HasPrefix(line, "tamthe: ") && !strings.HasPrefix(line, hinted) {
				ts.Fatalf("standard error: %q", line)
			}
			if text := strings.TrimRight(line, "\n"); strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "…") {
				ts.Fatalf("a full stop: %q", line)
			}
		}
		if !strings.HasPrefix(stderr, "tamthe: ") {
			ts.Fatalf("a failure without a word")
		}
		return
	}
	var doc struct {
		Error failure `json:"error"`
	}
	d := json.NewDecoder(strings.NewReader(stderr))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil || strings.Count(stderr, "\n") != 1 || !strings.HasSuffix(stderr, "}\n") {
		ts.Fatalf("not one line of JSON (%v)", err)
	}
	if doc.Error.Exit != exit || doc.Error.Code == "" || doc.Error.Message == "" {
		ts.Fatalf("not the failure: %+v", doc.Error)
	}
}

// keep puts the last standard output, or what of it the expression matches, into a
// variable:
//
//	keep NAME [EXPRESSION]
func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 && len(args) != 2 {
		ts.Fatalf("usage: keep NAME [expression]")
	}
	text := strings.TrimSpace(ts.ReadFile("stdout"))
	if len(args) == 2 {
		re, err := regexp.Compile("(?m)" + args[1])
		ts.Check(err)
		if text = re.FindString(text); text == "" {
			ts.Fatalf("nothing matches %s", args[1])
		}
	}
	ts.Setenv(args[0], text)
}

// replaceText changes the one place of a file that has a text:
//
//	replace FILE OLD NEW
func replaceText(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if n := strings.Count(text, args[1]); n != 1 {
		ts.Fatalf("%q is there %d times", args[1], n)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o600))
}

// interrupt runs a command, waits until the file is there, sends SIGINT and expects the
// exit status:
//
//	interrupt FILE N tamthe ARGUMENTS
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: interrupt FILE N command [arguments]")
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	var stdout, stderr bytes.Buffer
	cmd := process(ts, args[3:]...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	hold, err := cmd.StdinPipe() // a standard input that says nothing and does not end
	ts.Check(err)
	defer hold.Close()
	ts.Check(cmd.Start())
	for range 600 {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Check(cmd.Process.Signal(os.Interrupt))
	got := exitStatus(ts, cmd.Wait())
	ts.Logf("[stdout]\n%s[stderr]\n%s", &stdout, &stderr)
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
	streams(ts, want, args[3:], stdout.String(), stderr.String())
	ts.Check(os.WriteFile(ts.MkAbs("interrupted"), stderr.Bytes(), 0o600))
}

// process is the program in a process of its own, in the script's folder and environment.
func process(ts *testscript.TestScript, args ...string) *exec.Cmd {
	self, err := os.Executable()
	ts.Check(err)
	cmd := exec.Command(self)
	cmd.Args = append([]string{"tamthe"}, args...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = environment(ts)
	return cmd
}

// environment are the variables of a script that the program may look at.
func environment(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{
		"PATH", "HOME", "TMPDIR", "TAMTHE_HOME", "TAMTHE_LEDGER", "TAMTHE_OPERATOR", "TAMTHE_READER", "TAMTHE_LANG", "XDG_DATA_HOME",
		"LC_ALL", "LANG", "PCSCLITE_CSOCK_NAME", "TEST_CHIP", "TEST_FAULT", "TEST_READERS", "GOCOVERDIR",
	} {
		if v := ts.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}
