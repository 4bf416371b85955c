package intake

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/verify/eid/meter"
)

// Config is what a service of intake works with.
type Config struct {
	URL     string // by which portals know it
	Portals []Portal
	Store   Store
	Vault   Vault
	Ledger  Ledger
	Signer  *Signer // of receipts; see NewOfficeSigner
	Now     func() time.Time
	Log     *slog.Logger // nil: silent. What it is told holds no personal data
}

// Server takes messages in and tells how cases stand. It may be used by many goroutines at
// once.
type Server struct {
	c       Config
	portals map[string]*Portal
	rates   meter.Meter
	sealing sync.Mutex // one message of a program at a time: else one that comes twice at once is sealed twice
}

// New makes a service; what cannot be is an error.
func New(c Config) (*Server, error) {
	if c.URL == "" || c.Store == nil || c.Vault == nil || c.Ledger == nil || c.Signer == nil || c.Now == nil {
		return nil, errors.New("intake needs its address, a store, a vault, a ledger, a signer and a clock")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{c: c, portals: map[string]*Portal{}}
	for i := range c.Portals {
		p := &c.Portals[i]
		if !isName(p.ID) || s.portals[p.ID] != nil || len(p.Keys) == 0 {
			return nil, errors.New("each portal has a name of its own and a key")
		}
		s.portals[p.ID] = p
	}
	return s, nil
}

// Take takes a message in and returns its receipt. It is stored for good by then. Whatever
// is wrong with the message is a *Refusal, and nothing was stored; any other error is the
// office's, and the portal sends the message again later. From is the network that it came
// from.
func (s *Server) Take(ctx context.Context, from string, in Signed) (Signed, error) {
	p, err := s.signer(from, in)
	if err != nil {
		return Signed{}, err
	}
	m, who, err := Parse(in.Body)
	if err != nil {
		return Signed{}, err
	}
	if err := s.meant(p, m.To, m.Portal); err != nil {
		return Signed{}, err
	}
	s.sealing.Lock()
	defer s.sealing.Unlock()
	if kept, err := s.known(ctx, m, in); kept != nil || err != nil {
		return receiptOf(kept), err
	}
	if err := within(m.Time, s.c.Now(), window(p)); err != nil {
		return Signed{}, err
	}
	if err := p.may(m); err != nil {
		return Signed{}, err
	}
	for range 16 { // another program may change the same case meanwhile
		kept, err := s.keep(ctx, m, who, in)
		if !errors.Is(err, ErrConflict) {
			return receiptOf(kept), err
		}
		if kept, err := s.known(ctx, m, in); kept != nil || err != nil {
			return receiptOf(kept), err
		}
	}
	return Signed{}, ErrConflict
}

func receiptOf(k *Kept) Signed {
	if k == nil {
		return Signed{}
	}
	return k.Receipt
}

func window(p *Portal) time.Duration {
	if p.Window > 0 {
		return p.Window
	}
	return 72 * time.Hour
}

// signer is the portal that signed; the rates are its own from there on, and the network's
// before.
func (s *Server) signer(from string, in Signed) (*Portal, error) {
	const strangers = 60 // messages a minute from one network that no portal signed
	stranger := func(c Code) (*Portal, error) {
		if !s.rates.Pass("from "+from, strangers, s.c.Now()) {
			c = CodeRate
		}
		return nil, refuse(c)
	}
	if in.Signature == "" {
		return stranger(CodeUnsigned)
	}
	j, kid, err := parsed(in, typeMessage)
	if err != nil {
		return stranger(CodeSigner)
	}
	p := s.portals[kid]
	switch {
	case p == nil:
		return stranger(CodePortal)
	case len(in.Body) > p.size():
		return nil, refuse(CodeSize)
	case !by(j, p.Keys):
		return stranger(CodeSigner)
	case !s.rates.Pass("portal "+p.ID, rate(p), s.c.Now()):
		return nil, refuse(CodeRate)
	}
	return p, nil
}

func rate(p *Portal) int {
	if p.Rate > 0 {
		return p.Rate
	}
	return 120
}

// meant refuses what another portal or another office is named in.
func (s *Server) meant(p *Portal, to, portal string) error {
	switch {
	case portal != p.ID:
		return refuse(CodeOther)
	case to != s.c.URL:
		return refuse(CodeOffice)
	}
	return nil
}

// known is the message as it was stored before, nil if it was not.
func (s *Server) known(ctx context.Context, m *Message, in Signed) (*Kept, error) {
	k, err := s.c.Store.Message(ctx, m.Portal, m.Request)
	switch {
	case errors.Is(err, ErrUnknown):
		return nil, nil
	case err != nil:
		return nil, err
	case k.Digest != sha256.Sum256(in.Body):
		return nil, refuse(CodeReused)
	}
	return k, nil
}

// keep stores a message that is new, with what it makes of its case.
func (s *Server) keep(ctx context.Context, m *Message, who vn.Person, in Signed) (*Kept, error) {
	c, err := s.c.Store.Named(ctx, m.Portal, m.Case)
	if errors.Is(err, ErrUnknown) {
		c = Case{Code: newCode()}
	} else if err != nil {
		return nil, err
	}
	person := ""
	if m.Act != Withdraw {
		if person, err = s.c.Vault.Person(who.Number); err != nil {
			return nil, err
		}
	}
	at := s.c.Now().UTC().Truncate(time.Microsecond)
	after, fresh, err := c.after(m, person, at)
	if err != nil {
		return nil, err
	}
	k := &Kept{
		Portal: m.Portal, Request: m.Request, Code: c.Code, Act: m.Act, Revision: m.Revision, Received: at,
		Digest: sha256.Sum256(in.Body), Signature: in.Signature,
	}
	if fresh {
		if k.Sealed, err = s.c.Vault.Seal(ctx, c.Code, m.Request, in.Body); err != nil {
			return nil, err
		}
	}
	if k.Receipt, err = s.receipt(m, after, in.Body, at); err != nil {
		return nil, err
	}
	err = s.c.Store.Keep(ctx, after, k)
	switch {
	case errors.Is(err, ErrRevision):
		return nil, refuse(CodeRevision)
	case err != nil:
		return nil, err
	}
	if after.State == Withdrawn {
		s.sweep(ctx, after.Code)
	}
	return k, nil
}

// sweep destroys the content of a case that is over for the portal. What can't be destroyed
// now is left for Sweep.
func (s *Server) sweep(ctx context.Context, code string) {
	if err := wipe(ctx, s.c.Store, s.c.Vault, code); err != nil {
		s.c.Log.Warn("content is left to be destroyed", "err", err)
	}
}

func wipe(ctx context.Context, store Store, v Vault, code string) error {
	if err := v.Shred(ctx, code); err != nil {
		return err
	}
	return store.Forget(ctx, code)
}

// Sweep destroys what lies sealed of cases that the ledger has by now, or that are over.
func Sweep(ctx context.Context, store Store, v Vault, l Ledger) error {
	list, err := store.Sealed(ctx)
	for _, c := range list {
		ok := c.State == Refused || c.State == Withdrawn
		if c.App != "" && !ok {
			var e error
			ok, e = l.Has(ctx, c.App)
			err = errors.Join(err, e)
		}
		if ok {
			err = errors.Join(err, wipe(ctx, store, v, c.Code))
		}
	}
	return err
}

// newCode draws a code that nobody guesses, of 80 bits: I- and four times four letters or digits.
func newCode() string {
	var b [10]byte
	rand.Read(b[:])
	t := strings.ToUpper(base32.HexEncoding.EncodeToString(b[:]))
	return "I-" + t[:4] + "-" + t[4:8] + "-" + t[8:12] + "-" + t[12:]
}

// Status tells how the case of a code stands.
func (s *Server) Status(ctx context.Context, from, code string) (Signed, error) {
	c, err := s.c.Store.Case(ctx, code)
	if errors.Is(err, ErrUnknown) { // the ledger, which is slower to ask, knows no code
		const guesses = 600 // a minute from one network, of 2⁸⁰ codes
		if !s.rates.Pass("guesses "+from, guesses, s.c.Now()) {
			return Signed{}, refuse(CodeRate)
		}
		return Signed{}, refuse(CodeUnknown)
	}
	if err == nil {
		err = Follow(ctx, s.c.Store, s.c.Ledger)
	}
	if err == nil {
		c, err = s.c.Store.Case(ctx, code)
	}
	if err != nil {
		return Signed{}, err
	}
	return s.signed(Status{statusSchema, true, c.Code, c.State, c.Why, c.Since, next[c.State]})
}

// page is how many events one answer holds.
const page = 200

// Events answers a portal's signed Ask with its events after the cursor.
func (s *Server) Events(ctx context.Context, from string, in Signed) (Signed, error) {
	p, err := s.signer(from, in)
	if err != nil {
		return Signed{}, err
	}
	var a Ask
	if err := strict(in.Body, askKeys, &a); err != nil {
		return Signed{}, err
	}
	if !isName(a.Request) || a.After < 0 {
		return Signed{}, refuse(CodeFormat)
	}
	if err := s.meant(p, a.To, a.Portal); err != nil {
		return Signed{}, err
	}
	if err := within(a.Time, s.c.Now(), skew); err != nil { // an old question is somebody else's
		return Signed{}, err
	}
	if err := Follow(ctx, s.c.Store, s.c.Ledger); err != nil {
		return Signed{}, err
	}
	list, err := s.c.Store.Events(ctx, p.ID, a.After, page)
	if err != nil {
		return Signed{}, err
	}
	e := Events{eventsSchema, true, s.c.URL, p.ID, a.Request, append([]Event{}, list...), a.After, len(list) == page}
	if len(list) > 0 {
		e.Cursor = list[len(list)-1].Seq
	}
	return s.signed(e)
}

// Keys are what the office's answers verify under, as a JSON Web Key Set.
func (s *Server) Keys() (json.RawMessage, error) { return s.c.Signer.Keys() }
