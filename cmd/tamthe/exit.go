package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tamthe/tamthe/verify"
)

// The exit statuses are a contract: a script may rely on them, and treats any that it
// does not know as a failure. help.go tells them to people.
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

// interruptedError is an error that a signal caused.
type interruptedError struct{ err error }

func (interruptedError) Error() string   { return "interrupted" }
func (e interruptedError) Unwrap() error { return e.err }

// usageError is a command line that cannot be understood.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, a ...any) error { return usageError{fmt.Errorf(format, a...)} }

// verdictError carries a verdict to the exit status; what there is to say has been
// said on standard output.
type verdictError int

func (v verdictError) Error() string { return fmt.Sprintf("verdict with exit status %d", int(v)) }

// hintError adds what to do next, in place of what classify would say.
type hintError struct {
	err  error
	hint string
	vi   string // the same in Vietnamese, "" for what the table says
}

func (e hintError) Error() string { return e.err.Error() }
func (e hintError) Unwrap() error { return e.err }

// hintBoth is hint with the same words in Vietnamese; both take the same arguments.
func hintBoth(err error, t phrase, a ...any) error {
	return hintError{err: err, hint: fmt.Sprintf(t.en, a...), vi: fmt.Sprintf(t.vi, a...)}
}

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

	vi       string // hint in Vietnamese that goes before the table's
	detailVi string // message in Vietnamese, "" where nobody has said it in it
}

// oneLine makes one line of what a library said in several, which may be indented.
func oneLine(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.Join(strings.Fields(line), " ")
		switch said := b.String(); {
		case line == "":
			continue
		case strings.HasSuffix(said, ":"):
			b.WriteByte(' ')
		case said != "":
			b.WriteString("; ")
		}
		b.WriteString(line)
	}
	return b.String()
}

// finish prints an error on standard error and returns the exit status. JSON is always in
// English: its readers branch on the code.
func (p *program) finish(err error) int {
	if err == nil {
		return exitOK
	}
	if v, ok := errors.AsType[verdictError](err); ok {
		return int(v)
	}
	f := classify(err)
	f.Message = verify.Escape(oneLine(f.Message))
	f.Hint = verify.Escape(f.Hint)
	f.detailVi = verify.Escape(oneLine(f.detailVi))
	if p.json {
		b, _ := json.Marshal(struct {
			Error failure `json:"error"`
		}{f})
		fmt.Fprintf(p.err, "%s\n", b)
		return f.Exit
	}
	if p.lang == "vi" {
		f = f.vietnamese()
	}
	fmt.Fprintf(p.err, "tamthe: %s\n", f.Message)
	if f.TriesLeft != nil {
		fmt.Fprintf(p.err, "tamthe: %s: %d\n", p.text(wordTriesLeft), *f.TriesLeft)
	}
	if f.Hint != "" {
		fmt.Fprintf(p.err, "%s: %s\n", p.text(wordHint), f.Hint)
	}
	return f.Exit
}
