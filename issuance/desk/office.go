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
	"maps"
	"strings"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/population"
	"github.com/tamthe/tamthe/issuance/signing"
	"github.com/tamthe/tamthe/issuance/vault"
)

var (
	// ErrNoOperator means that an act needs somebody's key and none was given.
	ErrNoOperator = errors.New("no operator is signed in")
	// ErrUnknown means that the ledger knows no such application, card, operator or key.
	ErrUnknown = errors.New("the ledger does not know it")
	// ErrNoVault means that personal data are needed and the vault's key is not here.
	ErrNoVault = errors.New("the vault's key is needed")
	// ErrLeftover means that an act was done and keys that it ends are still in the vault:
	// Sweep destroys them.
	ErrLeftover = errors.New("it was done, but the vault still has keys that were to be destroyed")
	// ErrNoService means that a card is to be made and the desk has no signing service.
	ErrNoService = errors.New("there is no signing service")
	// ErrForm means that an application was approved by an earlier version, in a form that the
	// signing service can't read. It is to be cancelled and enrolled again.
	ErrForm = errors.New("it was approved in a form that is not signed any more")
	// ErrListFull means that a status list has no place that is found by chance.
	ErrListFull = signing.ErrListFull
)

// Store is the ledger with the look-ups that a desk needs. Every store has them.
type Store interface {
	issuance.Ledger
	Leases
	// Attachment returns an entry's sealed octets.
	Attachment(ctx context.Context, entry [16]byte, name string) ([]byte, error)
	// Claimed returns the stream that has a claim or holds a hold, the zero one if none.
	Claimed(ctx context.Context, c issuance.Claim) (issuance.StreamID, error)
	// Claims calls f with the claims of a kind whose values lie between two, in their order.
	Claims(ctx context.Context, kind issuance.ClaimKind, from, to string, f func(value string, by issuance.StreamID) error) error
	// LastClaim returns the greatest value of a kind between two, empty if there is none.
	LastClaim(ctx context.Context, kind issuance.ClaimKind, from, to string) (string, error)
	// List returns the streams of a kind, oldest first.
	List(ctx context.Context, kind issuance.Kind, phases ...issuance.Phase) ([]issuance.Summary, error)
	// Streams calls f with the name of each stream of a kind, in the order of names. The store
	// may be read meanwhile.
	Streams(ctx context.Context, kind issuance.Kind, f func(issuance.StreamID) error) error
	// Entries calls each with every entry from an index on, in the order of the log. Nothing
	// may be asked of the store meanwhile.
	Entries(ctx context.Context, from int64, each func(index int64, leaf, payload []byte) error) error
	// Places calls f with how each card of a list of card status stands, in the order of their
	// indexes and as of one moment. Nothing may be asked of the store meanwhile.
	Places(ctx context.Context, list string, f func(ledger.Place) error) error
}

// Office is one desk at one ledger. It may be used by one goroutine at a time; other
// desks and programs may use the ledger meanwhile, and whoever decided on what is no
// longer so gets issuance.ErrConflict. Every act is asked of the rules before anything is
// touched for it: their errors are issuance's own.
type Office struct {
	Store  Store
	Vault  *vault.Vault     // seals personal data; nil: nothing that needs them is possible
	Signer crypto.Signer    // the operator's key; nil: only looking
	Second crypto.Signer    // a second person's, for acts that need two (issuance.NeedsSecond); nil: those are refused
	Now    func() time.Time // the desk's clock; its location says which day it is

	Calendar Calendar // on which days the office works
	Place    string   // where it is, and its blank cards are, as its acts and statistics name it: small letters, digits, hyphens

	// KeepBiometrics leaves the keys of portraits in the vault when a card is delivered, or
	// its application came to another end. Otherwise they are destroyed then.
	KeepBiometrics bool

	// LeaseTime is how long others are kept from an application or a chip that the office works
	// on and says nothing of any more, such as when it was killed. Zero is half a minute.
	LeaseTime time.Duration
	seat      seat

	// Apart are the mirrors of the logs of desks that work apart. A person who holds a card
	// there holds one, and its status is told here.
	Apart []Store

	// Signing signs security objects: the desk itself has no document signer's key. Nil: no
	// card can be made.
	Signing signing.Signer

	Authority Authority

	// Register is the register of the population. Nil asks nobody; with one, nothing is
	// approved that it has not confirmed or that nobody accepted against it.
	Register population.Register

	// Biometric is the biometric register. Nil asks nobody; with one, nothing is approved
	// about which it was not asked, or while it found somebody and nobody decided.
	Biometric *Biometric

	// Witnesses vouch for the ledger; nil asks nobody. Where their word is too old, or
	// contradicts the ledger, no card is begun or gone on with.
	Witnesses interface {
		Fresh(ctx context.Context) error
	}
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
	mate  issuance.KeyID // zero without a second
	acts  []issuance.Entry
}

// begin reads the streams that a decision rests on, the operator's own among them.
func (o *Office) begin(ctx context.Context, streams ...issuance.StreamID) (*session, error) {
	me, err := o.me()
	if err != nil {
		return nil, err
	}
	var mate issuance.KeyID
	streams = append(streams, issuance.OperatorStream(me))
	if o.Second != nil {
		if mate, err = issuance.KeyIDOf(o.Second.Public()); err != nil {
			return nil, err
		}
		streams = append(streams, issuance.OperatorStream(mate))
	}
	s, err := issuance.Load(ctx, o.Store, streams...)
	if err != nil {
		return nil, err
	}
	return &session{o: o, state: s, head: s.Head(), me: me, mate: mate}, nil
}

// add puts an act behind those so far, if the rules allow it; fill sets what it says. Where
// two persons must act both sign.
func (s *session) add(stream issuance.StreamID, act issuance.Act, fill func(*issuance.Entry) error) error {
	e, err := s.entry(stream, act)
	if err != nil {
		return err
	}
	if fill != nil {
		if err := fill(&e); err != nil {
			return err
		}
	}
	if s.o.Place != "" {
		if e.Fields == nil {
			e.Fields = map[string]string{}
		}
		e.Fields["desk"] = s.o.Place
	}
	if err := s.sign(&e); err != nil {
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

// sign signs an act, as two where the rules want two and a second is there. The rules
// refuse one who is missing.
func (s *session) sign(e *issuance.Entry) error {
	fields := s.state.Subject(e.Stream).Fields
	if fields == nil {
		fields = map[string]string{}
	}
	maps.Copy(fields, e.Fields)
	if s.o.Second != nil && issuance.NeedsSecond(e.Stream.Kind, e.Act, fields) {
		e.Second = s.mate
		if err := e.Sign(s.o.Second); err != nil {
			return err
		}
	}
	return e.Sign(s.o.Signer)
}

// entry begins an act of the operator's that says nothing yet.
func (s *session) entry(stream issuance.StreamID, act issuance.Act) (issuance.Entry, error) {
	e, err := s.state.Next(stream, act)
	if err != nil {
		return issuance.Entry{}, err
	}
	e.ID, e.Operator = issuance.NewID(), s.me
	e.Time = s.o.Now().UTC().Truncate(time.Microsecond)
	return e, nil
}

// may asks the rules, before a chip or a key is touched for it, whether this operator may
// do the act now: role, phase and four eyes. What the act has to carry is known only
// afterwards, so that an act which lacks that alone passes. fields are those of them on
// which it depends whether two must sign.
func (s *session) may(stream issuance.StreamID, act issuance.Act, fields map[string]string) error {
	e, err := s.entry(stream, act)
	if err != nil {
		return err
	}
	e.Fields = fields
	if err := s.sign(&e); err != nil {
		return err
	}
	_, err = s.state.Apply(e)
	if errors.Is(err, issuance.ErrEntry) || errors.Is(err, issuance.ErrChanged) {
		return nil
	}
	return err
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

// end is a decision of one act that ends something which must be there, for a reason, and
// gives up what it holds of a kind. It says more besides the reason.
func (o *Office) end(ctx context.Context, stream issuance.StreamID, act issuance.Act, reason string, gives issuance.ClaimKind, more map[string]string) error {
	s, err := o.begin(ctx, stream)
	if err != nil {
		return err
	}
	subject := s.state.Subject(stream)
	if err := known(subject); err != nil {
		return err
	}
	err = s.add(stream, act, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"reason": reason}
		maps.Copy(e.Fields, more)
		e.Release = held(subject, gives)
		return nil
	})
	if err != nil {
		return err
	}
	return s.commit(ctx)
}

// held lists what the stream holds of a kind.
func held(s issuance.Subject, kind issuance.ClaimKind) []issuance.Claim {
	var list []issuance.Claim
	for _, c := range s.Held {
		if c.Kind == kind {
			list = append(list, c)
		}
	}
	return list
}

// newName returns a random name with the prefix, such as A-7K3QX2MB4D: fifty bits that
// say nothing about anybody.
func newName(prefix string) string {
	var b [10]byte
	rand.Read(b[:])
	return prefix + strings.ToUpper(base32.HexEncoding.EncodeToString(b[:])[:10])
}

// newWord is newName in small letters, as a field can hold it.
func newWord(prefix string) string { return strings.ToLower(newName(prefix)) }

// known refuses a stream that the ledger has nothing about.
func known(s issuance.Subject) error {
	if s.Phase == issuance.Absent {
		return fmt.Errorf("%s %s: %w", s.Stream.Kind, s.Stream.ID, ErrUnknown)
	}
	return nil
}
