package verify

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
)

var testChallenge = []byte{1, 2, 3, 4, 5, 6, 7, 8}

func again(t *testing.T, rec Record, o Options) *Report {
	t.Helper()
	r, err := JudgeRecord(context.Background(), rec, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *Report) record() Record {
	p := r.Proofs
	if p.Active != nil {
		a := *p.Active
		a.Signature = slices.Clone(a.Signature)
		p.Active = &a
	}
	return Record{Files: maps.Clone(r.Files), Proofs: p}
}

func wantCheck(t *testing.T, r *Report, id string, o Outcome, why Reason) {
	t.Helper()
	if c := r.Check(id); c.Outcome != o || c.Reason != why {
		t.Errorf("%s: %v, %q (%s), want %v, %q", id, c.Outcome, c.Reason, c.Detail, o, why)
	}
}

// TestSignatureJudgedAgain: a signature over a challenge of the case counts by itself,
// another one only for who trusts the device.
func TestSignatureJudgedAgain(t *testing.T) {
	o := newOffice(t, "CSCA")
	options := o.options("checkpoint")
	options.Challenge = testChallenge
	r := inspect(t, o.usual().chip(t, nil), options)
	if r.Verdict != Accept || r.Session.Challenge != "case" || !bytes.Equal(r.Proofs.Active.Challenge[:], testChallenge) || !r.Proofs.Active.Chosen {
		t.Fatalf("%v, %+v, %+v", r.Verdict, r.Session, r.Proofs.Active)
	}
	for _, c := range []struct {
		bound, vouched bool
		outcome        Outcome
		reason         Reason
		verdict        Verdict
	}{
		{false, false, NotRun, ReasonRecorded, Refer},
		{true, false, Passed, "", Accept},
		{false, true, Passed, ReasonRecorded, Accept},
		{true, true, Passed, "", Accept},
	} {
		rec := r.record()
		rec.Bound, rec.Vouched = c.bound, c.vouched
		got := again(t, rec, options)
		wantCheck(t, got, CheckAA, c.outcome, c.reason)
		if got.Verdict != c.verdict || got.Session != nil {
			t.Errorf("bound %v, vouched %v: %v, %v", c.bound, c.vouched, got.Verdict, got.Reasons())
		}
		// Whatever is believed, the document itself must be trusted.
		stranger := options
		stranger.Trust = newOffice(t, "Other").store()
		if got := again(t, rec, stranger); got.Check(CheckAA).Outcome == Passed || got.Verdict == Accept {
			t.Errorf("a stranger's document: %v, %v", got.Verdict, got.Check(CheckAA))
		}
	}
}

// TestForgedRecords: no flag makes a wrong signature right.
func TestForgedRecords(t *testing.T) {
	o := newOffice(t, "CSCA")
	options := o.options("checkpoint")
	card, other := o.usual(), o.usual()
	options.Challenge = testChallenge
	r := inspect(t, card.chip(t, nil), options)
	for name, forge := range map[string]func(*Record){
		"a bit of the signature":    func(rec *Record) { rec.Proofs.Active.Signature[5] ^= 4 },
		"no signature":              func(rec *Record) { rec.Proofs.Active.Signature = nil },
		"another challenge":         func(rec *Record) { rec.Proofs.Active.Challenge[0]++ },
		"a challenge of zeros":      func(rec *Record) { rec.Proofs.Active.Challenge = [8]byte{} },
		"another card's DG15":       func(rec *Record) { rec.Files[lds.DG15] = other.files[lds.DG15] },
		"another card's files":      func(rec *Record) { rec.Files = other.files },
		"a transcript of no key":    func(rec *Record) { rec.Proofs.Agreement = &AgreementRecord{Key: []byte{4}} },
		"a transcript of that card": func(rec *Record) { rec.Proofs.Agreement = &AgreementRecord{Key: other.ca.Point().Bytes()} },
		"a mapping of no key":       func(rec *Record) { rec.Proofs.Mapping = &AgreementRecord{Key: card.ca.Point().Bytes()} },
	} {
		t.Run(name, func(t *testing.T) {
			rec := r.record()
			rec.Bound, rec.Vouched = true, true
			forge(&rec)
			if got := again(t, rec, options); got.Verdict != Refuse {
				t.Errorf("%v, %v", got.Verdict, got.Checks)
			}
		})
	}
}

// TestCloneLeavesItsSignature: what a copied chip signed stays on record, and convicts it
// again.
func TestCloneLeavesItsSignature(t *testing.T) {
	o := newOffice(t, "CSCA")
	card := o.usual()
	options := o.options("checkpoint")
	r := inspect(t, card.chip(t, func(f *virtual.FolderOptions) { f.AA = testKey(t) }), options)
	if r.Verdict != Refuse || r.Proofs.Active == nil || len(r.Proofs.Active.Signature) != 64 || r.Session.Challenge != "random" {
		t.Fatalf("%v, %+v", r.Verdict, r.Proofs.Active)
	}
	rec := r.record()
	rec.Bound, rec.Vouched = true, true
	wantCheck(t, again(t, rec, options), CheckAA, Failed, ReasonChipKeyMismatch)
}

// TestTranscriptProvesNothing: who has only DG14, and no chip, writes a transcript that is
// judged as a true one is. So it must not count for anybody but who trusts the device.
func TestTranscriptProvesNothing(t *testing.T) {
	o := newOffice(t, "CSCA")
	card := o.usual()
	delete(card.files, lds.DG15)
	o.sign(card)
	options := o.options("checkpoint")
	r := inspect(t, card.chip(t, func(f *virtual.FolderOptions) { f.AA = nil }), options)
	p := r.Proofs.Agreement
	if r.Verdict != Accept || r.Proofs.Active != nil || p == nil || !bytes.Equal(p.Key, card.ca.Point().Bytes()) || len(p.Ephemeral) != 65 || len(p.Answer) == 0 {
		t.Fatalf("%v, %+v", r.Verdict, p)
	}
	if bytes.Contains(p.Answer, []byte("NGUYEN")) {
		t.Error("the answer is kept in the clear")
	}
	infos, err := lds.ParseDG14(card.files[lds.DG14])
	if err != nil {
		t.Fatal(err)
	}
	keys, err := auth.ChipAuthKeys(infos)
	if err != nil {
		t.Fatal(err)
	}
	simulated := Record{Files: r.Files, Proofs: Proofs{Agreement: &AgreementRecord{
		Key: keys[0].Public.Bytes(), Ephemeral: testKey(t).Point().Bytes(), Answer: make([]byte, len(p.Answer)),
	}}}
	for _, rec := range []Record{r.record(), simulated} {
		got := again(t, rec, options)
		wantCheck(t, got, CheckCA1, NotRun, ReasonRecorded)
		if got.Verdict != Refer || !slices.Equal(got.Reasons(), []Reason{ReasonRecorded}) {
			t.Errorf("%v, %v", got.Verdict, got.Reasons())
		}
		rec.Bound = true // which speaks of Active Authentication only
		wantCheck(t, again(t, rec, options), CheckCA1, NotRun, ReasonRecorded)
		rec.Vouched = true
		got = again(t, rec, options)
		wantCheck(t, got, CheckCA1, Passed, ReasonRecorded)
		if got.Verdict != Accept {
			t.Errorf("vouched for: %v, %v", got.Verdict, got.Reasons())
		}
	}
}

// TestNoChallenge: a challenge that nobody can have meant is refused before the chip hears
// of it.
func TestNoChallenge(t *testing.T) {
	o := newOffice(t, "CSCA")
	for _, c := range [][]byte{{}, make([]byte, 7), make([]byte, 8), append(slices.Clone(testChallenge), 9)} {
		options := o.options("checkpoint")
		options.Challenge = c
		link := apdu.Over(o.usual().chip(t, nil), apdu.Limits{})
		if _, err := Inspect(context.Background(), link, options); !errors.Is(err, ErrChallenge) || link.Traffic().APDUs > 0 {
			t.Errorf("%x: %v after %d commands", c, err, link.Traffic().APDUs)
		}
	}
}

// TestMappingOnRecord: the transcript of the mapping counts as little, and as far as
// EF.CardSecurity is the state's.
func TestMappingOnRecord(t *testing.T) {
	o, thief := newOffice(t, "CSCA"), newOffice(t, "CSCA of nobody")
	key, other := testKey(t), testKey(t)
	card := o.usual()
	o.mapping(card, key)
	options := o.options("checkpoint")
	r := inspect(t, card.chip(t, func(f *virtual.FolderOptions) { f.AA, f.CA, f.Keys = nil, nil, []dh.Secret{key} }), options)
	if p := r.Proofs.Mapping; r.Verdict != Accept || p == nil || !bytes.Equal(p.Key, key.Point().Bytes()) || len(p.Ephemeral) == 0 || p.Answer != nil {
		t.Fatalf("%v, %+v", r.Verdict, p)
	}
	rec := r.record()
	wantCheck(t, again(t, rec, options), CheckCAM, NotRun, ReasonRecorded)
	rec.Vouched = true
	got := again(t, rec, options)
	wantCheck(t, got, CheckCAM, Passed, ReasonRecorded)
	if got.Verdict != Accept {
		t.Errorf("%v, %v", got.Verdict, got.Reasons())
	}
	forged := o.usual()
	thief.mapping(forged, other)
	rec.Files[lds.CardSecurity] = forged.files[lds.CardSecurity]
	rec.Proofs.Mapping = &AgreementRecord{Key: other.Point().Bytes(), Ephemeral: rec.Proofs.Mapping.Ephemeral}
	wantCheck(t, again(t, rec, options), CheckCAM, Undetermined, ReasonChipKeyUncovered)
}

// TestRSASignatureJudgedAgain is TestSignatureJudgedAgain for ISO/IEC 9796-2.
func TestRSASignatureJudgedAgain(t *testing.T) {
	o := newOffice(t, "CSCA")
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	o.must(err)
	pub, err := cert.NewPublicKey(&key.PublicKey)
	o.must(err)
	card := o.usual()
	card.files[lds.DG15], err = lds.EncodeDG15(pub)
	o.must(err)
	o.sign(card)
	options := o.options("checkpoint")
	options.Challenge = testChallenge
	r := inspect(t, card.chip(t, func(f *virtual.FolderOptions) { f.AA, f.ActiveRSA, f.ActiveHash = nil, key, crypto.SHA256 }), options)
	if r.Verdict != Accept || len(r.Proofs.Active.Signature) != 256 {
		t.Fatalf("%v, %v", r.Verdict, r.Reasons())
	}
	rec := r.record()
	rec.Bound = true
	if got := again(t, rec, options); got.Verdict != Accept || got.Check(CheckAA).Outcome != Passed {
		t.Errorf("%v, %+v", got.Verdict, got.Check(CheckAA))
	}
	rec.Proofs.Active.Signature[100] ^= 1
	wantCheck(t, again(t, rec, options), CheckAA, Failed, ReasonChipKeyMismatch)
}
