package perso

import (
	"context"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/issuance"
)

// run is one attempt on one chip.
type run struct {
	link    *apdu.Link
	o       Order
	j       Journal
	s       State
	driver  driver
	issuer  gp.Keys     // the issuer's keys for this chip
	channel *gp.Channel // under whichever keys the chip holds
	old     byte        // version of the transport keys, if the chip still holds them
	proof   struct{ aa, ca *gp.Evidence }
}

// Run takes the chip behind link from s to a locked and verified card. The chip must be
// just powered up. On an error the journal says how far it came, and the next Run goes on
// from there.
func Run(ctx context.Context, link *apdu.Link, o Order, j Journal, s State) error {
	if err := check(o, s); err != nil {
		return err
	}
	r := &run{link: link, o: o, j: j, s: s, driver: gpDGI}
	if s.Phase == issuance.Locked {
		return r.verify(ctx)
	}
	defer r.close()
	locked, err := r.open(ctx)
	if err != nil {
		return err
	}
	if locked {
		return r.finishLocked(ctx)
	}
	for _, step := range []func(context.Context) error{r.rotate, r.generate, r.build, r.write, r.lock, r.verify} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
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

// record writes an act into the journal and moves the state on.
func (r *run) record(ctx context.Context, rec Record, to issuance.Phase) error {
	rec.Chip = r.s.Chip
	if err := r.j.Record(ctx, rec); err != nil {
		return fmt.Errorf("record %s: %w", rec.Act, err)
	}
	r.s.Phase = to
	return nil
}
