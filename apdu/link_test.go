package apdu_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu"
)

// script is a Wire that answers one line "command answer" of hexadecimal digits after
// the other.
type script struct {
	t     testing.TB
	lines []string
	sent  int
}

func (s *script) Exchange(_ context.Context, b []byte) ([]byte, error) {
	if s.sent == len(s.lines) {
		s.t.Fatalf("%X was not expected", b)
	}
	command, answer, _ := strings.Cut(s.lines[s.sent], " ")
	s.sent++
	if got := strings.ToUpper(hex.EncodeToString(b)); got != command {
		s.t.Fatalf("%s instead of %s", got, command)
	}
	r, err := hex.DecodeString(answer)
	if err != nil {
		s.t.Fatal(err)
	}
	return r, nil
}

func TestLink(t *testing.T) {
	read := apdu.Command{INS: 0xB0, Le: 256}
	for _, c := range []struct {
		name    string
		command apdu.Command
		lines   []string
		want    string // data and status
	}{
		{"plain", read, []string{"00B0000000 AABB9000"}, "AABB9000"},
		{"warning keeps data", read, []string{"00B0000000 AABB6282"}, "AABB6282"},
		{"refusal", read, []string{"00B0000000 6A82"}, "6A82"},
		{"61xx", read, []string{"00B0000000 6102", "00C0000002 AABB9000"}, "AABB9000"},
		{"61xx with data", read, []string{"00B0000000 AA6101", "00C0000001 BB6100", "00C0000000 CC9000"}, "AABBCC9000"},
		{"61xx then refusal", read, []string{"00B0000000 6102", "00C0000002 6F00"}, "6F00"},
		{"61xx then 6Cxx", read, []string{"00B0000000 6100", "00C0000000 6C01", "00C0000001 AA9000"}, "AA9000"},
		{"61xx then 6Cxx twice", read, []string{"00B0000000 6100", "00C0000000 6C01", "00C0000001 6C02"}, "6C02"},
		{"6Cxx", read, []string{"00B0000000 6C02", "00B0000002 AABB9000"}, "AABB9000"},
		{"6Cxx twice", read, []string{"00B0000000 6C02", "00B0000002 6C03"}, "6C03"},
		{"6Cxx then 61xx", read, []string{"00B0000000 6C02", "00B0000002 6102", "00C0000002 AABB9000"}, "AABB9000"},
		{"6C00 is 256", apdu.Command{INS: 0xB0, Le: 1}, []string{"00B0000001 6C00", "00B0000000 AA9000"}, "AA9000"},
		{"channel", apdu.Command{CLA: 0x43, INS: 0xB0, Le: 1}, []string{"43B0000001 6101", "43C0000001 AA9000"}, "AA9000"},
		{"secured 61xx", apdu.Command{CLA: 0x0E, INS: 0xB0, Le: 256}, []string{"0EB0000000 6101", "02C0000001 AA9000"}, "AA9000"},
		{"secured 6Cxx", apdu.Command{CLA: 0x0C, INS: 0xB0, Le: 256}, []string{"0CB0000000 6C02"}, "6C02"},
		{"SCP 6Cxx", apdu.Command{CLA: 0x84, INS: 0xE2, Le: 256}, []string{"84E2000000 6C02"}, "6C02"},
		{"chained and secured", apdu.Command{CLA: 0x1C, INS: 0x86, Le: 256}, []string{"1C86000000 6101", "00C0000001 AA9000"}, "AA9000"},
		{"proprietary", apdu.Command{CLA: 0x80, INS: 0x50, Le: 256}, []string{"8050000000 6101", "00C0000001 AA9000"}, "AA9000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &script{t: t, lines: c.lines}
			k := apdu.Over(s, apdu.Limits{})
			r, err := k.Transmit(t.Context(), c.command)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.ToUpper(hex.EncodeToString(r.Bytes())); got != c.want {
				t.Errorf("%s instead of %s", got, c.want)
			}
			in, out := 0, 0
			for _, line := range c.lines {
				command, answer, _ := strings.Cut(line, " ")
				out, in = out+len(command)/2, in+len(answer)/2
			}
			want := apdu.Traffic{APDUs: len(c.lines), BytesIn: in, BytesOut: out}
			if k.Traffic() != want || s.sent != len(c.lines) {
				t.Errorf("%+v instead of %+v", k.Traffic(), want)
			}
		})
	}
}

// wire is a function as a Wire.
type wire func([]byte) ([]byte, error)

func (w wire) Exchange(_ context.Context, b []byte) ([]byte, error) { return w(b) }

// TestLinkLimits: nothing is sent that does not fit, and extended encoding only where
// short encoding does not do.
func TestLinkLimits(t *testing.T) {
	for _, c := range []struct {
		limits   apdu.Limits
		data, le int
		want     int // octets of the command, 0 = ErrTooLong
	}{
		{apdu.Limits{}, 0, 256, 5},
		{apdu.Limits{}, 255, 256, 261},
		{apdu.Limits{}, 256, 0, 0},
		{apdu.Limits{}, 0, 257, 0},
		{apdu.Limits{Command: 65544, Response: 65538}, 255, 256, 261},
		{apdu.Limits{Command: 65544, Response: 65538}, 256, 256, 265},
		{apdu.Limits{Command: 65544, Response: 65538}, 65535, 65536, 65544},
		{apdu.Limits{Command: 65543, Response: 65538}, 65535, 65536, 0},
		{apdu.Limits{Command: 300}, 256, 0, 263},
		{apdu.Limits{Command: 300}, 0, 257, 0},
		{apdu.Limits{Response: 1000}, 0, 998, 7},
		{apdu.Limits{Response: 1000}, 0, 999, 0},
		{apdu.Limits{Response: 1000}, 256, 0, 0},
		{apdu.Limits{Command: 100, Response: 100}, 94, 98, 100},
		{apdu.Limits{Command: 100, Response: 100}, 95, 98, 0},
		{apdu.Limits{Command: 100, Response: 100}, 0, 99, 0},
	} {
		sent := 0
		k := apdu.Over(wire(func(b []byte) ([]byte, error) {
			sent = len(b)
			return []byte{0x90, 0}, nil
		}), apdu.Limits{})
		k.Raise(c.limits)
		_, err := k.Transmit(t.Context(), apdu.Command{INS: 0xB0, Data: make([]byte, c.data), Le: c.le})
		if sent != c.want || (c.want == 0) != errors.Is(err, apdu.ErrTooLong) || c.want > 0 && err != nil {
			t.Errorf("%+v: sent %d, %v", c, sent, err)
		}
		if k.Limits() != c.limits {
			t.Error(k.Limits())
		}
		if sent == 0 && k.Traffic() != (apdu.Traffic{}) {
			t.Error("counted what was not sent")
		}
	}
}

// TestEndlessAnswers: no card keeps a Link busy for ever.
func TestEndlessAnswers(t *testing.T) {
	for name, answer := range map[string][]byte{
		"nothing, more remain": {0x61, 0x00},
		"one octet each":       {0xAA, 0x61, 0x01},
		"full answers":         append(bytes.Repeat([]byte{1}, 256), 0x61, 0x00),
		"6Cxx for ever":        {0x6C, 0x01},
	} {
		k := apdu.Over(wire(func([]byte) ([]byte, error) { return answer, nil }), apdu.Limits{})
		r, err := k.Transmit(t.Context(), apdu.Command{INS: 0xB0, Le: 256})
		if answer[0] == 0x6C {
			if err != nil || !errors.Is(r.Status, apdu.WrongLe) || k.Traffic().APDUs != 2 {
				t.Errorf("%s: %v, %v after %+v", name, r, err, k.Traffic())
			}
			continue
		}
		if !errors.Is(err, apdu.ErrMalformed) || k.Traffic().APDUs > 1100 {
			t.Errorf("%s: %v after %+v", name, err, k.Traffic())
		}
	}
}

func TestLinkErrors(t *testing.T) {
	command := apdu.Command{INS: 0xB0, Le: 1}
	for name, answers := range map[string][][]byte{
		"no answer":         {},
		"no rest":           {{0x61, 0x01}},
		"no repeat":         {{0x6C, 0x01}},
		"no repeat of rest": {{0x61, 0x01}, {0x6C, 0x01}},
	} {
		n := 0
		k := apdu.Over(wire(func([]byte) ([]byte, error) {
			if n == len(answers) {
				return nil, apdu.ErrRemoved
			}
			n++
			return answers[n-1], nil
		}), apdu.Limits{})
		r, err := k.Transmit(t.Context(), command)
		if !errors.Is(err, apdu.ErrRemoved) || r.Data != nil || r.Status != 0 || n != len(answers) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		if k.Traffic().APDUs != n+1 {
			t.Errorf("%s: a command that failed is not counted: %+v", name, k.Traffic())
		}
	}
	k := apdu.Over(wire(func([]byte) ([]byte, error) { return []byte{0x90}, nil }), apdu.Limits{})
	if _, err := k.Transmit(t.Context(), command); !errors.Is(err, apdu.ErrMalformed) {
		t.Error("half a status word:", err)
	}
}

func TestDo(t *testing.T) {
	k := apdu.Over(wire(func([]byte) ([]byte, error) { return []byte{0xAA, 0x62, 0x82}, nil }), apdu.Limits{})
	data, status, err := apdu.Do(t.Context(), k, apdu.Command{INS: 0xB0, Le: 4})
	if err != nil || status != apdu.EndOfFile || !bytes.Equal(data, []byte{0xAA}) {
		t.Error(data, status, err)
	}
}

func TestChain(t *testing.T) {
	data := []byte{1, 2, 3, 4, 5}
	for _, c := range []struct {
		name    string
		maxData int
		lines   []string
		want    apdu.Status
	}{
		{"three links", 2, []string{"1086000002 0102 9000", "1086000002 0304 9000", "0086000001 0500 9000"}, apdu.OK},
		{"one command", 5, []string{"0086000005 010203040500 9000"}, apdu.OK},
		{"default", 0, []string{"0086000005 010203040500 9000"}, apdu.OK},
		{"refused half-way", 2, []string{"1086000002 0102 9000", "1086000002 0304 6884"}, apdu.ChainingNotSupported},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &script{t: t}
			for _, line := range c.lines {
				f := strings.Fields(line)
				s.lines = append(s.lines, f[0]+f[1]+" "+f[2])
			}
			chain := apdu.Chain(apdu.Over(s, apdu.Limits{}), c.maxData)
			r, err := chain.Transmit(t.Context(), apdu.Command{INS: 0x86, Data: data, Le: 256})
			if err != nil || r.Status != c.want || s.sent != len(c.lines) {
				t.Error(r, err, s.sent)
			}
		})
	}
}

// FuzzLink: whatever a card answers, a Link comes to an end within its bounds.
func FuzzLink(f *testing.F) {
	f.Add([]byte{2, 0x90, 0x00}, byte(0))
	f.Add([]byte{3, 0xAA, 0x61, 0x05, 2, 0x6C, 0x01, 3, 0xBB, 0x90, 0x00}, byte(0x0C))
	f.Fuzz(func(t *testing.T, answers []byte, cla byte) {
		rest := answers
		k := apdu.Over(wire(func([]byte) ([]byte, error) {
			if len(rest) == 0 {
				rest = answers
			}
			if len(rest) == 0 {
				return nil, apdu.ErrRemoved
			}
			n := min(int(rest[0]), len(rest)-1)
			answer := rest[1 : 1+n]
			rest = rest[1+n:]
			return answer, nil
		}), apdu.Limits{})
		r, err := k.Transmit(t.Context(), apdu.Command{CLA: cla, INS: 0xB0, Le: 256})
		if len(r.Data) > apdu.MaxLe || err != nil && r.Data != nil {
			t.Error(len(r.Data), err)
		}
	})
}
