package virtual

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
)

// TestBlankChipInTheClear is what a chip says before a channel is open.
func TestBlankChipInTheClear(t *testing.T) {
	for _, c := range []struct {
		name, command string
		want          apdu.Status
	}{
		{"SELECT LDS1", "00A4040C07A0000002471001", apdu.OK},
		{"SELECT the security domain", "00A4040C08A000000151000000", apdu.OK},
		{"SELECT another", "00A4040C06A00000024710", apdu.FileNotFound},
		{"GET DATA of the KDD", "80CA00CF00", apdu.OK},
		{"GET DATA of the key versions", "80CA00E000", apdu.OK},
		{"GET DATA of the state", "80CA9F7000", apdu.OK},
		{"GET DATA of anything else", "80CA006600", apdu.ReferenceNotFound},
		{"INITIALIZE UPDATE", "805000000801020304050607 0800", apdu.OK},
		{"INITIALIZE UPDATE for an unknown version", "8050110008010203040506070800", apdu.ReferenceNotFound},
		{"INITIALIZE UPDATE of 7", "80500000070102030405060700", apdu.WrongLength},
		{"EXTERNAL AUTHENTICATE alone", "848233001001020304050607080102030405060708", apdu.ConditionsNotSatisfied},
		{"EXTERNAL AUTHENTICATE, level 03", "848203001001020304050607080102030405060708", apdu.ConditionsNotSatisfied},
		{"PUT KEY", "80D80081010100", apdu.SecurityStatus},
		{"STORE DATA", "80E28800040101010A", apdu.SecurityStatus},
		{"STORE DATA, protected by nobody", "84E288000C0101010A0102030405060708", apdu.SecurityStatus},
		{"GENERATE", "80468000 08B606840101800 10D00", apdu.SecurityStatus},
		{"SET STATUS", "80F0400F07A0000002471001", apdu.SecurityStatus},
		{"READ BINARY", "00B0810000", apdu.SecurityStatus},
		{"READ EF.CardAccess", "00B09C0000", apdu.SecurityStatus},
		{"GET CHALLENGE", "0084000008", apdu.SecurityStatus},
		{"MSE:Set AT", "0022C1A400", apdu.SecurityStatus},
		{"UPDATE BINARY", "00D6000001FF", apdu.SecurityStatus},
		{"unknown", "00FF000000", apdu.SecurityStatus},
		{"protected for a document", "0CB0810000", apdu.SecurityStatus},
	} {
		if _, s := send(t, New(Config{}), c.command); s != c.want {
			t.Errorf("%s: %v instead of %v", c.name, s, c.want)
		}
	}
}

func TestOnlyFullSecurityPersonalises(t *testing.T) {
	for _, l := range []gp.Level{gp.CMAC, gp.CMACEnc, gp.CMACRMAC, gp.CMACEncRMAC} {
		c := New(Config{})
		h, err := gp.Initialize(t.Context(), apdu.Over(c, apdu.Limits{}), gp.Start{Weak: true})
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.Authenticate(t.Context(), gp.TransportKeys(), l)
		if !errors.Is(err, apdu.ConditionsNotSatisfied) || c.image.failures[failuresDomain] != 0 {
			t.Errorf("level %02X: %v", byte(l), err)
		}
	}
}

func TestTenWrongAuthenticationsEndTheChip(t *testing.T) {
	c := New(Config{})
	for range 9 {
		externalAuthenticateWrong(t, c)
	}
	openPerso(t, c).Close() // the right keys make it forget
	for range 10 {
		c.Reset()
		if s := externalAuthenticateWrong(t, c); s != apdu.AuthenticationFailed {
			t.Fatal(s)
		}
	}
	c.Reset()
	if _, err := gp.Initialize(t.Context(), apdu.Over(c, apdu.Limits{}), gp.Start{}); !errors.Is(err, apdu.Blocked) {
		t.Errorf("error %v", err)
	}
}

func TestPlainCommandEndsTheChannel(t *testing.T) {
	for _, plain := range []string{"80CA00CF00", "00A4040C07A0000002471001", "80E28800040101010A", "00B0", "84E28800"} {
		c := New(Config{})
		ch := openPerso(t, c)
		send(t, c, plain)
		if _, err := ch.KDD(t.Context()); !errors.Is(err, apdu.SecurityStatus) {
			t.Errorf("after %s: %v", plain, err)
		}
	}
}

func TestKeySets(t *testing.T) {
	c := New(Config{KDD: gp.KDD{7}})
	set := func(version byte) gp.Keys {
		k, err := gp.Diversify(bytes.Repeat([]byte{version}, 32), c.KDD(), version)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	ch := openPerso(t, c)
	if err := ch.PutKeys(t.Context(), 0x22, set(0x31)); !errors.Is(err, apdu.ReferenceNotFound) {
		t.Errorf("in place of a set that isn't there: %v", err)
	}
	for v := byte(0x31); v <= 0x33; v++ {
		if err := ch.PutKeys(t.Context(), 0, set(v)); err != nil {
			t.Fatal(err)
		}
	}
	if err := ch.PutKeys(t.Context(), 0, set(0x34)); !errors.Is(err, apdu.NotEnoughMemory) {
		t.Errorf("a fifth set: %v", err)
	}
	if err := ch.PutKeys(t.Context(), 0x30, set(0x31)); !errors.Is(err, apdu.WrongData) {
		t.Errorf("two sets of one version: %v", err)
	}
	if err := ch.PutKeys(t.Context(), 0x30, set(0x3F)); err != nil {
		t.Fatal(err)
	}
	for v, ok := range map[byte]bool{0x30: false, 0x31: true, 0x33: true, 0x3F: true} {
		c.Reset()
		k := set(v)
		_, err := gp.Open(t.Context(), apdu.Over(c, apdu.Limits{}), k, gp.FullSecurity)
		if (err == nil) != ok {
			t.Errorf("version %02X: %v", v, err)
		}
	}
	c.Reset()
	info, s := send(t, c, "80CA00E000")
	if want := unhex(t, "E048C004013F8820C004023F8820C004033F8820C00401318820"); s != apdu.OK || !bytes.HasPrefix(info, want) {
		t.Errorf("key information %X", info)
	}
}

func TestKeyPairs(t *testing.T) {
	c := New(Config{})
	ch := openPerso(t, c)
	aa := gp.KeyRef{Use: gp.Signature, Reference: gp.KeyAA, Curve: 12}
	if _, err := ch.PublicKey(t.Context(), aa); !errors.Is(err, apdu.ReferenceNotFound) {
		t.Errorf("before it was made: %v", err)
	}
	first, err := ch.Generate(t.Context(), aa)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ch.PublicKey(t.Context(), aa)
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("read back: %v", err)
	}
	if _, err := dh.P256().ParsePoint(first); err != nil {
		t.Error(err)
	}
	if second, err := ch.Generate(t.Context(), aa); err != nil || bytes.Equal(first, second) {
		t.Errorf("made anew: %v", err)
	}
	for _, r := range []gp.KeyRef{
		{Use: gp.Agreement, Reference: gp.KeyAA, Curve: 12},
		{Use: gp.Signature, Reference: gp.KeyCA, Curve: 12},
		{Use: gp.Signature, Reference: 3, Curve: 12},
		{Use: gp.Signature, Reference: gp.KeyAA, Curve: 99},
	} {
		if _, err := ch.Generate(t.Context(), r); !errors.Is(err, apdu.WrongData) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	for id := byte(8); id <= 18; id++ {
		r := gp.KeyRef{Use: gp.Agreement, Reference: gp.KeyCA, Curve: id}
		b, err := ch.Generate(t.Context(), r)
		curve, unknown := dh.ByID(int(id))
		if unknown != nil {
			continue
		}
		if err != nil {
			t.Fatalf("curve %d: %v", id, err)
		}
		if _, err := curve.ParsePoint(b); err != nil {
			t.Errorf("curve %d: %v", id, err)
		}
		c.Reset() // the key pair comes back from the memory
		ch = openPerso(t, c)
		if again, err := ch.PublicKey(t.Context(), r); err != nil || !bytes.Equal(again, b) {
			t.Errorf("curve %d after a power cycle: %v", id, err)
		}
	}
}

func TestDGIsRefused(t *testing.T) {
	for name, d := range map[string]struct {
		dgi  gp.DGI
		want apdu.Status
	}{
		"DG0":            {gp.DGI{Tag: 0x0100, Value: []byte{1}}, apdu.ReferenceNotFound},
		"DG17":           {gp.DGI{Tag: 0x0111, Value: []byte{1}}, apdu.ReferenceNotFound},
		"private key":    {gp.DGI{Tag: 0xFF03, Value: make([]byte, 32)}, apdu.ReferenceNotFound},
		"empty file":     {gp.DGI{Tag: 0x0101}, apdu.WrongData},
		"short seed":     {gp.DGI{Tag: gp.DGIBACSeed, Value: make([]byte, 15)}, apdu.WrongData},
		"long MRZ key":   {gp.DGI{Tag: gp.DGIPACEMRZ, Value: make([]byte, 21)}, apdu.WrongData},
		"no CAN":         {gp.DGI{Tag: gp.DGIPACECAN}, apdu.WrongData},
		"long CAN":       {gp.DGI{Tag: gp.DGIPACECAN, Value: make([]byte, 17)}, apdu.WrongData},
		"unknown rule":   {gp.DGI{Tag: gp.DGIRules, Value: []byte{0x80, 0}}, apdu.WrongData},
		"too many tries": {gp.DGI{Tag: gp.DGIRules, Value: []byte{0, 16}}, apdu.WrongData},
	} {
		c := New(Config{})
		ch := openPerso(t, c)
		err := ch.StoreData(t.Context(), 200, []gp.DGI{d.dgi}, nil)
		if !errors.Is(err, d.want) {
			t.Errorf("%s: %v", name, err)
		}
		if len(c.image.files) > 0 || len(c.image.secrets) > 0 {
			t.Errorf("%s: stored all the same", name)
		}
	}
	c := New(Config{})
	ch := openPerso(t, c)
	big := make([]byte, 60000)
	for tag := uint16(0x0105); tag < 0x0109; tag++ {
		if err := ch.StoreData(t.Context(), 239, []gp.DGI{{Tag: tag, Value: big}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := ch.StoreData(t.Context(), 239, []gp.DGI{{Tag: 0x0109, Value: big}}, nil); !errors.Is(err, apdu.NotEnoughMemory) {
		t.Errorf("300,000 octets of files: %v", err)
	}
}

// TestNoLockOfAUselessCard tries to lock what nobody could ever open or judge.
func TestNoLockOfAUselessCard(t *testing.T) {
	files := documentFiles(t, nil, nil)
	sod := gp.DGI{Tag: 0x011D, Value: files[lds.SODFile]}
	dg1 := gp.DGI{Tag: 0x0101, Value: files[lds.DG1]}
	access := gp.DGI{Tag: 0x011C, Value: files[lds.CardAccess]}
	seed := gp.DGI{Tag: gp.DGIBACSeed, Value: make([]byte, 16)}
	can := gp.DGI{Tag: gp.DGIPACECAN, Value: []byte(canDigits)}
	bac := gp.DGI{Tag: gp.DGIRules, Value: gp.Rules{BAC: true}.Bytes()}
	pace := gp.DGI{Tag: gp.DGIRules, Value: gp.Rules{}.Bytes()}
	odd := gp.DGI{Tag: 0x011C, Value: []byte{0x31, 0}}
	for name, c := range map[string]struct {
		dgis []gp.DGI
		ok   bool
	}{
		"nothing":                 {nil, false},
		"no SOD":                  {[]gp.DGI{dg1, seed, bac}, false},
		"no DG1":                  {[]gp.DGI{sod, seed, bac}, false},
		"no access":               {[]gp.DGI{sod, dg1, bac}, false},
		"seed that is not to use": {[]gp.DGI{sod, dg1, seed, pace}, false},
		"PACE without parameters": {[]gp.DGI{sod, dg1, can, pace}, false},
		"PACE with no variant":    {[]gp.DGI{sod, dg1, can, pace, odd}, false},
		"BAC":                     {[]gp.DGI{sod, dg1, seed, bac}, true},
		"PACE":                    {[]gp.DGI{sod, dg1, can, access, pace}, true},
	} {
		chip := New(Config{})
		ch := openPerso(t, chip)
		if err := ch.StoreData(t.Context(), 200, c.dgis, nil); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		err := ch.SetStatus(t.Context(), gp.StatusOfApplication, gp.StateSecured, []byte(aidLDS1))
		if (err == nil) != c.ok || !c.ok && !errors.Is(err, apdu.ConditionsNotSatisfied) || chip.InUse() != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHalfAFileIsNotLocked(t *testing.T) {
	c := New(Config{})
	ch := openPerso(t, c)
	files := documentFiles(t, nil, nil)
	good := []gp.DGI{
		{Tag: 0x011D, Value: files[lds.SODFile]},
		{Tag: 0x0101, Value: files[lds.DG1]},
		{Tag: gp.DGIBACSeed, Value: make([]byte, 16)},
		{Tag: gp.DGIRules, Value: gp.Rules{BAC: true}.Bytes()},
	}
	if err := ch.StoreData(t.Context(), 200, good, nil); err != nil {
		t.Fatal(err)
	}
	n := 0
	c.OnWrite(func(int) bool { n++; return n < 5 })
	if err := ch.StoreData(t.Context(), 200, []gp.DGI{{Tag: 0x0102, Value: files[lds.DG2]}}, nil); !errors.Is(err, apdu.ErrRemoved) {
		t.Fatal(err)
	}
	c.OnWrite(nil)
	ch = openPerso(t, c)
	if err := ch.SetStatus(t.Context(), gp.StatusOfApplication, gp.StateSecured, []byte(aidLDS1)); !errors.Is(err, apdu.ConditionsNotSatisfied) {
		t.Errorf("error %v", err)
	}
	r, err := ch.Transmit(t.Context(), apdu.Command{INS: 0xA4, P1: 2, Data: []byte{1, 2}, Le: 256})
	if err != nil || r.Status != apdu.FileNotFound {
		t.Errorf("half a file is selected: %v, %v", r.Status, err)
	}
}

func TestLockIsForEver(t *testing.T) {
	c, _ := issued(t)
	for range 3 {
		c.Reset()
		for _, k := range []byte{0, 0x30} {
			_, err := gp.Initialize(t.Context(), apdu.Over(c, apdu.Limits{}), gp.Start{Version: k})
			if !errors.Is(err, apdu.ConditionsNotSatisfied) {
				t.Errorf("INITIALIZE UPDATE: %v", err)
			}
		}
	}
	if c.perso != nil || !c.InUse() {
		t.Error("open again")
	}
}
