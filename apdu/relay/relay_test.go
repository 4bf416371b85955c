package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
)

// card answers with what it is given to, and remembers what came.
type card struct {
	came   []apdu.Command
	answer func(apdu.Command) (apdu.Response, error)
}

func (c *card) Transmit(_ context.Context, cmd apdu.Command) (apdu.Response, error) {
	cmd.Data = bytes.Clone(cmd.Data)
	c.came = append(c.came, cmd)
	if c.answer != nil {
		return c.answer(cmd)
	}
	return apdu.Response{Data: []byte{cmd.P1}, Status: apdu.OK}, nil
}

// outcome is what Carry returned.
type outcome struct {
	last []byte
	err  error
}

// play starts the card's end, and gives the terminal's. The test ends only once Carry has.
func play(t *testing.T, c apdu.Transmitter, r Rules, timeout time.Duration) (*Wire, <-chan outcome) {
	t.Helper()
	here, there := net.Pipe()
	done := make(chan outcome, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		last, err := Carry(t.Context(), here, c, r)
		done <- outcome{last, err}
	}()
	w := Over(there, timeout)
	t.Cleanup(func() {
		w.Close()
		<-ended
	})
	return w, done
}

var (
	oid     = []byte{0x80, 0x0A, 4, 0, 0x7F, 0, 7, 2, 2, 3, 2, 2}
	mseAT   = apdu.Command{INS: 0x22, P1: 0x41, P2: 0xA4, Data: oid}
	mseKAT  = apdu.Command{INS: 0x22, P1: 0x41, P2: 0xA6, Data: []byte{0x91, 1, 4}}
	agree   = apdu.Command{INS: 0x86, Data: []byte{0x7C, 0}, Le: 256}
	readDG1 = apdu.Command{INS: 0xB0, P1: 0x81, Le: 16}
	goOn    = apdu.Command{INS: 0xB0, P1: 0x00, P2: 0x10, Le: 16}
	mac     = []byte{0x8E, 8, 1, 2, 3, 4, 5, 6, 7, 8}
	sealDG1 = apdu.Command{CLA: 0x0C, INS: 0xB0, P1: 0x81, Data: slices.Concat([]byte{0x97, 1, 0x10}, mac), Le: 256}
	sealOn  = apdu.Command{CLA: 0x0C, INS: 0xB0, P1: 0, P2: 16, Data: slices.Concat([]byte{0x97, 1, 0x10}, mac), Le: 256}
	sign    = apdu.Command{INS: 0x88, Data: []byte("12345678"), Le: 256}
	lds1    = []byte{0xA0, 0, 0, 2, 0x47, 0x10, 1}
)

func rules() Rules {
	return Rules{Files: []File{{0x0101, 1}, {0x010E, 14}}, Applications: [][]byte{lds1}, Challenge: []byte("12345678")}
}

// TestCarried: what was agreed goes to the card as it came, and its answers go back.
func TestCarried(t *testing.T) {
	for _, agreement := range [][]apdu.Command{{mseAT, agree}, {mseKAT}} {
		c := &card{}
		w, done := play(t, c, rules(), 0)
		sent := slices.Concat([]apdu.Command{
			{INS: 0xA4, P1: 4, P2: 0x0C, Data: lds1}, {INS: 0xA4, P1: 2, P2: 0x0C, Data: []byte{1, 1}}, goOn, readDG1, goOn, sign,
		}, agreement, []apdu.Command{sealDG1, sealOn, sealDG1})
		for i, cmd := range sent {
			r, err := apdu.Over(w, apdu.Limits{}).Transmit(t.Context(), cmd)
			if err != nil || !bytes.Equal(r.Data, []byte{cmd.P1}) {
				t.Fatalf("%d, %s: %v %v", i, cmd.Name(), r, err)
			}
		}
		if err := w.End(t.Context(), []byte("farewell")); err != nil {
			t.Fatal(err)
		}
		if o := <-done; o.err != nil || string(o.last) != "farewell" {
			t.Errorf("%s %v", o.last, o.err)
		}
		if len(c.came) != len(sent) {
			t.Fatalf("%d of %d commands came", len(c.came), len(sent))
		}
		for i := range sent {
			if fmt.Sprint(c.came[i]) != fmt.Sprint(sent[i]) {
				t.Errorf("%v came as %v", sent[i], c.came[i])
			}
		}
		if _, err := w.Exchange(t.Context(), []byte{0, 0xB0, 0, 0, 0}); !errors.Is(err, apdu.ErrAbandoned) {
			t.Errorf("after the last word: %v", err)
		}
	}
}

// TestRefused: everything else is refused by its code, reaches no card, and is the end.
func TestRefused(t *testing.T) {
	at := func(c apdu.Command, change func(*apdu.Command)) apdu.Command {
		c.Data = bytes.Clone(c.Data)
		change(&c)
		return c
	}
	sealed := func(ins, p1, p2 byte) apdu.Command {
		return apdu.Command{CLA: 0x0C, INS: ins, P1: p1, P2: p2, Data: mac, Le: 256}
	}
	for _, c := range []struct {
		what   string
		before []apdu.Command
		last   apdu.Command
		want   Code
	}{
		{"VERIFY", nil, apdu.Command{INS: 0x20, P2: 3, Data: []byte("123456")}, CodeCommand},
		{"CHANGE REFERENCE DATA", nil, apdu.Command{INS: 0x24, Data: []byte{1}}, CodeCommand},
		{"RESET RETRY COUNTER", nil, apdu.Command{INS: 0x2C, P1: 3, P2: 3}, CodeCommand},
		{"PERFORM SECURITY OPERATION", nil, apdu.Command{INS: 0x2A, P2: 0xBE, Data: []byte{1}}, CodeCommand},
		{"GET CHALLENGE", nil, apdu.Command{INS: 0x84, Le: 8}, CodeCommand},
		{"EXTERNAL AUTHENTICATE", nil, apdu.Command{INS: 0x82, Data: make([]byte, 40)}, CodeCommand},
		{"UPDATE BINARY", nil, apdu.Command{INS: 0xD6, Data: []byte{1}}, CodeCommand},
		{"UPDATE BINARY, odd", nil, apdu.Command{INS: 0xD7, Data: []byte{1}}, CodeCommand},
		{"PUT DATA", nil, apdu.Command{INS: 0xDA, Data: []byte{1}}, CodeCommand},
		{"APPEND RECORD", nil, apdu.Command{INS: 0xE2, Data: []byte{1}}, CodeCommand},
		{"ERASE BINARY", nil, apdu.Command{INS: 0x0E}, CodeCommand},
		{"CREATE FILE", nil, apdu.Command{INS: 0xE0, Data: []byte{1}}, CodeCommand},
		{"DELETE", nil, apdu.Command{INS: 0xE4, Data: []byte{1}}, CodeCommand},
		{"INSTALL", nil, apdu.Command{INS: 0xE6, Data: []byte{1}}, CodeCommand},
		{"ACTIVATE FILE", nil, apdu.Command{INS: 0x44}, CodeCommand},
		{"GENERATE KEY PAIR", nil, apdu.Command{INS: 0x46}, CodeCommand},
		{"MANAGE CHANNEL", nil, apdu.Command{INS: 0x70}, CodeCommand},
		{"GET DATA", nil, apdu.Command{INS: 0xCB, P1: 0x3F, P2: 0xFF, Data: []byte{0x5C, 0}, Le: 256}, CodeCommand},
		{"GET RESPONSE", nil, apdu.Command{INS: 0xC0, Le: 256}, CodeCommand},
		{"READ RECORD", nil, apdu.Command{INS: 0xB2, P1: 1, P2: 4, Le: 256}, CodeCommand},
		{"READ BINARY with a file in its data", nil, apdu.Command{INS: 0xB1, P2: 3, Data: []byte{0x54, 1, 0}, Le: 256}, CodeCommand},
		{"STORE DATA", nil, apdu.Command{CLA: 0x80, INS: 0xE2, Data: []byte{1}}, CodeClass},
		{"INITIALIZE UPDATE", nil, apdu.Command{CLA: 0x80, INS: 0x50, Data: make([]byte, 8), Le: 256}, CodeClass},
		{"PUT KEY", nil, apdu.Command{CLA: 0x84, INS: 0xD8, Data: []byte{1}}, CodeClass},
		{"another channel", nil, at(readDG1, func(c *apdu.Command) { c.CLA = 1 }), CodeClass},
		{"a chain", nil, at(agree, func(c *apdu.Command) { c.CLA = 0x10 }), CodeClass},
		{"a chain that is sealed", []apdu.Command{mseAT, agree}, at(sealDG1, func(c *apdu.Command) { c.CLA = 0x1C }), CodeClass},
		{"sealed without its head", []apdu.Command{mseAT, agree}, at(sealDG1, func(c *apdu.Command) { c.CLA = 0x08 }), CodeClass},
		{"sealed in another channel", []apdu.Command{mseAT, agree}, at(sealDG1, func(c *apdu.Command) { c.CLA = 0x0D }), CodeClass},

		{"DG2", nil, at(readDG1, func(c *apdu.Command) { c.P1 = 0x82 }), CodeFile},
		{"DG3", nil, at(readDG1, func(c *apdu.Command) { c.P1 = 0x83 }), CodeFile},
		{"DG4", nil, at(readDG1, func(c *apdu.Command) { c.P1 = 0x84 }), CodeFile},
		{"no short identifier", nil, at(readDG1, func(c *apdu.Command) { c.P1 = 0x80 }), CodeFile},
		{"bits that mean nothing", nil, at(readDG1, func(c *apdu.Command) { c.P1 = 0xA1 }), CodeFile},
		{"data in READ BINARY", nil, at(readDG1, func(c *apdu.Command) { c.Data = []byte{1} }), CodeFile},
		{"the current file before any", nil, goOn, CodeFile},
		{"the current file behind an application", []apdu.Command{readDG1, {INS: 0xA4, P1: 4, P2: 0x0C, Data: lds1}}, goOn, CodeFile},
		{"DG3 by its name", nil, apdu.Command{INS: 0xA4, P1: 2, P2: 0x0C, Data: []byte{1, 3}}, CodeFile},
		{"the master file", nil, apdu.Command{INS: 0xA4, P2: 0x0C, Data: []byte{0x3F, 0}}, CodeFile},
		{"a path", nil, apdu.Command{INS: 0xA4, P1: 8, P2: 0x0C, Data: []byte{1, 1}}, CodeFile},
		{"SELECT that answers", nil, apdu.Command{INS: 0xA4, P1: 4, Data: lds1, Le: 256}, CodeFile},
		{"another application", nil, apdu.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: []byte{0xA0, 0, 0, 1, 0x67}}, CodeApplication},
		{"the card manager", nil, apdu.Command{INS: 0xA4, P1: 4, P2: 0x0C}, CodeApplication},

		{"another challenge", nil, at(sign, func(c *apdu.Command) { c.Data[7]++ }), CodeChallenge},
		{"a longer challenge", nil, at(sign, func(c *apdu.Command) { c.Data = append(c.Data, 0) }), CodeChallenge},
		{"another key", nil, at(sign, func(c *apdu.Command) { c.P2 = 1 }), CodeChallenge},

		{"PACE", nil, apdu.Command{INS: 0x22, P1: 0xC1, P2: 0xA4, Data: oid}, CodeAgreement},
		{"Terminal Authentication's certificate", nil, apdu.Command{INS: 0x22, P1: 0x81, P2: 0xB6, Data: []byte{0x83, 1, 0}}, CodeAgreement},
		{"Terminal Authentication", nil, apdu.Command{INS: 0x22, P1: 0x81, P2: 0xA4, Data: []byte{0x83, 1, 0}}, CodeAgreement},
		{"Restricted Identification", nil, at(mseAT, func(c *apdu.Command) { c.Data[9] = 5 }), CodeAgreement},
		{"more in MSE", nil, at(mseAT, func(c *apdu.Command) { c.Data = append(c.Data, 0x84, 1, 1, 0x7F, 0x4C, 0) }), CodeAgreement},
		{"nothing in MSE", nil, at(mseAT, func(c *apdu.Command) { c.Data = nil }), CodeAgreement},
		{"agreement before it is announced", nil, agree, CodeOrder},
		{"reading between its halves", []apdu.Command{mseAT}, readDG1, CodeOrder},
		{"in the clear behind it", []apdu.Command{mseAT, agree}, readDG1, CodeOrder},
		{"a second agreement", []apdu.Command{mseAT, agree}, mseAT, CodeOrder},
		{"sealed before it", nil, sealDG1, CodeOrder},
		{"sealed between its halves", []apdu.Command{mseAT}, sealDG1, CodeOrder},

		{"DG2, sealed", []apdu.Command{mseAT, agree}, sealed(0xB0, 0x82, 0), CodeFile},
		{"DG3, sealed", []apdu.Command{mseAT, agree}, sealed(0xB0, 0x83, 0), CodeFile},
		{"DG4, sealed", []apdu.Command{mseKAT}, sealed(0xB0, 0x84, 0), CodeFile},
		{"the current file, sealed", []apdu.Command{mseAT, agree}, sealOn, CodeFile},
		{"SELECT, sealed", []apdu.Command{mseAT, agree}, sealed(0xA4, 4, 0x0C), CodeSealed},
		{"READ BINARY of an unseen file, sealed", []apdu.Command{mseAT, agree}, sealed(0xB1, 0, 3), CodeSealed},
		{"hidden data", []apdu.Command{mseAT, agree}, at(sealDG1, func(c *apdu.Command) { c.Data = slices.Concat([]byte{0x87, 1, 1}, mac) }), CodeSealed},
		{"no MAC", []apdu.Command{mseAT, agree}, at(sealDG1, func(c *apdu.Command) { c.Data = nil }), CodeSealed},
		{"VERIFY, sealed", []apdu.Command{mseAT, agree}, sealed(0x20, 0, 3), CodeCommand},
		{"PUT DATA, sealed", []apdu.Command{mseAT, agree}, sealed(0xDA, 0, 0), CodeCommand},
		{"MSE, sealed", []apdu.Command{mseAT, agree}, sealed(0x22, 0x81, 0xB6), CodeCommand},
		{"a certificate, sealed", []apdu.Command{mseAT, agree}, sealed(0x2A, 0, 0xBE), CodeCommand},
		{"GET CHALLENGE, sealed", []apdu.Command{mseAT, agree}, sealed(0x84, 0, 0), CodeCommand},
		{"EXTERNAL AUTHENTICATE, sealed", []apdu.Command{mseAT, agree}, sealed(0x82, 0, 0), CodeCommand},
		{"INTERNAL AUTHENTICATE, sealed", []apdu.Command{mseAT, agree}, sealed(0x88, 0, 0), CodeCommand},
		{"UPDATE BINARY, sealed", []apdu.Command{mseAT, agree}, sealed(0xD6, 0x81, 0), CodeCommand},
	} {
		k := &card{}
		w, done := play(t, k, rules(), 0)
		link := apdu.Over(w, apdu.Limits{})
		for _, b := range c.before {
			if _, err := link.Transmit(t.Context(), b); err != nil {
				t.Fatalf("%s: before it: %v", c.what, err)
			}
		}
		_, err := link.Transmit(t.Context(), c.last)
		if here := (<-done).err; CodeOf(err) != c.want || CodeOf(here) != c.want || len(k.came) != len(c.before) {
			t.Errorf("%s: %v there, %v here, want %s; %d commands reached the card", c.what, err, here, c.want, len(k.came))
		}
		if _, err := link.Transmit(t.Context(), readDG1); CodeOf(err) != c.want {
			t.Errorf("%s: behind it: %v", c.what, err)
		}
	}
	w, _ := play(t, &card{}, Rules{}, 0)
	if _, err := apdu.Over(w, apdu.Limits{}).Transmit(t.Context(), sign); CodeOf(err) != CodeChallenge {
		t.Errorf("signing where nothing was agreed: %v", err)
	}
}

// TestWhatTheCardDid: an agreement that the card refused has not happened, and a file that it
// does not have is not the current one.
func TestWhatTheCardDid(t *testing.T) {
	no := func(c apdu.Command) (apdu.Response, error) {
		if c.INS == 0x86 || c.INS == 0xB0 {
			return apdu.Response{Status: apdu.FileNotFound}, nil
		}
		return apdu.Response{Status: apdu.OK}, nil
	}
	for what, list := range map[string][]apdu.Command{"sealed behind a refusal": {mseAT, agree, sealDG1}, "agreed again": {mseAT, agree, agree}} {
		w, _ := play(t, &card{answer: no}, rules(), 0)
		link, err := apdu.Over(w, apdu.Limits{}), error(nil)
		for _, c := range list {
			_, err = link.Transmit(t.Context(), c)
		}
		if CodeOf(err) != CodeOrder {
			t.Errorf("%s: %v", what, err)
		}
	}
	w, _ := play(t, &card{answer: no}, rules(), 0)
	link := apdu.Over(w, apdu.Limits{})
	for _, c := range []apdu.Command{readDG1, mseAT, agree, readDG1} {
		if _, err := link.Transmit(t.Context(), c); err != nil {
			t.Errorf("%s: %v", c.Name(), err)
		}
	}
	if _, err := link.Transmit(t.Context(), goOn); CodeOf(err) != CodeFile {
		t.Errorf("the current file is none: %v", err)
	}
}

// TestAmounts: more than was agreed is refused.
func TestAmounts(t *testing.T) {
	r := rules()
	r.Commands = 3
	w, done := play(t, &card{}, r, 0)
	link, err := apdu.Over(w, apdu.Limits{}), error(nil)
	for range 3 {
		if _, err := link.Transmit(t.Context(), readDG1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err = link.Transmit(t.Context(), readDG1); CodeOf(err) != CodeAmount || CodeOf((<-done).err) != CodeAmount {
		t.Errorf("a fourth command: %v", err)
	}
	r = rules()
	r.Octets = 200
	c := &card{answer: func(apdu.Command) (apdu.Response, error) {
		return apdu.Response{Data: make([]byte, 98), Status: apdu.OK}, nil
	}}
	w, _ = play(t, c, r, 0)
	link = apdu.Over(w, apdu.Limits{})
	for i := range 3 {
		if _, err := link.Transmit(t.Context(), readDG1); CodeOf(err) != [3]Code{2: CodeAmount}[i] {
			t.Errorf("answer %d: %v", i, err)
		}
	}
}

// TestFaults: what is wrong with the card is known at both ends, and stays.
func TestFaults(t *testing.T) {
	for _, want := range []error{apdu.ErrRemoved, apdu.ErrReset, apdu.ErrTimeout, apdu.ErrAbandoned, errors.New("the reader is on fire")} {
		c := &card{answer: func(apdu.Command) (apdu.Response, error) { return apdu.Response{}, want }}
		w, done := play(t, c, rules(), 0)
		link := apdu.Over(w, apdu.Limits{})
		for range 2 {
			_, err := link.Transmit(t.Context(), readDG1)
			if ok := errors.Is(err, want); ok != (faultOf(want) > 0) || !ok && !errors.Is(err, ErrCard) {
				t.Errorf("%v is told as %v", want, err)
			}
		}
		if err := (<-done).err; !errors.Is(err, want) {
			t.Errorf("%v is %v at the card", want, err)
		}
	}
}

// TestAbandoned: an exchange that was given up leaves nothing that a later one could take for
// its own.
func TestAbandoned(t *testing.T) {
	free := make(chan struct{})
	slow := func() (*card, chan struct{}) {
		reached := make(chan struct{}, 1)
		return &card{answer: func(apdu.Command) (apdu.Response, error) {
			reached <- struct{}{}
			<-free
			return apdu.Response{Status: apdu.OK}, nil
		}}, reached
	}
	defer close(free)
	read := []byte{0, 0xB0, 0x81, 0, 16}
	k, _ := slow()
	w, _ := play(t, k, rules(), time.Millisecond)
	_, err := w.Exchange(t.Context(), read)
	_, later := w.Exchange(t.Context(), read)
	if !errors.Is(err, apdu.ErrTimeout) || !errors.Is(later, apdu.ErrAbandoned) {
		t.Errorf("too slow: %v, then %v", err, later)
	}

	k, reached := slow()
	w, _ = play(t, k, rules(), time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	begun := make(chan error, 1)
	go func() {
		_, err := w.Exchange(ctx, read)
		begun <- err
	}()
	<-reached
	if _, err := w.Exchange(t.Context(), read); !errors.Is(err, ErrBusy) {
		t.Errorf("a second at the same time: %v", err)
	}
	cancel()
	if err := <-begun; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := w.Exchange(t.Context(), read); !errors.Is(err, apdu.ErrAbandoned) {
		t.Errorf("behind it: %v", err)
	}

	w, done := play(t, &card{}, rules(), 0)
	if _, err := w.Exchange(t.Context(), []byte{0, 0xB0}); !errors.Is(err, apdu.ErrMalformed) {
		t.Errorf("no command: %v", err)
	}
	if _, err := w.Exchange(t.Context(), read); err != nil {
		t.Errorf("after no command: %v", err)
	}
	w.Close()
	if _, err := w.Exchange(t.Context(), read); !errors.Is(err, apdu.ErrAbandoned) {
		t.Errorf("closed: %v", err)
	}
	if err := (<-done).err; !errors.Is(err, ErrGone) {
		t.Errorf("the other end is gone: %v", err)
	}
}

// TestCarryEnds: nobody holds the card for long by saying nothing, and its holder may end it.
func TestCarryEnds(t *testing.T) {
	here, there := net.Pipe()
	defer there.Close()
	r := rules()
	r.Silence = time.Millisecond
	if _, err := Carry(t.Context(), here, &card{}, r); !errors.Is(err, ErrSilent) {
		t.Errorf("silence: %v", err)
	}
	here, there = net.Pipe()
	defer there.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Carry(ctx, here, &card{}, rules()); !errors.Is(err, context.Canceled) {
		t.Errorf("ended by its holder: %v", err)
	}
	// A terminal that takes no answers.
	here, there = net.Pipe()
	defer there.Close()
	done := make(chan error, 1)
	go func() {
		_, err := Carry(t.Context(), here, &card{}, r)
		done <- err
	}()
	go writeFrame(there, frame{command, 1, []byte{0, 0xB0, 0x81, 0, 16}})
	if err := <-done; !errors.Is(err, ErrSilent) {
		t.Errorf("answers that nobody takes: %v", err)
	}
}

// stream is a terminal that says what it says and hears nothing.
type stream struct{ io.Reader }

func (stream) Write(b []byte) (int, error) { return len(b), nil }
func (stream) Close() error                { return nil }

func frames(list ...frame) []byte {
	var b bytes.Buffer
	for _, f := range list {
		if err := writeFrame(&b, f); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

// TestBrokenStreams: what is no frame, or not due, is refused at both ends.
func TestBrokenStreams(t *testing.T) {
	read := []byte{0, 0xB0, 0x81, 0, 16}
	ok := frames(frame{command, 1, read})
	for what, c := range map[string]struct {
		b    []byte
		want error
	}{
		"nothing":             {nil, ErrGone},
		"half a head":         {ok[:5], ErrStream},
		"half a frame":        {ok[:10], ErrStream},
		"kind 0":              {make([]byte, 8), ErrStream},
		"kind 6":              {[]byte{6, 0, 0, 0, 0, 0, 0, 1}, ErrStream},
		"a command too short": {[]byte{1, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0}, ErrStream},
		"a length of 16 MB":   {[]byte{1, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1}, ErrStream},
		"an answer":           {frames(frame{answer, 1, read}), ErrStream},
		"a number too many":   {frames(frame{command, 2, read}), ErrStream},
		"a number twice":      {frames(frame{command, 1, read}, frame{command, 1, read}), ErrStream},
		"an end too late":     {frames(frame{ended, 1, nil}), ErrStream},
		"no command":          {frames(frame{command, 1, []byte{0, 0xB0, 0, 0, 5, 1}}), &Refusal{Code: CodeMalformed}},
	} {
		_, err := Carry(t.Context(), stream{bytes.NewReader(c.b)}, &card{}, rules())
		if r, ok := c.want.(*Refusal); ok && CodeOf(err) == r.Code {
			continue
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, c := range map[string]struct {
		b    []byte
		want error
	}{
		"nothing":                     {nil, ErrGone},
		"another's answer":            {frames(frame{answer, 7, read}), ErrStream},
		"a command":                   {frames(frame{command, 1, read}), ErrStream},
		"an end":                      {frames(frame{ended, 1, read}), ErrStream},
		"a refusal without a reason":  {frames(frame{refused, 1, []byte("whim\x1b[2J")}), ErrStream},
		"a fault that is not known":   {frames(frame{failed, 1, []byte{99}}), ErrCard},
		"an answer of a single octet": {[]byte{2, 0, 0, 1, 0, 0, 0, 1, 0x90}, ErrStream},
	} {
		if _, err := Over(stream{bytes.NewReader(c.b)}, 0).Exchange(t.Context(), read); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := Over(stream{}, 0).End(t.Context(), make([]byte, maxLast+1)); !errors.Is(err, ErrStream) {
		t.Errorf("a last word too long: %v", err)
	}
}

// FuzzCarry: whatever a terminal says, both ends come to an end, and the card sees nothing
// but reading of agreed files, the agreement and one challenge.
func FuzzCarry(f *testing.F) {
	enc := func(list ...apdu.Command) []byte {
		var all []frame
		for i, c := range list {
			b, err := c.Encode(false)
			if err != nil {
				f.Fatal(err)
			}
			all = append(all, frame{command, uint32(i + 1), b})
		}
		return frames(append(all, frame{ended, uint32(len(list)), []byte("x")})...)
	}
	f.Add(enc(readDG1, goOn, sign, mseAT, agree, sealDG1, sealOn))
	f.Add(enc(mseKAT, sealDG1, sealOn))
	f.Add(enc(apdu.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: lds1}, readDG1))
	f.Add(frames(frame{answer, 1, []byte{0x90, 0}}))
	f.Add(frames(frame{refused, 1, []byte("file")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		k := &card{}
		if last, err := Carry(t.Context(), stream{bytes.NewReader(b)}, k, rules()); err != nil && last != nil {
			t.Error("a last word with an error")
		}
		for _, c := range k.came {
			if c.INS != 0xB0 && c.INS != 0xA4 && c.INS != 0x88 && c.INS != 0x22 && c.INS != 0x86 || c.CLA != 0 && (c.CLA != 0x0C || c.INS != 0xB0) {
				t.Errorf("the card saw %+v", c)
			}
			if sfi := c.P1 & 0x7F; c.INS == 0xB0 && c.P1&0x80 != 0 && sfi != 1 && sfi != 14 || c.INS == 0x88 && !bytes.Equal(c.Data, sign.Data) {
				t.Errorf("the card saw %+v", c)
			}
		}
		if a, err := Over(stream{bytes.NewReader(b)}, 0).Exchange(t.Context(), []byte{0, 0xB0, 0x81, 0}); err == nil && len(a) < 2 {
			t.Errorf("an answer of %d octets", len(a))
		}
	})
}
