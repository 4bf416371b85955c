package virtual

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var extended = apdu.Limits{Command: 65535, Response: 65535}

func TestReadsByEveryAccess(t *testing.T) {
	c, files := issued(t)
	for _, l := range []apdu.Limits{{}, {Command: 1000, Response: 1000}, extended} {
		c.Limit(l)
		for name, open := range map[string]func() *card.Session{
			"CAN": func() *card.Session { return openBy(t, c, l, auth.CAN(canDigits)) },
			"MRZ": func() *card.Session { return openBy(t, c, l, auth.MRZ(mrzInformation)) },
		} {
			s := open()
			if a := s.Access(); a.Protocol != "PACE" || a.Password != name {
				t.Errorf("%s: %+v", name, a)
			}
			readAll(t, s, files)
			s.Close()
		}
	}
}

func readAll(t *testing.T, s *card.Session, files map[lds.File][]byte) {
	t.Helper()
	for f, want := range files {
		if f == lds.CardAccess {
			continue
		}
		got, err := s.ReadFile(t.Context(), f, nil)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d octets instead of %d, %v", f, len(got), len(want), err)
		}
	}
	for _, f := range []lds.File{lds.DG3, lds.DG4, lds.DG11, lds.DG16} {
		if _, err := s.ReadFile(t.Context(), f, nil); !errors.Is(err, card.ErrFileAbsent) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

func TestBACOnlyCard(t *testing.T) {
	files := documentFiles(t, nil, nil)
	delete(files, lds.CardAccess)
	c, err := FromFolder(folder(files), FolderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s := openBy(t, c, apdu.Limits{}, auth.MRZ(mrzInformation))
	defer s.Close()
	if a := s.Access(); a.Protocol != "BAC" {
		t.Errorf("%+v", a)
	}
	readAll(t, s, files)
}

func TestProvesItsKeys(t *testing.T) {
	c, files := issued(t)
	s := openBy(t, c, apdu.Limits{}, auth.CAN(canDigits))
	defer s.Close()
	pub, err := lds.ParseDG15(files[lds.DG15])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Active(t.Context(), pub, crypto.SHA256); err != nil {
		t.Error(err)
	}
	infos, err := lds.ParseDG14(files[lds.DG14])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Chip1(t.Context(), infos.ChipAuthKeys()[0], lds.DG1); err != nil {
		t.Error(err)
	}
	readAll(t, s, files)
	if _, err := s.Active(t.Context(), pub, crypto.SHA256); err != nil {
		t.Error(err)
	}
}

// TestInTheClear is what a card in use says to who has no key.
func TestInTheClear(t *testing.T) {
	const aid = "A0000002471001"
	for _, c := range []struct {
		name     string
		commands string // the last one is asked
		want     apdu.Status
	}{
		{"SELECT MF", "00A4000C023F00", apdu.INSNotSupported},
		{"SELECT MF without a name", "00A4000C", apdu.INSNotSupported},
		{"SELECT LDS1", "00A4040C07" + aid, apdu.OK},
		{"SELECT another application", "00A4040C06A00000024710", apdu.FileNotFound},
		{"SELECT the security domain", "00A4040C08A000000151000000", apdu.FileNotFound},
		{"SELECT EF.CardAccess", "00A4020C02011C", apdu.OK},
		{"SELECT EF.CardSecurity, which is absent", "00A4020C02011D", apdu.FileNotFound},
		{"SELECT DG1 in the MF", "00A4020C020101", apdu.FileNotFound},
		{"SELECT DG1", "00A4040C07" + aid + " 00A4020C020101", apdu.SecurityStatus},
		{"SELECT DG3", "00A4040C07" + aid + " 00A4020C020103", apdu.SecurityStatus},
		{"SELECT EF.CardAccess from LDS1", "00A4040C07" + aid + " 00A4020C02011C", apdu.OK},
		{"SELECT by path", "00A4080C020101", apdu.WrongP1P2},
		{"SELECT three octets", "00A4020C03010101", apdu.WrongLength},
		{"READ EF.CardAccess by SFI", "00B09C0000", apdu.OK},
		{"READ EF.CardAccess from LDS1", "00A4040C07" + aid + " 00B09C0000", apdu.OK},
		{"READ with nothing selected", "00B0000000", apdu.NoCurrentFile},
		{"READ DG1 by SFI in the MF", "00B0810000", apdu.FileNotFound},
		{"READ DG1 by SFI", "00A4040C07" + aid + " 00B0810000", apdu.SecurityStatus},
		{"READ nothing in LDS1", "00A4040C07" + aid + " 00B0000000", apdu.SecurityStatus},
		{"READ by SFI 0", "00B0800000", apdu.WrongP1P2},
		{"READ by SFI 31", "00B09F0000", apdu.WrongP1P2},
		{"READ with odd P1", "00B0BC0000", apdu.WrongP1P2},
		{"READ without Le", "00B09C00", apdu.WrongLength},
		{"READ behind the end", "00B09CFF00", apdu.WrongOffset},
		{"READ beyond the end", "00B09C00FF", apdu.EndOfFile},
		{"READ by odd INS", "00B1001C0353010000", apdu.WrongData},
		{"READ by odd INS, right", "00B1001C0354010000", apdu.OK},
		{"INTERNAL AUTHENTICATE", "0088000008010203040506070800", apdu.SecurityStatus},
		{"MSE:Set AT for CA", "002241A40F800A04007F00070202030202840101", apdu.FunctionNotSupported},
		{"GENERAL AUTHENTICATE alone", "008600000000", apdu.WrongLength},
		{"GENERAL AUTHENTICATE without MSE", "10860000027C0000", apdu.ConditionsNotSatisfied},
		{"GET CHALLENGE in the MF", "0084000008", apdu.ConditionsNotSatisfied},
		{"GET CHALLENGE", "00A4040C07" + aid + " 0084000008", apdu.OK},
		{"UPDATE BINARY", "00D6000001FF", apdu.INSNotSupported},
		{"INITIALIZE UPDATE", "8050000008010203040506070800", apdu.ConditionsNotSatisfied},
		{"EXTERNAL AUTHENTICATE of SCP03", "848233001001020304050607080102030405060708", apdu.ConditionsNotSatisfied},
		{"GET DATA of the KDD", "80CA00CF00", apdu.ConditionsNotSatisfied},
		{"STORE DATA", "80E28800040101010A", apdu.ConditionsNotSatisfied},
		{"protected, no session", "0CB0000000", apdu.SMIncorrect},
		{"logical channel", "01B09C0000", apdu.ChannelNotSupported},
		{"unknown class", "A0A4000C023F00", apdu.CLANotSupported},
		{"chained SELECT", "10A4040C07" + aid, apdu.CLANotSupported},
		{"no command", "00B0", apdu.WrongLength},
		{"INS of a procedure byte", "0060000000", apdu.WrongLength},
		{"extended length", "00B09C00000000", apdu.WrongLength},
	} {
		chip, _ := issuedOnceFor(t)
		var got apdu.Status
		for _, cmd := range strings.Fields(c.commands) {
			_, got = send(t, chip, cmd)
		}
		if got != c.want {
			t.Errorf("%s: %v instead of %v", c.name, got, c.want)
		}
		chip.Reset()
	}
}

var sharedChip struct {
	c     *Chip
	files map[lds.File][]byte
}

// issuedOnceFor is one card in use for the tests that don't change it, freshly powered up.
func issuedOnceFor(t testing.TB) (*Chip, map[lds.File][]byte) {
	t.Helper()
	if sharedChip.c == nil {
		sharedChip.c, sharedChip.files = issued(t)
	}
	sharedChip.c.Limit(apdu.Limits{})
	sharedChip.c.Reset()
	return sharedChip.c, sharedChip.files
}

func TestSelectMFWhereItIsKnown(t *testing.T) {
	c := New(Config{})
	personalise(t, c, gp.Rules{})
	if _, s := send(t, c, "00A4000C023F00"); s != apdu.OK {
		t.Errorf("SELECT MF: %v", s)
	}
	send(t, c, "00A4040C07A0000002471001")
	if data, s := send(t, c, "00A4040007A000000247100100"); s != apdu.OK || hex.EncodeToString(data) != "6f098407a0000002471001" {
		t.Errorf("SELECT with an answer: %X, %v", data, s)
	}
	if _, s := send(t, c, "0084000008"); s != apdu.ConditionsNotSatisfied {
		t.Errorf("GET CHALLENGE of a card without BAC: %v", s)
	}
}

func TestLeRules(t *testing.T) {
	size := len(documentFiles(t, nil, nil)[lds.CardAccess])
	for _, c := range []struct {
		command string
		exact   bool
		data    int
		want    apdu.Status
	}{
		{"00B09C0000", false, size, apdu.OK},
		{"00B09C00" + hex.EncodeToString([]byte{byte(size)}), false, size, apdu.OK},
		{"00B09C00" + hex.EncodeToString([]byte{byte(size + 1)}), false, size, apdu.EndOfFile},
		{"00B09C00" + hex.EncodeToString([]byte{byte(size + 1)}), true, 0, apdu.WrongLe | apdu.Status(size)},
		{"00B09C0000", true, size, apdu.OK},
		{"00B09C0108", true, 8, apdu.OK},
		{"00B09C" + hex.EncodeToString([]byte{byte(size - 1)}) + "05", false, 1, apdu.EndOfFile},
		{"00B09C" + hex.EncodeToString([]byte{byte(size)}) + "05", false, 0, apdu.WrongOffset},
	} {
		chip, err := FromFolder(folder(documentFiles(t, nil, nil)), FolderOptions{Rules: &gp.Rules{ExactLe: c.exact}})
		if err != nil {
			t.Fatal(err)
		}
		data, s := send(t, chip, c.command)
		if len(data) != c.data || s != c.want {
			t.Errorf("%s, exact %v: %d octets, %v", c.command, c.exact, len(data), s)
		}
	}
}

func TestShortAndExtended(t *testing.T) {
	c, files := issuedOnceFor(t)
	const long = "00B09C00000000" // READ BINARY in extended encoding
	if _, s := send(t, c, long); s != apdu.WrongLength {
		t.Errorf("short card: %v", s)
	}
	c.Limit(extended)
	if data, s := send(t, c, long); s != apdu.OK || len(data) != len(files[lds.CardAccess]) {
		t.Errorf("extended card: %d octets, %v", len(data), s)
	}
	c.Limit(apdu.Limits{Command: 300, Response: 300})
	if b := exchange(t, c, append(unhex(t, "00A4040C000150"), make([]byte, 0x150)...)); !bytes.Equal(b, []byte{0x67, 0}) {
		t.Errorf("command beyond the limit: %X", b)
	}
}

func TestWrongPasswords(t *testing.T) {
	c, _ := issuedOnceFor(t)
	for name, p := range map[string]auth.Password{"CAN": auth.CAN("999999"), "MRZ": auth.MRZ("190000017490021553002999")} {
		for range 20 { // no counter by default
			c.Reset()
			_, err := card.Open(t.Context(), apdu.Over(c, apdu.Limits{}), card.Options{Passwords: []auth.Password{p}})
			if !errors.Is(err, card.ErrWrongPassword) {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	openBy(t, c, apdu.Limits{}, auth.CAN(canDigits)).Close()
}

// TestWrongBACHasOneAnswer damages each part of the terminal's token: code, challenge and
// ciphertext.
func TestWrongBACHasOneAnswer(t *testing.T) {
	c, _ := issuedOnceFor(t)
	for i := range 40 {
		c.Reset()
		send(t, c, "00A4040C07A0000002471001")
		_, err := auth.BAC(t.Context(), apdu.Over(&flipper{c: c, at: 2, octet: 5 + i}, apdu.Limits{}), auth.MRZ(mrzInformation))
		var p *auth.PasswordError
		if !errors.As(err, &p) || p.Status != apdu.AuthenticationFailed {
			t.Errorf("octet %d: %v", i, err)
		}
	}
}

func TestCANCounter(t *testing.T) {
	c := New(Config{})
	personalise(t, c, gp.Rules{Tries: 3})
	try := func(p auth.Password) error {
		c.Reset()
		s, err := card.Open(t.Context(), apdu.Over(c, apdu.Limits{}), card.Options{Passwords: []auth.Password{p}})
		if err == nil {
			s.Close()
		}
		return err
	}
	wrong := func(left int) {
		t.Helper()
		var p *auth.PasswordError
		err := try(auth.CAN("999999"))
		if !errors.As(err, &p) {
			t.Fatalf("error %v", err)
		}
		if n, ok := p.TriesLeft(); !ok || n != left {
			t.Errorf("%d tries left instead of %d", n, left)
		}
	}
	wrong(2)
	wrong(1)
	if err := try(auth.CAN(canDigits)); err != nil {
		t.Fatal(err)
	}
	wrong(2)
	wrong(1)
	if err := try(auth.CAN("999999")); !errors.Is(err, card.ErrBlocked) {
		t.Errorf("the third in a row: %v", err)
	}
	if err := try(auth.CAN(canDigits)); !errors.Is(err, card.ErrBlocked) {
		t.Errorf("blocked: %v", err)
	}
	if err := try(auth.MRZ(mrzInformation)); err != nil {
		t.Errorf("the MRZ of a card with a blocked CAN: %v", err)
	}
}
