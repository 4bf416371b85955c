// Package desk is what an issuing office does: enrol a person, approve, personalise a
// chip, check and deliver the card, replace and revoke it, and keep the authority's keys.
//
// Each use case reads what the ledger says, asks the rules, does its work and appends
// signed acts. The command line and the console call this package and nothing below it.
package desk

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/vault"
)

var (
	// ErrNoOperator means that an act needs somebody's key and none was given.
	ErrNoOperator = errors.New("no operator is signed in")
	// ErrUnknown means that the ledger knows no such application, card or operator.
	ErrUnknown = errors.New("the ledger does not know it")
)

// Store is the ledger with the look-ups that a desk needs. Both stores have them.
type Store interface {
	issuance.Ledger
	Attachment(ctx context.Context, entry [16]byte, name string) ([]byte, error)
	Claimed(ctx context.Context, c issuance.Claim) (issuance.StreamID, error)
	List(ctx context.Context, kind issuance.Kind, phases ...issuance.Phase) ([]issuance.Summary, error)
}

// Office is one desk at one ledger. It may be used by one goroutine at a time.
type Office struct {
	Store  Store
	Vault  *vault.Key       // seals personal data; nil: nothing that needs them is possible
	Signer crypto.Signer    // the operator's key; nil: only looking
	Now    func() time.Time // the desk's clock

	Authority Authority
}

// me names the operator who is signed in.
func (o *Office) me() (issuance.KeyID, error) {
	if o.Signer == nil {
		return issuance.KeyID{}, ErrNoOperator
	}
	return issuance.KeyIDOf(o.Signer.Public())
}

// session is one decision: what was read, and the acts that follow from it.
type session struct {
	o     *Office
	state issuance.State // after the acts so far
	head  issuance.Head  // what was read
	me    issuance.KeyID
	acts  []issuance.Entry
}

// begin reads the streams that a decision rests on, the operator's own among them.
func (o *Office) begin(ctx context.Context, streams ...issuance.StreamID) (*session, error) {
	me, err := o.me()
	if err != nil {
		return nil, err
	}
	s, err := issuance.Load(ctx, o.Store, append(streams, issuance.OperatorStream(me))...)
	if err != nil {
		return nil, err
	}
	return &session{o: o, state: s, head: s.Head(), me: me}, nil
}

// add puts an act behind those so far, if the rules allow it; fill sets what it says.
func (s *session) add(stream issuance.StreamID, act issuance.Act, fill func(*issuance.Entry) error) error {
	e, err := s.state.Next(stream, act)
	if err != nil {
		return err
	}
	e.ID, e.Operator = issuance.NewID(), s.me
	e.Time = s.o.Now().UTC().Truncate(time.Microsecond)
	if fill != nil {
		if err := fill(&e); err != nil {
			return err
		}
	}
	if err := e.Sign(s.o.Signer); err != nil {
		return err
	}
	after, err := s.state.Apply(e)
	if err != nil {
		return err
	}
	s.state = after
	s.acts = append(s.acts, e)
	return nil
}

// commit appends the acts, all or none.
func (s *session) commit(ctx context.Context) error {
	return s.o.Store.Append(ctx, s.head, s.acts...)
}

// do is a decision of one act.
func (o *Office) do(ctx context.Context, stream issuance.StreamID, act issuance.Act, fill func(*issuance.Entry) error) error {
	s, err := o.begin(ctx, stream)
	if err != nil {
		return err
	}
	if err := s.add(stream, act, fill); err != nil {
		return err
	}
	return s.commit(ctx)
}

// newName returns a random name with the prefix, such as A-7K3QX2MB4D: fifty bits that
// say nothing about anybody.
func newName(prefix string) string {
	var b [10]byte
	rand.Read(b[:])
	return prefix + strings.ToUpper(base32.HexEncoding.EncodeToString(b[:])[:10])
}

// known refuses a stream that the ledger has nothing about.
func known(s issuance.Subject) error {
	if s.Phase == issuance.Absent {
		return fmt.Errorf("%s %s: %w", s.Stream.Kind, s.Stream.ID, ErrUnknown)
	}
	return nil
}
