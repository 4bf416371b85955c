package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// vpcdCommand begins a virtual reader at $VPCD, which fetches the ATR of each card that
// comes in and sends nothing else:
//
//	vpcd
func vpcdCommand(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv("VPCD", l.Addr().String())
	var cards sync.WaitGroup
	cards.Add(1)
	go func() {
		defer cards.Done()
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			cards.Add(1)
			go func() {
				defer cards.Done()
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(time.Minute))
				if _, err := c.Write([]byte{0, 1, 4}); err == nil { // control code 4: send the ATR
					_, _ = io.Copy(io.Discard, c)
				}
			}()
		}
	}()
	ts.Defer(func() {
		l.Close()
		cards.Wait()
	})
}

// TestVirtual steers a chip by the lines of standard input.
func TestVirtual(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a.chip")
	cmd := exec.Command(self)
	cmd.Args = []string{"tamthe", "virtual", "--chip", file, "--vpcd", l.Addr().String()}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	card := func() net.Conn { // the next card that goes in
		t.Helper()
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		if _, err := c.Write([]byte{0, 1, 4}); err != nil {
			t.Fatal(err)
		}
		line := make([]byte, len("ready \n")+len(file))
		if _, err := io.ReadFull(out, line); err != nil || string(line) != "ready "+file+"\n" {
			t.Fatalf("%q %v", line, err)
		}
		return c
	}
	gone := func(c net.Conn) {
		t.Helper()
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Errorf("the card is still in: %v", err)
		}
		c.Close()
	}
	say := func(line string) {
		if _, err := io.WriteString(in, line+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	first := card()
	say("nonsense")
	say("remove")
	gone(first)
	say("insert")
	second := card()
	say("reset")
	gone(second)
	third := card()
	say("quit")
	gone(third)
	if err := cmd.Wait(); err != nil {
		t.Errorf("quit: %v", err)
	}
	if want := "tamthe: insert, remove, reset or quit, not \"nonsense\"\n"; said.String() != want {
		t.Errorf("standard error: %q", &said)
	}
}
