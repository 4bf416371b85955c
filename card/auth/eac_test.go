package auth

import (
	"bytes"
	"context"
	"crypto"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/card/suite"
	"github.com/tamthe/tamthe/testdata"
)

type eacExample struct {
	Password      string
	PACEOID       string `json:"pace_oid"`
	Domain        int    `json:"domain_parameter_id"`
	CAOID         string `json:"ca_oid"`
	Nonce         string
	MapTerminal   string `json:"map_terminal_private"`
	MapChip       string `json:"map_chip_private"`
	AgreeTerminal string `json:"ka_terminal_private"`
	AgreeChip     string `json:"ka_chip_private"`
	Enc           string `json:"pace_key_enc"`
	MAC           string `json:"pace_key_mac"`
	CAChip        string `json:"ca_chip_private"`
	CATerminal    string `json:"ca_terminal_private"`
	CANonce       string `json:"ca_nonce"`
	CAToken       string `json:"ca_token"`
	CAEnc         string `json:"ca_key_enc"`
	CAMAC         string `json:"ca_key_mac"`
	Challenge     string `json:"ta_challenge"`
	Signature     string `json:"ta_signature"`
	Terminal      string `json:"ta_terminal_certificate"`
	DV            string `json:"ta_dv_certificate"`
	CVCA          string `json:"ta_cvca_certificate"`
	Identifier    string `json:"ta_chip_identifier"`
	CompressedKey string `json:"ta_compressed_terminal_key"`
	SignedInput   string `json:"ta_signed_input"`
}

func oidOf(t testing.TB, s string) (oid asn1.ObjectIdentifier) {
	t.Helper()
	for _, part := range strings.Split(s, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			t.Fatal(err)
		}
		oid = append(oid, n)
	}
	return oid
}

// scalar cuts a private key of an example to the length of the order.
func scalar(t testing.TB, s string, size int) []byte {
	t.Helper()
	return new(big.Int).SetBytes(unhex(t, s)).FillBytes(make([]byte, size))
}

// TestEACOfTheBSI plays the BSI's worked example of EAC version 2 at both ends: PACE with
// the PIN, Terminal Authentication and Chip Authentication.
func TestEACOfTheBSI(t *testing.T) {
	var file struct{ Cases []eacExample }
	load(t, testdata.Vectors(t, "worked/eac2-ecdh.json"), &file)
	e := file.Cases[0]
	size := dh.BrainpoolP256r1().OrderSize()
	info := lds.PACEInfo{OID: oidOf(t, e.PACEOID), Version: 2, ParameterID: e.Domain}
	chip, err := NewPACEChip([]lds.PACEInfo{info}, map[byte][]byte{RefPIN: []byte(e.Password)})
	if err != nil {
		t.Fatal(err)
	}
	chip.fresh = paceFresh{unhex(t, e.Nonce), scalar(t, e.MapChip, size), scalar(t, e.AgreeChip, size)}
	p := &process{chip: chip}
	result, err := pace(t.Context(), p, PIN(e.Password), info, PACEOptions{}, paceFresh{mapping: scalar(t, e.MapTerminal, size), agreement: scalar(t, e.AgreeTerminal, size)})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(p.keys.Enc, unhex(t, e.Enc)) || !bytes.Equal(p.keys.MAC, unhex(t, e.MAC)) || !bytes.Equal(Compress(result.ChipKey), unhex(t, e.Identifier)) {
		t.Errorf("keys %X, %X", p.keys.Enc, p.keys.MAC)
	}

	// Terminal Authentication, the chip's end: certificates, challenge, signature.
	certificates := map[string]*cvc.Certificate{}
	for name, raw := range map[string]string{"cvca": e.CVCA, "dv": e.DV, "terminal": e.Terminal} {
		if certificates[name], err = cvc.Parse(unhex(t, raw)); err != nil {
			t.Fatal(err)
		}
	}
	// The example's CVCA is one of inspection systems and its terminal is none; the chip's
	// trust point is for the terminal's kind, as the chip's owner would have set it up.
	root := certificates["cvca"]
	point := root.TrustPoint()
	point.CHAT = cvc.NewCHAT(cvc.AuthenticationTerminal, cvc.CVCA).AllRights()
	ta := NewTerminalChip2(cvc.NewChain([]cvc.TrustPoint{point}, root.Effective), unhex(t, e.Identifier))
	ta.fresh = unhex(t, e.Challenge)
	leaf := certificates["terminal"]
	oid, err := contents(leaf.Key.Algorithm.OID())
	if err != nil {
		t.Fatal(err)
	}
	at := append(tlv.Encode(tagProtocol, oid), tlv.Encode(tagKeyName, []byte(leaf.Holder))...)
	at = tlv.Append(at, tagShortKey, unhex(t, e.CompressedKey))
	for i, c := range []apdu.Command{
		{INS: 0x22, P1: 0x81, P2: 0xB6, Data: tlv.Encode(tagKeyName, []byte(root.Holder))},
		{INS: 0x2A, P2: 0xBE, Data: certificates["dv"].Contents()},
		{INS: 0x22, P1: 0x81, P2: 0xB6, Data: tlv.Encode(tagKeyName, []byte(certificates["dv"].Holder))},
		{INS: 0x2A, P2: 0xBE, Data: leaf.Contents()},
		{INS: 0x22, P1: 0x81, P2: 0xA4, Data: at},
		{INS: 0x84, Le: 8},
		{INS: 0x82, Data: unhex(t, e.Signature)},
	} {
		if r := ta.Process(c); r.Status != apdu.OK {
			t.Fatalf("step %d: %v", i, r.Status)
		}
	}
	if _, ok := ta.Rights(); !ok || !bytes.Equal(ta.Announced(), unhex(t, e.CompressedKey)) {
		t.Error("the terminal is not authenticated")
	}
	if in := signedInput(unhex(t, e.Identifier), unhex(t, e.Challenge), unhex(t, e.CompressedKey), nil); !bytes.Equal(in, unhex(t, e.SignedInput)) {
		t.Errorf("signed input %X", in)
	}

	// Chip Authentication, both ends.
	static, err := dh.BrainpoolP256r1().NewPrivateKey(scalar(t, e.CAChip, size))
	if err != nil {
		t.Fatal(err)
	}
	own, err := dh.BrainpoolP256r1().NewPrivateKey(scalar(t, e.CATerminal, size))
	if err != nil {
		t.Fatal(err)
	}
	protocol := oidOf(t, e.CAOID)
	ca, err := NewChip2Chip(ta.Announced(), ChipAuthSecret{Protocol: protocol, Key: static})
	if err != nil {
		t.Fatal(err)
	}
	ca.nonce = unhex(t, e.CANonce)
	recorded := &chip2Record{chip: ca}
	card := &securedChip{chip: sm.NewChip(*p.keys), then: recorded}
	channel := sm.New(card, sm.Keys{Cipher: suite.AES128, Enc: unhex(t, e.Enc), MAC: unhex(t, e.MAC)})
	proof, err := Chip2(t.Context(), &TerminalProof{Channel: channel, own: own}, lds.ChipAuthKey{Public: static.Point(), Info: lds.ChipAuthInfo{OID: protocol}})
	if err != nil {
		t.Fatal(err)
	}
	want := tlv.Encode(tagDynamic, tlv.Encode(tagChip2Nonce, unhex(t, e.CANonce)), tlv.Encode(tagChip2Token, unhex(t, e.CAToken)))
	if !bytes.Equal(recorded.last, want) || !bytes.Equal(recorded.keys.Enc, unhex(t, e.CAEnc)) || !bytes.Equal(recorded.keys.MAC, unhex(t, e.CAMAC)) || proof.Channel == nil {
		t.Errorf("answer %X, keys %X, %X", recorded.last, recorded.keys.Enc, recorded.keys.MAC)
	}
}

// plainChip is a chip's end below secure messaging that may end with new keys.
type plainChip interface {
	Process(apdu.Command) (apdu.Response, *sm.Keys)
}

type chip2Record struct {
	chip *Chip2Chip
	last []byte
	keys sm.Keys
}

func (c *chip2Record) Process(cmd apdu.Command) (apdu.Response, *sm.Keys) {
	r, keys := c.chip.Process(cmd)
	if keys != nil {
		c.last, c.keys = r.Data, sm.Keys{Enc: bytes.Clone(keys.Enc), MAC: bytes.Clone(keys.MAC)}
	}
	return r, keys
}

// securedChip puts a chip's channel around it.
type securedChip struct {
	chip  *sm.Chip
	then  plainChip
	count int
	chain []byte // of a chained command
}

func (s *securedChip) Transmit(_ context.Context, p apdu.Command) (apdu.Response, error) {
	s.count++
	c, err := s.chip.Open(p)
	if err != nil {
		status, _ := errors.AsType[apdu.Status](err)
		return apdu.Response{Status: status}, nil
	}
	var keys *sm.Keys
	r := apdu.Response{Status: apdu.OK}
	if s.chain = append(s.chain, c.Data...); c.CLA&0x10 == 0 {
		c.Data, s.chain = s.chain, nil
		r, keys = s.then.Process(c)
	}
	sealed, err := s.chip.Seal(r)
	if keys != nil {
		s.chip.Close()
		s.chip = sm.NewChip(*keys)
	}
	return sealed, err
}

// eac is a chip with everything of EAC behind one channel.
type eac struct {
	ta *TerminalChip
	ca *Chip2Chip
	ri *RestrictedChip

	secrets []ChipAuthSecret
}

func (e *eac) Process(c apdu.Command) (apdu.Response, *sm.Keys) {
	agreement := c.INS == 0x22 && c.P1 == 0x41 || c.INS == 0x86
	if !agreement {
		return e.ta.Process(c), nil
	}
	if short := e.ta.Announced(); e.ca == nil && short != nil {
		e.ca, _ = NewChip2Chip(short, e.secrets...)
	}
	if e.ri != nil && (e.ri.Running() || c.INS == 0x22 && bytes.Contains(c.Data, []byte{2, 2, 5})) {
		return e.ri.Process(c), nil
	}
	if e.ca == nil {
		return apdu.Response{Status: apdu.ConditionsNotSatisfied}, nil
	}
	return e.ca.Process(c)
}

// authority is a CVCA with a terminal two steps below it.
type authority struct {
	point  cvc.TrustPoint
	key    TerminalKey
	others []crypto.Signer
}

func newAuthority(t testing.TB, a cvc.Algorithm, chat cvc.CHAT) authority {
	t.Helper()
	return newAuthorityOf(t, a, chat, func() crypto.Signer {
		if a.RSA() {
			return rsaKey(t, 1536)
		}
		k, err := dh.BrainpoolP256r1().Generate()
		if err != nil {
			t.Fatal(err)
		}
		return k
	})
}

func newAuthorityOf(t testing.TB, a cvc.Algorithm, chat cvc.CHAT, generate func() crypto.Signer) authority {
	t.Helper()
	signers := []crypto.Signer{generate(), generate(), generate()}
	names := []cvc.Reference{"XOCVCA00001", "XODV00001", "XOIS00001"}
	from := cvc.On(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	to := cvc.On(time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC))
	var list []*cvc.Certificate
	for i, role := range []cvc.Role{cvc.CVCA, cvc.DVDomestic, cvc.TerminalRole} {
		key, err := cvc.NewPublicKey(a, signers[i].Public())
		if err != nil {
			t.Fatal(err)
		}
		rights := chat
		rights.Role = role
		c, err := cvc.Sign(cvc.Template{Authority: names[max(i-1, 0)], Holder: names[i], Key: key, CHAT: rights, Effective: from, Expiry: to}, a, signers[max(i-1, 0)])
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	return authority{list[0].TrustPoint(), TerminalKey{Certificate: list[2], Signer: signers[2], Others: list[:2]}, signers}
}

func (a authority) chain() *cvc.Chain {
	return cvc.NewChain([]cvc.TrustPoint{a.point}, a.point.Effective)
}

// TestTerminal1 opens rights on a chip after Chip Authentication, with every algorithm,
// with extended length and with short commands that are chained.
func TestTerminal1(t *testing.T) {
	chat := cvc.NewCHAT(cvc.InspectionSystem, cvc.TerminalRole, cvc.ReadDG3)
	ephemeral, err := dh.BrainpoolP256r1().Generate()
	if err != nil {
		t.Fatal(err)
	}
	for a := cvc.RSAv15SHA1; a <= cvc.ECDSASHA512; a++ {
		for _, limits := range []apdu.Limits{{}, {Command: 4096, Response: 4096}} {
			auth := newAuthority(t, a, chat)
			ta := NewTerminalChip1(auth.chain(), []byte("L898902C<3"), Compress(ephemeral.Point()))
			card := &securedChip{chip: sm.NewChip(sm.Derive([]byte("ca"), suite.AES128)), then: &eac{ta: ta}}
			proof := &ChipProof{Channel: sm.New(card, sm.Derive([]byte("ca"), suite.AES128)), Ephemeral: ephemeral.Point()}
			err := Terminal1(t.Context(), proof, auth.key, []byte("L898902C<3"), []cvc.Reference{"XOCVCA00001"}, limits)
			rights, done := ta.Rights()
			if err != nil || !done || !rights.Has(cvc.ReadDG3) || rights.Has(cvc.ReadDG4) {
				t.Errorf("%v: %v", a, err)
			}
			if limits.Command > 0 && card.count != 7 {
				t.Errorf("%v: %d commands", a, card.count)
			}
		}
	}
}

// TestTerminal1Refused ends before rights are given: a signature over something else, no
// way to the chip's trust point, a key that is not the certificate's.
func TestTerminal1Refused(t *testing.T) {
	chat := cvc.NewCHAT(cvc.InspectionSystem, cvc.TerminalRole, cvc.ReadDG3, cvc.ReadDG4)
	ephemeral, _ := dh.BrainpoolP256r1().Generate()
	other, _ := dh.BrainpoolP256r1().Generate()
	good := newAuthority(t, cvc.ECDSASHA256, chat)
	stranger := newAuthority(t, cvc.ECDSASHA256, chat)
	cars := []cvc.Reference{"XOCVCA00001"}
	for name, c := range map[string]struct {
		key  TerminalKey
		chip string
		own  dh.Element
		cars []cvc.Reference
		want error
	}{
		"another chip (K_20)":    {good.key, "AAAAAAAAA0", ephemeral.Point(), cars, apdu.AuthenticationFailed},
		"another ephemeral key":  {good.key, "L898902C<3", other.Point(), cars, apdu.AuthenticationFailed},
		"another terminal's key": {TerminalKey{good.key.Certificate, other, good.key.Others}, "L898902C<3", ephemeral.Point(), cars, apdu.AuthenticationFailed},
		"another authority":      {stranger.key, "L898902C<3", ephemeral.Point(), cars, apdu.AuthenticationFailed},
		"unknown trust point":    {good.key, "L898902C<3", ephemeral.Point(), []cvc.Reference{"XOCVCA00007"}, cvc.ErrChain},
		"no way":                 {TerminalKey{good.key.Certificate, good.key.Signer, nil}, "L898902C<3", ephemeral.Point(), cars, cvc.ErrChain},
	} {
		ta := NewTerminalChip1(good.chain(), []byte("L898902C<3"), Compress(ephemeral.Point()))
		card := &securedChip{chip: sm.NewChip(sm.Derive([]byte("ca"), suite.AES128)), then: &eac{ta: ta}}
		proof := &ChipProof{Channel: sm.New(card, sm.Derive([]byte("ca"), suite.AES128)), Ephemeral: c.own}
		err := Terminal1(t.Context(), proof, c.key, []byte(c.chip), c.cars, apdu.Limits{})
		if _, done := ta.Rights(); !errors.Is(err, c.want) || done {
			t.Errorf("%s: %v, authenticated %v", name, err, done)
		}
		if errors.Is(c.want, cvc.ErrChain) && card.count > 0 {
			t.Errorf("%s: %d commands", name, card.count)
		}
	}
}

// TestTerminalChipRefuses breaks the order of the commands (K_2, K_10 to K_17).
func TestTerminalChipRefuses(t *testing.T) {
	a := newAuthority(t, cvc.ECDSASHA256, cvc.NewCHAT(cvc.InspectionSystem, cvc.TerminalRole, cvc.ReadDG3))
	id, short := []byte("L898902C<3"), []byte("short key")
	name := func(s string) []byte { return tlv.Encode(tagKeyName, []byte(s)) }
	dst := func(s string) apdu.Command { return apdu.Command{INS: 0x22, P1: 0x81, P2: 0xB6, Data: name(s)} }
	show := func(c *cvc.Certificate) apdu.Command { return apdu.Command{INS: 0x2A, P2: 0xBE, Data: c.Contents()} }
	at := apdu.Command{INS: 0x22, P1: 0x81, P2: 0xA4, Data: name("XOIS00001")}
	get := apdu.Command{INS: 0x84, Le: 8}
	dv, is := a.key.Others[1], a.key.Certificate
	good := []apdu.Command{dst("XOCVCA00001"), show(dv), dst("XODV00001"), show(is), at, get}
	sign := func(challenge []byte) apdu.Command {
		sig, err := cvc.SignMessage(cvc.ECDSASHA256, a.key.Signer, signedInput(id, challenge, short, nil))
		if err != nil {
			t.Fatal(err)
		}
		return apdu.Command{INS: 0x82, Data: sig}
	}
	play := func(list ...apdu.Command) (*TerminalChip, [][]byte, apdu.Status) {
		chip := NewTerminalChip1(a.chain(), id, short)
		var challenges [][]byte
		for _, c := range list {
			r := chip.Process(c)
			if c.INS == 0x84 {
				challenges = append(challenges, r.Data)
			}
			if r.Status != apdu.OK {
				return chip, challenges, r.Status
			}
		}
		return chip, challenges, apdu.OK
	}
	chip, challenges, status := play(good...)
	if status != apdu.OK || chip.Process(sign(challenges[0])).Status != apdu.OK {
		t.Fatalf("the good order: %v", status)
	}
	if s := chip.Process(dst("XOCVCA00001")).Status; s != apdu.ConditionsNotSatisfied {
		t.Errorf("again after success: %v", s)
	}
	for what, list := range map[string][]apdu.Command{
		"unknown trust point":      {dst("XOCVCA00009")},
		"no key chosen":            {show(dv)},
		"terminal's key before it": {dst("XOCVCA00001"), show(dv), at},
		"unknown key (K_2)":        append(slices.Clone(good[:4]), apdu.Command{INS: 0x22, P1: 0x81, P2: 0xA4, Data: name("XOIS00002")}),
		"malformed AT (K_17)":      append(slices.Clone(good[:4]), apdu.Command{INS: 0x22, P1: 0x81, P2: 0xA4, Data: []byte{0x83}}),
		"no key for a challenge":   {get},
		"malformed certificate":    {dst("XOCVCA00001"), {INS: 0x2A, P2: 0xBE, Data: []byte{1, 2, 3}}},
		"another MSE":              {{INS: 0x22, P1: 0x41, P2: 0xB6}},
		"another command":          {{INS: 0xB0}},
		"announced in version 1":   append(slices.Clone(good[:4]), apdu.Command{INS: 0x22, P1: 0x81, P2: 0xA4, Data: append(name("XOIS00001"), tlv.Encode(tagShortKey, short)...)}),
	} {
		if _, _, status := play(list...); status == apdu.OK {
			t.Errorf("%s: 9000", what)
		}
	}
	// The first of two challenges (K_10), and none at all (K_14).
	chip, challenges, _ = play(append(slices.Clone(good), get)...)
	if s := chip.Process(sign(challenges[0])).Status; s != apdu.AuthenticationFailed {
		t.Errorf("the first of two challenges: %v", s)
	}
	chip, _, _ = play(good[:5]...)
	if s := chip.Process(sign(make([]byte, 8))).Status; s != apdu.ConditionsNotSatisfied {
		t.Errorf("no challenge: %v", s)
	}
	// A challenge is good for the next command alone.
	chip, challenges, _ = play(append(slices.Clone(good), at)...)
	if s := chip.Process(sign(challenges[0])).Status; s != apdu.ConditionsNotSatisfied {
		t.Errorf("a challenge used late: %v", s)
	}
}

// TestEAC2 plays version 2 over curves and prime fields: Terminal Authentication with
// auxiliary data, Chip Authentication, Restricted Identification.
func TestEAC2(t *testing.T) {
	chat := cvc.NewCHAT(cvc.AuthenticationTerminal, cvc.TerminalRole, 8, 2)
	aux, err := AuxiliaryData(AuxiliaryItem{AuxBirth, []byte("20081125")}, AuxiliaryItem{AuxExpiry, []byte("20261125")})
	if err != nil {
		t.Fatal(err)
	}
	if items, ok := ParseAuxiliary(aux); !ok || len(items) != 2 || !items[1].Kind.Equal(AuxExpiry) || string(items[0].Value) != "20081125" {
		t.Errorf("%v", items)
	}
	authority := newAuthority(t, cvc.ECDSASHA256, chat)
	chipKey, _ := dh.BrainpoolP256r1().Generate()
	for _, id := range []int{0, 2, 12, 13, 16, 18} {
		g, err := dh.GroupByID(id)
		if err != nil {
			t.Fatal(err)
		}
		static, err := dh.GenerateSecret(g.Base())
		if err != nil {
			t.Fatal(err)
		}
		sector, err := dh.GenerateSecret(g.Base())
		if err != nil {
			t.Fatal(err)
		}
		arcBelow := agreementArc(g.Base())
		for _, c := range suites {
			protocol := arc(oidChipAuth, arcBelow, int(c))
			ri, err := NewRestrictedChip(ChipAuthSecret{Protocol: arc(oidRestricted, arcBelow, 3), KeyID: big.NewInt(5), Key: static})
			if err != nil {
				t.Fatal(err)
			}
			e := &eac{ta: NewTerminalChip2(authority.chain(), Compress(chipKey.Point())), ri: ri, secrets: []ChipAuthSecret{{Protocol: protocol, KeyID: big.NewInt(1), Key: static}}}
			card := &securedChip{chip: sm.NewChip(sm.Derive([]byte("pace"), suite.AES128)), then: e}
			pace := &PACEResult{Channel: sm.New(card, sm.Derive([]byte("pace"), suite.AES128)), ChipKey: chipKey.Point(), CARs: [][]byte{[]byte("XOCVCA00001")}}
			ta, err := Terminal2(t.Context(), pace, authority.key, g, aux, apdu.Limits{})
			if err != nil {
				t.Errorf("%s, %v: %v", g.Name(), c, err)
				continue
			}
			if !bytes.Equal(e.ta.Auxiliary(), aux) {
				t.Errorf("auxiliary data %X", e.ta.Auxiliary())
			}
			proof, err := Chip2(t.Context(), ta, lds.ChipAuthKey{KeyID: big.NewInt(1), Public: static.Element(), Info: lds.ChipAuthInfo{OID: protocol}})
			if err != nil {
				t.Errorf("%s, %v: %v", g.Name(), c, err)
				continue
			}
			var ids [2][]byte
			for i := range ids {
				if ids[i], err = Restricted(t.Context(), proof.Channel, arc(oidRestricted, arcBelow, 3), big.NewInt(5), sector.Element(), apdu.Limits{}); err != nil {
					t.Errorf("%s, %v: %v", g.Name(), c, err)
				}
			}
			secret, _ := sector.Agree(static.Element())
			if !bytes.Equal(ids[0], ids[1]) || !bytes.Equal(ids[0], sum(crypto.SHA256, secret)) {
				t.Errorf("%s: identifiers %X and %X", g.Name(), ids[0], ids[1])
			}
		}
	}
}

// TestChip2LyingChip has no key, or another, or was told another terminal's key.
func TestChip2LyingChip(t *testing.T) {
	static, _ := dh.P256().Generate()
	other, _ := dh.P256().Generate()
	protocol := arc(oidChipAuth, 2, 2)
	key := lds.ChipAuthKey{Public: static.Point(), Info: lds.ChipAuthInfo{OID: protocol}}
	for name, c := range map[string]struct {
		has    *dh.PrivateKey
		told   bool
		alter  func(*apdu.Response)
		want   error
		public dh.Element
	}{
		"another key":       {other, true, nil, ErrSignature, static.Point()},
		"another announced": {static, false, nil, apdu.WrongData, static.Point()},
		"no token":          {static, true, func(r *apdu.Response) { r.Data = tlv.Encode(tagDynamic, r.Data[2:12]) }, ErrProtocol, static.Point()},
		"token damaged":     {static, true, func(r *apdu.Response) { r.Data[len(r.Data)-1] ^= 1 }, ErrSignature, static.Point()},
		"nonce damaged":     {static, true, func(r *apdu.Response) { r.Data[5] ^= 1 }, ErrSignature, static.Point()},
		"short nonce": {static, true, func(r *apdu.Response) {
			r.Data = tlv.Encode(tagDynamic, tlv.Encode(tagChip2Nonce, []byte{1}), r.Data[12:])
		}, ErrProtocol, static.Point()},
		"another group": {static, true, nil, ErrUnsupported, dh.P384().Generator()},
	} {
		own, _ := dh.P256().Generate()
		announced := Compress(own.Point())
		if !c.told {
			announced = Compress(other.Point())
		}
		chip, err := NewChip2Chip(announced, ChipAuthSecret{Protocol: protocol, Key: c.has})
		if err != nil {
			t.Fatal(err)
		}
		card := &securedChip{chip: sm.NewChip(sm.Derive([]byte("pace"), suite.AES128)), then: alterChip{chip, c.alter}}
		ta := &TerminalProof{Channel: sm.New(card, sm.Derive([]byte("pace"), suite.AES128)), own: own}
		k := key
		k.Public = c.public
		if proof, err := Chip2(t.Context(), ta, k); proof != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

type alterChip struct {
	chip  *Chip2Chip
	alter func(*apdu.Response)
}

func (a alterChip) Process(c apdu.Command) (apdu.Response, *sm.Keys) {
	r, keys := a.chip.Process(c)
	if keys != nil && a.alter != nil {
		a.alter(&r)
	}
	return r, keys
}
