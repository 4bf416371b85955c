package pki

import (
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
)

func TestValidity(t *testing.T) {
	ca := newCSCA(t, "CSCA", nil)
	s := store([]*cert.Certificate{ca.cert}, nil)
	judge := func(from, to time.Time, q Query) Result {
		ds := newSigner(t, ca, func(x *cert.Template) { x.NotBefore, x.NotAfter = from, to })
		return s.Chain(ds.cert).Judge(q)
	}
	year := func(n int) time.Time { return now.AddDate(n, 0, 0) }
	expect(t, judge(year(-4), year(-1), usual()), Validity, Failed, SignerExpired)
	expect(t, judge(year(1), year(4), usual()), Validity, Failed, SignerNotYet)
	expect(t, judge(year(-1), year(4), usual()), Validity, Passed, "")
	q := usual()
	q.At = year(-2)
	expect(t, judge(year(-4), year(-1), q), Validity, Passed, "")
	q.At = year(12)
	expect(t, judge(year(-4), year(20), q), Validity, Failed, CSCAExpired)
	q.At = year(-6)
	expect(t, judge(year(-7), year(20), q), Validity, Failed, CSCANotYet)
}

func TestValidityOfADocumentWithoutExpiry(t *testing.T) {
	ca := newCSCA(t, "CSCA", nil)
	s := store([]*cert.Certificate{ca.cert}, nil)
	ds := newSigner(t, ca, nil) // a year ago to nine years ahead
	q := usual()
	q.At = now.AddDate(30, 0, 0)
	judge := func(change func(*Query)) Result {
		q := q
		change(&q)
		return s.Chain(ds.cert).Judge(q)
	}
	r := judge(func(q *Query) { q.NoExpiry = true })
	expect(t, r, Validity, Passed, "")
	expect(t, r, Outlived, Failed, DocumentOutlived)

	r = judge(func(*Query) {})
	expect(t, r, Validity, Failed, SignerExpired)
	r = judge(func(q *Query) { q.NoExpiry, q.Issued = true, time.Time{} })
	expect(t, r, Validity, Failed, SignerExpired)
	r = judge(func(q *Query) { q.NoExpiry, q.Issued = true, now.AddDate(10, 0, 0) })
	expect(t, r, Validity, Failed, SignerExpired)
	r = judge(func(q *Query) { q.NoExpiry, q.At = true, now.AddDate(-2, 0, 0) })
	expect(t, r, Validity, Failed, SignerNotYet)
	r = judge(func(q *Query) { q.NoExpiry, q.At = true, now })
	expect(t, r, Validity, Passed, "")
	expect(t, r, Outlived, Absent, "")
}

func TestKeyPeriodCoversTheSignedDayOfIssue(t *testing.T) {
	ca := newCSCA(t, "CSCA", nil)
	s := store([]*cert.Certificate{ca.cert}, nil)
	from := time.Date(2026, 1, 10, 9, 0, 0, 0, time.UTC)
	to := time.Date(2026, 4, 10, 9, 0, 0, 0, time.UTC)
	ds := newSigner(t, ca, func(x *cert.Template) { x.PrivateKeyUsage = &cert.Period{NotBefore: from, NotAfter: to} })
	on := func(y int, m time.Month, d int) Result {
		q := usual()
		q.Issued = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
		return s.Chain(ds.cert).Judge(q)
	}
	expect(t, on(2026, 1, 10), KeyPeriod, Passed, "")
	expect(t, on(2026, 4, 10), KeyPeriod, Passed, "")
	expect(t, on(2026, 1, 1), KeyPeriod, Failed, OutsideKeyPeriod)
	expect(t, on(2026, 4, 20), KeyPeriod, Failed, OutsideKeyPeriod)
	q := usual()
	q.Issued = time.Time{}
	expect(t, s.Chain(ds.cert).Judge(q), KeyPeriod, NotRun, "")
	open := newSigner(t, ca, func(x *cert.Template) { x.PrivateKeyUsage = nil })
	expect(t, s.Chain(open.cert).Judge(usual()), KeyPeriod, Absent, "")
}

func TestRevocation(t *testing.T) {
	ca, thief := newCSCA(t, "CSCA", nil), newCSCA(t, "CSCA", nil)
	ds := newSigner(t, ca, nil)
	fresh, listed := newCRL(t, ca, nil), newCRL(t, ca, nil, ds.cert)
	stale := newCRL(t, ca, func(x *cert.CRLTemplate) {
		x.ThisUpdate, x.NextUpdate = now.AddDate(0, -2, 0), now.AddDate(0, 0, -9)
	})
	staleListed := newCRL(t, ca, func(x *cert.CRLTemplate) {
		x.ThisUpdate, x.NextUpdate = now.AddDate(0, -2, 0), now.AddDate(0, 0, -9)
	}, ds.cert)
	forged := newCRL(t, authority{thief.key, ca.cert}, nil, ds.cert)
	foreign := newCRL(t, thief, func(x *cert.CRLTemplate) { x.Issuer = name(t, "XX", "CSCA") }, ds.cert)

	tests := []struct {
		name   string
		crls   []*cert.CRL
		issuer Issuer
		level  Level
		kind   Kind
		lists  Kind
	}{
		{"fresh", []*cert.CRL{fresh}, Issuer{}, Passed, "", ""},
		{"revoked", []*cert.CRL{listed}, Issuer{}, Failed, CertificateRevoked, ""},
		{"revoked, though nobody publishes", []*cert.CRL{listed}, Issuer{CRL: None}, Failed, CertificateRevoked, ""},
		{"revoked by a list out of date", []*cert.CRL{staleListed}, Issuer{}, Failed, CertificateRevoked, ""},
		{"stale", []*cert.CRL{stale}, Issuer{}, Undetermined, CRLStale, ""},
		{"stale within grace", []*cert.CRL{stale}, Issuer{CRLGrace: 10 * day}, Passed, "", ""},
		{"stale beyond grace", []*cert.CRL{stale}, Issuer{CRLGrace: 8 * day}, Undetermined, CRLStale, ""},
		{"stale, optional", []*cert.CRL{stale}, Issuer{CRL: Optional}, Undetermined, CRLStale, ""},
		{"stale and fresh", []*cert.CRL{stale, fresh}, Issuer{}, Passed, "", ""},
		{"missing", nil, Issuer{}, Undetermined, CRLMissing, ""},
		{"missing, optional", nil, Issuer{CRL: Optional}, Absent, CRLMissing, ""},
		{"missing, none", nil, Issuer{CRL: None}, Absent, CRLNotPublished, ""},
		{"forged", []*cert.CRL{forged}, Issuer{}, Undetermined, CRLMissing, CRLIgnored},
		{"forged and fresh", []*cert.CRL{forged, fresh}, Issuer{}, Passed, "", CRLIgnored},
		{"another state's", []*cert.CRL{foreign}, Issuer{}, Undetermined, CRLMissing, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.issuer.Country = "UT"
			r := store([]*cert.Certificate{ca.cert}, tt.crls, tt.issuer).Chain(ds.cert).Judge(usual())
			expect(t, r, Revocation, tt.level, tt.kind)
			expect(t, r, Lists, Passed, tt.lists)
		})
	}

	t.Run("older than the policy allows", func(t *testing.T) {
		s := store([]*cert.Certificate{ca.cert}, []*cert.CRL{fresh}, Issuer{Country: "UT"})
		q := usual()
		q.CRLAge = now.Sub(fresh.ThisUpdate)
		r := s.Chain(ds.cert).Judge(q)
		expect(t, r, Revocation, Passed, "")
		if r.List != fresh {
			t.Error("the list that speaks for the signer is not named")
		}
		q.CRLAge -= time.Second
		expect(t, s.Chain(ds.cert).Judge(q), Revocation, Undetermined, CRLStale)
		listing := store([]*cert.Certificate{ca.cert}, []*cert.CRL{listed}).Chain(ds.cert).Judge(q)
		expect(t, listing, Revocation, Failed, CertificateRevoked)
		if listing.List != listed {
			t.Error("the list that revokes the signer is not named")
		}
	})
	t.Run("the next key of the same CSCA signs the list", func(t *testing.T) {
		next := newCSCA(t, "CSCA", nil)
		r := store([]*cert.Certificate{ca.cert, next.cert}, []*cert.CRL{newCRL(t, next, nil, ds.cert)}, Issuer{Country: "UT"}).Chain(ds.cert).Judge(usual())
		expect(t, r, Revocation, Failed, CertificateRevoked)
	})
	t.Run("a link certificate is revoked", func(t *testing.T) {
		next := newCSCA(t, "CSCA", nil)
		link := linkTo(t, ca, next, nil)
		r := store([]*cert.Certificate{ca.cert, link}, []*cert.CRL{newCRL(t, ca, nil, link)}).Chain(newSigner(t, next, nil).cert).Judge(usual())
		expect(t, r, Revocation, Failed, CertificateRevoked)
	})
	t.Run("a key that must not sign lists", func(t *testing.T) {
		mute := newCSCA(t, "CSCA", func(x *cert.Template) { x.KeyUsage = cert.KeyCertSign })
		ds := newSigner(t, mute, nil)
		r := store([]*cert.Certificate{mute.cert}, []*cert.CRL{newCRL(t, mute, nil)}).Chain(ds.cert).Judge(usual())
		expect(t, r, Revocation, Undetermined, CRLMissing)
		expect(t, r, Lists, Passed, CRLIgnored)
	})
	t.Run("nothing said of the issuer", func(t *testing.T) {
		r := store([]*cert.Certificate{ca.cert}, []*cert.CRL{fresh}).Chain(ds.cert).Judge(usual())
		expect(t, r, Known, NotRun, IssuerUnset)
		expect(t, r, Revocation, Passed, "")
	})
}
