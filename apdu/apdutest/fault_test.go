package apdutest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/apdutest"
)

// counter is a card that answers the number of the command.
type counter struct{ n int }

func (c *counter) Exchange(context.Context, []byte) ([]byte, error) {
	c.n++
	return []byte{byte(c.n), 0x90, 0}, nil
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault apdutest.Fault
		want  string // answers or errors of four exchanges
		done  int    // commands that the card has done
	}{
		{"none", apdutest.Garbage(9, nil), "019000 029000 039000 049000", 4},
		{"drop", apdutest.Drop(1), "019000 timeout abandoned abandoned", 2},
		{"remove", apdutest.Remove(1), "019000 removed removed removed", 1},
		{"tear", apdutest.Tear(1), "019000 removed removed removed", 2},
		{"reset", apdutest.Reset(2, func() {}), "019000 029000 reset reset", 2},
		{"flip", apdutest.Flip(1, 0), "019000 829000 039000 049000", 4},
		{"flip round", apdutest.Flip(1, 24+23), "019000 029001 039000 049000", 4},
		{"garbage", apdutest.Garbage(0, []byte{0xEE}), "EE 029000 039000 049000", 4},
		{"nothing", apdutest.Garbage(0, nil), " 029000 039000 049000", 4},
		{"delay", apdutest.Delay(time.Millisecond), "019000 029000 039000 049000", 4},
	} {
		card := &counter{}
		w := apdutest.With(card, c.fault)
		got := ""
		for i := range 4 {
			if i > 0 {
				got += " "
			}
			b, err := w.Exchange(t.Context(), []byte{0, 0xB0, 0, 0})
			got += word(b, err)
		}
		if got != c.want || card.n != c.done {
			t.Errorf("%s: %q after %d", c.name, got, card.n)
		}
	}
}

func word(b []byte, err error) string {
	for is, text := range map[error]string{
		apdu.ErrTimeout: "timeout", apdu.ErrAbandoned: "abandoned", apdu.ErrRemoved: "removed", apdu.ErrReset: "reset",
	} {
		if errors.Is(err, is) {
			return text
		}
	}
	return fmt.Sprintf("%X", b)
}

func TestHeldBack(t *testing.T) {
	for name, f := range map[string]apdutest.Fault{"delay": apdutest.Delay(time.Hour), "silence": apdutest.Silence(0)} {
		card := &counter{}
		w := apdutest.With(card, f)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := w.Exchange(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(name, err)
		}
		if _, err := w.Exchange(t.Context(), nil); !errors.Is(err, apdu.ErrAbandoned) || card.n != 0 {
			t.Error(name, err, card.n)
		}
	}
}

func TestPlay(t *testing.T) {
	card := apdutest.Play(t, "# a card\n> 00B0000001\n< AA9000\n")
	r, err := apdu.Over(card, apdu.Limits{}).Transmit(t.Context(), apdu.Command{INS: 0xB0, Le: 1})
	if err != nil || r.Status != apdu.OK || len(r.Data) != 1 {
		t.Error(r, err)
	}
}
