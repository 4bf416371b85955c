package monitor_test

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/verify/status"
)

// authority is a CSCA with document signers, all of whose acts stand in the log.
type authority struct {
	r       *rig
	root    *ca.Issuer
	rootKey crypto.Signer
	lists   int64
	cards   int
	proves  bool // cards carry the proof that they stand in the log
	publics map[string]string
}

// proof is of an entry of the log; -1 is the newest.
func (a *authority) proof(t testing.TB, index int64) *lds.LogProof {
	t.Helper()
	if index < 0 {
		c, err := a.r.ledger.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		index = c.Size - 1
	}
	proof, err := a.r.ledger.Prove(t.Context(), index)
	if err != nil {
		t.Fatal(err)
	}
	octets, err := proof.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := a.r.ledger.Leaf(t.Context(), index)
	if err != nil {
		t.Fatal(err)
	}
	return &lds.LogProof{Leaf: leaf, Proof: octets}
}

// signer is a document signer.
type signer struct {
	name   string
	issuer *ca.Issuer
	key    crypto.Signer
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func issue(t testing.TB, key crypto.Signer) func(d *ca.Draft, err error) []byte {
	return func(d *ca.Draft, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		out, err := d.Issue(key)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func issuerOf(t testing.TB, der []byte) *ca.Issuer {
	t.Helper()
	c, err := cert.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	i, err := ca.NewIssuer(c)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// public is how the log names a key.
func public(t testing.TB, key crypto.Signer) string {
	t.Helper()
	spki, err := cert.MarshalPublicKey(key.Public(), false)
	if err != nil {
		t.Fatal(err)
	}
	return digest(spki)
}

// newAuthority makes the CSCA of an office.
func newAuthority(t testing.TB, r *rig) *authority {
	t.Helper()
	a := &authority{r: r, rootKey: newKey(t), publics: map[string]string{}}
	a.publics["csca"] = public(t, a.rootKey)
	der := issue(t, a.rootKey)(ca.PrepareCSCA(ca.CSCA{
		Serial: ca.NewSerial(), Key: a.rootKey.Public(), Country: "VN", State: "VNM", Organization: "Specimen", CommonName: "CSCA", Specimen: true,
		Contact: "csca@example.org", CRL: []string{"http://example.org/csca.crl"}, From: r.today(), CardYears: 5, Named: true,
	}))
	a.root = issuerOf(t, der)
	a.log(t, "csca", "csca", "certificate", der, nil)
	put(t, r.path("pki/csca.cer"), der)
	return a
}

func (r *rig) today() time.Time { return r.office.Pass(0).Truncate(24 * time.Hour) }

// log says in the log what is signed, and that it was.
func (a *authority) log(t testing.TB, name, usage, object string, signed []byte, more map[string]string) {
	t.Helper()
	o := a.r.office
	step := func(act issuance.Act, fields map[string]string) ledgertest.Step {
		return ledgertest.Step{Stream: issuance.Key(name), Act: act, By: o.Custodian, Second: &o.CustodianMate, Fields: fields}
	}
	if usage != "" {
		o.Must(t, step(issuance.Generate, map[string]string{"usage": usage, "public": cmp.Or(a.publics[name], ledgertest.Digest(name))}))
	}
	tbs := ledgertest.Digest("to be signed: " + digest(signed))
	fields := map[string]string{"object": object, "tbs": tbs}
	for k, v := range more {
		fields[k] = v
	}
	o.Must(t, step(issuance.Prepare, fields))
	done := map[string]string{"object": object, "tbs": tbs, "issued": digest(signed)}
	if next, ok := more["chr"]; ok {
		done["chr"] = next
	}
	o.Must(t, step(issuance.Issue, done))
}

// signer makes a document signer; only logged if it stands in the log.
func (a *authority) signer(t testing.TB, name string, logged bool) *signer {
	t.Helper()
	s := &signer{name: name, key: newKey(t)}
	a.publics[name] = public(t, s.key)
	der := issue(t, a.rootKey)(a.root.PrepareSigner(ca.Signer{
		Serial: ca.NewSerial(), Key: s.key.Public(), CommonName: "Document Signer " + name, From: a.r.today(), CardYears: 5, DocumentTypes: []string{"I"}, Named: true,
	}))
	s.issuer = issuerOf(t, der)
	if logged {
		a.log(t, name, "ds", "certificate", der, map[string]string{"issuer": "csca", "cap": "1000"})
	}
	return s
}

// crl makes the next revocation list.
func (a *authority) crl(t testing.TB, days int, logged bool, revoked ...*signer) []byte {
	t.Helper()
	return a.crlBy(t, "csca", days, logged, revoked...)
}

// crlBy is one that the log says was signed by the key of the name.
func (a *authority) crlBy(t testing.TB, name string, days int, logged bool, revoked ...*signer) []byte {
	t.Helper()
	a.lists++
	r := ca.CRL{Number: big.NewInt(a.lists), At: a.r.office.Pass(0), Days: days}
	for _, s := range revoked {
		r.Entries = append(r.Entries, cert.Revocation{Serial: s.issuer.Certificate.Serial, Time: r.At})
	}
	der := issue(t, a.rootKey)(a.root.PrepareCRL(r))
	if logged {
		a.log(t, name, "", "crl", der, nil)
	}
	return der
}

// draft is a security object that nobody has signed yet.
func (a *authority) draft(t testing.TB, s *signer) *ca.SODDraft {
	t.Helper()
	a.cards++
	return a.drafted(t, s, nil)
}

// drafted is the draft of the newest card, perhaps with a proof that it stands in the log.
func (a *authority) drafted(t testing.TB, s *signer, proof *lds.LogProof) *ca.SODDraft {
	t.Helper()
	r := ca.SOD{Hash: crypto.SHA256, Version: 1, DocumentType: "I", At: a.r.today(), LogProof: proof}
	for _, n := range []int{1, 2, 14, 15} {
		h := sha256.Sum256(fmt.Append(nil, "group ", n, " of ", a.cards))
		r.Groups = append(r.Groups, lds.GroupHash{Number: n, Hash: h[:]})
	}
	d, err := s.issuer.PrepareSOD(r)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// mint signs a card of which the log knows nothing: with a stolen key.
func (a *authority) mint(t testing.TB, s *signer) []byte {
	t.Helper()
	return issue(t, s.key)(a.draft(t, s).Draft, nil)
}

// card makes a card as the rules want it, and returns its EF.SOD. The log says that ds signs.
func (a *authority) card(t testing.TB, s *signer, ds string) []byte {
	t.Helper()
	d := a.draft(t, s)
	o, app, card := a.r.office, fmt.Sprint("A-", a.cards), fmt.Sprint("C-", a.cards)
	person := fmt.Sprint("person-", a.cards)
	o.Must(t, o.Enrol(app, person, ""))
	o.Must(t, o.Approve(app))
	o.Must(t, o.Begin(app, card)...)
	var raw []byte
	for _, step := range o.Journal(app, card) {
		switch step.Act {
		case issuance.Prepare:
			step.Fields["cardid"], step.Fields["ds"] = hex.EncodeToString(d.CardID[:]), ds
			step.Claims[0].Value = step.Fields["cardid"]
			step.Claims[1].Value = fmt.Sprint(ds, ":", a.cards)
		case issuance.Sign:
			if a.proves {
				raw = issue(t, s.key)(a.drafted(t, s, a.proof(t, -1)).Draft, nil)
			} else {
				raw = issue(t, s.key)(d.Draft, nil)
			}
			step.Fields["cardid"], step.Fields["ds"], step.Fields["sod"] = hex.EncodeToString(d.CardID[:]), ds, digest(raw)
		case issuance.Write, issuance.WriteDone:
			step.Fields["sod"] = digest(raw)
		}
		o.Must(t, step)
	}
	o.Must(t, o.Check(card))
	o.Must(t, o.Deliver(app, card, person, "")...)
	return raw
}

// statusList is one that says nothing of any card.
func (a *authority) statusList(t testing.TB, next time.Time) []byte {
	t.Helper()
	key := newKey(t)
	now := a.r.office.Pass(0).Truncate(time.Second)
	d, err := status.PrepareIndex(status.Header{
		Sort: status.Index, Country: "VN", Documents: []string{"I"}, URI: "https://example.org/status/1", Sequence: 1, Signed: now, NextUpdate: next,
	}, key.Public(), status.Indexes{})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := d.Sign(key)
	if err != nil {
		t.Fatal(err)
	}
	o := a.r.office
	step := func(act issuance.Act, fields map[string]string) ledgertest.Step {
		return ledgertest.Step{Stream: issuance.Key("status"), Act: act, By: o.Custodian, Fields: fields}
	}
	tbs := ledgertest.Digest("status")
	o.Must(t, step(issuance.Generate, map[string]string{"usage": "status", "public": public(t, key)}))
	o.Must(t, step(issuance.Prepare, map[string]string{"object": "status-list", "tbs": tbs}))
	o.Must(t, step(issuance.Issue, map[string]string{"object": "status-list", "tbs": tbs, "issued": digest(raw)}))
	return raw
}
