package auth

import (
	"errors"
	"fmt"
	"math/big"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/card/suite"
)

// group3 is a group of chips with a sector.
type group3 struct {
	secret PseudonymSecret
	chip   lds.ChipAuthInfo
	info   lds.PseudonymInfo
	key    lds.PseudonymKey
	sector *dh.Point
}

func newGroup3(t testing.TB, agreement dh.Group, c suite.Cipher, curve *dh.Curve, hash int, give [2]bool) group3 {
	t.Helper()
	must := func(k *dh.PrivateKey, err error) *dh.PrivateKey {
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	key, err := dh.NewPseudonymKey(must(curve.Generate()).Point(), must(curve.Generate()), must(curve.Generate()))
	if err != nil {
		t.Fatal(err)
	}
	g, err := key.Group()
	if err != nil {
		t.Fatal(err)
	}
	id := big.NewInt(0x4F)
	s := PseudonymSecret{arc(oidChipAuth, agreementArc(agreement.Base()), int(c)), agreement, arc(oidPseudonym, hash), id, key, give}
	return group3{
		secret: s, chip: lds.ChipAuthInfo{OID: s.Agreement, Version: 3, KeyID: id}, info: lds.PseudonymInfo{OID: s.Protocol, Version: 1, KeyID: id},
		key: lds.PseudonymKey{Group: g, KeyID: id}, sector: must(curve.Generate()).Point(),
	}
}

// chip3 is a chip after Terminal Authentication by own, without the commands of it.
type chip3 struct {
	*securedChip
	end *Chip3Chip
	ta  *TerminalProof
}

func (g group3) play(t testing.TB, end func(*Chip3Chip) plainChip) chip3 {
	t.Helper()
	own, err := dh.GenerateSecret(g.secret.Group.Base())
	if err != nil {
		t.Fatal(err)
	}
	a, err := NewChip3Chip(Compress(own.Element()), func(p *dh.Point) bool { return p.Equal(g.sector) }, g.secret)
	if err != nil {
		t.Fatal(err)
	}
	card := &securedChip{chip: sm.NewChip(sm.Derive([]byte("pace"), suite.AES128)), then: plainChip(a)}
	if end != nil {
		card.then = end(a)
	}
	return chip3{card, a, &TerminalProof{Channel: sm.New(card, sm.Derive([]byte("pace"), suite.AES128)), own: own}}
}

// TestChip3 plays version 3 in every suite, over curves and prime fields, with every hash and
// every choice of pseudonyms: the same chip gives a sector the same ones, and another sector
// others.
func TestChip3(t *testing.T) {
	curves := []*dh.Curve{dh.BrainpoolP256r1(), dh.P256(), dh.BrainpoolP512r1(), dh.P384()}
	n := 0
	for _, agreement := range groups(t) {
		for _, c := range suites {
			curve, hash, give := curves[n%len(curves)], 3+n%3, [][2]bool{{true, false}, {true, true}, {false, true}}[n/3%3]
			n++
			t.Run(fmt.Sprintf("%s/%v/%s/%d", agreement.Name(), c, curve.Name(), hash), func(t *testing.T) {
				g := newGroup3(t, agreement, c, curve, hash, give)
				chip := g.play(t, nil)
				anonymous, err := Chip3(t.Context(), chip.ta, g.chip)
				if err != nil {
					t.Fatal(err)
				}
				var proofs [3]*PseudonymProof
				for i, sector := range []*dh.Point{g.sector, g.sector, curve.Generator()} {
					chip.end.sectors = func(*dh.Point) bool { return true }
					if proofs[i], err = anonymous.Pseudonym(t.Context(), g.info, g.key, sector); err != nil {
						t.Fatal(err)
					}
				}
				for i := range give {
					first, again, other := proofs[0].Pseudonyms[i], proofs[1].Pseudonyms[i], proofs[2].Pseudonyms[i]
					if (first != nil) != give[i] || give[i] && (!first.Equal(again) || first.Equal(other)) {
						t.Errorf("pseudonym %d: %v, %v, %v", i+1, first, again, other)
					}
				}
			})
		}
	}
}

// TestChip3Lies has chips of another group, chips that sign another key than the channel's,
// and answers without what must be there.
func TestChip3Lies(t *testing.T) {
	g := newGroup3(t, dh.P256(), suite.AES128, dh.P256(), 3, [2]bool{true, true})
	thief := newGroup3(t, dh.P256(), suite.AES128, dh.P256(), 3, [2]bool{true, true})
	for name, c := range map[string]struct {
		change func(*Chip3Chip)
		alter  func(tlv.String) []byte
		want   error
	}{
		"a chip of another group":          {change: func(a *Chip3Chip) { a.secrets[0].Key = thief.secret.Key }, want: ErrSignature},
		"a signature of another key":       {change: func(a *Chip3Chip) { a.signed = tlv.Encode(tagChip3Key, g.sector.Bytes()) }, want: ErrSignature},
		"the first pseudonym left out":     {alter: func(b tlv.String) []byte { return b[67:] }, want: ErrSignature},
		"both pseudonyms left out":         {alter: func(b tlv.String) []byte { return b[2*67:] }, want: ErrSignature},
		"the signature left out":           {alter: func(b tlv.String) []byte { return b[:2*67] }, want: ErrProtocol},
		"a pseudonym that is no point":     {alter: func(b tlv.String) []byte { b[10] ^= 1; return b }, want: ErrProtocol},
		"an object more":                   {alter: func(b tlv.String) []byte { return append(b, 0x85, 0) }, want: ErrProtocol},
		"a sector that nobody allowed":     {change: func(a *Chip3Chip) { a.sectors = func(*dh.Point) bool { return false } }, want: apdu.SecurityStatus},
		"a chip that forgot the agreement": {change: func(a *Chip3Chip) { a.signed = nil }, want: apdu.ConditionsNotSatisfied},
	} {
		chip := g.play(t, func(a *Chip3Chip) plainChip {
			if c.alter == nil {
				return a
			}
			return &numbered{a, 0, func(n int, r *apdu.Response) {
				if n == 4 {
					s := tlv.String(r.Data)
					var inner tlv.String
					s.ReadTag(tagDynamic, &inner)
					r.Data = tlv.Encode(tagDynamic, c.alter(inner))
				}
			}}
		})
		anonymous, err := Chip3(t.Context(), chip.ta, g.chip)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		chip.end.sectors = func(*dh.Point) bool { return true }
		if c.change != nil {
			c.change(chip.end)
		}
		if p, err := anonymous.Pseudonym(t.Context(), g.info, g.key, g.sector); p != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, key := range map[string][]byte{"our own key": nil, "infinity": {0}, "of another curve": dh.BrainpoolP256r1().Generator().Bytes()} {
		var ta *TerminalProof
		chip := g.play(t, func(a *Chip3Chip) plainChip {
			return &numbered{a, 0, func(n int, r *apdu.Response) {
				if n == 2 {
					if key == nil {
						key = ta.own.Element().Bytes()
					}
					r.Data = tlv.Encode(tagDynamic, tlv.Encode(tagChip3Key, key))
				}
			}}
		})
		ta = chip.ta
		if p, err := Chip3(t.Context(), ta, g.chip); p != nil || !errors.Is(err, ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// numbered changes the chip's answers by their number, from 1.
type numbered struct {
	chip  plainChip
	n     int
	alter func(n int, r *apdu.Response)
}

func (a *numbered) Process(c apdu.Command) (apdu.Response, *sm.Keys) {
	r, keys := a.chip.Process(c)
	a.n++
	a.alter(a.n, &r)
	return r, keys
}
