package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/outbox"
)

// ErrOtherOfficer means that another officer took in what is to be filed: it takes that one's
// key to file it.
var ErrOtherOfficer = errors.New("another officer took it in")

// ErrOldDraft means that a draft was taken in too long ago to be filed: whoever it is of has to
// be asked again.
var ErrOldDraft = errors.New("it was taken in too long ago to be filed")

// ErrOtherLedger means that a draft was taken in for another ledger, such as one for practice.
var ErrOtherLedger = errors.New("it was taken in for another ledger")

// maxKept is for how long a draft may wait. Days without the centre are for desks apart.
const maxKept = 30 * 24 * time.Hour

// sendTries bounds how often one draft is sent while others are faster.
const sendTries = 5

// SendKept files a draft and wipes it. However often it is sent, and wherever it was cut short, the
// ledger takes it once: that it has it already is success. A draft that is not there any more,
// as another program sent it, is outbox.ErrMissing; what an officer other than the acting one
// took in is ErrOtherOfficer; what waited for more than thirty days is ErrOldDraft, and what was
// taken in for another ledger ErrOtherLedger. After every error but one of the wiping the draft lies there as before; see Refuses.
func (o *Office) SendKept(ctx context.Context, b Outbox, name string) error {
	return b.Sending(func() error { return o.sendKept(ctx, b, name) })
}

func (o *Office) sendKept(ctx context.Context, b Outbox, name string) error {
	k, err := b.Kept(ctx, name)
	if err != nil {
		return err
	}
	me, err := o.me()
	switch {
	case err != nil:
		return err
	case k.Operator != me:
		return fmt.Errorf("draft %s: %w", name, ErrOtherOfficer)
	case o.Now().Sub(k.Taken) > maxKept:
		return fmt.Errorf("draft %s: %w", name, ErrOldDraft)
	}
	if err := o.here(ctx, k); err != nil {
		return fmt.Errorf("draft %s: %w", name, err)
	}
	for range sendTries {
		if err = o.file(ctx, k); !errors.Is(err, issuance.ErrConflict) {
			break
		}
	}
	if err != nil {
		return err
	}
	return b.Filed(name)
}

// file enrols unless that was done. An earlier try of which nothing was heard can be done at any
// moment, so the ledger is asked after a failure, too.
func (o *Office) file(ctx context.Context, k *Kept) error {
	there, err := o.filed(ctx, k)
	if there || err != nil {
		return err
	}
	_, failure := o.Enrol(ctx, k.Enrolment)
	if failure == nil {
		return nil
	}
	if there, err := o.filed(ctx, k); err == nil && there {
		return nil
	}
	return failure
}

// here refuses what was taken in for another ledger than the one that knows the officer here.
func (o *Office) here(ctx context.Context, k *Kept) error {
	officer, err := o.Store.Stream(ctx, issuance.OperatorStream(k.Operator))
	if err == nil && k.Origin != "" && len(officer) > 0 && officer[0].Origin != k.Origin {
		err = ErrOtherLedger
	}
	return err
}

// filed reports whether the ledger has the application, from the officer who took it in.
func (o *Office) filed(ctx context.Context, k *Kept) (bool, error) {
	stream := issuance.Application(k.Application)
	entries, err := o.Store.Stream(ctx, stream)
	if err != nil || len(entries) == 0 {
		return false, err
	}
	if entries[0].Operator != k.Operator {
		return false, fmt.Errorf("%s: %w", stream, issuance.ErrChanged)
	}
	return true, nil
}

// refusals are what stands against a draft itself, or against its officer.
var refusals = []error{
	issuance.ErrEntry, issuance.ErrRole, issuance.ErrOperator, issuance.ErrSignature, issuance.ErrLink, issuance.ErrChanged,
	ErrPortrait, ErrFingers, ErrProfile, ErrOldNumber, ErrUnknown, outbox.ErrSealed, outbox.ErrFormat, outbox.ErrDiscarded, ErrOldDraft, ErrOtherLedger,
}

// Refuses reports whether an error of SendKept is about the draft: others can be sent. Any other
// error would meet them, too.
func Refuses(err error) bool {
	if _, ok := errors.AsType[*issuance.DuplicateError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*issuance.TransitionError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*vn.FieldError](err); ok {
		return true
	}
	return slices.ContainsFunc(refusals, func(r error) bool { return errors.Is(err, r) })
}
