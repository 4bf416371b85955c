package eid

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
)

type loginKey struct{}

// LoginOf is the session of the login that is being judged where a source of status is asked;
// "" where none is. Two logins with one card may be judged at once, by different files.
func LoginOf(ctx context.Context) string {
	session, _ := ctx.Value(loginKey{}).(string)
	return session
}

// judge says what what was shown is worth.
func (s *Server) judge(ctx context.Context, l *login, now time.Time) (*verify.Report, error) {
	o := s.c.Options
	o.At = now
	if l.holder {
		o.Holder = verify.HolderMatch
	}
	began := time.Now()
	defer func() { s.c.Metrics.Judged(time.Since(began)) }()
	return verify.JudgeRecord(context.WithValue(ctx, loginKey{}, l.id), l.record, o)
}

// decide judges what was shown and concludes.
func (s *Server) decide(ctx context.Context, l *login) (*Step, error) {
	now := s.c.Now()
	report, err := s.judge(ctx, l, now)
	if err != nil {
		return nil, s.refuse(ctx, l, refuse(CodeEvidence))
	}
	return s.conclude(ctx, l, report, now)
}

// conclude has the decision kept, and only then lets the login be redeemed.
func (s *Server) conclude(ctx context.Context, l *login, report *verify.Report, now time.Time) (*Step, error) {
	d := l.decision(now)
	d.Card, d.Evidence = report.Document.Card, digest(l.record)
	d.Proof = proofOf(l.record, l.far)
	identity, unproven := report.Identity()
	if err := s.refusalOf(l, report, unproven); err != nil {
		return nil, s.keep(ctx, l, d, err)
	}
	level := Possession
	if l.holder {
		level = Holder
	}
	d.Level = level
	if err := s.keep(ctx, l, d, nil); err != nil {
		return nil, err
	}
	told := disclose(identity, l.ask.Fields, now)
	l.claims = &Claims{
		Issuer: s.c.URL, Audience: l.party.ID, Subject: s.subject(l.party, nameOf(identity)), ID: l.request.Session,
		Issued: now.Unix(), Nonce: l.ask.Nonce, Level: string(level), Methods: methods(l.record, l.holder),
		Purpose: l.ask.Purpose, Fields: told, Specimen: s.Specimen(),
	}
	l.stage = decided
	var names []string
	for _, f := range l.ask.Fields {
		if told[f] != "" {
			names = append(names, f)
		}
	}
	return &Step{Finish: l.finish, Told: names}, nil
}

// nameOf is what a citizen's pairwise name is made from: the number that stays theirs, else
// the document's.
func nameOf(i verify.Identity) string {
	if i.Number != "" {
		return i.Nationality + " " + i.Number
	}
	return i.Nationality + " document " + i.DocumentNumber
}

// decision is what is known of a login before it is judged.
func (l *login) decision(now time.Time) Decision {
	return Decision{Session: l.request.Session, Time: now.UTC(), Party: l.party.ID, Purpose: l.ask.Purpose, Fields: l.ask.Fields, Level: l.ask.Level}
}

// refuse ends a login that did not get so far as to be judged.
func (s *Server) refuse(ctx context.Context, l *login, why error) error {
	return s.keep(ctx, l, l.decision(s.c.Now()), why)
}

// keep has a decision kept. A login whose decision is not on the disk is not decided: the
// agent may present again, until the login's time is over.
func (s *Server) keep(ctx context.Context, l *login, d Decision, why error) error {
	if r, ok := errors.AsType[*Refusal](why); ok {
		d.Code, d.Reasons = r.Code, r.Reasons
	}
	began := time.Now()
	err := s.c.Store.Decide(ctx, d)
	s.c.Metrics.Stored(time.Since(began), err)
	if err != nil {
		l.forget()
		l.stage = open
		s.c.Log.ErrorContext(ctx, "a decision is not on the record", "session", d.Session, "error", err)
		return err
	}
	s.decided(ctx, d)
	l.forget()
	if why != nil {
		s.close(l, refused, why)
	}
	return why
}

// close ends a login, of which no more is kept than how it ended.
func (s *Server) close(l *login, how stage, why error) {
	l.stage, l.refusal = how, why
	s.table.end(l)
}

// refusalOf is why a report is not good enough, if it is not; unproven is why it tells nobody's
// identity.
func (s *Server) refusalOf(l *login, r *verify.Report, unproven error) error {
	var reasons []string
	for _, reason := range r.Reasons() {
		reasons = append(reasons, string(reason))
	}
	has := func(list ...verify.Reason) bool {
		return slices.ContainsFunc(list, func(x verify.Reason) bool { return slices.Contains(reasons, string(x)) })
	}
	active, agreed := r.Check(verify.CheckAA), r.Check(verify.CheckCA1)
	signed := l.record.Proofs.Active != nil
	switch {
	case has(verify.ReasonGroupHash):
		return refuse(CodeAltered, reasons...)
	case signed && active.Outcome == verify.Failed && agreed.Outcome == verify.Passed:
		return refuse(CodeNonce, reasons...) // the chip is genuine, its signature is of something else
	case signed && active.Outcome == verify.Failed || agreed.Outcome == verify.Failed:
		return refuse(CodeClone, reasons...)
	case has(verify.ReasonCardRevoked, verify.ReasonSignerRevoked, verify.ReasonCardSuspended, verify.ReasonCardSuperseded):
		return refuse(CodeRevoked, reasons...)
	case r.Verdict == verify.Refuse:
		return refuse(CodeNotGenuine, reasons...)
	case unproven != nil:
		return refuse(CodeInconclusive, reasons...)
	case active.Outcome != verify.Passed && (agreed.Outcome != verify.Passed || slices.Contains(l.party.Proofs, ProofActive)),
		agreed.Outcome != verify.Passed && slices.Contains(l.party.Proofs, ProofAgreement):
		return refuse(CodeUnproven, reasons...)
	case active.Outcome != verify.Passed && active.Reason != verify.ReasonKeyFactorable && signs(l.record):
		return refuse(CodeUnproven, reasons...)
	case r.Verdict != verify.Accept:
		return refuse(CodeInconclusive, reasons...)
	case l.ask.Level == Holder && !l.holder:
		return refuse(CodeLevel)
	}
	return nil
}

// signs reports whether a chip has a key to sign with, by the SOD and whatever was shown of it.
// Only its signature is bound to this login: Chip Authentication is answered to whoever asks,
// and a service in between would leave the signature out.
func signs(r verify.Record) bool {
	sod, err := lds.ParseSOD(r.Files[lds.SODFile])
	if err != nil {
		return false
	}
	_, listed := sod.Object.GroupHash(lds.DG15.Number())
	return listed
}

func proofOf(r verify.Record, far bool) string {
	var list []string
	if r.Proofs.Active != nil {
		list = append(list, "active")
	}
	switch {
	case r.Agreed && far:
		list = append(list, "relay")
	case r.Agreed:
		list = append(list, "agreement")
	}
	return strings.Join(list, " ")
}

// methods are how the citizen was authenticated (RFC 8176: hardware-secured key, user
// presence seen by somebody). The card's password is no PIN: it is printed on the card.
func methods(r verify.Record, holder bool) []string {
	list := []string{"hwk"}
	if holder {
		list = append(list, "user")
	}
	return list
}

// digest names the evidence: SHA-256 over the files' names and digests and the proofs.
func digest(r verify.Record) [32]byte {
	h := sha256.New()
	files := make([]string, 0, len(r.Files))
	for f, b := range r.Files {
		sum := sha256.Sum256(b)
		files = append(files, f.Name()+string(sum[:]))
	}
	slices.Sort(files)
	for _, f := range files {
		h.Write([]byte(f))
	}
	if a := r.Proofs.Active; a != nil {
		h.Write(a.Challenge[:])
		h.Write(a.Signature)
	}
	if a := r.Proofs.Agreement; a != nil {
		h.Write(a.Ephemeral)
		h.Write(a.Answer)
	}
	return [32]byte(h.Sum(nil))
}

// Redeem gives the assertion to the party, once: to whoever has the browser session that
// began the login and the code that the agent gave its citizen. Evidence that somebody was
// lured into giving for another browser's login stays with that citizen's agent.
func (s *Server) Redeem(secret, session, browser, finish string) (token string, c *Claims, err error) {
	defer s.refuses("redeem", &err)
	l, err := s.take(session)
	if err != nil {
		return "", nil, err
	}
	defer l.mu.Unlock()
	if !l.party.Knows(secret) {
		return "", nil, refuse(CodeParty)
	}
	if c, err = s.redeem(l, browser, finish); err != nil {
		return "", nil, err
	}
	if token, err = s.c.Signer.sign(c); err != nil {
		return "", nil, err
	}
	s.c.Metrics.Redeemed(l.party.ID, c.Level)
	s.close(l, redeemed, nil)
	return token, c, nil
}

// RedeemFor is Redeem for a caller that answers the party by other means than an assertion
// of this package: OpenID Connect has tokens of its own.
func (s *Server) RedeemFor(party, session, browser, finish string) (c *Claims, err error) {
	defer s.refuses("redeem", &err)
	l, err := s.take(session)
	if err != nil {
		return nil, err
	}
	defer l.mu.Unlock()
	if l.party.ID != party {
		return nil, refuse(CodeParty)
	}
	if c, err = s.redeem(l, browser, finish); err != nil {
		return nil, err
	}
	s.c.Metrics.Redeemed(l.party.ID, c.Level)
	s.close(l, redeemed, nil)
	return c, nil
}

// redeem is what a login came to, for the browser session that began it.
func (s *Server) redeem(l *login, browser, finish string) (*Claims, error) {
	sum := sha256.Sum256([]byte(browser))
	switch {
	case subtle.ConstantTimeCompare(sum[:], l.browser[:]) != 1:
		return nil, refuse(CodeUnbound)
	case l.stage == redeemed:
		return nil, refuse(CodeReplayed)
	case l.stage == refused:
		return nil, l.refusal
	case l.stage != decided:
		return nil, refuse(CodeTaken)
	case subtle.ConstantTimeCompare([]byte(finish), []byte(l.finish)) != 1:
		if l.wrong++; l.wrong >= maxWrong {
			s.close(l, refused, refuse(CodeUnbound))
		}
		return nil, refuse(CodeUnbound)
	}
	c := *l.claims
	now := s.c.Now()
	c.Issued, c.Expires = now.Unix(), now.Add(assertionLife).Unix()
	return &c, nil
}

// assertionLife is how long an assertion is good: from the server to the party and no longer.
const assertionLife = 2 * time.Minute

// State tells the browser session that began a login how it stands: waiting for an agent,
// for the card, to be redeemed, or why it was refused.
func (s *Server) State(session, browser string) (string, error) {
	l, err := s.take(session)
	if err != nil {
		return "", err
	}
	defer l.mu.Unlock()
	sum := sha256.Sum256([]byte(browser))
	if subtle.ConstantTimeCompare(sum[:], l.browser[:]) != 1 {
		return "", refuse(CodeUnbound)
	}
	if l.stage == refused {
		return "", l.refusal
	}
	return [...]string{begun: "begun", open: "open", waiting: "open", relayed: "open", decided: "decided", redeemed: "redeemed"}[l.stage], nil
}
