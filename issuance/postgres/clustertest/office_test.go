//go:build linux && cgo

package clustertest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/signing"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/issuance/vault"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

const (
	origin = "cluster.example/log"
	here   = "hanoi"
)

// office is an office with its ledger on the cluster and a SPECIMEN authority. An enrols
// and makes cards, Bình approves, checks and delivers.
type office struct {
	dir      string
	cluster  *Cluster
	store    *postgres.Ledger // founded it, and is the signing service's
	vault    *vault.Vault
	master   []byte
	trust    *pki.Store
	signing  *signing.Service
	an, binh ed25519.PrivateKey
	people   atomic.Int32
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		check(t, err)
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newOffice founds an office on a new cluster.
func newOffice(t testing.TB) *office {
	t.Helper()
	o := &office{dir: t.TempDir(), cluster: Start(t)}
	for _, d := range []string{"keys", "pki"} {
		check(t, os.Mkdir(o.path(d), 0o700))
	}
	log := must(keystore.GenerateLog(o.path("keys", "log"), origin))(t)
	options := o.options(t)
	o.store = must(postgres.Create(t.Context(), o.cluster.DSN(), origin, options))(t)
	t.Cleanup(func() { o.store.Close() })
	kek := must(keystore.GenerateSecret(o.path("keys", "vault-001"), keystore.UseVault))(t)
	subjects := must(sqlite.CreateSubjects(t.Context(), o.path("subjects.db"), "vault-001"))(t)
	t.Cleanup(func() { subjects.Close() })
	o.vault = must(vault.Create(t.Context(), subjects, kek))(t)
	o.master = make([]byte, 32)
	rand.Read(o.master)
	_, o.an, _ = ed25519.GenerateKey(rand.Reader)
	_, o.binh, _ = ed25519.GenerateKey(rand.Reader)
	an := o.desk(o.store, o.an)
	an.Second = o.binh
	check(t, an.Found(t.Context(), origin, log.Verifier,
		desk.Founder{Name: "an", Roles: []issuance.Role{issuance.Admin, issuance.Registrar, issuance.Personaliser, issuance.Custodian, issuance.StockKeeper}},
		desk.Founder{Name: "binh", Roles: []issuance.Role{issuance.Admin, issuance.Approver, issuance.Inspector, issuance.Clerk, issuance.Revoker, issuance.Custodian}}))
	o.serve(t, an)
	check(t, an.ReceiveBlanks(t.Context(), desk.Range{Batch: "B-1", First: 1, Last: 100_000, At: here}, ""))
	o.authority(t, an)
	return o
}

// options are those of a program that holds the log key and has a place of its own for
// copies of checkpoints.
func (o *office) options(t testing.TB) postgres.Options {
	t.Helper()
	return postgres.Options{
		Signer: must(keystore.OpenLog(o.path("keys", "log")))(t), Checkpoints: t.TempDir(), Busy: 2 * time.Minute,
	}
}

// open is the ledger as another program has it.
func (o *office) open(t testing.TB, dsn string) *postgres.Ledger {
	t.Helper()
	l := must(postgres.Open(t.Context(), dsn, o.options(t)))(t)
	t.Cleanup(func() { l.Close() })
	return l
}

// authority makes CSCA, document signer and revocation list, and trusts them.
func (o *office) authority(t testing.TB, an *desk.Office) {
	t.Helper()
	ctx := t.Context()
	check(t, an.MakeCSCA(ctx, ca.CSCA{
		Country: "VN", State: "VNM", Organization: "tamthe", CommonName: "SPECIMEN CSCA", Specimen: true, Named: true,
		Contact: "specimen@tamthe.example", CRL: []string{"http://specimen.tamthe.example/csca.crl"}, From: now(), CardYears: 25,
	}, "P-256"))
	must(an.MakeSigner(ctx, ca.Signer{From: now(), CardYears: 25, DocumentTypes: []string{"ID"}, Named: true}, "P-256"))(t)
	check(t, an.MakeCRL(ctx, 90))
	issuers := "[[issuer]]\ncountry = \"VN\"\ndocuments = [\"I\"]\ncrl = \"required\"\nstatus = \"required\"\nchip = \"required\"\n"
	check(t, os.WriteFile(o.path("pki", pki.IssuersFile), []byte(issuers), 0o600))
	o.trust = must(pki.LoadStore(os.DirFS(o.path("pki")), pki.LoadOptions{}))(t)
}

func (o *office) path(parts ...string) string {
	return filepath.Join(append([]string{o.dir}, parts...)...)
}

// now is the desks' clock, which stands still.
func now() time.Time {
	return time.Date(2026, 9, 1, 10, 0, 0, 0, time.FixedZone("ICT", 7*3600))
}

// desk is the office with an operator at it, for one goroutine.
func (o *office) desk(store desk.Store, key ed25519.PrivateKey) *desk.Office {
	return &desk.Office{
		Store: store, Vault: o.vault, Signer: key, Now: now, Place: here, Signing: o.signing,
		Authority: desk.Authority{Keys: keystore.Folder{Dir: o.path("keys")}, PKI: o.path("pki")},
	}
}

// serve has a signing service beside the desks.
func (o *office) serve(t testing.TB, an *desk.Office) {
	t.Helper()
	ring := keystore.Folder{Dir: o.path("keys")}
	key := must(ring.Generate(t.Context(), "signer", "P-256"))(t)
	check(t, signing.Create(o.path("signer"), must(an.EnrolService(t.Context(), key.Public(), "signer"))(t)))
	o.signing = must(signing.Open(o.path("signer"), signing.Options{
		Log: o.store, Operator: key, Keys: ring, PKI: os.DirFS(o.path("pki")), Status: "urn:tamthe:test:status:1",
		CardKeys: desk.CardKeys(gp.AESMaster(o.master)), Documents: desk.Documents(), Now: now,
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

// plan is how a card is made.
func (o *office) plan() desk.Personalisation {
	return desk.Personalisation{
		Transport: func(context.Context, string) ([]gp.Keys, error) { return []gp.Keys{gp.TransportKeys()}, nil }, Master: gp.AESMaster(o.master),
		Verify: verify.Options{Trust: o.trust, Specimen: true},
	}
}
