package conformance

import (
	"context"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/verify"
)

// stage is a blueprint that was made, before the station that judges it.
type stage struct {
	ctx   context.Context
	b     *blueprint
	files verify.Files
	made  *issuer
	chip  *virtual.Chip
}

// Got is how a card or a peer was judged.
type Got struct {
	Verdict string          `json:"verdict"` // accept, refuse, refer, or none where it did not come to one
	Reasons []verify.Reason `json:"reasons"` // why it is no other, and for accept what was remarked
	Detail  string          `json:"detail,omitempty"`
}

// none is the verdict of an inspection that did not happen: the chip was not opened, or
// the peer was turned away.
const none = "none"

// judge makes the card and shows it to the station. A panic of the code that is tried is a
// result like any other, and never the expected one.
func (b *blueprint) judge(ctx context.Context) (got Got, err error) {
	defer func() {
		if r := recover(); r != nil {
			got, err = Got{Verdict: "panic", Detail: fmt.Sprint(r)}, nil
		}
	}()
	s := &stage{ctx: ctx, b: b}
	if s.files, s.made, err = b.card(); err != nil {
		return Got{}, err
	}
	o := b.options
	o.Trust = b.store(s.made)
	if b.archive {
		o.Policy = verify.Policy{}
		return reported(verify.JudgeFiles(ctx, s.files, o))
	}
	if s.chip, err = b.software(s.files); err != nil {
		return Got{}, fmt.Errorf("make the chip: %w", err)
	}
	defer func() { _ = s.chip.Close() }()
	s.chip.OnCommand(b.command)
	if b.play != nil {
		return b.play(s)
	}
	var wire apdu.Wire = s.chip
	if b.wire != nil {
		wire = b.wire(s)
	}
	return reported(verify.Inspect(ctx, apdu.Over(wire, o.Reader), o))
}

// software makes the chip.
func (b *blueprint) software(files verify.Files) (*virtual.Chip, error) {
	fsys, err := folder(files)
	if err != nil {
		return nil, err
	}
	o := b.chip
	o.AA, o.CA, o.MRZ = b.aa, b.ca, b.zone()
	return virtual.FromFolder(fsys, o)
}

// reported turns a report, or what kept the station from one, into a result.
func reported(r *verify.Report, err error) (Got, error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return Got{}, err
	}
	if err != nil {
		return refusedBy(err), nil
	}
	g := Got{Verdict: r.Verdict.String(), Reasons: r.Reasons()}
	if r.Verdict == verify.Accept {
		for _, c := range r.Checks {
			if c.Reason != "" && c.Outcome != verify.NotRun {
				g.Reasons = append(g.Reasons, c.Reason)
			}
			if c.Outcome == verify.NotRun && (c.ID == verify.CheckTA || c.Reason == verify.ReasonGroupProtected || c.Reason == verify.ReasonRelay) {
				g.Reasons = append(g.Reasons, c.Reason)
			}
			if c.Outcome == verify.Passed && (c.ID == "lds.dg3" || c.ID == "lds.dg4") {
				g.Reasons = append(g.Reasons, reasonShown)
			}
		}
		return g, nil
	}
	for _, c := range r.Checks {
		if len(g.Reasons) > 0 && c.Reason == g.Reasons[0] && g.Detail == "" {
			g.Detail = c.Detail
		}
	}
	return g, nil
}

// The reasons of an inspection that did not happen. They are no reasons of a verdict.
const (
	reasonNoAccess      verify.Reason = "no-access"      // no permitted way into the chip
	reasonProtocol      verify.Reason = "protocol"       // the chip breaks the protocol
	reasonWrongPassword verify.Reason = "wrong-password" // it says that the password is wrong
	reasonBlocked       verify.Reason = "blocked"
	reasonTimeout       verify.Reason = "timeout"
	reasonStatus        verify.Reason = "refused-by-chip" // it refuses a step
	reasonError         verify.Reason = "error"
	reasonShown         verify.Reason = "fingers-or-irises-read" // no reason of a verdict either
)

// refusedBy names the error that kept an inspection from happening.
func refusedBy(err error) Got {
	g := Got{Verdict: none, Detail: err.Error()}
	_, refused := errors.AsType[*apdu.StatusError](err)
	switch {
	case errors.Is(err, card.ErrWrongPassword):
		g.Reasons = []verify.Reason{reasonWrongPassword}
	case errors.Is(err, auth.ErrBlocked):
		g.Reasons = []verify.Reason{reasonBlocked}
	case errors.Is(err, card.ErrNoAccess):
		g.Reasons = []verify.Reason{reasonNoAccess}
	case errors.Is(err, auth.ErrProtocol), errors.Is(err, auth.ErrSignature):
		g.Reasons = []verify.Reason{reasonProtocol}
	case errors.Is(err, apdu.ErrTimeout):
		g.Reasons = []verify.Reason{reasonTimeout}
	case refused:
		g.Reasons = []verify.Reason{reasonStatus}
	default:
		g.Reasons = []verify.Reason{reasonError}
	}
	return g
}
