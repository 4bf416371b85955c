package virtual

import (
	"net"
	"syscall"
)

// quickAck has the next segment acknowledged at once. The reader's driver sends a message
// in two pieces and, under Nagle's rule, holds the second back until then: 44 ms for each
// command.
func quickAck(conn net.Conn) {
	t, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { // without it the card is slow, no more
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	})
}
