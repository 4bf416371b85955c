package conformance

import (
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
)

// both is a card that opens by PACE and by BAC, each with the MRZ.
func both() *blueprint {
	b := standard()
	b.kind = "both"
	b.chip.Rules = &gp.Rules{BAC: true}
	b.options.Passwords = []auth.Password{auth.MRZ(b.zone())}
	return b
}

// byBAC is a sound card of the time before PACE.
func byBAC() *blueprint {
	b := both()
	b.kind = "bac"
	b.infos.PACE, b.offered.PACE = nil, nil
	return b
}

// long is what card and reader bear where commands are of extended length.
var long = apdu.Limits{Command: 4096, Response: 4096}

// variant is a card that opens by one variant of PACE.
func variant(mapping, cipher, group int) func() *blueprint {
	return func() *blueprint {
		b := standard()
		b.kind = fmt.Sprintf("pace-%d-%d-%d", mapping, cipher, group)
		b.infos.PACE = []lds.PACEInfo{{OID: arc(oidPACE, mapping, cipher), Version: 2, ParameterID: group}}
		b.offered.PACE = b.infos.PACE
		if mapping == dhGM || mapping == dhIM {
			b.chip.Limits, b.options.Reader, b.options.Claimed = long, long, true
		}
		if mapping == ecCAM {
			curve, err := dh.ByID(group)
			if err != nil {
				return b
			}
			b.ca, b.aa, b.mapped = ecKey(curve, "mapping"), nil, true
			b.infos.Chip, b.infos.ChipKeys, b.infos.Active = nil, nil, nil
			b.chip.Keys = []dh.Secret{b.ca}
		}
		return b
	}
}

// The mappings of PACE, as their object identifiers number them.
const (
	dhGM, ecGM, dhIM, ecIM, ecCAM = 1, 2, 3, 4, 6
)

// accessPlays are what a chip, or somebody before it, does to make PACE fail, and what it
// says of it in EF.CardAccess.
func accessPlays() []play {
	list := downgrades()
	mrz := func(b *blueprint) { b.options.Passwords = []auth.Password{auth.MRZ(b.zone())} }
	return append(
		list,
		play{"cardaccess-removed", "EF.CardAccess is taken away, so that only BAC is left", both, refuse, verify.ReasonDowngrade, func(b *blueprint) { b.unread = []lds.File{lds.CardAccess} }},
		play{"cardaccess-emptied", "EF.CardAccess is there and empty", both, none, reasonNoAccess, func(b *blueprint) {
			b.after = func(f verify.Files) { f[lds.CardAccess] = []byte{} }
		}},
		play{"cardaccess-emptied-bac-allowed", "EF.CardAccess is empty and the operator allows BAC", both, refuse, verify.ReasonDowngrade, func(b *blueprint) {
			b.after = func(f verify.Files) { f[lds.CardAccess] = []byte{} }
			b.options.AllowBAC = true
		}},
		play{"cardaccess-weaker", "EF.CardAccess offers 3DES on P-192 where DG14 promises AES-128 on P-256", standard, refuse, verify.ReasonAccessMismatch, func(b *blueprint) {
			b.offered.PACE = []lds.PACEInfo{{OID: arc(oidPACE, ecGM, 1), Version: 2, ParameterID: 8}}
		}},
		play{"cardaccess-fewer", "EF.CardAccess hides one of the two variants that DG14 promises", standard, refuse, verify.ReasonAccessMismatch, func(b *blueprint) {
			b.infos.PACE = append(b.infos.PACE, lds.PACEInfo{OID: arc(oidPACE, ecGM, 4), Version: 2, ParameterID: 13})
		}},
		play{"cardaccess-more", "EF.CardAccess offers a variant that DG14 does not promise", standard, refuse, verify.ReasonAccessMismatch, func(b *blueprint) {
			b.offered.PACE = append(b.offered.PACE, lds.PACEInfo{OID: arc(oidPACE, ecGM, 1), Version: 2, ParameterID: 12})
		}},
		play{"cardaccess-cut", "EF.CardAccess is cut short", both, none, reasonNoAccess, func(b *blueprint) {
			b.after = func(f verify.Files) { f[lds.CardAccess] = f[lds.CardAccess][:len(f[lds.CardAccess])-3] }
		}},
		play{"cardaccess-trailing", "octets stand behind EF.CardAccess, and are not read", standard, accept, "", func(b *blueprint) {
			b.after = func(f verify.Files) { f[lds.CardAccess] = append(f[lds.CardAccess], 0, 0, 0) }
		}},
		play{"cardaccess-tag", "EF.CardAccess begins with another tag", both, none, reasonNoAccess, func(b *blueprint) {
			b.after = func(f verify.Files) { f[lds.CardAccess] = append([]byte{0x30}, f[lds.CardAccess][1:]...) }
		}},
		play{"pace-parameter-unknown", "PACEInfo names domain parameters that there are not", both, none, reasonNoAccess, func(b *blueprint) {
			b.offered.PACE = []lds.PACEInfo{{OID: gmAES128.OID, Version: 2, ParameterID: 31}}
		}},
		play{"pace-several", "EF.CardAccess offers two variants and entries of other kinds", standard, accept, "", func(b *blueprint) {
			other := lds.PACEInfo{OID: arc(oidPACE, ecGM, 4), Version: 2, ParameterID: 12}
			b.offered.PACE, b.infos.PACE = append(b.offered.PACE, other), append(b.infos.PACE, other)
			b.offered.Unknown = [][]byte{sequence(object(1, 3, 6, 1, 4, 1, 99999), integer(1)).bytes()}
		}},
		play{"pace-domain-info", "EF.CardAccess writes domain parameters out beside two variants by their numbers", standard, accept, "", func(b *blueprint) {
			other := lds.PACEInfo{OID: arc(oidPACE, ecGM, 4), Version: 2, ParameterID: 12}
			b.offered.PACE, b.infos.PACE = append(b.offered.PACE, other), append(b.infos.PACE, other)
			b.offered.Unknown = [][]byte{sequence(object(arc(oidPACE, ecGM)...), parseNode(public(b.ca.Public()).Raw).at(0)).bytes()}
		}},
		play{"pace-by-mrz", "PACE with the MRZ", standard, accept, "", mrz},
		play{"pace-wrong-can", "the CAN that was typed is not the card's", standard, none, reasonWrongPassword, func(b *blueprint) {
			b.options.Passwords = []auth.Password{auth.CAN("999999")}
		}},
		play{"pace-last-try", "the chip says that one try is left before it blocks", standard, none, reasonBlocked, func(b *blueprint) {
			b.wire = statusOf(0, 0x63C1)
		}},
		play{"pace-blocked", "the chip says that the password is blocked", standard, none, reasonBlocked, func(b *blueprint) {
			b.wire = statusOf(0, apdu.Blocked)
		}},
	)
}

// downgrades let each step of PACE fail, in each way, on a chip whose BAC works.
func downgrades() []play {
	var list []play
	for step := range 5 {
		for _, status := range []apdu.Status{0x6300, 0x6982, 0x6985, 0x6A80, 0x6A88, 0x6FFF, 0} {
			name, what := fmt.Sprintf("%04x", uint16(status)), fmt.Sprintf("answers %04X to", uint16(status))
			reason := reasonNoAccess
			switch {
			case status == 0:
				name, what, reason = "silence", "does not answer", reasonTimeout
			case status == 0x6300 && step == 4:
				reason = reasonWrongPassword
			}
			where := "MSE:Set AT"
			if step > 0 {
				where = fmt.Sprintf("GENERAL AUTHENTICATE %d", step)
			}
			fail := func(b *blueprint) { b.wire = statusOf(step, status) }
			list = append(list, play{fmt.Sprintf("pace-fails-%d-%s", step, name), "the chip " + what + " " + where + "; BAC would work", both, none, reason, fail})
			if status == 0x6985 {
				list = append(list, play{fmt.Sprintf("pace-fails-%d-bac-allowed", step), "the same, and the operator allows BAC", both, refuse, verify.ReasonDowngrade, func(b *blueprint) {
					fail(b)
					b.options.AllowBAC = true
				}})
			}
		}
	}
	return list
}

// hostilePlays are the answers of a chip that breaks PACE (Doc 9303-11 §4.4).
func hostilePlays() []play {
	var list []play
	add := func(id, what string, base func() *blueprint, wire func(*stage) apdu.Wire) {
		list = append(list, play{id, what, base, none, reasonNoAccess, func(b *blueprint) { b.wire = wire }})
	}
	fixed := func(v []byte) func(_, _ []byte) []byte { return func(_, _ []byte) []byte { return v } }
	point := dh.P256().Generator().Bytes()
	for step, part := range map[int]string{2: "mapping", 3: "ephemeral"} {
		for _, h := range []struct {
			id, what string
			value    func(old, sent []byte) []byte
		}{
			{"echo", "the station's own", func(_, sent []byte) []byte { return sent }},
			{"infinity", "the point at infinity", fixed([]byte{0})},
			{"zero", "(0, 0)", fixed(append([]byte{4}, make([]byte, 64)...))},
			{"off-curve", "a point off the curve", fixed(flipped(point, -1))},
			{"other-curve", "a point of another curve", fixed(dh.BrainpoolP256r1().Generator().Bytes())},
			{"compressed", "a compressed point", fixed(append([]byte{2}, point[1:33]...))},
			{"x-changed", "a point whose x was changed", func(old, _ []byte) []byte { return flipped(old, 5) }},
			{"y-changed", "a point whose y was changed", func(old, _ []byte) []byte { return flipped(old, -1) }},
			{"short", "a point that is an octet short", func(old, _ []byte) []byte { return old[:len(old)-1] }},
			{"long", "a point with an octet more", func(old, _ []byte) []byte { return append(old, 0) }},
			{"empty", "nothing", fixed(nil)},
		} {
			add(fmt.Sprintf("pace-%s-%s", part, h.id), "the chip's "+part+" key is "+h.what, standard, valueOf(step, h.value))
		}
		for id, value := range primeValues() {
			add(fmt.Sprintf("pace-dh-%s-%s", part, id), "the chip's "+part+" value in a prime field is "+id, variant(dhGM, 2, 2), valueOf(step, fixed(value)))
		}
	}
	for step, tags := range map[int][2]tlv.Tag{1: {0x80, 0x90}, 2: {0x82, 0x92}, 3: {0x84, 0x94}, 4: {0x86, 0x96}} {
		add(fmt.Sprintf("pace-tag-%d", step), fmt.Sprintf("the chip's answer %d has tag %v in place of %v", step, tags[1], tags[0]), standard, tagOf(step, tags[1]))
		add(fmt.Sprintf("pace-none-%d", step), fmt.Sprintf("the chip's answer %d is an empty template", step), standard, dynamic(step, func([]tlvObject, []byte) []tlvObject { return nil }))
	}
	add("pace-nonce-short", "the nonce is not a block of the cipher", standard, valueOf(1, func(old, _ []byte) []byte { return old[:15] }))
	list = append(list, play{
		"pace-nonce-changed", "the nonce is changed on its way", standard, none, reasonWrongPassword,
		func(b *blueprint) { b.wire = valueOf(1, func(old, _ []byte) []byte { return flipped(old, 3) }) },
	})
	for _, h := range []struct {
		id, what string
		value    func(old, sent []byte) []byte
	}{
		{"wrong", "wrong", func(old, _ []byte) []byte { return flipped(old, 0) }},
		{"short", "an octet short", func(old, _ []byte) []byte { return old[:len(old)-1] }},
		{"empty", "empty", fixed(nil)},
		{"copied", "the station's own", func(_, sent []byte) []byte { return sent }},
	} {
		add("pace-token-"+h.id, "the chip's token is "+h.what, standard, valueOf(4, h.value))
	}
	add("pace-im-refused-2", "the chip refuses the second step of the integrated mapping", variant(ecIM, 2, 12), statusOf(2, 0x6985))
	return append(list, play{
		"pace-8a-in-gm", "a proof of the chip authentication mapping in the generic mapping", standard, none, reasonNoAccess,
		func(b *blueprint) {
			b.wire = dynamic(4, func(l []tlvObject, _ []byte) []tlvObject { return append(l, tlvObject{0x8A, make([]byte, 32)}) })
		},
	})
}

// primeValues are what no honest end of group 2 sends.
func primeValues() map[string][]byte {
	g, err := dh.GroupByID(2)
	m, ok := g.(*dh.MODP)
	if err != nil || !ok {
		return nil
	}
	p, _, q := m.Parameters()
	sized := func(n int64) []byte { return add(p, n).FillBytes(make([]byte, m.Size())) }
	outside := int64(2)
	for inSubgroup(outside, p, q) {
		outside++
	}
	return map[string][]byte{
		"0": make([]byte, m.Size()), "1": number(1, m.Size()), "p-1": sized(-1), "p": sized(0), "outside-subgroup": number(outside, m.Size()),
	}
}
