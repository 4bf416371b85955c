package perso

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"time"

	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
)

// ErrUnlogged says that a desk told a centre of something that the log does not have, or
// has otherwise.
var ErrUnlogged = errors.New("the log does not say what the desk says")

// Stage is where a card stands, as a centre's own reading of the log has it.
type Stage struct {
	Phase     issuance.Phase
	Chip      gp.KDD    // from Allocated on
	Keys      []string  // SHA-256 of the chip's public keys in hex, from Keyed on
	SOD       string    // SHA-256 of EF.SOD in hex, from Signed on
	Transport string    // name of the transport key that the batch came with
	Begun     time.Time // when it was allocated
	Attempts  int
}

// Centre makes cards in readers of desks that hold no key of any chip.
type Centre struct {
	// Stage judges whether a card is one to be made, for whoever signed the message, and says
	// where it stands now. It is asked before anything is sent and after each act that the
	// desk says it recorded.
	Stage func(ctx context.Context, e *Errand, message, signature []byte) (Stage, error)
	// Issuer returns the issuer's own keys for a chip, and Transport those of blanks that came
	// with a transport key of that name. They are destroyed.
	Issuer    func(context.Context, gp.KDD) (gp.Keys, error)
	Transport func(ctx context.Context, name string) ([]gp.Keys, error)
	// Trusts refuses what is no trust point of this issuer's; nil refuses all.
	Trusts func(certificate []byte) error
	// Errors are those that a desk can tell apart, in an order that both ends have.
	Errors []error
	Now    func() time.Time
}

// Conduct makes the card that the desk at the other end of conn asks for, and closes conn.
// The connection has to prove who is there. Nothing that depends on a key of the chip is
// sent before the log has what announces it, and nothing is written to a chip but what was
// signed for it. What the desk keeps for itself are the commands in their protection; who
// knows the transport keys of blanks can open the one that carries the issuer's keys.
func (c *Centre) Conduct(ctx context.Context, conn net.Conn) error {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	x := &conducted{Centre: c, line: line{conn}}
	err := x.run(ctx)
	end := ending{}
	if err != nil {
		end = ending{Error: 1}
		for i, known := range c.Errors {
			if errors.Is(err, known) {
				text := err.Error()
				end = ending{i + 2, text[:min(len(text), maxText)]}
				break
			}
		}
	}
	return errors.Join(err, x.line.say(saysEnd, end))
}

// conducted is one card made at a centre; it is the journal of its run.
type conducted struct {
	*Centre
	line      line
	e         *Errand
	message   []byte
	signature []byte
	stage     Stage
	transport []gp.Keys
}

func (x *conducted) run(ctx context.Context) error {
	if err := x.listen(ctx); err != nil {
		return err
	}
	order, err := x.order(ctx)
	if err != nil {
		return err
	}
	defer func() {
		for i := range x.transport {
			x.transport[i].Destroy()
		}
	}()
	state, err := x.state()
	if err != nil {
		return err
	}
	return Run(ctx, NewRemote(x.carry, x.e.Limits), order, x, state)
}

// listen takes the errand in. It is signed with a number that the centre drew, so that none
// can be made twice.
func (x *conducted) listen(ctx context.Context) error {
	nonce := make([]byte, 32)
	rand.Read(nonce)
	if err := x.line.say(saysNonce, nonce); err != nil {
		return err
	}
	var s signedErrand
	if err := x.line.wait(saysErrand, &s); err != nil {
		return err
	}
	x.e = &Errand{}
	if err := read(append([]byte{saysErrand}, s.Errand...), x.e); err != nil {
		return err
	}
	x.message, x.signature = append(nonce, s.Errand...), s.Signature
	return x.look(ctx)
}

func (x *conducted) look(ctx context.Context) (err error) {
	x.stage, err = x.Stage(ctx, x.e, x.message, x.signature)
	return err
}

func (x *conducted) order(ctx context.Context) (o Order, err error) {
	if o.Driver, err = DriverByName(x.e.Driver); err != nil {
		return Order{}, err
	}
	for _, c := range []struct {
		to **dh.Curve
		id int
	}{{&o.AA, x.e.AA}, {&o.CA, x.e.CA}} {
		if *c.to, err = x.e.curve(c.id); err != nil {
			return Order{}, err
		}
	}
	if x.transport, err = x.Transport(ctx, x.stage.Transport); err != nil {
		return Order{}, err
	}
	o.Transport, o.Import, o.Now = x.transport, x.e.Import, x.Now
	o.Issuer = func(k gp.KDD) (gp.Keys, error) { return x.Issuer(ctx, k) }
	o.Build, o.Verify = x.build, x.verify
	return o, nil
}

// state is where the run begins: what the log says, with what the desk has kept of it.
func (x *conducted) state() (s State, err error) {
	s = State{Phase: x.stage.Phase, Chip: x.stage.Chip, Begun: x.stage.Begun, Attempts: x.stage.Attempts}
	if s.AA, s.CA, err = x.points(x.e.Keys); err != nil {
		return State{}, err
	}
	if !s.reached(issuance.Signed) {
		return s, nil
	}
	if s.Signed, err = x.e.Signed.in(); err != nil {
		return State{}, err
	}
	if s.Signed == nil && s.Phase == issuance.Signed {
		s.Phase = issuance.Prepared // it did not arrive, and is asked for again
		return s, nil
	}
	return s, x.agrees(s.Signed)
}

// points are public keys that the card has claimed in the log.
func (x *conducted) points(b [2][]byte) (aa, ca *dh.Point, err error) {
	if aa, ca, err = x.e.points(b); err != nil {
		return nil, nil, err
	}
	for _, p := range b {
		if sum := sha256.Sum256(p); p != nil && !slices.Contains(x.stage.Keys, hex.EncodeToString(sum[:])) {
			return nil, nil, fmt.Errorf("a key of the chip: %w", ErrUnlogged)
		}
	}
	return aa, ca, nil
}

// carry takes a script to the desk.
func (x *conducted) carry(_ context.Context, script []byte) ([]byte, error) {
	if err := writeFrame(x.line.conn, script); err != nil {
		return nil, fmt.Errorf("send a script to the desk: %w", err)
	}
	b, err := x.line.hear()
	if err == nil && b[0] == saysFailed {
		err = errDesk
	}
	if err != nil {
		return nil, fmt.Errorf("wait for the desk's answers: %w", err)
	}
	return b, nil
}

// recorded is where a card stands after each act.
var recorded = map[issuance.Act]issuance.Phase{
	issuance.Allocate: issuance.Allocated, issuance.Rotate: issuance.Rotating, issuance.Generate: issuance.Keyed,
	issuance.Write: issuance.Writing, issuance.WriteDone: issuance.Written, issuance.Lock: issuance.Locking, issuance.LockDone: issuance.Locked,
}

// Record has the desk record an act, and sees that the log has it.
func (x *conducted) Record(ctx context.Context, r Record) error {
	k := errandKeys{Act: r.Act, Chip: r.Chip, Driver: r.Driver, KeyVersion: r.KeyVersion, Imported: r.Imported, Attempt: r.Attempt}
	if err := k.out(r.AA, r.CA, r.AAEvidence, r.CAEvidence); err != nil {
		return err
	}
	if err := x.tell(ctx, saysRecord, k); err != nil {
		return err
	}
	to, known := recorded[r.Act]
	switch {
	case known && x.stage.Phase != to, !known && x.stage.Attempts != r.Attempt, x.stage.Chip != r.Chip:
		return fmt.Errorf("%s: %w", r.Act, ErrUnlogged)
	}
	_, _, err := x.points(k.Points)
	return err
}

// tell has the desk do something, and reads the log anew.
func (x *conducted) tell(ctx context.Context, what byte, v any) error {
	if err := x.line.say(what, v); err != nil {
		return err
	}
	if err := x.line.wait(saysDone, &struct{}{}); err != nil {
		return err
	}
	return x.look(ctx)
}

func (x *conducted) verify(ctx context.Context) error { return x.tell(ctx, saysVerify, struct{}{}) }

// build has the desk build the files and have them signed.
func (x *conducted) build(ctx context.Context, keys PublicKeys) (*Content, error) {
	k := errandKeys{Chip: keys.Chip}
	if err := k.out(keys.AA, keys.CA, keys.AAEvidence, keys.CAEvidence); err != nil {
		return nil, err
	}
	if err := x.line.say(saysBuild, k); err != nil {
		return nil, err
	}
	var out errandContent
	if err := x.line.wait(saysContent, &out); err != nil {
		return nil, err
	}
	if err := x.look(ctx); err != nil {
		return nil, err
	}
	c, err := out.in()
	if err != nil {
		return nil, err
	}
	return c, x.agrees(c)
}

// open are the files beside the security object and what it covers: anybody may read them,
// and they decide nothing.
var open = []lds.File{lds.COM, lds.CardAccess, lds.SODFile}

// agrees sees that files are those of the security object that the log has for the card.
func (x *conducted) agrees(c *Content) error {
	bad := func(what string) error { return fmt.Errorf("%s: %w", what, ErrUnlogged) }
	if c == nil {
		return bad("no content")
	}
	sum := sha256.Sum256(c.Files[lds.SODFile])
	if hex.EncodeToString(sum[:]) != x.stage.SOD {
		return bad(lds.SODFile.Name())
	}
	sod, err := lds.ParseSOD(c.Files[lds.SODFile])
	if err != nil {
		return err
	}
	for _, f := range slices.Sorted(maps.Keys(c.Files)) {
		if slices.Contains(open, f) {
			continue
		}
		want, listed := sod.Object.GroupHash(f.Number())
		h := sod.Object.Hash.New()
		h.Write(c.Files[f])
		if !listed || !bytes.Equal(h.Sum(nil), want) {
			return bad(f.Name())
		}
	}
	for _, t := range c.Trust {
		if x.Trusts == nil {
			return bad("a trust point")
		}
		if err := x.Trusts(t); err != nil {
			return err
		}
	}
	return nil
}
