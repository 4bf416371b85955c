package desk

import (
	"context"
	"fmt"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
)

// Renumber gives a person another number (Law 26/2023 Art. 12, Decree 70/2024 Art. 11), for
// birth, sex or wrong-number. Two persons sign. The person stays the same: a card in force
// under the old number is theirs until it is replaced, and nobody has the old number ever
// again. A number that somebody has or had is *issuance.DuplicateError; who was never
// registered is ErrUnknown.
func (o *Office) Renumber(ctx context.Context, from, to vn.Number, reason string) error {
	if o.Vault == nil {
		return ErrNoVault
	}
	if !from.Valid() || !to.Valid() {
		return &vn.FieldError{Field: "number"}
	}
	before, err := o.numberClaim(from)
	if err != nil {
		return err
	}
	after, err := o.numberClaim(to)
	if err != nil {
		return err
	}
	person, err := o.Store.Claimed(ctx, before)
	if err != nil {
		return err
	}
	if person.IsZero() {
		return fmt.Errorf("person: %w", ErrUnknown)
	}
	if holder, err := o.Store.Claimed(ctx, after); err != nil || !holder.IsZero() {
		if err == nil {
			err = &issuance.DuplicateError{Claim: after, Holder: holder}
		}
		return err
	}
	s, err := o.begin(ctx, person)
	if err != nil {
		return err
	}
	if err := isPresent(s.state.Subject(person), before); err != nil {
		return err
	}
	err = s.add(person, issuance.Renumber, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"reason": reason}
		e.Claims = []issuance.Claim{after}
		return nil
	})
	if err != nil {
		return err
	}
	return s.commit(ctx)
}

// numberClaim is the claim under which the ledger knows whoever has the number.
func (o *Office) numberClaim(n vn.Number) (issuance.Claim, error) {
	mac, err := o.Vault.Person(string(n))
	return issuance.Claim{Kind: issuance.ClaimNumber, Value: mac}, err
}
