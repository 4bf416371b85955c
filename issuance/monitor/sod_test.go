package monitor_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/monitor"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/evidence/record"
)

// signed is a rig with an authority and a document signer; the monitor gets what was seen
// and what is published.
func signed(t *testing.T) (*rig, *authority, *signer) {
	t.Helper()
	r := newRig(t)
	r.now = r.office.Pass(0)
	r.o.SODs, r.o.Lists = []string{r.path("seen")}, []string{r.path("pki")}
	put(t, r.path("seen/README"), []byte("What checkpoints saw."))
	r.start()
	a := newAuthority(t, r)
	s := a.signer(t, "ds-101", true)
	put(t, r.path("pki/csca.crl"), a.crl(t, 90, true))
	r.export(t)
	r.now = r.office.Pass(time.Second)
	r.quiet(t)
	return r, a, s
}

// TestMinted: somebody signs a card with a stolen key. Once the log has come to entries that
// are later than the card was seen, and it is not there, it is alarmed about: with the next
// checkpoint, and at once where the log itself can be read.
func TestMinted(t *testing.T) {
	for _, live := range []bool{false, true} {
		r, a, s := signed(t)
		if live {
			r.o.Sources = []monitor.Source{monitor.Store("database", r.ledger)}
			r.start()
		}
		honest, minted := a.card(t, s, s.name), a.mint(t, s)
		put(t, r.path("seen/1"), honest)
		put(t, r.path("seen/2"), minted)
		r.now = r.office.Pass(time.Minute)
		if !live {
			r.quiet(t) // the newest published checkpoint is older than what was seen
			r.office.Pass(10 * time.Minute)
			r.issue(t, "ann")
			r.export(t)
			r.now = r.office.Pass(time.Minute)
		}
		list := r.alarms(t, monitor.Unlogged)
		sod, err := lds.ParseSOD(r.evidence(t, list[0], "EF.SOD"))
		if err != nil {
			t.Fatal(err)
		}
		if id := sod.CardID(); len(list) != 1 || list[0].Subject != hex.EncodeToString(id[:]) || sod.Verify(s.issuer.Certificate.PublicKey) != nil {
			t.Errorf("%v", list)
		}
		r.quiet(t)
		r.start()
		r.quiet(t)
	}
}

// TestMintedIdle: the office does nothing any more; what was seen is alarmed about in the end.
func TestMintedIdle(t *testing.T) {
	r, a, s := signed(t)
	put(t, r.path("seen/2"), a.mint(t, s))
	r.quiet(t)
	r.now = r.now.Add(25 * time.Hour)
	r.alarms(t, monitor.Unlogged)
}

// TestSeenBeforePublished: a card is seen before the log that has it is published.
func TestSeenBeforePublished(t *testing.T) {
	r, a, s := signed(t)
	put(t, r.path("seen/1"), a.card(t, s, s.name))
	for range 5 {
		r.quiet(t)
		r.now = r.office.Pass(time.Hour)
	}
	r.export(t)
	r.quiet(t)
	r.now = r.now.Add(48 * time.Hour)
	r.quiet(t)
}

// TestProvenBeforePublished: a card carries the proof that it stands in the log, and is seen
// before the log is published. It is waited for as long as that takes, and where the log never
// comes to it somebody was shown more than is published.
func TestProvenBeforePublished(t *testing.T) {
	r, a, s := signed(t)
	r.o.Silence = 10 * day
	r.start()
	a.proves = true
	put(t, r.path("seen/1"), a.card(t, s, s.name))
	for range 3 {
		r.now = r.office.Pass(50 * time.Hour)
		r.quiet(t)
	}
	r.export(t)
	r.quiet(t)
	put(t, r.path("seen/2"), a.card(t, s, s.name))
	r.now = r.office.Pass(time.Second)
	r.quiet(t)
	r.now = r.office.Pass(11 * day)
	r.alarms(t, monitor.Withheld, monitor.Silent)
}

// TestForgedProof: a thief makes a proof up, or shows that of a log of their own: it is told
// at once.
func TestForgedProof(t *testing.T) {
	r, a, s := signed(t)
	a.cards++
	id := a.drafted(t, s, nil).CardID
	own := leaf(t, r, issuance.Card("C-x"), issuance.Prepare, map[string]string{"cardid": hex.EncodeToString(id[:]), "ds": s.name})
	honest := a.proof(t, 20)
	for _, proof := range []*lds.LogProof{{Leaf: own, Proof: honest.Proof}, {Leaf: own, Proof: []byte("proof")}} {
		put(t, r.path("seen/"+ledgertest.Digest(string(proof.Proof))), issue(t, s.key)(a.drafted(t, s, proof).Draft, nil))
	}
	if list := r.alarms(t, monitor.Unlogged); len(list) != 1 { // it is one card
		t.Error(list)
	}
}

// TestInspections: a checkpoint's record says that a card of the issuer does not stand in a log.
func TestInspections(t *testing.T) {
	r, a, s := signed(t)
	sod, err := lds.ParseSOD(a.mint(t, s))
	if err != nil {
		t.Fatal(err)
	}
	id := sod.CardID()
	put(t, r.path("seen/record"), slices.Concat(r.inspection(t, verify.Absent, ledgertest.Digest("foreign")), r.inspection(t, verify.Failed, hex.EncodeToString(id[:]))))
	r.now = r.now.Add(25 * time.Hour)
	r.quiet(t)
	r.now = r.now.Add(25 * time.Hour)
	if list := r.alarms(t, monitor.Unlogged); len(list) != 1 || list[0].Subject != hex.EncodeToString(id[:]) {
		t.Error(list)
	}
}

// inspection is a line of a checkpoint's record.
func (r *rig) inspection(t *testing.T, outcome verify.Outcome, card string) []byte {
	t.Helper()
	e := record.New("verify", &verify.Report{At: r.now}, r.now)
	e.Number, e.Previous, e.Device, e.Card = 1, make([]byte, 32), make([]byte, 32), card
	e.Checks = []record.Check{{ID: verify.CheckLog, Outcome: outcome, Reason: verify.ReasonLogMissing}}
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

// TestInspectionsOfYears: a checkpoint's record is larger than anything else may be, and is read
// from where it was last read up to, however it is cut by the reading.
func TestInspectionsOfYears(t *testing.T) {
	r, _, _ := signed(t)
	old := bytes.Repeat(r.inspection(t, verify.Absent, ledgertest.Digest("foreign")), 1+(9<<20)/200)
	newer := func(text string) []byte { return r.inspection(t, verify.Failed, ledgertest.Digest(text)) }
	torn := newer("second")
	put(t, r.path("seen/record"), slices.Concat(old, newer("first"), torn[:20]))
	r.quiet(t)
	clear(old) // who reads it again sees that
	put(t, r.path("seen/record"), slices.Concat(old, newer("first"), torn))
	r.quiet(t)
	r.now = r.now.Add(25 * time.Hour)
	if list := r.alarms(t, monitor.Unlogged); len(list) != 2 {
		t.Error(list)
	}
}

// TestUnreadableDrops: a file that cannot be read, or is not whole yet, hides no other.
func TestUnreadableDrops(t *testing.T) {
	r, a, s := signed(t)
	put(t, r.path("seen/1"), nil)
	if err := os.Truncate(r.path("seen/1"), 9<<20); err != nil {
		t.Fatal(err)
	}
	put(t, r.path("seen/2/card"), a.card(t, s, s.name))
	r.export(t)
	for _, path := range []string{"seen/2/card", "seen/2"} {
		if err := os.Chmod(r.path(path), 0); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(r.path("seen/2"), 0o700) })
	put(t, r.path("seen/3"), a.mint(t, s))
	strange := a.crl(t, 90, false)
	put(t, r.path("pki/"+durable.Unfinished+"1"), strange)
	put(t, r.path("seen/"+durable.Unfinished+"1"), a.mint(t, s))
	r.quiet(t)
	r.now = r.now.Add(25 * time.Hour)
	round, err := r.m.Check(t.Context())
	if err != nil || len(round.Away) != 1 || !strings.Contains(round.Away[0].Error(), "octets") {
		t.Errorf("%v, %v", round.Away, err)
	}
	r.only(t, round.Raised, monitor.Unlogged)
}

// TestNotOurs: what strangers signed, and what nobody did, is no alarm.
func TestNotOurs(t *testing.T) {
	r, a, s := signed(t)
	_, otherAuthority, otherSigner := signed(t)
	put(t, r.path("seen/foreign"), otherAuthority.mint(t, otherSigner))
	forged := a.mint(t, s)
	forged[len(forged)-1] ^= 1 // its signature
	put(t, r.path("seen/forged"), forged)
	put(t, r.path("seen/cut"), forged[:100])
	put(t, r.path("seen/empty"), nil)
	r.now = r.now.Add(25 * time.Hour)
	r.quiet(t)
	r.now = r.now.Add(25 * time.Hour)
	r.quiet(t)
}

// TestOtherSigner: a card is signed by another document signer than the log says.
func TestOtherSigner(t *testing.T) {
	r, a, s := signed(t)
	second := a.signer(t, "ds-102", true)
	put(t, r.path("seen/1"), a.card(t, second, s.name))
	r.export(t)
	r.alarms(t, monitor.OtherSigner)
}

// TestStrangeSigner: the CSCA signed a document signer that is not in the log, and that one
// signed a card.
func TestStrangeSigner(t *testing.T) {
	r, a, _ := signed(t)
	put(t, r.path("seen/1"), a.mint(t, a.signer(t, "ds-666", false)))
	r.export(t)
	r.quiet(t)
	r.office.Pass(time.Hour)
	r.issue(t, "ann")
	r.now = r.office.Pass(time.Second)
	r.export(t)
	r.alarms(t, monitor.StrangeObject)
}

// TestStrangeList: the CSCA signed a list that is not in the log.
func TestStrangeList(t *testing.T) {
	r, a, _ := signed(t)
	put(t, r.path("pki/other.crl"), a.crl(t, 90, false))
	r.quiet(t)
	r.now = r.now.Add(25 * time.Hour)
	r.alarms(t, monitor.StrangeObject)
}

// TestOverCap: the log itself says that a signer signs more than it may.
func TestOverCap(t *testing.T) {
	r := newRig(t)
	r.office.Must(t, r.office.Certify("ds-900", "1")...)
	r.export(t)
	r.quiet(t)
	f := r.copied(t) // the rules would not let it: the log is forged
	for i := range 2 {
		f.leaves = append(f.leaves, leaf(t, r, issuance.Card(fmt.Sprint("C-", i)), issuance.Prepare,
			map[string]string{"cardid": ledgertest.Digest(fmt.Sprint(i)), "ds": "ds-900"}))
	}
	f.hash(t)
	r.anew(t, f)
	r.alarms(t, monitor.OverCap)
}

// leaf is one that somebody signed, whatever the rules say.
func leaf(t testing.TB, r *rig, stream issuance.StreamID, act issuance.Act, fields map[string]string) []byte {
	t.Helper()
	return leafBy(t, r, r.office.Signer, stream, act, fields)
}

func leafBy(t testing.TB, r *rig, by ledgertest.Officer, stream issuance.StreamID, act issuance.Act, fields map[string]string) []byte {
	t.Helper()
	e := issuance.Entry{
		Origin: ledgertest.Origin, Rules: issuance.RuleBook, Stream: stream, Seq: 1, ID: issuance.NewID(), Act: act,
		Time: r.office.Pass(time.Second), Operator: by.ID, Fields: fields,
	}
	if err := e.Sign(by.Key); err != nil {
		t.Fatal(err)
	}
	b, err := e.Leaf()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
