package eid

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/relay"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/verify"
)

// relayTime is how long the server may have a card for itself, and maxRelays how many cards
// it has at once: each holds a connection.
const (
	relayTime = time.Minute
	maxRelays = 1000
)

// Relay reads the card itself, as the terminal, over the wire that the login's agent lends it,
// and decides. Where the wire breaks nothing is decided, and the agent may lend it again
// until the login's time is over.
func (s *Server) Relay(ctx context.Context, session, agent string, w apdu.Wire) (*Step, error) {
	l, r, err := s.lent(session, agent)
	if err != nil {
		return nil, err
	}
	return s.relay(ctx, l, r, agent, w)
}

// lent takes a login for the server to read its card.
func (s *Server) lent(session, agent string) (*login, Request, error) {
	l, err := s.take(session)
	if err != nil {
		return nil, Request{}, err
	}
	defer l.mu.Unlock()
	if l.stage != open || !l.has(agent) {
		return nil, Request{}, refuse(CodeTaken)
	}
	l.stage = relayed
	return l, l.request, nil
}

// relay reads the card of a login in stage relayed, which nobody else touches meanwhile, and
// which is not locked: its browser asks how it stands.
func (s *Server) relay(ctx context.Context, l *login, r Request, agent string, w apdu.Wire) (_ *Step, err error) {
	defer s.refuses("relay", &err)
	defer s.relays.Add(-1)
	if s.relays.Add(1) > maxRelays {
		return nil, s.giveBack(l, refuse(CodeRate))
	}
	record, err := readFar(ctx, apdu.Over(w, apdu.Limits{}), r, agent)
	why := farRefusal(err)
	if err != nil && why == nil {
		return nil, s.giveBack(l, err)
	}
	if s.c.Now().After(l.expires) {
		return nil, s.giveBack(l, refuse(CodeExpired))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if why != nil {
		return nil, s.refuse(ctx, l, why)
	}
	l.record, l.far = *record, true
	return s.decide(ctx, l)
}

// giveBack leaves a login to its agent, which may lend its card again.
func (s *Server) giveBack(l *login, why error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stage = open
	return why
}

// readFar is what the terminal does: keys and signature in the agent's channel, then Chip
// Authentication, and all that tells of the citizen in its own.
func readFar(ctx context.Context, t apdu.Transmitter, r Request, agent string) (*verify.Record, error) {
	far := card.FarOver(t)
	defer far.Close()
	record, size := &verify.Record{Files: map[lds.File][]byte{}}, 0
	read := func(f lds.File, needed bool) error {
		b, err := far.ReadFile(ctx, f)
		if errors.Is(err, card.ErrFileAbsent) && !needed {
			return nil
		}
		if err == nil {
			record.Files[f] = b
			if size += len(b); size > maxFiles {
				err = card.ErrFileTooLarge
			}
		}
		return err
	}
	for _, f := range []lds.File{lds.DG14, lds.DG15} {
		if err := read(f, f == lds.DG14); err != nil {
			return nil, err
		}
	}
	if _, ok := record.Files[lds.DG15]; ok {
		challenge := r.Challenge(agent)
		signature, err := far.InternalAuthenticate(ctx, challenge)
		if err != nil {
			return nil, err
		}
		record.Bound = true
		record.Proofs.Active = &verify.ActiveRecord{Challenge: challenge, Chosen: true, Signature: signature}
	}
	key, err := firstKey(record.Files[lds.DG14])
	if err != nil {
		return nil, err
	}
	proof, err := far.Chip1(ctx, *key, lds.SODFile)
	if err != nil {
		return nil, &agreementError{err}
	}
	record.Agreed = true
	record.Proofs.Agreement = &verify.AgreementRecord{Key: key.Public.Bytes(), Ephemeral: proof.Ephemeral.Bytes(), Answer: proof.Protected}
	for _, f := range []lds.File{lds.SODFile, lds.DG1} {
		if err := read(f, true); err != nil {
			return nil, err
		}
	}
	if r.national() {
		err = read(lds.DG13, false)
	}
	return record, err
}

// errNoKey says that a chip has no key that the server could agree with.
var errNoKey = errors.New("no key of Chip Authentication")

// firstKey is the strongest key of DG14 that can be run.
func firstKey(raw []byte) (*lds.ChipAuthKey, error) {
	infos, err := lds.ParseDG14(raw)
	if err != nil {
		return nil, err
	}
	keys, err := auth.ChipAuthKeys(infos)
	if err != nil || len(keys) == 0 {
		return nil, errNoKey
	}
	return &keys[0], nil
}

// agreementError is Chip Authentication that did not come about.
type agreementError struct{ err error }

func (e *agreementError) Error() string { return e.err.Error() }
func (e *agreementError) Unwrap() error { return e.err }

// farRefusal is what an error means for the login; nil if the wire broke and nothing was seen
// of the card that speaks against it.
func farRefusal(err error) error {
	if err == nil || relay.CodeOf(err) != "" {
		return nil
	}
	for _, broken := range []error{
		apdu.ErrAbandoned, apdu.ErrRemoved, apdu.ErrReset, apdu.ErrTimeout, relay.ErrStream, relay.ErrGone, relay.ErrCard,
		context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, broken) {
			return nil
		}
	}
	_, agreeing := errors.AsType[*agreementError](err)
	_, refused := errors.AsType[*apdu.StatusError](err)
	switch {
	case agreeing && errors.Is(err, sm.ErrProtection):
		return refuse(CodeClone, string(verify.ReasonChipKeyMismatch))
	case errors.Is(err, sm.ErrProtection):
		return refuse(CodeAltered)
	case errors.Is(err, errNoKey), agreeing && refused, errors.Is(err, card.ErrFileAbsent):
		return refuse(CodeUnproven)
	}
	return refuse(CodeEvidence)
}

// ending is the server's last word to an agent that lent its card.
type ending struct {
	*Next
	*Problem
}

// apiRelay turns the connection over to package relay, on which the server is the terminal.
func (s *Server) apiRelay(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != relay.Protocol {
		writeProblem(w, refuse(CodeProtocol))
		return
	}
	session, agent := r.PathValue("session"), r.Header.Get("Eid-Agent")
	l, asked, err := s.lent(session, agent)
	if err != nil {
		writeProblem(w, err)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil { // HTTP/2, or a proxy's own writer
		writeProblem(w, s.giveBack(l, refuse(CodeProtocol)))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), relayTime)
	defer cancel()
	conn.SetDeadline(time.Time{}) // the wire has its own, for each exchange
	wire := relay.Over(struct {
		io.Reader
		io.Writer
		io.Closer
	}{buffered, conn, conn}, 0)
	defer wire.Close()
	var step *Step
	if _, err = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "+relay.Protocol+"\r\n\r\n"); err != nil {
		wire.Close()
	}
	step, err = s.relay(ctx, l, asked, agent, wire)
	var last ending
	if err == nil {
		last.Next, err = step.next()
	}
	if err != nil {
		last = ending{Problem: problem(err).(*Problem)}
	}
	if b, err := json.Marshal(last); err == nil {
		wire.End(ctx, b) // the agent that is gone has no use for it
	}
}
