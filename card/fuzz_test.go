package card

import (
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
)

// maxFuzzed bounds the commands of a session with a hostile chip: one for some 220 octets of
// the longest file, and a few besides for each of three.
const maxFuzzed = 3 * (1<<20/200 + 50)

// FuzzReading opens a chip and reads from it while it answers as the fuzzer says: from
// command at on every every-th with that answer, in the clear or, where a channel is open,
// under its protection. Sessions end; a file that comes back has the length in its header.
func FuzzReading(f *testing.F) {
	for _, answer := range [][]byte{
		{0x90, 0x00},
		{0x6A, 0x82},
		{0x67, 0x00},
		{0x6C, 0x01},
		{0x61, 0x10},
		{0x62, 0x82},
		{0x6B, 0x00},
		{0x60, 0x90, 0x00},
		{0x75, 0x83, 0x0F, 0xFF, 0xFF, 0x90, 0x00},
		{0x75, 0x80, 0x90, 0x00},
		{0x7F, 0x66, 0x02, 0x02, 0x90, 0x00},
		{0x00, 0x00, 0x90, 0x00},
	} {
		for _, at := range []byte{0, 3, 8, 12, 20} {
			f.Add(at, byte(1), answer, at%2 == 0)
		}
	}
	f.Fuzz(func(t *testing.T, at, every byte, b []byte, extended bool) {
		answer, err := apdu.ParseResponse(b)
		if err != nil || every == 0 {
			return
		}
		w := newPACETwin(t, map[lds.File][]byte{lds.SODFile: fileOf(lds.SODFile, 700), lds.DG1: fileOf(lds.DG1, 95), lds.DG2: fileOf(lds.DG2, 2)})
		n := 0
		w.alter = func(c apdu.Command, r *apdu.Response) {
			if n++; n > int(at) && (n-int(at))%int(every) == 0 {
				*r = answer
			}
		}
		o := Options{Passwords: []auth.Password{auth.CAN(anyCAN)}, AllowBAC: true, Claimed: extended}
		if extended {
			o.Reader = apdu.Limits{Command: 65535, Response: 65535}
			w.limits = o.Reader
		}
		s, err := Open(t.Context(), w.link(), o)
		if err != nil {
			return
		}
		defer s.Close()
		for _, file := range []lds.File{lds.SODFile, lds.DG1, lds.DG2} {
			raw, err := s.ReadFile(t.Context(), file, nil)
			if (raw == nil) == (err == nil) || len(raw) > 1<<20 {
				t.Errorf("%v: %d octets, %v", file, len(raw), err)
			}
		}
		_, _ = s.TrustPoints(t.Context(), lds.TerminalAuthInfo{})
		if n > maxFuzzed {
			t.Errorf("%d commands", n)
		}
	})
}
