package perso

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
)

// remote runs a rig's order at a centre, with the reader at the end of a courier.
func (r *rig) remote(t *testing.T, p *pull, carry func(Courier) Courier) (*Remote, error) {
	t.Helper()
	p.rig = r
	r.chip.Reset()
	station := &Station{Link: apdu.Over(p, r.limits)}
	c := Courier(station.Do)
	if carry != nil {
		c = carry(c)
	}
	link := NewRemote(c, r.limits)
	return link, Run(t.Context(), link, r.order(p), &r.journal, r.journal.state())
}

// TestCentreWrapsTheScript makes cards from a centre and counts how often the desk waits
// for it. The first script needs nothing of the chip, so that it is at the desk before the
// chip is; the last answers need no reply.
func TestCentreWrapsTheScript(t *testing.T) {
	for name, c := range map[string]struct {
		options byte
		trips   int
	}{
		"pseudo-random challenge": {gp.OptionPseudoRandom, 4},
		"the same in S16 mode":    {gp.OptionPseudoRandom | gp.OptionS16, 4},
		"random challenge":        {0, 5},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig()
			r.chip = virtual.New(virtual.Config{Options: c.options})
			p := &pull{}
			link, err := r.remote(t, p, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.issuedOnce(t)
			if c.options&gp.OptionS16 != 0 {
				c.trips++ // the first INITIALIZE UPDATE is too short
			}
			if link.Trips() != c.trips {
				t.Errorf("%d scripts", link.Trips())
			}
			t.Logf("%d commands in %d scripts: %d round trips from the chip to its lock", p.n, link.Trips(), link.Trips()-1)
		})
	}
}

// TestCentreOverAConnection has both ends in a conversation over a pipe.
func TestCentreOverAConnection(t *testing.T) {
	r := newRig()
	p := &pull{rig: r}
	desk, centre := net.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- (&Station{Link: apdu.Over(p, r.limits)}).Serve(context.Background(), desk)
	}()
	link := NewRemote(Over(centre), r.limits)
	if err := Run(t.Context(), link, r.order(p), &r.journal, State{}); err != nil {
		t.Fatal(err)
	}
	centre.Close()
	if err := <-done; err != nil {
		t.Errorf("desk: %v", err)
	}
	r.issuedOnce(t)
}

// TestEveryAccidentFromACentre is TestEveryAccident over a Remote: the card removed at any
// command, before it or after it, and any write torn.
func TestEveryAccidentFromACentre(t *testing.T) {
	points := 0
	for _, kind := range []func(n int) accident{
		func(n int) accident { return removal(n, false) },
		func(n int) accident { return removal(n, true) },
		tear,
	} {
		for n := 1; ; n += stride() {
			r := newRig()
			r.chip = virtual.New(virtual.Config{Options: gp.OptionPseudoRandom})
			p := &pull{}
			kind(n)(r, p)
			_, err := r.remote(t, p, nil)
			r.chip.OnWrite(nil)
			if err == nil {
				break
			}
			if !errors.Is(err, apdu.ErrRemoved) {
				t.Fatalf("at %d: %v", n, err)
			}
			if _, err := r.remote(t, &pull{}, nil); err != nil {
				t.Fatalf("at %d, resume: %v", n, err)
			}
			if r.issuedOnce(t); t.Failed() {
				t.Fatalf("at %d", n)
			}
			points++
		}
	}
	if points < 20 {
		t.Errorf("only %d points", points)
	}
	t.Logf("%d points", points)
}

// TestDeskThatLies has a desk say what a chip never said: its answers are altered, left
// out, or made up of what the script lets it know.
func TestDeskThatLies(t *testing.T) {
	for name, lie := range map[string]func(*Script, *Answers){
		"all is well": func(s *Script, a *Answers) {
			for len(a.List) < len(s.Steps) {
				a.List = append(a.List, []byte{0x90, 0x00})
			}
			a.End = Finished
		},
		"bare success": func(_ *Script, a *Answers) {
			for i := range a.List {
				a.List[i] = []byte{0x90, 0x00}
			}
		},
		"one bit": func(_ *Script, a *Answers) {
			last := a.List[len(a.List)-1]
			last[0] ^= 1
		},
		"fewer": func(_ *Script, a *Answers) { a.List = a.List[:len(a.List)-1] },
		"more":  func(_ *Script, a *Answers) { a.List = append(a.List, []byte{0x90, 0x00}) },
		"the digests": func(s *Script, a *Answers) {
			for i := range a.List {
				a.List[i] = append(s.Steps[i].Want[:], 0x90, 0x00)
			}
		},
	} {
		for trip := 1; trip <= 4; trip++ {
			r := newRig()
			r.chip = virtual.New(virtual.Config{Options: gp.OptionPseudoRandom})
			n := 0
			_, err := r.remote(t, &pull{}, func(c Courier) Courier {
				return func(ctx context.Context, script []byte) ([]byte, error) {
					b, err := c(ctx, script)
					if n++; err != nil || n != trip {
						return b, err
					}
					s, err := ParseScript(script)
					if err != nil {
						return nil, err
					}
					a, err := ParseAnswers(b)
					if err != nil {
						return nil, err
					}
					lie(s, a)
					return a.MarshalBinary()
				}
			})
			if err == nil && name != "all is well" || r.journal.count(issuance.LockDone) > 0 && name != "all is well" {
				t.Errorf("%s in script %d: %v, recorded %v", name, trip, err, r.journal.records)
			}
		}
	}
}

// TestDeskWithoutAChip has a desk without any chip behind answers of its own.
func TestDeskWithoutAChip(t *testing.T) {
	r := upTo(t, issuance.Sign)
	n := 0
	link := NewRemote(func(ctx context.Context, script []byte) ([]byte, error) {
		n++
		if n == 1 { // it shows the chip, and then takes it away
			return (&Station{Link: apdu.Over(r.chip, apdu.Limits{})}).Do(ctx, script)
		}
		s, err := ParseScript(script)
		if err != nil {
			return nil, err
		}
		a := &Answers{}
		for range s.Steps {
			a.List = append(a.List, append(make([]byte, 8), 0x90, 0x00))
		}
		return a.MarshalBinary()
	}, apdu.Limits{})
	r.chip.Reset()
	err := Run(t.Context(), link, r.order(r.chip), &r.journal, r.journal.state())
	if !errors.Is(err, gp.ErrProtection) || r.journal.count(issuance.WriteDone) > 0 {
		t.Errorf("%v, recorded %v", err, r.journal.records)
	}
}

// TestDeskStopsByItself sees that a desk sends nothing after an answer that was not
// foretold: EXTERNAL AUTHENTICATE after another cryptogram, or the lock after a file that
// differs.
func TestDeskStopsByItself(t *testing.T) {
	for ins, after := range map[byte]byte{0x50: 0x82, 0xB0: 0xF0} {
		r := newRig()
		r.chip = virtual.New(virtual.Config{Options: gp.OptionPseudoRandom})
		seen, bad := 0, false
		p := &pull{alter: func(_ int, c, a []byte) []byte {
			if c[1] == ins && len(a) > 20 {
				if seen++; seen == 2 && !bad { // of two handshakes the foretold one
					a[len(a)-10] ^= 1
					bad = true
				}
			}
			if bad && c[1] == after {
				t.Errorf("INS %02X was sent", c[1])
			}
			return a
		}}
		if _, err := r.remote(t, p, nil); !errors.Is(err, gp.ErrProtection) {
			t.Errorf("INS %02X: %v", ins, err)
		}
		if _, err := r.remote(t, &pull{}, nil); err != nil {
			t.Fatal(err)
		}
		r.issuedOnce(t)
	}
}

func TestScriptsRoundTrip(t *testing.T) {
	s := &Script{Salt: [16]byte{1}, Steps: []Step{{Command: []byte{0, 0xA4, 4, 0}, Want: [32]byte{7}}, {Command: []byte{0x80, 0x50, 0, 0}}}}
	b, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseScript(b)
	if err != nil || len(got.Steps) != 2 || !bytes.Equal(got.Steps[1].Command, s.Steps[1].Command) || got.Steps[0].Want != s.Steps[0].Want {
		t.Errorf("%+v, %v", got, err)
	}
	for n := range b {
		if _, err := ParseScript(b[:n]); !errors.Is(err, ErrScript) {
			t.Errorf("%d octets: %v", n, err)
		}
	}
	a := &Answers{List: [][]byte{{0x90, 0}, {0x6A, 0x82}}, End: Stopped}
	if b, err = a.MarshalBinary(); err != nil {
		t.Fatal(err)
	}
	if back, err := ParseAnswers(b); err != nil || back.End != Stopped || !bytes.Equal(back.List[1], a.List[1]) {
		t.Errorf("%+v, %v", back, err)
	}
}

func FuzzScript(f *testing.F) {
	for _, m := range []interface{ MarshalBinary() ([]byte, error) }{
		&Script{Steps: []Step{{Command: []byte{0, 0xA4, 4, 0}}}}, &Answers{List: [][]byte{{0x90, 0}}},
	} {
		b, err := m.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	chip := virtual.New(virtual.Config{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := ParseScript(b); err == nil {
			if again, err := s.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
				t.Fatalf("%X becomes %X, %v", b, again, err)
			}
			answers, err := (&Station{Link: apdu.Over(chip, apdu.Limits{})}).Do(t.Context(), b)
			if err != nil {
				return
			}
			if a, err := ParseAnswers(answers); err != nil || len(a.List) > len(s.Steps) {
				t.Fatalf("answers %X: %v", answers, err)
			}
		}
		if a, err := ParseAnswers(b); err == nil {
			if again, err := a.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
				t.Fatalf("%X becomes %X, %v", b, again, err)
			}
		}
	})
}
