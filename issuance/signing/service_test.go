package signing

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/verify/receipt"
)

// sodOf reads a security object and verifies its signature under the signer it brings.
func sodOf(t testing.TB, raw []byte) *lds.SOD {
	t.Helper()
	s := must(lds.ParseSOD(raw))(t)
	check(t, s.Verify(s.Signed.Certificates[0].Parsed.PublicKey))
	return s
}

// wantSigned checks that a security object is of the candidate's groups and no others, and
// carries the proof that it was announced.
func (r *rig) wantSigned(c *candidate, raw []byte) *lds.SOD {
	t := r.t
	t.Helper()
	s := sodOf(t, raw)
	if len(s.Object.Hashes) != 5 {
		t.Errorf("%d groups", len(s.Object.Hashes))
	}
	for _, p := range c.request.Parts {
		n := map[string]int{"dg1": 1, "dg2": 2, "dg13": 13}[p.Name]
		if h, _ := s.Object.GroupHash(n); n != 0 && !bytes.Equal(h, p.Digest[:]) {
			t.Errorf("DG%d is not what was approved", n)
		}
	}
	p, _, ok := s.LogProof()
	if !ok {
		t.Fatal("no proof")
	}
	_, v := ledgertest.LogKey(t)
	proof := must(receipt.ParseBinary(p.Proof))(t)
	must(receipt.Verify(proof, p.Leaf, receipt.Policy{Logs: []note.Verifier{v}}))(t)
	leaf := must(receipt.ParseLeaf(p.Leaf))(t)
	id := s.CardID()
	if leaf.Fields["cardid"] != hex.EncodeToString(id[:]) || leaf.Act != "prepare" || leaf.Stream != c.card {
		t.Errorf("the leaf is %+v", leaf)
	}
	if ref, ok := s.StatusReference(); !ok || ref.List != statusList {
		t.Errorf("status %+v", ref)
	}
	return s
}

// signatures is how many digests the document signers signed, each once.
func (r *rig) signatures() (n int) {
	seen := map[string]bool{}
	for _, k := range r.keys {
		for _, d := range k.signed {
			seen[string(d)] = true
		}
	}
	return len(seen)
}

// acts are those of a card after its keys.
func (r *rig) acts(card string) (acts []issuance.Act) {
	for _, e := range must(r.store.Stream(r.t.Context(), issuance.Card(card)))(r.t) {
		acts = append(acts, e.Act)
	}
	return acts[3:]
}

func (r *rig) sound() {
	r.t.Helper()
	if report := must(r.store.Verify(r.t.Context(), nil))(r.t); !report.OK() {
		r.t.Errorf("the ledger is not sound: %v", report.Findings)
	}
}

// TestSign: a card that was approved is announced, proven and signed once; asked again, by
// the same request or by another service over the same folder, the answer is the same.
func TestSign(t *testing.T) {
	t.Run("forgetful", func(t *testing.T) { testSign(t, 1) })
	t.Run("with all in memory", func(t *testing.T) { testSign(t, maxHeld) })
}

func testSign(t *testing.T, held int) {
	r := newRig(t)
	r.o.held = held
	c, s := r.keyed(), r.service()
	raw := must(s.Sign(t.Context(), c.request))(t)
	r.wantSigned(c, raw)
	for name, s := range map[string]*Service{"again": s, "after a restart": r.service()} {
		if again := must(s.Sign(t.Context(), c.request))(t); !bytes.Equal(again, raw) {
			t.Errorf("%s: another security object", name)
		}
	}
	if got, n := r.acts(c.card), r.signatures(); !slices.Equal(got, []issuance.Act{issuance.Prepare, issuance.Sign}) || n != 1 {
		t.Errorf("%v, %d signatures", got, n)
	}
	r.sound()
}

// TestSignWithoutAA: a chip may prove itself by Chip Authentication alone.
func TestSignWithoutAA(t *testing.T) {
	r := newRig(t)
	c := r.begun()
	c.request.DG15, c.request.AA = nil, nil
	check(t, c.request.Sign(r.office.Personaliser.Key))
	r.generate(c)
	s := sodOf(t, must(r.service().Sign(t.Context(), c.request))(t))
	if _, there := s.Object.GroupHash(15); there || len(s.Object.Hashes) != 4 {
		t.Error("DG15 out of nothing")
	}
}

// TestRefusesWhatWasNotApproved: a desk and its personaliser in wrong hands ask for what two
// others did not approve. Nothing is announced, nothing is signed.
func TestRefusesWhatWasNotApproved(t *testing.T) {
	r := newRig(t)
	ctx, o := t.Context(), r.office
	other := r.keyed()
	for _, k := range []struct {
		name   string
		want   error
		change func(c *candidate)
	}{
		{"another DG1", issuance.ErrChanged, func(c *candidate) { c.part("dg1")[0]++ }},
		{"another portrait", issuance.ErrChanged, func(c *candidate) { c.part("dg2")[5]++ }},
		{"other fields", issuance.ErrChanged, func(c *candidate) { c.part("dg13")[31]++ }},
		{"another expiry", issuance.ErrChanged, func(c *candidate) { c.part("expiry")[31]++ }},
		{"another print", issuance.ErrChanged, func(c *candidate) { c.part("print")[31]++ }},
		{"another day of issue", issuance.ErrChanged, func(c *candidate) { c.request.Issued = c.request.Issued.AddDate(0, 0, 1) }},
		{"another salt", issuance.ErrChanged, func(c *candidate) { c.request.Salt[0]++ }},
		{"a group more", issuance.ErrChanged, func(c *candidate) {
			c.request.Parts = slices.Insert(c.request.Parts, 3, issuance.Part{Name: "dg3"})
		}},
		{"a group less", issuance.ErrChanged, func(c *candidate) { c.request.Parts = slices.Delete(c.request.Parts, 0, 1) }},
		{"another person's data", issuance.ErrChanged, func(c *candidate) { c.request.Parts, c.request.Salt = other.request.Parts, other.request.Salt }},
		{"another person's application", ErrNotApproved, func(c *candidate) { c.request.Application = other.app }},
		{"another person's card", ErrNotApproved, func(c *candidate) { c.request.Card = other.card }},
		{"a card that is not there", ErrNotApproved, func(c *candidate) { c.request.Card = "C-none" }},
		{"an application that is not there", ErrNotApproved, func(c *candidate) { c.request.Application = "A-none" }},

		{"another chip's keys", ErrEvidence, func(c *candidate) { q := other.request; c.request.CA, c.request.DG14 = q.CA, q.DG14 }},
		{"keys of no chip", ErrEvidence, func(c *candidate) { c.request.DG14 = other.request.DG14 }},
		{"another chip's AA key", ErrEvidence, func(c *candidate) { q := other.request; c.request.AA, c.request.DG15 = q.AA, q.DG15 }},
		{"AA's evidence for the other key", ErrEvidence, func(c *candidate) { c.request.CA = c.request.AA }},
		{"an altered answer", ErrEvidence, func(c *candidate) { c.request.CA.Answer[3]++ }},
		{"an altered command", ErrEvidence, func(c *candidate) { c.request.CA.Command[6]++ }},
		{"an altered challenge", ErrEvidence, func(c *candidate) { c.request.CA.Challenge[0]++ }},
		{"a chip by another name", ErrEvidence, func(c *candidate) { c.request.CA.Initialize[0]++ }},
		{"a new chip's keys", ErrEvidence, func(c *candidate) { chip(t, c.request) }},
		{"no evidence of the key in DG14", ErrEvidence, func(c *candidate) { c.request.CA = nil }},
		{"no evidence of the key in DG15", ErrEvidence, func(c *candidate) { c.request.AA = nil }},
		{"DG14 that is none", ErrEvidence, func(c *candidate) { c.request.DG14 = []byte{0x6e, 0} }},
		{"DG15 that is none", ErrEvidence, func(c *candidate) { c.request.DG15 = []byte{0x6f, 0} }},
	} {
		c := r.keyed()
		k.change(c)
		check(t, c.request.Sign(o.Personaliser.Key))
		r.refuses(k.name, c.request, k.want)
	}

	c := r.keyed()
	for name, k := range map[string]struct {
		by   ledgertest.Officer
		want error
	}{
		"the registrar asks": {o.Registrar, issuance.ErrRole}, "the approver asks": {o.Approver, issuance.ErrRole},
		"the service's own key asks": {o.Signer, issuance.ErrRole},
		"somebody unknown asks":      {ledgertest.NewOfficer("stranger", "p-99", issuance.Personaliser), issuance.ErrOperator},
	} {
		check(t, c.request.Sign(k.by.Key))
		r.refuses(name, c.request, k.want)
	}
	check(t, c.request.Sign(o.Personaliser.Key))
	c.request.Signature[10]++
	r.refuses("a forged signature", c.request, issuance.ErrSignature)
	c.request.Signature = nil
	r.refuses("no signature", c.request, ErrRequest)

	begun := r.begun()
	r.refuses("a chip without keys", begun.request, ErrNotApproved)
	check(t, r.act(act{stream: issuance.Card(begun.card), act: issuance.Spoil, by: o.Personaliser, fields: map[string]string{"reason": "torn"}}))
	r.refuses("a spoiled card", begun.request, ErrNotApproved)

	o.Must(t, ledgertest.Step{
		Stream: issuance.OperatorStream(o.Personaliser.ID), Act: issuance.Revoke, By: o.Root, Second: &o.Mate,
		Fields: map[string]string{"reason": "stolen"}, Release: []issuance.Claim{{Kind: issuance.HoldName, Value: o.Personaliser.Name}},
	})
	check(t, c.request.Sign(o.Personaliser.Key))
	r.refuses("a revoked personaliser", c.request, issuance.ErrOperator)

	if n := r.signatures(); n != 0 {
		t.Errorf("%d signatures", n)
	}
	if _, err := r.service().Sign(ctx, other.request); !errors.Is(err, issuance.ErrOperator) {
		t.Error(err)
	}
	r.sound()
}

func (c *candidate) part(name string) *[32]byte {
	for i := range c.request.Parts {
		if c.request.Parts[i].Name == name {
			return &c.request.Parts[i].Digest
		}
	}
	return nil
}

// refuses checks that nothing comes of a request: no security object, and no entry.
func (r *rig) refuses(what string, q *Request, want error) {
	r.t.Helper()
	before := r.size()
	sod, err := r.service().Sign(r.t.Context(), q)
	if sod != nil || !errors.Is(err, want) || r.size() != before {
		r.t.Errorf("%s: %d octets, %v, want %v; %d entries more", what, len(sod), err, want, r.size()-before)
	}
}

// TestAuthorityRefuses: the document signer's time, number of uses and revocation, and the
// age of the revocation list.
func TestAuthorityRefuses(t *testing.T) {
	r := newRig(t)
	one := r.keyed()
	day := 24 * time.Hour
	start := r.now
	for name, k := range map[string]struct {
		after time.Duration
		want  error
	}{
		"the list is too old":          {91 * day, ErrStaleCRL},
		"the signer's time is over":    {93 * day, ErrNoSigner},
		"the signer's time is to come": {-2 * day, ErrNoSigner},
	} {
		r.now = start.Add(k.after)
		r.refuses(name, one.request, k.want)
	}
	r.now = start
	must(r.service().Sign(t.Context(), one.request))(t)

	for range 2 {
		must(r.service().Sign(t.Context(), r.keyed().request))(t)
	}
	r.refuses("the fourth of three", r.keyed().request, ErrCap)
	r.signer("ds-002", r.now, "1")
	must(r.service().Sign(t.Context(), r.keyed().request))(t)
	r.refuses("the second of one", r.keyed().request, ErrCap)
	if n := r.signatures(); n != 4 {
		t.Errorf("%d signatures", n)
	}

	r.signer("ds-003", r.now, "10")
	c := r.keyed()
	check(t, r.act(act{
		stream: issuance.Key("ds-003"), act: issuance.Revoke, by: r.office.Custodian, second: &r.office.CustodianMate,
		fields: map[string]string{"reason": "compromised"},
	}))
	r.refuses("a revoked signer", c.request, ErrCap)
	r.signer("ds-004", r.now, "10")
	must(r.service().Sign(t.Context(), c.request))(t)
	r.now = r.now.Add(49 * time.Hour)
	late := r.keyed()
	r.refuses("a list that does not tell a revocation of two days ago", late.request, ErrStaleCRL)
	r.crl(90)
	must(r.service().Sign(t.Context(), late.request))(t)
	r.sound()
}
