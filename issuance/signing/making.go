package signing

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/issuance"
)

// Making is a card that a personaliser asks a centre to make. It need not stand in the log
// yet.
type Making struct {
	Application, Card  string
	Batch              string // of the blank; the log's own word counts once it has one
	Operator           issuance.KeyID
	Message, Signature []byte // theirs, see SignMaking
}

// Ground is what the log says of a card to be made.
type Ground struct {
	Card      issuance.Subject
	Transport string // name of the transport key that its batch came with
}

const makingContext = "errand to a centre"

// SignMaking signs the errand of a Making.
func SignMaking(key crypto.Signer, message []byte) ([]byte, error) {
	return issuance.SignMessage(key, makingContext, message)
}

// Making judges, from the log as it is now, whether a card may be made, or gone on with: its
// application was approved and is not made into another card, by three persons, of whom the
// personaliser asks and signed. Errors are those of Sign.
func (s *Service) Making(ctx context.Context, m Making) (Ground, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.follow(ctx); err != nil {
		return Ground{}, err
	}
	for _, id := range []issuance.StreamID{issuance.Application(m.Application), issuance.Card(m.Card)} {
		if _, err := issuance.ParseStreamID(id.String()); err != nil {
			return Ground{}, fmt.Errorf("%w: the name of application or card", ErrRequest)
		}
	}
	if err := s.view.need(ctx, s.o.Log, issuance.Application(m.Application), issuance.Card(m.Card)); err != nil {
		return Ground{}, err
	}
	book := s.view.book
	app, card := book.Subject(issuance.Application(m.Application)), book.Subject(issuance.Card(m.Card))
	if err := s.view.makes(app, card); err != nil {
		return Ground{}, fmt.Errorf("card %s: %w", m.Card, err)
	}
	err := s.view.threePersons(app, m.Operator, func(key string) error {
		return issuance.CheckMessage(key, makingContext, m.Message, m.Signature)
	})
	if err != nil {
		return Ground{}, fmt.Errorf("card %s: %w", m.Card, err)
	}
	batch := m.Batch
	if card.Phase != issuance.Absent {
		batch = card.Fields["batch"]
	}
	return Ground{card, book.Subject(issuance.Stock(batch)).Fields["transport"]}, nil
}

// Trusts refuses what is not a certificate of our CVCA's own key, as the log says it was
// issued last.
func (s *Service) Trusts(der []byte) error {
	c, err := cvc.Parse(der)
	if err != nil {
		return fmt.Errorf("%w: a trust point: %w", ErrNotApproved, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.view == nil { // the log could not be read since the errand was judged
		if err := s.follow(context.Background()); err != nil {
			return err
		}
	}
	sum := sha256.Sum256(der)
	for what, p := range s.view.issued {
		live := s.view.book.Subject(issuance.Key(what.key)).Phase == issuance.InUse
		if live && what.kind == objectCV && c.CHAT.Role == cvc.CVCA && p.digest == hex.EncodeToString(sum[:]) {
			return nil
		}
	}
	return fmt.Errorf("%w: a trust point that this authority has not issued", ErrNotApproved)
}

// inTheMaking are the phases of a card whose chip a centre may have to write to or look at.
var inTheMaking = []issuance.Phase{
	issuance.Allocated, issuance.Rotating, issuance.Keyed, issuance.Prepared, issuance.Signed,
	issuance.Writing, issuance.Written, issuance.Locking, issuance.Locked,
}

// makes: the application waits for a card and has none in the making, or has this one.
func (v *view) makes(app, card issuance.Subject) error {
	bound := app.Fields["card"]
	switch app.Phase {
	case issuance.Approved:
		bound = ""
	case issuance.Personalising:
		if v.book.Subject(issuance.Card(bound)).Phase == issuance.Spoiled {
			bound = ""
		}
	default:
		return fmt.Errorf("%w: application %s is %s", ErrNotApproved, app.Stream.ID, app.Phase)
	}
	switch {
	case bound == "" && card.Phase == issuance.Absent:
		return nil
	case bound == "" || bound != card.Stream.ID || card.Fields["application"] != app.Stream.ID:
		return fmt.Errorf("%w: application %s does not make it", ErrNotApproved, app.Stream.ID)
	case !slices.Contains(inTheMaking, card.Phase):
		return fmt.Errorf("%w: it is %s", ErrNotApproved, card.Phase)
	}
	return nil
}
