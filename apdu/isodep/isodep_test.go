package isodep

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu"
)

type tag struct {
	answer   []byte
	err      error
	most     int
	extended bool
	block    chan struct{}
	seen     []byte
}

func (g *tag) Transceive(command []byte) ([]byte, error) {
	if g.block != nil {
		<-g.block
	}
	g.seen = command
	return g.answer, g.err
}
func (g *tag) MaxTransceiveLength() int { return g.most }
func (g *tag) ExtendedLength() bool     { return g.extended }

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		tag  tag
		want apdu.Limits
	}{
		{tag{most: 261}, apdu.Limits{}},
		{tag{most: 65279, extended: true}, apdu.Limits{Command: 65279, Response: 65279}},
		{tag{extended: true}, apdu.Limits{Command: 65538, Response: 65538}},
		{tag{most: 1 << 30, extended: true}, apdu.Limits{Command: 65538, Response: 65538}},
	} {
		if got := New(&c.tag).Limits(); got != c.want {
			t.Errorf("%+v: %+v", c.tag, got)
		}
	}
}

func TestExchange(t *testing.T) {
	g := &tag{answer: []byte{1, 2, 0x90, 0x00}}
	w := New(g)
	command := []byte{0, 0xB0, 0, 0, 2}
	r, err := w.Exchange(t.Context(), command)
	command[0] = 0xFF
	if err != nil || !bytes.Equal(r, g.answer) || g.seen[0] != 0 {
		t.Errorf("%X, %v; the tag keeps %X", r, err, g.seen)
	}
	r[0] = 9
	if g.answer[0] != 1 {
		t.Error("the answer is the tag's own")
	}
	lost := errors.New("tag was lost")
	g.err = lost
	if _, err := w.Exchange(t.Context(), command); !errors.Is(err, apdu.ErrRemoved) || !errors.Is(err, lost) {
		t.Errorf("a lost tag: %v", err)
	}
}

func TestAbandoned(t *testing.T) {
	g := &tag{answer: []byte{0x90, 0x00}, block: make(chan struct{})}
	w := New(g)
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	if _, err := w.Exchange(ctx, []byte{0, 0xB0, 0, 0, 2}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	close(g.block)
	if _, err := w.Exchange(t.Context(), []byte{0, 0xB0, 0, 0, 2}); !errors.Is(err, apdu.ErrAbandoned) {
		t.Errorf("after it: %v", err)
	}
}
