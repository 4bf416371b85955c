package card

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

func appendHeader(dst []byte, f lds.File, n int) []byte { return tlv.AppendHeader(dst, f.Tag(), n) }

// openBAC opens a twin without EF.CardAccess.
func openBAC(t testing.TB, w *twin) *Session {
	t.Helper()
	s, err := Open(t.Context(), w.link(), Options{Passwords: []auth.Password{auth.MRZ(anyMRZ)}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// shapes are ways in which chips answer READ BINARY.
var shapes = map[string]func(want int, rest []byte) apdu.Response{
	"9000": plainly,
	"6282 at the end": func(want int, rest []byte) apdu.Response {
		r := plainly(want, rest)
		if want > len(rest) {
			r.Status = apdu.EndOfFile
		}
		return r
	},
	"6Cxx beyond the end": func(want int, rest []byte) apdu.Response {
		if want > len(rest) && len(rest) > 0 && len(rest) < 256 {
			return apdu.Response{Status: apdu.WrongLe | apdu.Status(len(rest))}
		}
		return plainly(want, rest)
	},
	"6700 beyond the end": func(want int, rest []byte) apdu.Response {
		if want > len(rest) {
			return apdu.Response{Status: apdu.WrongLength}
		}
		return plainly(want, rest)
	},
	"6B00 beyond the end": func(want int, rest []byte) apdu.Response {
		if want > len(rest) {
			return apdu.Response{Status: apdu.WrongOffset}
		}
		return plainly(want, rest)
	},
	"6282 without data beyond the end": func(want int, rest []byte) apdu.Response {
		if want > len(rest) {
			return apdu.Response{Status: apdu.EndOfFile}
		}
		return plainly(want, rest)
	},
	"short blocks": func(want int, rest []byte) apdu.Response { return plainly(min(want, 37), rest) },
	"6700 over 160": func(want int, rest []byte) apdu.Response {
		if want > 160 {
			return apdu.Response{Status: apdu.WrongLength}
		}
		return plainly(want, rest)
	},
	"6B00 over 112": func(want int, rest []byte) apdu.Response {
		if want > 112 {
			return apdu.Response{Status: apdu.WrongOffset}
		}
		return plainly(want, rest)
	},
	"6C70 over 112": func(want int, rest []byte) apdu.Response {
		if want > 112 {
			return apdu.Response{Status: apdu.WrongLe | 112}
		}
		return plainly(want, rest)
	},
	"padding behind the file": func(want int, rest []byte) apdu.Response {
		return plainly(want, append(bytes.Clone(rest), make([]byte, 300)...))
	},
}

// TestReadFile reads files of every size that matters from chips of every manner.
func TestReadFile(t *testing.T) {
	sizes := []int{2, 3, 4, 5, 95, 127, 128, 129, 230, 231, 232, 233, 462, 463, 900, 20042, 32767, 32768, 35000, 70000}
	for name, shape := range shapes {
		for _, l := range []apdu.Limits{{}, {Command: 1520, Response: 1520}, {Command: 65544, Response: 65538}} {
			t.Run(fmt.Sprintf("%s/%d", name, l.Response), func(t *testing.T) {
				for _, size := range sizes {
					data := fileOf(lds.DG2, size)
					w := newTwin(t, map[lds.File][]byte{lds.DG2: data})
					w.shape, w.limits = shape, l
					s := openBAC(t, w)
					last, calls := 0, 0
					got, err := s.ReadFile(t.Context(), lds.DG2, func(done, total int) {
						if done <= last || total != size || done > total {
							t.Errorf("%d octets: progress %d of %d after %d", size, done, total, last)
						}
						last, calls = done, calls+1
					})
					if err != nil || !bytes.Equal(got, data) {
						t.Fatalf("%d octets: %d come back, %v", size, len(got), err)
					}
					if last != size || calls == 0 {
						t.Errorf("%d octets: progress ends at %d", size, last)
					}
				}
			})
		}
	}
}

// TestReadBudget counts commands: one a block, nothing for headers, and what a session
// has learned about a chip's limit stays learned.
func TestReadBudget(t *testing.T) {
	w := newTwin(t, map[lds.File][]byte{lds.DG1: fileOf(lds.DG1, 95), lds.DG2: fileOf(lds.DG2, 20042), lds.DG13: fileOf(lds.DG13, 900)})
	s := openBAC(t, w)
	count := func(f lds.File) int {
		before := w.count(0xB0)
		if _, err := s.ReadFile(t.Context(), f, nil); err != nil {
			t.Fatal(err)
		}
		return w.count(0xB0) - before
	}
	for _, c := range []struct {
		file lds.File
		want int
	}{{lds.DG1, 1}, {lds.DG13, 4}, {lds.DG2, 87}} { // 231 octets each
		if n := count(c.file); n != c.want {
			t.Errorf("%v takes %d commands, want %d", c.file, n, c.want)
		}
	}
	w.shape = shapes["6700 over 160"]
	if n, blocks := count(lds.DG13), 6; n != blocks+2 { // 231 and 223 are refused once
		t.Errorf("a chip that bears 160 octets takes %d commands, want %d", n, blocks+2)
	}
	if n := count(lds.DG13); n != 6 {
		t.Errorf("the second time %d commands, want 6", n)
	}
	w.shape = shapes["6700 beyond the end"]
	count(lds.DG1) // a short file is no limit of the chip's
	w.shape = plainly
	if n := count(lds.DG13); n != 6 {
		t.Errorf("after a short file %d commands, want 6", n)
	}
}

// TestReadWithoutSFI selects the file where the chip knows no short identifiers.
func TestReadWithoutSFI(t *testing.T) {
	for _, status := range []apdu.Status{apdu.NoCurrentFile, apdu.FunctionNotSupported, apdu.WrongP1P2, apdu.ConditionsNotSatisfied, apdu.FileNotFound} {
		data := fileOf(lds.DG2, 1000)
		w := newTwin(t, map[lds.File][]byte{lds.DG2: data})
		w.noSFI = status
		s := openBAC(t, w)
		if got, err := s.ReadFile(t.Context(), lds.DG2, nil); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%v: %d octets, %v", status, len(got), err)
		}
		if _, err := s.ReadFile(t.Context(), lds.DG11, nil); !errors.Is(err, ErrFileAbsent) {
			t.Errorf("%v: %v, want ErrFileAbsent", status, err)
		}
	}
}

func TestReadRefusals(t *testing.T) {
	w := newTwin(t, map[lds.File][]byte{lds.DG3: fileOf(lds.DG3, 500)})
	w.alter = func(c apdu.Command, r *apdu.Response) {
		if c.INS == 0xB0 && c.P1 == 0x83 {
			*r = apdu.Response{Status: apdu.SecurityStatus}
		}
	}
	s := openBAC(t, w)
	if _, err := s.ReadFile(t.Context(), lds.DG3, nil); !errors.Is(err, apdu.SecurityStatus) || errors.Is(err, ErrFileAbsent) {
		t.Errorf("%v, want 6982", err)
	}
	if _, err := s.ReadFile(t.Context(), lds.DG11, nil); !errors.Is(err, ErrFileAbsent) || !errors.Is(err, apdu.FileNotFound) {
		t.Errorf("%v, want ErrFileAbsent", err)
	} else if want := "read DG11: the card has no such file: SELECT: file not found (6A82)"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
}

// TestReadHostile meets chips that lie about lengths or never come to an end.
func TestReadHostile(t *testing.T) {
	for name, c := range map[string]struct {
		file  lds.File
		data  []byte
		shape func(want int, rest []byte) apdu.Response
		want  error
		most  int // commands
	}{
		"empty":          {lds.DG2, []byte{}, plainly, ErrFileEmpty, 1},
		"empty by 6282":  {lds.DG2, []byte{}, shapes["6282 without data beyond the end"], ErrFileEmpty, 9},
		"empty by 6B00":  {lds.DG2, []byte{}, shapes["6B00 beyond the end"], ErrFileEmpty, 9},
		"empty by 6700":  {lds.DG2, []byte{}, shapes["6700 beyond the end"], ErrFileBroken, 9},
		"one octet":      {lds.DG2, []byte{0x75}, plainly, ErrFileBroken, 2},
		"indefinite":     {lds.DG2, []byte{0x75, 0x80, 0x01}, plainly, ErrFileBroken, 1},
		"length of 5":    {lds.DG2, []byte{0x75, 0x85, 1, 1, 1, 1, 1}, plainly, ErrFileBroken, 1},
		"4 GB":           {lds.DG2, []byte{0x75, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0}, plainly, nil, 1},
		"16 MB":          {lds.DG2, []byte{0x75, 0x83, 0xFF, 0xFF, 0xF0, 0, 0}, plainly, ErrFileTooLarge, 1},
		"over 1 MB":      {lds.DG2, fileOf(lds.DG2, 1<<20+1), plainly, ErrFileTooLarge, 1},
		"DG1 of 2,000":   {lds.DG1, fileOf(lds.DG1, 2000), plainly, ErrFileTooLarge, 1},
		"cut":            {lds.DG2, fileOf(lds.DG2, 1000)[:700], plainly, ErrFileBroken, 5},
		"cut with 6282":  {lds.DG2, fileOf(lds.DG2, 1000)[:700], shapes["6282 at the end"], ErrFileBroken, 5},
		"cut with 6B00":  {lds.DG2, fileOf(lds.DG2, 1000)[:700], shapes["6B00 beyond the end"], ErrFileBroken, 14},
		"octet by octet": {lds.DG2, fileOf(lds.DG2, 5000), func(_ int, rest []byte) apdu.Response { return plainly(1, rest) }, ErrFileBroken, 20},
		"6C00 for ever":  {lds.DG2, fileOf(lds.DG2, 5000), func(int, []byte) apdu.Response { return apdu.Response{Status: apdu.WrongLe} }, ErrFileBroken, 1},
		"6C of the same": {lds.DG2, fileOf(lds.DG2, 5000), func(want int, _ []byte) apdu.Response { return apdu.Response{Status: apdu.WrongLe | apdu.Status(want)} }, ErrFileBroken, 1},
		"6C down": {lds.DG2, fileOf(lds.DG2, 5000), func(want int, _ []byte) apdu.Response {
			return apdu.Response{Status: apdu.WrongLe | apdu.Status(want-1)}
		}, ErrFileBroken, 20},
		"6700 for ever": {lds.DG2, fileOf(lds.DG2, 5000), func(int, []byte) apdu.Response { return apdu.Response{Status: apdu.WrongLength} }, ErrFileBroken, 9},
		"warning and data": {lds.DG2, fileOf(lds.DG2, 5000), func(want int, rest []byte) apdu.Response {
			return apdu.Response{Data: rest[:want], Status: apdu.DataCorrupted}
		}, apdu.DataCorrupted, 1},
	} {
		w := newTwin(t, map[lds.File][]byte{c.file: c.data})
		w.shape = c.shape
		s := openBAC(t, w)
		got, err := s.ReadFile(t.Context(), c.file, nil)
		if got != nil || err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %d octets, %v; want %v", name, len(got), err, c.want)
		}
		if n := w.count(0xB0) - 1; n > c.most { // one for EF.CardAccess
			t.Errorf("%s: %d commands, want at most %d", name, n, c.most)
		}
	}
}

// TestReadAfterFailure sends nothing more once the channel is gone.
func TestReadAfterFailure(t *testing.T) {
	w := newTwin(t, map[lds.File][]byte{lds.DG2: fileOf(lds.DG2, 1000)})
	s := openBAC(t, w)
	w.tamper = func(_ apdu.Command, b []byte) ([]byte, error) { return []byte{0x6A, 0x82}, nil }
	_, err := s.ReadFile(t.Context(), lds.DG2, nil)
	var status apdu.Status
	if !errors.Is(err, sm.ErrProtection) || errors.Is(err, ErrFileAbsent) || errors.As(err, &status) {
		t.Errorf("%v, want ErrProtection and no word of the chip's", err)
	}
	n := len(w.seen)
	if _, err := s.ReadFile(t.Context(), lds.DG2, nil); !errors.Is(err, sm.ErrClosed) || len(w.seen) != n || w.clearAfter() {
		t.Errorf("%v after %d more commands", err, len(w.seen)-n)
	}
	s.Close()
	s.Close()
	if _, err := new(Session).ReadFile(t.Context(), lds.DG2, nil); !errors.Is(err, sm.ErrClosed) {
		t.Errorf("%v", err)
	}
}
