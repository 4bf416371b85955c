package virtual

import (
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"math/big"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
)

// thirdCard is an eID card of Chip Authentication version 3, kept in a file.
type thirdCard struct {
	path  string
	infos lds.SecurityInfos
	group dh.PseudonymGroup
}

var (
	thirdID   = big.NewInt(0x4F)
	psaSHA256 = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 11, 1, 2, 3}
)

func newThird(t *testing.T, access [2]lds.PseudonymAccess, points ...[]byte) thirdCard {
	t.Helper()
	curve := dh.BrainpoolP256r1()
	key, err := dh.NewPseudonymKey(generated(t, curve).Point(), generated(t, curve), generated(t, curve))
	if err != nil {
		t.Fatal(err)
	}
	c := thirdCard{path: filepath.Join(t.TempDir(), "eid.chip")}
	if c.group, err = key.Group(); err != nil {
		t.Fatal(err)
	}
	ecdh := asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 3, 2}
	c.infos = lds.SecurityInfos{
		PACE:       []lds.PACEInfo{{OID: asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 4, 2, 2}, Version: 2, ParameterID: 13}},
		Chip:       []lds.ChipAuthInfo{{OID: append(ecdh, 2), Version: 3, KeyID: thirdID}},
		Domains:    []lds.ChipAuthDomain{{OID: ecdh, Domain: lds.Domain{Group: dh.P256()}, KeyID: thirdID}},
		Pseudonyms: []lds.PseudonymInfo{{OID: psaSHA256, Version: 1, Access: access, KeyID: thirdID}},
	}
	raw, err := lds.EncodeSecurityInfos(c.infos)
	if err != nil {
		t.Fatal(err)
	}
	chip, err := FromFolder(folder(map[lds.File][]byte{lds.CardAccess: raw}), FolderOptions{
		Path: c.path, MRZ: mrzInformation, PIN: pinDigits, Limits: extended, TrustPoints: points,
		Pseudonyms: []PseudonymKey{{thirdID, key}}, EID: eidGroupsOf,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := chip.Close(); err != nil {
		t.Fatal(err)
	}
	return c
}

// open has a terminal open the card with the PIN, up to the key agreement.
func (c thirdCard) open(t *testing.T, key auth.TerminalKey, chat cvc.CHAT) (*card.Session, *auth.AnonymousProof, func() error) {
	t.Helper()
	chip, err := Load(c.path)
	if err != nil {
		t.Fatal(err)
	}
	chip.Reset()
	chip.Limit(extended)
	s, err := card.Open(t.Context(), apdu.Over(chip, extended), card.Options{Passwords: []auth.Password{auth.PIN(pinDigits)}, CHAT: chat.Bytes(), Reader: extended})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	ta, err := s.Terminal2(t.Context(), key, c.infos.Domains[0].Domain.Group, nil)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := s.Chip3(t.Context(), ta, c.infos.Chip[0])
	if err != nil {
		t.Fatal(err)
	}
	return s, proof, chip.Close
}

// sectorTerminal is a terminal with rights and a sector in its certificate.
func sectorTerminal(t *testing.T, u *country, sector *dh.Point, bits ...int) auth.TerminalKey {
	t.Helper()
	hash := sha256.Sum256(sector.Bytes())
	pub, err := cvc.NewPublicKey(u.alg, u.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	c, err := cvc.Sign(cvc.Template{
		Authority: "UTDV0000001", Holder: "UTTERM00001", Key: pub, CHAT: cvc.NewCHAT(u.kind, cvc.TerminalRole, bits...),
		Effective: day(3, 1), Expiry: day(10, 31), Extensions: cvc.PseudonymSectors(13, hash[:]),
	}, u.alg, u.dvKey)
	if err != nil {
		t.Fatal(err)
	}
	k := u.terminal()
	k.Certificate = c
	return k
}

// TestEIDVersion3 runs PACE with the PIN, Terminal Authentication and Chip Authentication
// version 3, takes pseudonyms by the terminal's rights, and reads the eID application.
func TestEIDVersion3(t *testing.T) {
	const pseudonym, names, birth = 30, 7 + 4, 7 + 8
	sector := generated(t, dh.BrainpoolP256r1()).Point()
	u := newCountry(t, cvc.ECDSASHA256, cvc.AuthenticationTerminal, pseudonym, names, birth)
	c := newThird(t, [2]lds.PseudonymAccess{lds.PseudonymFree, lds.PseudonymAuthorized}, u.cvca.Raw)
	key := lds.PseudonymKey{Group: c.group, KeyID: thirdID}
	info := c.infos.Pseudonyms[0]
	var known [2]*dh.Point
	for _, right := range []bool{true, false} {
		bits := []int{names, birth}
		if right {
			bits = append(bits, pseudonym)
		}
		chat := cvc.NewCHAT(cvc.AuthenticationTerminal, cvc.TerminalRole, bits...)
		s, anonymous, away := c.open(t, sectorTerminal(t, u, sector, bits...), chat)
		proof, err := anonymous.Pseudonym(t.Context(), info, key, sector)
		if err != nil {
			t.Fatal(err)
		}
		if (proof.Pseudonyms[0] == nil) || (proof.Pseudonyms[1] != nil) != right {
			t.Errorf("with the right: %v: pseudonyms %v", right, proof.Pseudonyms)
		}
		if known[0] == nil {
			known = proof.Pseudonyms
		} else if !known[0].Equal(proof.Pseudonyms[0]) {
			t.Error("the same chip has another pseudonym in the sector")
		}
		if _, err := anonymous.Pseudonym(t.Context(), info, key, dh.BrainpoolP256r1().Generator()); !errors.Is(err, apdu.SecurityStatus) {
			t.Errorf("a sector that is not in the certificate: %v", err)
		}
		if err := s.Select(t.Context(), lds.EIDApplication()); err != nil {
			t.Fatal(err)
		}
		for n, want := range map[int]string{4: "ERIKA", 8: "19640812"} {
			raw, err := s.ReadFile(t.Context(), lds.EIDFile(n), nil)
			if err != nil {
				t.Fatal(err)
			}
			if g, err := lds.ParseEID(n, raw); err != nil || g.Text != want {
				t.Errorf("DG%d: %+v, %v", n, g, err)
			}
		}
		if _, err := s.ReadFile(t.Context(), lds.EIDFile(3), nil); !errors.Is(err, apdu.SecurityStatus) {
			t.Errorf("a group without the right to it: %v", err)
		}
		if err := away(); err != nil {
			t.Fatal(err)
		}
	}
	thief := newThird(t, [2]lds.PseudonymAccess{}, u.cvca.Raw)
	_, anonymous, away := thief.open(t, sectorTerminal(t, u, sector, names), cvc.NewCHAT(cvc.AuthenticationTerminal, cvc.TerminalRole, names))
	if proof, err := anonymous.Pseudonym(t.Context(), info, key, sector); proof != nil || !errors.Is(err, auth.ErrSignature) {
		t.Errorf("a chip of another group: %v", err)
	}
	if err := away(); err != nil {
		t.Error(err)
	}
}
