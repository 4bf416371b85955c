package trace_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/trace"
)

const record = `# a card
> 00A4040C07A0000002471001
< 9000

> 00B09E0004
< 60145F016282
> 00B0000400
! the card was removed
`

func parse(t testing.TB, text string) []trace.Exchange {
	t.Helper()
	x, err := trace.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestPlayer(t *testing.T) {
	p := trace.Play(parse(t, record))
	b, err := p.Exchange(t.Context(), []byte{0x00, 0xA4, 0x04, 0x0C, 0x07, 0xA0, 0, 0, 2, 0x47, 0x10, 1})
	if err != nil || !bytes.Equal(b, []byte{0x90, 0}) {
		t.Fatalf("%X %v", b, err)
	}
	r, err := p.Transmit(t.Context(), apdu.Command{INS: 0xB0, P1: 0x9E, Le: 4})
	if err != nil || r.Status != apdu.EndOfFile || !bytes.Equal(r.Data, []byte{0x60, 0x14, 0x5F, 0x01}) {
		t.Fatal(r, err)
	}
	r, err = p.Transmit(t.Context(), apdu.Command{INS: 0xB0, P2: 4, Le: 256})
	if err == nil || err.Error() != "the card was removed" || r.Status != 0 {
		t.Error(r, err)
	}
	if _, err := p.Transmit(t.Context(), apdu.Command{INS: 0xB0, Le: 1}); !errors.Is(err, trace.ErrDiverged) {
		t.Error("after the end:", err)
	}
}

func TestPlayerDiverges(t *testing.T) {
	first := apdu.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: []byte{0xA0, 0, 0, 2, 0x47, 0x10, 1}}
	for _, change := range []func(*apdu.Command){
		func(c *apdu.Command) { c.CLA = 0x0C },
		func(c *apdu.Command) { c.INS = 0xB0 },
		func(c *apdu.Command) { c.P1 = 0 },
		func(c *apdu.Command) { c.P2 = 0 },
		func(c *apdu.Command) { c.Le = 256 },
		func(c *apdu.Command) { c.Data = bytes.Repeat([]byte{0xA0}, 7) },
	} {
		p := trace.Play(parse(t, record))
		c := first
		change(&c)
		if _, err := p.Transmit(t.Context(), c); !errors.Is(err, trace.ErrDiverged) {
			t.Errorf("%+v: %v", c, err)
		}
		if _, err := p.Transmit(t.Context(), first); !errors.Is(err, trace.ErrDiverged) || p.Rest() != 3 {
			t.Error("it went on:", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := trace.Play(parse(t, record)).Transmit(ctx, first); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no answer":      "> 00B0000001\n",
		"two commands":   "> 00B0000001\n> 00B0000001\n< 9000\n",
		"answer first":   "< 9000\n",
		"two answers":    "> 00B0000001\n< 9000\n< 9000\n",
		"digits":         "> 00B000000G\n< 9000\n",
		"odd digits":     "> 00B000000\n< 9000\n",
		"no command":     "> 00\n< 9000\n",
		"no status":      "> 00B0000001\n< 90\n",
		"unknown line":   "> 00B0000001\n? 9000\n",
		"empty failure":  "> 00B0000001\n!\n",
		"binary":         "\x00\x01",
		"answer's digit": "> 00B0000001\n< 9O00\n",
	} {
		if x, err := trace.Parse(strings.NewReader(text)); !errors.Is(err, apdu.ErrMalformed) || x != nil {
			t.Errorf("%s: %v %v", name, x, err)
		}
	}
	if _, err := trace.Parse(strings.NewReader("> " + strings.Repeat("00", 70000))); err == nil {
		t.Error("a line without end")
	}
}

// failing fails every command.
type failing struct{}

func (failing) Transmit(context.Context, apdu.Command) (apdu.Response, error) {
	return apdu.Response{}, apdu.ErrRemoved
}

func TestRecorderFailures(t *testing.T) {
	var text bytes.Buffer
	r := trace.Record(failing{}, &text)
	if _, err := r.Transmit(t.Context(), apdu.Command{INS: 0xB0, Le: 300}); !errors.Is(err, apdu.ErrRemoved) {
		t.Error(err)
	}
	if want := "> 00B0000000012C\n! the card was removed\n"; text.String() != want {
		t.Errorf("%q instead of %q", text.String(), want)
	}
	r = trace.Record(failing{}, fullDisk{})
	r.Transmit(t.Context(), apdu.Command{INS: 0xB0, Le: 1})
	if !errors.Is(r.Err(), errFull) {
		t.Error(r.Err())
	}
}

type fullDisk struct{}

var errFull = errors.New("disk full")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

// FuzzParse: what parses can be played in its own order.
func FuzzParse(f *testing.F) {
	f.Add(record)
	f.Add("> 00B0000000012C\n! the card was removed\n")
	f.Fuzz(func(t *testing.T, text string) {
		x, err := trace.Parse(strings.NewReader(text))
		if err != nil {
			return
		}
		p := trace.Play(x)
		for _, x := range x {
			r, err := p.Transmit(t.Context(), x.Command)
			if errors.Is(err, trace.ErrDiverged) || (err != nil) != (x.Failure != "") || r.Status != x.Response.Status {
				t.Fatal(r, err)
			}
		}
	})
}

// FuzzRecorder: whatever a card sends, the record has its length and can be read.
func FuzzRecorder(f *testing.F) {
	f.Add(byte(0x82), []byte{0x75, 0x82, 0x01, 0x00, 0x7F, 0x61, 0x03, 0x02, 0x01, 0x01}, byte(3))
	f.Add(byte(0x9D), []byte{0x77, 0x80, 0x24, 0x80}, byte(1))
	f.Fuzz(func(t *testing.T, p1 byte, file []byte, step byte) {
		var text bytes.Buffer
		c := &card{files: map[uint16][]byte{0x0100 | uint16(p1&0x1F): file}}
		r := trace.Record(c, &text)
		var sizes []int
		for n := 0; n < len(file) && n < 1000; n += max(int(step), 1) {
			command := apdu.Command{INS: 0xB0, P1: byte(n >> 8), P2: byte(n), Le: max(int(step), 1)}
			if n == 0 {
				command.P1 = p1 | 0x80
			}
			answer, err := r.Transmit(t.Context(), command)
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, len(answer.Data))
		}
		x, err := trace.Parse(&text)
		if err != nil || len(x) != len(sizes) {
			t.Fatal(len(x), len(sizes), err)
		}
		for i := range x {
			if len(x[i].Response.Data) != sizes[i] {
				t.Fatal("another length")
			}
		}
	})
}
