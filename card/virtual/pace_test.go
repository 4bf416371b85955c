package virtual

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
)

const (
	pinDigits = "123456"
	pukDigits = "9876543210"
)

// paceOID is id-PACE with a mapping and a cipher (Doc 9303-11 §9.2.1).
func paceOID(mapping, cipher int) asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 4, mapping, cipher}
}

// paceCard is a card that offers variants of PACE, with all four passwords and a static
// key on each curve.
func paceCard(t testing.TB, infos []lds.PACEInfo, o FolderOptions) *Chip {
	t.Helper()
	raw, err := lds.EncodeSecurityInfos(lds.SecurityInfos{PACE: infos})
	if err != nil {
		t.Fatal(err)
	}
	files := documentFiles(t, nil, nil)
	files[lds.CardAccess] = raw
	o.CAN, o.PIN, o.PUK = canDigits, pinDigits, pukDigits
	c, err := FromFolder(folder(files), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestPACEVariants opens one card by every mapping, several groups and every password.
func TestPACEVariants(t *testing.T) {
	var infos []lds.PACEInfo
	for mapping, groups := range map[int][]int{1: {0, 2}, 3: {1}, 2: {10, 13, 18}, 4: {12, 16}, 6: {12, 13}} {
		for _, id := range groups {
			infos = append(infos, lds.PACEInfo{OID: paceOID(mapping, 2+id%3), Version: 2, ParameterID: id})
		}
	}
	infos = append(infos, lds.PACEInfo{OID: paceOID(2, 1), Version: 2, ParameterID: 12})
	c := paceCard(t, infos, FolderOptions{
		Keys: []dh.Secret{generated(t, dh.P256()), generated(t, dh.BrainpoolP256r1())}, Model: P71(), Limits: extended,
	})
	for _, info := range infos {
		for _, p := range []auth.Password{auth.CAN(canDigits), auth.MRZ(mrzInformation), auth.PIN(pinDigits), auth.PUK(pukDigits)} {
			t.Run(fmt.Sprintf("%v/%d/%s", info.OID[9:], info.ParameterID, p.Name()), func(t *testing.T) {
				if p.Name() == "PUK" { // ten uses are all that it has
					c.image.failures[usesPUK] = 0
				}
				c.Reset()
				c.SetModel(P71())
				r, err := auth.PACE(t.Context(), apdu.Over(c, extended), p, info)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Channel.Close()
				if got, err := r.Channel.Transmit(t.Context(), readCommand(lds.CardAccess, 0, 256)); err != nil || got.Status != apdu.OK {
					t.Errorf("%v, %v", got.Status, err)
				}
				if c.Cost().PublicKey == 0 {
					t.Error("the keys cost nothing")
				}
			})
		}
	}
}

// TestPINTries spends the tries of the PIN: suspended with one left until the CAN comes
// first, blocked with none, unblocked by the PUK. The counter survives power cycles.
func TestPINTries(t *testing.T) {
	info := lds.PACEInfo{OID: paceOID(2, 2), Version: 2, ParameterID: 13}
	c := paceCard(t, []lds.PACEInfo{info}, FolderOptions{})
	try := func(over apdu.Transmitter, p auth.Password) (*auth.PACEResult, error) {
		return auth.PACE(t.Context(), over, p, info)
	}
	left := func(want int) {
		t.Helper()
		c.Reset()
		if got, s := send(t, c, "0022C1A4"+"0F800A04007F00070202040202830103"); s != apdu.VerifyFailed|apdu.Status(want) && (want < pinTries || s != apdu.OK) {
			t.Fatalf("%X, %v with %d tries left", got, s, want)
		}
		c.Reset()
	}
	link := apdu.Over(c, apdu.Limits{})
	left(3)
	for n := 2; n >= 1; n-- {
		if _, err := try(link, auth.PIN("000000")); !errors.Is(err, auth.ErrWrongPassword) {
			t.Fatalf("%d left: %v", n, err)
		}
		left(n)
	}
	// Suspended: the right PIN is not heard.
	if _, s := send(t, c, "0022C1A40F800A04007F00070202040202830103"); s != 0x63C1 {
		t.Fatal(s)
	}
	if _, s := send(t, c, "10860000027C0000"); s != apdu.ConditionsNotSatisfied {
		t.Errorf("a suspended PIN is heard: %v", s)
	}
	left(1)
	// The PUK opens and unblocks.
	r, err := try(link, auth.PUK(pukDigits))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Channel.Transmit(t.Context(), apdu.Command{INS: 0x2C, P1: 3, P2: 3}); err != nil || got.Status != apdu.OK {
		t.Errorf("unblock: %v, %v", got.Status, err)
	}
	left(3)
	// The PIN changes itself.
	if r, err = try(link, auth.PIN(pinDigits)); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Channel.Transmit(t.Context(), apdu.Command{INS: 0x2C, P1: 2, P2: 3, Data: []byte("654321")}); err != nil || got.Status != apdu.OK {
		t.Errorf("change: %v, %v", got.Status, err)
	}
	c.Reset()
	if _, err = try(link, auth.PIN("654321")); err != nil {
		t.Errorf("the new PIN: %v", err)
	}
	// Nobody else may.
	c.Reset()
	if r, err = try(link, auth.CAN(canDigits)); err != nil {
		t.Fatal(err)
	}
	for _, cmd := range []apdu.Command{
		{INS: 0x2C, P1: 3, P2: 3},
		{INS: 0x2C, P1: 2, P2: 3, Data: []byte("000000")},
		{INS: 0x2C, P1: 2, P2: 2, Data: []byte("000000")},
		{INS: 0x44, P1: 0x10, P2: 3},
		{INS: 0x04, P1: 0x10, P2: 3},
	} {
		if got, err := r.Channel.Transmit(t.Context(), cmd); err != nil || got.Status != apdu.SecurityStatus {
			t.Errorf("%02X %02X with the CAN: %v, %v", cmd.INS, cmd.P1, got.Status, err)
		}
	}
}

// TestPUKIsUsedUp opens with the PUK as often as the chip bears.
func TestPUKIsUsedUp(t *testing.T) {
	info := lds.PACEInfo{OID: paceOID(2, 2), Version: 2, ParameterID: 12}
	c := paceCard(t, []lds.PACEInfo{info}, FolderOptions{})
	for n := range pukUses + 1 {
		c.Reset()
		r, err := auth.PACE(t.Context(), apdu.Over(c, apdu.Limits{}), auth.PUK(pukDigits), info)
		if n < pukUses && err != nil {
			t.Fatalf("use %d: %v", n, err)
		}
		if n == pukUses && !errors.Is(err, auth.ErrBlocked) {
			t.Errorf("use %d: %v", n, err)
		}
		if r != nil {
			r.Channel.Close()
		}
	}
}

// TestCardSecurityBehindPACE reads it after PACE and not after BAC.
func TestCardSecurityBehindPACE(t *testing.T) {
	files := documentFiles(t, nil, nil)
	files[lds.CardSecurity] = []byte{0x30, 3, 1, 2, 3}
	c, err := FromFolder(folder(files), FolderOptions{CAN: canDigits})
	if err != nil {
		t.Fatal(err)
	}
	infos, err := lds.ParseCardAccess(files[lds.CardAccess])
	if err != nil {
		t.Fatal(err)
	}
	if _, s := send(t, c, "00B09D0000"); s != apdu.SecurityStatus {
		t.Errorf("in the clear: %v", s)
	}
	r, err := auth.PACE(t.Context(), apdu.Over(c, apdu.Limits{}), auth.CAN(canDigits), infos.PACE[0])
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Channel.Transmit(t.Context(), readCommand(lds.CardSecurity, 0, 256))
	if err != nil || !bytes.Equal(got.Data, files[lds.CardSecurity]) {
		t.Errorf("after PACE: %v, %v", got.Status, err)
	}
}

// TestSuspendedPINIsResumed opens a card by its last try of the PIN, which the CAN allows.
func TestSuspendedPINIsResumed(t *testing.T) {
	info := lds.PACEInfo{OID: paceOID(2, 2), Version: 2, ParameterID: 13}
	c := paceCard(t, []lds.PACEInfo{info}, FolderOptions{})
	c.image.failures[failuresPIN] = pinTries - 1
	open := func(p ...auth.Password) error {
		c.Reset()
		s, err := card.Open(t.Context(), apdu.Over(c, apdu.Limits{}), card.Options{Passwords: p})
		if err != nil {
			return err
		}
		defer s.Close()
		_, err = s.ReadFile(t.Context(), lds.DG1, nil)
		return err
	}
	if err := open(auth.PIN(pinDigits)); !errors.Is(err, auth.ErrSuspended) {
		t.Errorf("without the CAN: %v", err)
	}
	if err := open(auth.PIN(pinDigits), auth.CAN(canDigits)); err != nil {
		t.Errorf("with the CAN: %v", err)
	}
	if n := c.image.failures[failuresPIN]; n != 0 {
		t.Errorf("%d failures are counted", n)
	}
	c.image.failures[failuresPIN] = pinTries - 1
	if err := open(auth.PIN("000000"), auth.CAN(canDigits)); !errors.Is(err, auth.ErrWrongPassword) && !errors.Is(err, auth.ErrBlocked) {
		t.Errorf("a wrong last try: %v", err)
	}
	if err := open(auth.PIN(pinDigits), auth.CAN(canDigits)); !errors.Is(err, auth.ErrBlocked) {
		t.Errorf("blocked: %v", err)
	}
}
