package perso

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
)

// build has the caller make and sign the content, once in the life of the card.
func (r *run) build(ctx context.Context) error {
	if r.s.reached(issuance.Signed) {
		return nil
	}
	r.progress(issuance.Prepare, 0, 0)
	c, err := r.o.Build(ctx, PublicKeys{
		Chip: r.s.Chip, AA: r.s.AA, CA: r.s.CA, AAEvidence: r.proof.aa, CAEvidence: r.proof.ca,
	})
	if err != nil {
		return fmt.Errorf("build the document: %w", err)
	}
	if err := c.check(); err != nil {
		return err
	}
	r.s.Signed, r.s.Phase = c, issuance.Signed
	return nil
}

// sameKeys makes sure, before anything is written, that the content is over the keys of
// this chip.
func (r *run) sameKeys() error {
	files := r.s.Signed.Files
	if r.s.AA != nil {
		pub, err := lds.ParseDG15(files[lds.DG15])
		if err != nil || !equal(pub.EC, r.s.AA) {
			return fmt.Errorf("DG15: %w", otherKeys(err))
		}
	}
	if r.s.CA == nil {
		return nil
	}
	infos, err := lds.ParseDG14(files[lds.DG14])
	if err == nil {
		for _, k := range infos.ChipKeys {
			if equal(k.Key.EC, r.s.CA) {
				return nil
			}
		}
	}
	return fmt.Errorf("DG14: %w", otherKeys(err))
}

// write stores the files, reads each back octet by octet, and then gives the chip its
// access keys. After an interruption nothing that was written before is trusted.
func (r *run) write(ctx context.Context) error {
	if err := r.sameKeys(); err != nil {
		return err
	}
	written := r.s.reached(issuance.Written)
	if written {
		err := r.readBack(ctx)
		_, differs := errors.AsType[*DifferError](err)
		if err != nil && !differs && !errors.Is(err, apdu.FileNotFound) {
			return err
		}
		written = err == nil
	}
	if !written {
		if r.s.Phase == issuance.Signed {
			if err := r.record(ctx, Record{Act: issuance.Write}, issuance.Writing); err != nil {
				return err
			}
		}
		if err := r.storeFiles(ctx); err != nil {
			return err
		}
		if err := r.readBack(ctx); err != nil {
			return err
		}
	}
	if r.s.Phase == issuance.Writing {
		if err := r.record(ctx, Record{Act: issuance.WriteDone}, issuance.Written); err != nil {
			return err
		}
	}
	return r.storeAccess(ctx)
}

// lock ends the chip's personalisation for good and sees that it is ended.
func (r *run) lock(ctx context.Context) error {
	r.progress(issuance.Lock, 0, 0)
	if r.s.Phase == issuance.Written {
		if err := r.record(ctx, Record{Act: issuance.Lock}, issuance.Locking); err != nil {
			return err
		}
	}
	if err := r.channel.SetStatus(ctx, gp.StatusOfApplication, gp.StateSecured, r.driver.aid); err != nil {
		return fmt.Errorf("lock the chip: %w", err)
	}
	r.channel.Close()
	if err := r.closed(ctx); err != nil {
		return err
	}
	return r.record(ctx, Record{Act: issuance.LockDone}, issuance.Locked)
}

// finishLocked goes on with a card whose lock went unanswered and which lets nobody in any
// more. Any finished card would look so: it must prove to be this one before the journal
// says so.
func (r *run) finishLocked(ctx context.Context) error {
	if err := r.closed(ctx); err != nil {
		return err
	}
	if err := r.verify(ctx); err != nil {
		return err
	}
	return r.record(ctx, Record{Act: issuance.LockDone}, issuance.Locked)
}

func (r *run) verify(ctx context.Context) error {
	r.progress(issuance.Check, 0, 0)
	if err := r.o.Verify(ctx); err != nil {
		return fmt.Errorf("look at the finished card: %w", err)
	}
	return nil
}

// differ returns where two files part, or -1.
func differ(got, want []byte) int {
	if bytes.Equal(got, want) {
		return -1
	}
	n := 0
	for n < len(got) && n < len(want) && got[n] == want[n] {
		n++
	}
	return n
}
