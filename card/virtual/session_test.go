package virtual

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

// session opens BAC or PACE and gives the channel itself.
func session(t *testing.T, c *Chip) *sm.Channel {
	t.Helper()
	c.Reset()
	infos, err := lds.ParseCardAccess(sharedChip.files[lds.CardAccess])
	if err != nil {
		t.Fatal(err)
	}
	r, err := auth.PACE(t.Context(), apdu.Over(c, apdu.Limits{}), auth.CAN(canDigits), infos.PACE[0])
	if err != nil {
		t.Fatal(err)
	}
	return r.Channel
}

func TestPlainCommandEndsTheSession(t *testing.T) {
	c, _ := issuedOnceFor(t)
	for _, plain := range []string{
		"00B09C0000", "00A4040C07A0000002471001", "0084000008", "00A4000C023F00", "8050000008010203040506070800",
		"00B0", "00CA000000", "0022C1A400",
	} {
		ch := session(t, c)
		if _, err := ch.Transmit(t.Context(), apdu.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: []byte(aidLDS1)}); err != nil {
			t.Fatal(err)
		}
		want := apdu.SMMissing
		if len(plain) < 8 {
			want = apdu.WrongLength
		}
		if _, s := send(t, c, plain); s != want {
			t.Errorf("%s: %v", plain, s)
		}
		if _, err := ch.Transmit(t.Context(), apdu.Command{INS: 0xB0, P1: 0x81, Le: 10}); !errors.Is(err, sm.ErrProtection) {
			t.Errorf("after %s: %v", plain, err)
		}
		if _, s := send(t, c, "00B0810000"); s != apdu.SecurityStatus {
			t.Errorf("after %s, DG1 in the clear: %v", plain, s)
		}
	}
}

func TestDamagedProtectionEndsTheSession(t *testing.T) {
	c, _ := issuedOnceFor(t)
	const length = 18 // of a protected READ BINARY
	for i := range length {
		c.Reset()
		s, err := card.Open(t.Context(), apdu.Over(&flipper{c: c, at: 8, octet: i}, apdu.Limits{}), card.Options{
			Passwords: []auth.Password{auth.CAN(canDigits)},
		})
		if err == nil {
			if _, err = s.ReadFile(t.Context(), lds.DG1, nil); err == nil {
				t.Errorf("octet %d changed: read all the same", i)
			}
			s.Close()
		}
		if c.use.channel != nil && i > 3 { // a changed class may make it a plain command
			t.Errorf("octet %d changed: the session goes on", i)
		}
	}
}

// flipper changes an octet of the at-th command.
type flipper struct {
	c            *Chip
	n, at, octet int
}

func (f *flipper) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	f.n++
	b = bytes.Clone(b)
	if f.n == f.at && f.octet < len(b) {
		b[f.octet] ^= 0x40
	}
	return f.c.Exchange(ctx, b)
}

func TestUnderTheSession(t *testing.T) {
	c, files := issuedOnceFor(t)
	for _, x := range []struct {
		name string
		cmd  apdu.Command
		want apdu.Status
		n    int // octets of data
	}{
		{"SELECT DG3", apdu.Command{INS: 0xA4, P1: 2, P2: 0x0C, Data: []byte{1, 3}}, apdu.FileNotFound, 0},
		{"SELECT DG2", apdu.Command{INS: 0xA4, P1: 2, P2: 0x0C, Data: []byte{1, 2}}, apdu.OK, 0},
		{"READ DG4 by SFI", apdu.Command{INS: 0xB0, P1: 0x84, Le: 10}, apdu.FileNotFound, 0},
		{"READ EF.CVCA", apdu.Command{INS: 0xB0, P1: 0x9C, Le: 10}, apdu.FileNotFound, 0},
		{"READ all that fits", apdu.Command{INS: 0xB0, P1: 0x82, Le: 256}, apdu.OK, 223},
		{"READ more than fits", apdu.Command{INS: 0xB0, P1: 0x82, Le: 250}, apdu.OK, 223},
		{"READ the end", apdu.Command{INS: 0xB0, P1: 0x81, P2: 90, Le: 100}, apdu.EndOfFile, 5},
		{"READ by odd INS", apdu.Command{INS: 0xB1, P2: 0x02, Data: tlv.Encode(0x54, []byte{1, 0}), Le: 100}, apdu.OK, 100},
		{"INTERNAL AUTHENTICATE", apdu.Command{INS: 0x88, Data: make([]byte, 8), Le: 256}, apdu.OK, 64},
		{"INTERNAL AUTHENTICATE of 7", apdu.Command{INS: 0x88, Data: make([]byte, 7), Le: 256}, apdu.WrongLength, 0},
		{"GET CHALLENGE", apdu.Command{INS: 0x84, Le: 8}, apdu.INSNotSupported, 0},
		{"STORE DATA", apdu.Command{INS: 0xE2, P1: 0x88, Data: []byte{1, 1, 1, 0}}, apdu.INSNotSupported, 0},
		{"UPDATE BINARY", apdu.Command{INS: 0xD6, Data: []byte{1}}, apdu.INSNotSupported, 0},
		{"chained READ", apdu.Command{CLA: 0x10, INS: 0xB0, Le: 1}, apdu.ChainingNotSupported, 0},
	} {
		ch := session(t, c)
		if _, err := ch.Transmit(t.Context(), apdu.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: []byte(aidLDS1)}); err != nil {
			t.Fatal(err)
		}
		r, err := ch.Transmit(t.Context(), x.cmd)
		if err != nil || r.Status != x.want || len(r.Data) != x.n {
			t.Errorf("%s: %d octets, %v, %v", x.name, len(r.Data), r.Status, err)
		}
		// A protected refusal leaves the session open.
		r, err = ch.Transmit(t.Context(), apdu.Command{INS: 0xB0, P1: 0x81, Le: 95})
		if err != nil || !bytes.Equal(r.Data, files[lds.DG1]) {
			t.Errorf("after %s: %v, %v", x.name, r.Status, err)
		}
	}
}

func TestPowerCycleEndsEverything(t *testing.T) {
	c, _ := issuedOnceFor(t)
	ch := session(t, c)
	c.Reset()
	if _, err := ch.Transmit(t.Context(), apdu.Command{INS: 0xB0, P1: 0x9C, Le: 10}); !errors.Is(err, sm.ErrProtection) {
		t.Errorf("error %v", err)
	}
}

// TestOddReadToTheLastOctet reads files that end a few octets behind a block which was asked
// for with the odd INS.
func TestOddReadToTheLastOctet(t *testing.T) {
	for _, rest := range []int{1, 2, 3, 4, 5, 125, 126, 127, 128, 129, 130, 222, 223, 224} {
		files := documentFiles(t, nil, nil)
		files[lds.DG2] = tlv.Encode(0x75, bytes.Repeat([]byte{7}, 32768+rest))
		c, err := FromFolder(folder(files), FolderOptions{CAN: canDigits})
		if err != nil {
			t.Fatal(err)
		}
		s := openBy(t, c, apdu.Limits{}, auth.CAN(canDigits))
		if got, err := s.ReadFile(t.Context(), lds.DG2, nil); err != nil || !bytes.Equal(got, files[lds.DG2]) {
			t.Errorf("%d octets beyond: %d of %d, %v", rest, len(got), len(files[lds.DG2]), err)
		}
		s.Close()
	}
}
