package postgres

import (
	"syscall"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of tcp(7).
const tcpUserTimeout = 18

// unanswered lets a connection end when what was sent is not taken for so long: a server whose
// network is cut says nothing, and TCP by itself goes on for a quarter of an hour.
func unanswered(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		// Refused for a socket that is not TCP's, which needs it not.
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(2*dialling.Milliseconds()))
	})
}
