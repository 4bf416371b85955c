package conformance

import (
	"bytes"
	"math/big"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/verify"
)

func number(n int64, size int) []byte  { return big.NewInt(n).FillBytes(make([]byte, size)) }
func add(p *big.Int, n int64) *big.Int { return new(big.Int).Add(p, big.NewInt(n)) }
func inSubgroup(n int64, p, q *big.Int) bool {
	return new(big.Int).Exp(big.NewInt(n), q, p).Cmp(big.NewInt(1)) == 0
}

// bacPlays are the faults of a chip in Basic Access Control (Doc 9303-11 §4.3).
func bacPlays() []play {
	external := func(change func([]byte) []byte) func(*blueprint) {
		return func(b *blueprint) { b.wire = onINS(0x82, change) }
	}
	return []play{
		{"bac", "a sound card of the time before PACE", byBAC, accept, "", func(*blueprint) {}},
		{"bac-mac", "the MAC of the chip's answer is wrong", byBAC, none, reasonProtocol, external(func(a []byte) []byte { return flipped(a, len(a)-3) })},
		{"bac-cryptogram", "the cryptogram of the chip's answer is wrong", byBAC, none, reasonProtocol, external(func(a []byte) []byte { return flipped(a, 0) })},
		{"bac-short", "the chip's answer is cut", byBAC, none, reasonProtocol, external(func(a []byte) []byte { return append(a[:16:16], 0x90, 0) })},
		{"bac-refused", "the chip refuses the station", byBAC, none, reasonWrongPassword, external(func([]byte) []byte { return []byte{0x63, 0} })},
		{"bac-empty", "the chip says yes and proves nothing", byBAC, none, reasonProtocol, external(func([]byte) []byte { return []byte{0x90, 0} })},
		{"bac-one-error", "our chip, told a wrong MAC and a wrong nonce, gives one answer for both", byBAC, none, reasonStatus, func(b *blueprint) { b.play = oneError }},
		{"application-refused", "the chip denies its application", standard, none, reasonStatus, func(b *blueprint) {
			b.command = func(c apdu.Command) apdu.Status {
				if c.INS == 0xA4 && c.P1 == 0x04 {
					return apdu.FileNotFound
				}
				return 0
			}
		}},
	}
}

// oneError shows our own chip a recorded cryptogram, whose MAC is right and whose nonce is
// old, and then the same with a wrong MAC. One answer to both tells nothing about whose
// document it is.
func oneError(s *stage) (Got, error) {
	var recorded []byte
	station := apdu.Over(&altered{s.chip, func(command, answer []byte) ([]byte, error) {
		if command[1] == 0x82 {
			recorded = command
		}
		return answer, nil
	}}, apdu.Limits{})
	application := apdu.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: card.LDS1()}
	if _, err := station.Transmit(s.ctx, application); err != nil {
		return Got{}, err
	}
	if _, err := auth.BAC(s.ctx, station, auth.MRZ(s.b.zone())); err != nil {
		return Got{}, err
	}
	const mac = 5 + 32
	var answers [2][]byte
	for i, command := range [][]byte{recorded, flipped(recorded, mac)} {
		s.chip.Reset()
		for _, c := range []apdu.Command{application, {INS: 0x84, Le: 8}} {
			if _, err := apdu.Over(s.chip, apdu.Limits{}).Transmit(s.ctx, c); err != nil {
				return Got{}, err
			}
		}
		var err error
		if answers[i], err = s.chip.Exchange(s.ctx, command); err != nil {
			return Got{}, err
		}
	}
	if !bytes.Equal(answers[0], answers[1]) || len(answers[0]) != 2 {
		return Got{Verdict: accept, Detail: "the chip's answers differ"}, nil
	}
	return Got{Verdict: none, Reasons: []verify.Reason{reasonStatus}}, nil
}
