package pki

import (
	"math/big"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/card/cert"
)

func numbered(n int64, days int) func(*cert.CRLTemplate) {
	return func(x *cert.CRLTemplate) {
		x.Number, x.ThisUpdate = big.NewInt(n), now.AddDate(0, 0, -days)
	}
}

// An older revocation list than one that this device has seen is not relied on, though it
// is signed and in its time; nor is the absence of any. What it revokes stays revoked.
func TestRevocationListsDoNotGoBack(t *testing.T) {
	ca := newCSCA(t, "CSCA", nil)
	ds := newSigner(t, ca, nil)
	older, newer := newCRL(t, ca, numbered(1, 3)), newCRL(t, ca, numbered(2, 1))
	twin := newCRL(t, ca, numbered(2, 1))
	revoking := newCRL(t, ca, numbered(1, 3), ds.cert)
	seen := openMemory(t, filepath.Join(t.TempDir(), "seen"))
	if err := seen.Note(crlMark(newer)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		crls   []*cert.CRL
		seen   *Memory
		policy Requirement
		level  Level
		kind   Kind
	}{
		{"the one that was seen", []*cert.CRL{newer}, seen, Required, Passed, ""},
		{"both", []*cert.CRL{older, newer}, seen, Required, Passed, ""},
		{"the older one", []*cert.CRL{older}, seen, Required, Undetermined, CRLOlder},
		{"the older one, optional", []*cert.CRL{older}, seen, Optional, Undetermined, CRLOlder},
		{"the older one, nothing was seen", []*cert.CRL{older}, nil, Required, Passed, ""},
		{"another of that number", []*cert.CRL{twin}, seen, Required, Undetermined, CRLOlder},
		{"a newer one", []*cert.CRL{newCRL(t, ca, numbered(3, 0))}, seen, Required, Passed, ""},
		{"none any more", nil, seen, Optional, Undetermined, CRLOlder},
		{"an older one that revokes", []*cert.CRL{revoking}, seen, Required, Failed, CertificateRevoked},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := usual()
			q.Seen = c.seen
			s := store([]*cert.Certificate{ca.cert}, c.crls, Issuer{Country: "UT", CRL: c.policy})
			expect(t, s.Chain(ds.cert).Judge(q), Revocation, c.level, c.kind)
		})
	}
}

// After a change of name the list of the new CSCA speaks for the certificates of the old
// one, if link certificates lead from the one key to the other; else it says nothing.
func TestRevocationListOfAnHeir(t *testing.T) {
	old := newCSCA(t, "CSCA 1", nil)
	middle, heir, stranger := newCSCA(t, "CSCA 2", nil), newCSCA(t, "CSCA 3", nil), newCSCA(t, "CSCA 4", nil)
	ds := newSigner(t, old, nil)
	links := []*cert.Certificate{linkTo(t, old, middle, nil), linkTo(t, middle, heir, nil)}
	all := append([]*cert.Certificate{old.cert, middle.cert, heir.cert, stranger.cert}, links...)
	own := newCRL(t, old, numbered(1, 40))
	for _, c := range []struct {
		name  string
		certs []*cert.Certificate
		crls  []*cert.CRL
		level Level
		kind  Kind
	}{
		{"the heir's list revokes", all, []*cert.CRL{newCRL(t, heir, nil, ds.cert)}, Failed, CertificateRevoked},
		{"the heir's list is fresh", all, []*cert.CRL{newCRL(t, heir, nil)}, Passed, ""},
		{"the heir's list is newer than the own", all, []*cert.CRL{own, newCRL(t, heir, nil, ds.cert)}, Failed, CertificateRevoked},
		{"the own list revokes, the heir's does not", all, []*cert.CRL{newCRL(t, old, numbered(1, 40), ds.cert), newCRL(t, heir, nil)}, Failed, CertificateRevoked},
		{"a CSCA without links", all, []*cert.CRL{newCRL(t, stranger, nil, ds.cert)}, Undetermined, CRLMissing},
		{"a link is missing", []*cert.Certificate{old.cert, heir.cert, links[1]}, []*cert.CRL{newCRL(t, heir, nil)}, Undetermined, CRLMissing},
		{"a forged link", []*cert.Certificate{old.cert, heir.cert, forgedLink(t, old, heir)}, []*cert.CRL{newCRL(t, heir, nil)}, Undetermined, CRLMissing},
		{"the heir is not trusted", append(links[:1:1], old.cert), []*cert.CRL{newCRL(t, heir, nil)}, Undetermined, CRLMissing},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := store(c.certs, c.crls, Issuer{Country: "UT"})
			expect(t, s.Chain(ds.cert).Judge(usual()), Revocation, c.level, c.kind)
		})
	}
}

// Keys that all vouch for one another are followed once each: every way between them would
// take hours.
func TestRevocationListAmongKnots(t *testing.T) {
	issuer := newCSCA(t, "CSCA", nil)
	ds := newSigner(t, issuer, nil)
	certs := []*cert.Certificate{issuer.cert}
	var knot []authority
	for _, name := range []string{"CSCA 2", "CSCA 3", "CSCA 4", "CSCA 5", "CSCA 6"} {
		knot = append(knot, newCSCA(t, name, nil))
	}
	for i, from := range knot {
		certs = append(certs, from.cert)
		for j, to := range knot {
			if i != j {
				certs = append(certs, linkTo(t, from, to, nil))
			}
		}
	}
	s := store(certs, []*cert.CRL{newCRL(t, knot[0], nil, ds.cert)}, Issuer{Country: "UT"})
	expect(t, s.Chain(ds.cert).Judge(usual()), Revocation, Undetermined, CRLMissing)
}
