package pki

import (
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
)

// TestRevokedByFormerKey: a CSCA that lists for each of its keys what that key signed must
// not have one list clear what the other revokes, whichever is newer.
func TestRevokedByFormerKey(t *testing.T) {
	old, next := newCSCA(t, "CSCA", nil), newCSCA(t, "CSCA", nil)
	ds := newSigner(t, old, nil)
	all := []*cert.Certificate{old.cert, next.cert}
	own := newCRL(t, old, numbered(5, 3), ds.cert)
	newer := newCRL(t, next, numbered(1, 1))
	for _, lists := range [][]*cert.CRL{{own, newer}, {newer, own}} {
		expect(t, store(all, lists, Issuer{Country: "UT"}).Chain(ds.cert).Judge(usual()), Revocation, Failed, CertificateRevoked)
	}
	q := usual()
	q.Lists = []*cert.CRL{newer} // in a bundle
	expect(t, store(all, []*cert.CRL{own}, Issuer{Country: "UT"}).Chain(ds.cert).Judge(q), Revocation, Failed, CertificateRevoked)
	// A list by the same key takes the place of the older one, and one by the next key speaks
	// for both.
	unlisted := newCRL(t, old, numbered(6, 1))
	expect(t, store(all, []*cert.CRL{own, unlisted}, Issuer{Country: "UT"}).Chain(ds.cert).Judge(usual()), Revocation, Passed, "")
	expect(t, store(all, []*cert.CRL{newer}, Issuer{Country: "UT"}).Chain(ds.cert).Judge(usual()), Revocation, Passed, "")
}

// TestImportListsOfTwoKeys: the list of the next key does not push that of the former out.
func TestImportListsOfTwoKeys(t *testing.T) {
	c := newCheckpoint(t)
	old, next := newCSCA(t, "CSCA", nil), newCSCA(t, "CSCA", nil)
	ds := newSigner(t, old, nil)
	c.lay("old.cer", old.cert.Raw)
	c.lay("next.cer", next.cert.Raw)
	for _, l := range []*cert.CRL{newCRL(t, old, numbered(5, 3), ds.cert), newCRL(t, next, numbered(6, 1))} {
		r, err := c.Import([]Offer{{"a.crl", l.Raw}}, ImportOptions{At: now})
		if c.must(err); r[0].CRLs != 1 {
			t.Errorf("%+v", r)
		}
		q := usual()
		q.Seen = c.Seen
		expect(t, c.load().Chain(ds.cert).Judge(q), Revocation, Failed, CertificateRevoked)
		q.At = now
		r2 := c.load().Chain(newSigner(t, next, nil).cert).Judge(q)
		if f := r2.Finding(Revocation); f.Kind == CRLOlder {
			t.Errorf("%+v", f)
		}
	}
}

// TestRelied: a list that judgement looked into is remembered however it came, if a trusted
// key signed it.
func TestRelied(t *testing.T) {
	ca, stranger := newCSCA(t, "CSCA", nil), newCSCA(t, "CSCA", nil)
	ds := newSigner(t, ca, nil)
	good, older := newCRL(t, ca, numbered(2, 1)), newCRL(t, ca, numbered(1, 3))
	for name, c := range map[string]struct {
		lists []*cert.CRL
		now   time.Time
		want  *cert.CRL
	}{
		"none":         {nil, now, nil},
		"two":          {[]*cert.CRL{older, good}, now, good},
		"a stranger's": {[]*cert.CRL{older, newCRL(t, stranger, numbered(9, 0))}, now, older},
		"not yet":      {[]*cert.CRL{good}, now.AddDate(0, 0, -3), nil},
	} {
		s := store([]*cert.Certificate{ca.cert}, c.lists, Issuer{Country: "UT"})
		if before := s.Relied(c.now); len(before) != 0 {
			t.Errorf("%s, nothing judged: %v", name, before)
		}
		s.Chain(ds.cert).Judge(usual())
		got := s.Relied(c.now)
		if c.want == nil && len(got) != 0 || c.want != nil && (len(got) != 1 || got[0] != crlMark(c.want)) {
			t.Errorf("%s: %v", name, got)
		}
	}
}
