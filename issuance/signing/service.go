package signing

import (
	"cmp"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/receipt"
)

// Document is a kind of document that the service signs.
type Document struct {
	Code   string // as the document signer's certificate lists it, e.g. "ID"
	Groups []int  // those that it must have
}

// CardKeys returns the issuer's keys of a chip; the service destroys them.
type CardKeys func(ctx context.Context, kdd gp.KDD) (gp.Keys, error)

// Keys opens a document signer's key by its name. Every keystore.Ring does.
type Keys interface {
	Signer(ctx context.Context, name string) (crypto.Signer, error)
}

// Options of a service. Witnesses, Quorum, Fresh, Cover, Now and Logger may be left out.
type Options struct {
	Log      Log
	Operator crypto.Signer // the service's own key, enrolled with the role issuance.Signer
	Keys     Keys
	PKI      fs.FS // NAME.cer and NAME.crl as issued

	CardKeys  CardKeys
	Documents map[string]Document // by profile
	Imported  bool                // sign for chips whose keys were made elsewhere, too, where the log says so
	Status    string              // URI of the status list that new cards are put into

	Witnesses []*receipt.WitnessKey
	Quorum    int           // how many of them must have cosigned
	Fresh     time.Duration // and how long ago at the most; zero: a day
	// Cover fetches cosignatures of a checkpoint of at least that size, for Log.Prove to find.
	Cover func(ctx context.Context, size int64) error

	held int // streams to hold; zero: maxHeld

	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // warnings; nil: none
}

// Service signs. It may be used by several goroutines at once; it works on one request at a
// time.
type Service struct {
	o       Options
	journal journal
	pin     Pin
	me      issuance.KeyID

	mu      sync.Mutex
	reading *view                 // as far as the log was read; nil before, and where it was not our log
	view    *view                 // the same, once it was read to its end; nil until then
	issuers map[string]*ca.Issuer // by certificate
}

// Open opens the service over its folder, which Create made. It reads nothing of the log
// yet: the first request does, or Follow.
func Open(dir string, o Options) (*Service, error) {
	pin, err := readPin(dir)
	if err != nil {
		return nil, err
	}
	if o.Log == nil || o.Operator == nil || o.Keys == nil || o.PKI == nil || o.CardKeys == nil {
		return nil, errors.New("open the signing service: an option is missing")
	}
	me, err := issuance.KeyIDOf(o.Operator.Public())
	if err != nil {
		return nil, fmt.Errorf("open the signing service: %w", err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Fresh == 0 {
		o.Fresh = 24 * time.Hour
	}
	return &Service{o: o, journal: journal{dir}, pin: pin, me: me, issuers: map[string]*ca.Issuer{}}, nil
}

// Follow reads the log up to its newest checkpoint and judges every entry, from the first
// one on when the service was just opened. ErrLog says that it is not the log that was
// pinned, or not what the service saw before.
func (s *Service) Follow(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.follow(ctx)
}

func (s *Service) follow(ctx context.Context) error {
	s.view = nil
	if s.reading == nil {
		v, err := s.begun()
		if err != nil {
			return err
		}
		s.reading = v
	}
	v := s.reading
	now, err := v.follow(ctx, s.o.Log)
	if errors.Is(err, ErrLog) {
		s.reading = nil
	}
	if err != nil {
		return err
	}
	if v.last == nil || v.last.Size != now.Size {
		if err := durable.Replace(filepath.Join(s.journal.dir, checkpointFile), now.Note, 0o600); err != nil {
			return fmt.Errorf("keep the checkpoint: %w", err)
		}
	}
	v.last, s.view = now, v
	return nil
}

// begun is a view that has read nothing yet.
func (s *Service) begun() (*view, error) {
	v, err := newView(s.pin, cmp.Or(s.o.held, maxHeld))
	if err != nil {
		return nil, err
	}
	seen, err := lastCheckpoint(s.journal.dir)
	if err != nil {
		return nil, err
	}
	if seen != nil {
		if v.last, err = ledger.ParseCheckpoint(seen, v.verifier); err != nil {
			return nil, fmt.Errorf("the checkpoint in the signing service's folder: %w", err)
		}
	}
	return v, nil
}

// Sign returns the EF.SOD of the card that is asked for. Asked again it returns the same
// octets: a card is signed once. Whatever cuts it short, the next call goes on, and all that
// is ever signed for a card are the octets that its folder held before.
//
// Errors are those of this package and of issuance, and ca's where what was approved cannot
// be signed.
func (s *Service) Sign(ctx context.Context, r *Request) ([]byte, error) {
	sod, err := s.sign(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return sod, nil
}

func (s *Service) sign(ctx context.Context, r *Request) ([]byte, error) {
	b, err := r.MarshalBinary()
	if err == nil {
		r, err = ParseRequest(b) // a copy that nobody else can change
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.follow(ctx); err != nil {
		return nil, err
	}
	a, err := s.approve(ctx, r)
	if err != nil {
		return nil, err
	}
	if done, err := s.signed(ctx, a); done != nil || err != nil {
		return done, err
	}
	if a.card.Phase == issuance.Keyed {
		if err := s.prepare(ctx, a); err != nil {
			return nil, err
		}
	}
	i, err := s.intend(ctx, a)
	if err != nil {
		return nil, err
	}
	if i.SOD, err = s.issue(ctx, a, i); err != nil {
		return nil, err
	}
	if err := s.journal.put(r.Card, r.Salt, sodSuffix, *i); err != nil {
		return nil, fmt.Errorf("keep the security object: %w", err)
	}
	return i.SOD, s.record(ctx, a, i)
}

// signed returns what was signed for the card before, with the act that says so, nil if
// nothing was.
func (s *Service) signed(ctx context.Context, a *approved) ([]byte, error) {
	i, err := s.journal.get(a.r.Card, a.r.Salt, sodSuffix)
	switch {
	case errors.Is(err, fs.ErrNotExist) && a.card.Phase == issuance.Signed:
		return nil, ErrLost
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if err := a.isOfObject(i.CardID); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(i.SOD)
	switch {
	case a.card.Phase == issuance.Prepared:
		return i.SOD, s.record(ctx, a, i)
	case a.card.Phase != issuance.Signed || a.card.Fields["sod"] != hex.EncodeToString(sum[:]):
		return nil, fmt.Errorf("%w: the log says another was signed", ErrLost)
	}
	return i.SOD, nil
}
