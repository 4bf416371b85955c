package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
)

// Enrolment is what a person applies for.
type Enrolment struct {
	Person   vn.Person
	Portrait []byte // JPEG, at most MaxPortrait octets
	Fingers  []byte // DG3 as the capture program made it, at most MaxFingers octets; nil for none
	Profile  string // see Profile
	Reason   string // one of issuance.EnrolReasons
	Replaces string // the card that the new one replaces, if any

	Application string // its name, where that was given before: see NewApplication; else it gets one
}

// NewApplication draws a name for an application, A-… . Whoever gives one to Enrol can try again
// without opening two, and find what an attempt came to of which nothing was heard.
func NewApplication() string { return newName("A-") }

// Enrol opens an application and returns its name, A-… . A person who has one open
// already, or a card in force that this one does not replace, is
// *issuance.DuplicateError. What cannot go onto a card is *vn.FieldError, ErrPortrait,
// ErrFingers or ErrProfile.
func (o *Office) Enrol(ctx context.Context, n Enrolment) (string, error) {
	if o.Vault == nil {
		return "", ErrNoVault
	}
	d, err := newDraft(n, o.Now())
	if err != nil {
		return "", err
	}
	if _, err := o.TrustPoint(ctx); d.Fingers != nil && err != nil {
		return "", fmt.Errorf("%w: %w", ErrFingers, err)
	}
	content, err := d.commitment()
	if err != nil {
		return "", err
	}
	id := cmp.Or(n.Application, NewApplication())
	stream := issuance.Application(id)
	s, who, err := o.beginEnrolment(ctx, stream, d, n.Replaces)
	if err != nil {
		return "", err
	}
	err = s.add(stream, issuance.Enrol, func(e *issuance.Entry) error {
		e.Fields = map[string]string{
			"doctype": DocumentType, "profile": n.Profile, "reason": n.Reason,
			"subject": who.Stream.ID, "ordinal": fmt.Sprint(len(who.Numbers())),
		}
		if n.Replaces != "" {
			e.Fields["replaces"] = n.Replaces
		}
		e.Commitments = map[string][32]byte{issuance.Content: content}
		e.Hold = issuance.HoldsOf(who, DocumentType, issuance.HoldApplication)
		return o.sealDraft(ctx, e, d)
	})
	if err != nil {
		return "", err
	}
	if err := s.commit(ctx); err != nil {
		return "", err
	}
	return id, nil
}

// could says what stands against an enrolment before any of it is written down.
func (o *Office) could(ctx context.Context, n Enrolment) error {
	if o.Vault == nil {
		return ErrNoVault
	}
	d, err := newDraft(n, o.Now())
	if err != nil {
		return err
	}
	if _, err := o.TrustPoint(ctx); d.Fingers != nil && err != nil {
		return fmt.Errorf("%w: %w", ErrFingers, err)
	}
	_, who, err := o.beginEnrolment(ctx, issuance.Application(NewApplication()), d, n.Replaces)
	if err != nil {
		return err
	}
	for _, hold := range issuance.HoldsOf(who, DocumentType, issuance.HoldApplication) {
		if holder, err := o.Store.Claimed(ctx, hold); err != nil || !holder.IsZero() {
			if err == nil {
				err = &issuance.DuplicateError{Claim: hold, Holder: holder}
			}
			return err
		}
	}
	return nil
}

// beginEnrolment reads what an enrolment rests on, and registers a person whom the ledger
// does not know. A card that would be in the way at its delivery, when all the work is
// done, is refused here.
func (o *Office) beginEnrolment(ctx context.Context, app issuance.StreamID, d *Draft, replaces string) (*session, issuance.Subject, error) {
	var who issuance.Subject
	streams := []issuance.StreamID{app}
	if replaces != "" {
		streams = append(streams, issuance.Card(replaces))
	}
	number, err := o.number(d)
	if err != nil {
		return nil, who, err
	}
	person, err := o.Store.Claimed(ctx, number)
	if err != nil {
		return nil, who, err
	}
	fresh := person.IsZero()
	if fresh {
		person = issuance.Person(newName("P-"))
	}
	s, err := o.begin(ctx, append(streams, person)...)
	if err != nil {
		return nil, who, err
	}
	if replaces != "" {
		if err := known(s.state.Subject(issuance.Card(replaces))); err != nil {
			return nil, who, err
		}
	}
	if fresh {
		err = s.add(person, issuance.Register, func(e *issuance.Entry) error {
			e.Fields = map[string]string{"application": app.ID}
			e.Claims = []issuance.Claim{number}
			return nil
		})
		if err != nil {
			return nil, who, err
		}
	}
	who = s.state.Subject(person)
	if err := isPresent(who, number); err != nil {
		return nil, who, err
	}
	return s, who, o.nothingInForce(ctx, who, replaces)
}

// nothingInForce refuses a person who holds a card that is not the one to be replaced.
func (o *Office) nothingInForce(ctx context.Context, who issuance.Subject, replaces string) error {
	for _, inForce := range issuance.HoldsOf(who, DocumentType, issuance.HoldCard) {
		holder, err := o.Store.Claimed(ctx, inForce)
		if err != nil {
			return err
		}
		if !holder.IsZero() && holder != issuance.Card(replaces) {
			return &issuance.DuplicateError{Claim: inForce, Holder: holder}
		}
		apart, err := o.heldApart(ctx, inForce) // no card apart is replaced here, whatever it is called
		if err != nil {
			return err
		}
		if !apart.IsZero() {
			return &issuance.DuplicateError{Claim: inForce, Holder: apart}
		}
	}
	return nil
}

// number is the claim under which the ledger knows the draft's person.
func (o *Office) number(d *Draft) (issuance.Claim, error) {
	return o.numberClaim(d.Person.Number)
}

// ErrOldNumber means that a person has another number by now.
var ErrOldNumber = errors.New("the person has another number by now")

// isPresent refuses a number that its person does not have any more.
func isPresent(who issuance.Subject, number issuance.Claim) error {
	if all := who.Numbers(); len(all) == 0 || all[len(all)-1] != number.Value {
		return fmt.Errorf("%s: %w", who.Stream, ErrOldNumber)
	}
	return nil
}

// sealDraft puts a draft into the entry, its portrait and fingers under a key of their own.
func (o *Office) sealDraft(ctx context.Context, e *issuance.Entry, d *Draft) error {
	rest := *d
	rest.Portrait, rest.Fingers = nil, nil
	if err := o.seal(ctx, e, e.Stream.ID, draftName, &rest); err != nil {
		return err
	}
	if d.Fingers != nil {
		if err := o.seal(ctx, e, e.Stream.ID, fingersName, d.Fingers); err != nil {
			return err
		}
	}
	return o.seal(ctx, e, e.Stream.ID, portraitName, d.Portrait)
}

// Draft opens what an application asks for, and proves that it is what the ledger says
// was enrolled, for the person under whose pseudonym it was: else issuance.ErrChanged. An
// application that is not there is ErrUnknown, one whose data were shredded
// vault.ErrShredded.
func (o *Office) Draft(ctx context.Context, app string) (*Draft, error) {
	var d Draft
	stream := issuance.Application(app)
	entry, err := o.openLast(ctx, stream, draftName, &d)
	if err == nil && d.Portrait == nil {
		_, err = o.openLast(ctx, stream, portraitName, &d.Portrait)
	}
	if err == nil {
		err = o.openFingers(ctx, entry, &d)
	}
	if err != nil {
		return nil, err
	}
	content, err := d.commitment()
	if err != nil {
		return nil, err
	}
	if content != entry.Commitments[issuance.Content] {
		return nil, fmt.Errorf("%s: %w", stream, issuance.ErrChanged)
	}
	if err := o.sound(ctx, stream, &d); err != nil {
		return nil, err
	}
	return &d, nil
}

// openFingers opens the fingers that were sealed with a draft, if any were.
func (o *Office) openFingers(ctx context.Context, entry issuance.Entry, d *Draft) error {
	if !slices.ContainsFunc(entry.Attach, func(a issuance.Attachment) bool { return a.Name == fingersName }) {
		return nil
	}
	_, err := o.openLast(ctx, entry.Stream, fingersName, &d.Fingers)
	return err
}

// sound holds a draft against what Enrol lets in: whoever can sign as a registrar can
// seal one past it.
func (o *Office) sound(ctx context.Context, stream issuance.StreamID, d *Draft) error {
	if err := d.Person.Check(); err != nil {
		return fmt.Errorf("%s: %w", stream, err)
	}
	if err := checkPortrait(d.Portrait); err != nil {
		return fmt.Errorf("%s: %w", stream, err)
	}
	if err := checkFingers(d.Fingers); err != nil {
		return fmt.Errorf("%s: %w", stream, err)
	}
	number, err := o.number(d)
	if err != nil {
		return err
	}
	entries, err := o.Store.Stream(ctx, stream)
	if err != nil {
		return err
	}
	// Whom the application is of is known by all their numbers (book 1: by the only one).
	of := issuance.Claim{Kind: issuance.HoldApplication, Value: number.Value + ":" + DocumentType}
	if len(entries) == 0 || !slices.Contains(entries[0].Hold, of) {
		return fmt.Errorf("%s is of another person: %w", stream, issuance.ErrChanged)
	}
	return nil
}

// Approve says that what the application asks for may be made. The approver is shown the
// draft by the caller; what is signed is the commitment computed from the sealed data
// here and now. Whoever enrolled or changed the application is issuance.ErrFourEyes. Where
// there is a register of the population and it has not confirmed the application, the error
// is ErrUnconfirmed; where there is a biometric one and it was not asked, or found somebody, it
// is ErrUnsearched.
func (o *Office) Approve(ctx context.Context, app string) error {
	return o.approve(ctx, app, nil)
}

// ApproveSeen is Approve for who looked at the application on a page: seen is the Digest of
// the draft that was shown. What is another by now is issuance.ErrConflict.
func (o *Office) ApproveSeen(ctx context.Context, app string, seen [32]byte) error {
	return o.approve(ctx, app, &seen)
}

func (o *Office) approve(ctx context.Context, app string, seen *[32]byte) error {
	return o.agree(ctx, app, issuance.Approve, seen, nil, func(stream issuance.StreamID) error {
		if o.Biometric != nil {
			if err := o.searched(ctx, stream); err != nil {
				return err
			}
		}
		if o.Register == nil {
			return nil
		}
		return o.confirmed(ctx, stream)
	})
}

// agree is an act that signs what an application asks for, computed here and now, if it is
// what was seen and ready finds nothing against it; both may be nil.
func (o *Office) agree(ctx context.Context, app string, act issuance.Act, seen *[32]byte, fields map[string]string, ready func(issuance.StreamID) error) error {
	stream := issuance.Application(app)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return err
	}
	if err := known(s.state.Subject(stream)); err != nil {
		return err
	}
	if err := s.may(stream, act, nil); err != nil {
		return err
	}
	t, err := s.lease(ctx, stream.String())
	if err != nil {
		return err
	}
	defer t.end(ctx)
	if ready != nil {
		if err := ready(stream); err != nil {
			return err
		}
	}
	d, err := o.Draft(ctx, app)
	if err != nil {
		return err
	}
	content, err := d.commitment()
	if err != nil {
		return err
	}
	if seen != nil && content != *seen {
		return fmt.Errorf("application %s was changed meanwhile: %w", app, issuance.ErrConflict)
	}
	err = s.add(stream, act, func(e *issuance.Entry) error {
		e.Fields, e.Commitments = fields, map[string][32]byte{issuance.Content: content}
		return nil
	})
	if err != nil {
		return err
	}
	return s.commit(ctx)
}

// Cancel withdraws an application for a reason, and lets the person apply again. While a
// card is in the making it is issuance.ErrLink: Spoil the card first.
func (o *Office) Cancel(ctx context.Context, app, reason string) error {
	stream := issuance.Application(app)
	err := o.alone(ctx, stream, issuance.Cancel, func() error {
		return o.end(ctx, stream, issuance.Cancel, reason, issuance.HoldApplication, nil)
	})
	if err != nil {
		return err
	}
	return o.wipe(ctx, app, issuance.Cancelled)
}
