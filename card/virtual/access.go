package virtual

import (
	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/sm"
)

// basicAccess serves GET CHALLENGE and EXTERNAL AUTHENTICATE (Doc 9303-11 §4.3) where the
// card's rules allow BAC.
func (d *document) basicAccess(cmd apdu.Command) apdu.Response {
	if d.bac == nil || d.application != aidLDS1 {
		return apdu.Response{Status: apdu.ConditionsNotSatisfied}
	}
	r, keys := d.bac.Process(cmd)
	if keys != nil {
		d.channel, d.byPACE = sm.NewChip(*keys), false
	}
	return r
}

// setPACE serves MSE:Set AT (Doc 9303-11 §4.4.4.1). A CAN that has been blocked is refused
// here.
func (d *document) setPACE(cmd apdu.Command) apdu.Response {
	q := d.c.image.quirks
	switch {
	case q.PACE != 0:
		return apdu.Response{Status: q.PACE}
	case q.CaseFour != 0 && cmd.Le > 0:
		return apdu.Response{Status: q.CaseFour}
	}
	if d.pace == nil || cmd.P1 != 0xC1 || cmd.P2 != 0xA4 {
		return apdu.Response{Status: apdu.FunctionNotSupported}
	}
	r, _ := d.pace.Process(cmd)
	d.chosen = d.choice(cmd)
	if r.Status == apdu.OK && d.pace.Reference() == auth.RefCAN && d.triesLeft() == 0 {
		d.pace.Reset()
		return apdu.Response{Status: apdu.Blocked}
	}
	return r
}

// generalAuthenticate serves the steps of PACE.
func (d *document) generalAuthenticate(cmd apdu.Command) apdu.Response {
	if d.pace == nil {
		return apdu.Response{Status: apdu.INSNotSupported}
	}
	can := d.pace.Reference() == auth.RefCAN
	r, keys := d.pace.Process(cmd)
	d.paceWork(cmd, r.Status)
	if can && d.rules.Tries > 0 {
		if s := d.countCAN(r.Status, keys != nil); s != apdu.OK {
			d.pace.Reset()
			return apdu.Response{Status: s}
		}
	}
	if keys != nil {
		d.channel, d.byPACE, d.current = sm.NewChip(*keys), true, 0
	}
	return r
}

// countCAN keeps the count of wrong CANs in a row before the answer goes out, and returns
// the status to refuse with, or OK.
func (d *document) countCAN(s apdu.Status, opened bool) apdu.Status {
	failed := d.c.image.failures[failuresCAN]
	switch {
	case s == apdu.AuthenticationFailed:
		if status := d.c.store(failuresRecord(failuresCAN, failed+1)); status != apdu.OK {
			return status
		}
		return apdu.VerifyFailed | apdu.Status(d.triesLeft())
	case opened && failed > 0:
		return d.c.store(failuresRecord(failuresCAN, 0))
	}
	return apdu.OK
}

// triesLeft is how many wrong CANs the card still bears; one without a limit has 1.
func (d *document) triesLeft() int {
	if d.rules.Tries == 0 {
		return 1
	}
	return max(int(d.rules.Tries)-int(d.c.image.failures[failuresCAN]), 0)
}
