package desk

import (
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/perso"
	"github.com/tamthe/tamthe/verify"
)

// TestAuthorityIsResumed cuts the making of the root, a signer and a list at every append,
// before it and after it, and has publishing fail: the same call again must succeed.
func TestAuthorityIsResumed(t *testing.T) {
	t.Parallel()
	makes := []struct {
		name, file string
		make       func(t *testing.T, r *rig, o *Office) error
	}{
		{"root", "csca.cer", func(t *testing.T, r *rig, o *Office) error { return o.MakeCSCA(t.Context(), r.csca(), "P-256") }},
		{"signer", "ds-001.cer", func(t *testing.T, r *rig, o *Office) error {
			name, err := o.MakeSigner(t.Context(), r.signer(), "P-256")
			if err == nil && name == "" {
				t.Error("a signer without a name")
			}
			return err
		}},
		{"list", "csca.crl", func(t *testing.T, _ *rig, o *Office) error { return o.MakeCRL(t.Context(), 90) }},
	}
	cuts := 0
	for stage, m := range makes {
		for at := 1; at <= 3; at++ {
			for _, after := range []bool{false, true} {
				r := newOffice(t)
				for _, earlier := range makes[:stage] {
					check(t, earlier.make(t, r, r.an))
				}
				f := &faulty{Store: r.store, at: at, after: after}
				err := m.make(t, r, r.through(f))
				if !f.happened() {
					continue
				}
				cuts++
				wantError(t, m.name, err, errFault)
				if err := m.make(t, r, r.an); stage == 0 && at == 2 && after {
					r.transition(t, "the root that was finished", err)
				} else if err != nil {
					t.Errorf("%s, cut at %d, %v: %v", m.name, at, after, err)
				}
				for _, later := range makes[stage+1:] {
					check(t, later.make(t, r, r.an))
				}
				r.works(t)
			}
		}
		r := newOffice(t)
		for _, earlier := range makes[:stage] {
			check(t, earlier.make(t, r, r.an))
		}
		check(t, os.Mkdir(r.path("pki", m.file), 0o700)) // nothing can be put in its place
		if err := m.make(t, r, r.an); err == nil {
			t.Error("published into nothing")
		}
		check(t, os.Remove(r.path("pki", m.file)))
		for _, this := range makes[stage:] {
			check(t, this.make(t, r, r.an))
		}
		r.works(t)
	}
	t.Logf("%d cuts", cuts)
}

// works makes a card under the authority.
func (r *rig) works(t *testing.T) {
	t.Helper()
	r.loadTrust(t)
	r.personalised(t, r.approved(t, enrolment(1)), blank(), r.plan())
	r.sound(t)
}

// TestSignedAndPublished: what was published before the cut is kept, not made again.
func TestSignedAndPublished(t *testing.T) {
	t.Parallel()
	r := newOffice(t)
	f := &faulty{Store: r.store, at: 2}
	wantError(t, "cut", r.through(f).MakeCSCA(t.Context(), r.csca(), "P-256"), errFault)
	before := must(os.ReadFile(r.path("pki", "csca.cer")))(t)
	check(t, r.an.MakeCSCA(t.Context(), ca.CSCA{}, "P-256"))
	if after := must(os.ReadFile(r.path("pki", "csca.cer")))(t); string(after) != string(before) {
		t.Error("another certificate was signed")
	}
	if n := len(must(r.store.Stream(t.Context(), issuance.Key("csca")))(t)); n != 3 {
		t.Errorf("%d entries", n)
	}
}

// TestForeignCertificateIsNotFinished: a certificate that was not prepared does not become
// ours by lying in the folder.
func TestForeignCertificateIsNotFinished(t *testing.T) {
	t.Parallel()
	other, r := newRig(t), newOffice(t)
	f := &faulty{Store: r.store, at: 2}
	wantError(t, "cut", r.through(f).MakeCSCA(t.Context(), r.csca(), "P-256"), errFault)
	check(t, os.WriteFile(r.path("pki", "csca.cer"), must(os.ReadFile(other.path("pki", "csca.cer")))(t), 0o600))
	check(t, r.an.MakeCSCA(t.Context(), r.csca(), "P-256"))
	must(r.an.certificate(t.Context(), "csca"))(t)
}

func TestKeyFiles(t *testing.T) {
	t.Parallel()
	r, ctx := newOffice(t), t.Context()
	wantError(t, "a signer without a root", second(r.an.MakeSigner(ctx, r.signer(), "P-256")), ErrNoCSCA)
	wantError(t, "a list without a root", r.an.MakeCRL(ctx, 90), ErrNoCSCA)
	bad := r.csca()
	bad.Contact = ""
	if err := r.an.MakeCSCA(ctx, bad, "P-256"); err == nil {
		t.Fatal("a root without a contact")
	}
	wantError(t, "another algorithm for the key that is there", r.an.MakeCSCA(ctx, r.csca(), "P-384"), keystore.ErrExists)
	check(t, r.an.MakeCSCA(ctx, r.csca(), "P-256"))
	must(r.an.MakeSigner(ctx, r.signer(), "P-256"))(t)

	f := &faulty{Store: r.store, at: 1, after: true}
	wantError(t, "cut", second(r.through(f).MakeSigner(ctx, r.signer(), "P-256")), errFault)
	check(t, os.Rename(r.path("keys", "ds-002"), r.path("keys", "saved")))
	wantError(t, "its key is lost", second(r.an.MakeSigner(ctx, r.signer(), "P-256")), keystore.ErrMissing)
	check(t, os.Link(r.path("keys", "ds-001"), r.path("keys", "ds-002")))
	wantError(t, "another key lies there", second(r.an.MakeSigner(ctx, r.signer(), "P-256")), issuance.ErrChanged)
	check(t, r.an.MakeCRL(ctx, 90, "ds-002"))
	if name := must(r.an.MakeSigner(ctx, r.signer(), "P-256"))(t); name != "ds-003" {
		t.Error("made", name)
	}
	r.works(t)
}

func TestSwappedCertificate(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	must(r.an.MakeSigner(ctx, r.signer(), "P-256"))(t)
	app := r.approved(t, enrolment(1))
	one, two := r.path("pki", "ds-001.cer"), r.path("pki", "ds-002.cer")
	b := must(os.ReadFile(two))(t)
	check(t, os.WriteFile(two, must(os.ReadFile(one))(t), 0o600))
	r.wantUntouched(t, r.an, app, issuance.ErrChanged)
	check(t, os.Remove(two))
	r.wantUntouched(t, r.an, app, fs.ErrNotExist)
	check(t, os.WriteFile(two, b, 0o600))
	r.personalised(t, app, blank(), r.plan())
}

// TestRevokedSigner: nothing is signed by a signer that was revoked between preparing and
// signing. The card is spoiled, and another made for the same application.
func TestRevokedSigner(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	app, c := r.approved(t, enrolment(1)), blank()
	f := &faulty{Store: r.store, at: 5}
	card, err := r.through(f).Personalise(ctx, app, insert(c), r.plan())
	wantError(t, "cut", err, errFault)
	r.wantPhase(t, issuance.Card(card), issuance.Prepared)
	check(t, r.an.MakeCRL(ctx, 90, "ds-001"))
	r.wantUntouched(t, r.an, app, ErrNoSigner)
	if name := must(r.an.MakeSigner(ctx, r.signer(), "P-256"))(t); name != "ds-002" {
		t.Error(name)
	}
	r.loadTrust(t)
	r.wantUntouched(t, r.an, app, ErrNoSigner)

	check(t, r.an.Spoil(ctx, card, "signer-revoked"))
	wantError(t, "the chip of the spoiled card", second(r.an.Personalise(ctx, app, insert(c), r.plan())), perso.ErrUsed)
	c = blank()
	next := r.personalised(t, app, c, r.plan())
	if next == card {
		t.Error("the spoiled card goes on")
	}
	r.checked(t, next, c)
	check(t, r.binh.Deliver(ctx, next, Handover{}))
	wantVerdict(t, r.checkpoint(t, c, true, canOf(person(1))), verify.Accept)
	r.sound(t)
}

// TestRevocationsAreKept: each list holds all signers revoked so far, those that were
// never issued too.
func TestRevocationsAreKept(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	must(r.an.MakeSigner(ctx, r.signer(), "P-256"))(t)
	f := &faulty{Store: r.store, at: 1, after: true} // ds-003 is prepared, and was perhaps signed
	wantError(t, "cut", second(r.through(f).MakeSigner(ctx, r.signer(), "P-256")), errFault)
	want := []int{1, 1, 2, 3, 3}
	for i, names := range [][]string{{"ds-001"}, {"ds-001"}, {"ds-002"}, {"ds-003"}, nil} {
		r.now = r.now.Add(time.Hour)
		check(t, r.an.MakeCRL(ctx, 30, names...))
		l := must(cert.ParseCRL(must(os.ReadFile(r.path("pki", "csca.crl")))(t)))(t)
		if len(l.Entries()) != want[i] || l.Number.Int64() != int64(i+2) {
			t.Errorf("list %d: number %v, %d entries", i, l.Number, len(l.Entries()))
		}
		for j := range l.Entries()[1:] {
			if l.Entries()[j+1].Time.Before(l.Entries()[j].Time) {
				t.Error("not in the order of revocation")
			}
		}
	}
	first := must(r.an.certificate(ctx, "ds-001"))(t)
	l := must(cert.ParseCRL(must(os.ReadFile(r.path("pki", "csca.crl")))(t)))(t)
	if l.Entries()[0].Serial.Cmp(first.Serial) != 0 {
		t.Error("another serial number")
	}
	r.sound(t)
}

// TestSignerOfTheDay: a card is signed by a signer whose time covers both today and the
// day of issue that was approved.
func TestSignerOfTheDay(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	early, late := r.approved(t, enrolment(1)), r.approved(t, enrolment(2))
	r.now = r.now.AddDate(0, 0, 50)
	must(r.an.MakeSigner(ctx, r.signer(), "P-256"))(t)
	check(t, r.an.MakeCRL(ctx, 90))
	r.loadTrust(t)
	fresh := r.approved(t, enrolment(3))
	for app, want := range map[string]string{early: "ds-001", fresh: "ds-002"} {
		c := blank()
		card := r.personalised(t, app, c, r.plan())
		if got := must(r.an.Card(ctx, card))(t).Signer; got != want {
			t.Errorf("signed by %s, not %s", got, want)
		}
		r.checked(t, card, c)
	}
	r.now = r.now.AddDate(0, 0, 60) // ds-001 is over
	r.wantUntouched(t, r.an, late, ErrNoSigner)
	check(t, r.an.Cancel(ctx, late, "outlived"))
	check(t, r.an.MakeCRL(ctx, 90))
	r.loadTrust(t)
	r.personalised(t, r.approved(t, enrolment(2)), blank(), r.plan())
	r.now = r.now.AddDate(1, 0, 0)
	r.wantUntouched(t, r.an, r.approved(t, enrolment(4)), ErrNoSigner)
}

// TestNothingIsLockedThatNobodyAccepts: a root that is not trusted is noticed while the
// chip can still be written.
func TestNothingIsLockedThatNobodyAccepts(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	app, c := r.approved(t, enrolment(1)), blank()
	card := ""
	for name, change := range map[string]func(*Personalisation){
		"nobody is trusted": func(p *Personalisation) { p.Verify.Trust = nil },
		"no SPECIMEN":       func(p *Personalisation) { p.Verify.Specimen = false },
	} {
		p := r.plan()
		change(&p)
		var err error
		card, err = r.an.Personalise(ctx, app, insert(c), p)
		wantType[*RefusedError](t, name, err)
		if r.wantPhase(t, issuance.Card(card), issuance.Written); c.InUse() {
			t.Fatal("the chip is locked")
		}
	}
	if got := r.personalised(t, app, c, r.plan()); got != card {
		t.Errorf("card %s, not %s", got, card)
	}
	r.checked(t, card, c)
	r.sound(t)
}
