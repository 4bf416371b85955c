package gp

import (
	"context"
	"testing"

	"github.com/tamthe/tamthe/apdu"
)

// FuzzAnswers feeds any octets to the host as answers: nothing may pass a channel at full
// security, and nothing may panic.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte{}, []byte{0x90, 0x00})
	f.Add(make([]byte, 32), append(make([]byte, 24), 0x62, 0x82))
	f.Fuzz(func(t *testing.T, init, answer []byte) {
		c := newCard(testKeys(16, 1), 0x70)
		c.spoil = func(apdu.Response) apdu.Response { return apdu.Response{Data: init, Status: apdu.OK} }
		if _, err := Open(t.Context(), c, testKeys(16, 1), FullSecurity); err == nil {
			t.Fatal("a made-up card passes")
		}
		c = newCard(testKeys(16, 1), 0x70)
		ch, err := Open(t.Context(), c, testKeys(16, 1), FullSecurity)
		if err != nil {
			t.Fatal(err)
		}
		r, err := apdu.ParseResponse(answer)
		if err != nil {
			return
		}
		c.spoil = func(apdu.Response) apdu.Response { return r }
		if got, err := ch.Transmit(context.Background(), apdu.Command{CLA: 0x80, INS: 0xCA}); err == nil && authenticated(got.Status) {
			t.Fatalf("made-up answer %X passes", answer)
		}
	})
}

// FuzzChip feeds any commands to the chip's end, after an honest handshake and without.
func FuzzChip(f *testing.F) {
	f.Add([]byte{0x80, 0x50, 0x30, 0x00, 0x08, 1, 2, 3, 4, 5, 6, 7, 8, 0}, false)
	f.Add([]byte{0x84, 0x82, 0x33, 0x00, 0x10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}, true)
	f.Add([]byte{0x84, 0xE2, 0x88, 0x00, 0x08, 1, 2, 3, 4, 5, 6, 7, 8}, true)
	f.Fuzz(func(t *testing.T, b []byte, open bool) {
		c := newCard(testKeys(16, 1), 0x70)
		if open {
			if _, err := Open(t.Context(), c, testKeys(16, 1), FullSecurity); err != nil {
				t.Fatal(err)
			}
		}
		cmd, err := apdu.ParseCommand(b)
		if err != nil {
			return
		}
		if _, err := c.chip.Open(cmd); err == nil {
			t.Fatal("a made-up command passes")
		}
		c.chip.Authenticate(cmd)
		c.chip.Initialize(cmd)
		if c.chip.Level() != 0 {
			t.Fatal("a made-up handshake passes")
		}
	})
}

// FuzzBlocks feeds any data to the reader of STORE DATA.
func FuzzBlocks(f *testing.F) {
	f.Add([]byte("\x01\x01\x01a\x01\x02\xFF\x00\x02bc"), []byte("\x01\x02\x00"))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		var b Blocks
		n := 0
		for i, data := range [][]byte{one, two} {
			c := apdu.Command{INS: insStoreData, P1: 0x08, P2: byte(i), Data: data}
			b.Process(c, func(p Part) apdu.Status {
				if p.Offset < 0 || p.Offset+len(p.Data) > p.Size || p.Size > MaxDGI {
					t.Fatalf("part at %d of %d", p.Offset, p.Size)
				}
				n += len(p.Data)
				return apdu.OK
			})
		}
		if n > len(one)+len(two) {
			t.Fatal("more data than came")
		}
	})
}
