package virtual

import (
	"bytes"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

// quirky is a card in use with quirks, opened with the CAN, and its files. LDS1 is
// selected.
func quirky(t testing.TB, q Quirks, l apdu.Limits) (*Chip, *sm.Channel, map[lds.File][]byte) {
	t.Helper()
	files := documentFiles(t, nil, nil)
	c, err := FromFolder(folder(files), FolderOptions{CAN: canDigits, Quirks: q, Limits: l, ATRInfo: atrInfo, DIR: directory})
	if err != nil {
		t.Fatal(err)
	}
	infos, err := lds.ParseCardAccess(files[lds.CardAccess])
	if err != nil {
		t.Fatal(err)
	}
	r, err := auth.PACE(t.Context(), apdu.Over(c, l), auth.CAN(canDigits), infos.PACE[0])
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Channel.Transmit(t.Context(), apdu.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: []byte(aidLDS1)})
	if err != nil || got.Status != apdu.OK {
		t.Fatal(got.Status, err)
	}
	return c, r.Channel, files
}

var (
	// atrInfo says that commands and answers of 1,520 octets are taken (ISO/IEC 7816-4
	// §12.7.1).
	atrInfo = []byte{0x7F, 0x66, 0x08, 0x02, 0x02, 0x05, 0xF0, 0x02, 0x02, 0x05, 0xF0}
	// directory lists LDS1 and the travel records of LDS2.
	directory = append(tlv.Encode(0x61, tlv.Encode(0x4F, []byte(aidLDS1))),
		tlv.Encode(0x61, tlv.Encode(0x4F, []byte("\xA0\x00\x00\x02\x47\x20\x01")))...)
)

func readCommand(f lds.File, offset, le int) apdu.Command {
	if offset == 0 {
		return apdu.Command{INS: 0xB0, P1: 0x80 | f.SFI(), Le: le}
	}
	return apdu.Command{INS: 0xB0, P1: byte(offset >> 8), P2: byte(offset), Le: le}
}

func TestQuirksOfReading(t *testing.T) {
	const end = 95 // of DG1
	for name, x := range map[string]struct {
		q    Quirks
		cmd  apdu.Command
		want apdu.Status
		n    int
	}{
		"none":                       {Quirks{}, readCommand(lds.DG2, 0, 256), apdu.OK, 223},
		"cap":                        {Quirks{Block: 160}, readCommand(lds.DG2, 0, 200), apdu.OK, 160},
		"cap below Le 00":            {Quirks{Block: 160}, readCommand(lds.DG2, 0, 256), apdu.OK, 160},
		"cap, refused":               {Quirks{Block: 160, Above: apdu.WrongLength}, readCommand(lds.DG2, 0, 161), apdu.WrongLength, 0},
		"cap, refused with 6B00":     {Quirks{Block: 223, Above: apdu.WrongOffset}, readCommand(lds.DG2, 0, 256), apdu.WrongOffset, 0},
		"cap, named":                 {Quirks{Block: 160, Above: apdu.WrongLe}, readCommand(lds.DG2, 0, 161), 0x6CA0, 0},
		"cap, kept to":               {Quirks{Block: 160, Above: apdu.WrongLe}, readCommand(lds.DG2, 0, 160), apdu.OK, 160},
		"end, 9000":                  {Quirks{Beyond: apdu.OK}, readCommand(lds.DG1, 0, 200), apdu.OK, end},
		"end, 6282":                  {Quirks{Beyond: apdu.EndOfFile}, readCommand(lds.DG1, 0, 200), apdu.EndOfFile, end},
		"end, 6282 to Le 00":         {Quirks{Beyond: apdu.EndOfFile}, readCommand(lds.DG1, 0, 256), apdu.EndOfFile, end},
		"end, 6C":                    {Quirks{Beyond: apdu.WrongLe}, readCommand(lds.DG1, 0, 96), 0x6C00 | end, 0},
		"end, 6C at the exact Le":    {Quirks{Beyond: apdu.WrongLe}, readCommand(lds.DG1, 0, end), apdu.OK, end},
		"end, 6700":                  {Quirks{Beyond: apdu.WrongLength}, readCommand(lds.DG1, 0, 96), apdu.WrongLength, 0},
		"end, 6B00":                  {Quirks{Beyond: apdu.WrongOffset}, readCommand(lds.DG1, 0, 96), apdu.WrongOffset, 0},
		"no SFI":                     {Quirks{SFI: apdu.ConditionsNotSatisfied}, readCommand(lds.DG1, 0, 10), apdu.ConditionsNotSatisfied, 0},
		"no odd INS":                 {Quirks{OddRead: apdu.INSNotSupported}, apdu.Command{INS: 0xB1, P2: 1, Data: []byte{0x54, 1, 0}, Le: 20}, apdu.INSNotSupported, 0},
		"Le 00 is none":              {Quirks{LiteralLe: true}, readCommand(lds.DG1, 0, 256), apdu.OK, 0},
		"another Le is what it says": {Quirks{LiteralLe: true}, readCommand(lds.DG1, 0, 90), apdu.OK, 90},
		"padding behind the file":    {Quirks{Padding: 50}, readCommand(lds.DG1, 0, 200), apdu.EndOfFile, end + 50},
		"SELECT MF is 6D00":          {Quirks{SelectMF: apdu.INSNotSupported}, apdu.Command{INS: 0xA4, P2: 0x0C, Data: []byte{0x3F, 0}}, apdu.INSNotSupported, 0},
		"SELECT MF is 6A86":          {Quirks{SelectMF: apdu.WrongP1P2}, apdu.Command{INS: 0xA4, P2: 0x0C}, apdu.WrongP1P2, 0},
		"Le on SELECT":               {Quirks{CaseFour: apdu.WrongLength}, apdu.Command{INS: 0xA4, P1: 2, P2: 0x0C, Data: []byte{1, 1}, Le: 256}, apdu.WrongLength, 0},
		"no Le on SELECT":            {Quirks{CaseFour: apdu.WrongLength}, apdu.Command{INS: 0xA4, P1: 2, P2: 0x0C, Data: []byte{1, 1}}, apdu.OK, 0},
	} {
		_, ch, _ := quirky(t, x.q, apdu.Limits{})
		r, err := ch.Transmit(t.Context(), x.cmd)
		if err != nil || r.Status != x.want || len(r.Data) != x.n {
			t.Errorf("%s: %d octets, %v, %v; want %d, %v", name, len(r.Data), r.Status, err, x.n, x.want)
		}
	}
}

// TestClearErrorsEndTheSession meets a chip that says in the clear that a file is absent,
// and what it says of protected commands after that.
func TestClearErrorsEndTheSession(t *testing.T) {
	for _, lost := range []apdu.Status{0, apdu.SMMissing, apdu.SMIncorrect, apdu.SecurityStatus} {
		c, ch, _ := quirky(t, Quirks{ClearErrors: true, Lost: lost}, apdu.Limits{})
		if _, err := ch.Transmit(t.Context(), readCommand(lds.DG1, 0, 10)); err != nil {
			t.Fatal(err)
		}
		if _, err := ch.Transmit(t.Context(), readCommand(lds.DG11, 0, 10)); err == nil {
			t.Error("an absent file is told under protection")
		}
		want := lost
		if want == 0 {
			want = apdu.SMIncorrect
		}
		for range 2 {
			if _, s := send(t, c, "0CB081000D9701008E08010203040506070800"); s != want {
				t.Errorf("after the loss %v, want %v", s, want)
			}
		}
	}
}

func TestQuirksLast(t *testing.T) {
	all := Quirks{
		SelectMF: 1, CaseFour: 2, SFI: 3, OddRead: 4, PACE: 5, Block: 6, Above: 7, Beyond: 8, LiteralLe: true, Padding: 9,
		ClearErrors: true, Lost: 10, Held: 11, DERSignature: true, SelectATR: true,
	}
	if v := reflect.ValueOf(all); v.NumField() != len(all.fields()) {
		t.Errorf("%d fields, %d of them are stored", v.NumField(), len(all.fields()))
	}
	path := filepath.Join(t.TempDir(), "chip")
	c, err := Create(path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetQuirks(all); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.SetQuirks(all); err == nil {
		t.Error("quirks after Close")
	}
	if c, err = Load(path); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.image.quirks != all {
		t.Errorf("%+v come back", c.image.quirks)
	}
	if _, ok := parseQuirks([]byte{99, 0, 1}); ok {
		t.Error("an unknown quirk is taken")
	}
}

// TestATRInfo reads EF.ATR/INFO and EF.DIR before access, by either way.
func TestATRInfo(t *testing.T) {
	for _, bySelect := range []bool{false, true} {
		c, ch, _ := quirky(t, Quirks{SelectATR: bySelect}, apdu.Limits{})
		ch.Close()
		c.Reset()
		want := apdu.OK
		if bySelect {
			want = apdu.FileNotFound
		}
		if b, s := send(t, c, "00B0810000"); s != want || s == apdu.OK && !bytes.Equal(b, atrInfo) {
			t.Errorf("by SFI %X, %v", b, s)
		}
		if _, s := send(t, c, "00A4020C022F01"); s != apdu.OK {
			t.Errorf("SELECT: %v", s)
		}
		if b, s := send(t, c, "00B0000000"); s != apdu.OK || !bytes.Equal(b, atrInfo) {
			t.Errorf("%X, %v", b, s)
		}
		if b, s := send(t, c, "00B09E0000"); s != apdu.OK || !bytes.Equal(b, directory) {
			t.Errorf("EF.DIR %X, %v", b, s)
		}
	}
}

// TestApplications selects those that a chip has, or says that it has.
func TestApplications(t *testing.T) {
	c, ch, _ := quirky(t, Quirks{}, apdu.Limits{})
	ch.Close()
	c.Reset()
	for aid, want := range map[string]apdu.Status{
		"07A0000002471001":     apdu.OK,
		"07A0000002472001":     apdu.OK, // EF.DIR lists it
		"07A0000002472002":     apdu.FileNotFound,
		"09E80704007F00070302": apdu.FileNotFound,
	} {
		if _, s := send(t, c, "00A4040C"+aid); s != want {
			t.Errorf("%s: %v", aid, s)
		}
	}
	if _, s := send(t, c, "00A4040C07A0000002472001"); s != apdu.OK {
		t.Error(s)
	}
	if _, s := send(t, c, "00B0810000"); s != apdu.SecurityStatus {
		t.Errorf("DG1 within LDS2: %v", s)
	}
}

// TestHeldAnswers fetches what an answer in the clear can't carry.
func TestHeldAnswers(t *testing.T) {
	c, ch, files := quirky(t, Quirks{Held: 10}, apdu.Limits{})
	ch.Close()
	c.Reset()
	raw := files[lds.CardAccess]
	b, s := send(t, c, "00B09C0000")
	if len(b) != 10 || s != apdu.BytesRemaining|apdu.Status(len(raw)-10) {
		t.Fatalf("%d octets, %v", len(b), s)
	}
	more, s := send(t, c, "00C0000005")
	if len(more) != 5 || s != apdu.BytesRemaining|apdu.Status(len(raw)-15) {
		t.Fatalf("%d octets, %v", len(more), s)
	}
	if got, s := send(t, c, "00A4020C02011C"); len(got) != 0 || s != apdu.OK {
		t.Fatal(s)
	}
	if _, s := send(t, c, "00C0000000"); s != apdu.INSNotSupported {
		t.Errorf("another command drops the rest, but: %v", s)
	}
	link := apdu.Over(c, apdu.Limits{})
	if r, err := link.Transmit(t.Context(), apdu.Command{INS: 0xB0, P1: 0x9C, Le: 256}); err != nil || !bytes.Equal(r.Data, raw) {
		t.Errorf("through a link: %X, %v", r.Data, err)
	}
}

// TestLargeFiles reads files beyond the offsets of READ BINARY by its odd INS.
func TestLargeFiles(t *testing.T) {
	for _, size := range []int{35000, 70000, 100000} {
		files := documentFiles(t, nil, nil)
		big := make([]byte, size-5)
		for i := range big {
			big[i] = byte(i * 7 >> 3)
		}
		files[lds.DG2] = append([]byte{0x75, 0x83, byte(len(big) >> 16), byte(len(big) >> 8), byte(len(big))}, big...)
		c, err := FromFolder(folder(files), FolderOptions{CAN: canDigits, Limits: extended})
		if err != nil {
			t.Fatal(err)
		}
		s := openBy(t, c, extended, auth.CAN(canDigits))
		var got []byte
		for len(got) < size {
			n := len(got)
			cmd := apdu.Command{INS: 0xB1, P2: lds.DG2.SFI(), Data: []byte{0x54, 3, byte(n >> 16), byte(n >> 8), byte(n)}, Le: 1004}
			r, err := s.Transmit(t.Context(), cmd)
			if err != nil || r.Status != apdu.OK && r.Status != apdu.EndOfFile {
				t.Fatal(r.Status, err)
			}
			in := tlv.String(r.Data)
			var value tlv.String
			if !in.ReadTag(0x53, &value) || !in.Empty() {
				t.Fatalf("%X", r.Data[:10])
			}
			got = append(got, value...)
		}
		if !bytes.Equal(got, files[lds.DG2]) {
			t.Errorf("%d octets come back wrong", size)
		}
		s.Close()
	}
}

// TestEmptyAndShortFiles tells an empty file and one of two octets from none.
func TestEmptyAndShortFiles(t *testing.T) {
	files := documentFiles(t, nil, nil)
	files[lds.DG11], files[lds.DG12] = []byte{}, []byte{0x6C, 0}
	c, err := FromFolder(folder(files), FolderOptions{CAN: canDigits, Rules: &gp.Rules{}})
	if err != nil {
		t.Fatal(err)
	}
	s := openBy(t, c, apdu.Limits{}, auth.CAN(canDigits))
	defer s.Close()
	for f, want := range map[lds.File]apdu.Status{lds.DG11: apdu.WrongOffset, lds.DG12: apdu.OK, lds.DG16: apdu.FileNotFound} {
		r, err := s.Transmit(t.Context(), readCommand(f, 0, 256))
		if err != nil || r.Status != want {
			t.Errorf("%v: %v, %v", f, r.Status, err)
		}
	}
}
