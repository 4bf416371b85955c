package conformance

import (
	"context"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/verify"
)

// Play is one way in which a case is played: what it is, and what must come of it.
type Play struct {
	ID, What string
	Verdict  string        // accept, refuse, refer, or none where it comes to no inspection
	Reason   verify.Reason // that must be among those given; "" is none in particular
}

// Plays returns every play.
func Plays() []Play {
	var list []Play
	for _, p := range plays() {
		list = append(list, Play{p.id, p.what, p.verdict, p.reason})
	}
	return list
}

// Cases returns every case: the attacks, then those of the guideline, each in its order.
func Cases() ([]Case, error) { return cases() }

// Cast is who stands on the stage in place of the usual holder.
type Cast struct {
	Person vn.Person
	Face   lds.Face // the portrait of DG2; without an image the usual grey disc
}

// Scene is a play that has been played, for others to look at: the card, the chip and the
// station that it was shown to.
type Scene struct {
	Play
	Got    Got
	Report *verify.Report // without the comparison of the bearer; nil where it came to none, or the play is about no card

	Person  vn.Person
	Expiry  vn.Expiry
	Printed *mrz.MRZ // the zone as it is printed; nil if there is none
	QR      string   // the printed code; "" if the station was not given one
	CAN     string   // that the station was given; "" if none
	ByMRZ   bool     // the station opens the chip with the zone, not with the CAN
	Station verify.Options
	stage   *stage
}

// Stage plays one play with this cast. The errors are ErrCase for a play that there is not,
// ctx's, and what kept the card from being made.
func Stage(ctx context.Context, id string, c Cast) (*Scene, error) {
	for _, p := range plays() {
		if p.id == id {
			b := p.base()
			b.cast(c)
			p.change(b)
			return b.scene(ctx, Play{p.id, p.what, p.verdict, p.reason})
		}
	}
	return nil, fmt.Errorf("%q: %w", id, ErrCase)
}

// cast gives the sound card to somebody else. What a base made of its holder is made anew.
func (b *blueprint) cast(c Cast) {
	b.person, b.face = c.Person, c.Face
	b.expiry = vn.ExpiryOf(c.Person.Birth, issued)
	b.chip.CAN = c.Person.Number.CAN()
	for i, p := range b.options.Passwords {
		if b.options.Passwords[i] = auth.CAN(b.chip.CAN); p.Reference() == auth.RefMRZ {
			b.options.Passwords[i] = auth.MRZ(b.zone())
		}
	}
}

func (b *blueprint) scene(ctx context.Context, p Play) (s *Scene, err error) {
	s = &Scene{Play: p, Person: b.person, Expiry: b.expiry, QR: b.options.QR, Station: b.options}
	if s.Printed = b.options.Printed; s.Printed == nil {
		s.Printed, _ = vn.WriteMRZ(b.person, b.expiry) // a person whose zone cannot be written has none printed
	}
	for _, password := range b.options.Passwords {
		s.ByMRZ = s.ByMRZ || password.Reference() == auth.RefMRZ
		if secret, err := password.PACESecret(); err == nil && password.Reference() == auth.RefCAN {
			s.CAN = string(secret)
		}
	}
	if b.play != nil {
		s.Got, err = b.judge(ctx)
	}
	s.stage = &stage{ctx: ctx, b: b}
	if err == nil {
		s.stage.files, s.stage.made, err = b.card()
	}
	if err != nil {
		return nil, err
	}
	s.Station.Trust = b.store(s.stage.made)
	if b.play != nil {
		return s, nil
	}
	s.Report, err = s.inspect(ctx, s.Station.Holder)
	if s.Got, err = reported(s.Report, err); err != nil {
		return nil, err
	}
	if s.Report != nil && s.Station.Holder != verify.HolderNotCompared {
		s.Report, err = s.inspect(ctx, verify.HolderNotCompared)
	}
	return s, err
}

// inspect shows the card to the station.
func (s *Scene) inspect(ctx context.Context, bearer verify.Holder) (*verify.Report, error) {
	o := s.Station
	o.Holder = bearer
	if s.stage.b.archive {
		o.Policy = verify.Policy{}
		return verify.JudgeFiles(ctx, s.stage.files, o)
	}
	h, err := s.Hold()
	if err != nil {
		return nil, err
	}
	defer func() { _ = h.Close() }()
	return verify.Inspect(ctx, apdu.Over(h, o.Reader), o)
}

// Offstage reports that no card is shown to a checkpoint in this play: a list, a desk, a
// bundle or a listener is at hand, and there is no report.
func (s *Scene) Offstage() bool { return s.stage.b.play != nil }

// Holds reports whether the play is about a card that a station with a trust folder, and
// flags that a checkpoint has, can be shown on a reader.
func (s *Scene) Holds() bool { return s.stage.b.holds(s.Play) }

// Holds is that of a scene, asked before it is made; false for a play that there is not.
func Holds(id string) bool {
	for _, p := range plays() {
		if p.id == id {
			b := p.base()
			p.change(b)
			return b.holds(Play{p.id, p.what, p.verdict, p.reason})
		}
	}
	return false
}

func (b *blueprint) holds(p Play) bool {
	same := b.options.Printed == nil || b.options.Printed.KeyInfo() == b.zone()
	return b.play == nil && !b.archive && b.options.Terminal == nil && b.options.Newest.IsZero() && p.Reason != reasonTimeout && same
}

// Hold makes the chip of the scene, or what a forger put in its place, for a reader.
func (s *Scene) Hold() (*Held, error) {
	chip, err := s.stage.b.software(s.stage.files)
	if err != nil {
		return nil, err
	}
	chip.OnCommand(s.stage.b.command)
	own := *s.stage
	own.chip = chip
	h := &Held{stage: &own}
	h.Reset()
	return h, nil
}

// Held is a chip of a scene in the hand of whoever holds it into a reader.
type Held struct {
	stage *stage
	wire  apdu.Wire
}

var _ virtual.Card = (*Held)(nil)

// Exchange implements [apdu.Wire].
func (h *Held) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	return h.wire.Exchange(ctx, b)
}

// ATR is what the chip answers to a reset.
func (h *Held) ATR() []byte { return h.stage.chip.ATR() }

// Reset powers the chip down and up again; who sits before it begins anew, too.
func (h *Held) Reset() {
	h.stage.chip.Reset()
	h.wire = h.stage.chip
	if h.stage.b.wire != nil {
		h.wire = h.stage.b.wire(h.stage)
	}
}

// Close lets go of the chip.
func (h *Held) Close() error { return h.stage.chip.Close() }
