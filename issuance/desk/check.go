package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/verify"
)

// Check inspects a finished card before it is handed out and records the report, if it
// is accepted: the card becomes checked. The inspector opens it with what is printed on
// it; a report that does not accept is returned together with *ErrRefused.
func (o *Office) Check(ctx context.Context, id string, link *apdu.Link, opts verify.Options) (*verify.Report, error) {
	stream := issuance.Card(id)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return nil, err
	}
	card := s.state.Subject(stream)
	if err := known(card); err != nil {
		return nil, err
	}
	if card.Phase != issuance.Locked && card.Phase != issuance.Checked {
		return nil, &issuance.TransitionError{Stream: stream, Phase: card.Phase, Act: issuance.Check, Possible: issuance.Possible(issuance.KindCard, card.Phase)}
	}
	draft, err := o.Draft(ctx, card.Fields["application"])
	if err != nil {
		return nil, err
	}
	zone, err := draft.zone()
	if err != nil {
		return nil, err
	}
	opts.Passwords = []auth.Password{auth.CAN(draft.Person.Number.CAN()), auth.MRZ(zone.KeyInfo())}
	opts.Printed, opts.At, opts.Status = printed(opts.Printed, zone), o.Now(), o
	report, err := verify.Inspect(ctx, link, opts)
	if err != nil {
		return nil, err
	}
	if report.Verdict != verify.Accept {
		return report, &ErrRefused{report}
	}
	if want := card.Fields["cardid"]; want != report.Document.Card.String() {
		return report, fmt.Errorf("the card in the reader is not card %s: %w", id, issuance.ErrChanged)
	}
	body, err := report.JSON()
	if err != nil {
		return report, err
	}
	err = s.add(stream, issuance.Check, func(e *issuance.Entry) error {
		sum := sha256.Sum256(body)
		e.Fields = map[string]string{
			"report": hex.EncodeToString(sum[:]), "verdict": report.Verdict.String(), "policy": report.Policy.Name,
		}
		return nil
	})
	if err != nil {
		return report, err
	}
	return report, s.commit(ctx)
}

// printed is the zone as it was read from the card's body, or as it was ordered to be
// printed where nobody read it.
func printed(read, ordered *mrz.MRZ) *mrz.MRZ {
	if read != nil {
		return read
	}
	return ordered
}
