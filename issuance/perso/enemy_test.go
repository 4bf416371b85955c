package perso

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
)

// upTo runs a personalisation that ends right after an act was recorded.
func upTo(t *testing.T, a issuance.Act) *rig {
	t.Helper()
	r := newRig()
	for n := 1; ; n++ {
		r.journal.crash, r.journal.n, r.journal.after = 1, 0, true
		if err := r.run(t, &pull{}); !errors.Is(err, errCrash) {
			t.Fatalf("before %s: %v", a, err)
		}
		r.journal.crash = 0
		if r.journal.records[len(r.journal.records)-1].Act == a {
			return r
		}
	}
}

var everyAct = []issuance.Act{
	issuance.Allocate, issuance.Rotate, issuance.Generate, issuance.Prepare, issuance.Sign,
	issuance.Write, issuance.WriteDone, issuance.Lock, issuance.LockDone,
}

func TestAnotherChipIsRefused(t *testing.T) {
	for _, a := range everyAct[:len(everyAct)-1] {
		r := upTo(t, a)
		right := r.chip
		records := len(r.journal.records)
		r.chip = virtual.New(virtual.Config{})
		var wrong *WrongChipError
		if err := r.run(t, &pull{}); !errors.As(err, &wrong) || wrong.Want != right.KDD() || wrong.Got != r.chip.KDD() {
			t.Errorf("after %s a blank one: %v", a, err)
		}
		other := newRig()
		if err := other.run(t, &pull{}); err != nil {
			t.Fatal(err)
		}
		r.chip = other.chip // finished, and of the same holder's MRZ and CAN
		if err := r.run(t, &pull{}); err == nil || a != issuance.Lock && !errors.Is(err, ErrInUse) {
			t.Errorf("after %s a finished one: %v", a, err)
		}
		if len(r.journal.records) != records {
			t.Errorf("after %s: recorded %v", a, r.journal.records[records:])
		}
		r.chip = right
		if err := r.run(t, &pull{}); err != nil {
			t.Fatal(err)
		}
		r.issuedOnce(t)
	}
}

func TestAnotherFinishedCardAfterTheLock(t *testing.T) {
	r, other := upTo(t, issuance.LockDone), newRig()
	if err := other.run(t, &pull{}); err != nil {
		t.Fatal(err)
	}
	r.chip = other.chip
	if err := r.run(t, &pull{}); err == nil || r.verified > 0 {
		t.Errorf("error %v", err)
	}
}

func TestUsedChipIsNotBlank(t *testing.T) {
	for _, a := range everyAct[1 : len(everyAct)-2] {
		r := upTo(t, a)
		if a == issuance.Rotate {
			r.run(t, &pull{at: 10}) // until after PUT KEY
		}
		r.journal = journal{}
		if err := r.run(t, &pull{}); !errors.Is(err, ErrUsed) || len(r.journal.records) > 0 {
			t.Errorf("after %s: %v", a, err)
		}
	}
	r := upTo(t, issuance.LockDone)
	r.journal = journal{}
	if err := r.run(t, &pull{}); !errors.Is(err, ErrInUse) || len(r.journal.records) > 0 {
		t.Errorf("a finished card: %v", err)
	}
}

func TestUnknownTransportKeysCostNoTry(t *testing.T) {
	r := newRig()
	k := gp.TransportKeys()
	k.MAC[0] ^= 1
	r.chip = virtual.New(virtual.Config{Keys: k})
	sent := map[byte]int{}
	p := &pull{alter: func(_ int, c, a []byte) []byte { sent[c[1]]++; return a }}
	if err := r.run(t, p); !errors.Is(err, ErrKeys) {
		t.Errorf("error %v", err)
	}
	if len(sent) != 2 || sent[0xA4] != 1 || sent[0x50] != 1 {
		t.Errorf("sent %v", sent)
	}
	r.transport = append(r.transport, k)
	if err := r.run(t, &pull{}); err != nil {
		t.Fatal(err)
	}
	r.issuedOnce(t)
}

func TestTransportKeysComeBackAfterRotation(t *testing.T) {
	r := upTo(t, issuance.Generate)
	kdd := r.journal.state().Chip
	r.chip = virtual.New(virtual.Config{KDD: kdd}) // an impostor that knows the name
	if err := r.run(t, &pull{}); !errors.Is(err, ErrKeys) {
		t.Errorf("error %v", err)
	}
}

// TestSwappedPublicKeyMakesNoDocument has a reader put another key, or anything, into the
// answers to GENERATE and to the reading of the public key.
func TestSwappedPublicKeyMakesNoDocument(t *testing.T) {
	own, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	forged := gp.EncodePublicKey(own.Point().Bytes())
	var recorded []byte
	for name, swap := range map[string]func(a []byte) []byte{
		"own key in the clear":   func([]byte) []byte { return append(bytes.Clone(forged), 0x90, 0x00) },
		"own key, made-up codes": func([]byte) []byte { return append(append(bytes.Clone(forged), make([]byte, 8+9)...), 0x90, 0) },
		"one bit":                func(a []byte) []byte { a[20] ^= 1; return a },
		"the answer before":      func(a []byte) []byte { b := recorded; recorded = bytes.Clone(a); return orElse(b, a) },
		"nothing":                func([]byte) []byte { return []byte{0x90, 0x00} },
		"warning":                func(a []byte) []byte { a[len(a)-2], a[len(a)-1] = 0x62, 0x00; return a },
	} {
		for _, first := range []bool{true, false} {
			r := newRig()
			n := 0
			p := &pull{alter: func(_ int, c, a []byte) []byte {
				if c[0] == 0x84 && c[1] == 0x46 {
					if n++; first || n > 2 { // the third is the first reading
						return swap(a)
					}
				}
				return a
			}}
			err := r.run(t, p)
			if !errors.Is(err, gp.ErrProtection) && !errors.Is(err, gp.ErrAnswer) && !errors.Is(err, gp.ErrClosed) {
				t.Errorf("%s, %v: %v", name, first, err)
			}
			if len(r.signatures) > 0 || r.journal.count(issuance.Generate) > 0 {
				t.Errorf("%s: a document was made", name)
			}
			if err := r.run(t, &pull{}); err != nil {
				t.Fatal(err)
			}
			r.issuedOnce(t)
		}
	}
}

func orElse(b, a []byte) []byte {
	if b == nil {
		a[0] ^= 1
		return a
	}
	return b
}

// TestReaderThatRenamesTheChip changes the KDD, which no cryptogram covers.
func TestReaderThatRenamesTheChip(t *testing.T) {
	r := newRig()
	puts := 0
	p := &pull{alter: func(_ int, c, a []byte) []byte {
		if c[1] == 0x50 {
			a[3] ^= 1
		}
		if c[1] == 0xD8 {
			puts++
		}
		return a
	}}
	var wrong *WrongChipError
	if err := r.run(t, p); !errors.As(err, &wrong) || puts > 0 || len(r.journal.records) > 0 {
		t.Errorf("%v, %d PUT KEY, %v", err, puts, r.journal.records)
	}
}

// TestReaderThatSwallowsCommands answers 9000 in the chip's place.
func TestReaderThatSwallowsCommands(t *testing.T) {
	for _, ins := range []byte{0xD8, 0xE2, 0xF0} {
		r := newRig()
		w := &swallower{ins: ins}
		w.rig = r
		r.chip.Reset()
		err := Run(t.Context(), apdu.Over(w, apdu.Limits{}), r.order(w), &r.journal, State{})
		if !errors.Is(err, gp.ErrProtection) {
			t.Errorf("INS %02X: %v", ins, err)
		}
		if err := r.run(t, &pull{}); err != nil {
			t.Fatal(err)
		}
		r.issuedOnce(t)
	}
}

type swallower struct {
	pull
	ins byte
}

func (w *swallower) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	if b[1] == w.ins && b[0]&0x04 != 0 {
		return []byte{0x90, 0x00}, nil
	}
	return w.pull.Exchange(ctx, b)
}

// TestPretendedLock has a reader say that the card is locked when it is not.
func TestPretendedLock(t *testing.T) {
	r := upTo(t, issuance.Lock)
	p := &pull{alter: func(_ int, c, a []byte) []byte {
		if c[1] == 0x50 {
			return []byte{0x69, 0x85}
		}
		return a
	}}
	if err := r.run(t, p); err == nil || r.journal.count(issuance.LockDone) > 0 {
		t.Errorf("error %v", err)
	}
	if err := r.run(t, &pull{}); err != nil {
		t.Fatal(err)
	}
	r.issuedOnce(t)
}

func TestChipThatStaysOpen(t *testing.T) {
	r := upTo(t, issuance.WriteDone)
	locked := false
	p := &pull{}
	p.alter = func(_ int, c, a []byte) []byte {
		if c[1] == 0x50 && locked { // what a handshake of an open chip looks like
			return append(make([]byte, 11), append([]byte{0x03, 0x60}, append(make([]byte, 16), 0x90, 0)...)...)
		}
		locked = locked || c[1] == 0xF0
		return a
	}
	if err := r.run(t, p); !errors.Is(err, ErrOpen) || r.journal.count(issuance.LockDone) > 0 {
		t.Errorf("error %v", err)
	}
}

func TestLostKeyPairs(t *testing.T) {
	stranger, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range everyAct[2:8] {
		r := upTo(t, a)
		s := r.journal.state()
		s.AA = stranger.Point()
		r.chip.Reset()
		err := Run(t.Context(), apdu.Over(&pull{rig: r}, apdu.Limits{}), r.order(r.chip), &r.journal, s)
		if a != issuance.Generate {
			if !errors.Is(err, ErrChipKey) || r.journal.count(issuance.Generate) != 1 {
				t.Errorf("after %s: %v", a, err)
			}
			continue
		}
		if err != nil || r.journal.count(issuance.Generate) != 2 {
			t.Errorf("before anything was prepared: %v", err)
		}
		r.issuedOnce(t)
	}
}

func TestDamagedFilesAreFoundAndWrittenAnew(t *testing.T) {
	for f := range content(PublicKeys{}).Files {
		r := newRig()
		done := false
		p := &pull{alter: func(_ int, c, a []byte) []byte {
			if c[1] == 0xB0 && !done {
				done = true
				if err := r.chip.Tamper(f, 7, 0x01); err != nil {
					t.Error(err)
				}
			}
			return a
		}}
		var differ *DifferError
		err := r.run(t, p)
		first := f == lds.DG1 // already on its way when it changed
		if !first && (!errors.As(err, &differ) || differ.File != f || differ.Offset != 7) {
			t.Errorf("%s: %v", f, err)
		}
		if first {
			continue
		}
		if err := r.run(t, &pull{}); err != nil {
			t.Fatal(err)
		}
		r.issuedOnce(t)
	}
	for _, a := range []issuance.Act{issuance.WriteDone, issuance.Lock} {
		r := upTo(t, a)
		if err := r.chip.Tamper(lds.DG2, 500, 0x80); err != nil {
			t.Fatal(err)
		}
		if err := r.run(t, &pull{}); err != nil {
			t.Fatalf("after %s: %v", a, err)
		}
		r.issuedOnce(t)
	}
}
