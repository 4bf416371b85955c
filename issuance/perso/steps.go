package perso

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
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
	if err := c.check(r.driver); err != nil {
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

// write stores the files and what opens the card, and compares what is on the chip with
// what should be. After an interruption nothing that was written before is trusted.
func (r *run) write(ctx context.Context) error {
	if err := r.sameKeys(); err != nil {
		return err
	}
	if r.driver.Read == AsStranger {
		return r.writeUnread(ctx)
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
		if err := r.announceWrite(ctx); err != nil {
			return err
		}
		if err := r.putFiles(ctx); err != nil {
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
	return r.installAccess(ctx)
}

// writeUnread writes a chip whose files only a stranger can read: all of it, then has the
// stranger look, and opens the chip again.
func (r *run) writeUnread(ctx context.Context) error {
	if err := r.announceWrite(ctx); err != nil {
		return err
	}
	if err := r.installAccess(ctx); err != nil {
		return err
	}
	if err := r.putFiles(ctx); err != nil {
		return err
	}
	if err := r.flush(ctx); err != nil {
		return err
	}
	r.channel.Close()
	if err := r.verify(ctx); err != nil {
		return err
	}
	if r.s.Phase == issuance.Writing {
		if err := r.record(ctx, Record{Act: issuance.WriteDone}, issuance.Written); err != nil {
			return err
		}
	}
	h, err := r.initialize(ctx, r.issuer.Version)
	if err != nil {
		return fmt.Errorf("open the chip: %w", err)
	}
	return r.authenticate(ctx, h, r.issuer)
}

func (r *run) announceWrite(ctx context.Context) error {
	if r.s.Phase != issuance.Signed {
		return nil
	}
	return r.record(ctx, Record{Act: issuance.Write}, issuance.Writing)
}

// putFiles writes every file, the security object last.
func (r *run) putFiles(ctx context.Context) error {
	r.done, r.total = 0, 0
	for _, b := range r.s.Signed.Files {
		r.total += len(b)
	}
	files := r.files()
	for i, f := range files {
		if err := r.driver.dialect.putFile(ctx, r, f, r.s.Signed.Files[f], i == len(files)-1); err != nil {
			return err
		}
	}
	return nil
}

// installAccess gives the chip what opens it later on.
func (r *run) installAccess(ctx context.Context) error {
	k := r.s.Signed.secrets()
	if r.driver.NoRules {
		k.Rules = nil
	}
	if err := r.driver.dialect.installKeys(ctx, r, k); err != nil {
		return fmt.Errorf("write the access keys: %w", err)
	}
	return nil
}

// lock ends the chip's personalisation for good and sees that it is ended.
func (r *run) lock(ctx context.Context) error {
	r.progress(issuance.Lock, 0, 0)
	if r.s.Phase == issuance.Written {
		if err := r.record(ctx, Record{Act: issuance.Lock}, issuance.Locking); err != nil {
			return err
		}
	}
	if err := r.driver.dialect.finish(ctx, r); err != nil {
		return fmt.Errorf("lock the chip: %w", err)
	}
	if r.channel != nil {
		r.channel.Close()
	}
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
	if err := r.flush(ctx); err != nil { // the stranger takes another way to the card
		return err
	}
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
