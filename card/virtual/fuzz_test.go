package virtual

import (
	"encoding/hex"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/lds"
)

// FuzzExchange sends any octets, twice, to a chip in each of its states: it answers every
// time, and a made-up command changes nothing that lasts.
func FuzzExchange(f *testing.F) {
	for _, s := range []string{
		"", "00", "04", "00A4040C07A0000002471001", "00B09C0000", "0084000008",
		"0022C1A40F800A04007F00070202040202830102", "10860000027C0000", "0CB0810000",
		"0CB08100 0D 970100 8E080102030405060708 00", "80500000080102030405060708 00",
		"84823300100102030405060708 0102030405060708", "84E2880010 00000000000000000000000000000000",
		"00B1001C0354010000", "00B09C00000000",
	} {
		b, err := hex.DecodeString(string(bytesWithout([]byte(s), ' ')))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, b)
	}
	blank := New(Config{})
	used, _ := issued(f)
	chips := map[string]*Chip{"blank": blank, "in use": used, "rich": rich(f, Quirks{}), "quirky": rich(f, Quirks{
		ClearErrors: true, Held: 3, Padding: 9, Block: 20, Above: apdu.WrongLe, Beyond: apdu.WrongLe, LiteralLe: true,
	})}
	f.Fuzz(func(t *testing.T, one, two []byte) {
		for name, c := range chips {
			c.Limit(extended)
			c.Reset()
			state, size := c.image.state, c.memory.size
			for _, b := range [][]byte{one, two} {
				answer, err := c.Exchange(t.Context(), b)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if r, err := apdu.ParseResponse(answer); err != nil || r.Status == 0 {
					t.Fatalf("%s: answer %X", name, answer)
				}
			}
			if c.image.state != state {
				t.Fatalf("%s: state %02X", name, c.image.state)
			}
			if c.memory.size != size && c.image.failures[failuresDomain] == 0 {
				t.Fatalf("%s: memory changed", name)
			}
			c.image.failures[failuresDomain] = 0
		}
	})
}

// rich is a card in use that has something of everything.
func rich(t testing.TB, q Quirks) *Chip {
	t.Helper()
	files := documentFiles(t, nil, nil)
	files[lds.DG3], files[lds.CardSecurity] = []byte{0x63, 1, 0}, []byte{0x30, 0}
	c, err := FromFolder(folder(files), FolderOptions{
		CAN: canDigits, PIN: pinDigits, PUK: pukDigits, Quirks: q, Model: P60(), Limits: extended,
		ATRInfo: atrInfo, DIR: directory, CVCA: []byte{0x42, 1, 'X'}, EID: map[int][]byte{1: {0x61, 0}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// FuzzFileDialect sends any octets to a chip that anybody may write.
func FuzzFileDialect(f *testing.F) {
	for _, s := range []string{
		"00E00000066304000A0105", "00A4020C020105", "00D600000A0102030405060708090A", "00D700000754010053020102",
		"00DA00620D620B5A01315B06393030323135", "00DA006306630481018201", "00DA00650765056603020130", "00DADEAD",
	} {
		b, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, b, b)
	}
	f.Fuzz(func(t *testing.T, one, two, three []byte) {
		c := New(Config{Dialect: FilesPlain, Limits: extended})
		for _, b := range [][]byte{one, two, three} {
			answer, err := c.Exchange(t.Context(), b)
			if err != nil {
				t.Fatal(err)
			}
			if r, err := apdu.ParseResponse(answer); err != nil || r.Status == 0 {
				t.Fatalf("answer %X", answer)
			}
		}
		kept := &Chip{memory: &memory{bare: c.memory.bare}}
		if err := kept.read(); err != nil {
			t.Fatalf("what it wrote can't be read: %v", err)
		}
	})
}

// FuzzSession sends any octets inside an open session and inside an open channel.
func FuzzSession(f *testing.F) {
	f.Add([]byte{0x0C, 0xB0, 0x81, 0x00, 0x0D, 0x97, 0x01, 0x00, 0x8E, 0x08, 1, 2, 3, 4, 5, 6, 7, 8, 0x00})
	f.Add([]byte{0x84, 0xE2, 0x88, 0x00, 0x08, 1, 2, 3, 4, 5, 6, 7, 8})
	blank := New(Config{})
	used, _ := issued(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		openPerso(t, blank)
		s := openBy(t, used, apdu.Limits{}, auth.MRZ(mrzInformation))
		defer s.Close()
		for name, c := range map[string]*Chip{"blank": blank, "in use": used} {
			answer, err := c.Exchange(t.Context(), b)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if r, err := apdu.ParseResponse(answer); err != nil || len(r.Data) > 0 && r.Status == apdu.OK && c.use != nil && c.use.channel != nil {
				t.Fatalf("%s: %X is answered with %X", name, b, answer)
			}
		}
	})
}

// FuzzProtected sends any command under the protection of a session to a card that has
// everything, after Chip Authentication: it answers, and only Terminal Authentication with
// good certificates could open DG3.
func FuzzProtected(f *testing.F) {
	for _, c := range []apdu.Command{
		{INS: 0x22, P1: 0xC1, P2: 0xA4, Data: []byte{0x80, 1, 0, 0x83, 1, 3}},
		{INS: 0x22, P1: 0x81, P2: 0xB6, Data: []byte("\x83\x0BUTCVCA00001")},
		{INS: 0x22, P1: 0x41, P2: 0xA4, Data: []byte{0x80, 0}},
		{INS: 0x22, P1: 0x41, P2: 0xA6, Data: []byte{0x91, 0}},
		{CLA: 0x10, INS: 0x2A, P2: 0xBE, Data: []byte{0x7F, 0x4E, 0}},
		{INS: 0x86, Data: []byte{0x7C, 0}, Le: 256},
		{INS: 0x84, Le: 8},
		{INS: 0x82, Data: []byte{1}},
		{INS: 0x2C, P1: 2, P2: 3, Data: []byte("123456")},
		{INS: 0x44, P1: 0x10, P2: 3},
		{CLA: 0x80, INS: 0x20, P1: 0x80, Data: []byte{6, 1, 1}},
		{INS: 0xB1, P2: 3, Data: []byte{0x54, 1, 0}, Le: 9},
		{INS: 0x88, Data: make([]byte, 8), Le: 256},
		{INS: 0xA4, P1: 4, Data: []byte(aidEID), Le: 256},
	} {
		f.Add(c.CLA, c.INS, c.P1, c.P2, c.Data, c.Le)
	}
	files, ca := eacFiles(f)
	u := newCountry(f, cvc.ECDSASHA256, cvc.InspectionSystem, cvc.ReadDG3)
	card, err := FromFolder(folder(files), FolderOptions{
		CA: ca, CAN: canDigits, PIN: pinDigits, PUK: pukDigits, TrustPoints: [][]byte{u.cvca.Raw}, EID: eidGroupsOf, Limits: extended, Model: P71(),
	})
	if err != nil {
		f.Fatal(err)
	}
	i := inspect(f, card, files, false)
	f.Fuzz(func(t *testing.T, cla, ins, p1, p2 byte, data []byte, le int) {
		cmd := apdu.Command{CLA: cla & 0x90, INS: ins, P1: p1, P2: p2, Data: data, Le: le}
		if _, err := cmd.Encode(true); err != nil || ins&0xF0 == 0x60 || ins&0xF0 == 0x90 {
			return // no command
		}
		r, err := i.ca.Channel.Transmit(t.Context(), cmd)
		if err != nil || r.Status == 0 {
			i = inspect(t, card, files, false) // PACE and Chip Authentication change the keys
		}
		if card.use.granted(rule{inspector, 0}) {
			t.Fatalf("%+v opens DG3", cmd)
		}
	})
}

// FuzzMemory reads any octets as a memory.
func FuzzMemory(f *testing.F) {
	m, err := createMemory("")
	if err != nil {
		f.Fatal(err)
	}
	first, err := Config{}.factory()
	if err != nil {
		f.Fatal(err)
	}
	for _, r := range append(first, fileRecord(0x0101, 3), partRecord(0x0101, 0, []byte{1, 2, 3}), quirksRecord(Quirks{Block: 223})) {
		if err := m.write(r); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(m.bare)
	f.Add([]byte(heading))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := &Chip{memory: &memory{bare: b}}
		if c.read() == nil {
			c.powerUp()
			exchange(t, c, []byte{0x00, 0xB0, 0x9C, 0x00, 0x00})
		}
	})
}

func bytesWithout(b []byte, drop byte) []byte {
	var out []byte
	for _, o := range b {
		if o != drop {
			out = append(out, o)
		}
	}
	return out
}
