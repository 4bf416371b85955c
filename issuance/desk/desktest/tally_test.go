//go:build linux && cgo

package desktest

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/verify"
)

// fates counts what came of the faults that cards suffered through the service, in all tests
// of this program. All but points must stay zero.
var fates struct {
	points, lost, double, open, stuck atomic.Int64
}

// tell prints the counts, if there are any.
func tell() {
	if f := &fates; f.points.Load() > 0 {
		fmt.Printf("%d points through pcscd: lost %d, double %d, usable-unlocked %d, stuck %d\n",
			f.points.Load(), f.lost.Load(), f.double.Load(), f.open.Load(), f.stuck.Load())
	}
}

// wrong counts something that must not be.
func wrong(t *testing.T, n *atomic.Int64, format string, args ...any) {
	t.Helper()
	n.Add(1)
	t.Errorf(format, args...)
}

// suffered counts a fault in the making of a person's card. Whatever it was, a chip that is
// not locked is nobody's card. The chip is out of the reader.
func (o *office) suffered(t *testing.T, c *virtual.Chip, who vn.Person) {
	t.Helper()
	fates.points.Add(1)
	if c.InUse() {
		return
	}
	c.Reset()
	report, err := verify.Inspect(t.Context(), apdu.Over(c, apdu.Limits{}), o.checkpoint(auth.CAN(who.Number.CAN())))
	if c.Reset(); err == nil && report.Verdict == verify.Accept {
		wrong(t, &fates.open, "a chip that is not locked is accepted")
	}
}
