package perso

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
)

func TestPersonalise(t *testing.T) {
	for name, r := range map[string]*rig{
		"AA and CA":   newRig(),
		"AA":          {aa: dh.BrainpoolP384r1()},
		"CA":          {ca: dh.P384()},
		"neither":     {},
		"extended":    {aa: dh.P256(), limits: apdu.Limits{Command: 65535, Response: 65535}},
		"somewhat so": {aa: dh.P256(), limits: apdu.Limits{Command: 1024, Response: 1024}},
	} {
		fresh := newRig()
		r.chip, r.transport, r.signatures = fresh.chip, fresh.transport, fresh.signatures
		r.chip.Limit(r.limits)
		if r.aa == dh.BrainpoolP384r1() {
			continue // its hash is not the rig's
		}
		p := &pull{}
		if err := r.run(t, p); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if r.limits == (apdu.Limits{}) {
			r.issuedOnce(t)
		}
		t.Logf("%s: %d commands", name, p.n)
	}
}

func TestActsInOrder(t *testing.T) {
	r := newRig()
	if err := r.run(t, &pull{}); err != nil {
		t.Fatal(err)
	}
	for i, rec := range r.journal.records {
		if rec.Act != everyAct[i] || rec.Chip != r.chip.KDD() {
			t.Errorf("record %d: %s of chip %s", i, rec.Act, rec.Chip)
		}
		if (rec.Act == issuance.Rotate) != (rec.KeyVersion == 0x31) || (rec.Act == issuance.Generate) != (rec.AA != nil && rec.CA != nil) {
			t.Errorf("record %d: %+v", i, rec)
		}
	}
	if len(r.journal.records) != len(everyAct) {
		t.Errorf("%d records", len(r.journal.records))
	}
}

func TestProgressOnlyRises(t *testing.T) {
	r := newRig()
	if err := r.run(t, &pull{}); err != nil {
		t.Fatal(err)
	}
	seen := map[issuance.Act]Progress{}
	for _, p := range r.progress {
		if last := seen[p.Act]; p.Done < last.Done || p.Done > p.Total || last.Total != 0 && p.Total != last.Total {
			t.Errorf("%+v after %+v", p, last)
		}
		seen[p.Act] = p
	}
	for _, a := range []issuance.Act{issuance.Write, issuance.WriteDone} {
		if p := seen[a]; p.Done == 0 || p.Done != p.Total {
			t.Errorf("%s ends at %d of %d", a, p.Done, p.Total)
		}
	}
	if _, ok := seen[issuance.Check]; !ok {
		t.Error("nothing about the check")
	}
}

// TestLargeFile writes and reads a portrait beyond 32,767 octets, where READ BINARY needs
// its odd form.
func TestLargeFile(t *testing.T) {
	r := newRig()
	o := r.order(r.chip)
	big := tlv.Encode(0x75, bytes.Repeat([]byte{0xFF, 0xD8, 0xFF}, 15000))
	o.Build = func(ctx context.Context, k PublicKeys) (*Content, error) {
		c, err := r.build(ctx, k)
		if err == nil {
			c.Files[lds.DG2] = big
		}
		return c, err
	}
	o.Verify = func(context.Context) error { return nil } // the reader's own limit is another matter
	if err := Run(t.Context(), apdu.Over(&pull{rig: r}, apdu.Limits{}), o, &r.journal, State{}); err != nil {
		t.Fatal(err)
	}
	if !r.chip.InUse() {
		t.Error("the chip is open")
	}
}

func TestOrdersThatLackSomething(t *testing.T) {
	r := newRig()
	good := r.order(r.chip)
	point := upTo(t, issuance.Generate).journal.state().AA
	for name, c := range map[string]struct {
		order func(*Order)
		state State
	}{
		"no issuer":         {order: func(o *Order) { o.Issuer = nil }},
		"no build":          {order: func(o *Order) { o.Build = nil }},
		"no verify":         {order: func(o *Order) { o.Verify = nil }},
		"transport keys":    {order: func(o *Order) { o.Transport = []gp.Keys{{}} }},
		"active card":       {state: State{Phase: issuance.Active}},
		"spoiled card":      {state: State{Phase: issuance.Spoiled}},
		"keyed, no keys":    {state: State{Phase: issuance.Keyed}},
		"keyed, half":       {state: State{Phase: issuance.Keyed, AA: point}},
		"keyed, curves":     {state: State{Phase: issuance.Keyed, AA: point, CA: point}},
		"signed, nothing":   {order: func(o *Order) { o.AA, o.CA = nil, nil }, state: State{Phase: issuance.Signed}},
		"signed, no SOD":    {order: func(o *Order) { o.AA, o.CA = nil, nil }, state: State{Phase: issuance.Signed, Signed: &Content{}}},
		"keys not ordered":  {order: func(o *Order) { o.AA, o.CA = nil, nil }, state: State{Phase: issuance.Keyed, AA: point}},
		"content too large": {order: func(o *Order) { o.AA, o.CA = nil, nil }, state: State{Phase: issuance.Signed, Signed: &Content{Files: map[lds.File][]byte{lds.SODFile: {1}, lds.DG2: make([]byte, 70000)}}}},
	} {
		o := good
		if c.order != nil {
			c.order(&o)
		}
		p := &pull{rig: r}
		if err := Run(t.Context(), apdu.Over(p, apdu.Limits{}), o, &r.journal, c.state); !errors.Is(err, ErrOrder) || p.n > 0 {
			t.Errorf("%s: %v after %d commands", name, err, p.n)
		}
	}
}

func TestCallersErrorsComeBack(t *testing.T) {
	own := errors.New("own")
	for name, change := range map[string]func(*Order){
		"issuer": func(o *Order) { o.Issuer = func(gp.KDD) (gp.Keys, error) { return gp.Keys{}, own } },
		"build":  func(o *Order) { o.Build = func(context.Context, PublicKeys) (*Content, error) { return nil, own } },
		"verify": func(o *Order) { o.Verify = func(context.Context) error { return own } },
	} {
		r := newRig()
		o := r.order(r.chip)
		change(&o)
		if err := Run(t.Context(), apdu.Over(r.chip, apdu.Limits{}), o, &r.journal, State{}); !errors.Is(err, own) {
			t.Errorf("%s: %v", name, err)
		}
		if err := r.run(t, &pull{}); err != nil {
			t.Fatalf("%s: resume: %v", name, err)
		}
		r.issuedOnce(t)
	}
	r := newRig()
	o := r.order(r.chip)
	o.Build = func(context.Context, PublicKeys) (*Content, error) { return &Content{}, nil }
	if err := Run(t.Context(), apdu.Over(r.chip, apdu.Limits{}), o, &r.journal, State{}); !errors.Is(err, ErrOrder) {
		t.Errorf("nothing built: %v", err)
	}
}

// TestForeignKeysAreNotWritten has a caller sign over other keys than the chip's.
func TestForeignKeysAreNotWritten(t *testing.T) {
	for name, swap := range map[string]func(*PublicKeys, *dh.Point){
		"AA": func(k *PublicKeys, p *dh.Point) { k.AA = p },
		"CA": func(k *PublicKeys, p *dh.Point) { k.CA = p },
	} {
		other, err := dh.P256().Generate()
		if err != nil {
			t.Fatal(err)
		}
		r := newRig()
		o := r.order(r.chip)
		o.Build = func(_ context.Context, k PublicKeys) (*Content, error) {
			swap(&k, other.Point())
			return content(k), nil
		}
		if err := Run(t.Context(), apdu.Over(r.chip, apdu.Limits{}), o, &r.journal, State{}); !errors.Is(err, ErrChipKey) {
			t.Errorf("%s: %v", name, err)
		}
		if r.journal.count(issuance.Write) > 0 {
			t.Errorf("%s: written", name)
		}
	}
}

// TestCommandBudget counts the commands of a card as large as the demo's.
func TestCommandBudget(t *testing.T) {
	r := newRig()
	o := r.order(r.chip)
	bytes := 0
	o.Build = func(_ context.Context, k PublicKeys) (*Content, error) {
		c := content(k)
		for f, n := range map[lds.File]int{lds.SODFile: 1300, lds.DG2: 20042, lds.DG13: 900} {
			c.Files[f] = tlv.Encode(f.Tag(), make([]byte, n-4))
		}
		for _, b := range c.Files {
			bytes += len(b)
		}
		return c, nil
	}
	o.Verify = func(context.Context) error { return nil }
	sent := map[byte]int{}
	p := &pull{rig: r, alter: func(_ int, c, a []byte) []byte { sent[c[1]]++; return a }}
	if err := Run(t.Context(), apdu.Over(p, apdu.Limits{}), o, &r.journal, State{}); err != nil {
		t.Fatal(err)
	}
	if most := (bytes+238)/239 + 12; sent[0xE2] > most {
		t.Errorf("%d STORE DATA for %d octets, the most is %d", sent[0xE2], bytes, most)
	}
	t.Logf("%d octets, %d commands, %d of them STORE DATA, %d READ BINARY", bytes, p.n, sent[0xE2], sent[0xB0])
}

// TestGiveUp refuses a card that was cut short too often or too long ago, before anything
// is sent, and counts every attempt on the right chip.
func TestGiveUp(t *testing.T) {
	begun := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		attempts int
		after    time.Duration
		want     error
	}{
		"the first":         {0, time.Hour, nil},
		"the second":        {1, time.Hour, nil},
		"a third":           {2, time.Hour, ErrGiveUp},
		"within the day":    {1, 24 * time.Hour, nil},
		"the next day":      {0, 24*time.Hour + time.Second, ErrGiveUp},
		"clock behind":      {0, -48 * time.Hour, nil},
		"no time, too many": {2, 0, ErrGiveUp},
	} {
		r := upTo(t, issuance.Generate)
		r.journal.attempts = nil
		s := r.journal.state()
		s.Attempts, s.Begun = c.attempts, begun
		p := &pull{rig: r}
		o := r.order(p)
		o.Now = func() time.Time { return begun.Add(c.after) }
		r.chip.Reset()
		err := Run(t.Context(), apdu.Over(p, apdu.Limits{}), o, &r.journal, s)
		if !errors.Is(err, c.want) || (c.want != nil) != (p.n == 0) {
			t.Errorf("%s: %v after %d commands", name, err, p.n)
		}
		if c.want == nil && !slices.Equal(r.journal.attempts, []int{c.attempts + 1}) {
			t.Errorf("%s: recorded attempts %v", name, r.journal.attempts)
		}
	}
}

// TestExtendedLengthNeedsFewerCommands compares the writing of one card over both lengths.
func TestExtendedLengthNeedsFewerCommands(t *testing.T) {
	sent := map[bool]int{}
	for _, extended := range []bool{false, true} {
		r := newRig()
		if extended {
			r.limits = apdu.Limits{Command: 2048, Response: 2048}
			r.chip.Limit(r.limits)
		}
		p := &pull{alter: func(_ int, c, a []byte) []byte {
			if c[1] == 0xE2 {
				sent[extended]++
			}
			return a
		}}
		o := r.order(p)
		o.Build = func(_ context.Context, k PublicKeys) (*Content, error) {
			c := content(k)
			c.Files[lds.DG2] = tlv.Encode(lds.DG2.Tag(), make([]byte, 20038))
			return c, nil
		}
		o.Verify = func(context.Context) error { return nil }
		p.rig = r
		if err := Run(t.Context(), apdu.Over(p, r.limits), o, &r.journal, State{}); err != nil {
			t.Fatal(err)
		}
	}
	if sent[true]*6 > sent[false] {
		t.Errorf("%d STORE DATA in extended length, %d in short", sent[true], sent[false])
	}
	t.Logf("%d STORE DATA in extended length, %d in short", sent[true], sent[false])
}
