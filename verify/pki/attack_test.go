package pki

import (
	"testing"

	"github.com/tamthe/tamthe/card/cert"
)

// knot makes n certificates of strangers that certify one another's keys in a ring, and a
// signer below them: every one of them has many issuers, and none leads anywhere.
func knot(t *testing.T, n int) (signer_ *cert.Certificate, packed []*cert.Certificate) {
	t.Helper()
	a, b := newCSCA(t, "Knot", nil), newCSCA(t, "Knot", nil)
	for i := range n {
		subject, by := a, b
		if i%2 == 1 {
			subject, by = b, a
		}
		tpl := csca(t, "Knot", subject.key)
		tpl.AuthorityKeyID = by.cert.SubjectKeyID
		packed = append(packed, issue(t, tpl, by.key))
	}
	return newSigner(t, a, nil).cert, packed
}

// TestKnot: a document that brings certificates which certify one another costs no more
// time than another, which every way between them would take without end.
func TestKnot(t *testing.T) {
	ca := newCSCA(t, "CSCA", nil)
	s := store([]*cert.Certificate{ca.cert, newCSCA(t, "CSCA 2", nil).cert, newCSCA(t, "CSCA 3", nil).cert}, nil)
	ds, packed := knot(t, 64)
	expect(t, s.Chain(ds, packed...).Judge(usual()), Signature, Undetermined, CSCAUnknown)
}

// TestRevokedOnEveryWay: a revoked signer stays revoked, though another way to an anchor
// passes by a certificate of the same key whose name the list does not bear.
func TestRevokedOnEveryWay(t *testing.T) {
	old := newCSCA(t, "CSCA old", func(x *cert.Template) { x.BasicConstraints.PathLen = 1 })
	ca := newCSCA(t, "CSCA new", nil)
	tpl := csca(t, "CSCA renamed", ca.key)
	tpl.Issuer, tpl.AuthorityKeyID, tpl.SubjectKeyID = old.cert.Subject, old.cert.SubjectKeyID, []byte("another name")
	link := issue(t, tpl, old.key)
	ds := newSigner(t, ca, nil)
	list := newCRL(t, ca, nil, ds.cert)
	s := store([]*cert.Certificate{old.cert, link, ca.cert}, []*cert.CRL{list}, Issuer{Country: "UT", CRL: Optional})
	expect(t, s.Chain(ds.cert).Judge(usual()), Revocation, Failed, CertificateRevoked)
}

// TestSpecimenKeyUnderAnotherName: a test key is one under whatever name it certifies
// itself.
func TestSpecimenKeyUnderAnotherName(t *testing.T) {
	test := newCSCA(t, "CSCA SPECIMEN", nil)
	renamed := issue(t, csca(t, "CSCA", test.key), test.key)
	ds := issue(t, signer(t, authority{test.key, renamed}, newKey(t)), test.key)
	s := store([]*cert.Certificate{test.cert, renamed}, nil, Issuer{Country: "UT", CRL: None})
	expect(t, s.Chain(ds).Judge(usual()), Specimen, Undetermined, TestKeys)

	link := csca(t, "CSCA of the State", newKey(t))
	link.Issuer, link.AuthorityKeyID = test.cert.Subject, test.cert.SubjectKeyID
	next := newKey(t)
	link.PublicKey, link.SubjectKeyID = &next.PublicKey, keyIDOf(t, &next.PublicKey)
	linked := issue(t, link, test.key)
	ds = issue(t, signer(t, authority{next, linked}, newKey(t)), next)
	s = store([]*cert.Certificate{test.cert, linked}, nil, Issuer{Country: "UT", CRL: None})
	expect(t, s.Chain(ds).Judge(usual()), Specimen, Undetermined, TestKeys)
}

// TestPinnedAnchorWithoutDocumentCode: a document that bears no document code gets round
// no pin.
func TestPinnedAnchorWithoutDocumentCode(t *testing.T) {
	ca, other := newCSCA(t, "CSCA", nil), newCSCA(t, "CSCA of passports", nil)
	ds := newSigner(t, other, nil)
	s := store([]*cert.Certificate{ca.cert, other.cert}, nil, Issuer{Country: "UT", CRL: None, Anchors: [][32]byte{ca.cert.Fingerprint()}})
	q := usual()
	q.DocumentType = ""
	expect(t, s.Chain(ds.cert).Judge(q), DocumentType, Failed, AnchorType)
}
