package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// The exit statuses are a contract: a script may rely on them, and treats any that it
// does not know as a failure.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitRefused     = 3
	exitRefer       = 4
	exitReader      = 10
	exitCard        = 11
	exitPassword    = 12
	exitBlocked     = 13
	exitRule        = 14
	exitConflict    = 15
	exitInterrupted = 130
)

const exitHelp = `
EXIT STATUS
  0 done or accepted   1 error   2 wrong usage   3 refused   4 refer to an officer
  10 no reader, or more than one with a card   11 no card, or it was removed
  12 wrong MRZ, CAN or PIN   13 blocked   14 not allowed in this state, or four eyes needed
  15 somebody else changed the ledger first   130 interrupted
`

// errInterrupted stands for a signal.
var errInterrupted = errors.New("interrupted")

// usageError is a command line that cannot be understood.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, a ...any) error { return usageError{fmt.Errorf(format, a...)} }

// verdictError carries a verdict to the exit status; what there is to say has been
// said on standard output.
type verdictError int

func (v verdictError) Error() string { return fmt.Sprintf("verdict with exit status %d", int(v)) }

// hintError adds what to do next.
type hintError struct {
	err  error
	hint string
}

func (e hintError) Error() string { return e.err.Error() }
func (e hintError) Unwrap() error { return e.err }

func hint(err error, format string, a ...any) error {
	return hintError{err: err, hint: fmt.Sprintf(format, a...)}
}

// failure is what is said of an error.
type failure struct {
	Code      string `json:"code"`
	Exit      int    `json:"exit"`
	Message   string `json:"message"`
	Hint      string `json:"hint,omitempty"`
	TriesLeft *int   `json:"tries_left,omitempty"`
}

// finish prints an error on standard error and returns the exit status.
func (p *program) finish(err error) int {
	if err == nil {
		return exitOK
	}
	var v verdictError
	if errors.As(err, &v) {
		return int(v)
	}
	f := classify(err)
	if p.json {
		b, _ := json.Marshal(struct {
			Error failure `json:"error"`
		}{f})
		fmt.Fprintf(p.err, "%s\n", b)
		return f.Exit
	}
	fmt.Fprintf(p.err, "tamthe: %s\n", printable(f.Message))
	if f.TriesLeft != nil {
		fmt.Fprintf(p.err, "tamthe: tries left: %d\n", *f.TriesLeft)
	}
	if f.Hint != "" {
		fmt.Fprintf(p.err, "hint: %s\n", printable(f.Hint))
	}
	return f.Exit
}

// printable keeps control and direction characters of foreign text from the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7F && r < 0xA0 || r >= 0x200E && r <= 0x200F || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 {
			return '\uFFFD'
		}
		return r
	}, s)
}
