package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// typist answers each prompt that is shown with its next line; "" is none.
type typist struct {
	terminal *os.File
	lines    []string
	cancel   func() // at a prompt that is not answered
}

func (y *typist) Write(b []byte) (int, error) {
	if bytes.HasSuffix(b, []byte(": ")) && len(y.lines) > 0 {
		line := y.lines[0]
		y.lines = y.lines[1:]
		if line == "" {
			y.cancel()
		} else if _, err := y.terminal.WriteString(line + "\n"); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// pseudoTerminal gives both ends of a terminal.
func pseudoTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	t.Cleanup(func() { person.Close() })
	var number, unlock uint32
	for request, value := range map[uintptr]*uint32{syscall.TIOCGPTN: &number, syscall.TIOCSPTLCK: &unlock} {
		if _, _, no := syscall.Syscall(syscall.SYS_IOCTL, person.Fd(), request, uintptr(unsafe.Pointer(value))); no != 0 {
			t.Skip("no terminals here: ", no)
		}
	}
	if program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		t.Skip("no terminals here: ", err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}

// What is typed behind a question that was given up is no answer to the next one: a page that
// is gone leaves nobody's consent behind. And the next question is answered all the same.
func TestAskAgain(t *testing.T) {
	person, end := pseudoTerminal(t)
	ctx, cancel := context.WithCancel(t.Context())
	y := &typist{terminal: person, lines: []string{"first", "", "second", "", "third"}, cancel: cancel}
	p := &program{in: end, err: y}
	ask := func() (string, error) {
		defer func() { ctx, cancel = context.WithCancel(t.Context()); y.cancel = cancel }()
		return p.ask(ctx, "do you agree?")
	}
	if got, err := ask(); got != "first" || err != nil {
		t.Fatalf("%q %v", got, err)
	}
	if got, err := ask(); !errors.Is(err, context.Canceled) {
		t.Fatalf("given up: %q %v", got, err)
	}
	if got, err := ask(); got != "second" || err != nil {
		t.Fatalf("after one that was given up: %q %v", got, err)
	}
	if got, err := ask(); !errors.Is(err, context.Canceled) {
		t.Fatalf("given up: %q %v", got, err)
	}
	if _, err := person.WriteString("yes\n"); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(10 * time.Second); len(p.unread) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("what was typed does not come")
		}
	}
	if got, err := ask(); got != "third" || err != nil {
		t.Errorf("what was typed too late is taken: %q %v", got, err)
	}
	cancel()
}
