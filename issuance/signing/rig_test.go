package signing

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

const (
	profileName = "vn-cccd-2021"
	statusList  = "urn:tamthe:test:status:1"
)

// rig is an office with its ledger on disk, a SPECIMEN authority, and the service.
type rig struct {
	t      testing.TB
	dir    string
	store  *sqlite.Ledger
	office *ledgertest.Office
	now    time.Time
	root   *ca.Issuer
	csca   crypto.Signer
	keys   ring // the document signers' keys: nobody but the service is given them
	o      Options
	people int
}

// ring is where document signers' keys are; it counts how often one signs.
type ring map[string]*counting

func (r ring) Signer(_ context.Context, name string) (crypto.Signer, error) {
	if k, ok := r[name]; ok {
		return k, nil
	}
	return nil, os.ErrNotExist
}

// counting is a key that keeps what it signed.
type counting struct {
	crypto.Signer
	mu     sync.Mutex
	signed [][]byte
	fault  func(after bool) error // asked before and after each signature
}

func (c *counting) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if c.fault != nil {
		if err := c.fault(false); err != nil {
			return nil, err
		}
	}
	sig, err := c.Signer.Sign(r, digest, opts)
	c.mu.Lock()
	c.signed = append(c.signed, slices.Clone(digest))
	c.mu.Unlock()
	if err == nil && c.fault != nil {
		err = c.fault(true)
	}
	return sig, err
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), now: time.Date(2026, 9, 1, 3, 0, 0, 0, time.UTC), keys: ring{}}
	for _, d := range []string{"pki", "checkpoints"} {
		check(t, os.Mkdir(r.path(d), 0o700))
	}
	log, _ := ledgertest.LogKey(t)
	r.store = must(sqlite.Create(t.Context(), r.path("ledger.db"), ledgertest.Origin, r.options(log)))(t)
	t.Cleanup(func() { r.store.Close() })
	r.office = ledgertest.NewOffice(t, r.store)
	o := r.office
	o.Must(t, o.Init()...)
	for _, f := range []ledgertest.Officer{o.Registrar, o.Approver, o.Personaliser, o.Signer, o.Inspector, o.Clerk, o.Revoker, o.Custodian, o.CustodianMate, o.Keeper, o.KeeperMate} {
		o.Must(t, o.Hire(f))
	}
	o.Must(t, o.Stock()...)
	r.certify()
	r.crl(90)
	first := must(r.store.Stream(t.Context(), issuance.OperatorStream(o.Root.ID)))(t)[0]
	check(t, Create(r.path("signer"), must(PinOf(first))(t)))
	r.o = Options{
		Log: r.store, Operator: o.Signer.Key, Keys: r.keys, PKI: os.DirFS(r.path("pki")), Status: statusList,
		CardKeys:  func(context.Context, gp.KDD) (gp.Keys, error) { return gp.TransportKeys(), nil },
		Documents: map[string]Document{profileName: {Code: "ID", Groups: []int{1, 2, 13, 14}}},
		Now:       func() time.Time { return r.now },
		held:      1, // all is forgotten at once
	}
	return r
}

func (r *rig) options(log note.Signer) sqlite.Options {
	return sqlite.Options{Signer: log, Checkpoints: r.path("checkpoints")}
}

func (r *rig) path(parts ...string) string {
	return filepath.Join(append([]string{r.dir}, parts...)...)
}

// service opens the service anew, as after a crash.
func (r *rig) service() *Service {
	r.t.Helper()
	return must(Open(r.path("signer"), r.o))(r.t)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// certify makes a CSCA with the document signer ds-001, which may sign three cards.
func (r *rig) certify() {
	t := r.t
	key := must(dh.BrainpoolP256r1().Generate())(t)
	r.csca = key
	draft := must(ca.PrepareCSCA(ca.CSCA{
		Serial: ca.NewSerial(), Key: key.Public(), Country: "VN", State: "VNM", Organization: "tamthe", CommonName: "SPECIMEN CSCA",
		Specimen: true, Contact: "specimen@tamthe.example", CRL: []string{"http://specimen.tamthe.example/csca.crl"}, From: r.now.AddDate(0, -1, 0), CardYears: 25,
	}))(t)
	der := must(draft.Issue(key))(t)
	r.root = must(ca.NewIssuer(must(cert.Parse(der))(t)))(t)
	r.publish("csca", "csca", "certificate", "csca.cer", der, "")
	r.signer("ds-001", r.now, "3")
}

// signer makes a document signer of brainpoolP256r1.
func (r *rig) signer(name string, from time.Time, most string) {
	t := r.t
	key := must(dh.BrainpoolP256r1().Generate())(t)
	r.keys[name] = &counting{Signer: key}
	draft := must(r.root.PrepareSigner(ca.Signer{
		Serial: ca.NewSerial(), Key: key.Public(), CommonName: "SPECIMEN " + name, From: from, CardYears: 25, DocumentTypes: []string{"ID"},
	}))(t)
	r.publish(name, "ds", "certificate", name+".cer", must(draft.Issue(r.csca))(t), most)
}

// crl issues the next revocation list, good for so many days.
func (r *rig) crl(days int) {
	draft := must(r.root.PrepareCRL(ca.CRL{Number: big.NewInt(r.size()), At: r.now, Days: days}))(r.t)
	r.publish("csca", "csca", "crl", "csca.crl", must(draft.Issue(r.csca))(r.t), "")
}

func (r *rig) size() int64 { return must(r.store.Checkpoint(r.t.Context()))(r.t).Size }

// publish has the ledger say that something was issued, and puts it into the folder.
func (r *rig) publish(name, usage, object, file string, der []byte, most string) {
	o, t := r.office, r.t
	step := func(act issuance.Act, fields map[string]string) ledgertest.Step {
		return ledgertest.Step{Stream: issuance.Key(name), Act: act, By: o.Custodian, Second: &o.CustodianMate, Fields: fields}
	}
	if object == "certificate" {
		o.Must(t, step(issuance.Generate, map[string]string{"usage": usage, "public": ledgertest.Digest(name)}))
	}
	fields := map[string]string{"object": object, "tbs": ledgertest.Digest(string(der))}
	issue := maps.Clone(fields)
	issue["issued"] = ledgertest.Digest(string(der))
	if most != "" {
		fields["cap"] = most
	}
	o.Must(t, step(issuance.Prepare, fields))
	o.Must(t, step(issuance.Issue, issue))
	check(t, os.WriteFile(r.path("pki", file), der, 0o600))
}

// act signs and appends acts that the office in miniature does not know.
func (r *rig) act(steps ...act) error {
	ctx := r.t.Context()
	var about []issuance.StreamID
	for _, a := range steps {
		about = append(about, issuance.About(issuance.Entry{Stream: a.stream, Act: a.act, Operator: a.by.ID, Fields: a.fields})...)
		if a.second != nil {
			about = append(about, issuance.OperatorStream(a.second.ID))
		}
	}
	state := must(issuance.Load(ctx, r.store, about...))(r.t)
	var entries []issuance.Entry
	for _, a := range steps {
		e := must(state.Next(a.stream, a.act))(r.t)
		e.ID, e.Operator, e.Fields, e.Claims, e.Hold = issuance.NewID(), a.by.ID, a.fields, a.claims, a.hold
		e.Time = r.now
		if a.content != nil {
			e.Commitments = map[string][32]byte{issuance.Content: *a.content}
		}
		if a.second != nil {
			e.Second = a.second.ID
			check(r.t, e.Sign(a.second.Key))
		}
		check(r.t, e.Sign(a.by.Key))
		after, err := state.Apply(e)
		if err != nil {
			return err
		}
		state = after
		entries = append(entries, e)
	}
	return r.store.Append(ctx, state.Head(), entries...)
}

type act struct {
	stream  issuance.StreamID
	act     issuance.Act
	by      ledgertest.Officer
	second  *ledgertest.Officer
	fields  map[string]string
	content *[32]byte
	claims  []issuance.Claim
	hold    []issuance.Claim
}

// candidate is a card that waits for its signature, with what its request is made of.
type candidate struct {
	app, card string
	content   [32]byte
	request   *Request
}

// keyed takes a person to a card whose chip has made its keys.
func (r *rig) keyed() *candidate {
	r.t.Helper()
	c := r.begun()
	r.generate(c)
	return c
}

// begun takes a person to a card that is allocated.
func (r *rig) begun() *candidate {
	t, o := r.t, r.office
	t.Helper()
	r.people++
	c := &candidate{app: fmt.Sprintf("A-%d", r.people), card: fmt.Sprintf("C-%d", r.people)}
	c.request = r.request(c)
	c.content = must(issuance.CommitParts(c.request.Salt, c.request.Parts...))(t)
	person := fmt.Sprintf("person-%d", r.people)
	enrol := o.Enrol(c.app, person, "")
	enrol.Fields["profile"] = profileName
	check(t, r.act(
		act{stream: issuance.Person("P-" + person), act: issuance.Register, by: o.Registrar, fields: map[string]string{"application": c.app}, claims: ledgertest.Register(enrol).Claims},
		act{stream: issuance.Application(c.app), act: issuance.Enrol, by: o.Registrar, fields: enrol.Fields, content: &c.content, hold: enrol.Hold},
	))
	check(t, r.act(act{stream: issuance.Application(c.app), act: issuance.Approve, by: o.Approver, content: &c.content}))
	allocate := o.Begin(c.app, c.card)[1] // the blank card that it takes from stock
	allocate.Claims[0].Value = hex.EncodeToString(c.kdd(t))
	check(t, r.act(
		act{stream: issuance.Application(c.app), act: issuance.Personalise, by: o.Personaliser, fields: map[string]string{"card": c.card}, content: &c.content},
		act{
			stream: issuance.Card(c.card), act: issuance.Allocate, by: o.Personaliser,
			fields: allocate.Fields, content: &c.content, claims: allocate.Claims,
		},
	))
	check(t, r.act(act{stream: issuance.Card(c.card), act: issuance.Rotate, by: o.Personaliser, fields: map[string]string{"keyset": "48"}}))
	return c
}

func (c *candidate) kdd(t testing.TB) []byte {
	kdd := must(c.request.CA.KDD())(t)
	return kdd[:]
}

// generate says in the ledger that the chip made its keys.
func (r *rig) generate(c *candidate) {
	r.t.Helper()
	var claims []issuance.Claim
	for _, point := range c.points(r.t) {
		claims = append(claims, issuance.Claim{Kind: issuance.ClaimChipKey, Value: ledgertest.Digest(string(point))})
	}
	check(r.t, r.act(act{
		stream: issuance.Card(c.card), act: issuance.Generate, by: r.office.Personaliser,
		fields: map[string]string{"evidence": ledgertest.Digest(c.card)}, claims: claims,
	}))
}

func (c *candidate) points(t testing.TB) [][]byte {
	infos := must(lds.ParseDG14(c.request.DG14))(t)
	points := [][]byte{infos.ChipKeys[0].Key.EC.Bytes()}
	if c.request.DG15 != nil {
		points = append(points, must(lds.ParseDG15(c.request.DG15))(t).EC.Bytes())
	}
	return points
}

// request asks for the card of an invented person, with keys that a chip has just made.
func (r *rig) request(c *candidate) *Request {
	t := r.t
	q := &Request{Application: c.app, Card: c.card, Salt: sha256.Sum256([]byte("salt of " + c.app)), Issued: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)}
	for name, text := range map[string]string{
		"dg1": "MRZ of " + c.app, "dg2": "portrait of " + c.app, "dg13": "fields of " + c.app, "print": "print of " + c.app, "issued": "2026-09-01",
		"expiry": "2041-09-01", "reason": "first", "doctype": "id-card", "profile": profileName,
	} {
		q.Parts = append(q.Parts, issuance.Part{Name: name, Digest: sha256.Sum256([]byte(text))})
	}
	slices.SortFunc(q.Parts, func(a, b issuance.Part) int { return strings.Compare(a.Name, b.Name) })
	chip(t, q)
	check(t, q.Sign(r.office.Personaliser.Key))
	return q
}

// The protocols of the card's chip.
var (
	oidChip    = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 3, 2, 2}
	oidChipKey = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 1, 2}
)

// chip has a new chip make its keys and fills in what proves them.
func chip(t testing.TB, q *Request) {
	t.Helper()
	ctx := t.Context()
	c := virtual.New(virtual.Config{})
	c.Reset()
	link := apdu.Over(c, apdu.Limits{})
	must(link.Transmit(ctx, apdu.Command{INS: 0xA4, P1: 0x04, P2: 0x0C, Data: []byte{0xA0, 0, 0, 2, 0x47, 0x10, 1}}))(t)
	channel := must(gp.Open(ctx, link, gp.TransportKeys(), gp.FullSecurity))(t)
	made := func(use gp.KeyUse, reference byte, curve *dh.Curve) (cert.PublicKey, *gp.Evidence) {
		id, _ := curve.ID()
		ref := gp.KeyRef{Use: use, Reference: reference, Curve: byte(id)}
		must(channel.Generate(ctx, ref))(t)
		point := must(curve.ParsePoint(must(channel.PublicKey(ctx, ref))(t)))(t)
		return cert.PublicKey{EC: point}, must(channel.Evidence())(t)
	}
	aa, aaEvidence := made(gp.Signature, gp.KeyAA, dh.P256())
	key, evidence := made(gp.Agreement, gp.KeyCA, dh.BrainpoolP256r1())
	q.AA, q.CA = aaEvidence, evidence
	q.DG15 = must(lds.EncodeDG15(aa))(t)
	q.DG14 = must(lds.EncodeDG14(lds.SecurityInfos{
		Chip: []lds.ChipAuthInfo{{OID: oidChip, Version: 1}}, ChipKeys: []lds.ChipAuthPublicKey{{OID: oidChipKey, Key: key}},
	}))(t)
}
