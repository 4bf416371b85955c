package desk

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/status"
)

// StatusKey is the name of the key that signs lists of card status, and of its stream.
const StatusKey = "status"

// objectStatus is a list of card status, as entries name what the authority signs.
const objectStatus = "status-list"

// statusAlgorithm is the kind of key that signs lists where none was made before.
const statusAlgorithm = "P-256"

// StatusKeyID is the fingerprint by which a checkpoint pins the key that signs this
// office's lists: keystore.ErrMissing if there is none yet.
func (a Authority) StatusKeyID(ctx context.Context) ([32]byte, error) {
	key, err := a.key(ctx, StatusKey)
	if err != nil {
		return [32]byte{}, err
	}
	defer forget(key)
	spki, err := cert.MarshalPublicKey(key.Public(), false)
	return sha256.Sum256(spki), err
}

// MakeStatus signs a list that says how the cards of this ledger stand, and returns it.
// Header says what the list speaks of and when the next one comes; its sort is Index,
// Filter or Exact. With a base, a list that this office signed before, it is a delta of that
// snapshot: status.ErrBase if it cannot be. Number and time are set here.
//
// What is signed stands in the ledger before it is signed; the number of a list that was
// cut short is not used again. An index list holds the cards whose SOD names its URI. The
// others hold the names of all cards that are not in force, and of their chip's keys.
//
// An index list of more than some thousand cards is made of what the store's tables say, which
// its Verify holds against the log; here only cards drawn by chance are.
func (o *Office) MakeStatus(ctx context.Context, h status.Header, base []byte) ([]byte, error) {
	return o.signStatus(ctx, h, func(m statusMaker) (*status.Draft, error) { return m.draft(ctx, base) })
}

// MakeStatusHead signs the head of a snapshot that this office signed, of so many octets: it
// says that this is the newest one and by what steps others become it. It is numbered and
// recorded as lists are.
func (o *Office) MakeStatusHead(ctx context.Context, h status.Header, snapshot *status.List, size uint64, steps []status.Step) ([]byte, error) {
	return o.signStatus(ctx, h, func(m statusMaker) (*status.Draft, error) {
		return status.PrepareHead(m.header, m.key, snapshot, size, steps)
	})
}

// signStatus has the status key sign what is made under the next number, and records it.
func (o *Office) signStatus(ctx context.Context, h status.Header, draft func(statusMaker) (*status.Draft, error)) ([]byte, error) {
	stream := issuance.Key(StatusKey)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return nil, err
	}
	sub := s.state.Subject(stream)
	act := issuance.Prepare
	if sub.Phase == issuance.Absent {
		act = issuance.Generate
	}
	if err := s.may(stream, act, map[string]string{"usage": StatusKey}); err != nil {
		return nil, err
	}
	key, err := o.keyFor(ctx, certification{name: StatusKey, algorithm: statusAlgorithm}, sub)
	if errors.Is(err, keystore.ErrExists) && sub.Phase == issuance.Absent { // made at init for another algorithm: it is the one
		key, err = o.Authority.key(ctx, StatusKey)
	}
	if err != nil {
		return nil, err
	}
	defer forget(key)
	if h.Sequence, err = o.nextNumber(ctx, stream); err != nil {
		return nil, err
	}
	h.Signed = o.Now()
	d, err := draft(statusMaker{o: o, header: h, key: key.Public(), few: fewCards})
	if err != nil {
		return nil, err
	}
	if err := s.addStatus(stream, key.Public(), algorithmOf(key), d); err != nil {
		return nil, err
	}
	if err := s.commit(ctx); err != nil {
		return nil, err
	}
	list, err := d.Sign(key)
	if err != nil {
		return nil, err
	}
	return list, o.recordIssue(ctx, issuing{stream: stream, object: objectStatus}, d.Digest(), list)
}

// addStatus says that the key was made, unless it is known, and what it will sign.
func (s *session) addStatus(stream issuance.StreamID, key crypto.PublicKey, algorithm string, d *status.Draft) error {
	if s.state.Subject(stream).Phase == issuance.Absent {
		spki, err := cert.MarshalPublicKey(key, false)
		if err != nil {
			return err
		}
		err = s.add(stream, issuance.Generate, func(e *issuance.Entry) error {
			e.Fields = map[string]string{"usage": StatusKey, "algorithm": algorithm, "public": digest(spki)}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return s.add(stream, issuance.Prepare, func(e *issuance.Entry) error {
		tbs := d.Digest()
		e.Fields = map[string]string{"object": objectStatus, "tbs": hex.EncodeToString(tbs[:])}
		return nil
	})
}

// nextNumber numbers the list after those prepared so far.
func (o *Office) nextNumber(ctx context.Context, stream issuance.StreamID) (uint64, error) {
	entries, err := o.Store.Stream(ctx, stream)
	if err != nil {
		return 0, err
	}
	n := uint64(1)
	for _, e := range entries {
		if e.Act == issuance.Prepare && e.Fields["object"] == objectStatus {
			n++
		}
	}
	return n, nil
}

// statusMaker gathers what goes into one list.
type statusMaker struct {
	o      *Office
	header status.Header
	key    crypto.PublicKey
	base   *status.List // nil: a snapshot is made
	few    uint64       // of a list of more cards not all are read
}

// Issuer pins the office's own key for whatever a list of its own speaks of.
func (m *statusMaker) Issuer(country, document string) (pki.Issuer, bool) {
	spki, err := cert.MarshalPublicKey(m.key, false)
	return pki.Issuer{Country: country, Documents: []string{document}, StatusKeys: [][32]byte{sha256.Sum256(spki)}}, err == nil
}

func (m *statusMaker) draft(ctx context.Context, base []byte) (*status.Draft, error) {
	if base != nil {
		l, err := status.Parse(base, m)
		if err != nil {
			return nil, err
		}
		if l.Sort.Delta() || l.Sort == status.Filter || m.header.Sort != 0 && m.header.Sort != l.Sort {
			return nil, fmt.Errorf("a delta of list number %d, sort %s: %w", l.Sequence, l.Sort, status.ErrBase)
		}
		m.base, m.header.Sort = l, l.Sort
	}
	if m.header.Sort == status.Index {
		return m.indexDraft(ctx)
	}
	cards, err := m.names(ctx)
	switch {
	case err != nil:
		return nil, err
	case m.base != nil:
		return status.PrepareExactDelta(m.header, m.key, cards, m.base)
	case m.header.Sort == status.Filter:
		return status.PrepareFilter(m.header, m.key, cards)
	}
	return status.PrepareExact(m.header, m.key, cards)
}
