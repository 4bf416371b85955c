package virtual

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

// country is a CVCA, a document verifier and a terminal, each with its key.
type country struct {
	alg                    cvc.Algorithm
	kind                   cvc.Terminal
	cvcaKey, dvKey, key    crypto.Signer
	cvca, verifier, holder *cvc.Certificate
}

func signer(t testing.TB, a cvc.Algorithm) crypto.Signer {
	t.Helper()
	if a.RSA() {
		return rsaKey(t, 2048)
	}
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// day is one of the year 2026.
func day(month time.Month, d int) cvc.Date {
	return cvc.On(time.Date(2026, month, d, 0, 0, 0, 0, time.UTC))
}

func certify(t testing.TB, a cvc.Algorithm, by crypto.Signer, car, chr string, key crypto.Signer, chat cvc.CHAT, from, to cvc.Date) *cvc.Certificate {
	t.Helper()
	pub, err := cvc.NewPublicKey(a, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	c, err := cvc.Sign(cvc.Template{Authority: cvc.Reference(car), Holder: cvc.Reference(chr), Key: pub, CHAT: chat, Effective: from, Expiry: to}, a, by)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newCountry has a terminal with rights of these bits.
func newCountry(t testing.TB, a cvc.Algorithm, kind cvc.Terminal, bits ...int) *country {
	t.Helper()
	u := &country{alg: a, kind: kind, cvcaKey: signer(t, a), dvKey: signer(t, a), key: signer(t, a)}
	all := cvc.NewCHAT(kind, cvc.CVCA).AllRights()
	u.cvca = certify(t, a, u.cvcaKey, "UTCVCA00001", "UTCVCA00001", u.cvcaKey, all, day(1, 1), day(12, 31))
	u.verifier = certify(t, a, u.cvcaKey, "UTCVCA00001", "UTDV0000001", u.dvKey, cvc.NewCHAT(kind, cvc.DVDomestic).AllRights(), day(2, 1), day(11, 30))
	u.holder = certify(t, a, u.dvKey, "UTDV0000001", "UTTERM00001", u.key, cvc.NewCHAT(kind, cvc.TerminalRole, bits...), day(3, 1), day(10, 31))
	return u
}

func (u *country) terminal() auth.TerminalKey {
	return auth.TerminalKey{Certificate: u.holder, Signer: u.key, Others: []*cvc.Certificate{u.verifier}}
}

// eacFiles are a document with DG3 and DG4 and a key of Chip Authentication.
func eacFiles(t testing.TB) (map[lds.File][]byte, *dh.PrivateKey) {
	t.Helper()
	ca := generated(t, dh.BrainpoolP256r1())
	files := documentFiles(t, nil, ca.Point())
	files[lds.DG3], files[lds.DG4] = []byte{0x63, 3, 'f', 'i', 'n'}, []byte{0x76, 3, 'i', 'r', 'i'}
	return files, ca
}

// inspected is a session after Chip Authentication, LDS1 selected.
type inspected struct {
	t    testing.TB
	ca   *auth.ChipProof
	name []byte // ID_PICC
}

func inspect(t testing.TB, c *Chip, files map[lds.File][]byte, byBAC bool) inspected {
	t.Helper()
	c.Reset()
	link := apdu.Over(c, extended)
	infos, err := lds.ParseCardAccess(files[lds.CardAccess])
	if err != nil {
		t.Fatal(err)
	}
	var ch *sm.Channel
	var name []byte
	if byBAC {
		if _, err := link.Transmit(t.Context(), apdu.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: []byte(aidLDS1)}); err != nil {
			t.Fatal(err)
		}
		if ch, err = auth.BAC(t.Context(), link, auth.MRZ(mrzInformation)); err != nil {
			t.Fatal(err)
		}
		name = []byte(mrzInformation[:10])
	} else {
		r, err := auth.PACE(t.Context(), link, auth.CAN(canDigits), infos.PACE[0])
		if err != nil {
			t.Fatal(err)
		}
		ch, name = r.Channel, auth.Compress(r.ChipKey)
		if _, err := ch.Transmit(t.Context(), apdu.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: []byte(aidLDS1)}); err != nil {
			t.Fatal(err)
		}
	}
	signed, err := lds.ParseDG14(files[lds.DG14])
	if err != nil {
		t.Fatal(err)
	}
	keys, err := auth.ChipAuthKeys(signed)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := auth.Chip1(t.Context(), ch, keys[0], readCommand(lds.DG1, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	return inspected{t, ca, name}
}

func (i inspected) authenticate(u *country, l apdu.Limits) error {
	return auth.Terminal1(i.t.Context(), i.ca, u.terminal(), i.name, []cvc.Reference{"UTCVCA00001"}, l)
}

func (i inspected) reads(f lds.File, want apdu.Status) {
	i.t.Helper()
	r, err := i.ca.Channel.Transmit(i.t.Context(), readCommand(f, 0, 5))
	if err != nil || r.Status != want {
		i.t.Errorf("%v: %v, %v; want %v", f, r.Status, err, want)
	}
}

// TestRightsOpenGroups opens DG3 and DG4 by the rights of the terminal, after PACE and after
// BAC, with certificates in one command and in chains.
func TestRightsOpenGroups(t *testing.T) {
	for _, alg := range []cvc.Algorithm{cvc.ECDSASHA256, cvc.RSAPSSSHA256} {
		for _, bits := range [][]int{{}, {cvc.ReadDG3}, {cvc.ReadDG4}, {cvc.ReadDG3, cvc.ReadDG4}} {
			for _, l := range []apdu.Limits{{}, extended} {
				for _, byBAC := range []bool{false, true} {
					files, ca := eacFiles(t)
					u := newCountry(t, alg, cvc.InspectionSystem, bits...)
					c, err := FromFolder(folder(files), FolderOptions{CA: ca, CAN: canDigits, TrustPoints: [][]byte{u.cvca.Raw}, Limits: extended, Model: P71()})
					if err != nil {
						t.Fatal(err)
					}
					i := inspect(t, c, files, byBAC)
					i.reads(lds.DG3, apdu.SecurityStatus)
					i.reads(lds.DG4, apdu.SecurityStatus)
					before := c.Cost().PublicKey
					if err := i.authenticate(u, l); err != nil {
						t.Fatalf("%v, rights %v: %v", alg, bits, err)
					}
					if c.Cost().PublicKey <= before {
						t.Error("the signatures cost nothing")
					}
					want := map[int]apdu.Status{cvc.ReadDG3: apdu.SecurityStatus, cvc.ReadDG4: apdu.SecurityStatus}
					for _, b := range bits {
						want[b] = apdu.OK
					}
					i.reads(lds.DG3, want[cvc.ReadDG3])
					i.reads(lds.DG4, want[cvc.ReadDG4])
					i.reads(lds.DG1, apdu.OK)
					c.Reset()
					again := inspect(t, c, files, byBAC)
					again.reads(lds.DG3, apdu.SecurityStatus) // rights end with the session
				}
			}
		}
	}
}

// TestCVCAFile names the trust points, the newest first.
func TestCVCAFile(t *testing.T) {
	files, ca := eacFiles(t)
	u := newCountry(t, cvc.ECDSASHA256, cvc.InspectionSystem, cvc.ReadDG3)
	c, err := FromFolder(folder(files), FolderOptions{CA: ca, CAN: canDigits, TrustPoints: [][]byte{u.cvca.Raw}, Limits: extended})
	if err != nil {
		t.Fatal(err)
	}
	i := inspect(t, c, files, false)
	r, err := i.ca.Channel.Transmit(t.Context(), apdu.Command{INS: 0xB0, P1: 0x9C, Le: 36})
	if err != nil || r.Status != apdu.OK {
		t.Fatal(r.Status, err)
	}
	if names, err := cvc.ParseCVCA(r.Data); err != nil || len(names) != 1 || names[0] != "UTCVCA00001" {
		t.Errorf("%v, %v", names, err)
	}
}

// TestTrustPointsMoveOn shows a link certificate: the chip trusts the new key, keeps the
// old one, moves its date on, and holds all that after a power cycle, from its file too. A
// chain of the new key's then opens it; certificates that ended before the date do not.
func TestTrustPointsMoveOn(t *testing.T) {
	files, ca := eacFiles(t)
	u := newCountry(t, cvc.ECDSASHA256, cvc.InspectionSystem, cvc.ReadDG3)
	path := filepath.Join(t.TempDir(), "chip")
	c, err := FromFolder(folder(files), FolderOptions{Path: path, CA: ca, CAN: canDigits, TrustPoints: [][]byte{u.cvca.Raw}, Limits: extended})
	if err != nil {
		t.Fatal(err)
	}
	next := newCountry(t, cvc.ECDSASHA256, cvc.InspectionSystem, cvc.ReadDG3, cvc.ReadDG4)
	all := cvc.NewCHAT(cvc.InspectionSystem, cvc.CVCA).AllRights()
	link := certify(t, u.alg, u.cvcaKey, "UTCVCA00001", "UTCVCA00002", next.cvcaKey, all, day(6, 1), day(12, 31))
	next.verifier = certify(t, u.alg, next.cvcaKey, "UTCVCA00002", "UTDV0000002", next.dvKey, cvc.NewCHAT(u.kind, cvc.DVDomestic).AllRights(), day(7, 1), day(12, 31))
	next.holder = certify(t, u.alg, next.dvKey, "UTDV0000002", "UTTERM00002", next.key, cvc.NewCHAT(u.kind, cvc.TerminalRole, cvc.ReadDG4), day(7, 1), day(12, 31))
	key := next.terminal()
	key.Others = append(key.Others, link)
	i := inspect(t, c, files, false)
	if err := auth.Terminal1(t.Context(), i.ca, key, i.name, []cvc.Reference{"UTCVCA00001"}, extended); err != nil {
		t.Fatal(err)
	}
	i.reads(lds.DG4, apdu.OK)
	i.reads(lds.DG3, apdu.SecurityStatus)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if c, err = Load(path); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Limit(extended)
	if names := c.image.trust.names(cvc.InspectionSystem); len(names) != 2 || names[0] != "UTCVCA00002" || names[1] != "UTCVCA00001" {
		t.Errorf("trust points %v", names)
	}
	if c.image.trust.today != day(7, 1) {
		t.Errorf("the chip's date is %v", c.image.trust.today)
	}
	i = inspect(t, c, files, false)
	if err := auth.Terminal1(t.Context(), i.ca, next.terminal(), i.name, []cvc.Reference{"UTCVCA00002"}, extended); err != nil {
		t.Errorf("by the new key: %v", err)
	}
	old := *u
	old.verifier = certify(t, u.alg, u.cvcaKey, "UTCVCA00001", "UTDV0000001", u.dvKey, cvc.NewCHAT(u.kind, cvc.DVDomestic).AllRights(), day(2, 1), day(5, 31))
	i = inspect(t, c, files, false)
	if err := i.authenticate(&old, extended); !errors.Is(err, apdu.AuthenticationFailed) {
		t.Errorf("a certificate that has ended: %v", err)
	}
	i.reads(lds.DG3, apdu.SecurityStatus)
}

// TestTerminalsThatAreRefused try a foreign chain, a wrong key, no Chip Authentication, and
// a chip without trust points.
func TestTerminalsThatAreRefused(t *testing.T) {
	files, ca := eacFiles(t)
	u := newCountry(t, cvc.ECDSASHA256, cvc.InspectionSystem, cvc.ReadDG3)
	c, err := FromFolder(folder(files), FolderOptions{CA: ca, CAN: canDigits, TrustPoints: [][]byte{u.cvca.Raw}, Limits: extended})
	if err != nil {
		t.Fatal(err)
	}
	stranger := newCountry(t, cvc.ECDSASHA256, cvc.InspectionSystem, cvc.ReadDG3)
	i := inspect(t, c, files, false)
	if err := i.authenticate(stranger, extended); !errors.Is(err, apdu.AuthenticationFailed) {
		t.Errorf("a stranger's chain: %v", err)
	}
	i.reads(lds.DG3, apdu.SecurityStatus)
	thief := *u
	thief.key = stranger.key
	i = inspect(t, c, files, false)
	if err := i.authenticate(&thief, extended); !errors.Is(err, apdu.AuthenticationFailed) {
		t.Errorf("another's certificate: %v", err)
	}
	i.reads(lds.DG3, apdu.SecurityStatus)
	i = inspect(t, c, files, false)
	i.name = []byte("wrong")
	if err := i.authenticate(u, extended); !errors.Is(err, apdu.AuthenticationFailed) {
		t.Errorf("another chip's name: %v", err)
	}
	i.reads(lds.DG3, apdu.SecurityStatus)
	s := openBy(t, c, extended, auth.MRZ(mrzInformation))
	defer s.Close()
	if r, err := s.Transmit(t.Context(), apdu.Command{INS: 0x84, Le: 8}); err != nil || r.Status != apdu.ConditionsNotSatisfied {
		t.Errorf("GET CHALLENGE at once: %v, %v", r.Status, err)
	}
	bare, err := FromFolder(folder(files), FolderOptions{CA: ca, CAN: canDigits, Limits: extended})
	if err != nil {
		t.Fatal(err)
	}
	i = inspect(t, bare, files, false)
	if err := i.authenticate(u, extended); !errors.Is(err, apdu.ReferenceNotFound) && !isStatus(err) {
		t.Errorf("a chip that trusts nobody: %v", err)
	}
	i.reads(lds.DG3, apdu.SecurityStatus)
}

// TestTornTrustPoint has the power fail while a trust point is written: the chip is what it
// was before.
func TestTornTrustPoint(t *testing.T) {
	files, ca := eacFiles(t)
	u := newCountry(t, cvc.ECDSASHA256, cvc.InspectionSystem, cvc.ReadDG3)
	c, err := FromFolder(folder(files), FolderOptions{CA: ca, CAN: canDigits, TrustPoints: [][]byte{u.cvca.Raw}, Limits: extended})
	if err != nil {
		t.Fatal(err)
	}
	next := signer(t, u.alg)
	link := certify(t, u.alg, u.cvcaKey, "UTCVCA00001", "UTCVCA00002", next, cvc.NewCHAT(u.kind, cvc.CVCA).AllRights(), day(6, 1), day(12, 31))
	key := u.terminal()
	key.Others = []*cvc.Certificate{link, certify(t, u.alg, next, "UTCVCA00002", "UTDV0000001", u.dvKey, cvc.NewCHAT(u.kind, cvc.DVDomestic).AllRights(), day(7, 1), day(12, 31))}
	for fail := 1; fail <= 3; fail++ {
		i := inspect(t, c, files, false)
		c.OnWrite(func(n int) bool { return n != fail })
		err := auth.Terminal1(t.Context(), i.ca, key, i.name, []cvc.Reference{"UTCVCA00001"}, extended)
		c.OnWrite(nil)
		c.Reset()
		names := c.image.trust.names(u.kind)
		switch {
		case fail == 1 && (err == nil || len(names) != 1 || c.image.trust.today != day(1, 1)):
			t.Errorf("torn at the trust point: %v, %v, %v", err, names, c.image.trust.today)
		case fail == 2 && (err == nil || len(names) != 2 || c.image.trust.today != day(1, 1)):
			t.Errorf("torn at the date: %v, %v, %v", err, names, c.image.trust.today)
		case fail == 3 && (err == nil || c.image.trust.today != day(6, 1)):
			t.Errorf("torn at the next date: %v, %v, %v", err, names, c.image.trust.today)
		}
	}
}
