package perso

import (
	"context"
	"fmt"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/issuance"
)

// run is one attempt on one chip.
type run struct {
	link    Link
	o       Order
	j       Journal
	s       State
	driver  *Driver
	resumed bool        // the card was begun before
	issuer  gp.Keys     // the issuer's keys for this chip
	channel *gp.Channel // under whichever keys the chip holds; nil for a driver without
	old     byte        // version of the transport keys, if the chip still holds them
	blank   bool        // a driver without channel has found no name on the chip
	proof   struct{ aa, ca *gp.Evidence }

	dgis        []gp.DGI // that putFile has collected
	done, total int      // octets of files
}

// Run takes the chip behind link from s to a locked and verified card. The chip must be
// just powered up. On an error the journal says how far it came, and the next Run goes on
// from there, twice at the most and within a day: then it is ErrGiveUp, before anything is
// sent.
func Run(ctx context.Context, link Link, o Order, j Journal, s State) error {
	if o.Driver == nil {
		o.Driver, _ = DriverByName(Default)
	}
	if err := check(o, s, link.Limits()); err != nil {
		return err
	}
	r := &run{link: link, o: o, j: j, s: s, driver: o.Driver, resumed: s.Phase != issuance.Absent}
	if s.Phase == issuance.Locked {
		return r.verify(ctx)
	}
	defer r.close()
	if err := r.tooLate(); err != nil {
		return err
	}
	locked, err := r.open(ctx)
	if err != nil {
		return err
	}
	if locked {
		return r.finishLocked(ctx)
	}
	for _, step := range []func(context.Context) error{r.takeUp, r.rotate, r.generate, r.build, r.write, r.lock, r.verify} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// How often and for how long a card may be taken up again.
const (
	maxAttempts = 2
	maxAge      = 24 * time.Hour
)

// tooLate refuses a card that was tried too often or begun too long ago.
func (r *run) tooLate() error {
	if !r.resumed {
		return nil
	}
	now := time.Now
	if r.o.Now != nil {
		now = r.o.Now
	}
	if r.s.Attempts >= maxAttempts || !r.s.Begun.IsZero() && now().Sub(r.s.Begun) > maxAge {
		return fmt.Errorf("%d attempts, begun %s: %w", r.s.Attempts, r.s.Begun.UTC().Format(time.RFC3339), ErrGiveUp)
	}
	return nil
}

// takeUp records that a card which was begun is tried again, once it is known to be the
// one in the reader and before anything is changed on it.
func (r *run) takeUp(ctx context.Context) error {
	if !r.resumed {
		return nil
	}
	return r.record(ctx, Record{Act: issuance.Attempt, Attempt: r.s.Attempts + 1}, r.s.Phase)
}

// close ends the channel and wipes the issuer's keys.
func (r *run) close() {
	if r.channel != nil {
		r.channel.Close()
	}
	r.issuer.Destroy()
}

func (r *run) progress(a issuance.Act, done, total int) {
	if r.o.Progress != nil {
		r.o.Progress(Progress{Act: a, Done: done, Total: total})
	}
}

// record writes an act into the journal and moves the state on. What tells of something
// done waits until all commands before it have been answered.
func (r *run) record(ctx context.Context, rec Record, to issuance.Phase) error {
	switch rec.Act {
	case issuance.WriteDone, issuance.LockDone:
		if err := r.flush(ctx); err != nil {
			return err
		}
	}
	rec.Chip = r.s.Chip
	if err := r.j.Record(ctx, rec); err != nil {
		return fmt.Errorf("record %s: %w", rec.Act, err)
	}
	r.s.Phase = to
	return nil
}

// flush has a link that puts commands off send them.
func (r *run) flush(ctx context.Context) error {
	if f, ok := r.link.(interface{ Flush(context.Context) error }); ok {
		return f.Flush(ctx)
	}
	return nil
}

// exchange sends a command whose answer is known: through the channel if there is one. A
// link that puts commands off foretells the answer.
func (r *run) exchange(ctx context.Context, c apdu.Command, want apdu.Response) (apdu.Response, error) {
	var a apdu.Response
	var err error
	switch q, later := r.link.(gp.Queue); {
	case r.channel != nil:
		a, err = r.channel.Expect(ctx, c, want)
	case later:
		a, err = want, q.Later(ctx, c, want)
	default:
		a, err = r.link.Transmit(ctx, c)
	}
	if err != nil {
		return apdu.Response{}, fmt.Errorf("%s: %w", c.Name(), err)
	}
	return a, nil
}

// tell sends a command that is answered by OK without data.
func (r *run) tell(ctx context.Context, c apdu.Command) error {
	if r.channel != nil && c.INS != 0xA4 && c.INS != 0xB0 && c.INS != 0xB1 {
		c.CLA = 0x80
	}
	a, err := r.exchange(ctx, c, apdu.Response{Status: apdu.OK})
	if err != nil {
		return err
	}
	return c.Refused(a.Status)
}

// block is the most data of one command.
func (r *run) block() int {
	command, _ := r.link.Limits().Sizes()
	n := min(command-6, apdu.MaxShort)
	if r.channel != nil {
		n = r.channel.MaxCommand(r.link.Limits())
	}
	if r.driver.Block > 0 {
		n = min(n, r.driver.Block)
	}
	return n
}

// response is the largest Le of use.
func (r *run) response() int {
	if r.channel != nil {
		return r.channel.MaxResponse(r.link.Limits())
	}
	_, response := r.link.Limits().Sizes()
	return min(response-2, apdu.MaxShortLe)
}

// wrote tells how many octets of files are on the chip.
func (r *run) wrote(done, total int) {
	r.done, r.total = done, total
	r.progress(issuance.Write, done, total)
}
