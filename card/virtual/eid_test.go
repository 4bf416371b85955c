package virtual

import (
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"testing"
	"testing/fstest"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/testdata"
)

// eidCard is the chip of the BSI's worked example of EAC version 2, with its EF.CardSecurity
// and its private key, and an eID application beside it.
type eidCard struct {
	chip   *Chip
	access []byte // EF.CardAccess
	key    lds.ChipAuthKey
	bsi    auth.TerminalKey // the example's terminal
	cvca   *cvc.Certificate
}

var restrictedECDH = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 5, 2, 3}

// eidGroupsOf are data groups of a person: 3 expiry, 4 given names, 8 birth, 17 free, 18
// municipality.
var eidGroupsOf = map[int][]byte{
	3:  tlv.Encode(0x63, tlv.Encode(0x12, []byte("20301031"))),
	4:  tlv.Encode(0x64, tlv.Encode(0x0C, []byte("ERIKA"))),
	8:  tlv.Encode(0x68, tlv.Encode(0x12, []byte("19640812"))),
	18: tlv.Encode(0x72, tlv.Encode(0x04, []byte{2, 0x76, 3, 0x15})),
}

func newEID(t testing.TB, o FolderOptions) eidCard {
	t.Helper()
	var file struct {
		Cases []struct {
			CardAccess   string `json:"card_access"`
			CardSecurity string `json:"card_security"`
			Key          string `json:"ca_chip_private"`
			Terminal     string `json:"ta_terminal_certificate"`
			TerminalKey  string `json:"ta_terminal_key_pkcs8"`
			DV           string `json:"ta_dv_certificate"`
			CVCA         string `json:"ta_cvca_certificate"`
		}
	}
	if err := json.Unmarshal(testdata.Vectors(t, "worked/eac2-ecdh.json"), &file); err != nil {
		t.Fatal(err)
	}
	e := file.Cases[0]
	certificate := func(s string) *cvc.Certificate {
		c, err := cvc.Parse(unhex(t, s))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	static, err := dh.BrainpoolP256r1().NewPrivateKey(unhex(t, e.Key))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := lds.ParseCardSecurity(unhex(t, e.CardSecurity))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := auth.ChipAuthKeys(signed.Infos)
	if err != nil {
		t.Fatal(err)
	}
	out := eidCard{access: unhex(t, e.CardAccess), key: keys[0], cvca: certificate(e.CVCA)}
	holder := certificate(e.Terminal)
	curve := out.cvca.Key.EC.Curve()
	scalar := new(big.Int).SetBytes(testdata.Scalar(t, unhex(t, e.TerminalKey))).FillBytes(make([]byte, curve.OrderSize()))
	signer, err := curve.NewPrivateKey(scalar)
	if err != nil {
		t.Fatal(err)
	}
	out.bsi = auth.TerminalKey{Certificate: holder, Signer: signer, Others: []*cvc.Certificate{certificate(e.DV)}}
	o.MRZ, o.CAN, o.PIN, o.PUK = mrzInformation, canDigits, pinDigits, pukDigits
	o.Keys, o.EID, o.Limits = []dh.Secret{static}, eidGroupsOf, extended
	o.Restricted = []auth.ChipAuthSecret{{Protocol: restrictedECDH, KeyID: big.NewInt(1), Key: generated(t, dh.BrainpoolP256r1())}}
	o.TrustPoints = append(o.TrustPoints, out.cvca.Raw)
	out.chip, err = FromFolder(fstest.MapFS{
		"EF.CardAccess.bin":   {Data: out.access},
		"EF.CardSecurity.bin": {Data: unhex(t, e.CardSecurity)},
	}, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range out.chip.image.trust.points {
		if p.Holder == out.cvca.Holder { // the example's says that it is for inspection systems
			p.CHAT = cvc.NewCHAT(cvc.AuthenticationTerminal, cvc.CVCA).AllRights()
		}
	}
	return out
}

// run is a session that a terminal has opened with the PIN, up to Chip Authentication.
func (e eidCard) run(t testing.TB, key auth.TerminalKey, ask *cvc.CHAT, aux []byte) (*sm.Channel, error) {
	t.Helper()
	e.chip.Reset()
	infos, err := lds.ParseCardAccess(e.access)
	if err != nil {
		t.Fatal(err)
	}
	var o auth.PACEOptions
	if ask != nil {
		o.CHAT = ask.Bytes()
	}
	pace, err := auth.PACEWith(t.Context(), apdu.Over(e.chip, extended), auth.PIN(pinDigits), auth.PACEVariants(infos.PACE)[0], o)
	if err != nil {
		return nil, err
	}
	ta, err := auth.Terminal2(t.Context(), pace, key, e.key.Public.Group(), aux, extended)
	if err != nil {
		return nil, err
	}
	// Rights come into force with Chip Authentication.
	if r, err := pace.Channel.Transmit(t.Context(), selectEID); err != nil || r.Status != apdu.OK {
		t.Fatal(r.Status, err)
	}
	if r, err := pace.Channel.Transmit(t.Context(), apdu.Command{INS: 0xB0, P1: 0x84, Le: 256}); err != nil || r.Status != apdu.SecurityStatus {
		t.Errorf("before Chip Authentication: %v, %v", r.Status, err)
	}
	proof, err := auth.Chip2(t.Context(), ta, e.key)
	if err != nil {
		return nil, err
	}
	return proof.Channel, nil
}

var selectEID = apdu.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: []byte(aidEID)}

// TestEIDOfTheBSI plays the BSI's terminal against the BSI's chip.
func TestEIDOfTheBSI(t *testing.T) {
	e := newEID(t, FolderOptions{Model: P71()})
	chat := e.bsi.Certificate.CHAT
	ch, err := e.run(t, e.bsi, &chat, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range eidGroupsOf {
		want := apdu.SecurityStatus
		if chat.Terminal == cvc.AuthenticationTerminal && chat.Has(7+n) {
			want = apdu.OK
		}
		if r, err := ch.Transmit(t.Context(), apdu.Command{INS: 0xB0, P1: 0x80 | byte(n), Le: 256}); err != nil || r.Status != want {
			t.Errorf("DG%d: %v, %v; want %v", n, r.Status, err, want)
		}
	}
}

// TestSessionReadsEID goes the way of a terminal with package card's session: with the rights
// it reads the group, and before Chip Authentication nobody does.
func TestSessionReadsEID(t *testing.T) {
	u := newCountry(t, cvc.ECDSASHA256, cvc.AuthenticationTerminal, 7+4)
	e := newEID(t, FolderOptions{TrustPoints: [][]byte{u.cvca.Raw}})
	chat := cvc.NewCHAT(cvc.AuthenticationTerminal, cvc.TerminalRole, 7+4, 7+8)
	s, err := card.Open(t.Context(), apdu.Over(e.chip, extended), card.Options{Passwords: []auth.Password{auth.PIN(pinDigits)}, CHAT: chat.Bytes(), Reader: extended})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	offer, err := lds.ParseCardAccess(s.Access().CardAccess)
	if err != nil || len(offer.Domains) == 0 {
		t.Fatal(offer, err)
	}
	ta, err := s.Terminal2(t.Context(), u.terminal(), offer.Domains[0].Domain.Group, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := s.ReadFile(t.Context(), lds.CardSecurity, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := lds.ParseCardSecurity(raw)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := auth.ChipAuthKeys(signed.Infos)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Chip2(t.Context(), ta, keys[0]); err != nil {
		t.Fatal(err)
	}
	if err := s.Select(t.Context(), lds.EIDApplication()); err != nil {
		t.Fatal(err)
	}
	raw, err = s.ReadFile(t.Context(), lds.EIDFile(4), nil)
	if err != nil {
		t.Fatal(err)
	}
	if g, err := lds.ParseEID(4, raw); err != nil || g.Text != "ERIKA" {
		t.Errorf("%+v, %v", g, err)
	}
	// Asked for in PACE, and not in the certificates.
	if _, err := s.ReadFile(t.Context(), lds.EIDFile(8), nil); !errors.Is(err, apdu.SecurityStatus) {
		t.Errorf("DG8: %v", err)
	}
}

// TestEIDByRights reads what a terminal's rights, and what it asked for in PACE, allow, and
// nothing else; compares auxiliary data; and has the chip name itself to a sector.
func TestEIDByRights(t *testing.T) {
	u := newCountry(t, cvc.ECDSASHA256, cvc.AuthenticationTerminal, 0, 1, 2, 5, 7+4, 7+8, 7+18)
	e := newEID(t, FolderOptions{TrustPoints: [][]byte{u.cvca.Raw}})
	aux, err := auth.AuxiliaryData(auth.AuxiliaryItem{Kind: auth.AuxBirth, Value: []byte("20081125")},
		auth.AuxiliaryItem{Kind: auth.AuxExpiry, Value: []byte("20310101")}, auth.AuxiliaryItem{Kind: auth.AuxMunicipality, Value: []byte{2, 0x76}})
	if err != nil {
		t.Fatal(err)
	}
	ask := cvc.NewCHAT(cvc.AuthenticationTerminal, cvc.TerminalRole, 0, 1, 2, 5, 7+4, 7+8)
	ch, err := e.run(t, u.terminal(), &ask, aux)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]apdu.Status{3: apdu.SecurityStatus, 4: apdu.OK, 8: apdu.OK, 18: apdu.SecurityStatus, 9: apdu.FileNotFound} {
		if r, err := ch.Transmit(t.Context(), apdu.Command{INS: 0xB0, P1: 0x80 | byte(n), Le: 256}); err != nil || r.Status != want {
			t.Errorf("DG%d: %v, %v; want %v", n, r.Status, err, want)
		}
	}
	for kind, want := range map[string]bool{"birth": true, "expiry": false, "municipality": true} {
		oid := map[string]asn1.ObjectIdentifier{"birth": auth.AuxBirth, "expiry": auth.AuxExpiry, "municipality": auth.AuxMunicipality}[kind]
		if yes, err := auth.VerifyAuxiliary(t.Context(), ch, oid); err != nil || yes != want {
			t.Errorf("%s: %v, %v; want %v", kind, yes, err, want)
		}
	}
	sector := generated(t, dh.BrainpoolP256r1())
	var ids [2]string
	for i, l := range []apdu.Limits{{}, extended} {
		id, err := auth.Restricted(t.Context(), ch, restrictedECDH, big.NewInt(1), sector.Point(), l)
		if err != nil {
			t.Fatal(err)
		}
		ids[i] = hex.EncodeToString(id)
	}
	if ids[0] != ids[1] || len(ids[0]) != 64 {
		t.Errorf("identifiers %v", ids)
	}
	if err := auth.DeactivatePIN(t.Context(), ch, auth.RefPIN); err != nil {
		t.Error(err)
	}
	if _, err := e.run(t, u.terminal(), &ask, nil); !errors.Is(err, apdu.FileDeactivated) {
		t.Errorf("a PIN that is deactivated: %v", err)
	}
}

// TestEIDRefuses terminals without certificates that the chip believes, or without rights.
func TestEIDRefuses(t *testing.T) {
	u := newCountry(t, cvc.ECDSASHA256, cvc.AuthenticationTerminal, 7+4)
	e := newEID(t, FolderOptions{TrustPoints: [][]byte{u.cvca.Raw}})
	stranger := newCountry(t, cvc.ECDSASHA256, cvc.AuthenticationTerminal, 7+4)
	ask := cvc.NewCHAT(cvc.AuthenticationTerminal, cvc.TerminalRole, 7+4)
	if _, err := e.run(t, stranger.terminal(), &ask, nil); !errors.Is(err, apdu.AuthenticationFailed) {
		t.Errorf("a stranger: %v", err)
	}
	ch, err := e.run(t, u.terminal(), &ask, nil)
	if err != nil {
		t.Fatal(err)
	}
	sector := generated(t, dh.BrainpoolP256r1())
	if _, err := auth.Restricted(t.Context(), ch, restrictedECDH, big.NewInt(1), sector.Point(), extended); !errors.Is(err, apdu.SecurityStatus) {
		t.Errorf("Restricted Identification without the right: %v", err)
	}
	if _, err := auth.VerifyAuxiliary(t.Context(), ch, auth.AuxBirth); !errors.Is(err, apdu.ReferenceNotFound) {
		t.Errorf("auxiliary data that were not given: %v", err)
	}
	if err := auth.DeactivatePIN(t.Context(), ch, auth.RefPIN); !errors.Is(err, apdu.SecurityStatus) {
		t.Errorf("PIN management without the right: %v", err)
	}
}
