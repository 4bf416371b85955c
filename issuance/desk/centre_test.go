package desk

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/perso"
	"github.com/tamthe/tamthe/issuance/signing"
	"github.com/tamthe/tamthe/verify"
)

// distant has a centre in the rig, at the other end of a pipe.
func (r *rig) distant(t testing.TB) *Distant {
	p := r.plan()
	c := NewCentre(r.service, r.store, p.Master, p.Transport, func() time.Time { return r.now })
	return &Distant{Dial: func(context.Context) (net.Conn, error) {
		desk, centre := net.Pipe()
		ended := make(chan struct{})
		go func() { defer close(ended); _ = c.Conduct(context.Background(), centre) }()
		t.Cleanup(func() { desk.Close(); <-ended })
		return desk, nil
	}}
}

// keyless is how a card is made at a desk that holds no key of any chip.
func (r *rig) keyless(t testing.TB) Personalisation {
	p := r.plan()
	p.Master, p.Centre = nil, r.distant(t)
	p.Transport = func(context.Context, string) ([]gp.Keys, error) {
		return nil, errors.New("the desk has no transport key")
	}
	return p
}

// TestCentre has a centre make cards: three times the desk waits for it with the chip, or
// four, as the first script asks for nothing that the chip says.
func TestCentre(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for n, c := range []struct {
		options byte
		scripts int
	}{{gp.OptionPseudoRandom, 4}, {0, 5}} {
		app, p, chip := r.approved(t, enrolment(n)), r.keyless(t), virtual.New(virtual.Config{Options: c.options})
		card := r.personalised(t, app, chip, p)
		r.checked(t, card, chip)
		check(t, r.binh.Deliver(t.Context(), card, Handover{}))
		wantVerdict(t, r.checkpoint(t, chip, true, canOf(person(n))), verify.Accept)
		if p.Centre.Scripts != c.scripts {
			t.Errorf("%d scripts, not %d", p.Centre.Scripts, c.scripts)
		}
	}
	r.sound(t)
}

// TestCentreAfterEveryAccident removes the card at each command and has the centre go on.
func TestCentreAfterEveryAccident(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	step, points := 5, 0 // perso tries them all
	if testing.Short() {
		step = 17
	}
	for n := 1; ; n += step {
		app, chip := r.approved(t, enrolment(n)), virtual.New(virtual.Config{Options: gp.OptionPseudoRandom})
		s := insert(chip)
		s.exchange = func(ctx context.Context, i int, b []byte) ([]byte, error) {
			if i == n {
				return nil, apdu.ErrRemoved
			}
			return chip.Exchange(ctx, b)
		}
		_, err := r.an.Personalise(t.Context(), app, s, r.keyless(t))
		if err == nil {
			break
		}
		wantError(t, "a card removed", err, apdu.ErrRemoved)
		card, err := r.an.Personalise(t.Context(), app, insert(chip), r.keyless(t))
		if err != nil {
			t.Fatalf("at %d: %v", n, err)
		}
		r.wantPhase(t, issuance.Card(card), issuance.Locked)
		points++
	}
	if points < 5 {
		t.Errorf("only %d points", points)
	}
	r.sound(t)
}

// lyingDesk is a desk in other hands: it may sign as a personaliser and do what it likes.
type lyingDesk struct {
	*making
	sign   func([]byte) ([]byte, error)
	record func(context.Context, perso.Record) error
	build  func(context.Context, perso.PublicKeys) (*perso.Content, error)
	errand func(*perso.Errand)
}

// lying asks the centre for the card of an application, as lie has it. It returns how many
// commands reached the chip.
func (r *rig) lying(t *testing.T, app string, lie func(*lyingDesk)) (commands int, err error) {
	t.Helper()
	d, s := must(r.an.Draft(t.Context(), app))(t), insert(blank())
	m := &making{o: r.an, p: r.keyless(t), app: app, card: newName("C-"), draft: d, chip: s}
	m.content = must(d.commitment())(t)
	m.tenure = must(must(r.an.begin(t.Context()))(t).lease(t.Context(), "application/"+app))(t)
	defer m.tenure.end(t.Context())
	m.blank = must(r.an.NextBlank(t.Context(), ""))(t)
	check(t, m.setDriver(t.Context()))
	l := &lyingDesk{
		making: m, record: m.Record, build: m.build, errand: func(*perso.Errand) {},
		sign: func(b []byte) ([]byte, error) { return signing.SignMaking(r.an.Signer, b) },
	}
	lie(l)
	e := must(m.errand(perso.State{}))(t)
	l.errand(&e)
	conn := must(m.p.Centre.Dial(t.Context()))(t)
	desk := perso.Desk{
		Station: &perso.Station{Link: apdu.Over(s, apdu.Limits{})}, Sign: l.sign, Journal: recording(l.record), Build: l.build,
		Verify: m.verify, Errors: centreErrors,
	}
	_, err = desk.Ask(t.Context(), conn, e, nil)
	return s.n, err
}

type recording func(context.Context, perso.Record) error

func (f recording) Record(ctx context.Context, r perso.Record) error { return f(ctx, r) }

// TestCentreRefuses has a desk in other hands ask for what nobody approved, or do otherwise
// than it says. The centre believes the log.
func TestCentreRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := 0
	enrolled := func() string { n++; return must(r.an.Enrol(t.Context(), enrolment(n)))(t) }
	approved := func() string {
		app := enrolled()
		check(t, r.binh.Approve(t.Context(), app))
		return app
	}
	var old []byte
	for name, c := range map[string]struct {
		app      string
		lie      func(*lyingDesk)
		want     error
		commands int // that reach the chip at the most
	}{
		"nobody approved": {app: enrolled(), want: signing.ErrNotApproved},
		"no application":  {app: approved(), lie: func(l *lyingDesk) { l.errand = func(e *perso.Errand) { e.Application = "A-0" } }, want: signing.ErrNotApproved},
		"the approver asks": {app: approved(), lie: func(l *lyingDesk) {
			l.sign = func(b []byte) ([]byte, error) { return signing.SignMaking(r.binh.Signer, b) }
			l.errand = func(e *perso.Errand) { e.Operator = must(r.binh.me())(t) }
		}, want: issuance.ErrRole},
		"another signs": {app: approved(), lie: func(l *lyingDesk) {
			l.sign = func(b []byte) ([]byte, error) { return signing.SignMaking(r.binh.Signer, b) }
		}, want: issuance.ErrSignature},
		"an errand of before": {app: approved(), lie: func(l *lyingDesk) {
			l.sign = func(b []byte) ([]byte, error) {
				if old == nil {
					old = must(signing.SignMaking(r.an.Signer, append(make([]byte, 32), b[32:]...)))(t)
				}
				return old, nil
			}
		}, want: issuance.ErrSignature},
		// SELECT and INITIALIZE UPDATE need no key: all that comes before is the chip's name.
		"nothing is recorded": {app: approved(), lie: func(l *lyingDesk) {
			l.record = func(context.Context, perso.Record) error { return nil }
		}, want: perso.ErrUnlogged, commands: 5},
		"another chip is recorded": {app: approved(), lie: func(l *lyingDesk) {
			l.record = func(ctx context.Context, rec perso.Record) error {
				rec.Chip[3] ^= 1
				return l.making.Record(ctx, rec)
			}
		}, want: perso.ErrUnlogged, commands: 5},
		"another portrait": {app: approved(), lie: func(l *lyingDesk) {
			l.build = func(ctx context.Context, k perso.PublicKeys) (*perso.Content, error) {
				c, err := l.making.build(ctx, k)
				if err == nil {
					c.Files[lds.DG2] = must(lds.EncodeDG2(lds.Face{Image: portrait(1), Coding: lds.JPEG, Width: 201, Height: 201}))(t)
				}
				return c, err
			}
		}, want: perso.ErrUnlogged, commands: 20},
		"a file more": {app: approved(), lie: func(l *lyingDesk) {
			l.build = func(ctx context.Context, k perso.PublicKeys) (*perso.Content, error) {
				c, err := l.making.build(ctx, k)
				if err == nil {
					c.Files[lds.DG3] = []byte{0x63, 0}
				}
				return c, err
			}
		}, want: perso.ErrUnlogged, commands: 20},
		"a trust point": {app: approved(), lie: func(l *lyingDesk) {
			l.build = func(ctx context.Context, k perso.PublicKeys) (*perso.Content, error) {
				c, err := l.making.build(ctx, k)
				if err == nil {
					c.Trust = [][]byte{{0x7F, 0x21}}
				}
				return c, err
			}
		}, want: signing.ErrNotApproved, commands: 20},
	} {
		if c.lie == nil {
			c.lie = func(*lyingDesk) {}
		}
		sent, err := r.lying(t, c.app, c.lie)
		wantError(t, name, err, c.want)
		if sent > c.commands {
			t.Errorf("%s: %d commands reached the chip", name, sent)
		}
	}
	// A card that was finished is not opened again under a second name.
	app := approved()
	r.personalised(t, app, blank(), r.keyless(t))
	_, err := r.lying(t, app, func(*lyingDesk) {})
	wantError(t, "a second card", err, signing.ErrNotApproved)
	r.sound(t)
}
