package desk

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/verify"
)

// Check examines a finished card before it is handed out, by ten checks, and records that
// it passed: the card becomes checked. The chip must be in the reader; it is powered down
// and up several times.
//
// Whoever made the card may not check it: issuance.ErrFourEyes, before the card is
// touched. What does not pass is recorded only if the examination is Final: a slip in
// reading, or a list that is stale, spoils no card. A card that does not pass is returned with what was found and *QualityError;
// another card of the ledger in the reader is issuance.ErrChanged. What another desk works on
// is *ledger.LeaseError.
func (o *Office) Check(ctx context.Context, id string, chip Chip, e Examination) (*Quality, error) {
	stream := issuance.Card(id)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return nil, err
	}
	card := s.state.Subject(stream)
	if err := known(card); err != nil {
		return nil, err
	}
	if err := s.may(stream, issuance.Check, nil); err != nil {
		return nil, err
	}
	t, err := s.lease(ctx, subjectsOf(card.Fields["application"], card)...)
	if err != nil {
		return nil, err
	}
	defer t.end(ctx)
	draft, err := o.Draft(ctx, card.Fields["application"])
	if err != nil {
		return nil, err
	}
	g, err := o.examine(ctx, card, draft, tenant{chip, t}, e)
	if err != nil {
		return nil, err
	}
	if !g.q.Passed() {
		if e.Final {
			err = s.fail(ctx, stream, g.q)
		}
		if err != nil {
			return g.q, err
		}
		return g.q, &QualityError{g.q, g.err}
	}
	if err := s.addCheck(ctx, stream, g.q); err != nil {
		return g.q, err
	}
	return g.q, s.commit(ctx)
}

// fail says that the card does not pass, for good: all that may follow is to spoil it.
func (s *session) fail(ctx context.Context, stream issuance.StreamID, q *Quality) error {
	err := s.add(stream, issuance.Fail, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"reason": q.Reason()}
		return nil
	})
	if err != nil {
		return err
	}
	return s.commit(ctx)
}

// checkedReport is the report of a Check as it is sealed. What the leaf says of it is
// salted: a person's data are few enough to be guessed.
type checkedReport struct {
	Report []byte         // JSON
	Checks []QualityCheck `json:",omitempty"`
	Salt   [32]byte
}

// addCheck says that the card was found good, and keeps the report.
func (s *session) addCheck(ctx context.Context, stream issuance.StreamID, q *Quality) error {
	body, err := q.Report.JSON()
	if err != nil {
		return err
	}
	kept := checkedReport{Report: body, Checks: q.Checks}
	rand.Read(kept.Salt[:])
	sum := issuance.Commit(kept.Salt, body)
	return s.add(stream, issuance.Check, func(e *issuance.Entry) error {
		e.Fields = map[string]string{
			"report": hex.EncodeToString(sum[:]), "verdict": q.Report.Verdict.String(), "policy": q.Report.Policy.Name,
		}
		return s.o.seal(ctx, e, s.state.Subject(stream).Fields["application"], reportName, kept)
	})
}

// deskPolicy is how the desk judges its own cards.
const deskPolicy = "desk-qa"

// inspect looks at a card of ours as a stranger does, and proves that it is the one that
// the ledger means.
func (o *Office) inspect(ctx context.Context, card issuance.Subject, d *Draft, link *apdu.Link, opts verify.Options) (*verify.Report, error) {
	passwords, err := d.passwords()
	if err != nil {
		return nil, err
	}
	defer destroy(passwords)
	if opts.Policy, err = verify.PolicyByName(deskPolicy); err != nil {
		return nil, err
	}
	opts.Passwords, opts.At, opts.Status = passwords, o.Now(), o
	report, err := verify.Inspect(ctx, link, opts)
	if err != nil {
		return nil, err
	}
	if report.Verdict != verify.Accept {
		return report, &RefusedError{report}
	}
	if card.Fields["cardid"] != report.Document.Card.String() {
		return report, fmt.Errorf("the card in the reader is not %s: %w", card.Stream, issuance.ErrChanged)
	}
	return report, nil
}

// passwords are what is printed on the card and opens it.
func (d *Draft) passwords() ([]auth.Password, error) {
	zone, err := d.zone()
	if err != nil {
		return nil, err
	}
	return []auth.Password{auth.CAN(d.Person.Number.CAN()), auth.MRZ(zone.KeyInfo())}, nil
}

func destroy(passwords []auth.Password) {
	for i := range passwords {
		passwords[i].Destroy()
	}
}

// verify looks at the locked card as a stranger does, after a power-down.
func (m *making) verify(ctx context.Context) error {
	if err := m.chip.Reset(ctx); err != nil {
		return err
	}
	s, err := issuance.Load(ctx, m.o.Store, issuance.Card(m.card))
	if err != nil {
		return err
	}
	_, err = m.o.inspect(ctx, s.Subject(issuance.Card(m.card)), m.draft, apdu.Over(m.chip, m.p.Limits), m.p.Verify)
	return err
}

// judge judges the files that the chip holds, without the chip: a root that the desk does
// not trust, or a file that contradicts another, is found while the chip can still be
// written, not when it is locked for good.
func (m *making) judge(ctx context.Context) error {
	opts := m.p.Verify
	var err error
	if opts.Policy, err = verify.PolicyByName(deskPolicy); err != nil {
		return err
	}
	opts.Policy.Need = []verify.Claim{verify.Integrity, verify.Authentic} // the rest is for the chip to prove
	opts.At, opts.Status = m.o.Now(), nil
	report, err := verify.JudgeFiles(ctx, verify.Files(m.made.Files), opts)
	if err != nil {
		return err
	}
	if report.Verdict != verify.Accept {
		return &RefusedError{report}
	}
	return nil
}
