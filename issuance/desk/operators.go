package desk

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"strings"

	"github.com/tamthe/tamthe/issuance"
)

// Found writes the first entry of an empty ledger: it names the log's key and the first
// operator, whose enrolment nobody else could sign. person says who stands behind the
// key; empty draws a number.
func (o *Office) Found(ctx context.Context, origin, logKey, name, person string, roles ...issuance.Role) error {
	me, err := o.me()
	if err != nil {
		return err
	}
	fields, err := operatorFields(o.Signer.Public(), name, person, roles)
	if err != nil {
		return err
	}
	fields["logkey"] = logKey
	s := &session{o: o, state: issuance.Begin(origin), head: issuance.Head{}, me: me}
	err = s.add(issuance.OperatorStream(me), issuance.Init, func(e *issuance.Entry) error {
		e.Fields = fields
		e.Hold = []issuance.Claim{{Kind: issuance.HoldName, Value: name}}
		return nil
	})
	if err != nil {
		return err
	}
	return s.commit(ctx)
}

// AddOperator enrols a key under a name. person says who stands behind it, for four
// eyes compares persons; empty draws a new one. A name that is in use is
// *issuance.DuplicateError.
func (o *Office) AddOperator(ctx context.Context, pub crypto.PublicKey, name, person string, roles ...issuance.Role) error {
	id, err := issuance.KeyIDOf(pub)
	if err != nil {
		return err
	}
	fields, err := operatorFields(pub, name, person, roles)
	if err != nil {
		return err
	}
	return o.do(ctx, issuance.OperatorStream(id), issuance.Enrol, func(e *issuance.Entry) error {
		e.Fields = fields
		e.Hold = []issuance.Claim{{Kind: issuance.HoldName, Value: name}}
		return nil
	})
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

// RevokeOperator ends the use of the key that bears the name, and frees the name. What it
// signed stays signed. A key cannot revoke itself: issuance.ErrFourEyes.
func (o *Office) RevokeOperator(ctx context.Context, name, reason string) error {
	stream, err := o.Store.Claimed(ctx, issuance.Claim{Kind: issuance.HoldName, Value: name})
	if err != nil {
		return err
	}
	if stream.IsZero() {
		return fmt.Errorf("operator %s: %w", name, ErrUnknown)
	}
	return o.end(ctx, stream, issuance.Revoke, reason, issuance.HoldName)
}

// Operators lists all operators, revoked ones too, by name.
func (o *Office) Operators(ctx context.Context) ([]issuance.Operator, error) {
	list, err := o.Store.List(ctx, issuance.KindOperator)
	if err != nil {
		return nil, err
	}
	streams := make([]issuance.StreamID, len(list))
	for i, s := range list {
		streams[i] = s.Stream
	}
	s, err := issuance.Load(ctx, o.Store, streams...)
	if err != nil {
		return nil, err
	}
	return s.Operators(), nil
}
