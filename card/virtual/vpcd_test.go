package virtual

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
)

// slot is the reader's side of a virtual reader.
type slot struct {
	t *testing.T
	l net.Listener
}

func newSlot(t *testing.T) *slot {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return &slot{t, l}
}

func (s *slot) accept() net.Conn {
	s.t.Helper()
	s.l.(*net.TCPListener).SetDeadline(time.Now().Add(5 * time.Second))
	conn, err := s.l.Accept()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	return conn
}

func tell(t *testing.T, conn net.Conn, message []byte) {
	t.Helper()
	// In two pieces, as the driver does.
	for _, b := range [][]byte{binary.BigEndian.AppendUint16(nil, uint16(len(message))), message} {
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
	}
}

func hear(t *testing.T, conn net.Conn) []byte {
	t.Helper()
	var n [2]byte
	if _, err := io.ReadFull(conn, n[:]); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, binary.BigEndian.Uint16(n[:]))
	if _, err := io.ReadFull(conn, b); err != nil {
		t.Fatal(err)
	}
	return b
}

// gone waits until the card has left.
func gone(t *testing.T, conn net.Conn) {
	t.Helper()
	if n, err := conn.Read(make([]byte, 1)); n > 0 || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the card is still there: %d octets, %v", n, err)
	}
}

// serve runs Serve until the test ends and gives its result.
func serve(t *testing.T, c *Chip, o ServeOptions) <-chan error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	ended := make(chan struct{})
	go func() {
		done <- Serve(ctx, c, o)
		close(ended)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return done
}

func TestServeSpeaksVPCD(t *testing.T) {
	s, c := newSlot(t), New(Config{Historical: []byte("tamthe")})
	ready := make(chan bool, 10)
	serve(t, c, ServeOptions{Addr: s.l.Addr().String(), Ready: func() { ready <- true }})
	conn := s.accept()
	atr := unhex(t, "3B86800174616D74686506")
	for range 3 { // as the driver asks
		tell(t, conn, []byte{0x04})
		if got := hear(t, conn); !bytes.Equal(got, atr) {
			t.Fatalf("ATR %X instead of %X", got, atr)
		}
	}
	tell(t, conn, []byte{0x01}) // no answer
	for _, x := range []struct{ message, want string }{
		{"80CA9F7000", "9F7001079000"},
		{"00A4040C07A0000002471001", "9000"},
		{"00B0810000", "6982"},
		{"00", ""},
		{"02", ""},
		{"01", ""},
		{"", ""},
		{"05", "6700"},
		{"FF", "6700"},
		{"00B0", "6700"},
		{"80CA9F7000", "9F7001079000"},
	} {
		tell(t, conn, unhex(t, x.message))
		if x.want == "" {
			continue
		}
		if got := hear(t, conn); !bytes.Equal(got, unhex(t, x.want)) {
			t.Errorf("%s is answered with %X", x.message, got)
		}
	}
	if len(ready) != 1 {
		t.Errorf("ready %d times", len(ready))
	}
}

func TestServePowersTheChipDown(t *testing.T) {
	for _, code := range []byte{0x00, 0x02} {
		s, c := newSlot(t), New(Config{})
		serve(t, c, ServeOptions{Addr: s.l.Addr().String()})
		conn := s.accept()
		tell(t, conn, unhex(t, "8050000008010203040506070800"))
		hear(t, conn)
		tell(t, conn, []byte{code})
		tell(t, conn, unhex(t, "848233001001020304050607080102030405060708"))
		if got := hear(t, conn); !bytes.Equal(got, []byte{0x69, 0x85}) {
			t.Errorf("after code %02X the handshake goes on: %X", code, got)
		}
	}
}

func TestServeByHand(t *testing.T) {
	s, c := newSlot(t), New(Config{})
	control := make(chan Event)
	ready := make(chan bool, 10)
	done := serve(t, c, ServeOptions{Addr: s.l.Addr().String(), Out: true, Control: control, Ready: func() { ready <- true }})
	control <- Remove // it is out already
	control <- Insert
	conn := s.accept()
	control <- Insert // it is in already
	tell(t, conn, []byte{0x04})
	hear(t, conn)
	<-ready
	control <- Remove
	gone(t, conn)
	control <- Insert
	conn = s.accept()
	tell(t, conn, []byte{0x04})
	hear(t, conn)
	<-ready
	begin := time.Now()
	control <- PowerCycle
	gone(t, conn)
	s.accept()
	if d := time.Since(begin); d < 500*time.Millisecond {
		t.Errorf("back after %v, sooner than a reader looks", d)
	}
	close(control)
	if err := <-done; err != nil {
		t.Errorf("end: %v", err)
	}
}

func TestServeEndsWhenAsked(t *testing.T) {
	for _, out := range []bool{true, false} {
		s := newSlot(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- Serve(ctx, New(Config{}), ServeOptions{Addr: s.l.Addr().String(), Out: out, Control: make(chan Event)})
		}()
		if !out {
			s.accept()
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("out %v: %v", out, err)
		}
	}
}

func TestServeWithoutAReader(t *testing.T) {
	s := newSlot(t)
	addr := s.l.Addr().String()
	done := serve(t, New(Config{}), ServeOptions{Addr: addr})
	s.accept().Close()
	if err := <-done; !errors.Is(err, io.EOF) {
		t.Errorf("a reader that goes away: %v", err)
	}
	s.l.Close()
	if err := Serve(t.Context(), New(Config{}), ServeOptions{Addr: addr}); err == nil {
		t.Error("no reader, no error")
	}
}

func TestServeATornChip(t *testing.T) {
	s, c := newSlot(t), New(Config{})
	control := make(chan Event)
	serve(t, c, ServeOptions{Addr: s.l.Addr().String(), Control: control})
	conn := s.accept()
	tell(t, conn, unhex(t, "8050000008010203040506070800"))
	hear(t, conn)
	c.OnWrite(func(int) bool { return false })
	tell(t, conn, unhex(t, "848233001001020304050607080102030405060708"))
	gone(t, conn)
	c.OnWrite(nil)
	control <- Insert
	conn = s.accept()
	tell(t, conn, unhex(t, "80CA9F7000"))
	if got := hear(t, conn); !bytes.Equal(got, unhex(t, "9F7001079000")) {
		t.Errorf("after the tear %X", got)
	}
	done := serve(t, c, ServeOptions{Addr: s.l.Addr().String()})
	conn = s.accept()
	c.Close()
	tell(t, conn, unhex(t, "80CA9F7000"))
	if err := <-done; !errors.Is(err, apdu.ErrRemoved) {
		t.Errorf("a closed chip: %v", err)
	}
}
