package signing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/verify/receipt"
)

// object is the security object's request for the signer d, without what is only known once
// it is logged: the same request names the same object each time.
func (a *approved) object(at time.Time) ca.SOD {
	return ca.SOD{Hash: hash, Groups: a.groups, Version: 1, DocumentType: a.document, At: at}
}

// isOfObject: what will be or was signed is the object that the card's announcement names.
func (a *approved) isOfObject(id [32]byte) error {
	if a.card.Fields["cardid"] != hex.EncodeToString(id[:]) {
		return fmt.Errorf("card %s: what was prepared: %w", a.r.Card, issuance.ErrChanged)
	}
	return nil
}

// tries is how often an announcement is made anew because somebody else took a number or an
// index, or the log moved on.
const tries = 16

// prepare announces the card in the log: the hash of the LDSSecurityObject, the document
// signer and the number of its use.
func (s *Service) prepare(ctx context.Context, a *approved) error {
	begun, err := s.begin(a)
	if err != nil {
		return err
	}
	why := issuance.ErrConflict
	for range tries {
		err := s.announce(ctx, a, begun)
		switch taken, duplicate := errors.AsType[*issuance.DuplicateError](err); {
		case duplicate && taken.Claim.Kind == issuance.ClaimStatus:
			why = ErrListFull
		case duplicate && taken.Claim.Kind == issuance.ClaimUse, errors.Is(err, issuance.ErrConflict):
			why = issuance.ErrConflict
		case err != nil:
			return err
		}
		if err := s.follow(ctx); err != nil {
			return err
		}
		again, err := s.approve(ctx, a.r)
		if err != nil {
			return err
		}
		*a = *again
		if a.card.Phase == issuance.Prepared {
			return nil
		}
	}
	return fmt.Errorf("announce the card: %w", why)
}

// begin names the entry that will announce the card, for good before it does: another
// service over the same log would not know what this one signed.
func (s *Service) begin(a *approved) ([16]byte, error) {
	i, err := s.journal.get(a.r.Card, a.r.Salt, begunSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		i = &intent{Entry: issuance.NewID()}
		err = s.journal.put(a.r.Card, a.r.Salt, begunSuffix, *i)
	}
	if err != nil {
		return [16]byte{}, fmt.Errorf("keep what will be announced: %w", err)
	}
	return i.Entry, nil
}

func (s *Service) announce(ctx context.Context, a *approved, id [16]byte) error {
	d, err := s.newest(a.r.Issued)
	if err != nil {
		return err
	}
	if err := s.checkCRL(d.certificate); err != nil {
		return err
	}
	issuer, err := s.issuer(d.certificate)
	if err != nil {
		return err
	}
	draft, err := issuer.PrepareSOD(a.object(s.o.Now())) // refuses before anything is announced
	if err != nil {
		return err
	}
	place, ok := s.view.places[s.o.Status].draw()
	if !ok {
		return fmt.Errorf("announce the card: %w", ErrListFull)
	}
	card := hex.EncodeToString(draft.CardID[:])
	return s.append(ctx, a, issuance.Prepare, d.name, func(e *issuance.Entry) {
		e.ID = id
		e.Fields = map[string]string{"cardid": card, "ds": d.name}
		e.Commitments = map[string][32]byte{issuance.Content: a.card.Commitments[issuance.Content]}
		e.Claims = []issuance.Claim{
			{Kind: issuance.ClaimCardID, Value: card},
			{Kind: issuance.ClaimStatus, Value: fmt.Sprintf("%s:%d", s.o.Status, place)},
			{Kind: issuance.ClaimUse, Value: fmt.Sprintf("%s:%d", d.name, d.next)},
		}
	})
}

// append adds an act of the service's on the card, if what the decision rests on stands as
// it was read.
func (s *Service) append(ctx context.Context, a *approved, act issuance.Act, ds string, fill func(*issuance.Entry)) error {
	if err := s.view.need(ctx, s.o.Log, a.app.Stream, a.card.Stream); err != nil {
		return err
	}
	at := issuance.Head{}
	for _, id := range []issuance.StreamID{
		a.app.Stream, a.card.Stream, issuance.Key(ds), issuance.OperatorStream(s.me), issuance.OperatorStream(a.r.Operator),
	} {
		at[id] = s.view.book.Subject(id).Seq
	}
	e := issuance.Entry{
		Origin: s.pin.Origin, Rules: issuance.RuleBook, Stream: a.card.Stream, Seq: a.card.Seq + 1, Prev: a.card.Last,
		ID: issuance.NewID(), Act: act, Time: s.o.Now().UTC().Truncate(time.Microsecond), Operator: s.me,
	}
	fill(&e)
	if err := e.Sign(s.o.Operator); err != nil {
		return err
	}
	return s.o.Log.Append(ctx, at, e)
}

// intend returns what will be signed: what the journal holds, or, the first time, the
// announcement with a proof that it is in the log. It is on the disk before it is used.
func (s *Service) intend(ctx context.Context, a *approved) (*intent, error) {
	i, err := s.journal.get(a.r.Card, a.r.Salt, intentSuffix)
	if err == nil {
		return i, a.isOfObject(i.CardID)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	begun, err := s.journal.get(a.r.Card, a.r.Salt, begunSuffix)
	if errors.Is(err, fs.ErrNotExist) || err == nil && begun.Entry != s.view.prepared[a.r.Card].entry {
		return nil, fmt.Errorf("%w: another service announced it", ErrLost)
	}
	if err != nil {
		return nil, err
	}
	proof, err := s.prove(ctx, a)
	if err != nil {
		return nil, err
	}
	id, err := hex.DecodeString(a.card.Fields["cardid"])
	if err != nil || len(id) != 32 {
		return nil, fmt.Errorf("card %s: cardid: %w", a.r.Card, issuance.ErrEntry)
	}
	i = &intent{Entry: begun.Entry, CardID: [32]byte(id), Signer: a.card.Fields["ds"], At: s.o.Now().UTC().Truncate(time.Second), Proof: *proof}
	if err := s.journal.put(a.r.Card, a.r.Salt, intentSuffix, *i); err != nil {
		return nil, fmt.Errorf("keep what will be signed: %w", err)
	}
	return i, nil
}

// prove obtains the proof that the announcement is in the log, under a checkpoint of the
// log's own and with as many fresh cosignatures as the service wants.
func (s *Service) prove(ctx context.Context, a *approved) (*lds.LogProof, error) {
	at, ok := s.view.prepared[a.r.Card]
	if !ok {
		return nil, fmt.Errorf("%w: its announcement", ErrLog)
	}
	if s.o.Cover != nil {
		if err := s.o.Cover(ctx, at.index+1); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrWitness, err)
		}
	}
	p, err := s.o.Log.Prove(ctx, at.index)
	if err != nil {
		return nil, err
	}
	proven, err := receipt.Verify(p, at.leaf, receipt.Policy{
		Logs: []note.Verifier{s.view.verifier}, Witnesses: s.o.Witnesses, Quorum: s.o.Quorum,
	})
	switch {
	case errors.Is(err, receipt.ErrQuorum):
		return nil, fmt.Errorf("%w: %w", ErrWitness, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrLog, err)
	}
	fresh := 0
	for _, w := range proven.Witnesses {
		if age := s.o.Now().Sub(w.Time); age <= s.o.Fresh && age > -s.o.Fresh {
			fresh++
		}
	}
	if fresh < s.o.Quorum {
		return nil, fmt.Errorf("%w: %d of %d are fresh", ErrWitness, fresh, s.o.Quorum)
	}
	if err := s.onTheWay(ctx, proven); err != nil {
		return nil, err
	}
	octets, err := p.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return &lds.LogProof{Leaf: at.leaf, Proof: octets}, nil
}

// onTheWay holds a proof's checkpoint against the log that the service read: a log key in
// other hands could sign a second history.
func (s *Service) onTheWay(ctx context.Context, p *receipt.Proven) error {
	if p.Size > s.view.tree.Size() {
		if err := s.follow(ctx); err != nil {
			return err
		}
	}
	if root, ok := s.view.roots[p.Size]; !ok || root != p.Root {
		return fmt.Errorf("%w: the proof is under another checkpoint of %d entries", ErrLog, p.Size)
	}
	return nil
}

// issue signs what the journal holds. The signer is asked for anew: it may have been revoked
// since.
func (s *Service) issue(ctx context.Context, a *approved, i *intent) ([]byte, error) {
	c, err := s.signs(i.Signer, a.r.Issued)
	if err != nil {
		return nil, err
	}
	if err := s.checkCRL(c); err != nil {
		return nil, err
	}
	issuer, err := s.issuer(c)
	if err != nil {
		return nil, err
	}
	r := a.object(i.At)
	r.LogProof = &i.Proof
	if r.Status, err = statusOf(a.card); err != nil {
		return nil, err
	}
	draft, err := issuer.PrepareSOD(r)
	if err != nil {
		return nil, err
	}
	if err := a.isOfObject(draft.CardID); err != nil {
		return nil, err
	}
	key, err := s.o.Keys.Signer(ctx, i.Signer)
	if err != nil {
		return nil, fmt.Errorf("open key %s: %w", i.Signer, err)
	}
	defer forget(key)
	return draft.Issue(key)
}

// statusOf reads the card's place in a status list from the announcement's claim.
func statusOf(card issuance.Subject) (*lds.StatusReference, error) {
	for _, c := range card.Claimed {
		if c.Kind != issuance.ClaimStatus {
			continue
		}
		at := strings.LastIndexByte(c.Value, ':')
		index, err := strconv.ParseUint(c.Value[at+1:], 10, 32)
		if at < 0 || err != nil {
			return nil, fmt.Errorf("card %s: its status list: %w", card.Stream.ID, issuance.ErrEntry)
		}
		return &lds.StatusReference{List: c.Value[:at], Index: uint32(index)}, nil
	}
	return nil, nil
}

// record says in the log that the card was signed.
func (s *Service) record(ctx context.Context, a *approved, i *intent) error {
	sum := sha256.Sum256(i.SOD)
	return s.append(ctx, a, issuance.Sign, i.Signer, func(e *issuance.Entry) {
		e.Fields = map[string]string{
			"cardid": hex.EncodeToString(i.CardID[:]), "sod": hex.EncodeToString(sum[:]), "ds": i.Signer,
		}
	})
}
