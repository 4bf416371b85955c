package desk

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/signing"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/issuance/vault"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

const (
	origin     = "desk.test/log"
	statusList = "urn:tamthe:test:status"
	kekName    = "vault-001"
	here       = "hanoi"
)

// rig is an office with a ledger on disk, a SPECIMEN authority, and two officers: An
// enrols and makes cards; Bình approves, checks, delivers and revokes. Both
// are administrators and custodians, and each is the second of the other.
type rig struct {
	dir      string
	store    *sqlite.Ledger
	subjects *sqlite.Subjects
	vault    *vault.Vault
	master   []byte
	now      time.Time
	trust    *pki.Store
	service  *signing.Service
	an, binh *Office
}

// The roles of the two.
var (
	rolesOfAn   = []issuance.Role{issuance.Admin, issuance.Registrar, issuance.Personaliser, issuance.Custodian, issuance.StockKeeper}
	rolesOfBinh = []issuance.Role{issuance.Admin, issuance.Approver, issuance.Inspector, issuance.Clerk, issuance.Revoker, issuance.Custodian, issuance.StockKeeper}
)

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newRig founds an office with its authority.
func newRig(t testing.TB) *rig {
	t.Helper()
	r := newOffice(t)
	check(t, r.an.MakeCSCA(t.Context(), r.csca(), "P-256"))
	must(r.an.MakeSigner(t.Context(), r.signer(), "P-256"))(t)
	check(t, r.an.MakeCRL(t.Context(), 90))
	r.loadTrust(t)
	return r
}

// newOffice founds an office without any authority.
func newOffice(t testing.TB) *rig {
	t.Helper()
	r := &rig{dir: t.TempDir(), now: newClock()}
	for _, d := range []string{"keys", "pki", "checkpoints"} {
		check(t, os.Mkdir(r.path(d), 0o700))
	}
	log := must(keystore.GenerateLog(r.path("keys", "log"), origin))(t)
	kek := must(keystore.GenerateSecret(r.path("keys", kekName), keystore.UseVault))(t)
	keys := must(sqlite.CreateSubjects(t.Context(), r.path("subjects.db"), kekName))(t)
	must(vault.Create(t.Context(), keys, kek))(t).Destroy()
	check(t, keys.Close())
	must(keystore.GenerateSecret(r.path("keys", "card-master"), keystore.UseCardMaster))(t)
	l := must(sqlite.Create(t.Context(), r.path("ledger.db"), origin, sqlite.Options{Signer: log, Checkpoints: r.path("checkpoints")}))(t)
	check(t, l.Close())
	for _, name := range []string{"an", "binh"} {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		check(t, err)
		check(t, os.WriteFile(r.path("keys", "seed-"+name), key.Seed(), 0o600))
	}
	r.open(t)
	check(t, r.an.Found(t.Context(), origin, log.Verifier, Founder{Name: "an", Roles: rolesOfAn}, Founder{Name: "binh", Roles: rolesOfBinh}))
	r.pin(t)
	check(t, r.an.ReceiveBlanks(t.Context(), Range{Batch: "B-1", First: 1, Last: 100_000, At: here}, ""))
	return r
}

// newClock is the time at which every test begins, in Vietnam.
func newClock() time.Time { return time.Date(2026, 9, 1, 10, 0, 0, 0, time.FixedZone("ICT", 7*3600)) }

// open opens what lies in the rig's folder.
func (r *rig) open(t testing.TB) {
	t.Helper()
	r.store = must(sqlite.Open(t.Context(), r.path("ledger.db"), r.options(t)))(t)
	t.Cleanup(func() { r.close(t) })
	r.subjects = must(sqlite.OpenSubjects(t.Context(), r.path("subjects.db"), false))(t)
	kek := must(keystore.OpenSecret(r.path("keys", kekName), keystore.UseVault))(t)
	r.vault = must(vault.Open(t.Context(), r.subjects, kek))(t)
	r.master = must(keystore.OpenSecret(r.path("keys", "card-master"), keystore.UseCardMaster))(t).Bytes()
	r.openService(t)
	r.an = r.office(ed25519.NewKeyFromSeed(must(os.ReadFile(r.path("keys", "seed-an")))(t)))
	r.binh = r.office(ed25519.NewKeyFromSeed(must(os.ReadFile(r.path("keys", "seed-binh")))(t)))
	r.an.Second, r.binh.Second = r.binh.Signer, r.an.Signer
}

// options are how the rig's ledger is opened.
func (r *rig) options(t testing.TB) sqlite.Options {
	t.Helper()
	return sqlite.Options{Signer: must(keystore.OpenLog(r.path("keys", "log")))(t), Checkpoints: r.path("checkpoints")}
}

// close closes the ledger, once.
func (r *rig) close(t testing.TB) {
	t.Helper()
	if r.store != nil {
		check(t, r.store.Close())
		check(t, r.subjects.Close())
	}
	r.store = nil
}

func (r *rig) path(parts ...string) string {
	return filepath.Join(append([]string{r.dir}, parts...)...)
}

// office is the desk with an operator at it.
func (r *rig) office(key ed25519.PrivateKey) *Office {
	return &Office{
		Store: r.store, Vault: r.vault, Signer: key, Now: func() time.Time { return r.now }, Place: here,
		Authority: Authority{Keys: keystore.Folder{Dir: r.path("keys")}, PKI: r.path("pki")}, Signing: r.service,
	}
}

// with is the office of another operator, enrolled by An.
func (r *rig) with(t testing.TB, name, person string, roles ...issuance.Role) *Office {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	check(t, r.an.AddOperator(t.Context(), pub, name, person, roles...))
	return r.office(key)
}

// through is An's office with another store in front of the ledger.
func (r *rig) through(s Store) *Office {
	o := *r.an
	o.Store, o.Signing = s, fronted{r.service, s}
	return &o
}

func (r *rig) csca() ca.CSCA {
	return ca.CSCA{
		Country: "VN", State: "VNM", Organization: "tamthe", CommonName: "SPECIMEN CSCA", Specimen: true,
		Contact: "specimen@tamthe.example", CRL: []string{"http://specimen.tamthe.example/csca.crl"}, From: r.now, CardYears: 25,
	}
}

func (r *rig) signer() ca.Signer {
	return ca.Signer{From: r.now, CardYears: 25, DocumentTypes: []string{"ID"}}
}

// loadTrust trusts what the authority has issued so far.
func (r *rig) loadTrust(t testing.TB) {
	t.Helper()
	issuers := "[[issuer]]\ncountry = \"VN\"\ndocuments = [\"I\"]\ncrl = \"required\"\nstatus = \"required\"\nchip = \"required\"\n"
	check(t, os.WriteFile(r.path("pki", pki.IssuersFile), []byte(issuers), 0o600))
	r.trust = must(pki.LoadStore(os.DirFS(r.path("pki")), pki.LoadOptions{}))(t)
}

// person is an invented citizen: no province has the code 003.
func person(n int) vn.Person {
	return vn.Person{
		Number:  vn.Number("003190" + string([]byte{'0' + byte(n/100000%10), '0' + byte(n/10000%10), '0' + byte(n/1000%10), '0' + byte(n/100%10), '0' + byte(n/10%10), '0' + byte(n%10)})),
		Surname: "Nguyễn", Given: "Thị Thử Nghiệm", Sex: "F", Birth: vn.Date{Year: 1990, Month: 2, Day: 15},
		Nationality: "Việt Nam", Ethnicity: "Kinh", Religion: "Không", Origin: "Xã Thử Nghiệm, Tỉnh Mẫu",
		Residence: "Số 17, phố Không Có Thật, Tỉnh Mẫu", Features: "Nốt ruồi dưới đuôi mắt trái",
		Father: "Nguyễn Văn Cha", Mother: "Trần Thị Mẹ", Spouse: "Phạm Đức Chồng",
	}
}

// portrait draws something: plain and of a kilobyte, or grained and larger; a grain of 120
// makes 20 kB, as real ones have.
func portrait(grain int) []byte {
	img := image.NewGray(image.Rect(0, 0, 200+grain, 200+grain))
	grains := mathrand.New(mathrand.NewPCG(1, 2))
	for i := range img.Pix {
		img.Pix[i] = color.Gray{Y: uint8(128 + grains.IntN(1+grain))}.Y
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 30}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func enrolment(n int) Enrolment {
	return Enrolment{Person: person(n), Portrait: portrait(0), Profile: Profile, Reason: "first"}
}

// approved enrols a person and approves.
func (r *rig) approved(t testing.TB, e Enrolment) string {
	t.Helper()
	app := must(r.an.Enrol(t.Context(), e))(t)
	check(t, r.binh.Approve(t.Context(), app))
	return app
}

// slot is a reader with a chip in it, which a test may put something between.
type slot struct {
	chip *virtual.Chip
	n    int
	// exchange, if not nil, stands in for the chip; it sees the number of the command from 1.
	exchange func(ctx context.Context, n int, b []byte) ([]byte, error)
	resets   func() error
}

func insert(c *virtual.Chip) *slot {
	c.Reset()
	return &slot{chip: c}
}

func blank() *virtual.Chip { return virtual.New(virtual.Config{}) }

func (s *slot) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	s.n++
	if s.exchange != nil {
		return s.exchange(ctx, s.n, b)
	}
	return s.chip.Exchange(ctx, b)
}

func (s *slot) Reset(context.Context) error {
	if s.resets != nil {
		if err := s.resets(); err != nil {
			return err
		}
	}
	s.chip.Reset()
	return nil
}

func (r *rig) plan() Personalisation {
	qa, err := verify.PolicyByName("desk-qa")
	if err != nil {
		panic(err)
	}
	return Personalisation{
		Transport: func(context.Context, string) ([]gp.Keys, error) { return []gp.Keys{gp.TransportKeys()}, nil }, Master: gp.AESMaster(r.master),
		Verify: verify.Options{Trust: r.trust, Specimen: true, Policy: qa},
	}
}

// personalised makes the card of an application.
func (r *rig) personalised(t testing.TB, app string, c *virtual.Chip, p Personalisation) string {
	t.Helper()
	return must(r.an.Personalise(t.Context(), app, insert(c), p))(t)
}

// checked has Bình inspect a card.
func (r *rig) checked(t testing.TB, card string, c *virtual.Chip) {
	t.Helper()
	must(r.binh.Check(t.Context(), card, insert(c), r.examination()))(t)
}

// issued takes a person from enrolment to the card in their hand.
func (r *rig) issued(t testing.TB, e Enrolment, p Personalisation) (card string, c *virtual.Chip) {
	t.Helper()
	app, c := r.approved(t, e), blank()
	card = r.personalised(t, app, c, p)
	r.checked(t, card, c)
	check(t, r.binh.Deliver(t.Context(), card, Handover{}))
	return card, c
}

// checkpoint is what an officer in the street finds.
func (r *rig) checkpoint(t testing.TB, c *virtual.Chip, specimen bool, passwords ...auth.Password) *verify.Report {
	t.Helper()
	return must(verify.Inspect(t.Context(), apdu.Over(insert(c), apdu.Limits{}), verify.Options{
		Trust: r.trust, At: r.now, Status: r.an, Specimen: specimen, Passwords: passwords,
	}))(t)
}

func canOf(p vn.Person) auth.Password { return auth.CAN(p.Number.CAN()) }

// wantVerdict checks the verdict and, if there is one, that a reason is among the reasons.
func wantVerdict(t testing.TB, r *verify.Report, v verify.Verdict, reasons ...verify.Reason) {
	t.Helper()
	got := r.Reasons()
	if r.Verdict != v || len(reasons) > 0 && (len(got) == 0 || got[0] != reasons[0]) {
		t.Errorf("%v because of %v, want %v because of %v", r.Verdict, got, v, reasons)
		for _, c := range r.Checks {
			t.Logf("%-22s %-12v %-22s %s", c.ID, c.Outcome, c.Reason, c.Detail)
		}
	}
}

// phase is where a stream stands.
func (r *rig) phase(t testing.TB, id issuance.StreamID) issuance.Phase {
	t.Helper()
	return must(issuance.Load(t.Context(), r.store, id))(t).Subject(id).Phase
}

// wantPhase checks where a stream stands.
func (r *rig) wantPhase(t testing.TB, id issuance.StreamID, want issuance.Phase) {
	t.Helper()
	if got := r.phase(t, id); got != want {
		t.Errorf("%s is %q, not %q", id, got, want)
	}
}

// size is the number of entries of the ledger.
func (r *rig) size(t testing.TB) int64 {
	t.Helper()
	return must(r.store.Checkpoint(t.Context()))(t).Size
}

// sound audits the whole ledger.
func (r *rig) sound(t testing.TB) {
	t.Helper()
	report := must(r.store.Verify(t.Context(), nil))(t)
	if !report.OK() {
		t.Errorf("the ledger is not sound: %v", report.Findings)
	}
}

// wantError checks that an error is one of a kind.
func wantError(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, not %v", what, err, want)
	}
}

// wantType checks that an error has a type, and returns it.
func wantType[E error](t testing.TB, what string, err error) (e E) {
	t.Helper()
	if !errors.As(err, &e) {
		t.Errorf("%s: %v, not %T", what, err, e)
	}
	return e
}

func random(n int) int { return mathrand.IntN(n) }

// examination is how the rig's inspectors look at a card whose body nobody read.
func (r *rig) examination() Examination { return Examination{Verify: r.plan().Verify} }
