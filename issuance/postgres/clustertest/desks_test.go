//go:build linux && cgo

package clustertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"sync"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/perso"
)

// desks are the desks of an office at work, and what came of it.
type desks struct {
	o *office
	t testing.TB

	mu       sync.Mutex
	acked    map[[16]byte]bool // entries whose append returned nil
	times    []time.Time       // when each append returned nil
	finished []issuance.StreamID
	spoiled  int
	repeats  map[string]int // errors after which a desk began an act again

	stop chan struct{}
	work sync.WaitGroup
}

// openDesks opens so many desks, which share some programs: several desks one ledger's
// handle. Every other program finds the primary by itself, the rest by the proxy.
func (o *office) openDesks(t testing.TB, n, programs int) *desks {
	d := &desks{o: o, t: t, acked: map[[16]byte]bool{}, repeats: map[string]int{}, stop: make(chan struct{})}
	for i := range programs {
		dsn := o.cluster.DSN()
		if i%2 == 1 {
			dsn = o.cluster.DirectDSN()
		}
		l := o.open(t, dsn)
		for range n / programs {
			d.work.Go(func() { d.issue(&counter{Store: l, desks: d}) })
		}
	}
	return d
}

// close lets the desks finish the cards that they have begun.
func (d *desks) close() {
	close(d.stop)
	d.work.Wait()
}

// counter is the ledger as one desk uses it: it writes down what it was told is kept.
type counter struct {
	desk.Store
	desks *desks
	tried issuance.StreamID // the application that was tried to open last
}

func (c *counter) Append(ctx context.Context, at issuance.Head, e ...issuance.Entry) error {
	for _, x := range e {
		if x.Act == issuance.Enrol {
			c.tried = x.Stream
		}
	}
	err := c.Store.Append(ctx, at, e...)
	if err != nil {
		return err
	}
	c.desks.mu.Lock()
	defer c.desks.mu.Unlock()
	for _, x := range e {
		c.desks.acked[x.ID] = true
	}
	c.desks.times = append(c.desks.times, time.Now())
	return nil
}

// issue is a desk's day: one person after the other, until it is told to stop.
func (d *desks) issue(store *counter) {
	an, binh := d.o.desk(store, d.o.an), d.o.desk(store, d.o.binh)
	for {
		select {
		case <-d.stop:
			return
		default:
			d.one(store, an, binh)
		}
	}
}

// one takes a person from the application to the card in their hand. What fails because the
// ledger is away is done again, as an operator would, once it is known how far it went.
func (d *desks) one(store *counter, an, binh *desk.Office) {
	ctx := context.Background()
	n := desk.Enrolment{Person: d.o.person(), Portrait: portrait(), Profile: desk.Profile, Reason: "first"}
	store.tried = issuance.StreamID{}
	d.until("enrol", func() error {
		if !store.tried.IsZero() && d.phase(store, store.tried) != issuance.Absent {
			return nil
		}
		_, err := an.Enrol(ctx, n)
		return err
	})
	app := store.tried
	d.until("approve", func() error {
		if d.phase(store, app) == issuance.Approved {
			return nil
		}
		return binh.Approve(ctx, app.ID)
	})
	card, chip := d.make(store, an, app)
	d.until("check", func() error {
		if d.phase(store, card) == issuance.Checked {
			return nil
		}
		_, err := binh.Check(ctx, card.ID, chip, desk.Examination{Verify: d.o.plan().Verify})
		return err
	})
	d.until("deliver", func() error {
		if d.phase(store, card) == issuance.Active {
			return nil
		}
		return binh.Deliver(ctx, card.ID, desk.Handover{})
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.finished = append(d.finished, app)
}

// make makes the application's card. One that was cut short too often is given up, and
// another made.
func (d *desks) make(store *counter, an *desk.Office, app issuance.StreamID) (issuance.StreamID, *reader) {
	ctx := context.Background()
	chip := &reader{virtual.New(virtual.Config{})}
	var made string
	d.until("personalise", func() error {
		var err error
		made, err = an.Personalise(ctx, app.ID, chip, d.o.plan())
		if !errors.Is(err, perso.ErrGiveUp) {
			return err
		}
		s, err := issuance.Load(ctx, store, app)
		if err != nil {
			return err
		}
		if err := an.Spoil(ctx, s.Subject(app).Fields["card"], "stuck"); err != nil {
			return err
		}
		d.mu.Lock()
		d.spoiled++
		d.mu.Unlock()
		chip = &reader{virtual.New(virtual.Config{})}
		made, err = an.Personalise(ctx, app.ID, chip, d.o.plan())
		return err
	})
	return issuance.Card(made), chip
}

// reader holds a chip.
type reader struct{ *virtual.Chip }

func (r *reader) Reset(context.Context) error {
	r.Chip.Reset()
	return nil
}

// until does it again until it is done, as long as the ledger is what is missing.
func (d *desks) until(what string, do func() error) {
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		err := do()
		if err == nil {
			return
		}
		d.mu.Lock()
		d.repeats[kind(err)]++
		d.mu.Unlock()
		if kind(err) == "" || time.Now().After(end) {
			d.t.Errorf("%s: stuck: %v", what, err)
			return
		}
	}
}

// kind is what kind of refusal an error is that a desk may meet when the ledger fails over,
// "" if it is none of them.
func kind(err error) string {
	var moved *issuance.TransitionError
	for name, is := range map[string]bool{
		"away":     errors.Is(err, ledger.ErrAway),
		"busy":     errors.Is(err, ledger.ErrBusy),
		"fenced":   errors.Is(err, ledger.ErrFenced),
		"conflict": errors.Is(err, issuance.ErrConflict),
		"readonly": errors.Is(err, ledger.ErrReadOnly),
		"phase":    errors.As(err, &moved),
	} {
		if is {
			return name
		}
	}
	return ""
}

// phase is where a stream stands, asked until there is an answer.
func (d *desks) phase(store desk.Store, id issuance.StreamID) (p issuance.Phase) {
	d.until("read", func() error {
		s, err := issuance.Load(context.Background(), store, id)
		p = s.Subject(id).Phase
		return err
	})
	return p
}

// count is how many appends were acknowledged.
func (d *desks) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.times)
}

// goOn waits until so many more appends are acknowledged.
func (d *desks) goOn(t testing.TB, n int) {
	t.Helper()
	want := d.count() + n
	d.o.cluster.await(t, fmt.Sprint(n, " more acts"), func() bool { return d.count() >= want })
}

// gap is the longest time without an acknowledgement between two moments.
func (d *desks) gap(from, to time.Time) (longest time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, x := range append(append([]time.Time{}, d.times...), to) {
		if x.After(from) && !x.After(to) {
			longest, from = max(longest, x.Sub(from)), x
		}
	}
	return longest
}

// portrait is a picture of a grey wall.
func portrait() []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 240, 320)), nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}
