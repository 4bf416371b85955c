package eid

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/eid/meter"
	"github.com/tamthe/tamthe/verify/eid/metrics"
)

// Decision is what a Store keeps of a login: who asked for what and what came of it. There is
// no personal data in it: Card is the name of the card, which tells nothing without it.
type Decision struct {
	Session  string
	Time     time.Time
	Party    string
	Purpose  string
	Fields   []string
	Level    Level
	Proof    string // active, agreement or relay, or the first with one of the others
	Code     Code   // "" for accepted
	Reasons  []string
	Card     verify.CardID
	Evidence [32]byte // SHA-256 of the files' digests and proofs, to find a case again
}

// ErrDecided means that a login was decided before.
var ErrDecided = errors.New("the login was decided before")

// Store keeps decisions. Decide returns once the decision is on the disk; the same session
// twice is ErrDecided, whatever is in it.
type Store interface {
	Decide(ctx context.Context, d Decision) error
}

// Config says how a Server judges and answers.
type Config struct {
	URL     string // the audience, and the issuer of assertions
	Parties []Party
	Store   Store
	Signer  *Signer // signs assertions

	// Options judge the card: trust, status, policy (online if none) and so on.
	// At is set for each login.
	Options verify.Options

	Pairwise []byte // secret from which citizens' names are made for each sector; at least 32 octets
	Life     time.Duration
	Sessions int // most at once; 10,000 if 0
	Now      func() time.Time

	Metrics *metrics.Metrics // nil counts nothing
	Log     *slog.Logger     // what is decided, without a word of who it was; nil is silent
}

// Server is the e-authentication service. It is safe for concurrent use. Logins that are
// under way are in memory only: after a restart they begin anew.
type Server struct {
	c       Config
	parties map[string]*Party
	rates   meter.Meter
	table   table
	relays  atomic.Int64 // cards that are being read from afar
	closing atomic.Bool
}

// New makes a Server; what cannot be is an error.
func New(c Config) (*Server, error) {
	switch {
	case c.URL == "" || c.Store == nil || c.Signer == nil || c.Now == nil:
		return nil, errors.New("a server needs its address, a store, a signer and a clock")
	case len(c.Pairwise) < 32:
		return nil, errors.New("the secret for names has at least 32 octets")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Life, c.Sessions = cmp.Or(c.Life, 5*time.Minute), cmp.Or(c.Sessions, 10_000)
	if c.Options.Policy.Name == "" {
		p, err := verify.PolicyByName("online")
		if err != nil {
			return nil, err
		}
		c.Options.Policy = p
	}
	if c.Options.Recurring == nil {
		c.Options.Recurring = &verify.Recurring{}
	}
	s := &Server{c: c, parties: map[string]*Party{}, table: newTable(c.Sessions)}
	for i := range c.Parties {
		p := c.Parties[i]
		if p.ID == "" || s.parties[p.ID] != nil {
			return nil, errors.New("each party has a name of its own")
		}
		if err := p.settle(); err != nil {
			return nil, err
		}
		s.parties[p.ID] = &p
	}
	return s, s.gauges()
}

// Begun is a login that a relying party began. Browser stays with the browser session that
// began it, and nobody else ever sees it. Code is for the citizen's agent.
type Begun struct {
	Session string    `json:"session"`
	Browser string    `json:"browser"`
	Code    string    `json:"code"`
	Expires time.Time `json:"expires"`
}

// maxWrong is how many wrong codes end a login; maxGuesses, how many wrong codes of logins
// one network may try in a minute. With 10,000 logins at once, one in a hundred of such
// minutes finds somebody's.
const (
	maxWrong   = 5
	maxGuesses = 100
)

// Begin opens a login for a party that signed in by its secret.
func (s *Server) Begin(secret string, a Ask) (b *Begun, err error) {
	defer s.refuses("begin", &err)
	p := s.parties[a.Party]
	if p == nil || !p.Knows(secret) {
		return nil, refuse(CodeParty)
	}
	return s.begin(p, a, "party "+p.ID)
}

// maxBrowsers is how many logins browsers of one network may begin in a minute.
const maxBrowsers = 30

// BeginFor opens a login for a party that is not there to give its secret: OpenID Connect
// sends the citizen's browser first, from a network. Anybody can do that, so such logins
// have a count of their own: they use up neither that of the party's other logins nor, from
// one network, that of all others.
func (s *Server) BeginFor(from string, a Ask) (b *Begun, err error) {
	defer s.refuses("begin", &err)
	p := s.parties[a.Party]
	if p == nil {
		return nil, refuse(CodeParty)
	}
	if !s.rates.Pass("browsers "+from, maxBrowsers, s.c.Now()) {
		return nil, refuse(CodeRate)
	}
	return s.begin(p, a, "browsers of "+p.ID)
}

// Party is what is known of a relying party; false if nothing is.
func (s *Server) Party(id string) (Party, bool) {
	p := s.parties[id]
	if p == nil {
		return Party{}, false
	}
	return *p, true
}

// URL is the service's address, the issuer of its assertions.
func (s *Server) URL() string { return s.c.URL }

// Signer is the key of its assertions.
func (s *Server) Signer() *Signer { return s.c.Signer }

// Specimen reports whether the service takes SPECIMEN cards: nothing that it says is worth
// more than they are.
func (s *Server) Specimen() bool { return s.c.Options.Specimen }

// Now is the service's clock.
func (s *Server) Now() time.Time { return s.c.Now() }

func (s *Server) begin(p *Party, a Ask, count string) (*Begun, error) {
	if s.closing.Load() {
		return nil, errClosing
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	if err := p.may(&a); err != nil {
		return nil, err
	}
	now := s.c.Now()
	if !s.rates.Pass(count, p.Rate, now) {
		return nil, refuse(CodeRate)
	}
	b := &Begun{Session: random(16), Browser: random(32), Expires: now.Add(s.c.Life).UTC().Truncate(time.Second)}
	l := &login{
		id: b.Session, expires: b.Expires,
		ask: a, party: p, browser: sha256.Sum256([]byte(b.Browser)), finish: digits(6),
		request: Request{
			Session: b.Session, Server: s.c.URL, Party: p.ID, Name: p.Name, Purpose: a.Purpose, Fields: a.Fields, Level: a.Level,
			Nonce: random(16), Expires: b.Expires, Relay: slices.Contains(p.Proofs, ProofRelay),
		},
	}
	if !s.table.add(l, now) {
		return nil, refuse(CodeRate)
	}
	b.Code = l.code
	s.c.Metrics.Begun(p.ID)
	return b, nil
}

// take finds a login that is not over, and locks it.
func (s *Server) take(session string) (*login, error) {
	l := s.table.session(session)
	if l == nil {
		return nil, refuse(CodeUnknown)
	}
	if s.c.Now().After(l.expires) {
		return nil, refuse(CodeExpired)
	}
	l.mu.Lock()
	return l, nil
}

// Open gives a login to the agent that has its code. From then on it is that agent's: whose
// nonce the commitment is of. From is the network that the agent is in: who guesses codes
// there has no answer for the rest of the minute, to a right code neither.
func (s *Server) Open(from, code, commitment string) (q *Request, err error) {
	defer s.refuses("open", &err)
	if !isCommitment(commitment) {
		return nil, refuse(CodeEvidence)
	}
	now, guesser := s.c.Now(), "codes "+from
	if s.rates.Over(guesser, maxGuesses, now) {
		return nil, refuse(CodeRate)
	}
	l := s.table.code(code)
	if l == nil {
		s.rates.Pass(guesser, maxGuesses, now)
		return nil, refuse(CodeUnknown)
	}
	if now.After(l.expires) {
		return nil, refuse(CodeExpired)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stage != begun && (l.stage != open || l.agent != commitment) {
		return nil, refuse(CodeTaken)
	}
	l.stage, l.agent = open, commitment
	r := l.request
	return &r, nil
}

// has reports whether a login is that of the agent with this nonce.
func (l *login) has(agent string) bool {
	return subtle.ConstantTimeCompare([]byte(l.agent), []byte(Commitment(agent))) == 1
}

// SignedFor is what an agent says that the chip's signature is for. Only the signature proves
// it, of which one sees no more than that it is for something else: an agent that was given
// another's request in good faith says so here, and the refusal can say what was wrong.
type SignedFor struct {
	Server  string `json:"server" maxLength:"500"`
	Party   string `json:"party" maxLength:"100"`
	Session string `json:"session" maxLength:"64"`
	Nonce   string `json:"nonce" maxLength:"64"`
}

// differs says in what evidence is for something else than a request, CodeAudience first; ""
// is in nothing that is said.
func (f *SignedFor) differs(r *Request) Code {
	switch {
	case f == nil:
		return ""
	case f.Server != r.Server:
		return CodeAudience
	case f.Party != r.Party:
		return CodeOther
	case f.Session != r.Session:
		return CodeLogin
	case f.Nonce != r.Nonce:
		return CodeNonce
	}
	return ""
}

// Evidence is what the agent read.
type Evidence struct {
	For       *SignedFor // nil says nothing
	Files     map[lds.File][]byte
	Signature []byte // of Active Authentication over Request.Challenge; nil if the chip has none
	Present   bool   // somebody who attends the counter saw that the bearer is the holder
	Attendant string // the party's secret, where Present: who says so is of the party
}

// Step is what the agent is to do next: have the chip answer First after Agreement (see
// auth.Carry1), or, where Agreement is nil, give Finish to the citizen.
type Step struct {
	Agreement []apdu.Command
	First     apdu.Command
	Finish    string // what the browser session redeems the login with
	Told      []string
}

// maxFiles bounds the octets of evidence, which lies in memory while the chip is asked.
const maxFiles = 64 << 10

// Present takes the files and the signature. Where the signature proves the chip and the
// party needs no more, that is the end. Else a chip that offers Chip Authentication is asked
// by the Server itself: the next step says how.
func (s *Server) Present(ctx context.Context, session, agent string, e Evidence) (*Step, error) {
	l, err := s.take(session)
	if err != nil {
		return nil, err
	}
	defer l.mu.Unlock()
	if l.stage != open || !l.has(agent) {
		return nil, refuse(CodeTaken)
	}
	size := 0
	for _, b := range e.Files {
		size += len(b)
	}
	if size > maxFiles || len(e.Signature) > 1024 || e.Present && !l.party.Attended {
		return nil, s.refuse(ctx, l, refuse(CodeEvidence))
	}
	if l.request.Relay {
		return nil, s.refuse(ctx, l, refuse(CodeUnproven))
	}
	if code := e.For.differs(&l.request); code != "" {
		return nil, s.refuse(ctx, l, refuse(code))
	}
	if e.Present && !l.party.Knows(e.Attendant) { // the bearer's own word is none
		return nil, s.refuse(ctx, l, refuse(CodeLevel))
	}
	l.record, l.holder, l.far = verify.Record{Files: e.Files}, e.Present, false
	if e.Signature != nil {
		l.record.Bound = true
		l.record.Proofs.Active = &verify.ActiveRecord{Challenge: l.request.Challenge(agent), Chosen: true, Signature: e.Signature}
	}
	if e.Signature != nil && !slices.Contains(l.party.Proofs, ProofAgreement) {
		now := s.c.Now()
		report, err := s.judge(ctx, l, now)
		if err != nil {
			return nil, s.refuse(ctx, l, refuse(CodeEvidence))
		}
		if report.Check(verify.CheckAA).Outcome == verify.Passed { // else the agreement tells what is wrong
			return s.conclude(ctx, l, report, now)
		}
	}
	step, err := l.agreement()
	if err != nil {
		return nil, s.refuse(ctx, l, err)
	}
	if step == nil {
		return s.decide(ctx, l)
	}
	l.stage = waiting
	return step, nil
}

// agreement begins Chip Authentication with the first key that DG14 lists; nil if it lists
// none that can be run.
func (l *login) agreement() (*Step, error) {
	raw, ok := l.record.Files[lds.DG14]
	if !ok {
		return nil, nil
	}
	infos, err := lds.ParseDG14(raw)
	if err != nil {
		return nil, refuse(CodeEvidence)
	}
	keys, err := auth.ChipAuthKeys(infos)
	if err != nil || len(keys) == 0 {
		return nil, nil
	}
	sfi := byte(0x80 | lds.DG14.SFI())
	if l.remote, err = auth.NewRemote1(keys[0], apdu.Command{INS: 0xB0, P1: sfi, Le: 8}); err != nil {
		return nil, nil
	}
	return &Step{Agreement: l.remote.Agreement, First: l.remote.First}, nil
}

// Answer takes the chip's answer to a Step and decides.
func (s *Server) Answer(ctx context.Context, session, agent string, answer apdu.Response) (*Step, error) {
	l, err := s.take(session)
	if err != nil {
		return nil, err
	}
	defer l.mu.Unlock()
	if l.stage != waiting || !l.has(agent) {
		return nil, refuse(CodeTaken)
	}
	if _, err := l.remote.Verify(answer); err != nil {
		return nil, s.refuse(ctx, l, refuse(CodeClone, string(verify.ReasonChipKeyMismatch)))
	}
	l.record.Agreed = true
	l.record.Proofs.Agreement = &verify.AgreementRecord{
		Key: l.remote.Key.Public.Bytes(), Ephemeral: l.remote.Ephemeral.Bytes(), Answer: answer.Data,
	}
	return s.decide(ctx, l)
}

// subject is the citizen's name for one sector: nobody outside this server links two.
func (s *Server) subject(p *Party, number string) string {
	m := hmac.New(sha256.New, s.c.Pairwise)
	m.Write([]byte("tamthe eid subject v1\x00" + cmp.Or(p.Sector, p.ID) + "\x00" + number))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}
