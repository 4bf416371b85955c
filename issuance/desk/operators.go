package desk

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"github.com/tamthe/tamthe/issuance"
)

// Founder is one of the two administrators with whom a log begins.
type Founder struct {
	Name   string
	Person string // who stands behind the key; empty draws a number
	Roles  []issuance.Role
}

// Found writes the first two entries of an empty ledger: one names the log's key and the
// first operator, Signer, the other enrols the second, Second, and is signed by both.
// Both are administrators, and two persons: issuance.ErrFourEyes.
func (o *Office) Found(ctx context.Context, origin, logKey string, first, second Founder) error {
	me, err := o.me()
	if err != nil {
		return err
	}
	if o.Second == nil {
		return fmt.Errorf("found the log: %w", issuance.ErrFourEyes)
	}
	mate, err := issuance.KeyIDOf(o.Second.Public())
	if err != nil {
		return err
	}
	s := &session{o: o, state: issuance.Begin(origin), head: issuance.Head{}, me: me, mate: mate}
	fields, err := operatorFields(o.Signer.Public(), first.Name, first.Person, first.Roles)
	if err != nil {
		return err
	}
	fields["logkey"], fields["with"] = logKey, mate.String()
	if err := s.addOperator(me, issuance.Init, fields); err != nil {
		return err
	}
	fields, err = operatorFields(o.Second.Public(), second.Name, second.Person, second.Roles)
	if err != nil {
		return err
	}
	if err := s.addOperator(mate, issuance.Enrol, fields); err != nil {
		return err
	}
	return s.commit(ctx)
}

// Pair gives the only administrator of a log of rule book 1 a second one, Second, in one
// append that both sign. Where there is another administrator, or the operator is none, it
// is refused: issuance.ErrFourEyes, ErrRole.
func (o *Office) Pair(ctx context.Context, second Founder) error {
	me, err := o.me()
	if err != nil {
		return err
	}
	if o.Second == nil {
		return fmt.Errorf("pair: %w", issuance.ErrFourEyes)
	}
	mate, err := issuance.KeyIDOf(o.Second.Public())
	if err != nil {
		return err
	}
	all, err := o.operatorStreams(ctx)
	if err != nil {
		return err
	}
	state, err := issuance.LoadAll(ctx, o.Store, issuance.KindOperator, all, issuance.OperatorStream(me), issuance.OperatorStream(mate))
	if err != nil {
		return err
	}
	s := &session{o: o, state: state, head: state.Head(), me: me, mate: mate}
	err = s.add(issuance.OperatorStream(me), issuance.Pair, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"with": mate.String()}
		return nil
	})
	if err != nil {
		return err
	}
	fields, err := operatorFields(o.Second.Public(), second.Name, second.Person, second.Roles)
	if err != nil {
		return err
	}
	if err := s.addOperator(mate, issuance.Enrol, fields); err != nil {
		return err
	}
	return s.commit(ctx)
}

func (s *session) addOperator(id issuance.KeyID, act issuance.Act, fields map[string]string) error {
	return s.add(issuance.OperatorStream(id), act, func(e *issuance.Entry) error {
		e.Fields = fields
		e.Hold = []issuance.Claim{{Kind: issuance.HoldName, Value: fields["name"]}}
		return nil
	})
}

// AddOperator enrols a key under a name. person says who stands behind it, for four
// eyes compares persons; empty draws a new one. Two administrators sign. A name that is in
// use is *issuance.DuplicateError.
func (o *Office) AddOperator(ctx context.Context, pub crypto.PublicKey, name, person string, roles ...issuance.Role) error {
	id, err := issuance.KeyIDOf(pub)
	if err != nil {
		return err
	}
	fields, err := operatorFields(pub, name, person, roles)
	if err != nil {
		return err
	}
	s, err := o.begin(ctx, issuance.OperatorStream(id))
	if err != nil {
		return err
	}
	if err := s.addOperator(id, issuance.Enrol, fields); err != nil {
		return err
	}
	return s.commit(ctx)
}

func operatorFields(pub crypto.PublicKey, name, person string, roles []issuance.Role) (map[string]string, error) {
	key, err := issuance.KeyField(pub)
	if err != nil {
		return nil, err
	}
	if person == "" {
		var b [10]byte
		rand.Read(b[:])
		person = "p-" + strings.ToLower(base32.HexEncoding.EncodeToString(b[:])[:10])
	}
	return map[string]string{"key": key, "name": name, "person": person, "roles": issuance.RolesField(roles...)}, nil
}

// RevokeOperator ends the use of the key that bears the name, and frees the name. Two
// administrators sign, neither of them the one who is revoked: issuance.ErrFourEyes. What
// the key signed stays signed; from, if not zero, says since when it counts as another's.
func (o *Office) RevokeOperator(ctx context.Context, name, reason string, from time.Time) error {
	stream, err := o.Store.Claimed(ctx, issuance.Claim{Kind: issuance.HoldName, Value: name})
	if err != nil {
		return err
	}
	if stream.IsZero() {
		return fmt.Errorf("operator %s: %w", name, ErrUnknown)
	}
	var more map[string]string
	if !from.IsZero() {
		more = map[string]string{"from": from.UTC().Truncate(time.Second).Format(time.RFC3339)}
	}
	return o.end(ctx, stream, issuance.Revoke, reason, issuance.HoldName, more)
}

// Operators lists all operators, revoked ones too, by name.
func (o *Office) Operators(ctx context.Context) ([]issuance.Operator, error) {
	streams, err := o.operatorStreams(ctx)
	if err != nil {
		return nil, err
	}
	s, err := issuance.Load(ctx, o.Store, streams...)
	if err != nil {
		return nil, err
	}
	return s.Operators(), nil
}

func (o *Office) operatorStreams(ctx context.Context) ([]issuance.StreamID, error) {
	list, err := o.Store.List(ctx, issuance.KindOperator)
	if err != nil {
		return nil, err
	}
	streams := make([]issuance.StreamID, len(list))
	for i, s := range list {
		streams[i] = s.Stream
	}
	return streams, nil
}
