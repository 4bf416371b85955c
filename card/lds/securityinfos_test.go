package lds

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/testdata"
)

func TestSecurityInfosVectors(t *testing.T) {
	var f struct {
		Cases []struct {
			ID, File string
			Infos    []struct{ OID, Raw string }
		}
	}
	if err := json.Unmarshal(testdata.Vectors(t, "lds/security-infos.json"), &f); err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Cases {
		raw := fromHex(t, c.File)
		infos, err := ParseCardAccess(raw)
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
			continue
		}
		n := len(infos.PACE) + len(infos.Chip) + len(infos.ChipKeys) + len(infos.Active) + len(infos.Terminal) + len(infos.Unknown) +
			len(infos.Domains) + len(infos.Restricted) + len(infos.Pseudonyms) + len(infos.PseudonymKeys)
		if len(c.Infos) > 0 && n != len(c.Infos) {
			t.Errorf("%s: %d entries, want %d", c.ID, n, len(c.Infos))
		}
		if c.ID == "ef_cardaccess_ca3" {
			checkVersion3(t, infos)
		}
		if trailing := strings.Contains(c.ID, "trailing"); trailing != (infos.Trailing > 0) {
			t.Errorf("%s: %d octets behind it", c.ID, infos.Trailing)
		}
		if _, err := ParseCardAccess(raw[:len(raw)-infos.Trailing-1]); err == nil {
			t.Errorf("%s cut short is taken", c.ID)
		}
		if !bytes.HasPrefix(raw, infos.Raw) || len(infos.Raw)+infos.Trailing != len(raw) {
			t.Errorf("%s: Raw is not the SET", c.ID)
		}
		var entries [][]byte
		for _, i := range c.Infos {
			entries = append(entries, fromHex(t, i.Raw))
		}
		if set, err := EncodeSecurityInfos(*infos); err != nil || len(entries) > 0 && !bytes.Equal(set, derSet(entries)) {
			t.Errorf("%s is written again as %X, %v", c.ID, set, err)
		}
	}
}

// checkVersion3 holds what a German EF.CardAccess says of Chip Authentication version 3.
func checkVersion3(t *testing.T, infos *SecurityInfos) {
	t.Helper()
	if len(infos.Pseudonyms) != 1 || len(infos.Domains) != 2 {
		t.Fatalf("%+v, %+v", infos.Pseudonyms, infos.Domains)
	}
	p, d := infos.Pseudonyms[0], infos.Domains[1]
	if !p.OID.Equal(arc(arc(oidPseudonym, 2), 3)) || p.Access != [2]PseudonymAccess{PseudonymFree, PseudonymAuthorized} || p.KeyID.Int64() != 0x4F {
		t.Errorf("%+v", p)
	}
	if d.Domain.Group != dh.Group(dh.BrainpoolP256r1()) || d.Domain.Named || d.KeyID.Int64() != 0x4F {
		t.Errorf("%+v", d)
	}
}

// TestPseudonymInfos writes and reads the entries that no specimen has.
func TestPseudonymInfos(t *testing.T) {
	point := dh.BrainpoolP256r1().Generator()
	want := SecurityInfos{
		Restricted: []RestrictedInfo{
			{OID: arc(arc(oidRestricted, 2), 3), Version: 1, KeyID: big.NewInt(2), AuthorizedOnly: true},
			{OID: arc(arc(oidRestricted, 2), 3), Version: 1, KeyID: big.NewInt(1), MaxKeyLen: big.NewInt(255)},
		},
		PseudonymKeys: []PseudonymKey{
			{Group: dh.PseudonymGroup{Manager: point, Group: point}, KeyID: big.NewInt(0xF0)},
			{Group: dh.PseudonymGroup{Manager: point, Group: point}, Named: true, ParameterID: big.NewInt(3), KeyID: big.NewInt(7)},
			{Group: dh.PseudonymGroup{Manager: dh.P256().Generator(), Group: dh.P256().Generator()}},
		},
		Domains: []ChipAuthDomain{{OID: arc(oidChip, 2), Domain: Domain{Group: dh.P256(), Named: true}}},
	}
	raw, err := EncodeSecurityInfos(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseCardAccess(raw)
	if err != nil || len(got.Restricted) != 2 || len(got.PseudonymKeys) != 3 || len(got.Domains) != 1 || len(got.Unknown) != 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	if again, err := EncodeSecurityInfos(*got); err != nil || !bytes.Equal(raw, again) {
		t.Errorf("%X is written again as %X, %v", raw, again, err)
	}
	// RestrictedIdentificationInfo of TR-03110-3 §A.1.1.4, by hand.
	if hand := fromHex(t, "3017"+"060A04007F00070202050203"+"3009"+"020101"+"020102"+"0101FF"); !bytes.Contains(raw, hand) {
		t.Errorf("%X has no %X", raw, hand)
	}
	if _, err := EncodeSecurityInfos(SecurityInfos{PseudonymKeys: []PseudonymKey{{}}}); err == nil {
		t.Error("a key without points is written")
	}
}

// The EF.CardAccess of Vietnamese cards, byte for byte.
func TestCardAccessVietnam(t *testing.T) {
	want := fromHex(t, "3134300D060804007F0007020202020101300F060A04007F000702020302020201013012060A04007F0007020204020202010202010D")
	arcs := func(more ...int) asn1.ObjectIdentifier {
		return append(asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2}, more...)
	}
	infos := SecurityInfos{
		Terminal: []TerminalAuthInfo{{OID: arcs(2), Version: 1}},
		Chip:     []ChipAuthInfo{{OID: arcs(3, 2, 2), Version: 1}},
		PACE:     []PACEInfo{{arcs(4, 2, 2), 2, 13}},
	}
	got, err := EncodeSecurityInfos(infos)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%X, %v", got, err)
	}
	back, err := ParseCardAccess(got)
	if err != nil || len(back.PACE) != 1 || back.PACE[0].ParameterID != 13 || len(back.Unknown) != 0 {
		t.Errorf("%+v, %v", back, err)
	}
}

func TestDG14RoundTrip(t *testing.T) {
	k, _ := dh.BrainpoolP256r1().Generate()
	key, err := cert.NewPublicKey(k.Point())
	if err != nil {
		t.Fatal(err)
	}
	in := SecurityInfos{
		Chip:     []ChipAuthInfo{{arc(arc(oidChip, 2), 2), 1, big.NewInt(7)}, {arc(arc(oidChip, 2), 4), 1, nil}},
		ChipKeys: []ChipAuthPublicKey{{OID: arc(oidPublic, 2), Key: key, KeyID: big.NewInt(7)}},
		Terminal: []TerminalAuthInfo{{oidTerminal, 1, fromHex(t, "30070402011C04011C")}, {OID: oidTerminal, Version: 2}},
		Unknown:  [][]byte{fromHex(t, "0500"), fromHex(t, "3003060104")},
		Active:   []ActiveAuthInfo{{1, asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 3}}},
		PACE:     []PACEInfo{{arc(arc(oidPACE, 2), 2), 2, NoParameter}},
	}
	raw, err := EncodeDG14(in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := ParseDG14(raw)
	if err != nil {
		t.Fatal(err)
	}
	keys := out.ChipAuthKeys()
	if len(keys) != 1 || !keys[0].Public.Equal(k.Point()) || keys[0].KeyID.Int64() != 7 {
		t.Errorf("keys: %v", keys)
	}
	again, err := EncodeDG14(*out)
	if err != nil || !bytes.Equal(raw, again) {
		t.Error("encoding what was read gives other octets")
	}
}

// Unusual entries stand beside what can be used; broken sets are refused whole.
func TestSecurityInfosOdd(t *testing.T) {
	const (
		pace  = "3012060A04007F0007020204020202010202010D"
		ca    = "300F060A04007F00070202030202020101"
		short = "3003060104"
	)
	set := func(entries ...string) []byte {
		body := strings.Join(entries, "")
		return fromHex(t, "3181"+hexByte(len(body)/2)+body)
	}
	for name, tt := range map[string]struct {
		raw           []byte
		pace, unknown int
	}{
		"empty":                    {set(), 0, 0},
		"not a SEQUENCE":           {set(pace, "0500"), 1, 1},
		"no OID":                   {set(pace, "3003020101"), 1, 1},
		"bad OID":                  {set(pace, "3003060180"), 1, 1},
		"other OID":                {set(pace, short, ca), 1, 1},
		"version of 9 octets":      {set("3017060A04007F00070202040202" + "0209" + "01" + strings.Repeat("00", 8)), 0, 1},
		"parameter −1":             {set("3012060A04007F000702020402020201020201FF"), 0, 1},
		"efCVCA":                   {set("3013060804007F00070202020201013004" + "0402011C"), 0, 0},
		"efCVCA and more":          {set("3012060804007F000702020202010130" + "00040100"), 0, 1},
		"something behind":         {set("3015060A04007F0007020204020202010202010D020100"), 0, 1},
		"proprietary parameters":   {set("3014060904007F000702020402300706050102030405"), 0, 1},
		"key id of two kinds":      {set("3013060A04007F000702020302020201020402AABB"), 0, 1},
		"twice":                    {set(pace, pace), 2, 0},
		"no parameter":             {set("300F060A04007F00070202040202020102"), 1, 0},
		"PACE not in DER":          {set("308112060A04007F0007020204020202010202010D"), 0, 1},
		"entry with a strange tag": {set("A00101", pace), 1, 1},
	} {
		infos, err := ParseSecurityInfos(tt.raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(infos.PACE) != tt.pace || len(infos.Unknown) != tt.unknown {
			t.Errorf("%s: %+v", name, infos)
		}
	}
	for name, raw := range map[string][]byte{
		"nothing": nil, "no SET": fromHex(t, pace), "entry cut": append(set(pace), 0)[:10], "too many": set(slices.Repeat([]string{"0500"}, 64)...)[:60],
		"length beyond": fromHex(t, "31820264300D"), "indefinite": fromHex(t, "3180"+pace+"0000"), "inner length": set("3005"),
	} {
		var e *Error
		if infos, err := ParseCardAccess(raw); !errors.As(err, &e) || e.File != CardAccess || infos != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var many cmsSet
	for range maxSecurityInfos + 1 {
		many = append(many, 0x05, 0x00)
	}
	if _, err := ParseSecurityInfos(many.set()); err == nil {
		t.Error("129 entries are taken")
	}
}

type cmsSet []byte

func (s cmsSet) set() []byte {
	return append([]byte{0x31, 0x82, byte(len(s) >> 8), byte(len(s))}, s...)
}

func hexByte(n int) string {
	const digits = "0123456789ABCDEF"
	return string([]byte{digits[n>>4], digits[n&15]})
}

// The keys of German cards, whose domain parameters are a number.
func TestStandardisedKeys(t *testing.T) {
	for _, name := range []string{"EF.CardSecurity.bin", "EF.ChipSecurity.bin"} {
		signed, err := cms.Parse(testdata.Vectors(t, "lds/de-td1-defaultpersogt/"+name))
		if err != nil {
			t.Fatal(err)
		}
		infos, err := ParseSecurityInfos(signed.Content)
		if err != nil || len(infos.ChipKeys) == 0 {
			t.Fatalf("%s: %+v, %v", name, infos, err)
		}
		for _, k := range infos.ChipKeys {
			if k.Err != nil || !k.Standardised || k.Key.EC.Curve() != dh.BrainpoolP256r1() || k.KeyID == nil {
				t.Errorf("%s: %+v", name, k)
			}
		}
		if len(infos.ChipAuthKeys()) == 0 {
			t.Errorf("%s: no key can be used", name)
		}
		again, err := EncodeSecurityInfos(*infos)
		if err != nil || len(again) != len(infos.Raw) {
			t.Errorf("%s: %d octets come back as %d, %v", name, len(infos.Raw), len(again), err)
		}
		for _, k := range infos.ChipKeys {
			if one, err := EncodeSecurityInfos(SecurityInfos{ChipKeys: []ChipAuthPublicKey{k}}); err != nil || !bytes.Contains(infos.Raw, one[2:]) {
				t.Errorf("%s: a key comes back otherwise: %v", name, err)
			}
		}
	}
	bad := fromHex(t, "30250609"+"04007F000702020102"+"3018"+"300C"+"060704007F00070102"+"02010D"+"0308"+"0004010203040506")
	infos, err := ParseSecurityInfos(append([]byte{0x31, byte(len(bad))}, bad...))
	if err != nil || len(infos.ChipKeys) != 1 || !errors.Is(infos.ChipKeys[0].Err, dh.ErrPoint) || len(infos.ChipAuthKeys()) != 0 {
		t.Errorf("a point off the curve: %+v, %v", infos, err)
	}
}

// The sizes that reading times are counted with.
func TestSizes(t *testing.T) {
	k, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	key, err := cert.NewPublicKey(k.Point())
	if err != nil {
		t.Fatal(err)
	}
	dg15, err := EncodeDG15(key)
	if err != nil || len(dg15) > 95 {
		t.Errorf("DG15 of %d octets, %v", len(dg15), err)
	}
	if back, err := ParseDG15(dg15); err != nil || !back.Equal(key) {
		t.Error(err)
	}
	bp, err := dh.BrainpoolP256r1().Generate()
	if err != nil {
		t.Fatal(err)
	}
	key, err = cert.NewPublicKey(bp.Point())
	if err != nil {
		t.Fatal(err)
	}
	for _, standardised := range []bool{false, true} {
		dg14, err := EncodeDG14(SecurityInfos{
			PACE:     []PACEInfo{{arc(arc(oidPACE, 2), 2), 2, 13}},
			Chip:     []ChipAuthInfo{{OID: arc(arc(oidChip, 2), 2), Version: 1}},
			ChipKeys: []ChipAuthPublicKey{{OID: arc(oidPublic, 2), Key: key, Standardised: standardised}},
			Active:   []ActiveAuthInfo{{1, asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 3}}},
		})
		if err != nil || len(dg14) > 175 {
			t.Errorf("DG14 of %d octets, %v", len(dg14), err)
		}
		infos, err := ParseDG14(dg14)
		if err != nil || len(infos.ChipAuthKeys()) != 1 || !infos.ChipAuthKeys()[0].Public.Equal(bp.Point()) {
			t.Errorf("%+v, %v", infos, err)
		}
	}
	for _, standardised := range []bool{false, true} {
		none := []ChipAuthPublicKey{{OID: arc(oidPublic, 1), Standardised: standardised}}
		if _, err := EncodeSecurityInfos(SecurityInfos{ChipKeys: none}); !errors.Is(err, cert.ErrKey) {
			t.Errorf("no key is written: %v", err)
		}
	}
}

// TestManyPrimeFields bounds the fields that a card can have tested for their primes.
func TestManyPrimeFields(t *testing.T) {
	group, err := dh.GroupByID(0)
	if err != nil {
		t.Fatal(err)
	}
	key, err := cert.NewPublicKey(group.Base())
	if err != nil {
		t.Fatal(err)
	}
	var infos SecurityInfos
	for n := range 4 {
		infos.ChipKeys = append(infos.ChipKeys, ChipAuthPublicKey{OID: arc(oidPublic, 1), Key: key, KeyID: big.NewInt(int64(n))})
	}
	raw, err := EncodeDG14(infos)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseDG14(raw)
	if err != nil || len(got.ChipKeys) != 4 {
		t.Fatal(err)
	}
	usable := 0
	for _, k := range got.ChipKeys {
		if k.Err == nil {
			usable++
		} else if !errors.Is(k.Err, cert.ErrKey) {
			t.Error(k.Err)
		}
	}
	if usable != maxPrimes {
		t.Errorf("%d keys are taken", usable)
	}
}

// TestCVCAFile finds EF.CVCA where efCVCA says, else where TR-03110-3 does.
func TestCVCAFile(t *testing.T) {
	for _, c := range []struct {
		efCVCA string
		fid    uint16
		sfi    byte
	}{
		{"", 0x011C, 0x1C},
		{"3007 0402 0122 0401 02", 0x0122, 0x02},
		{"3004 0402 0122", 0x0122, 0},
		{"3007 0402 0122 0401 1F", 0x0122, 0}, // no short identifier at all
		{"3003 0401 22", 0x011C, 0x1C},
	} {
		raw, err := hex.DecodeString(strings.ReplaceAll(c.efCVCA, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if fid, sfi := (TerminalAuthInfo{CVCA: raw}).File(); fid != c.fid || sfi != c.sfi {
			t.Errorf("%q: %04X, %02X", c.efCVCA, fid, sfi)
		}
	}
}
