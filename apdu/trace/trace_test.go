package trace_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/apdu/trace"
)

// The files of a person who does not exist. Every value that a test looks for is long
// enough not to come about by chance.
const (
	mrz      = "IDVNM2030000011001203000001<<4" + "0010187M4001012VNM<<<<<<<<<<<4" + "NGUYEN<<VAN<TEO<<<<<<<<<<<<<<<"
	portrait = "FAC\x00010\x00 the portrait of a person"
	address  = "12 Pho Hang Bac, Ha Noi"
)

func dgs() map[uint16][]byte {
	u := func(tag tlv.Tag, values ...[]byte) []byte { return tlv.Encode(tag, values...) }
	oid := []byte{0x04, 0x00, 0x7F, 0x00, 0x07}
	return map[uint16][]byte{
		0x011C: u(0x31, u(0x30, u(0x06, oid), u(0x02, []byte{2}), u(0x02, []byte{13}))),
		0x011E: u(0x60, u(0x5F01, []byte("0107")), u(0x5F36, []byte("040000")), u(0x5C, []byte{0x61, 0x75})),
		0x0101: u(0x61, u(0x5F1F, []byte(mrz))),
		0x0102: u(0x75, u(0x7F61, u(0x02, []byte{1}), u(0x7F60, u(0xA1, u(0x81, []byte{2}), u(0x87, []byte{1, 1})),
			u(0x5F2E, []byte(strings.Repeat(portrait, 100)))))),
		0x010D: u(0x6D, u(0x30, u(0x31, u(0x30, u(0x02, []byte{9}), u(0x0C, []byte(address)))))),
		0x010E: u(0x6E, u(0x31, u(0x30, u(0x06, oid), u(0x03, []byte("\x00a key of this chip alone"))))),
		0x011D: u(0x77, u(0x30, u(0x06, oid), u(0x13, []byte("Test Signer")), u(0x04, []byte("the digest of a group")))),
	}
}

// card reads files by SFI, by identifier and by odd INS.
type card struct {
	files   map[uint16][]byte
	current uint16
}

func (c *card) Transmit(_ context.Context, x apdu.Command) (apdu.Response, error) {
	offset := int(x.P1)<<8 | int(x.P2)
	switch {
	case x.INS == 0xA4 && x.P1 == 2:
		c.current = uint16(x.Data[0])<<8 | uint16(x.Data[1])
		return apdu.Response{Status: apdu.OK}, nil
	case x.INS == 0xB0 && x.P1&0x80 != 0:
		c.current, offset = 0x0100|uint16(x.P1&0x1F), int(x.P2)
	case x.INS == 0xB1:
		at, _ := tlv.Find(x.Data, 0x54)
		offset = int(at[0])<<8 | int(at[1])
	case x.INS == 0x86:
		return apdu.Response{Data: tlv.Encode(0x7C, tlv.Encode(0x81, []byte(address))), Status: apdu.OK}, nil
	case x.INS == 0xB2:
		return apdu.Response{Data: []byte(address), Status: apdu.OK}, nil
	case x.INS != 0xB0:
		return apdu.Response{Status: apdu.OK}, nil
	}
	f := c.files[c.current]
	part := f[min(offset, len(f)):min(offset+x.Le, len(f))]
	if x.INS == 0xB1 {
		part = tlv.Encode(0x53, part)
	}
	return apdu.Response{Data: part, Status: apdu.OK}, nil
}

// readAll reads every file in pieces, the ways in turn, and returns them.
func readAll(t *testing.T, r apdu.Transmitter) map[uint16][]byte {
	t.Helper()
	got := map[uint16][]byte{}
	send := func(c apdu.Command) []byte {
		data, status, err := apdu.Do(t.Context(), r, c)
		if err != nil || status != apdu.OK {
			t.Fatal(status, err)
		}
		return data
	}
	for i, id := range []uint16{0x011C, 0x011E, 0x0101, 0x0102, 0x010D, 0x010E, 0x011D} {
		var b []byte
		if i%2 == 0 {
			b = send(apdu.Command{INS: 0xB0, P1: 0x80 | byte(id&0x1F), Le: 7})
		} else {
			send(apdu.Command{INS: 0xA4, P1: 2, P2: 0x0C, Data: []byte{byte(id >> 8), byte(id)}})
			b = send(apdu.Command{INS: 0xB0, Le: 7})
		}
		_, header, length, err := tlv.Header(b)
		if err != nil {
			t.Fatal(err)
		}
		for n := len(b); len(b) < header+length; n = len(b) {
			if i%3 == 0 {
				at := []byte{byte(n >> 8), byte(n)}
				v, ok := tlv.Find(send(apdu.Command{INS: 0xB1, Data: tlv.Encode(0x54, at), Le: 100}), 0x53)
				if !ok {
					t.Fatal("no 53")
				}
				b = append(b, v...)
				continue
			}
			b = append(b, send(apdu.Command{INS: 0xB0, P1: byte(n >> 8), P2: byte(n), Le: 61})...)
		}
		got[id] = b
	}
	return got
}

// TestRecordPlayed: a reader that plays a record takes the same way as with the card, and
// finds the same structure and none of the personal data.
func TestRecordPlayed(t *testing.T) {
	var text bytes.Buffer
	r := trace.Record(&card{files: dgs()}, &text)
	r.Note("ATR 3B85\n> not a command")
	for id, b := range readAll(t, r) {
		if !bytes.Equal(b, dgs()[id]) {
			t.Errorf("%04X: the recorder changed what it passes on", id)
		}
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	exchanges, err := trace.Parse(&text)
	if err != nil {
		t.Fatal(err)
	}
	player := trace.Play(exchanges)
	played := readAll(t, player)
	if player.Rest() != 0 {
		t.Error(player.Rest(), "left")
	}
	for id, b := range dgs() {
		p := played[id]
		if len(p) != len(b) || !slices.Equal(tags(t, p), tags(t, b)) {
			t.Errorf("%04X: another structure: %X", id, p)
		}
	}
	for _, id := range []uint16{0x011C, 0x011E} {
		if !bytes.Equal(played[id], dgs()[id]) {
			t.Errorf("%04X: %X", id, played[id])
		}
	}
	if !bytes.Contains(played[0x0101], []byte("ERIKSSON<<ANNA<MARIA")) {
		t.Errorf("no specimen: %q", played[0x0101])
	}
	if !bytes.Contains(played[0x011D], []byte("Test Signer")) {
		t.Errorf("the signer's name is gone: %q", played[0x011D])
	}
	for _, p := range played {
		noneOf(t, p)
	}
}

// noneOf looks for pieces of the personal data.
func noneOf(t *testing.T, b []byte) {
	t.Helper()
	for _, s := range []string{mrz, portrait, address, "a key of this chip alone", "the digest of a group"} {
		for i := 0; i+6 <= len(s); i++ {
			if piece := s[i : i+6]; bytes.Contains(b, []byte(piece)) && !strings.Contains(piece, "<<") {
				t.Fatalf("%q is in it", piece)
			}
		}
	}
}

// tags lists tags and lengths, depth first.
func tags(t *testing.T, b []byte) (list []tlv.Tag) {
	t.Helper()
	s := tlv.String(b)
	var tag tlv.Tag
	var v tlv.String
	for !s.Empty() {
		if !s.Read(&tag, &v) {
			t.Fatalf("%X", s)
		}
		list = append(list, tag, tlv.Tag(len(v)))
		if tag.Constructed() {
			list = append(list, tags(t, v)...)
		}
	}
	return list
}

// TestLeftOut has the ways on which personal data may come that aren't orderly reading.
func TestLeftOut(t *testing.T) {
	long := strings.Repeat(address, 10)
	files := dgs()
	eID := []byte{0xE8, 0x07, 0x04, 0x00, 0x7F, 0x00, 0x07, 0x03, 0x02}
	files[0x010F] = tlv.Encode(0x6F, tlv.Encode(0x12, []byte(address)))
	files[0x0105] = []byte(long)                                                           // no data object at all
	files[0x0106] = append(tlv.Encode(0x30, []byte{2, 1, 5}), long...)                     // something behind it
	files[0x0107] = tlv.Encode(0x30, append([]byte{0x30, 0x70, 0x02, 0x01}, long[:20]...)) // beyond its parent
	files[0x011D] = append([]byte{0x77, 0x80, 0x24, 0x80}, long...)                        // indefinite length
	for name, commands := range map[string][]apdu.Command{
		"no file":         {{INS: 0xB0, Le: 256}},
		"beyond seen":     {{INS: 0xB0, P1: 0x8D, Le: 4}, {INS: 0xB0, P2: 11, Le: 256}},
		"middle first":    {{INS: 0xB0, P1: 0x8D, P2: 15, Le: 200}},
		"twice":           {{INS: 0xB0, P1: 0x8D, Le: 20}, {INS: 0xB0, P1: 0x8D, Le: 100}, {INS: 0xB0, P1: 0x8D, P2: 3, Le: 200}},
		"no object":       {{INS: 0xB0, P1: 0x85, Le: 256}},
		"behind":          {{INS: 0xB0, P1: 0x86, Le: 256}},
		"beyond parent":   {{INS: 0xB0, P1: 0x87, Le: 256}},
		"indefinite":      {{INS: 0xB0, P1: 0x9D, Le: 256}},
		"record":          {{INS: 0xB2, P1: 1, P2: 4, Le: 256}},
		"sector's name":   {{INS: 0x86, Data: []byte{0x7C, 0}, Le: 256}},
		"date of an eID":  {{INS: 0xA4, P1: 4, P2: 0x0C, Data: eID}, {INS: 0xB0, P1: 0x8F, Le: 256}},
		"eID after LDS1":  {{INS: 0xB0, P1: 0x8F, Le: 4}, {INS: 0xA4, P1: 4, P2: 0x0C, Data: eID}, {INS: 0xB0, P1: 0x8F, Le: 256}},
		"update":          {{INS: 0xD6, Data: []byte(address)}},
		"store data":      {{CLA: 0x80, INS: 0xE2, P1: 0x80, Data: []byte(address)}},
		"put key":         {{CLA: 0x80, INS: 0xD8, Data: []byte(address)}},
		"verify":          {{INS: 0x20, P2: 1, Data: []byte(address)}},
		"odd without tag": {{INS: 0xB0, P1: 0x8D, Le: 4}, {INS: 0xB1, Data: []byte{0x54, 2, 0, 11, 0x04}, Le: 200}},
	} {
		t.Run(name, func(t *testing.T) {
			var text bytes.Buffer
			r := trace.Record(&card{files: files}, &text)
			for _, c := range commands {
				if _, err := r.Transmit(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			exchanges, err := trace.Parse(strings.NewReader(text.String()))
			if err != nil || len(exchanges) != len(commands) {
				t.Fatal(err, text.String())
			}
			for i, x := range exchanges {
				noneOf(t, x.Response.Data)
				noneOf(t, x.Command.Data)
				if len(x.Command.Data) != len(commands[i].Data) {
					t.Error("another length")
				}
			}
			player := trace.Play(exchanges)
			for _, c := range commands {
				if _, err := player.Transmit(t.Context(), c); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
