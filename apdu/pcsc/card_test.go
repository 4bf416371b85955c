//go:build linux && cgo && !nopcsc

package pcsc

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ebfe/scard"

	"github.com/tamthe/tamthe/apdu"
)

var selectMF = []byte{0x00, 0xA4, 0x00, 0x0C}

// TestSizes sends commands and answers of all lengths that there are.
func TestSizes(t *testing.T) {
	t.Parallel()
	name, addr := slot(t)
	insert(t, name, addr, func(b []byte) []byte {
		c, err := apdu.ParseCommand(b)
		if err != nil {
			return []byte{0x67, 0x00}
		}
		n := c.Le
		if n == 65536 {
			n = 65533 // all that a frame of the virtual reader holds
		}
		data := bytes.Repeat([]byte{byte(len(c.Data))}, n)
		return apdu.Response{Data: data, Status: apdu.OK}.Bytes()
	})
	card := open(t, name, Options{})
	link := apdu.Over(card, apdu.Limits{Command: 65535, Response: 65538})
	for _, c := range []struct{ data, le int }{
		{0, 0},
		{0, 1},
		{0, 256},
		{1, 0},
		{255, 0},
		{255, 256},
		{256, 0},
		{256, 1},
		{0, 257},
		{1000, 4000},
		{30000, 30000},
		{65526, 65536},
	} {
		r, err := link.Transmit(t.Context(), apdu.Command{INS: 0xB0, Data: make([]byte, c.data), Le: c.le})
		if err != nil || r.Status != apdu.OK {
			t.Fatalf("%+v: %v %v", c, r.Status, err)
		}
		if want := min(c.le, 65533); len(r.Data) != want || want > 0 && r.Data[0] != byte(c.data) {
			t.Errorf("%+v: %d octets", c, len(r.Data))
		}
	}
	if card.Protocol() != T1 || !bytes.Equal(card.ATR(), testATR) {
		t.Errorf("%v %X", card.Protocol(), card.ATR())
	}
}

// TestShortCommand: virtual readers would take a command of one octet for a control code
// and never answer.
func TestShortCommand(t *testing.T) {
	t.Parallel()
	name, addr := slot(t)
	chip := insert(t, name, addr, ok)
	card := open(t, name, Options{})
	for n := range 4 {
		if _, err := card.Exchange(t.Context(), selectMF[:n]); !errors.Is(err, apdu.ErrMalformed) {
			t.Errorf("%d octets: %v", n, err)
		}
	}
	if _, err := card.Exchange(t.Context(), make([]byte, maxCommand+1)); !errors.Is(err, apdu.ErrTooLong) {
		t.Error("too long:", err)
	}
	if n := chip.seen(); n != 0 {
		t.Errorf("%d commands came through", n)
	}
	if _, err := card.Exchange(t.Context(), selectMF); err != nil {
		t.Error(err)
	}
}

func TestRemoved(t *testing.T) {
	for name, when := range map[string]func(*chip, *Card){
		"between": func(c *chip, _ *Card) { c.remove() },
		"during":  func(c *chip, _ *Card) { c.say(func([]byte) []byte { c.conn.Close(); return nil }) },
		"noticed": func(c *chip, _ *Card) { c.remove(); time.Sleep(600 * time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			name, addr := slot(t)
			chip := insert(t, name, addr, ok)
			card := open(t, name, Options{})
			if _, err := card.Exchange(t.Context(), selectMF); err != nil {
				t.Fatal(err)
			}
			when(chip, card)
			if _, err := card.Exchange(t.Context(), selectMF); !errors.Is(err, apdu.ErrRemoved) {
				t.Fatal(err)
			}
			<-chip.done
			chip.say(ok)
			chip.connect()
			if err := Wait(t.Context(), name); err != nil {
				t.Fatal(err)
			}
			if _, err := card.Exchange(t.Context(), selectMF); !errors.Is(err, apdu.ErrRemoved) {
				t.Error("a card that was put back:", err)
			}
			if err := card.Reset(t.Context()); !errors.Is(err, apdu.ErrRemoved) {
				t.Error("reset:", err)
			}
			if err := card.Close(); err != nil {
				t.Error("close:", err)
			}
			again := open(t, name, Options{})
			if _, err := again.Exchange(t.Context(), selectMF); err != nil {
				t.Error("opened again:", err)
			}
		})
	}
}

// TestRemovedInReset: a card that leaves while it is reset is a removed one, and is seen
// when it comes back at once.
func TestRemovedInReset(t *testing.T) {
	for what, code := range map[string]byte{"looked for": 4, "reset": 2} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			name, addr := slot(t)
			chip := insert(t, name, addr, ok)
			card := open(t, name, Options{})
			if _, err := card.Exchange(t.Context(), selectMF); err != nil {
				t.Fatal(err)
			}
			chip.leave(code)
			if err := card.Reset(t.Context()); !errors.Is(err, apdu.ErrRemoved) {
				t.Error("reset:", err)
			}
			if _, err := card.Exchange(t.Context(), selectMF); !errors.Is(err, apdu.ErrRemoved) {
				t.Error("later:", err)
			}
			if err := card.Close(); err != nil {
				t.Error("close:", err)
			}
			see(t, name, false)
			insert(t, name, addr, ok)
			again := open(t, name, Options{})
			if _, err := again.Exchange(t.Context(), selectMF); err != nil {
				t.Error("opened again:", err)
			}
		})
	}
}

// TestSilence: an exchange that has no answer ends the card, and its goroutine ends when
// the reader lets go.
func TestSilence(t *testing.T) {
	for name, give := range map[string]func(context.Context, *Card) error{
		"timeout": func(ctx context.Context, c *Card) error {
			_, err := c.Exchange(ctx, selectMF)
			if !errors.Is(err, apdu.ErrTimeout) {
				return err
			}
			return nil
		},
		"cancel": func(ctx context.Context, c *Card) error {
			ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			defer cancel()
			_, err := c.Exchange(ctx, selectMF)
			if !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			name, addr := slot(t)
			chip := insert(t, name, addr, func([]byte) []byte { return nil })
			card := open(t, name, Options{Timeout: 150 * time.Millisecond})
			start := time.Now()
			if err := give(t.Context(), card); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := card.Exchange(t.Context(), selectMF); !errors.Is(err, apdu.ErrAbandoned) {
					t.Error("later:", err)
				}
			}
			if err := card.Reset(t.Context()); !errors.Is(err, apdu.ErrAbandoned) {
				t.Error("reset:", err)
			}
			if err := card.Close(); err != nil {
				t.Error("close:", err)
			}
			if d := time.Since(start); d > 5*time.Second { // a hang, not a busy machine
				t.Error("it took", d)
			}
			chip.remove()
			select {
			case <-card.ended:
			case <-time.After(5 * time.Second):
				t.Error("the goroutine outlived the card")
			}
		})
	}
}

func TestCancelledBefore(t *testing.T) {
	t.Parallel()
	name, addr := slot(t)
	insert(t, name, addr, ok)
	card := open(t, name, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := card.Exchange(ctx, selectMF); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := card.Exchange(t.Context(), selectMF); err != nil {
		t.Error("nothing was sent, so nothing was abandoned:", err)
	}
	if _, err := Open(ctx, name, Options{}); !errors.Is(err, context.Canceled) {
		t.Error("open:", err)
	}
}

// other is another program.
func other(t *testing.T, name string) *scard.Card {
	t.Helper()
	c, err := scard.EstablishContext()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Release() })
	card, err := c.Connect(name, scard.ShareShared, anyProtocol)
	if err != nil {
		t.Fatal(err)
	}
	return card
}

// TestNobodyInterleaves: what another program sends waits until we have closed.
func TestNobodyInterleaves(t *testing.T) {
	t.Parallel()
	name, addr := slot(t)
	chip := insert(t, name, addr, ok)
	theirs := other(t, name)
	card := open(t, name, Options{})
	for _, act := range []func() error{
		func() error { return nil },
		func() error { return card.Reset(t.Context()) },
	} {
		if err := act(); err != nil {
			t.Fatal(err)
		}
		if _, err := card.Exchange(t.Context(), selectMF); err != nil {
			t.Fatal(err)
		}
	}
	sent := make(chan error, 1)
	go func() {
		_, err := theirs.Transmit([]byte{0x00, 0xB0, 0, 0, 1})
		sent <- err
	}()
	select {
	case err := <-sent:
		if err == nil {
			t.Error("another program's command came between ours")
		}
		sent <- err
	case <-time.After(300 * time.Millisecond):
	}
	before := chip.seen()
	if err := card.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-sent; !errors.Is(err, scard.ErrResetCard) && !errors.Is(err, scard.ErrSharingViolation) {
		t.Error("the other program was not told of the reset:", err)
	}
	if before != 2 {
		t.Errorf("%d commands instead of 2", before)
	}
	if err := card.Close(); err != nil {
		t.Error("second close:", err)
	}
	if _, err := card.Exchange(t.Context(), selectMF); err == nil {
		t.Error("exchange with a closed card")
	}
}

// TestResetByOther: a system without transactions, or a program that breaks them.
func TestResetByOther(t *testing.T) {
	t.Parallel()
	name, addr := slot(t)
	insert(t, name, addr, ok)
	theirs := other(t, name)
	card := open(t, name, Options{})
	if err := card.call(t.Context(), func(s *session) error { return s.card.EndTransaction(scard.LeaveCard) }); err != nil {
		t.Fatal(err)
	}
	if err := theirs.Reconnect(scard.ShareShared, anyProtocol, scard.ResetCard); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := card.Exchange(t.Context(), selectMF); !errors.Is(err, apdu.ErrReset) {
			t.Error(err)
		}
	}
	if err := card.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := card.Exchange(t.Context(), selectMF); err != nil {
		t.Error("after our own reset:", err)
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	name, addr := slot(t)
	insert(t, name, addr, ok)
	theirs := other(t, name)
	if _, err := Open(t.Context(), name, Options{Exclusive: true}); !errors.Is(err, ErrBusy) {
		t.Error("exclusive beside another:", err)
	}
	if err := theirs.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), name, Options{EstablishTimeout: 200 * time.Millisecond}); !errors.Is(err, ErrBusy) {
		t.Error("during a transaction:", err)
	}
	if err := theirs.EndTransaction(scard.LeaveCard); err != nil {
		t.Fatal(err)
	}
	card := open(t, name, Options{})
	card.Close()
	if err := theirs.Disconnect(scard.LeaveCard); err != nil {
		t.Fatal(err)
	}
	// The attempt that was given up during the transaction ends by itself.
	var exclusive *Card
	for end := time.Now().Add(5 * time.Second); exclusive == nil; time.Sleep(10 * time.Millisecond) {
		var err error
		exclusive, err = Open(t.Context(), name, Options{Exclusive: true})
		if err != nil && (!errors.Is(err, ErrBusy) || time.Now().After(end)) {
			t.Fatal(err)
		}
	}
	defer exclusive.Close()
	if _, err := exclusive.Exchange(t.Context(), selectMF); err != nil {
		t.Error(err)
	}
	if err := exclusive.Reset(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := Open(t.Context(), name, Options{}); !errors.Is(err, ErrBusy) {
		t.Error("beside an exclusive one:", err)
	}
}

func TestOpenNothing(t *testing.T) {
	t.Parallel()
	name, _ := slot(t)
	if _, err := Open(t.Context(), name, Options{}); !errors.Is(err, ErrNoCard) {
		t.Error("empty reader:", err)
	}
	if _, err := Open(t.Context(), "no such reader", Options{}); !errors.Is(err, ErrNoReader) {
		t.Error("no reader:", err)
	}
}

func BenchmarkExchange(b *testing.B) {
	name, addr := slot(b)
	chip := insert(b, name, addr, ok)
	card := open(b, name, Options{})
	chip.say(func([]byte) []byte { return make([]byte, 258) })
	for b.Loop() {
		if _, err := card.Exchange(b.Context(), selectMF); err != nil {
			b.Fatal(err)
		}
	}
}
