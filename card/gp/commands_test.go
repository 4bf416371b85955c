package gp

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu"
)

func openCard(t *testing.T, k Keys, l Level) (*card, *Channel) {
	t.Helper()
	c := newCard(k, 0x70)
	ch, err := openWeak(t, c, k, l)
	if err != nil {
		t.Fatal(err)
	}
	return c, ch
}

func TestPutKeysBetweenBothEnds(t *testing.T) {
	for _, size := range []int{16, 24, 32} {
		c, ch := openCard(t, testKeys(16, 1), FullSecurity)
		fresh := testKeys(size, 0x40)
		fresh.Version = 0x31
		var got Keys
		c.answer = func(p apdu.Command) apdu.Response {
			replaces, k, answer, err := c.chip.PutKeys(p)
			if err != nil || replaces != 0x30 {
				t.Fatalf("replaces %02X, %v", replaces, err)
			}
			got = k
			return apdu.Response{Data: answer, Status: apdu.OK}
		}
		if err := ch.PutKeys(t.Context(), 0x30, fresh); err != nil {
			t.Fatal(err)
		}
		if got.Version != 0x31 || !bytes.Equal(got.Enc, fresh.Enc) || !bytes.Equal(got.MAC, fresh.MAC) || !bytes.Equal(got.DEK, fresh.DEK) {
			t.Errorf("AES-%d keys differ", size*8)
		}
		if bytes.Contains(c.seen[0].Data, fresh.Enc[:8]) {
			t.Error("keys inside the channel are in the clear")
		}
	}
}

func TestPutKeysComparesCheckValues(t *testing.T) {
	c, ch := openCard(t, testKeys(16, 1), FullSecurity)
	c.answer = func(p apdu.Command) apdu.Response {
		_, _, answer, err := c.chip.PutKeys(p)
		if err != nil {
			t.Fatal(err)
		}
		answer[4] ^= 1
		return apdu.Response{Data: answer, Status: apdu.OK}
	}
	if err := ch.PutKeys(t.Context(), 0x30, testKeys(16, 9)); !errors.Is(err, ErrAnswer) {
		t.Errorf("error %v", err)
	}
	if err := ch.PutKeys(t.Context(), 0x30, Keys{}); !errors.Is(err, ErrKeys) {
		t.Errorf("error %v", err)
	}
}

func TestChipRefusesDamagedKeyBlocks(t *testing.T) {
	c, ch := openCard(t, testKeys(16, 1), FullSecurity)
	var good apdu.Command
	c.answer = func(p apdu.Command) apdu.Response { good = p; return apdu.Response{Status: apdu.ReferenceNotFound} }
	fresh := testKeys(24, 0x40)
	fresh.Version = 0x31
	_ = ch.PutKeys(t.Context(), 0x30, fresh)
	if _, _, _, err := c.chip.PutKeys(good); err != nil {
		t.Fatal(err)
	}
	for n := range len(good.Data) {
		cut := good
		cut.Data = good.Data[:n]
		if _, _, _, err := c.chip.PutKeys(cut); err == nil {
			t.Errorf("takes %d of %d octets", n, len(good.Data))
		}
	}
	for i := 1; i < len(good.Data); i++ {
		bad := good
		bad.Data = bytes.Clone(good.Data)
		bad.Data[i] ^= 0x80
		if _, k, _, err := c.chip.PutKeys(bad); err == nil && !bytes.Equal(k.Enc, fresh.Enc) {
			t.Errorf("takes a wrong key with octet %d changed", i)
		}
	}
}

func TestGenerateNeedsAuthenticatedAnswers(t *testing.T) {
	ref := KeyRef{Use: Signature, Reference: KeyAA, Curve: 13}
	point := append([]byte{4}, bytes.Repeat([]byte{7}, 64)...)
	for _, l := range allLevels {
		c, ch := openCard(t, testKeys(16, 1), l)
		c.answer = func(p apdu.Command) apdu.Response {
			got, ok := ParseKeyRef(p.Data)
			if !ok || got != ref || p.INS != insGenerate {
				t.Errorf("reference %+v, %v", got, ok)
			}
			return apdu.Response{Data: EncodePublicKey(point), Status: apdu.OK}
		}
		got, err := ch.Generate(t.Context(), ref)
		if !l.rmac() {
			if !errors.Is(err, ErrUnsupported) || len(c.seen) > 0 {
				t.Errorf("level %02X: %v", byte(l), err)
			}
			continue
		}
		if err != nil || !bytes.Equal(got, point) {
			t.Errorf("level %02X: %X, %v", byte(l), got, err)
		}
	}
}

func TestOddAnswers(t *testing.T) {
	ref := KeyRef{Use: Agreement, Reference: KeyCA, Curve: 12}
	for _, data := range []string{"", "7F49", "7F4900", "7F49028600FF", "7F4A028600", "86020102", "CF0101", "CF"} {
		var b []byte
		fmt.Sscanf(data, "%X", &b)
		c, ch := openCard(t, testKeys(16, 1), FullSecurity)
		c.answer = func(apdu.Command) apdu.Response { return apdu.Response{Data: b, Status: apdu.OK} }
		if _, err := ch.PublicKey(t.Context(), ref); !errors.Is(err, ErrAnswer) {
			t.Errorf("PublicKey of %s: %v", data, err)
		}
		if _, err := ch.KDD(t.Context()); !errors.Is(err, ErrAnswer) {
			t.Errorf("KDD of %s: %v", data, err)
		}
	}
	for _, data := range []string{"", "B600", "B6068401018001", "A406840101800102", "B80684010180010D", "B6078402010180010D", "B60684010180010D00"} {
		var b []byte
		fmt.Sscanf(data, "%X", &b)
		if r, ok := ParseKeyRef(b); ok {
			t.Errorf("takes %s as %+v", data, r)
		}
	}
}

func TestRefusalNamesTheCommand(t *testing.T) {
	c, ch := openCard(t, testKeys(16, 1), FullSecurity)
	c.answer = func(apdu.Command) apdu.Response { return apdu.Response{Status: apdu.ConditionsNotSatisfied} }
	err := ch.SetStatus(t.Context(), StatusOfApplication, StateSecured, nil)
	if !errors.Is(err, apdu.ConditionsNotSatisfied) || !strings.Contains(err.Error(), "SET STATUS") {
		t.Errorf("error %v", err)
	}
}

// collect puts the pieces together again.
func collect(t *testing.T, c *card) map[uint16][]byte {
	got := map[uint16][]byte{}
	var b Blocks
	c.answer = func(p apdu.Command) apdu.Response {
		return apdu.Response{Status: b.Process(p, func(part Part) apdu.Status {
			if len(got[part.Tag]) != part.Offset && part.Offset > 0 || part.Offset+len(part.Data) > part.Size {
				t.Errorf("part %04X at %d of %d", part.Tag, part.Offset, part.Size)
			}
			if part.Offset == 0 {
				got[part.Tag] = nil
			}
			got[part.Tag] = append(got[part.Tag], part.Data...)
			return apdu.OK
		})}
	}
	return got
}

func TestStoreData(t *testing.T) {
	big := bytes.Repeat([]byte{1, 2, 3}, 20042/3)
	for name, dgis := range map[string][]DGI{
		"one":            {{0x0101, []byte("short")}},
		"empty":          {{0xFF04, nil}, {0x0101, []byte{1}}},
		"length forms":   {{0x0101, make([]byte, 254)}, {0x0102, make([]byte, 255)}, {0x0103, make([]byte, 256)}},
		"spanning":       {{0x0101, big}, {0x0102, []byte("x")}, {0x010D, big[:901]}},
		"many sequences": {{0x0101, big}, {0x0102, big}, {0x0103, big}, {0x0104, big}},
	} {
		c, ch := openCard(t, testKeys(16, 1), FullSecurity)
		got := collect(t, c)
		block := ch.MaxCommand(apdu.Limits{})
		last := 0
		err := ch.StoreData(t.Context(), block, dgis, func(done, total int) {
			if done <= last || done > total {
				t.Errorf("%s: %d of %d after %d", name, done, total, last)
			}
			last = done
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(c.seen) != StoreBlocks(block, dgis...) {
			t.Errorf("%s: %d blocks, not %d", name, len(c.seen), StoreBlocks(block, dgis...))
		}
		for _, d := range dgis {
			if !bytes.Equal(got[d.Tag], d.Value) {
				t.Errorf("%s: DGI %04X differs", name, d.Tag)
			}
		}
	}
}

func TestStoreDataTooLong(t *testing.T) {
	c, ch := openCard(t, testKeys(16, 1), FullSecurity)
	for block, n := range map[int]int{239: 239*256 - 4, 0: 1, 1000: 65536} {
		err := ch.StoreData(t.Context(), block, []DGI{{0x0102, make([]byte, n)}}, nil)
		if !errors.Is(err, apdu.ErrTooLong) || len(c.seen) > 0 {
			t.Errorf("block %d, %d octets: %v after %d commands", block, n, err, len(c.seen))
		}
	}
	if collect(t, c); ch.StoreData(t.Context(), 239, []DGI{{0x0102, make([]byte, 239*256-5)}}, nil) != nil {
		t.Error("256 full blocks are refused")
	}
}

func TestBlocksOutOfTurn(t *testing.T) {
	store := func(p1, p2 byte, data string) apdu.Command {
		return apdu.Command{CLA: 0x80, INS: insStoreData, P1: p1, P2: p2, Data: []byte(data)}
	}
	for name, c := range map[string]struct {
		commands []apdu.Command
		want     apdu.Status
	}{
		"first is 1":         {[]apdu.Command{store(0x08, 1, "\x01\x01\x01a")}, apdu.ConditionsNotSatisfied},
		"gap":                {[]apdu.Command{store(0x08, 0, "\x01\x01\x09a"), store(0x08, 2, "b")}, apdu.ConditionsNotSatisfied},
		"twice":              {[]apdu.Command{store(0x08, 0, "\x01\x01\x09a"), store(0x08, 1, "b"), store(0x08, 1, "b")}, apdu.ConditionsNotSatisfied},
		"ends in a value":    {[]apdu.Command{store(0x88, 0, "\x01\x01\x09a")}, apdu.WrongData},
		"ends in a length":   {[]apdu.Command{store(0x88, 0, "\x01\x01\xFF\x01")}, apdu.WrongData},
		"BER-TLV":            {[]apdu.Command{store(0x10, 0, "\x01\x01\x01a")}, apdu.WrongP1P2},
		"encrypted":          {[]apdu.Command{store(0x68, 0, "\x01\x01\x01a")}, apdu.WrongP1P2},
		"begins anew":        {[]apdu.Command{store(0x08, 0, "\x01\x01\x09a"), store(0x88, 0, "\x01\x01\x01b")}, apdu.OK},
		"header in pieces":   {[]apdu.Command{store(0x08, 0, "\x01"), store(0x08, 1, "\x01\xFF"), store(0x08, 2, "\x00"), store(0x88, 3, "\x01a")}, apdu.OK},
		"after the last one": {[]apdu.Command{store(0x88, 0, "\x01\x01\x01a"), store(0x08, 1, "\x01\x01\x01a")}, apdu.ConditionsNotSatisfied},
	} {
		var b Blocks
		var got apdu.Status
		for _, cmd := range c.commands {
			got = b.Process(cmd, func(Part) apdu.Status { return apdu.OK })
		}
		if got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestBlocksStopAtARefusedPart(t *testing.T) {
	var b Blocks
	c := apdu.Command{INS: insStoreData, P1: 0x88, Data: []byte("\x01\x01\x01a\x01\x02\x01b")}
	n := 0
	got := b.Process(c, func(Part) apdu.Status { n++; return apdu.NotEnoughMemory })
	if got != apdu.NotEnoughMemory || n != 1 {
		t.Errorf("%v after %d parts", got, n)
	}
}

func TestRulesRoundTrip(t *testing.T) {
	for flags := range byte(8) {
		for _, tries := range []byte{0, 1, 15} {
			r, ok := ParseRules([]byte{flags, tries})
			if !ok || !bytes.Equal(r.Bytes(), []byte{flags, tries}) {
				t.Errorf("%02X %d: %+v", flags, tries, r)
			}
		}
	}
	for _, b := range [][]byte{nil, {1}, {8, 0}, {0, 16}, {0, 0, 0}} {
		if _, ok := ParseRules(b); ok {
			t.Errorf("takes %X", b)
		}
	}
}
