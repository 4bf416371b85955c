package perso

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
)

// Desk is the end where the card is, with whoever acts there.
type Desk struct {
	Station *Station
	Sign    func(message []byte) ([]byte, error)
	Journal Journal
	Build   func(context.Context, PublicKeys) (*Content, error)
	Verify  func(context.Context) error
	// Errors are those that it tells apart, as the centre's.
	Errors   []error
	Progress func(Progress)
}

// ErrCentre says that the centre failed in a way that it does not tell.
var ErrCentre = errors.New("the centre failed")

// refusal is what a centre said.
type refusal struct {
	text string
	kind error
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.kind }

// Ask has the centre at the other end of conn make the card, and closes conn. It returns
// after how many scripts the card was done or given up. An error of the desk's own comes
// back as it is; of the centre's, one of Errors or ErrCentre.
func (d *Desk) Ask(ctx context.Context, conn net.Conn, e Errand, s *Content) (scripts int, err error) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	e.Signed = contentOut(s)
	a := &asking{Desk: d, line: line{conn}, e: &e}
	if err := a.send(); err != nil {
		return 0, err
	}
	for {
		frame, err := a.line.hear()
		if err != nil {
			return a.scripts, errors.Join(a.own, ctx.Err(), fmt.Errorf("%w: %w", ErrCentre, err))
		}
		if frame[0] == saysEnd {
			return a.scripts, a.ended(frame)
		}
		if err := a.do(ctx, frame); err != nil {
			return a.scripts, err
		}
	}
}

type asking struct {
	*Desk
	line    line
	e       *Errand
	scripts int
	own     error // why the desk could not do something
}

func (a *asking) send() error {
	var nonce []byte
	if err := a.line.wait(saysNonce, &nonce); err != nil {
		return fmt.Errorf("%w: %w", ErrCentre, err)
	}
	b, err := json.Marshal(a.e)
	if err != nil {
		return err
	}
	sig, err := a.Sign(append(nonce, b...))
	if err != nil {
		return err
	}
	return a.line.say(saysErrand, signedErrand{b, sig})
}

// do does what a frame asks for. The error is one of the line; the desk's own is kept.
func (a *asking) do(ctx context.Context, frame []byte) error {
	reply, err := a.reply(ctx, frame)
	if err != nil {
		a.own = err
		return a.line.say(saysFailed, struct{}{})
	}
	return writeFrame(a.line.conn, reply)
}

func (a *asking) reply(ctx context.Context, frame []byte) ([]byte, error) {
	switch frame[0] {
	case formScript:
		a.scripts++
		return a.Station.Do(ctx, frame)
	case saysRecord, saysBuild:
		var k errandKeys
		if err := read(frame, &k); err != nil {
			return nil, err
		}
		keys, err := k.in(a.e)
		if err != nil {
			return nil, err
		}
		if frame[0] == saysBuild {
			return a.built(ctx, keys)
		}
		return []byte{saysDone, '{', '}'}, a.record(ctx, k, keys)
	case saysVerify:
		return []byte{saysDone, '{', '}'}, a.Verify(ctx)
	}
	return nil, fmt.Errorf("%w: %q", ErrFrame, frame[0])
}

func (a *asking) record(ctx context.Context, k errandKeys, keys PublicKeys) error {
	if a.Progress != nil {
		a.Progress(Progress{Act: k.Act})
	}
	return a.Journal.Record(ctx, Record{
		Act: k.Act, Chip: k.Chip, Driver: k.Driver, KeyVersion: k.KeyVersion, AA: keys.AA, CA: keys.CA,
		Imported: k.Imported, Attempt: k.Attempt, AAEvidence: keys.AAEvidence, CAEvidence: keys.CAEvidence,
	})
}

func (a *asking) built(ctx context.Context, keys PublicKeys) ([]byte, error) {
	c, err := a.Build(ctx, keys)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(contentOut(c))
	return append([]byte{saysContent}, b...), err
}

// ended reads how the centre's work ended.
func (a *asking) ended(frame []byte) error {
	var e ending
	err := read(frame, &e)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrCentre, err)
	case e.Error == 0:
		return a.own
	case a.own != nil:
		return a.own
	case e.Error > 1 && e.Error-2 < len(a.Errors):
		return &refusal{printable(e.Text), a.Errors[e.Error-2]}
	}
	return ErrCentre
}

// printable keeps what cannot play tricks on a terminal.
func printable(s string) string {
	b := []byte(s[:min(len(s), maxText)])
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}
