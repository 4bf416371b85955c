package desk

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/vault"
)

// closed are the phases from which nothing more is made for an application.
var closed = []issuance.Phase{issuance.Issued, issuance.Disputed, issuance.Rejected, issuance.Cancelled}

// mustGo are the classes of keys that a subject whose application stands in a phase may no
// longer have.
func (o *Office) mustGo(p issuance.Phase) []vault.Class {
	switch {
	case p == issuance.Shredded:
		return []vault.Class{vault.Personal, vault.Biometric}
	case slices.Contains(closed, p) && !o.KeepBiometrics:
		return []vault.Class{vault.Biometric}
	}
	return nil
}

// Shred makes the personal data of a subject unreadable for good: of an application, or of
// the one that a card was made for. Two persons do it, for a reason: retention, request or
// order. The ledger says so first; then the keys are destroyed. What the ledger proves
// stays proven. An application whose data an earlier version sealed under the office's own
// key cannot be shredded: vault.ErrOfficeKey.
func (o *Office) Shred(ctx context.Context, id, reason string) error {
	if o.Vault == nil {
		return ErrNoVault
	}
	app, err := o.subject(ctx, id)
	if err != nil {
		return err
	}
	s, err := o.begin(ctx, app)
	if err != nil {
		return err
	}
	if err := known(s.state.Subject(app)); err != nil {
		return err
	}
	if err := o.underOwnKeys(ctx, app); err != nil {
		return err
	}
	err = s.add(app, issuance.Shred, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"reason": reason}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.commit(ctx); err != nil {
		return err
	}
	return o.wipe(ctx, app.ID, issuance.Shredded)
}

// subject names the application that is meant by its own name or its card's.
func (o *Office) subject(ctx context.Context, id string) (issuance.StreamID, error) {
	card := issuance.Card(id)
	s, err := issuance.Load(ctx, o.Store, card)
	if err != nil {
		return issuance.StreamID{}, err
	}
	if sub := s.Subject(card); sub.Phase != issuance.Absent {
		return issuance.Application(sub.Fields["application"]), nil
	}
	return issuance.Application(id), nil
}

// underOwnKeys refuses an application whose data lie under the office's key.
func (o *Office) underOwnKeys(ctx context.Context, app issuance.StreamID) error {
	entries, err := o.Store.Stream(ctx, app)
	if err != nil {
		return err
	}
	for _, e := range entries {
		for _, a := range e.Attach {
			sealed, err := o.Store.Attachment(ctx, e.ID, a.Name)
			if err != nil {
				return err
			}
			if class, err := vault.ClassOf(sealed); err != nil || class == vault.Technical {
				return fmt.Errorf("shred %s of %s: %w", a.Name, app, cmp.Or(err, vault.ErrOfficeKey))
			}
		}
	}
	return nil
}

// unshredded refuses sealed octets whose key was to be destroyed. Where the vault has it
// all the same, from a copy that was put back or because the work was cut short, it is
// destroyed now.
func (o *Office) unshredded(ctx context.Context, app string, sealed []byte) error {
	class, err := vault.ClassOf(sealed)
	if err != nil || class == vault.Technical {
		return err
	}
	s, err := issuance.Load(ctx, o.Store, issuance.Application(app))
	if err != nil {
		return err
	}
	gone := o.mustGo(s.Subject(issuance.Application(app)).Phase)
	if !slices.Contains(gone, class) {
		return nil
	}
	_ = o.Vault.Shred(ctx, app, gone...) // a vault that is open for reading is left to Sweep
	return vault.ErrShredded
}

// wipe destroys what the vault may no longer have of a subject, after the act that says
// so. That act stands, whatever becomes of this: Sweep can end it.
func (o *Office) wipe(ctx context.Context, app string, after issuance.Phase) error {
	gone := o.mustGo(after)
	if len(gone) == 0 {
		return nil
	}
	if o.Vault == nil {
		return ErrNoVault
	}
	if err := o.Vault.Shred(context.WithoutCancel(ctx), app, gone...); err != nil {
		return fmt.Errorf("%w: %w", ErrLeftover, err)
	}
	return nil
}

// Sweep destroys every key that the vault may no longer have by what the ledger says:
// after a copy of the vault was put back, or when a program was killed between an act and
// the shredding that belongs to it. live lists the subjects that have a key of a class. It
// returns how many keys were destroyed.
func (o *Office) Sweep(ctx context.Context, live func(ctx context.Context, class uint32, f func(subject string) error) error) (n int, err error) {
	if o.Vault == nil {
		return 0, ErrNoVault
	}
	for _, class := range []vault.Class{vault.Personal, vault.Biometric} {
		err := live(ctx, uint32(class), func(app string) error {
			s, err := issuance.Load(ctx, o.Store, issuance.Application(app))
			if err != nil || !slices.Contains(o.mustGo(s.Subject(issuance.Application(app)).Phase), class) {
				return err
			}
			n++
			return o.Vault.Shred(ctx, app, class)
		})
		if err != nil {
			return n, fmt.Errorf("sweep the vault: %w", err)
		}
	}
	return n, nil
}
