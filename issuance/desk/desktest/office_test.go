//go:build linux && cgo

package desktest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/signing"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/issuance/vault"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

// office is a desk with a ledger on disk and a SPECIMEN authority. An enrols and makes
// cards, Bình approves, checks and delivers.
type office struct {
	dir      string
	store    *sqlite.Ledger
	vault    *vault.Vault
	master   []byte
	now      time.Time
	trust    *pki.Store
	signing  *signing.Service
	an, binh ed25519.PrivateKey
	people   atomic.Int32
}

// keys are the algorithms of CSCA and document signer, and whether their certificates name
// the curves instead of writing their parameters out.
type keys struct {
	csca, signer string
	named        bool
}

// here is where the desk stands.
const here = "hanoi"

// usualKeys are those of the cards that are met in the street.
var usualKeys = keys{"P-384", "P-256", true}

// newOffice founds an office.
func newOffice(t testing.TB, k keys) *office {
	t.Helper()
	o := &office{dir: t.TempDir(), now: time.Date(2026, 9, 1, 10, 0, 0, 0, time.FixedZone("ICT", 7*3600))}
	for _, d := range []string{"keys", "pki", "checkpoints"} {
		check(t, os.Mkdir(o.path(d), 0o700))
	}
	const origin = "desktest.example/log"
	log := must(keystore.GenerateLog(o.path("keys", "log"), origin))(t)
	signer := must(keystore.OpenLog(o.path("keys", "log")))(t)
	o.store = must(sqlite.Create(t.Context(), o.path("ledger.db"), origin, sqlite.Options{Signer: signer, Checkpoints: o.path("checkpoints")}))(t)
	t.Cleanup(func() { o.store.Close() })
	kek := must(keystore.GenerateSecret(o.path("keys", "vault-001"), keystore.UseVault))(t)
	subjects := must(sqlite.CreateSubjects(t.Context(), o.path("subjects.db"), "vault-001"))(t)
	t.Cleanup(func() { subjects.Close() })
	o.vault = must(vault.Create(t.Context(), subjects, kek))(t)
	o.master = make([]byte, 32)
	rand.Read(o.master)
	_, o.an, _ = ed25519.GenerateKey(rand.Reader)
	_, o.binh, _ = ed25519.GenerateKey(rand.Reader)
	an := o.desk(o.an)
	an.Second = o.binh
	check(t, an.Found(t.Context(), origin, log.Verifier,
		desk.Founder{Name: "an", Roles: []issuance.Role{issuance.Admin, issuance.Registrar, issuance.Personaliser, issuance.Custodian, issuance.StockKeeper}},
		desk.Founder{Name: "binh", Roles: []issuance.Role{issuance.Admin, issuance.Approver, issuance.Inspector, issuance.Clerk, issuance.Revoker, issuance.Custodian}}))
	o.serve(t, an)
	check(t, an.ReceiveBlanks(t.Context(), desk.Range{Batch: "B-1", First: 1, Last: 10_000, At: here}, ""))
	o.authority(t, an, k)
	return o
}

// authority makes CSCA, document signer and revocation list, and trusts them.
func (o *office) authority(t testing.TB, an *desk.Office, k keys) {
	t.Helper()
	ctx := t.Context()
	check(t, an.MakeCSCA(ctx, ca.CSCA{
		Country: "VN", State: "VNM", Organization: "tamthe", CommonName: "SPECIMEN CSCA", Specimen: true,
		Contact: "specimen@tamthe.example", CRL: []string{"http://specimen.tamthe.example/csca.crl"}, From: o.now, CardYears: 25,
		Named: k.named,
	}, k.csca))
	must(an.MakeSigner(ctx, ca.Signer{From: o.now, CardYears: 25, DocumentTypes: []string{"ID"}, Named: k.named}, k.signer))(t)
	check(t, an.MakeCRL(ctx, 90))
	issuers := "[[issuer]]\ncountry = \"VN\"\ndocuments = [\"I\"]\ncrl = \"required\"\nstatus = \"required\"\nchip = \"required\"\n"
	check(t, os.WriteFile(o.path("pki", pki.IssuersFile), []byte(issuers), 0o600))
	o.trust = must(pki.LoadStore(os.DirFS(o.path("pki")), pki.LoadOptions{}))(t)
}

func (o *office) path(parts ...string) string {
	return filepath.Join(append([]string{o.dir}, parts...)...)
}

// desk is the office with an operator at it, for one goroutine.
func (o *office) desk(key ed25519.PrivateKey) *desk.Office {
	return &desk.Office{
		Store: o.store, Vault: o.vault, Signer: key, Now: func() time.Time { return o.now },
		Authority: desk.Authority{Keys: keystore.Folder{Dir: o.path("keys")}, PKI: o.path("pki")}, Signing: o.signing, Place: here,
	}
}

// serve has a signing service beside the desk.
func (o *office) serve(t testing.TB, an *desk.Office) {
	t.Helper()
	ring := keystore.Folder{Dir: o.path("keys")}
	key := must(ring.Generate(t.Context(), "signer", "P-256"))(t)
	check(t, signing.Create(o.path("signer"), must(an.EnrolService(t.Context(), key.Public(), "signer"))(t)))
	o.signing = must(signing.Open(o.path("signer"), signing.Options{
		Log: o.store, Operator: key, Keys: ring, PKI: os.DirFS(o.path("pki")), Status: "urn:tamthe:test:status:1",
		CardKeys: desk.CardKeys(gp.AESMaster(o.master)), Documents: desk.Documents(), Now: func() time.Time { return o.now },
	}))(t)
}

// person is somebody new: no province has the code 003.
func (o *office) person() vn.Person {
	return vn.Person{
		Number:  vn.Number(fmt.Sprintf("003190%06d", o.people.Add(1))),
		Surname: "Nguyễn", Given: "Thị Thử Nghiệm", Sex: "F", Birth: vn.Date{Year: 1990, Month: 2, Day: 15},
		Nationality: "Việt Nam", Ethnicity: "Kinh", Religion: "Không", Origin: "Xã Thử Nghiệm, Tỉnh Mẫu",
		Residence: "Số 17, phố Không Có Thật, Tỉnh Mẫu", Features: "Nốt ruồi dưới đuôi mắt trái",
		Father: "Nguyễn Văn Cha", Mother: "Trần Thị Mẹ", Spouse: "Phạm Đức Chồng",
	}
}

// portrait is a picture of so many octets, most of them in comments.
func portrait(size int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 240, 320)), nil); err != nil {
		panic(err)
	}
	out := append([]byte{}, b.Bytes()[:2]...)
	if fill := size - b.Len(); fill >= 4 {
		out = binary.BigEndian.AppendUint16(append(out, 0xFF, 0xFE), uint16(fill-2))
		out = append(out, bytes.Repeat([]byte{' '}, fill-4)...)
	}
	return append(out, b.Bytes()[2:]...)
}

// approved enrols the person and approves.
func (o *office) approved(t testing.TB, p vn.Person, photo []byte) (app string) {
	t.Helper()
	app = must(o.desk(o.an).Enrol(t.Context(), desk.Enrolment{Person: p, Portrait: photo, Profile: desk.Profile, Reason: "first"}))(t)
	check(t, o.desk(o.binh).Approve(t.Context(), app))
	return app
}

// plan is how a card is made.
func (o *office) plan() desk.Personalisation {
	return desk.Personalisation{
		Transport: func(context.Context, string) ([]gp.Keys, error) { return []gp.Keys{gp.TransportKeys()}, nil }, Master: gp.AESMaster(o.master),
		Verify: verify.Options{Trust: o.trust, Specimen: true},
	}
}

// handOver checks the card and delivers it.
func (o *office) handOver(t testing.TB, card string, chip desk.Chip) {
	t.Helper()
	must(o.desk(o.binh).Check(t.Context(), card, chip, desk.Examination{Verify: o.plan().Verify}))(t)
	check(t, o.desk(o.binh).Deliver(t.Context(), card, desk.Handover{}))
}

// checkpoint is how an officer in the street inspects cards of this office.
func (o *office) checkpoint(passwords ...auth.Password) verify.Options {
	return verify.Options{Trust: o.trust, At: o.now, Status: o.desk(o.an), Specimen: true, Passwords: passwords}
}

// zone is the printed zone of a person's card.
func (o *office) zone(t testing.TB, p vn.Person) *mrz.MRZ {
	t.Helper()
	day := time.Date(o.now.Year(), o.now.Month(), o.now.Day(), 0, 0, 0, 0, time.UTC)
	return must(vn.WriteMRZ(p, p.ExpiryAt(day)))(t)
}

// sound audits the whole ledger.
func (o *office) sound(t testing.TB) {
	t.Helper()
	report := must(o.store.Verify(t.Context(), nil))(t)
	if !report.OK() {
		t.Errorf("the ledger is not sound: %v", report.Findings)
	}
}

func blank() *virtual.Chip { return virtual.New(virtual.Config{}) }

// wantVerdict checks the verdict and, if one is given, the first reason for it.
func wantVerdict(t testing.TB, r *verify.Report, v verify.Verdict, reasons ...verify.Reason) {
	t.Helper()
	got := r.Reasons()
	if r.Verdict != v || len(reasons) > 0 && (len(got) == 0 || got[0] != reasons[0]) {
		t.Errorf("%v because of %v, want %v because of %v", r.Verdict, got, v, reasons)
		for _, c := range r.Checks {
			t.Logf("%-22s %-12v %-22s %s %v", c.ID, c.Outcome, c.Reason, c.Detail, c.Err)
		}
	}
}

// wantError checks that an error is one of a kind.
func wantError(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, not %v", what, err, want)
	}
}
