package monitor_test

import (
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/monitor"
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
func leaf(t *testing.T, r *rig, stream issuance.StreamID, act issuance.Act, fields map[string]string) []byte {
	t.Helper()
	e := issuance.Entry{
		Origin: ledgertest.Origin, Rules: issuance.RuleBook, Stream: stream, Seq: 1, ID: issuance.NewID(), Act: act,
		Time: r.office.Pass(time.Second), Operator: r.office.Signer.ID, Fields: fields,
	}
	if err := e.Sign(r.office.Signer.Key); err != nil {
		t.Fatal(err)
	}
	b, err := e.Leaf()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
