//go:build linux && cgo

package desktest

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"syscall"

	"github.com/tamthe/tamthe/card/virtual"
)

// raw is a card of a test's own, that answers as it likes.
type raw struct {
	conn *net.TCPConn
	done chan struct{}
}

// put puts a card into the reader, and waits until the service sees it. answer returns
// what goes back for a command: nothing at all if it is nil, and with false the card
// leaves instead.
func (r *reader) put(atr []byte, answer func([]byte) ([]byte, bool)) *raw {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.addr)
	check(r.t, err)
	c := &raw{conn.(*net.TCPConn), make(chan struct{})}
	go c.serve(atr, answer)
	r.t.Cleanup(c.take)
	r.present()
	return c
}

// take takes the card out. It may be called more than once.
func (c *raw) take() {
	c.conn.Close()
	<-c.done
}

// serve speaks the protocol of the virtual reader: two octets of length and as many of
// payload, which is a control code if there is one only, and 4 asks for the ATR.
func (c *raw) serve(atr []byte, answer func([]byte) ([]byte, bool)) {
	defer close(c.done)
	defer c.conn.Close()
	for {
		b, err := c.read()
		if err != nil {
			return
		}
		reply, stay := []byte(nil), true
		switch {
		case len(b) > 1:
			reply, stay = answer(b)
		case len(b) == 1 && b[0] == 4:
			reply = atr
		}
		if !stay {
			return
		}
		if reply == nil {
			continue
		}
		if _, err := c.conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return
		}
	}
}

func (c *raw) read() ([]byte, error) {
	var length [2]byte
	c.quickACK()
	if _, err := io.ReadFull(c.conn, length[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint16(length[:]))
	c.quickACK()
	_, err := io.ReadFull(c.conn, b)
	return b, err
}

// quickACK saves the 40 ms that the reader's two writes a message cost otherwise.
func (c *raw) quickACK() {
	if s, err := c.conn.SyscallConn(); err == nil {
		s.Control(func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1) })
	}
}

// leaving answers as the chip does, and leaves instead of the n-th answer.
func leaving(chip *virtual.Chip, n int) func([]byte) ([]byte, bool) {
	k := 0
	return func(b []byte) ([]byte, bool) {
		answer, err := chip.Exchange(context.Background(), b)
		k++
		return answer, err == nil && k < n
	}
}
