package virtual

import (
	"bytes"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/gp"
)

// How often the PIN may be tried in a row, and the PUK used in the chip's life (TR-03110-2
// §2.4). With one try left the PIN is suspended: the CAN has to come first.
const (
	pinTries = 3
	pukUses  = 10
)

// States of the PIN, in its secret's record of DGIPINState.
const (
	pinActive      = 0
	pinDeactivated = 1
)

// left is how many more tries a password has, and whether they are counted at all.
func (d *document) left(ref byte) (int, bool) {
	f := d.c.image.failures
	switch ref {
	case auth.RefCAN:
		return max(int(d.rules.Tries)-int(f[failuresCAN]), 0), d.rules.Tries > 0
	case auth.RefPIN:
		return max(pinTries-int(f[failuresPIN]), 0), true
	case auth.RefPUK:
		return max(pukUses-int(f[usesPUK]), 0), true
	}
	return 0, false
}

// warning is what MSE:Set AT answers for a password: 63Cx for a PIN that was tried
// wrongly, 6283 for one that is deactivated, 6983 for a CAN or PUK that is used up.
func (d *document) warning(ref byte) apdu.Status {
	n, counted := d.left(ref)
	switch {
	case ref == auth.RefPIN && d.deactivated():
		return apdu.FileDeactivated
	case ref == auth.RefPIN && n < pinTries:
		return apdu.VerifyFailed | apdu.Status(n)
	case counted && n == 0:
		return apdu.Blocked
	}
	return apdu.OK
}

// usable says whether PACE may go on after a warning.
func usable(s apdu.Status) bool {
	n, ok := s.TriesLeft()
	return ok && n > 0
}

// suspended says whether the PIN has its last try left and no CAN has resumed it.
func (d *document) suspended() bool {
	n, _ := d.left(auth.RefPIN)
	return n == 1 && !d.resumed
}

func (d *document) deactivated() bool {
	s := d.c.image.secrets[gp.DGIPINState]
	return len(s) == 1 && s[0] == pinDeactivated
}

// count keeps the tries of a password before the answer goes out, and returns the status
// to refuse with, or OK.
func (d *document) count(ref byte, s apdu.Status, opened bool) apdu.Status {
	counter := map[byte]byte{auth.RefCAN: failuresCAN, auth.RefPIN: failuresPIN, auth.RefPUK: usesPUK}[ref]
	n := d.c.image.failures[counter]
	_, counted := d.left(ref)
	switch {
	case !counted || s != apdu.AuthenticationFailed && !opened:
		return apdu.OK
	case ref == auth.RefPUK, s == apdu.AuthenticationFailed:
		status := d.c.store(failuresRecord(counter, n+1))
		if left, _ := d.left(ref); status == apdu.OK && !opened {
			status = apdu.VerifyFailed | apdu.Status(min(left, 15))
		}
		return status
	case n > 0:
		return d.c.store(failuresRecord(counter, 0))
	}
	return apdu.OK
}

// resetPIN serves RESET RETRY COUNTER (TR-03110-3 §B.5): the holder who opened the session
// with the PUK unblocks the PIN, the one who opened it with the PIN changes it, and a
// terminal with the right of PIN management does both.
func (d *document) resetPIN(cmd apdu.Command) apdu.Status {
	manager := d.granted(pinManagement)
	change := cmd.P1 == 0x02
	dgi := map[byte]uint16{auth.RefPIN: gp.DGIPACEPIN, auth.RefCAN: gp.DGIPACECAN}[cmd.P2]
	switch {
	case cmd.P1 != 0x02 && cmd.P1 != 0x03, d.c.image.secrets[dgi] == nil:
		return apdu.WrongP1P2
	case change != (len(cmd.Data) > 0), len(cmd.Data) > maxPIN:
		return apdu.WrongLength
	case cmd.P2 == auth.RefCAN && !(manager && change):
		return apdu.SecurityStatus
	case !manager && !(d.byPACE && (change && d.by == auth.RefPIN || !change && d.by == auth.RefPUK)):
		return apdu.SecurityStatus
	}
	if change {
		if s := d.c.store(secretRecord(dgi, bytes.Clone(cmd.Data))); s != apdu.OK {
			return s
		}
		d.refresh()
	}
	if cmd.P2 == auth.RefCAN {
		return apdu.OK
	}
	return d.c.store(failuresRecord(failuresPIN, 0))
}

const maxPIN = 16

// switchPIN serves ACTIVATE and DEACTIVATE (TR-03110-3 §B.6) for a terminal with the right
// of PIN management.
func (d *document) switchPIN(cmd apdu.Command) apdu.Status {
	const deactivate = 0x04
	switch {
	case cmd.P1 != 0x10 || cmd.P2 != auth.RefPIN || len(cmd.Data) > 0:
		return apdu.WrongP1P2
	case !d.granted(pinManagement):
		return apdu.SecurityStatus
	case cmd.INS == deactivate:
		return d.c.store(secretRecord(gp.DGIPINState, []byte{pinDeactivated}))
	}
	return d.c.store(secretRecord(gp.DGIPINState, []byte{pinActive}))
}

// pinManagement is the right of an authentication terminal to manage the PIN.
var pinManagement = rule{authority, 5}

// refresh takes changed passwords over.
func (d *document) refresh() { d.pace = d.c.image.paceChip() }
