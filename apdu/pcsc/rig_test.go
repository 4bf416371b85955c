//go:build linux && cgo && !nopcsc

package pcsc

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu/pcsc/private"
	"github.com/tamthe/tamthe/testdata"
)

// rig is the service of this test binary, started by the first test that needs it; err
// says why there is none.
var rig struct {
	start  sync.Once
	daemon *private.Daemon
	err    error
	slot   atomic.Int32
}

// child names the test that a copy of this program was started for, with a service of
// its own that the test may maltreat.
const child = "TAMTHE_TEST_CHILD"

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if in, err := private.Enter(); !in {
		fmt.Fprintln(os.Stderr, "the virtual readers' ports are reachable:", err)
	}
	// The watchdog: a call that hangs in the service returns when the service ends.
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	defer func() {
		if rig.daemon != nil {
			rig.daemon.Close()
		}
	}()
	startRig = func() { rig.daemon, rig.err = private.Start(ctx, private.Options{Readers: 8}) }
	return m.Run()
}

// startRig is called once.
var startRig func()

// slot returns the reader that was not used for the longest time, or skips the test.
func slot(t testing.TB) (name, addr string) {
	t.Helper()
	rig.start.Do(startRig)
	if errors.Is(rig.err, private.ErrNoDaemon) || errors.Is(rig.err, private.ErrNoDriver) {
		testdata.Missing(t, "pcscd", rig.err.Error())
	}
	if rig.err != nil {
		t.Fatal(rig.err)
	}
	n := int(rig.slot.Add(1)) % rig.daemon.Slots()
	return rig.daemon.ReaderName(n), rig.daemon.Addr(n)
}

// inChild runs the test in a process of its own and returns true in that process.
func inChild(t *testing.T) bool {
	t.Helper()
	if os.Getenv(child) == t.Name() {
		return true
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.timeout=30s", "-test.v")
	cmd.Env = append(os.Environ(), child+"="+t.Name(), "PCSCLITE_CSOCK_NAME=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if bytes.Contains(out, []byte("--- SKIP")) {
		testdata.Missing(t, "pcscd", string(out))
	}
	return false
}

// chip is a card of a virtual reader: it answers what its function says, and nothing if
// that is nil.
type chip struct {
	t      testing.TB
	addr   string
	atr    []byte
	answer func([]byte) []byte
	conn   *net.TCPConn
	done   chan struct{}

	mu       sync.Mutex
	commands [][]byte // as they came
	controls []byte   // control codes as they came, but the ATR's
	leaves   byte     // at this control code the card leaves, 0 for none
}

// testATR is T=1 with the historical bytes 80 73 C0 00 40: extended lengths.
var testATR = []byte{0x3B, 0x85, 0x80, 0x01, 0x80, 0x73, 0xC0, 0x00, 0x40, 0x77}

// insert puts a card into the reader and waits until the service sees it.
func insert(t testing.TB, name, addr string, answer func([]byte) []byte) *chip {
	t.Helper()
	c := &chip{t: t, addr: addr, atr: testATR, answer: answer}
	c.connect()
	t.Cleanup(c.remove)
	if err := Wait(t.Context(), name); err != nil {
		t.Fatal("insert:", err)
	}
	return c
}

// see waits until the reader is seen with a card, or without one.
func see(t testing.TB, name string, card bool) {
	t.Helper()
	err := theWatcher.watch(t.Context(), time.Second, func(readers []Reader) bool {
		return slices.ContainsFunc(readers, func(r Reader) bool { return r.Name == name && r.Card == card })
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (c *chip) connect() {
	c.t.Helper()
	conn, err := net.Dial("tcp", c.addr)
	if err != nil {
		c.t.Fatal(err)
	}
	c.conn, c.done = conn.(*net.TCPConn), make(chan struct{})
	go c.serve()
}

// remove takes the card out. The service sees it up to 0.4 s later.
func (c *chip) remove() {
	c.conn.Close()
	<-c.done
}

// serve speaks vpcd's protocol: frames of two octets of length and the payload; payloads
// of one octet are control codes.
func (c *chip) serve() {
	defer close(c.done)
	for {
		b, err := c.read()
		if err != nil {
			return
		}
		if len(b) > 1 {
			c.mu.Lock()
			c.commands = append(c.commands, b)
			answer := c.answer
			c.mu.Unlock()
			c.write(answer(b))
			continue
		}
		if c.leaving(b) {
			c.conn.Close()
			return
		}
		if len(b) == 1 && b[0] == 4 {
			c.write(c.atr)
			continue
		}
		c.mu.Lock()
		c.controls = append(c.controls, b...)
		c.mu.Unlock()
	}
}

// leaving says whether the card leaves at a control code.
func (c *chip) leaving(b []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leaves != 0 && len(b) == 1 && b[0] == c.leaves
}

// leave has the card leave at the next control code of that kind.
func (c *chip) leave(code byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaves = code
}

func (c *chip) read() ([]byte, error) {
	var n [2]byte
	c.quickACK()
	if _, err := io.ReadFull(c.conn, n[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint16(n[:]))
	c.quickACK()
	_, err := io.ReadFull(c.conn, b)
	return b, err
}

func (c *chip) write(b []byte) {
	if b != nil {
		c.conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
	}
}

// quickACK saves the 40 ms that vpcd's two writes a frame cost otherwise.
func (c *chip) quickACK() {
	raw, err := c.conn.SyscallConn()
	if err == nil {
		raw.Control(func(fd uintptr) {
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
		})
	}
}

// say changes how the chip answers.
func (c *chip) say(answer func([]byte) []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = answer
}

func (c *chip) seen() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.commands)
}

func ok([]byte) []byte { return []byte{0x90, 0x00} }

// open opens the card in the reader.
func open(t testing.TB, name string, o Options) *Card {
	t.Helper()
	c, err := Open(t.Context(), name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
