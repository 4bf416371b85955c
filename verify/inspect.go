package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile"
	"github.com/tamthe/tamthe/card/sm"
)

// Inspect opens the chip at the other end of the link, reads what the policy asks
// for, has the chip prove its key, and judges all of it.
//
// A bad card is a report, a chip that breaks the secure channel too. The errors are
// those of an inspection that did not happen: the chip was not opened (wrong
// password: auth.ErrWrongPassword; no permitted access: card.ErrNoAccess), it was
// removed or stopped answering (apdu.ErrRemoved, apdu.ErrReset, apdu.ErrTimeout), its
// answers took longer than Options.Patience (apdu.ErrTimeout), Options.Save failed, ctx
// ended, or Options.Challenge is none (ErrChallenge).
func Inspect(ctx context.Context, link *apdu.Link, o Options) (*Report, error) {
	o = o.withDefaults("checkpoint")
	if err := o.checkChallenge(); err != nil {
		return nil, err
	}
	i := &inspector{o: o, ev: evidence{files: Files{}, denied: map[lds.File]error{}, chip: &chipEvidence{}}}
	s, err := card.Open(ctx, link, o.cardOptions())
	switch {
	case errors.Is(err, sm.ErrProtection):
		i.ev.chip.broken = err
	case err != nil:
		return nil, fmt.Errorf("open the chip: %w", err)
	default:
		defer s.Close()
		i.session = s
		i.ev.chip.access = s.Access()
		if err := i.patiently(ctx); err != nil {
			return nil, err
		}
		i.ev.chip.access = s.Access() // which may have been opened again
	}
	i.ev.chip.traffic = link.Traffic()
	return finish(ctx, &i.ev, o)
}

// inspector reads one chip.
type inspector struct {
	o       Options
	session *card.Session
	ev      evidence
	sod     *lds.SOD
}

// patiently reads for no longer than the patience lasts: a chip that always answers, and
// slowly, must not hold a checkpoint.
func (i *inspector) patiently(ctx context.Context) error {
	patience, cancel := context.WithTimeoutCause(ctx, i.o.Patience, apdu.ErrTimeout)
	defer cancel()
	err := i.read(patience)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("read the chip for %v: %w", i.o.Patience, context.Cause(patience))
	}
	return err
}

// read fetches the files in the order that lets each decide about the next, and asks
// for the chip's proof before the personal data.
func (i *inspector) read(ctx context.Context) error {
	for f, raw := range map[lds.File][]byte{lds.CardAccess: i.ev.chip.access.CardAccess, lds.CardSecurity: i.ev.chip.access.CardSecurity} {
		if raw == nil {
			continue
		}
		if err := i.keep(f, raw); err != nil {
			return err
		}
	}
	if err := i.file(ctx, lds.SODFile); err != nil {
		return err
	}
	sod, err := lds.ParseSOD(i.ev.files[lds.SODFile])
	if err != nil {
		return nil // nothing says which groups there are; the assessment says why
	}
	i.sod = sod
	if i.o.Policy.Chip {
		for _, f := range []lds.File{lds.DG14, lds.DG15} {
			if err := i.listed(ctx, f); err != nil {
				return err
			}
		}
		if err := i.proof(ctx); err != nil {
			return err
		}
		i.interim()
	}
	if err := i.personal(ctx); err != nil {
		return err
	}
	if i.o.Policy.COM {
		if err := i.file(ctx, lds.COM); err != nil {
			return err
		}
	}
	return i.directory(ctx)
}

// directory reads what lies in the master file. The application is left for it and the
// channel may break, so it comes last, and what a card does there is held against nobody.
func (i *inspector) directory(ctx context.Context) error {
	if !i.o.Directory || i.ev.chip.broken != nil {
		return nil
	}
	for _, f := range []lds.File{lds.DIR, lds.ATRInfoFile} {
		raw, err := i.session.ReadMaster(ctx, f)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			continue
		}
		if err := i.keep(f, raw); err != nil {
			return err
		}
	}
	return nil
}

// personal reads DG1 and the groups that the policy or the profile of such a document
// asks for; the portrait last, which takes longest.
func (i *inspector) personal(ctx context.Context) error {
	if err := i.listed(ctx, lds.DG1); err != nil {
		return err
	}
	p := i.o.Profile
	if p == nil {
		zone, _ := lds.ParseDG1(i.ev.files[lds.DG1])
		p = profile.For(zone)
	}
	wanted := slices.Concat(i.o.Policy.Groups, p.Required, p.Expected)
	t := i.ev.chip.terminal
	for _, f := range []lds.File{lds.DG3, lds.DG4} {
		if t != nil && t.err == nil || i.o.Protected {
			if err := i.listed(ctx, f); err != nil {
				return err
			}
		}
	}
	for n := 5; n <= 16; n++ {
		if slices.Contains(wanted, n) {
			if err := i.listed(ctx, lds.Group(n)); err != nil {
				return err
			}
		}
	}
	if !i.o.Policy.Photo {
		return nil
	}
	return i.listed(ctx, lds.DG2)
}

// listed reads a group if the SOD lists it and it isn't here yet.
func (i *inspector) listed(ctx context.Context, f lds.File) error {
	want, ok := i.sod.Object.GroupHash(f.Number())
	if !ok {
		return nil
	}
	if _, ok := i.ev.files[f]; ok {
		return nil
	}
	if raw, ok := i.o.Have[f]; ok && bytes.Equal(digest(i.sod, raw), want) {
		return i.keep(f, raw)
	}
	return i.file(ctx, f)
}

// file reads one file. What the chip does wrong is evidence; what keeps the
// inspection from happening is an error.
func (i *inspector) file(ctx context.Context, f lds.File) error {
	if i.ev.chip.broken != nil {
		return nil
	}
	var progress func(done, total int)
	if i.o.Progress != nil {
		progress = func(done, total int) { i.o.Progress(f, done, total) }
	}
	raw, err := i.session.ReadFile(ctx, f, progress)
	_, refused := errors.AsType[*apdu.StatusError](err)
	switch {
	case err == nil:
		return i.keep(f, raw)
	case errors.Is(err, sm.ErrProtection):
		i.ev.chip.broken = err
	case errors.Is(err, card.ErrFileAbsent), errors.Is(err, card.ErrFileEmpty), errors.Is(err, card.ErrFileTooLarge), errors.Is(err, card.ErrFileBroken), refused:
		i.ev.denied[f] = err
	default:
		return err
	}
	return nil
}

// keep takes a file into the evidence and gives it to Options.Save.
func (i *inspector) keep(f lds.File, raw []byte) error {
	i.ev.files[f] = raw
	if i.o.Save == nil {
		return nil
	}
	if err := i.o.Save(f, raw); err != nil {
		return fmt.Errorf("save %s: %w", f.Name(), err)
	}
	return nil
}

// proof has the chip prove its key: by Active Authentication if the SOD lists DG15
// with a key that we can use, else by Chip Authentication.
func (i *inspector) proof(ctx context.Context) error {
	if i.ev.chip.broken != nil {
		return nil
	}
	infos, _ := lds.ParseDG14(i.ev.files[lds.DG14])
	if i.mapped(); i.ev.chip.mapping != nil && i.ev.chip.mapping.err == nil && listedKeys(i.ev.files, infos, i.ev.chip.mapping.result) != listsOthers {
		return i.terminal(ctx, infos, i.ev.chip.mapping.result)
	}
	if i.wantsTerminal(infos) { // its rights are bound to Chip Authentication
		if err := i.agreement(ctx, infos); err != nil {
			return err
		}
		if a := i.ev.chip.agreement; a != nil && a.err == nil {
			return i.terminal(ctx, infos, a.result)
		}
		return nil
	}
	if raw, ok := i.ev.files[lds.DG15]; ok {
		err := i.active(ctx, raw, infos)
		if err != nil || !errors.Is(i.ev.chip.active.err, auth.ErrUnsupported) {
			return err
		}
	}
	if infos == nil {
		return nil
	}
	return i.agreement(ctx, infos)
}

func (i *inspector) active(ctx context.Context, raw []byte, infos *lds.SecurityInfos) error {
	p := &proof[auth.ActiveProof]{}
	i.ev.chip.active = p
	pub, h, err := activeKey(raw, infos)
	if p.err = err; err != nil {
		return nil
	}
	asked := &ActiveRecord{Challenge: i.o.challenge(), Chosen: i.o.Challenge != nil}
	if asked.Signature, p.err = i.session.InternalAuthenticate(ctx, pub, asked.Challenge); p.err != nil {
		return i.answered(p.err)
	}
	i.ev.chip.asked = asked
	p.result, p.err = auth.VerifyActive(pub, h, asked.Challenge, asked.Signature)
	return i.answered(p.err)
}

func (i *inspector) agreement(ctx context.Context, infos *lds.SecurityInfos) error {
	if len(infos.ChipKeys) == 0 {
		return nil
	}
	p := &proof[auth.ChipProof]{}
	i.ev.chip.agreement = p
	keys, err := auth.ChipAuthKeys(infos)
	if p.err = err; err != nil {
		for _, k := range infos.ChipKeys {
			if errors.Is(k.Err, cert.ErrKey) {
				p.err = k.Err
			}
		}
		return nil
	}
	p.result, p.err = i.session.Chip1(ctx, keys[0], lds.DG1)
	if errors.Is(p.err, sm.ErrProtection) {
		i.ev.chip.broken = p.err
		return nil
	}
	return i.answered(p.err)
}

// answered tells the errors of a chip that answered, which are evidence, from those
// of one that did not.
func (i *inspector) answered(err error) error {
	_, refused := errors.AsType[*apdu.StatusError](err)
	switch {
	case err == nil, refused, errors.Is(err, auth.ErrSignature), errors.Is(err, auth.ErrProtocol), errors.Is(err, auth.ErrUnsupported):
		return nil
	case errors.Is(err, sm.ErrProtection):
		i.ev.chip.broken = err
		return nil
	}
	return err
}

// listedKeys says how the document's own keys of the chip, in DG14 and DG15, stand to the
// one that the mapping proved and EF.CardSecurity holds.
func listedKeys(files Files, infos *lds.SecurityInfos, m *auth.ChipProof) listing {
	if infos != nil {
		for _, k := range infos.ChipKeys {
			if e := k.Key.Element(); e != nil && e.Equal(m.Key.Public) {
				return listsIt
			}
		}
	}
	if files[lds.DG15] != nil || infos != nil && len(infos.ChipKeys) > 0 {
		return listsOthers
	}
	return listsNone
}

type listing int

const (
	listsNone   listing = iota
	listsIt             // the key is the document's
	listsOthers         // the key may be another document's
)
