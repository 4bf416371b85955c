package auth

import (
	"bytes"
	"context"
	"errors"
	"math/big"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/card/suite"
)

// hostileKeys are public keys that no honest end of a group sends.
func hostileKeys(t *testing.T, g dh.Group) map[string][]byte {
	t.Helper()
	switch g := g.(type) {
	case *dh.MODP:
		p, _, q := g.Parameters()
		one := big.NewInt(1)
		outside := big.NewInt(2)
		for new(big.Int).Exp(outside, q, p).Cmp(one) == 0 {
			outside.Add(outside, one)
		}
		sized := func(n *big.Int) []byte { return n.FillBytes(make([]byte, g.Size())) }
		return map[string][]byte{
			"nothing": nil, "0": {0}, "1": {1}, "1 in full length": sized(one), "p-1": sized(new(big.Int).Sub(p, one)), "p": sized(p),
			"p+1": sized(new(big.Int).Add(p, one)), "outside the subgroup": sized(outside),
			"an octet too long": append([]byte{0}, sized(new(big.Int).SetBytes(g.Base().Bytes()))...),
		}
	case *dh.Curve:
		good := g.Generator().Bytes()
		off := bytes.Clone(good)
		off[len(off)-1] ^= 1
		other := dh.P256()
		if g == other {
			other = dh.BrainpoolP256r1()
		}
		return map[string][]byte{
			"nothing": nil, "infinity": {0}, "off the curve": off, "of another curve": other.Generator().Bytes(),
			"compressed": append([]byte{2}, g.Generator().X()...), "hybrid": append([]byte{6}, good[1:]...), "an octet too long": append(bytes.Clone(good), 0),
		}
	}
	t.Fatalf("%T", g)
	return nil
}

// hostileCells are a few cells of every mapping over curves and prime fields.
func hostileCells(t *testing.T) []cell {
	t.Helper()
	var list []cell
	for _, c := range cells(t) {
		if id := c.info.ParameterID; c.cipher == suite.AES128 && (id == 0 || id == 2 || id == 12 || id == 13 || id == 17) {
			list = append(list, c)
		}
	}
	return list
}

// keySteps are the GENERAL AUTHENTICATE commands, from 1, in which a mapping exchanges keys.
func (c cell) keySteps() []int {
	if c.mapping == "IM" {
		return []int{3}
	}
	return []int{2, 3}
}

// process is a chip of the cell that is opened with a CAN.
func (c cell) process(t *testing.T) *process {
	t.Helper()
	var static []*dh.PrivateKey
	if curve, ok := c.group.(*dh.Curve); ok {
		k, err := curve.Generate()
		if err != nil {
			t.Fatal(err)
		}
		static = append(static, k)
	}
	chip, err := NewPACEChip([]lds.PACEInfo{c.info}, map[byte][]byte{RefCAN: []byte("123456")}, static...)
	if err != nil {
		t.Fatal(err)
	}
	return &process{chip: chip}
}

// TestPACEHostileKeys gives the terminal keys that no honest chip sends, and its own back:
// it ends there, and says nothing more.
func TestPACEHostileKeys(t *testing.T) {
	for _, c := range hostileCells(t) {
		for _, step := range c.keySteps() {
			hostile := hostileKeys(t, c.group)
			hostile["our own"] = nil
			for name, key := range hostile {
				p := c.process(t)
				spy := &recorder{process: p}
				p.alter = func(n int, r *apdu.Response) {
					if n != step {
						return
					}
					if name == "our own" {
						key = spy.sent
					}
					r.Data = tlv.Encode(tagDynamic, tlv.Encode(tlv.Tag(0x80+2*(step-1)), key))
				}
				if result, err := PACE(t.Context(), spy, CAN("123456"), c.info); result != nil || !errors.Is(err, ErrProtocol) || p.count != step+1 {
					t.Errorf("%v, step %d, %s: %v after %d commands", c, step, name, err, p.count)
				}
			}
		}
	}
}

// TestPACEChipHostileKeys gives the chip keys that no honest terminal sends: it ends the
// run without keys, and answers nothing but a refusal.
func TestPACEChipHostileKeys(t *testing.T) {
	for _, c := range hostileCells(t) {
		for _, step := range c.keySteps() {
			for name, key := range hostileKeys(t, c.group) {
				p := c.process(t)
				lying := &liar{process: p, at: step, data: tlv.Encode(tagDynamic, tlv.Encode(tlv.Tag(0x81+2*(step-2)), key))}
				_, err := PACE(t.Context(), lying, CAN("123456"), c.info)
				if _, refused := errors.AsType[*apdu.StatusError](err); !refused || p.keys != nil || p.chip.(*PACEChip).Running() {
					t.Errorf("%v, step %d, %s: %v, keys %v", c, step, name, err, p.keys != nil)
				}
			}
		}
	}
}

// TestChipAuthChipHostileKeys does so to Chip Authentication, by both ways to it.
func TestChipAuthChipHostileKeys(t *testing.T) {
	for _, id := range []int{0, 2, 12, 13} {
		g, err := dh.GroupByID(id)
		if err != nil {
			t.Fatal(err)
		}
		secret, err := dh.GenerateSecret(g.Base())
		if err != nil {
			t.Fatal(err)
		}
		protocol := arc(oidChipAuth, agreementArc(g.Base()), int(suite.TDES))
		oid, err := contents(protocol)
		if err != nil {
			t.Fatal(err)
		}
		run := func(key []byte) (kat, at *sm.Keys) {
			chip, err := NewChipAuthChip(ChipAuthSecret{Protocol: protocol, Key: secret})
			if err != nil {
				t.Fatal(err)
			}
			_, kat = chip.Process(apdu.Command{INS: 0x22, P1: 0x41, P2: 0xA6, Data: tlv.Encode(tagEphemeral, key)})
			if r, _ := chip.Process(apdu.Command{INS: 0x22, P1: 0x41, P2: 0xA4, Data: tlv.Encode(tagProtocol, oid)}); r.Status != apdu.OK {
				t.Fatal(r.Status)
			}
			_, at = chip.Process(apdu.Command{INS: 0x86, Data: tlv.Encode(tagDynamic, tlv.Encode(tagChipAuthKey, key))})
			return kat, at
		}
		for name, key := range hostileKeys(t, g) {
			if kat, at := run(key); kat != nil || at != nil {
				t.Errorf("%s: %s gives keys", g.Name(), name)
			}
		}
		own, err := dh.GenerateSecret(g.Base())
		if err != nil {
			t.Fatal(err)
		}
		want, err := sessionKeys(own, secret.Element(), suite.TDES)
		if err != nil {
			t.Fatal(err)
		}
		kat, at := run(own.Element().Bytes())
		for _, keys := range []*sm.Keys{kat, at} {
			if keys == nil || !bytes.Equal(keys.Enc, want.Enc) || !bytes.Equal(keys.MAC, want.MAC) {
				t.Errorf("%s: an honest terminal gets %v", g.Name(), keys)
			}
		}
	}
}

// recorder keeps the key of the last command.
type recorder struct {
	*process
	sent []byte
}

func (r *recorder) Transmit(ctx context.Context, c apdu.Command) (apdu.Response, error) {
	s := tlv.String(c.Data)
	var inner, value tlv.String
	var tag tlv.Tag
	if s.ReadTag(tagDynamic, &inner) && inner.Read(&tag, &value) {
		r.sent = value
	}
	return r.process.Transmit(ctx, c)
}

// liar is a terminal that sends other data in one command.
type liar struct {
	*process
	at   int
	data []byte
}

func (l *liar) Transmit(ctx context.Context, c apdu.Command) (apdu.Response, error) {
	if l.count == l.at {
		c.Data = l.data
	}
	return l.process.Transmit(ctx, c)
}
