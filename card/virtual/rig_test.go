package virtual

import (
	"bytes"
	"encoding/asn1"
	"math/big"
	"testing"
	"testing/fstest"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
)

const (
	zone           = "IDVNM1900000174003190000017<<79002155F3002153VNM<<<<<<<<<<<8NGUYEN<<THI<THU<NGHIEM<<<<<<<<"
	mrzInformation = "190000017490021553002153"
	canDigits      = "000017"
)

var (
	paceGM   = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 4, 2, 2}
	caAES    = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 3, 2, 2}
	pkECDH   = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 1, 2}
	plainECC = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 3}
)

// documentFiles are a document over two public keys, either of which may be nil.
func documentFiles(t testing.TB, aa, ca *dh.Point) map[lds.File][]byte {
	t.Helper()
	must := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	infos := lds.SecurityInfos{PACE: []lds.PACEInfo{{OID: paceGM, Version: 2, ParameterID: 13}}}
	files := map[lds.File][]byte{
		lds.CardAccess: must(lds.EncodeSecurityInfos(infos)),
		lds.COM:        tlv.Encode(0x60, []byte("list")),
		lds.SODFile:    tlv.Encode(0x77, bytes.Repeat([]byte("hash"), 100)),
		lds.DG1:        tlv.Encode(0x61, tlv.Encode(0x5F1F, []byte(zone))),
		lds.DG2:        tlv.Encode(0x75, bytes.Repeat([]byte("portrait"), 500)),
		lds.DG13:       tlv.Encode(0x6D, bytes.Repeat([]byte("national"), 100)),
	}
	if aa != nil {
		files[lds.DG15] = tlv.Encode(0x6F, must(cert.MarshalPublicKey(aa, false)))
		infos.Active = []lds.ActiveAuthInfo{{Version: 1, Algorithm: plainECC}}
	}
	if ca != nil {
		pub, err := cert.NewPublicKey(ca)
		if err != nil {
			t.Fatal(err)
		}
		infos.Chip = []lds.ChipAuthInfo{{OID: caAES, Version: 1, KeyID: big.NewInt(1)}}
		infos.ChipKeys = []lds.ChipAuthPublicKey{{OID: pkECDH, Key: pub, KeyID: big.NewInt(1)}}
	}
	files[lds.DG14] = tlv.Encode(0x6E, must(lds.EncodeSecurityInfos(infos)))
	return files
}

// folder is a document as an EF folder.
func folder(files map[lds.File][]byte) fstest.MapFS {
	m := fstest.MapFS{}
	for f, b := range files {
		m[f.FileName()] = &fstest.MapFile{Data: b}
	}
	return m
}

// openPerso opens a channel at full security with the transport keys.
func openPerso(t testing.TB, c *Chip) *gp.Channel {
	t.Helper()
	c.Reset()
	ch, err := gp.Open(t.Context(), apdu.Over(c, apdu.Limits{}), gp.TransportKeys(), gp.FullSecurity)
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// personalise makes a card in use of a blank chip, and returns its files.
func personalise(t testing.TB, c *Chip, rules gp.Rules) map[lds.File][]byte {
	t.Helper()
	ch := openPerso(t, c)
	point := func(use gp.KeyUse, ref byte, curve *dh.Curve) *dh.Point {
		id, _ := curve.ID()
		b, err := ch.Generate(t.Context(), gp.KeyRef{Use: use, Reference: ref, Curve: byte(id)})
		if err != nil {
			t.Fatal(err)
		}
		p, err := curve.ParsePoint(b)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	files := documentFiles(t, point(gp.Signature, gp.KeyAA, dh.P256()), point(gp.Agreement, gp.KeyCA, dh.BrainpoolP256r1()))
	var dgis []gp.DGI
	for f, b := range files {
		dgis = append(dgis, gp.DGI{Tag: inside(f), Value: b})
	}
	mrz, can := auth.MRZ(mrzInformation), auth.CAN(canDigits)
	seed, _ := mrz.BACSeed()
	kMRZ, _ := mrz.PACESecret()
	kCAN, _ := can.PACESecret()
	dgis = append(dgis, gp.DGI{Tag: gp.DGIBACSeed, Value: seed}, gp.DGI{Tag: gp.DGIPACEMRZ, Value: kMRZ},
		gp.DGI{Tag: gp.DGIPACECAN, Value: kCAN}, gp.DGI{Tag: gp.DGIRules, Value: rules.Bytes()})
	if err := ch.StoreData(t.Context(), ch.MaxCommand(apdu.Limits{}), dgis, nil); err != nil {
		t.Fatal(err)
	}
	if err := ch.SetStatus(t.Context(), gp.StatusOfApplication, gp.StateSecured, []byte(aidLDS1)); err != nil {
		t.Fatal(err)
	}
	c.Reset()
	return files
}

// issued is a card in use with BAC allowed.
func issued(t testing.TB) (*Chip, map[lds.File][]byte) {
	t.Helper()
	c := New(Config{})
	return c, personalise(t, c, gp.Rules{BAC: true, NoSelectMF: true})
}

// openBy opens a card as a terminal does.
func openBy(t testing.TB, c *Chip, l apdu.Limits, p auth.Password) *card.Session {
	t.Helper()
	c.Reset()
	s, err := card.Open(t.Context(), apdu.Over(c, l), card.Options{Passwords: []auth.Password{p}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// send exchanges one command in hexadecimal and returns data and status.
func send(t testing.TB, c *Chip, command string) ([]byte, apdu.Status) {
	t.Helper()
	r, err := apdu.ParseResponse(exchange(t, c, unhex(t, command)))
	if err != nil {
		t.Fatal(err)
	}
	return r.Data, r.Status
}

func exchange(t testing.TB, c *Chip, b []byte) []byte {
	t.Helper()
	a, err := c.Exchange(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
