//go:build unix

package outbox

import "syscall"

// plain makes opening a file follow no link, and wait for nobody at the other end of a pipe.
const plain = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
