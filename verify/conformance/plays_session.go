package conformance

import (
	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/verify"
)

// without takes an object out of a protected answer.
func without(tag tlv.Tag) func([]byte) []byte {
	return replaced(tag, func([]byte) (tlv.Tag, []byte, bool) { return 0, nil, false })
}

// replaced changes an object of a protected answer; false leaves it out.
func replaced(want tlv.Tag, change func(value []byte) (tlv.Tag, []byte, bool)) func([]byte) []byte {
	return func(answer []byte) []byte {
		if len(answer) < 2 {
			return answer
		}
		end := len(answer) - 2
		s := tlv.String(answer[:end])
		var tag tlv.Tag
		var value tlv.String
		var out []byte
		for s.Read(&tag, &value) {
			t, v := tag, []byte(value)
			if tag == want {
				var keep bool
				if t, v, keep = change(v); !keep {
					continue
				}
			}
			out = tlv.Append(out, t, v)
		}
		return append(out, answer[end:]...)
	}
}

// sessionPlays break secure messaging (Doc 9303-11 §9.8) and the reading of files.
func sessionPlays() []play {
	var list []play
	bare := func(status apdu.Status) func([]byte) []byte {
		return func([]byte) []byte { return []byte{byte(status >> 8), byte(status)} }
	}
	for _, f := range []struct {
		id, what string
		change   func([]byte) []byte
	}{
		{"bare-9000", "an answer in the clear, 9000", bare(apdu.OK)},
		{"bare-data", "an answer with data in the clear", func([]byte) []byte { return append([]byte{0x61, 0x02, 0x5F, 0x1F}, 0x90, 0) }},
		{"bare-6982", "a refusal in the clear, 6982", bare(0x6982)},
		{"bare-6988", "a refusal in the clear, 6988", bare(0x6988)},
		{"bare-6a82", "a denial in the clear, 6A82", bare(apdu.FileNotFound)},
		{"no-mac", "an answer without its MAC (8E)", without(0x8E)},
		{"no-status", "an answer without its protected status (99)", without(0x99)},
		{"no-cryptogram", "an answer without its cryptogram (87)", without(0x87)},
		{"mac-cut", "a MAC that is cut", replaced(0x8E, func(v []byte) (tlv.Tag, []byte, bool) { return 0x8E, v[:7], true })},
		{"mac-empty", "an empty MAC", replaced(0x8E, func([]byte) (tlv.Tag, []byte, bool) { return 0x8E, nil, true })},
		{"mac-wrong", "a wrong MAC", replaced(0x8E, func(v []byte) (tlv.Tag, []byte, bool) { return 0x8E, flipped(v, 0), true })},
		{"cryptogram-wrong", "a cryptogram that was changed", replaced(0x87, func(v []byte) (tlv.Tag, []byte, bool) { return 0x87, flipped(v, 5), true })},
		{"padding", "a cryptogram whose padding was changed", replaced(0x87, func(v []byte) (tlv.Tag, []byte, bool) { return 0x87, flipped(v, -1), true })},
		{"status-differs", "a trailer that is not the protected status", func(a []byte) []byte { return append(a[:len(a)-2:len(a)-2], 0x6A, 0x82) }},
		{"status-changed", "a protected status that was changed", replaced(0x99, func(v []byte) (tlv.Tag, []byte, bool) { return 0x99, []byte{0x6A, 0x82}, true })},
		{"cut", "an answer that is cut", func(a []byte) []byte { return append(a[:len(a)/2:len(a)/2], 0x90, 0) }},
	} {
		list = append(list, play{"sm-" + f.id, f.what + " while files are read", standard, refuse, verify.ReasonProtection, func(b *blueprint) {
			b.wire = onSecured(firstRead, false, f.change)
		}})
	}
	list = append(list, play{"sm-repeated", "an old answer once more, so that the counter does not advance", standard, refuse, verify.ReasonProtection, func(b *blueprint) {
		var old []byte
		b.wire = onSecured(firstRead, true, func(a []byte) []byte {
			if old == nil {
				old = a
			}
			return old
		})
	}})
	return append(list, readingPlays()...)
}

// readingPlays are odd and hostile manners of files.
func readingPlays() []play {
	quirk := func(q virtual.Quirks) func(*blueprint) { return func(b *blueprint) { b.chip.Quirks = q } }
	reading := func(answer func(f lds.File, c apdu.Command, r apdu.Response) apdu.Response) func(*blueprint) {
		return func(b *blueprint) {
			b.wire = programmed(func(p *puppet) {
				p.answer = func(c apdu.Command, r apdu.Response) apdu.Response {
					if c.INS == 0xB0 || c.INS == 0xB1 {
						return answer(p.current, c, r)
					}
					return r
				}
			})
		}
	}
	large := func(b *blueprint) {
		b.files[lds.DG2], _ = lds.EncodeDG2(lds.Face{Image: append(portrait(), make([]byte, 40000)...), Width: 48, Height: 64})
		b.chip.Limits, b.options.Reader, b.options.Claimed = long, long, true
	}
	return []play{
		{"puppet", "a sound card played by a chip that could lie", standard, accept, "", func(b *blueprint) { b.wire = programmed(func(*puppet) {}) }},
		{"relay", "a genuine card at the other end of a wire: it can't be told, and is said", standard, accept, verify.ReasonRelay, func(b *blueprint) {
			b.wire = func(s *stage) apdu.Wire {
				return &altered{s.chip, func(_, answer []byte) ([]byte, error) { return answer, nil }}
			}
		}},
		{"read-6b00", "the end of a file is told by 6B00", standard, accept, "", quirk(virtual.Quirks{Beyond: apdu.WrongOffset})},
		{"read-6282", "the end of a file is told by 6282", standard, accept, "", quirk(virtual.Quirks{Beyond: apdu.EndOfFile})},
		{"read-6c", "the end of a file is told by 6Cxx", standard, accept, "", quirk(virtual.Quirks{Beyond: apdu.WrongLe})},
		{"read-6700", "the end of a file is told by 6700", standard, accept, "", quirk(virtual.Quirks{Beyond: apdu.WrongLength})},
		{"read-61", "answers wait behind 61xx", standard, accept, "", quirk(virtual.Quirks{Held: 16})},
		{"read-exact", "a length beyond the end is refused", standard, accept, "", func(b *blueprint) { b.chip.Rules = &gp.Rules{ExactLe: true} }},
		{"read-no-sfi", "files open by their identifiers only", standard, accept, "", quirk(virtual.Quirks{SFI: apdu.FileNotFound})},
		{"read-padding", "octets follow each file", standard, accept, "", quirk(virtual.Quirks{Padding: 40})},
		{"read-large", "a portrait beyond 32,767 octets, by READ BINARY with an odd instruction", standard, accept, "", large},
		{"read-odd-refused", "the same on a chip that knows no odd instruction", standard, refuse, verify.ReasonGroupWithheld, func(b *blueprint) {
			large(b)
			b.chip.Quirks.OddRead = apdu.INSNotSupported
		}},
		{"read-endless", "a file whose header promises 2 GB, and a chip that goes on giving", standard, refuse, verify.ReasonSODMissing, reading(func(f lds.File, c apdu.Command, r apdu.Response) apdu.Response {
			if f != lds.SODFile {
				return r
			}
			data := make([]byte, c.Le)
			if c.P1&0x80 != 0 && c.P2 == 0 {
				copy(data, "\x77\x84\x7F\xFF\xFF\xFF")
			}
			return apdu.Response{Data: data, Status: apdu.OK}
		})},
		{"read-no-progress", "a chip that answers each read with nothing", standard, refuse, verify.ReasonGroupWithheld, reading(func(f lds.File, _ apdu.Command, r apdu.Response) apdu.Response {
			if f == lds.DG1 {
				return apdu.Response{Status: apdu.OK}
			}
			return r
		})},
		{"read-stuck", "a chip that gives the first octets and then nothing", standard, refuse, verify.ReasonGroupWithheld, reading(func(f lds.File, c apdu.Command, r apdu.Response) apdu.Response {
			if f == lds.DG2 && (c.P1&0x80 == 0 || c.P2 > 0) {
				return apdu.Response{Status: apdu.OK}
			}
			return r
		})},
		{"read-refused", "a group that the SOD lists is denied", standard, refuse, verify.ReasonGroupWithheld, func(b *blueprint) { b.unread = []lds.File{lds.DG13} }},
		{"sod-withheld", "EF.SOD is denied", standard, refuse, verify.ReasonSODMissing, func(b *blueprint) { b.unread = []lds.File{lds.SODFile} }},
		{"dg15-withheld", "DG15, with the chip's key, is denied", standard, refuse, verify.ReasonGroupWithheld, func(b *blueprint) { b.unread = []lds.File{lds.DG15} }},
		{"dg14-withheld", "DG14, with the chip's key, is denied", standard, refuse, verify.ReasonGroupWithheld, func(b *blueprint) { b.unread = []lds.File{lds.DG14} }},
		{"com-hides-group", "EF.COM is silent about DG14 and DG15, and the copied chip has neither key", standard, refuse, verify.ReasonChipRefused, func(b *blueprint) {
			b.aa, b.ca = nil, nil
			b.keepKeys()
			b.after = func(f verify.Files) {
				f[lds.COM] = lds.EncodeCOM(lds.Common{Version: "0107", Unicode: "040000", Groups: []lds.File{lds.DG1, lds.DG2, lds.DG13}})
			}
		}},
	}
}

// keepKeys leaves the groups of a card whose chip has lost its keys.
func (b *blueprint) keepKeys() {
	b.files[lds.DG15], _ = lds.EncodeDG15(public(ecKey(standardCurve, "AA").Public()))
}
