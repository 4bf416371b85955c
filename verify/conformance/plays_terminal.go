package conformance

import (
	"crypto"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
)

// terminals are the certificates that open fingers and irises: what a case changes of them.
type terminals struct {
	algorithm cvc.Algorithm
	rights    [3][]int // of CVCA, DV and terminal
	expiry    [3]cvc.Date
	effective [3]cvc.Date
	signedBy  [3]string // the names of keys that sign; "" is the issuer's own
	authority [3]cvc.Reference
	domestic  cvc.Role
	raw       func(n int, c *cvc.Certificate) *cvc.Certificate
}

func usualTerminals(a cvc.Algorithm) terminals {
	both := []int{cvc.ReadDG3, cvc.ReadDG4}
	t := terminals{algorithm: a, rights: [3][]int{both, both, both}, domestic: cvc.DVDomestic}
	for i := range t.expiry {
		t.effective[i], t.expiry[i] = cvc.On(issued), cvc.On(judged)
	}
	t.authority = [3]cvc.Reference{"XOCVCA00001", "XOCVCA00001", "XODV00001"}
	return t
}

func (t terminals) key(name string) crypto.Signer {
	if t.algorithm.RSA() {
		if name == "CVCA" {
			return rsaKey("csca", 65537)
		}
		return rsaKey("ds", 65537)
	}
	return ecKey(dh.P256(), name)
}

var terminalNames = [3]cvc.Reference{"XOCVCA00001", "XODV00001", "XOIS00001"}

// certificates makes the three, and the terminal's key.
func (t terminals) certificates() ([]*cvc.Certificate, crypto.Signer, error) {
	names := [3]string{"CVCA", "DV", "IS"}
	var list []*cvc.Certificate
	for i, role := range []cvc.Role{cvc.CVCA, t.domestic, cvc.TerminalRole} {
		pub, err := cvc.NewPublicKey(t.algorithm, t.key(names[i]).Public())
		if err != nil {
			return nil, nil, err
		}
		by := names[max(i-1, 0)]
		if t.signedBy[i] != "" {
			by = t.signedBy[i]
		}
		c, err := cvc.Sign(cvc.Template{
			Authority: t.authority[i], Holder: terminalNames[i], Key: pub, CHAT: cvc.NewCHAT(cvc.InspectionSystem, role, t.rights[i]...),
			Effective: t.effective[i], Expiry: t.expiry[i],
		}, t.algorithm, t.key(by))
		if err != nil {
			return nil, nil, err
		}
		if t.raw != nil {
			c = t.raw(i, c)
		}
		list = append(list, c)
	}
	return list, t.key("IS"), nil
}

// extended is a card with fingers and irises that Terminal Authentication opens.
func extended(a cvc.Algorithm) func() *blueprint {
	return func() *blueprint {
		b := standard()
		b.kind = "ta " + a.String()
		b.infos.Terminal = []lds.TerminalAuthInfo{{OID: oidTerminal, Version: 1}}
		sample := lds.Sample{Part: 1, Image: []byte("\xFF\xA0 an image"), Width: 8, Height: 8, Compression: 2}
		b.files[lds.DG3], _ = lds.EncodeBiometrics(lds.DG3, nil, sample)
		b.files[lds.DG4], _ = lds.EncodeBiometrics(lds.DG4, nil, sample)
		b.terminal(usualTerminals(a), usualTerminals(a))
		return b
	}
}

// terminal gives chip and station their certificates.
func (b *blueprint) terminal(chip, station terminals) {
	trust, _, err := chip.certificates()
	if err != nil {
		return
	}
	list, key, err := station.certificates()
	if err != nil {
		return
	}
	b.chip.TrustPoints = [][]byte{trust[0].Raw}
	if trust[0].Raw == nil {
		return
	}
	b.options.Terminal = &auth.TerminalKey{Certificate: list[2], Signer: key, Others: list[:2]}
	if chip.algorithm.RSA() {
		b.chip.Limits, b.options.Reader, b.options.Claimed = long, long, true
	}
}

// terminalPlays are terminals that a chip must not open its fingers and irises to, and
// chips that do it nevertheless (TR-03110-3 §B.3, TR-03105-3.2 J and L). The card is sound
// in all of them: what is looked at is what is read.
func terminalPlays() []play {
	same := func(*blueprint) {}
	ec := extended(cvc.ECDSASHA256)
	var list []play
	for _, a := range []cvc.Algorithm{
		cvc.RSAv15SHA1, cvc.RSAv15SHA256, cvc.RSAPSSSHA1, cvc.RSAPSSSHA256, cvc.RSAv15SHA512, cvc.RSAPSSSHA512,
		cvc.ECDSASHA1, cvc.ECDSASHA224, cvc.ECDSASHA256, cvc.ECDSASHA384, cvc.ECDSASHA512,
	} {
		list = append(list, play{fmt.Sprintf("ta-%d", a), "Terminal Authentication with " + a.String(), extended(a), accept, reasonShown, same})
	}
	closed := func(reason verify.Reason, id, what string, change func(*terminals)) {
		list = append(list, play{"ta-" + id, what, ec, accept, reason, func(b *blueprint) {
			bad := usualTerminals(cvc.ECDSASHA256)
			change(&bad)
			b.terminal(usualTerminals(cvc.ECDSASHA256), bad)
		}})
	}
	no := verify.ReasonTerminalRefused
	closed(no, "dv-signature", "a DV certificate that the CVCA did not sign", func(t *terminals) { t.signedBy[1] = "nobody" })
	closed(no, "is-signature", "a terminal's certificate that the DV did not sign", func(t *terminals) { t.signedBy[2] = "nobody" })
	closed(no, "dv-expired", "a DV certificate that has ended", func(t *terminals) {
		t.effective[1], t.expiry[1] = cvc.On(issued.AddDate(-2, 0, 0)), cvc.On(issued.AddDate(-1, 0, 0))
	})
	closed(no, "is-expired", "a terminal's certificate that has ended", func(t *terminals) {
		t.effective[2], t.expiry[2] = cvc.On(issued.AddDate(-2, 0, 0)), cvc.On(issued.AddDate(-1, 0, 0))
	})
	closed(no, "car-wrong", "a terminal's certificate that names another authority", func(t *terminals) { t.authority[2] = "XODV00002" })
	closed(no, "dv-car-wrong", "a DV certificate that names another CVCA", func(t *terminals) { t.authority[1] = "XOCVCA00009" })
	closed(verify.ReasonGroupProtected, "is-no-dg3", "a terminal without the right to fingers", func(t *terminals) { t.rights[2] = []int{cvc.ReadDG4} })
	closed(verify.ReasonGroupProtected, "is-no-dg4", "a terminal without the right to irises", func(t *terminals) { t.rights[2] = []int{cvc.ReadDG3} })
	closed(verify.ReasonGroupProtected, "is-nothing", "a terminal without any right", func(t *terminals) { t.rights[2] = nil })
	closed(verify.ReasonGroupProtected, "dv-no-rights", "a terminal that asks for more than its DV may grant", func(t *terminals) { t.rights[1] = nil })
	list = append(
		list,
		play{"ta-cvca-fid", "DG14 names another file for EF.CVCA", ec, accept, no, func(b *blueprint) { b.infos.Terminal[0].CVCA = sequence(octets([]byte{0x01, 0x33})).bytes() }},
		play{"ta-cvca-sfi", "DG14 names another short identifier for EF.CVCA", ec, accept, no, func(b *blueprint) {
			b.infos.Terminal[0].CVCA = sequence(octets([]byte{0x01, 0x33}), octets([]byte{0x19})).bytes()
		}},
		play{"ta-ca-224", "Chip Authentication on 224 bits and Terminal Authentication on 256", ec, accept, reasonShown, func(b *blueprint) { b.agreeOver(10) }},
		play{"ta-ca-dh", "Chip Authentication in a prime field and Terminal Authentication with RSA", extended(cvc.RSAv15SHA256), accept, reasonShown, func(b *blueprint) { b.agreeOver(2) }},
		play{"ta-link", "a link to a new CVCA that the chip does not know yet", ec, accept, reasonShown, func(b *blueprint) { b.linked(1) }},
		play{"ta-links", "two links, one after the other", ec, accept, reasonShown, func(b *blueprint) { b.linked(2) }},
		play{"ta-link-unneeded", "a link that the chip does not need", ec, accept, reasonShown, func(b *blueprint) {
			old := b.options.Terminal.Others
			b.linked(1)
			mine, key, err := usualTerminals(cvc.ECDSASHA256).certificates()
			if err == nil {
				b.options.Terminal = &auth.TerminalKey{Certificate: mine[2], Signer: key, Others: append(b.options.Terminal.Others, old...)}
			}
		}},
		play{"ta-no-certificates", "a terminal without the certificates that lead to it", ec, accept, no, func(b *blueprint) { b.options.Terminal.Others = nil }},
		play{"ta-foreign", "a terminal of another authority", ec, accept, no, func(b *blueprint) {
			foreign := usualTerminals(cvc.ECDSASHA256)
			foreign.signedBy = [3]string{"foreign", "foreign", ""}
			b.terminal(usualTerminals(cvc.ECDSASHA256), foreign)
		}},
		play{"ta-other-key", "a terminal without the key of its certificate", ec, accept, no, func(b *blueprint) { b.options.Terminal.Signer = ecKey(dh.P256(), "nobody") }},
		play{"ta-skipped", "a station that skips Terminal Authentication", ec, accept, verify.ReasonGroupProtected, func(b *blueprint) { b.options.Terminal = nil }},
		play{"ta-dg3-only", "a card with fingers and no irises", ec, accept, reasonShown, func(b *blueprint) { b.files[lds.DG4] = nil }},
		play{"ta-dg4-only", "a card with irises and no fingers", ec, accept, reasonShown, func(b *blueprint) { b.files[lds.DG3] = nil }},
		play{"ta-challenge-short", "a challenge of 7 octets", ec, accept, no, func(b *blueprint) { b.challenge(7) }},
		play{"ta-challenge-long", "a challenge of 9 octets", ec, accept, no, func(b *blueprint) { b.challenge(9) }},
		play{"ta-details", "DG11 and DG12 beside", ec, accept, reasonShown, func(b *blueprint) {
			b.files[lds.DG11] = lds.EncodeDG11(nil)
			b.files[lds.DG12] = lds.EncodeDG12(nil)
		}},
	)
	for _, status := range []apdu.Status{0x6300, 0x6982, 0x6A80} {
		list = append(list, play{
			fmt.Sprintf("ta-refused-%04x", uint16(status)), fmt.Sprintf("the chip answers %04X to a certificate", uint16(status)), ec, accept, no,
			func(b *blueprint) { b.command = refuseINS(0x2A, 0, status) },
		})
	}
	return append(list, cvcaPlays(ec)...)
}

// agreeOver gives the card a key of Chip Authentication in another group.
func (b *blueprint) agreeOver(id int) {
	o := agreement(id, 2)()
	b.ca, b.chip.Keys, b.infos.Chip, b.infos.ChipKeys = nil, o.chip.Keys, o.infos.Chip, o.infos.ChipKeys
}

// linked gives the station certificates under the n-th successor of the chip's CVCA, with
// the links that lead to it.
func (b *blueprint) linked(n int) {
	all := []int{cvc.ReadDG3, cvc.ReadDG4}
	var list []*cvc.Certificate
	name, signer := terminalNames[0], ecKey(dh.P256(), "CVCA")
	sign := func(holder cvc.Reference, role cvc.Role, key crypto.Signer) {
		pub, err := cvc.NewPublicKey(cvc.ECDSASHA256, key.Public())
		if err != nil {
			return
		}
		c, err := cvc.Sign(cvc.Template{
			Authority: name, Holder: holder, Key: pub, CHAT: cvc.NewCHAT(cvc.InspectionSystem, role, all...), Effective: cvc.On(issued), Expiry: cvc.On(judged),
		}, cvc.ECDSASHA256, signer)
		if err == nil {
			list = append(list, c)
		}
	}
	for i := range n {
		next := ecKey(dh.P256(), fmt.Sprintf("CVCA %d", i+2))
		holder := cvc.Reference(fmt.Sprintf("XOCVCA%05d", i+2))
		sign(holder, cvc.CVCA, next)
		name, signer = holder, next
	}
	dv, is := ecKey(dh.P256(), "DV"), ecKey(dh.P256(), "IS")
	sign(terminalNames[1], cvc.DVDomestic, dv)
	name, signer = terminalNames[1], dv
	sign(terminalNames[2], cvc.TerminalRole, is)
	if len(list) == n+2 {
		b.options.Terminal = &auth.TerminalKey{Certificate: list[n+1], Signer: is, Others: list[:n+1]}
	}
}

// challenge has the chip give a challenge of another length.
func (b *blueprint) challenge(n int) {
	b.aa = nil
	b.infos.Active = nil
	b.files[lds.DG15] = nil
	b.wire = programmed(func(p *puppet) {
		p.answer = func(c apdu.Command, r apdu.Response) apdu.Response {
			switch c.INS {
			case 0x2A, 0x82:
				return apdu.Response{Status: apdu.OK}
			case 0x84:
				return apdu.Response{Data: make([]byte, n), Status: apdu.OK}
			case 0x22:
				if c.P1 == 0x81 {
					return apdu.Response{Status: apdu.OK}
				}
			}
			return r
		}
		p.cvca = cvc.EncodeCVCA(terminalNames[0])
	})
}

// cvcaPlays are what EF.CVCA says.
func cvcaPlays(base func() *blueprint) []play {
	file := func(raw []byte) func(*blueprint) { return func(b *blueprint) { b.chip.CVCA = raw } }
	no := verify.ReasonTerminalRefused
	return []play{
		{"cvca-wrong", "EF.CVCA names another trust point", base, accept, no, file(cvc.EncodeCVCA("XOCVCA00077"))},
		{"cvca-two", "EF.CVCA names two trust points", base, accept, reasonShown, file(cvc.EncodeCVCA("XOCVCA00001", "XOCVCA00077"))},
		{"cvca-tag", "EF.CVCA's first reference has another tag", base, accept, no, file(tlv.Append(nil, 0x43, []byte("XOCVCA00001")))},
		{"cvca-empty", "EF.CVCA holds nothing", base, accept, no, file(make([]byte, 36))},
	}
}
