package card

import (
	"context"
	"crypto"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/testdata"
)

var (
	paceAES128 = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 4, 2, 2}
	caAES128   = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 3, 2, 2}
)

const anyCAN = "123456"

// reference are the file sizes of the APDU budget.
func reference() map[lds.File][]byte {
	return map[lds.File][]byte{
		lds.SODFile: fileOf(lds.SODFile, 1300), lds.DG1: fileOf(lds.DG1, 95), lds.DG2: fileOf(lds.DG2, 20042),
		lds.DG13: fileOf(lds.DG13, 900), lds.DG14: fileOf(lds.DG14, 175), lds.DG15: fileOf(lds.DG15, 95),
	}
}

// newPACETwin makes a chip with BAC and PACE by CAN and MRZ.
func newPACETwin(t testing.TB, files map[lds.File][]byte) *twin {
	t.Helper()
	w := newTwin(t, files)
	infos := []lds.PACEInfo{{OID: paceAES128, Version: 2, ParameterID: 12}}
	raw, err := lds.EncodeSecurityInfos(lds.SecurityInfos{PACE: infos})
	if err != nil {
		t.Fatal(err)
	}
	w.files[lds.CardAccess] = raw
	mrz, err := auth.MRZ(anyMRZ).PACESecret()
	if err != nil {
		t.Fatal(err)
	}
	if w.pace, err = auth.NewPACEChip(infos, map[byte][]byte{auth.RefCAN: []byte(anyCAN), auth.RefMRZ: mrz}); err != nil {
		t.Fatal(err)
	}
	return w
}

func open(t testing.TB, w *twin, o Options) *Session {
	t.Helper()
	s, err := Open(t.Context(), w.link(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func can() []auth.Password { return []auth.Password{auth.CAN(anyCAN)} }
func mrz() []auth.Password { return []auth.Password{auth.MRZ(anyMRZ)} }

// TestBudget reads the reference document with short APDUs: EF.CardAccess, PACE and
// SELECT, then SOD, DG14, DG15, Active or Chip Authentication, DG1, DG13, DG2.
func TestBudget(t *testing.T) {
	for name, want := range map[string]int{"AA": 112, "CA": 113} {
		w := newPACETwin(t, reference())
		key, err := dh.P256().Generate()
		if err != nil {
			t.Fatal(err)
		}
		if w.aa, err = auth.NewActiveChip(key, crypto.SHA256); err != nil {
			t.Fatal(err)
		}
		if w.ca, err = auth.NewChipAuthChip(auth.ChipAuthSecret{Protocol: caAES128, Key: key}); err != nil {
			t.Fatal(err)
		}
		link := w.link()
		s, err := Open(t.Context(), link, Options{Passwords: can()})
		if err != nil {
			t.Fatal(err)
		}
		read := func(files ...lds.File) {
			for _, f := range files {
				if got, err := s.ReadFile(t.Context(), f, nil); err != nil || !slices.Equal(got, w.files[f]) {
					t.Fatalf("%v: %d octets, %v", f, len(got), err)
				}
			}
		}
		read(lds.SODFile, lds.DG14, lds.DG15)
		if name == "AA" {
			_, err = s.Active(t.Context(), cert.PublicKey{EC: key.Point()}, crypto.SHA256)
		} else {
			_, err = s.Chip1(t.Context(), lds.ChipAuthKey{Public: key.Point(), Info: lds.ChipAuthInfo{OID: caAES128}}, lds.DG1)
		}
		if err != nil {
			t.Fatal(err)
		}
		read(lds.DG1, lds.DG13, lds.DG2)
		if n := link.Traffic().APDUs; n != want {
			t.Errorf("%s: %d APDUs, want %d", name, n, want)
		}
		if w.clearAfter() {
			t.Errorf("%s: a command in the clear after a protected one", name)
		}
		if a := s.Access(); a.Protocol != "PACE" || a.Password != "CAN" || a.Info.ParameterID != 12 || !slices.Equal(a.CardAccess, w.files[lds.CardAccess]) || a.Refused != nil {
			t.Errorf("%+v", a)
		}
		s.Close()
	}
}

// TestOpenByPassword takes the first password of a kind that the card knows.
func TestOpenByPassword(t *testing.T) {
	ask := func(_ context.Context, p Prompt) (auth.Password, error) {
		if p.Protocol != "PACE" || fmt.Sprint(p.Passwords) != "[CAN MRZ]" {
			t.Errorf("asked for %v", p)
		}
		return auth.MRZ(anyMRZ), nil
	}
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Passwords: can()}, "CAN"},
		{Options{Passwords: mrz()}, "MRZ"},
		{Options{Passwords: append(mrz(), can()...)}, "MRZ"},
		{Options{Ask: ask}, "MRZ"},
	} {
		s := open(t, newPACETwin(t, reference()), c.o)
		if s.Access().Password != c.want {
			t.Errorf("%s, want %s", s.Access().Password, c.want)
		}
	}

	w := newPACETwin(t, reference()) // a chip without CAN
	w.alter = func(c apdu.Command, r *apdu.Response) {
		if c.INS == 0x22 && slices.Contains(c.Data, 0x83) && c.Data[len(c.Data)-4] == auth.RefCAN {
			r.Status = apdu.ReferenceNotFound
		}
	}
	if s := open(t, w, Options{Passwords: append(can(), mrz()...)}); s.Access().Password != "MRZ" {
		t.Errorf("%+v", s.Access())
	}
}

func TestOpenWithoutPassword(t *testing.T) {
	cancelled := errors.New("cancelled by the user")
	for _, c := range []struct {
		o    Options
		want error
	}{
		{Options{AllowBAC: true}, ErrNoPassword},
		{Options{Ask: func(context.Context, Prompt) (auth.Password, error) { return auth.Password{}, nil }}, ErrNoPassword},
		{Options{Ask: func(context.Context, Prompt) (auth.Password, error) { return auth.Password{}, cancelled }}, cancelled},
	} {
		w := newPACETwin(t, reference())
		if s, err := Open(t.Context(), w.link(), c.o); s != nil || !errors.Is(err, c.want) || w.count(0x22, 0x84) > 0 {
			t.Errorf("%v, want %v", err, c.want)
		}
	}
	w := newTwin(t, reference()) // BAC takes no CAN
	if s, err := Open(t.Context(), w.link(), Options{Passwords: can()}); s != nil || !errors.Is(err, ErrNoPassword) || w.count(0x84) > 0 {
		t.Errorf("%v, want ErrNoPassword", err)
	}
}

func TestOpenWrongPassword(t *testing.T) {
	w := newPACETwin(t, reference())
	for _, allow := range []bool{false, true} {
		s, err := Open(t.Context(), w.link(), Options{Passwords: append([]auth.Password{auth.CAN("654321")}, mrz()...), AllowBAC: allow})
		var wrong *auth.PasswordError
		if s != nil || !errors.Is(err, ErrWrongPassword) || !errors.As(err, &wrong) || wrong.Password != "CAN" || w.count(0x84) > 0 {
			t.Errorf("%v, want ErrWrongPassword and no BAC", err)
		}
	}
}

// TestBACOnlyWithoutCardAccess lets BAC in by itself where the chip denies EF.CardAccess
// by its name, and never for another reason.
func TestBACOnlyWithoutCardAccess(t *testing.T) {
	s := openBAC(t, newTwin(t, reference()))
	if a := s.Access(); a.Protocol != "BAC" || a.Password != "MRZ" || a.CardAccess != nil || a.Refused != nil {
		t.Errorf("%+v", a)
	}
	set := func(status apdu.Status, data ...byte) func(c apdu.Command, r *apdu.Response) {
		return func(c apdu.Command, r *apdu.Response) {
			if c.INS == 0xB0 || c.INS == 0xA4 && c.P1 == 2 {
				*r = apdu.Response{Data: data, Status: status}
			}
		}
	}
	for name, alter := range map[string]func(c apdu.Command, r *apdu.Response){
		"empty":      set(apdu.OK),
		"6282 empty": set(apdu.EndOfFile),
		"6982":       set(apdu.SecurityStatus),
		"6985":       set(apdu.ConditionsNotSatisfied),
		"6D00":       set(apdu.INSNotSupported),
		"6F00":       set(apdu.Unknown),
		"zeros":      set(apdu.OK, 0, 0, 0, 0),
		"no SET":     set(apdu.OK, 0x30, 0),
		"cut SET":    set(apdu.OK, 0x31, 0x14, 0x30, 0x12, 0x06, 0x0A, 0x04, 0x00),
		"too long":   set(apdu.OK, 0x31, 0x82, 0x20, 0x00),
		"no PACE":    set(apdu.OK, 0x31, 0),
	} {
		w := newPACETwin(t, reference())
		w.alter = alter
		if s, err := Open(t.Context(), w.link(), Options{Passwords: mrz()}); s != nil || !errors.Is(err, ErrNoAccess) || w.count(0x84, 0x82, 0x22) > 0 {
			t.Errorf("%s: %v, want ErrNoAccess and nothing tried", name, err)
		}
		w = newPACETwin(t, reference())
		w.alter = alter
		s, err := Open(t.Context(), w.link(), Options{Passwords: mrz(), AllowBAC: true})
		if err != nil || s.Access().Protocol != "BAC" || s.Access().Refused == nil {
			t.Errorf("%s with BAC allowed: %v", name, err)
		}
	}
}

// TestCardAccessByName finds EF.CardAccess on chips without short identifiers, and on
// those that start in an application.
func TestCardAccessByName(t *testing.T) {
	for _, status := range []apdu.Status{apdu.INSNotSupported, apdu.FileNotFound, apdu.NoCurrentFile, apdu.SecurityStatus, apdu.WrongP1P2} {
		w := newPACETwin(t, reference())
		w.alter = func(c apdu.Command, r *apdu.Response) {
			if c.INS == 0xB0 && c.P1 == 0x9C {
				*r = apdu.Response{Status: status}
			}
		}
		if s := open(t, w, Options{Passwords: can()}); s.Access().Protocol != "PACE" {
			t.Errorf("%v: %+v", status, s.Access())
		}
	}
	w := newPACETwin(t, reference())
	w.hidden, w.mf = true, apdu.OK
	if s := open(t, w, Options{Passwords: mrz()}); s.Access().Protocol != "PACE" {
		t.Errorf("%+v", s.Access())
	}
}

// TestNoSilentDowngrade plays downgrade.json: whatever step of PACE fails, and however,
// BAC is not tried unless the caller allows it, and then the failure is told.
func TestNoSilentDowngrade(t *testing.T) {
	var file struct {
		Cases []struct {
			ID, Protocol, Answer string
			Step                 string `json:"failing_step"`
		}
	}
	if err := json.Unmarshal(testdata.Read(t, "downgrade.json"), &file); err != nil {
		t.Fatal(err)
	}
	played := 0
	for _, c := range file.Cases {
		if c.Protocol != "PACE" {
			continue
		}
		played++
		step := 0
		if number, ok := strings.CutPrefix(c.Step, "GENERAL AUTHENTICATE "); ok {
			fmt.Sscan(number, &step)
		}
		var status apdu.Status
		fmt.Sscanf(c.Answer, "%04X", &status)
		fail := func(t testing.TB, allow bool) (*twin, *Session, error) {
			w := newPACETwin(t, reference())
			n := -1
			hit := false
			w.alter = func(c apdu.Command, r *apdu.Response) {
				if c.INS == 0x22 || c.INS == 0x86 {
					n++
				}
				if hit = n == step && (c.INS == 0x22 || c.INS == 0x86); hit {
					*r = apdu.Response{Status: status}
				}
			}
			w.tamper = func(_ apdu.Command, b []byte) ([]byte, error) {
				if hit && status == 0 {
					return nil, apdu.ErrTimeout
				}
				return b, nil
			}
			s, err := Open(t.Context(), w.link(), Options{Passwords: mrz(), AllowBAC: allow})
			return w, s, err
		}
		t.Run(c.ID, func(t *testing.T) {
			w, s, err := fail(t, false)
			if s != nil || err == nil || w.count(0x84, 0x82) > 0 {
				t.Errorf("%v; BAC was tried: %v", err, w.count(0x84, 0x82) > 0)
			}
			w, s, err = fail(t, true)
			switch {
			case status == 0 || step == 4 && status == apdu.AuthenticationFailed: // no answer; wrong password
				if s != nil || err == nil || w.count(0x84, 0x82) > 0 {
					t.Errorf("with BAC allowed: %v; BAC was tried: %v", err, w.count(0x84, 0x82) > 0)
				}
			case err != nil || s.Access().Protocol != "BAC" || !errors.Is(s.Access().Refused, status):
				t.Errorf("with BAC allowed: %v", err)
			}
		})
	}
	if played < 18 {
		t.Errorf("only %d cases", played)
	}
}

// TestApplicationAbsent does not fall back once a channel is open.
func TestApplicationAbsent(t *testing.T) {
	w := newPACETwin(t, reference())
	s, err := Open(t.Context(), w.link(), Options{Passwords: mrz(), AllowBAC: true, Application: []byte{0xA0, 0, 0, 0, 1}})
	if s != nil || !errors.Is(err, ErrNoApplication) || errors.Is(err, ErrNoAccess) || w.count(0x84) > 0 {
		t.Errorf("%v, want ErrNoApplication", err)
	}
	if w = newTwin(t, reference()); true {
		s, err = Open(t.Context(), w.link(), Options{Passwords: mrz(), Application: []byte{0xA0, 0, 0, 0, 1}})
		if s != nil || !errors.Is(err, ErrNoApplication) {
			t.Errorf("%v, want ErrNoApplication", err)
		}
	}
}

// TestChip1Ahead uses the first answer under the new keys for the file that is read next,
// and reads another file from its beginning.
func TestChip1Ahead(t *testing.T) {
	for _, next := range []lds.File{lds.DG2, lds.DG11} {
		for _, then := range []lds.File{lds.DG2, lds.DG13} {
			w := newPACETwin(t, reference())
			key, err := dh.P256().Generate()
			if err != nil {
				t.Fatal(err)
			}
			if w.ca, err = auth.NewChipAuthChip(auth.ChipAuthSecret{Protocol: caAES128, Key: key}); err != nil {
				t.Fatal(err)
			}
			s := open(t, w, Options{Passwords: can()})
			proof, err := s.Chip1(t.Context(), lds.ChipAuthKey{Public: key.Point(), Info: lds.ChipAuthInfo{OID: caAES128}}, next)
			if err != nil {
				t.Fatal(err)
			}
			if absent := proof.First.Status == apdu.FileNotFound; absent != (next == lds.DG11) {
				t.Errorf("%v: first answer %v", next, proof.First.Status)
			}
			if got, err := s.ReadFile(t.Context(), then, nil); err != nil || !slices.Equal(got, w.files[then]) {
				t.Errorf("%v after %v: %d octets, %v", then, next, len(got), err)
			}
			if _, err := s.ReadFile(t.Context(), lds.DG11, nil); !errors.Is(err, ErrFileAbsent) {
				t.Errorf("%v", err)
			}
		}
	}
}

// TestChip1Stranger meets a chip that has our key's file but not the key.
func TestChip1Stranger(t *testing.T) {
	w := newPACETwin(t, reference())
	key, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	if w.ca, err = auth.NewChipAuthChip(auth.ChipAuthSecret{Protocol: caAES128, Key: stranger}); err != nil {
		t.Fatal(err)
	}
	s := open(t, w, Options{Passwords: can()})
	if _, err := s.Chip1(t.Context(), lds.ChipAuthKey{Public: key.Point(), Info: lds.ChipAuthInfo{OID: caAES128}}, lds.DG1); !errors.Is(err, sm.ErrProtection) {
		t.Errorf("%v, want ErrProtection", err)
	}
	n := len(w.seen)
	if _, err := s.ReadFile(t.Context(), lds.DG1, nil); !errors.Is(err, sm.ErrClosed) || len(w.seen) != n {
		t.Errorf("%v after %d more commands", err, len(w.seen)-n)
	}
}

// TestChip1AfterBAC goes from 3DES to AES, which bears less in a block.
func TestChip1AfterBAC(t *testing.T) {
	w := newTwin(t, reference())
	key, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	if w.ca, err = auth.NewChipAuthChip(auth.ChipAuthSecret{Protocol: caAES128, Key: key}); err != nil {
		t.Fatal(err)
	}
	s := openBAC(t, w)
	if _, err := s.Chip1(t.Context(), lds.ChipAuthKey{Public: key.Point(), Info: lds.ChipAuthInfo{OID: caAES128}}, lds.DG2); err != nil {
		t.Fatal(err)
	}
	if got, err := s.ReadFile(t.Context(), lds.DG2, nil); err != nil || !slices.Equal(got, w.files[lds.DG2]) {
		t.Fatalf("%d octets, %v", len(got), err)
	}
	if n := w.count(0xB0) - 1; n != 90 { // 223 octets each; one more for EF.CardAccess
		t.Errorf("%d commands, want 90", n)
	}
}
