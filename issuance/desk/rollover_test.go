package desk

import (
	"os"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/verify"
)

// parsed reads a certificate of the folder.
func (r *rig) parsed(t testing.TB, name string) *cert.Certificate {
	t.Helper()
	return must(cert.Parse(must(os.ReadFile(r.path("pki", name)))(t)))(t)
}

func (r *rig) list(t testing.TB, name string) *cert.CRL {
	t.Helper()
	return must(cert.ParseCRL(must(os.ReadFile(r.path("pki", name)))(t)))(t)
}

// follow certifies the next CSCA after its notice, and links it.
func (r *rig) follow(t testing.TB, name string) {
	t.Helper()
	ctx := t.Context()
	must2(r.an.AnnounceCSCA(ctx, "P-384"))(t)
	r.now = r.now.Add(ca.Notice)
	must(r.an.NextCSCA(ctx, ca.Successor{CommonName: name, From: r.now, CardYears: 25}, ""))(t)
	must(r.an.LinkCSCA(ctx))(t)
}

func must2[A, B any](a A, b B, err error) func(testing.TB) (A, B) {
	return func(t testing.TB) (A, B) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return a, b
	}
}

// TestRolloverDrill: notice, next key, link, two days in which the next key signs nothing,
// then it signs everything; the cards of before and after verify, whether the name changed or
// not.
func TestRolloverDrill(t *testing.T) {
	t.Parallel()
	for _, renamed := range []string{"", "SPECIMEN CSCA 2"} {
		r, ctx := newRig(t), t.Context()
		_, before := r.issued(t, enrolment(1), r.plan())
		name, due := must2(r.an.AnnounceCSCA(ctx, "P-384"))(t)
		if name != "csca-002" || !due.Equal(r.now.Add(ca.Notice)) {
			t.Errorf("%s is announced until %v", name, due)
		}
		next := ca.Successor{CommonName: renamed, From: r.now, CardYears: 25}
		r.now = r.now.Add(ca.Notice - time.Second)
		_, err := r.an.NextCSCA(ctx, next, "")
		wantError(t, "before the notice is over", err, ErrNotice)
		_, err = r.an.LinkCSCA(ctx)
		wantError(t, "nothing to link", err, ErrNoLink)
		r.now = r.now.Add(time.Second)
		next.From = r.now
		if got := must(r.an.NextCSCA(ctx, next, ""))(t); got != name {
			t.Errorf("%s was certified", got)
		}
		if file := must(r.an.LinkCSCA(ctx))(t); file != "csca-002-link.cer" {
			t.Error(file)
		}
		_, err = r.an.LinkCSCA(ctx)
		wantError(t, "linked already", err, ErrNoLink)

		r.now = r.now.Add(ca.Embargo - time.Second)
		old := must(r.an.MakeSigner(ctx, r.signer(), "P-256"))(t)
		check(t, r.an.MakeCRL(ctx, 90))
		r.now = r.now.Add(time.Second)
		young := must(r.an.MakeSigner(ctx, r.signer(), "P-256"))(t)
		first, second := r.parsed(t, "csca.cer"), r.parsed(t, "csca-002.cer")
		if err := r.parsed(t, old+".cer").CheckSignature(first.PublicKey); err != nil {
			t.Errorf("within the two days: %v", err)
		}
		if err := r.parsed(t, young+".cer").CheckSignature(second.PublicKey); err != nil {
			t.Errorf("after the two days: %v", err)
		}
		if l := r.list(t, "csca.crl"); l.CheckSignature(first.PublicKey) != nil || l.Number.Int64() != 2 {
			t.Errorf("list %v is not by the first key", l.Number)
		}
		check(t, r.an.MakeCRL(ctx, 90, old))
		if l := r.list(t, "csca.crl"); l.CheckSignature(second.PublicKey) != nil || l.Number.Int64() != 3 || len(l.Entries()) != 1 || len(l.IssuerAltName) != map[bool]int{true: 1}[renamed != ""] {
			t.Errorf("list %v, %d entries, %d former names", l.Number, len(l.Entries()), len(l.IssuerAltName))
		}
		r.loadTrust(t)
		_, after := r.issued(t, enrolment(2), r.plan())
		wantVerdict(t, r.checkpoint(t, after, true, canOf(person(2))), verify.Accept)
		wantVerdict(t, r.checkpoint(t, before, true, canOf(person(1))), verify.Accept)
		r.sound(t)
	}
}

// TestUrgentRollover: a CSCA key that is lost signs its last list, and the next key takes over
// at once, without a link.
func TestUrgentRollover(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	must2(r.an.AnnounceCSCA(ctx, "P-256"))(t)
	next := ca.Successor{From: r.now, CardYears: 25}
	_, err := r.an.NextCSCA(ctx, next, "")
	wantError(t, "no notice", err, ErrNotice)
	must(r.an.NextCSCA(ctx, next, "compromised"))(t)
	wantError(t, "a CSCA is no signer", r.an.MakeCRL(ctx, 90, "csca"), ErrCSCA)
	wantError(t, "no CSCA", r.an.RevokeCSCA(ctx, "csca-009", 90, "compromised"), ErrUnknown)
	check(t, r.an.RevokeCSCA(ctx, "csca", 90, "compromised"))
	first, second := r.parsed(t, "csca.cer"), r.parsed(t, "csca-002.cer")
	l := r.list(t, "csca.crl")
	if _, there := l.Lookup(first.Serial); !there || l.CheckSignature(second.PublicKey) != nil || l.Number.Int64() != 3 {
		t.Errorf("list %v by the next key", l.Number)
	}
	_, err = r.an.LinkCSCA(ctx)
	wantError(t, "a revoked key vouches", err, ErrNoLink)
	name := must(r.an.MakeSigner(ctx, r.signer(), "P-256"))(t)
	if err := r.parsed(t, name+".cer").CheckSignature(second.PublicKey); err != nil {
		t.Error(err)
	}
	r.sound(t)
}

// TestLastList: the only CSCA is revoked by a list of its own, and nothing is signed after.
func TestLastList(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	check(t, r.an.RevokeCSCA(ctx, "csca", 90, "compromised"))
	root, l := r.parsed(t, "csca.cer"), r.list(t, "csca.crl")
	if _, there := l.Lookup(root.Serial); !there || l.CheckSignature(root.PublicKey) != nil || l.Number.Int64() != 2 {
		t.Errorf("list %v", l.Number)
	}
	wantError(t, "a list", r.an.MakeCRL(ctx, 90), ErrNoCSCA)
	_, err := r.an.MakeSigner(ctx, r.signer(), "P-256")
	wantError(t, "a signer", err, ErrNoCSCA)
	r.wantPhase(t, issuance.Key("csca"), issuance.Revoked)
	check(t, r.an.RevokeCSCA(ctx, "csca", 90, "compromised"))
}

// TestCRLAlarm: fresh, in the last fifth of its time, stale; and what was revoked and is not
// told.
func TestCRLAlarm(t *testing.T) {
	t.Parallel()
	r, ctx := newOffice(t), t.Context()
	state := func(want string) {
		t.Helper()
		if s := must(r.an.PKIStatus(ctx))(t); s.CRL.State != want || s.CRL.Alarm() != (want != "fresh") {
			t.Errorf("%+v, not %s", s.CRL, want)
		}
	}
	check(t, r.an.MakeCSCA(ctx, r.csca(), "P-256"))
	must(r.an.MakeSigner(ctx, r.signer(), "P-256"))(t)
	state("missing")
	check(t, r.an.MakeCRL(ctx, 10))
	state("fresh")
	begin := r.now
	for hours, want := range map[int]string{191: "fresh", 192: "alarm", 240: "alarm", 241: "stale"} {
		r.now = begin.Add(time.Duration(hours) * time.Hour)
		state(want)
	}
	r.now = begin
	f := &faulty{Store: r.store, at: 1, after: true} // revoked, and the list not issued
	wantError(t, "cut", r.through(f).MakeCRL(ctx, 10, "ds-001"), errFault)
	state("alarm")
	r.now = begin.Add(49 * time.Hour)
	state("overdue")
	check(t, r.an.MakeCRL(ctx, 10))
	state("fresh")
	s := must(r.an.PKIStatus(ctx))(t)
	if len(s.CSCA) != 1 || s.CSCA[0].State != "current" || len(s.Keys) != 1 || s.Keys[0].State != "revoked" || s.CRL.Number != "3" || s.CRL.Entries != 1 {
		t.Errorf("%+v", s)
	}
	older := must(os.ReadFile(r.path("pki", "csca.cer")))(t)
	check(t, os.WriteFile(r.path("pki", "csca.crl"), older, 0o600))
	_, err := r.an.PKIStatus(ctx)
	wantError(t, "another file in its place", err, issuance.ErrChanged)
}

// TestPKIStatusOfARollover names each state of a CSCA key.
func TestPKIStatusOfARollover(t *testing.T) {
	t.Parallel()
	r, ctx := newOffice(t), t.Context()
	check(t, r.an.MakeCSCA(ctx, r.csca(), "P-256"))
	states := func(want ...string) {
		t.Helper()
		s := must(r.an.PKIStatus(ctx))(t)
		var got []string
		for _, c := range s.CSCA {
			got = append(got, c.State)
		}
		if len(got) != len(want) || got[0] != want[0] || got[len(got)-1] != want[len(want)-1] {
			t.Errorf("%v, not %v", got, want)
		}
	}
	states("current")
	must2(r.an.AnnounceCSCA(ctx, "P-256"))(t)
	states("current", "announced")
	r.now = r.now.Add(ca.Notice)
	must(r.an.NextCSCA(ctx, ca.Successor{From: r.now, CardYears: 25}, ""))(t)
	states("current", "certified")
	must(r.an.LinkCSCA(ctx))(t)
	states("current", "embargo")
	r.now = r.now.Add(ca.Embargo)
	states("former", "current")
	check(t, r.an.RevokeCSCA(ctx, "csca", 90, "superseded"))
	states("revoked", "current")
}
