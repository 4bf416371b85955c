package conformance

import (
	"crypto"
	"fmt"
	"math/big"
	"slices"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
)

// activeOnly is a card whose chip proves its key by Active Authentication alone.
func activeOnly() *blueprint {
	b := standard()
	b.kind = "aa"
	b.ca, b.infos.Chip, b.infos.ChipKeys = nil, nil, nil
	return b
}

// activeRSA is the same with an RSA key and a hash.
func activeRSA(h crypto.Hash) func() *blueprint {
	return func() *blueprint {
		b := activeOnly()
		b.kind = "aa-rsa " + h.String()
		key := rsaKey("short", 65537)
		if h == crypto.SHA512 {
			key = rsaKey("ds", 65537)
		}
		b.aa, b.chip.ActiveRSA, b.chip.ActiveHash = nil, key, h
		b.infos.Active = nil
		b.files[lds.DG15], _ = lds.EncodeDG15(public(&key.PublicKey))
		return b
	}
}

// agreement is a card whose chip proves its key by Chip Authentication alone, in a group
// and a suite.
func agreement(id, cipher int) func() *blueprint {
	return func() *blueprint {
		b := standard()
		b.kind = fmt.Sprintf("ca-%d-%d", id, cipher)
		g, err := dh.GroupByID(id)
		if err != nil {
			return b
		}
		b.aa, b.ca, b.infos.Active = nil, nil, nil
		kind := 2
		if _, ok := g.(*dh.MODP); ok {
			kind = 1
			b.chip.Limits, b.options.Reader, b.options.Claimed = long, long, true
		}
		key := secretKey(g, "CA")
		b.chip.Keys = []dh.Secret{key}
		b.infos.Chip = []lds.ChipAuthInfo{{OID: arc(oidCA, kind, cipher), Version: 1}}
		b.infos.ChipKeys = []lds.ChipAuthPublicKey{{OID: arc(oidKey, kind), Key: public(key.Element())}}
		return b
	}
}

// ecAgreement is that on P-256 with AES-128.
func ecAgreement() *blueprint { return agreement(12, 2)() }

// activePlays are lies in Active Authentication (Doc 9303-11 §6.1).
func activePlays() []play {
	same := func(*blueprint) {}
	answer := func(change func(p *puppet, c apdu.Command, r apdu.Response) apdu.Response) func(*blueprint) {
		return func(b *blueprint) {
			b.wire = programmed(func(p *puppet) {
				if b.chip.ActiveRSA != nil {
					p.active, _ = auth.NewActiveChipRSA(b.chip.ActiveRSA, b.chip.ActiveHash)
				}
				p.answer = func(c apdu.Command, r apdu.Response) apdu.Response {
					if c.INS == 0x88 {
						return change(p, c, r)
					}
					return r
				}
			})
		}
	}
	list := []play{
		{"aa-ecdsa", "Active Authentication with ECDSA", activeOnly, accept, "", same},
		{"aa-no-info", "a DG14 that does not name the hash of Active Authentication", activeOnly, accept, verify.ReasonChipDeviates, func(b *blueprint) { b.infos.Active = nil }},
		{"aa-oid-unknown", "a DG14 that names an algorithm of Active Authentication that there is not", activeOnly, refer, verify.ReasonChipUnsupported, func(b *blueprint) {
			b.infos.Active[0].Algorithm = []int{1, 3, 6, 1, 4, 1, 99999}
		}},
		{"aa-other-key", "a copied chip with an Active Authentication key of its own", activeOnly, refuse, verify.ReasonChipKeyMismatch, func(b *blueprint) {
			b.files[lds.DG15], _ = lds.EncodeDG15(public(b.aa.Public()))
			b.aa = ecKey(dh.P256(), "copy")
		}},
		{"aa-no-key", "a copied chip that knows no Active Authentication", activeOnly, refuse, verify.ReasonChipRefused, func(b *blueprint) {
			b.files[lds.DG15], _ = lds.EncodeDG15(public(b.aa.Public()))
			b.aa = nil
		}},
		{"aa-empty", "a chip that answers with no signature", activeOnly, refuse, verify.ReasonChipKeyMismatch, answer(func(_ *puppet, _ apdu.Command, r apdu.Response) apdu.Response {
			return apdu.Response{Status: apdu.OK}
		})},
		{"aa-zero", "r and s are 0", activeOnly, refuse, verify.ReasonChipKeyMismatch, answer(func(_ *puppet, _ apdu.Command, r apdu.Response) apdu.Response {
			r.Data = make([]byte, len(r.Data))
			return r
		})},
		{"aa-other-challenge", "a true signature over a challenge of the chip's choice", activeOnly, refuse, verify.ReasonChipKeyMismatch, answer(func(p *puppet, c apdu.Command, _ apdu.Response) apdu.Response {
			c.Data = make([]byte, 8)
			return p.active.Process(c)
		})},
		{"aa-replayed", "the answer that the genuine chip gave a station before", activeOnly, refuse, verify.ReasonChipKeyMismatch, func(b *blueprint) { b.play = replayActive }},
		{"aa-der", "a signature as a SEQUENCE", activeOnly, accept, verify.ReasonChipDeviates, func(b *blueprint) { b.chip.Quirks.DERSignature = true }},
		{"aa-rsa-trailer", "a recoverable signature with a wrong trailer", activeRSA(crypto.SHA1), refuse, verify.ReasonChipKeyMismatch, nil},
		{"aa-rsa-other-hash", "a trailer that names another hash than was taken", activeRSA(crypto.SHA256), refuse, verify.ReasonChipKeyMismatch, nil},
		{"aa-rsa-other-key", "a copied chip with an RSA key of its own", activeRSA(crypto.SHA256), refuse, verify.ReasonChipKeyMismatch, func(b *blueprint) { b.chip.ActiveRSA = rsaKey("csca", 65537) }},
	}
	for i := range list {
		switch list[i].id {
		case "aa-rsa-trailer":
			list[i].change = answer(recoded(func(m []byte) { m[len(m)-1] = 0xBB }))
		case "aa-rsa-other-hash":
			list[i].change = answer(recoded(func(m []byte) { m[len(m)-2] = 0x36 }))
		}
	}
	for _, h := range hashes {
		list = append(list, play{fmt.Sprintf("aa-rsa-sha%d", h.Size()*8), "Active Authentication with RSA and " + h.String(), activeRSA(h), accept, "", same})
	}
	for _, status := range []apdu.Status{0x6300, 0x6982, 0x6A80, 0x6D00} {
		list = append(list, play{
			fmt.Sprintf("aa-refused-%04x", uint16(status)), fmt.Sprintf("the chip answers %04X to INTERNAL AUTHENTICATE", uint16(status)), activeOnly, refuse, verify.ReasonChipRefused,
			func(b *blueprint) { b.command = refuseINS(0x88, 0, status) },
		})
	}
	return list
}

// recoded opens a signature with recovery, changes the message in it, and signs that with
// the chip's true key.
func recoded(change func([]byte)) func(*puppet, apdu.Command, apdu.Response) apdu.Response {
	return func(_ *puppet, _ apdu.Command, r apdu.Response) apdu.Response {
		for _, name := range []string{"short", "ds"} {
			k := rsaKey(name, 65537)
			if len(r.Data) != k.Size() {
				continue
			}
			m := new(big.Int).Exp(new(big.Int).SetBytes(r.Data), big.NewInt(int64(k.E)), k.N).FillBytes(make([]byte, k.Size()))
			change(m)
			r.Data = new(big.Int).Exp(new(big.Int).SetBytes(m), k.D, k.N).FillBytes(make([]byte, k.Size()))
		}
		return r
	}
}

// refuseINS refuses an instruction within the channel, with a first parameter if it is not
// 0.
func refuseINS(ins, p1 byte, status apdu.Status) func(apdu.Command) apdu.Status {
	return func(c apdu.Command) apdu.Status {
		if c.INS == ins && (p1 == 0 || c.P1 == p1) {
			return status
		}
		return 0
	}
}

// replayActive inspects the genuine chip, and then a copy that repeats what it said.
func replayActive(s *stage) (Got, error) {
	o := s.b.options
	o.Trust = s.b.store(s.made)
	var said *apdu.Response
	inspect := func() (Got, error) {
		wire := programmed(func(p *puppet) {
			p.answer = func(c apdu.Command, r apdu.Response) apdu.Response {
				if c.INS != 0x88 {
					return r
				}
				if said == nil {
					said = &r
				}
				return *said
			}
		})(s)
		return reported(verify.Inspect(s.ctx, apdu.Over(wire, apdu.Limits{}), o))
	}
	if first, err := inspect(); err != nil || first.Verdict != accept {
		return first, err
	}
	return inspect()
}

// agreementPlays are lies in Chip Authentication (Doc 9303-11 §6.2).
func agreementPlays() []play {
	same := func(*blueprint) {}
	lie := func(prepare func(*puppet)) func(*blueprint) {
		return func(b *blueprint) {
			b.ca = ecKey(dh.P256(), "CA") // the puppet has the true key
			b.wire = programmed(prepare)
		}
	}
	key := func(change func(spki *node)) func(*blueprint) { return func(b *blueprint) { b.chipKey(change) } }
	list := []play{
		{"ca-stolen-nothing", "a copied chip with a Chip Authentication key of its own", ecAgreement, refuse, verify.ReasonChipKeyMismatch, func(b *blueprint) { b.chip.Keys, b.chip.Counterfeit = nil, true }},
		{"ca-no-key", "a copied chip that knows no Chip Authentication", ecAgreement, refuse, verify.ReasonChipRefused, func(b *blueprint) { b.chip.Keys = nil }},
		{"ca-old-keys", "a chip that goes on with the old keys", ecAgreement, refuse, verify.ReasonChipKeyMismatch, lie(func(p *puppet) { p.stay = true })},
		{"ca-says-yes", "a chip without the key that answers 9000 to each step", ecAgreement, refuse, verify.ReasonChipKeyMismatch, lie(func(p *puppet) {
			p.agree = nil
			p.answer = func(c apdu.Command, r apdu.Response) apdu.Response {
				switch c.INS {
				case 0x22:
					return apdu.Response{Status: apdu.OK}
				case 0x86:
					return apdu.Response{Data: tlv.Encode(0x7C), Status: apdu.OK}
				}
				return r
			}
		})},
		{"ca-key-off-curve", "the point in DG14 is not on the curve", ecAgreement, refuse, verify.ReasonChipKeyMalformed, key(func(n *node) { n.at(1).value = flipped(n.at(1).value, -1) })},
		{"ca-key-infinity", "the point in DG14 is that at infinity", ecAgreement, refuse, verify.ReasonChipKeyMalformed, key(func(n *node) { n.at(1).value = []byte{0, 0} })},
		{"ca-key-curve-unknown", "the key in DG14 is on a curve that there is not", ecAgreement, refuse, verify.ReasonChipKeyMalformed, key(func(n *node) { n.at(0, 1).become(object(1, 3, 132, 0, 99)) })},
		{"ca-key-algorithm", "the key in DG14 is of another kind than its object identifier says", ecAgreement, refuse, verify.ReasonChipKeyMalformed, key(func(n *node) { n.at(0, 0).become(object(1, 3, 6, 1, 4, 1, 99999)) })},
		{"ca-dh-parameters", "the prime field in DG14 is not the one that its parameters name", agreement(2, 2), refuse, verify.ReasonChipKeyMalformed, key(func(n *node) { p := n.at(0, 1, 0); p.value = flipped(p.value, 20) })},
		{"ca-two-keys", "two keys with identifiers, the chip's second", ecAgreement, accept, "", func(b *blueprint) { b.manyKeys(2) }},
		{"ca-three-keys", "three keys with identifiers, the chip's last", ecAgreement, accept, "", func(b *blueprint) { b.manyKeys(3) }},
		{"ca-one-id", "one key with an identifier", ecAgreement, accept, "", func(b *blueprint) { b.manyKeys(1) }},
		{"ca-id-wrong", "the variant names an identifier that no key has", ecAgreement, refer, verify.ReasonChipUnsupported, func(b *blueprint) {
			b.manyKeys(1)
			b.infos.Chip[0].KeyID = big.NewInt(77)
		}},
		{"ca-info-none", "a key without a variant: 3DES by the old rule", agreement(12, 1), accept, "", func(b *blueprint) { b.infos.Chip = nil }},
		{"ca-twice", "a second reading of the card, with another ephemeral key", ecAgreement, accept, "", func(b *blueprint) { b.play = twice }},
		{"ca-extended", "Chip Authentication at extended length", ecAgreement, accept, "", func(b *blueprint) {
			b.chip.Limits, b.options.Reader, b.options.Claimed = long, long, true
		}},
		{"dg14-unlisted", "a DG14 with a forger's key that the SOD does not list, on a chip without another", activeOnly, refer, verify.ReasonChipProofMissing, func(b *blueprint) {
			b.aa, b.infos.Active = nil, nil
			b.planted(lds.DG14)
		}},
		{"dg15-unlisted", "a DG15 with a forger's key that the SOD does not list, on a chip without another", ecAgreement, refer, verify.ReasonChipProofMissing, func(b *blueprint) {
			b.infos.Chip, b.infos.ChipKeys, b.chip.Keys = nil, nil, nil
			b.planted(lds.DG15)
		}},
		{"dg14-foreign", "DG14 of a forger's in place of the signed one", ecAgreement, refuse, verify.ReasonGroupHash, func(b *blueprint) {
			thief := ecKey(dh.P256(), "thief")
			b.chip.Keys = []dh.Secret{thief}
			infos := b.infos
			infos.ChipKeys = []lds.ChipAuthPublicKey{{OID: arc(oidKey, 2), Key: public(thief.Public())}}
			b.after = func(f verify.Files) { f[lds.DG14], _ = lds.EncodeDG14(infos) }
		}},
		{"dg15-foreign", "DG15 of a forger's in place of the signed one", activeOnly, refuse, verify.ReasonGroupHash, func(b *blueprint) {
			b.files[lds.DG15], _ = lds.EncodeDG15(public(b.aa.Public()))
			b.aa = ecKey(dh.P256(), "thief")
			b.after = func(f verify.Files) { f[lds.DG15], _ = lds.EncodeDG15(public(b.aa.Public())) }
		}},
		{"clone-no-proof", "data copied to a chip without a key, where the document lists none and chips should have one", activeOnly, refer, verify.ReasonChipProofMissing, func(b *blueprint) { b.aa, b.infos.Active = nil, nil }},
		{"clone-both", "a copy of all that can be read, without either key", standard, refuse, verify.ReasonChipRefused, func(b *blueprint) {
			b.keepKeys()
			b.aa, b.ca = nil, nil
		}},
		{"clone-counterfeit", "the same, with keys of its own", standard, refuse, verify.ReasonChipKeyMismatch, func(b *blueprint) {
			b.keepKeys()
			b.aa, b.ca, b.chip.Counterfeit = nil, nil, true
		}},
	}
	for _, id := range []int{0, 2, 8, 10, 12, 13, 16, 18} {
		list = append(list, play{fmt.Sprintf("ca-%d", id), fmt.Sprintf("Chip Authentication over domain parameters %d", id), agreement(id, 2), accept, "", same})
	}
	for cipher, name := range map[int]string{1: "3DES", 3: "AES-192", 4: "AES-256"} {
		list = append(list, play{"ca-" + name, "Chip Authentication with " + name, agreement(12, cipher), accept, "", same})
	}
	for id, value := range primeValues() {
		verdict, reason := refuse, verify.ReasonChipKeyMalformed
		list = append(list, play{"ca-dh-" + id, "the value in DG14 is " + id, agreement(2, 2), verdict, reason, key(func(n *node) {
			n.at(1).value = append([]byte{0}, bigInteger(new(big.Int).SetBytes(value)).bytes()...)
		})})
	}
	for _, status := range []apdu.Status{0x6300, 0x6982, 0x6A80, 0x6A88, 0x6FFF} {
		list = append(list, play{
			fmt.Sprintf("ca-refused-%04x", uint16(status)), fmt.Sprintf("the chip answers %04X to MSE:Set for Chip Authentication", uint16(status)), ecAgreement, refuse, verify.ReasonChipRefused,
			func(b *blueprint) { b.command = refuseINS(0x22, 0x41, status) },
		})
	}
	return list
}

// twice inspects the chip twice, and gives the second result.
func twice(s *stage) (Got, error) {
	o := s.b.options
	o.Trust = s.b.store(s.made)
	if first, err := reported(verify.Inspect(s.ctx, apdu.Over(s.chip, apdu.Limits{}), o)); err != nil || first.Verdict != accept {
		return first, err
	}
	s.chip.Reset()
	return reported(verify.Inspect(s.ctx, apdu.Over(s.chip, apdu.Limits{}), o))
}

// chipKey changes the SubjectPublicKeyInfo of the chip's key in DG14, which is then signed.
func (b *blueprint) chipKey(change func(*node)) {
	raw, err := lds.EncodeDG14(b.infos)
	if err != nil {
		return
	}
	want := string(object(b.infos.ChipKeys[0].OID...).value)
	s := tlv.String(raw)
	var set tlv.String
	if !s.ReadTag(lds.DG14.Tag(), &set) {
		return
	}
	b.files[lds.DG14] = tlv.Encode(lds.DG14.Tag(), edited(set, func(n *node) {
		for _, info := range n.kids {
			if string(info.at(0).value) == want {
				change(info.at(1))
			}
		}
	}))
}

// manyKeys gives DG14 n keys with identifiers, of which the chip has the last.
func (b *blueprint) manyKeys(n int) {
	mine, info := b.infos.ChipKeys[0], b.infos.Chip[0]
	b.infos.ChipKeys, b.infos.Chip = nil, nil
	var keys []dh.Secret
	for i := 1; i <= n; i++ {
		k, v := mine, info
		k.KeyID, v.KeyID = big.NewInt(int64(i)), big.NewInt(int64(i))
		if i < n {
			other := ecKey(dh.P256(), fmt.Sprintf("CA %d", i))
			k.Key = public(other.Public())
			keys = append(keys, other)
		}
		b.infos.ChipKeys, b.infos.Chip = append(b.infos.ChipKeys, k), append(b.infos.Chip, v)
	}
	b.chip.Keys = append(keys, slices.Clone(b.chip.Keys)...)
}

// planted lays a group into the chip that the SOD does not list, with a forger's key.
func (b *blueprint) planted(f lds.File) {
	thief := ecKey(dh.P256(), "thief")
	b.files[f] = nil
	b.after = func(files verify.Files) {
		switch f {
		case lds.DG14:
			infos := lds.SecurityInfos{Chip: []lds.ChipAuthInfo{{OID: arc(oidCA, 2, 2), Version: 1}}, ChipKeys: []lds.ChipAuthPublicKey{{OID: arc(oidKey, 2), Key: public(thief.Public())}}}
			files[f], _ = lds.EncodeDG14(infos)
		case lds.DG15:
			files[f], _ = lds.EncodeDG15(public(thief.Public()))
		}
	}
	if f == lds.DG15 {
		b.chip.Counterfeit = true
		return
	}
	b.chip.Keys = []dh.Secret{thief}
}
